"""Where in a film a thing is seen: again, by how it looked in one frame, or by words, as a CLIP reads crops of frames.

A thing that was boxed once is looked for by normalised correlation at several sizes, since the next shot may be nearer. Its
colours must be the same too: without that the edge of a door frame is found in every film. Who turns it around, holds
a hand before it or lights it otherwise makes another picture of it, which is not found; what is found is seldom wrong.

Measured on twelve drawn films, 24 props boxed once, 571 frames of their own films, by the truth of each frame, and 814 of
the other films; at 0.75 and 16 levels:

MEASURED
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.media import likeness
from curate.media.cutout import steady
from curate.media.faces import inside
from curate.media.subject import Box
from curate.media.video import Image
from curate.records import Record

LOOK_PX = 240  # of the longer side of a frame that is looked at
SCALES = tuple(1.17**step for step in range(-3, 4))  # of the thing: from 0.62, in the back of a wider shot, to 1.6
LEAST_PX = 4  # of a thing's shorter side in a frame so small
LEAST_DETAIL = 8.0  # levels that a thing's pixels deviate from its mean: a flat one correlates with every edge
LEAST_CORRELATION = 0.75
MOST_LEVELS = 16.0  # between the mean colours of two middles, in any channel: 9 at most in the drawn films
WINDOWS = (1 / 2, 1 / 3, 1 / 4)  # of a frame's shorter side: crops that are read
BESIDES = ("a wall", "a floor", "a person")  # what a crop mostly shows
LEAST_OVERLAP = 0.2  # intersection over union of two crops that should agree
LEAST_SHARE = 0.7

Floats = NDArray[np.float64]


class Seen(Record):
    """A thing in a frame."""

    thing: str  # the id of its element
    at_s: float
    box: Box  # in pixels of the film
    score: float  # of `found_again` a correlation, of `found_by_words` a share


def found_again(pattern: Image, frames: Iterable[tuple[float, Image]], name: str) -> list[Seen]:
    """Where a thing is seen in (time, frame)s, the best place of each that shows it.

    `pattern` (h, w, 3) is what its box shows in one frame of the film, `frames` (H, W, 3) are RGB of the same size as that.
    The score is OpenCV's TM_CCOEFF_NORMED over all channels, at most 1. A pattern without detail is nowhere.
    """
    if _detail(pattern) < LEAST_DETAIL:
        return []
    with steady():
        found = [(at_s, _best_place(pattern, frame)) for at_s, frame in frames]
    return [
        Seen(thing=name, at_s=at_s, box=place[1], score=round(place[0], 3))
        for at_s, place in found
        if place and place[0] >= LEAST_CORRELATION
    ]


def found_by_words(
    model: likeness.Clip, description: str, others: Sequence[str], frames: Iterable[tuple[float, Image]], name: str
) -> list[Seen]:
    """Where crops of (time, frame)s read as `description` rather than as `others`, a wall, a floor or a person.

    The best crop of each frame (H, W, 3) that has one; nothing from an untrained model. The score is the mean share of
    `likeness.reading` of the crop and of those that overlap it. `others` are the descriptions of the film's other things:
    what is not named is taken for what it is most like. Raises CurateError for an empty description.
    """
    if model.untrained:
        return []
    looked = [(at_s, *_crops(model, frame)) for at_s, frame in frames]
    if not looked:
        return []
    every = np.concatenate([embedded for _, _, _, embedded in looked])
    told = iter(likeness.reading(every, model, description, _besides(description, others)) or ())
    found = list[Seen]()
    for at_s, boxes, detailed, _ in looked:
        agreed = _agreed(boxes, np.array([next(told) if each else 0.0 for each in detailed]))
        best = int(agreed.argmax())
        if agreed[best] >= LEAST_SHARE:
            found.append(Seen(thing=name, at_s=at_s, box=boxes[best], score=round(float(agreed[best]), 3)))
    return found


def windows(width: int, height: int) -> Iterator[Box]:
    """Squares that cover a frame, of each of WINDOWS, each half over its neighbours or more; 156 of 768x448."""
    for share in WINDOWS:
        side = max(1, round(share * min(width, height)))
        for top in _steps(height, side):
            for left in _steps(width, side):
                yield Box(left, top, left + side, top + side)


def _crops(model: likeness.Clip, frame: Image) -> tuple[list[Box], list[bool], likeness.Embeddings]:
    """The windows of a frame, which of them show anything at all, and how the model sees those."""
    boxes = list(windows(frame.shape[1], frame.shape[0]))
    crops = [frame[box.top : box.bottom, box.left : box.right] for box in boxes]
    detailed = [_detail(crop) >= LEAST_DETAIL for crop in crops]
    return boxes, detailed, model.embed_pictures(list(compress(crops, detailed)))


def _agreed(boxes: Sequence[Box], shares: Floats) -> Floats:
    """For each window the mean share of those that overlap it, itself among them.  # (N,)

    A part of a thing is often read as another: the corner of a circle as a triangle.
    """
    left, top, right, bottom = np.array(boxes, float).T[..., None]  # (N, 1) each
    across = np.minimum(right, right.T) - np.maximum(left, left.T)  # (N, N)
    down = np.minimum(bottom, bottom.T) - np.maximum(top, top.T)
    both, own = across.clip(0) * down.clip(0), (right - left) * (bottom - top)
    near = both >= LEAST_OVERLAP * (own + own.T - both)
    mean: Floats = near @ shares / near.sum(axis=1)
    return mean


def _steps(length: int, side: int) -> list[int]:
    """Where windows begin, from one end to the other."""
    count = -(-2 * (length - side) // side) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _besides(description: str, others: Sequence[str]) -> list[str]:
    """What else a crop may show, each once."""
    folded = {each.strip().casefold(): each for each in (*BESIDES, *others) if each.strip()}
    folded.pop(description.strip().casefold(), None)
    return list(folded.values())


def _best_place(pattern: Image, frame: Image) -> tuple[float, Box] | None:
    """The correlation and box of the likest place among those with the pattern's colours; None where there is none."""
    factor = min(1.0, LOOK_PX / max(frame.shape[:2]))
    small, best = _scaled(frame, factor), None
    for scale in SCALES:
        sought = _scaled(pattern, factor * scale)
        height, width = sought.shape[:2]
        if min(height, width) < LEAST_PX or height > small.shape[0] or width > small.shape[1]:
            continue
        _, score, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(small, sought, cv2.TM_CCOEFF_NORMED))
        there = small[top : top + height, left : left + width]
        if (best is None or score > best[0]) and _levels_apart(sought, there) <= MOST_LEVELS:
            edges = (edge / factor for edge in (left, top, left + width, top + height))
            best = score, inside(*edges, frame.shape[1], frame.shape[0])
    return best


def _scaled(picture: Image, factor: float) -> Image:
    size = (max(1, round(factor * picture.shape[1])), max(1, round(factor * picture.shape[0])))
    scaled: Image = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return scaled


def _detail(picture: Image) -> float:
    """Root mean square deviation from the mean colour, in levels."""
    return float(np.sqrt(picture.reshape(-1, 3).astype(np.float64).var(axis=0).mean()))


def _levels_apart(one: Image, other: Image) -> float:
    """Of two pictures' middles, in the channel that differs most."""
    return float(np.abs(_middle_colour(one) - _middle_colour(other)).max())


def _middle_colour(picture: Image) -> Floats:
    down, across = picture.shape[0] // 4, picture.shape[1] // 4
    middle = picture[down : picture.shape[0] - down, across : picture.shape[1] - across]
    mean: Floats = middle.reshape(-1, 3).mean(axis=0, dtype=np.float64)
    return mean
