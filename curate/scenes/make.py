"""The first frame of a scene: everybody cut out of their frame or picture, side by side before what is behind them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.errors import Rejected
from curate.media.composite import Composite, blurred, composed, plain
from curate.media.cutout import person_mask
from curate.media.figure import Figure, figure, figure_given
from curate.media.film import Film, look_size
from curate.media.plate import clean_plate
from curate.media.subject import Box
from curate.media.video import Image, frames_at
from curate.recipe import FIRST, PIN
from curate.records import Clip
from curate.scenes.view import Look, View
from curate.sheets.make import cover
from curate.sheets.windows import Whereabouts, people_at, shot_at, spread

VIEW_LONG_PX = 1920  # of a frame that somebody is cut out of: no more than a target shows
Places = Mapping[float, Sequence[Whereabouts]]  # where somebody is, by time
PLATE_LOOKS = 8  # frames of the shot that the background is made of
TOUCHING = 0.2  # heights of the face: less of somebody at the line between two is none
BEYOND = 0.002  # of a mask: less of it on the neighbour's side is none
LEAST_SEEN = 0.4  # of a place: it is blurred, so that what is painted in does not show


class Cut(NamedTuple):
    """Somebody cut out, and of which moment; None for a picture that was given."""

    figure: Figure
    look: Look | None


def cuts_of(clip: Clip, views: Sequence[View]) -> list[Cut]:
    """Everybody cut out. Raises Rejected: not_cut_out, image, and as `frames_at`."""
    factor = min(1.0, VIEW_LONG_PX / max(clip.width, clip.height))
    width, height = (2 * max(1, round(side * factor / 2)) for side in (clip.width, clip.height))
    times_s = sorted({look.at_s for view in views for look in view.looks})
    found = frames_at(clip.path, times_s, width=width, height=height) if times_s else iter(())
    frames = dict(zip(times_s, found, strict=True))
    scale = width / look_size(clip.width, clip.height)[0]
    return [_cut(clip, view, frames, scale) for view in views]


def _cut(clip: Clip, view: View, frames: Mapping[float, Image], scale: float) -> Cut:
    """Of the moments in which nobody touches the first that a whole head can be cut out of, else of the others."""
    for picture in view.pictures:
        try:
            given = figure_given(Path(clip.path).parent / picture)
        except Rejected as why:
            raise Rejected(why.reason, f"{picture}: {why.detail}") from why
        if given:
            return Cut(given, None)
    if view.pictures:
        raise Rejected("not_cut_out", f"{view.name}: nobody can be cut out of {', '.join(view.pictures)}")
    parted = [(_parted(frames[look.at_s], look, scale), look) for look in view.looks]
    for one, look in sorted(parted, key=lambda each: max(each[0].touching, TOUCHING)):  # stable
        whole = figure(frames[look.at_s], one.body, one.face) if one.is_alone else None
        if found := whole or figure(*one.own):
            return Cut(found, look)
    told = f"{len(view.looks)} frames, the first at {view.looks[0].at_s} s"
    raise Rejected("not_cut_out", f"{view.name}: no whole head can be cut out of {told}")


class _Parted(NamedTuple):
    """Where somebody is, and the part of the frame that is theirs."""

    body: Box
    face: Box
    own: tuple[Image, Box, Box]  # without neighbours; body and face in it
    touching: float  # what of the person is at the line to a neighbour, in heights of the face
    is_alone: bool  # nothing beyond that line is taken for the person


def _parted(frame: Image, look: Look, scale: float) -> _Parted:
    """Somebody of a frame without their neighbours, who are cut out together with them where they touch."""
    body, face, *others = (
        Box(*(round(edge * scale) for edge in box)) for box in (look.body, look.face, *look.others)
    )
    left, right, touching = 0, frame.shape[1], 0.0
    height = person_mask(frame, body, face).sum(axis=0) if others else np.zeros(frame.shape[1])  # (W,)
    for other in others:
        before = other.left + other.right < face.left + face.right
        column = (
            _valley(height, other.right, face.left) if before else _valley(height, face.right, other.left)
        )
        left, right = (max(left, column), right) if before else (left, min(right, column))
        touching = max(touching, float(height[min(column, len(height) - 1)]) / (face.bottom - face.top))
    beyond = float(height.sum() - height[left:right].sum())
    own, head = (
        Box(max(box.left, left) - left, box.top, min(box.right, right) - left, box.bottom)
        for box in (body, face)
    )
    part = np.ascontiguousarray(frame[:, left:right])
    return _Parted(body, face, (part, own, head), touching, beyond <= BEYOND * float(height.sum()))


def _valley(height: NDArray[Any], left: int, right: int) -> int:
    """The column between two heads in which least is somebody, the nearest to the middle; heads that overlap are parted there."""
    middle = (left + right) // 2
    if left >= right:
        return middle
    columns = np.arange(left, right)
    lowest = height[left:right] <= height[left:right].min() + 1
    return int(min(columns[lowest], key=lambda column: (abs(column - middle), column)))


def background(clip: Clip, places: Places, size: tuple[int, int]) -> Image:
    """The place without people, blurred; plain where too little of it is seen.  # (H, W, 3)"""
    if not places:
        return plain(*size)
    width, height = look_size(clip.width, clip.height)
    frames = np.stack(list(frames_at(clip.path, sorted(places), width=width, height=height)))
    masks = np.zeros(frames.shape[:3], bool)
    for covered, frame, at_s in zip(masks, frames, sorted(places), strict=True):
        for there in places[at_s]:
            cover(covered, covered, frame, there)
    plate = clean_plate(frames, masks)
    return blurred(plate.picture, *size) if plate.seen >= LEAST_SEEN else plain(*size)


def is_plain(behind: Image) -> bool:
    """Whether a background shows no place."""
    return bool((behind == plain(behind.shape[1], behind.shape[0])).all())


def places_of(film: Film, start_s: float) -> Places:
    """Some frames of the shot of a moment, and where somebody is in each."""
    shot = shot_at(film, start_s)
    inside = [at_s for at_s in film.looked_s if shot.start_s <= at_s < shot.end_s]
    return {at_s: people_at(film, at_s) for at_s in spread(inside, PLATE_LOOKS)}


def arranged(figures: Sequence[Figure], pins: Sequence[int], behind: Image) -> dict[str, Composite]:
    """The pictures of a sample by their role: the first frame, those pinned later, and of a first frame of several people
    the left one alone and all with sides swapped, to try in validation. Raises Rejected: does_not_fit.
    """
    later = {
        f"{PIN}{frame}": composed([each], behind) for each, frame in zip(figures, pins, strict=True) if frame
    }
    there = [each for each, frame in zip(figures, pins, strict=True) if not frame]
    made = {FIRST: composed(there, behind), **later}
    if len(there) > 1:
        made |= {"single": composed(there[:1], behind), "swapped": composed(there[::-1], behind)}
    return made
