"""A reference sheet: its panels cut out of their film, and laid out on black."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError, Rejected
from curate.media.cutout import Mask, object_mask, person_mask
from curate.media.film import look_size
from curate.media.layout import Panel, compose, layout
from curate.media.panels import LOOSE, VISIBLE, around, face_panel, given_panel, shrunk, whole_panel
from curate.media.plate import clean_plate
from curate.media.subject import Box
from curate.media.video import Image, frames_at
from curate.records import Clip
from curate.sheets.generator import Generator, generated
from curate.sheets.view import View
from curate.sheets.windows import Whereabouts

LEAST_SEEN = 0.75  # of a place: the rest is painted in, and looks it
ROUND_PX = 16  # who sits still is in one place
GHOST = 0.4  # of a person: how much of one is somebody

Frames = Mapping[float, Image]  # by their time in seconds
People = Mapping[float, Sequence[Whereabouts]]  # by time


class Sheet(NamedTuple):
    """A sheet and what it is made of."""

    picture: Image  # (H, W, 3)
    views: list[View]
    boxes: list[Box]
    masks: list[Mask | None]  # of those that are cut out of a frame, in this frame
    place_seen: float  # how much of the place was seen; 1 where a sheet has none


class _Made(NamedTuple):
    picture: Image | None
    mask: Mask | None = None
    seen: float = 1.0


def frames_of_film(clip: Clip, times_s: Iterable[float]) -> Frames:
    """The frames of a film at these times, by time, as it is looked at. Raises Rejected as `frames_at`."""
    times = sorted(set(times_s))
    width, height = look_size(clip.width, clip.height)
    return dict(zip(times, frames_at(clip.path, times, width=width, height=height), strict=True))


def made_sheet(
    folder: Path,
    frames: Frames,
    views: Sequence[View],
    people: People,
    size: tuple[int, int],
    generator: Generator | None = None,
) -> Sheet:
    """`folder` has the user's images; `people` says where somebody is in each frame that the place is seen in.

    Raises Rejected: not_cut_out, not_generated, place_hidden, peopled_place, does_not_fit.
    """
    panels, masks, place_seen = list[Panel](), list[Mask | None](), 1.0
    for view in views:
        if view.image:
            made = _Made(given_panel(folder / view.image, 2 * max(size)))
        elif view.generated and generator:
            own = [panel.picture for panel in panels if panel.name == view.element]
            picture = generated(generator, view.element, view.description, view.turn, own)
            made = _Made(shrunk(picture, 2 * max(size)))
        elif view.kind == "location":
            made = _place(frames, people)
            place_seen = made.seen
        else:
            made = _cut(frames, view)
        if made.picture is None:
            raise Rejected("not_cut_out", f"{view.name}: nothing is left of it on black")
        panels.append(Panel(view.element, view.kind, made.picture, view.importance))
        masks.append(made.mask)
    try:
        boxes = layout(panels, *size)
    except CurateError as why:
        raise Rejected("does_not_fit", str(why)) from why
    return Sheet(compose(panels, boxes, *size), list(views), boxes, masks, place_seen)


def _cut(frames: Frames, view: View) -> _Made:
    if view.at_s is None or view.box is None:
        return _Made(None)
    frame = frames[view.at_s]
    if view.kind == "prop":
        mask = object_mask(frame, view.box)
        return _Made(whole_panel(frame, mask), mask)
    mask = person_mask(frame, view.box, view.face)
    if view.kind == "face" and view.face:
        return _Made(face_panel(frame, mask, view.face), mask)
    return _Made(whole_panel(frame, mask), mask)


def _place(frames: Frames, people: People) -> _Made:
    """The place without people, and how much of it was seen. Who is still there where somebody was, is a ghost."""
    shown = np.stack([frames[at_s] for at_s in people])
    masks = np.zeros(shown.shape[:3], bool)
    heads = np.zeros(shown.shape[:3], bool)  # of which a mask may miss hair and scarf
    found = dict[Box, float]()  # where somebody is, nearly, and how many pixels of them a mask shows at most
    for covered, hair, frame, places in zip(masks, heads, shown, people.values(), strict=True):
        for box, is_seen, face in places:
            mask = cover(covered, hair, frame, Whereabouts(box, is_seen, face))
            near = Box(*(ROUND_PX * round(edge / ROUND_PX) for edge in box))
            found[near] = max(found.get(near, 0.0), float((mask > VISIBLE).sum()))
    plate = clean_plate(shown, masks | heads)
    if plate.seen < LEAST_SEEN:  # a head that fills the picture leaves too little of it
        plate = clean_plate(shown, masks)
    if plate.seen < LEAST_SEEN:
        seen = f"{plate.seen:.1%} of it is seen without people, wanted {LEAST_SEEN:.0%}"
        raise Rejected("place_hidden", seen)
    if ghosts := left_behind(plate.picture, found.items()):
        seen = f"somebody is still there at {ghosts} of the places where people were"
        raise Rejected("peopled_place", seen)
    return _Made(plate.picture, seen=plate.seen)


def cover(covered: NDArray[np.bool_], hair: NDArray[np.bool_], frame: Image, there: Whereabouts) -> Mask:
    """Mark where somebody is in a frame, and in `hair` their head with what a mask may miss of it; returns the mask."""
    if there.face:
        _cover(hair, around(there.face, LOOSE))
    if not there.is_seen:  # of who is not quite where they are thought to be a mask shows a half
        _cover(covered, there.box)
    mask = person_mask(frame, there.box)
    covered |= mask > VISIBLE / 2
    return mask


def _cover(covered: NDArray[np.bool_], box: Box) -> None:
    covered[max(0, box.top) : box.bottom, max(0, box.left) : box.right] = True


def left_behind(place: Image, people: Iterable[tuple[Box, float]]) -> int:
    """In how many boxes a mask of a person finds on the place a good part of the pixels that it found in the frame."""
    return sum(
        float((person_mask(place, box) > VISIBLE).sum()) > GHOST * pixels > 0 for box, pixels in people
    )
