"""What is known of the demo films: where everybody and everything is in every frame."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from curate.sources import demo_films_body as bodies
from curate.sources import demo_films_stage as stage
from curate.sources.demo_films_acts import FPS, Shot
from curate.sources.demo_films_head import sides
from curate.sources.demo_films_plan import FilmPlan
from curate.sources.demo_films_props import Prop, top_of
from curate.sources.demo_films_room import HEIGHT, WIDTH
from curate.sources.demo_films_skull import Face
from curate.sources.demo_films_stage import UNIT, Character, Pose, Standing, busts
from curate.sources.demo_pen import Frame

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels of the film
Boxes = npt.NDArray[np.float64]  # (F, 4) left, top, right, bottom in pixels, NaN where there is none


class ShotTruth(NamedTuple):
    """One shot."""

    start_s: float
    end_s: float
    empty: Frame  # (HEIGHT, WIDTH, 3) RGB of the room without people and props


class CharacterTruth(NamedTuple):
    """One character in every frame of a film."""

    id: str
    words: str
    head: Boxes  # with hair, down to the chin, cut at the picture's edge
    body: Boxes  # head and all
    yaw_deg: npt.NDArray[np.float64]  # (F,) of the head, to the right of the picture, from -180 to 180
    visible: npt.NDArray[np.float64]  # (F,) share of the head's box in the picture and not behind somebody


class PropTruth(NamedTuple):
    """One prop in every frame of a film."""

    id: str
    kind: str
    colour: str
    box: Boxes
    held: npt.NDArray[np.bool_]  # (F,)
    visible: npt.NDArray[
        np.float64
    ]  # (F,) share of the box in the picture and, where not held, behind nobody's


class FilmTruth(NamedTuple):
    """What is known of a film."""

    fps: int
    shots: tuple[ShotTruth, ...]
    characters: tuple[CharacterTruth, ...]
    props: tuple[PropTruth, ...]


def truth(plan: FilmPlan) -> FilmTruth:
    """Where everybody and everything is in every frame of a film."""
    starts = np.cumsum([0, *(one.frames for one in plan.shots)]).tolist()
    shots = tuple(
        ShotTruth(start / FPS, end / FPS, empty_room(plan, one))
        for one, start, end in zip(plan.shots, starts, starts[1:], strict=False)
    )
    people = [_character_truth(plan, n, starts) for n in range(len(plan.cast))]
    for n, who in enumerate(people):
        for nearer in people[n + 1 :]:
            hidden = share_covered(who.head, nearer.body, 0.15)
            people[n] = people[n]._replace(visible=people[n].visible * (1 - hidden))
    props = tuple(_prop_truth(plan, n, starts, people) for n in range(len(plan.props)))
    return FilmTruth(FPS, shots, tuple(people), props)


def _character_truth(plan: FilmPlan, n: int, starts: list[int]) -> CharacterTruth:
    who = plan.cast[n]
    head, body, whole = (np.full((plan.frames, 4), np.nan) for _ in range(3))
    yaw_deg = np.full(plan.frames, np.nan)
    for one, start in zip(plan.shots, starts, strict=False):
        for part in (part for part in one.parts if part.character == n):
            for frame in range(one.frames):
                now, at = stage.pose(part, who, frame), start + frame
                whole[at] = _head_box(one, who, now)
                head[at], body[at] = _clipped(whole[at]), _clipped(_body_box(one, who, part.side, now))
                yaw_deg[at] = (now.head_deg + 180) % 360 - 180
    return CharacterTruth(who.id, who.words, head, body, yaw_deg, np.nan_to_num(_area(head) / _area(whole)))


def _prop_truth(plan: FilmPlan, n: int, starts: list[int], people: list[CharacterTruth]) -> PropTruth:
    box, whole = (np.full((plan.frames, 4), np.nan) for _ in range(2))
    held = np.zeros(plan.frames, bool)
    for one, start in zip(plan.shots, starts, strict=False):
        for frame in range(one.frames):
            place = stage.standing(one, plan.room, plan.cast, n, frame)
            if place is not None:
                whole[start + frame] = _prop_box(one, plan.props[n], place)
                box[start + frame] = _clipped(whole[start + frame])
                held[start + frame] = place.holder is not None
    visible = np.nan_to_num(_area(box) / _area(whole))
    for who in people:
        visible = visible * np.where(held, 1, 1 - share_covered(box, who.body, 0.0))
    prop = plan.props[n]
    return PropTruth(prop.id, prop.kind, prop.colour, box, held, visible)


def _area(boxes: Boxes) -> npt.NDArray[np.float64]:
    area: npt.NDArray[np.float64] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return area


def share_covered(boxes: Boxes, by: Boxes, thinner: float) -> npt.NDArray[np.float64]:
    """Which share of each box another covers, (F,), that one made narrower by a share on both sides."""
    trim = thinner * (by[:, 2] - by[:, 0])
    wide = np.minimum(boxes[:, 2], by[:, 2] - trim) - np.maximum(boxes[:, 0], by[:, 0] + trim)
    tall = np.minimum(boxes[:, 3], by[:, 3]) - np.maximum(boxes[:, 1], by[:, 1])
    share: npt.NDArray[np.float64] = np.nan_to_num(
        np.clip(wide, 0, None) * np.clip(tall, 0, None) / _area(boxes)
    )
    return share


def _head_box(shot: Shot, who: Character, now: Pose) -> Box:
    """The head with its hair, down to the chin."""
    left, top, right = _sides(who.face, now.head_deg)
    return _box(shot, now.x + left * UNIT, now.y + top * UNIT, now.x + right * UNIT, now.y + UNIT)


@lru_cache(maxsize=512)
def _sides(face: Face, head_deg: int) -> tuple[float, float, float]:
    return sides(busts(face), head_deg)


def _body_box(shot: Shot, who: Character, side: int, now: Pose) -> Box:
    """The whole of a character, as far as there is a picture."""
    left, right = bodies.reach(who.clothes, now.body_deg, now.phase, now.lift, side)
    head = _sides(who.face, now.head_deg)
    left, right = min(left, head[0]), max(right, head[2])
    return _box(
        shot, now.x + left * UNIT, now.y + head[1] * UNIT, now.x + right * UNIT, now.y + bodies.BOTTOM * UNIT
    )


def _prop_box(shot: Shot, prop: Prop, place: Standing) -> Box:
    """A prop where it stands or is held."""
    left, up, right = top_of(prop)
    scale = UNIT * place.scale
    return _box(
        shot, place.x - left * scale, place.y - up * scale, place.x + right * scale, place.y + 0.05 * scale
    )


def _box(shot: Shot, left: float, top: float, right: float, bottom: float) -> Box:
    xs, ys = np.array([left, right]) - shot.left, np.array([top, bottom]) - shot.top
    x0, x1 = (xs * shot.zoom).tolist()
    y0, y1 = (ys * shot.zoom).tolist()
    return x0, y0, x1, y1


def _clipped(box: Box | Boxes) -> npt.NDArray[np.float64]:
    """The part of a box that is in the picture, (4,); NaN when none is."""
    left, top, right, bottom = (
        max(0.0, box[0]),
        max(0.0, box[1]),
        min(float(WIDTH), box[2]),
        min(float(HEIGHT), box[3]),
    )
    seen = left < right and top < bottom
    return np.array([left, top, right, bottom] if seen else [np.nan] * 4)


def empty_room(plan: FilmPlan, one: Shot) -> Frame:
    """What a shot shows of the room without people and props, (HEIGHT, WIDTH, 3) RGB."""
    picture = stage.empty_picture(one, plan.room)
    if not plan.writing:
        return picture
    sheet = Image.fromarray(picture)
    pen = ImageDraw.Draw(sheet)
    for k, words in enumerate(plan.writing):
        pen.text((40 + 380 * k, 20 + 10 * k), words, (34, 30, 30), ImageFont.load_default(64))
    return np.array(sheet)
