"""Where in a film a thing is seen: again, by how it looked in one frame, or by words, as a CLIP reads crops of frames.

A thing that was boxed once is looked for by normalised correlation at several sizes, since the next shot may be
nearer. Its colours must be the same too: without that the edge of a door frame is found in every film. Who turns it
around, holds a hand before it or lights it otherwise makes another picture of it, which is not found; what is found
is seldom wrong.

Measured on twelve drawn films, by the truth of every half second, of 24 things boxed once: found at its place where
it stands free (247 looks), is carried (205) or is partly hidden (36); wrong in its own film, elsewhere or where it
is hidden (571); found in other films, where nothing of its kind is (669); and crops of five real films found in
others (580).

    bound  stands  carried  partly  wrong  other films  real crops
    0.65   1.00    0.76     0.42    2      6            14
    0.70   1.00    0.71     0.36    0      5            11
    0.75   1.00    0.62     0.28    0      0            3
    0.80   1.00    0.55     0.11    0      0            0

At 0.75, of 48 windows of 121 frames that show a thing, 45 have a look that finds it. Without the colours it is
found 16 times, not 7, in 145 looks at films with another of its kind (6 of the 7 are of its colour too). A look
takes 16 to 20 ms.

By words, with a CLIP in miniature that knows coloured shapes, 60 frames with two of them: at 0.7 a share of .83 is
found at its place and none elsewhere; of 60 that are not there 1 is found, and 14 where nobody names what is there.
With the best crop alone, rather than those that agree, .6 is found at its place. No full-sized model was at hand. A
frame of 768x448 is 169 crops: 0.7 s in miniature, half a minute with a ViT-B-32 on one core, so that the caller
should choose few frames.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.media import likeness
from curate.media.faces import inside
from curate.media.one_thread import one_thread
from curate.media.subject import Box
from curate.media.video import Image
from curate.records import Record

LOOK_PX = 240  # of the longer side of a frame that is looked at
SCALES = tuple(1.17**step for step in range(-3, 4))  # of the thing, as other shots show it: 0.62 to 1.6
LEAST_PX = 4  # of a thing's shorter side in a frame so small
LEAST_DETAIL = 8.0  # levels that pixels deviate from their mean: what is flat correlates with every edge
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

    `pattern` (h, w, 3) is what its box shows in one frame of the film, `frames` (H, W, 3) are RGB of that frame's size.
    The score is OpenCV's TM_CCOEFF_NORMED over all channels, at most 1. A pattern without detail is nowhere.
    """
    if _detail(pattern) < LEAST_DETAIL:
        return []
    with one_thread():
        found = [(at_s, _best_place(pattern, frame)) for at_s, frame in frames]
    return [
        Seen(thing=name, at_s=at_s, box=place[1], score=round(place[0], 3))
        for at_s, place in found
        if place and place[0] >= LEAST_CORRELATION
    ]


def found_by_words(
    model: likeness.Clip,
    description: str,
    others: Sequence[str],
    frames: Iterable[tuple[float, Image]],
    name: str,
) -> list[Seen]:
    """Where crops of (time, frame)s read as `description` rather than as `others`, a wall, a floor or a person.

    The best place of each frame (H, W, 3) that has one; nothing from an untrained model. The score is the mean share of
    `likeness.reading` of a crop and of those that overlap it: a part of a thing alone is often read as another, the
    corner of a circle as a triangle. `others` are the descriptions of the film's other things: what nobody names is taken for
    what it is most like. Raises CurateError for an empty description.
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
        shares = np.array([next(told) if each else 0.0 for each in detailed])
        near = _near(boxes)
        agreed = np.round(near @ shares / near.sum(axis=1), 6)
        best = int(agreed.argmax())
        if agreed[best] >= LEAST_SHARE:
            # A crop often holds a part of it; those around that read as it too lie on its side.
            edges = (near[best] * shares) @ np.array(boxes, float) / (near[best] @ shares)
            box = Box(*(int(edge) for edge in np.rint(edges)))
            found.append(Seen(thing=name, at_s=at_s, box=box, score=round(float(agreed[best]), 3)))
    return found


def windows(width: int, height: int) -> Iterator[Box]:
    """Squares that cover a frame, of each of WINDOWS, each half over its neighbours or more; 169 of 768x448."""
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


def _near(boxes: Sequence[Box]) -> Floats:
    """1 where two boxes overlap enough to show much the same, a box with itself too, else 0.  # (N, N)"""
    left, top, right, bottom = np.array(boxes, float).T[..., None]  # (N, 1) each
    across = np.minimum(right, right.T) - np.maximum(left, left.T)  # (N, N)
    down = np.minimum(bottom, bottom.T) - np.maximum(top, top.T)
    both, own = across.clip(0) * down.clip(0), (right - left) * (bottom - top)
    near: Floats = (both >= LEAST_OVERLAP * (own + own.T - both)).astype(np.float64)
    return near


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
            best = score, inside(
                left / factor, top / factor, (left + width) / factor, (top + height) / factor,
                frame.shape[1], frame.shape[0],
            )  # fmt: skip
    return best


def _scaled(picture: Image, factor: float) -> Image:
    size = (max(1, round(factor * picture.shape[1])), max(1, round(factor * picture.shape[0])))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    scaled: Image = cv2.resize(picture, size, interpolation=how)
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
