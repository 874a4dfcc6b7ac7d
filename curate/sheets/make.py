"""A reference sheet: its panels cut out, laid out on black, and measured as it stands."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curate.errors import CurateError, Rejected
from curate.media import faces
from curate.media.cutout import person_mask
from curate.media.layout import Panel, compose, coverage, layout, outside_black
from curate.media.panels import (
    VISIBLE,
    body_panel,
    face_panel,
    given_panel,
    grown,
    matched,
    nearest_levels,
    prop_panel,
)
from curate.media.people import people_of
from curate.media.plate import clean_plate
from curate.media.subject import Box
from curate.media.text import read_text
from curate.media.video import Image, frames_at
from curate.records import Clip, Values
from curate.sheets.cast import Place, View
from curate.sheets.generator import Generator, generated

LEAST_SEEN = 0.75  # of a place: the rest is painted in, and looks it
LEAST_TEXT = 0.5  # the score of a text on a sheet
GHOST = 0.4  # of a person: how much of one is somebody
PLACE_PX = 360
FACE_PX = 160  # of a panel's shorter side, for a detector


Frames = Mapping[float, Image]  # by their time in seconds
People = Mapping[float, Sequence[Place]]  # where somebody is, by time


class Sheet(NamedTuple):
    """A sheet and what it is made of."""

    picture: Image  # (H, W, 3)
    views: list[View]
    panels: list[Panel]
    boxes: list[Box]
    place_seen: float  # how much of the place was seen; 1 where a sheet has none


def frames_of_film(clip: Clip, times_s: Iterable[float]) -> Frames:
    """The frames of a film at these times, by time, in its own size. Raises Rejected as `frames_at`."""
    times = sorted(set(times_s))
    return dict(zip(times, frames_at(clip.path, times, width=clip.width, height=clip.height), strict=True))


def made_sheet(
    clip: Clip,
    frames: Frames,
    views: Sequence[View],
    people: People,
    width: int,
    height: int,
    generator: Generator | None = None,
) -> Sheet:
    """`people` says where somebody is in each frame that the place is seen in.

    Raises Rejected: not_cut_out, not_generated, place_hidden, peopled_place, does_not_fit.
    """
    panels, place_seen = list[Panel](), 1.0
    for view in views:
        picture: Image | None
        if view.image:
            picture = given_panel(str(Path(clip.path).parent / view.image))
        elif view.generated and generator:
            own = [panel.picture for panel in panels if panel.name == view.element]
            picture = generated(generator, view.element, view.description, view.turn, own)
        elif view.kind == "location":
            picture, place_seen = _place(frames, people)
        else:
            picture = _cut(frames, view)
        if picture is None:
            raise Rejected("not_cut_out", f"{view.element} {view.told}: nothing is left of it on black")
        panels.append(Panel(view.element, view.kind, picture, view.importance))
    try:
        boxes = layout(panels, width, height)
    except CurateError as why:
        raise Rejected("does_not_fit", str(why)) from why
    return Sheet(compose(panels, boxes, width, height), list(views), panels, boxes, place_seen)


def measured(
    sheet: Sheet, frames: Frames, target_s: Sequence[float], seen: Mapping[str, Sequence[Sequence[float]]]
) -> Values:
    """What is found on a finished sheet, and how it stands to its target. Raises Rejected: face_lost.

    `target_s` are times of the target, `seen` for each character its faces in it: time, left, top, right, bottom.
    """
    targets = [frames[time_s] for time_s in target_s]
    places = {
        name: [[Box(*map(int, box)) for at_s, *box in found if at_s == time_s] for time_s in target_s]
        for name, found in seen.items()
    }
    on_sheet = [sheet.picture[box.top : box.bottom, box.left : box.right] for box in sheet.boxes]
    distances = {
        view.element: matched(grown(shown, FACE_PX), targets, places[view.element])
        for view, shown in zip(sheet.views, on_sheet, strict=True)
        if view.kind == "face" and view.element in places
    }
    if lost := sorted(name for name, found in distances.items() if not found):
        raise Rejected(
            "face_lost", f"{lost[0]}: no face is found on its panel, or none in the target to compare it with"
        )
    place = next((s for v, s in zip(sheet.views, on_sheet, strict=True) if v.kind == "location"), None)
    return {
        "panels": [f"{view.element} {view.told}" for view in sheet.views],
        "boxes": [float(edge) for box in sheet.boxes for edge in box],
        "importances": [view.importance for view in sheet.views],
        "texts": len(read_text(sheet.picture, LEAST_TEXT)),
        "outside": round(outside_black(sheet.picture, sheet.boxes), 5),
        "covered": round(coverage(sheet.boxes, sheet.picture.shape[1], sheet.picture.shape[0]), 3),
        "identity": round(max(float(np.mean(found)) for found in distances.values() if found), 3),
        "levels": round(min(_levels(frames, view, targets) for view in sheet.views), 2),
        "same_window": sum(view.same_window for view in sheet.views),
        "place_people": 0 if place is None else _people_on(place),
        "place_seen": round(sheet.place_seen, 3),
        "sheet_width": sheet.picture.shape[1],
        "sheet_height": sheet.picture.shape[0],
    }


def _cut(frames: Frames, view: View) -> Image | None:
    if view.at_s is None or view.box is None:
        return None
    frame = frames[view.at_s]
    if view.kind == "prop":
        return prop_panel(frame, view.box)
    if view.kind == "face" and view.face:
        return face_panel(frame, view.box, view.face)
    return body_panel(frame, view.box, view.face)


def _place(frames: Frames, people: People) -> tuple[Image, float]:
    """The place without people, and how much of it was seen. Who is still there where somebody was, is a ghost."""
    shown = np.stack([frames[at_s] for at_s in people])
    masks = np.zeros(shown.shape[:3], bool)
    for mask, frame, places in zip(masks, shown, people.values(), strict=True):
        for box, is_seen in places:
            if (
                not is_seen
            ):  # a mask of somebody who is not quite where they are thought to be is half a person
                mask[box.top : box.bottom, box.left : box.right] = True
            mask |= person_mask(frame, box) > VISIBLE / 2
    plate = clean_plate(shown, masks)
    if plate.seen < LEAST_SEEN:
        raise Rejected(
            "place_hidden", f"{plate.seen:.0%} of it is seen without people, wanted {LEAST_SEEN:.0%}"
        )
    if ghosts := left_behind(plate.picture, shown, people.values()):
        raise Rejected(
            "peopled_place", f"somebody is still there at {ghosts} of the places where people were"
        )
    return plate.picture, plate.seen


def left_behind(place: Image, frames: Iterable[Image], people: Iterable[Sequence[Place]]) -> int:
    """In how many boxes a mask of a person finds on the place a good part of what it finds in the frame."""
    found = 0
    for frame, places in zip(frames, people, strict=True):
        for box, _ in places:
            here, there = (float((person_mask(picture, box) > VISIBLE).sum()) for picture in (place, frame))
            found += here > GHOST * there > 0
    return found


def _people_on(place: Image) -> int:
    large = grown(place, PLACE_PX)
    return len(people_of(large, faces.faces_of(large)))


def _levels(frames: Frames, view: View, targets: Sequence[Image]) -> float:
    """How far a panel is from a copy of the target; one that is cut from the target is counted as such instead."""
    if view.kind not in ("face", "body") or view.at_s is None or view.box is None or view.same_window:
        return 255.0
    return nearest_levels(frames[view.at_s], view.box, view.face, targets)
