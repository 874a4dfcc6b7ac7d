"""The demo source of the recipe `reference-sheet`: short films of modelled people in a room, offline.

A film has one or two shots of a fixed camera. One or two people, each in one film only, come, look around, carry
something, turn their backs and go, so that the whole room is seen. Every choice belongs to the seed and a film's
number, so the first films of a long demo are those of a short one. Beside `film-0003.mp4` lie

- `film-0003.json`, the sidecar: caption and licence;
- `film-0003.elements.json`, what a user would write down of a film:

      {"characters": [{"id": "person-04", "description": "a man with ..., in a red jumper", "box": [l, t, r, b], "at_s": 2.5}],
       "props": [{"id": "red-kettle", "description": "a red kettle", "box": [l, t, r, b], "at_s": 2.5}],
       "location": {"id": "kitchen", "description": "a kitchen with ..."}}

  `box` is in pixels of the film, `at_s` in seconds from its start; both are optional, and so is each of the lists.

What is known of every frame is in no file: `truth` computes it from the plan.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from curate.errors import CurateError
from curate.media.one_thread import one_thread
from curate.media.video import write_video
from curate.sources import demo_films_stage as stage
from curate.sources.demo_films_acts import FPS
from curate.sources.demo_films_plan import ROOM_WORDS, FilmPlan, FilmsDemo, films_plan, trap_plan
from curate.sources.demo_films_room import HEIGHT, WIDTH
from curate.sources.demo_films_truth import Boxes, FilmTruth, PropTruth, empty_room, truth
from curate.sources.demo_pen import Frame

__all__ = [
    "FilmPlan",
    "FilmTruth",
    "FilmsDemo",
    "draw_film",
    "draw_frames",
    "films_plan",
    "trap_plan",
    "truth",
]

LICENCE = "CC0-1.0 (synthetic)"


def draw_film(plan: FilmPlan, folder: Path) -> Path:
    """Write `NAME.mp4` with `NAME.json` and `NAME.elements.json` into `folder` and return the mp4's path.

    The same plan gives the same bytes, in any order and any process. The mp4 appears last and whole. Raises
    CurateError when the folder cannot be written.
    """
    path, draft = folder / f"{plan.name}.mp4", folder / f".{plan.name}.partial"
    told = {".json": labels(plan), ".elements.json": elements(plan)}
    pictures = draw_frames(plan)
    try:
        for suffix, content in told.items():
            text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            path.with_suffix(suffix).write_text(text, "utf-8", newline="\n")
        write_video(draft, pictures, FPS)
        os.replace(draft, path)
    except OSError as error:  # libav's errors on files are OSErrors too
        raise CurateError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return path


def draw_frames(plan: FilmPlan) -> Frame:
    """All frames of a film, (F, HEIGHT, WIDTH, 3) RGB."""
    pictures = np.empty((plan.frames, HEIGHT, WIDTH, 3), np.uint8)
    first = 0
    with one_thread():
        for one in plan.shots:
            empty = empty_room(plan, one)
            for frame in range(one.frames):
                drawn = stage.drawn_frame(one, empty, plan.room, plan.cast, plan.props, frame)
                pictures[first + frame] = drawn
            first += one.frames
    return pictures


def labels(plan: FilmPlan) -> dict[str, str]:
    """What the sidecar of a film says."""
    return {"caption": caption(plan), "licence": LICENCE, "source": "drawn"}


def caption(plan: FilmPlan) -> str:
    """What happens in a film, in a sentence or two."""
    thing, other = (prop.words for prop in plan.props)
    place = f"In {ROOM_WORDS[plan.room.kind].split(' with ')[0]}"
    if not plan.cast:
        return f"{place}, nobody is there; {thing} and {other} stand on the furniture."
    who = plan.cast[0].words
    if len(plan.cast) == 1:
        doing = f"comes in with {thing}, looks around, puts it down, turns away and leaves"
        return f"{place}, {who}, {doing}. {other.capitalize()} stands nearby."
    guest = plan.cast[1].words
    return f"{place}, {who}, holds {thing} and turns to {guest}, who comes in and talks. {other.capitalize()} stands nearby."


def elements(plan: FilmPlan) -> dict[str, Any]:
    """What a user would write down of a film; boxes where everybody and everything is seen well."""
    known = truth(plan)
    people = []
    for who in known.characters:
        away = np.abs(who.yaw_deg) + 1000 * (who.visible < 0.99)
        people.append({"id": who.id, "description": who.words, **_place(who.body, int(away.argmin()))})
    props = []
    for prop, thing in zip(known.props, plan.props, strict=True):
        props.append({"id": prop.id, "description": thing.words, **_place(prop.box, _clearest(prop))})
    location = {"id": plan.room.kind.replace(" ", "-"), "description": ROOM_WORDS[plan.room.kind]}
    return {"characters": people, "props": props, "location": location}


def _clearest(prop: PropTruth) -> int:
    """The first frame that shows most of a prop, better where no hand holds it."""
    area = (prop.box[:, 2] - prop.box[:, 0]) * (prop.box[:, 3] - prop.box[:, 1])
    return int((np.nan_to_num(area) * (0.01 + prop.visible) * (1 - 0.95 * prop.held)).argmax())


def _place(boxes: Boxes, frame: int) -> dict[str, Any]:
    return {"box": [round(float(edge), 1) for edge in boxes[frame]], "at_s": round(frame / FPS, 4)}
