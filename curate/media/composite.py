"""Several characters in one picture: cut out of different frames, side by side, their heads of one size.

Each stands on the lower edge in their own part of the width, eyes on one level. How large is a compromise: a face of a
quarter of the height is the medium close-up of a dialogue, but a webcam's frame ends below the chin, and who stands on the
lower edge then has the head there too: such faces are made larger, until the picture is filled or ENLARGED is reached.
"""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.errors import Rejected
from curate.media.faces import inside
from curate.media.figure import Figure, box_of, figure, figure_given, moved, scaled
from curate.media.one_thread import one_thread
from curate.media.panels import LOOSE, VISIBLE, around
from curate.media.subject import Box
from curate.media.video import Image

__all__ = ["Composite", "Figure", "blurred", "composed", "figure", "figure_given", "plain"]

# At most. Faces of 300 pixels made of 300, 150, 100, 75 and 60 have a `blur_of` of .62, .63, .66, .69, .72 (a webcam), .65,
# .67, .69, .72, .75 (another one) and .53, .55, .59, .64, .69 (animated): up to three times one sees little of it.
ENLARGED = 3.0
FACE = 0.25  # of the height: wanted
LEAST_FACE = 0.12  # of the height
EYES = 0.42  # of the height: how far down the middle of the faces lies while there is a choice
LOWEST = 0.74  # and at most
ROOM = 0.1  # of the height, above the hair
GAP = 0.006  # of the width, between a figure and the end of its part
BUST = 1.0  # of a face's height, below it: to be shown where there is so much
BESIDE_HEAD = 0.2  # of a face's height, on both sides of a head: for shoulders
ASIDE = 0.05  # of a part's width: how far from its middle a face may be moved, for the arms
SHOULDER = 0.9  # of a face's height: how far from a cut side the outline begins to fall
SMOOTH, STEEP = 0.8, 2.0  # pixels of the picture; by how much the edge is narrowed again
SOFT = 0.005  # of the height: the edge of what was rounded
TRUNK = 0.8  # of a face's width: what is narrower at the lower end of a figure is no trunk to stand on
TORN_PX = 2  # of a frame's edges: codecs leave odd rows there
PLAIN = (150.0, 106.0)  # levels at the top and at the bottom
BLUR, SMALL = 0.035, 8  # of the height; how many times smaller a plate is blurred

Layer = NDArray[np.float32]


class Composite(NamedTuple):
    """Several figures on a background."""

    picture: Image  # (H, W, 3) uint8 RGB
    boxes: list[Box]  # what each figure covers, in the order given: left to right
    faces: list[Box]
    enlarged: float  # the most that any figure was scaled up by


class _Reach(NamedTuple):
    """How far a figure goes, in heights of its face."""

    above: float  # the face's box
    below: float
    left: float  # of the face's middle
    right: float
    head_left: float  # hair and ears
    head_right: float


class _Part(NamedTuple):
    """A figure's own part of the width, in columns of the composite."""

    start: int
    end: int
    left: float  # these less a gap where another figure is
    right: float
    is_first: bool  # its left side is the composite's
    is_last: bool


def composed(figures: Sequence[Figure], background: Image) -> Composite:
    """Figures from left to right on a (H, W, 3) background, each in its own part of the width and on the lower edge.

    Faces have one height and lie on one level. A side of somebody that the frame cut off, or that has no room in its part,
    falls to the lower edge as a shoulder does; only the composite's own edges cut straight. Raises Rejected: does_not_fit.
    """
    height, width = background.shape[:2]
    reaches = [_reach(each) for each in figures]
    face_px, chin_px = _arranged(figures, reaches, width, height)
    shown, boxes, faces = background.copy(), [], []
    with one_thread():
        for number, (each, reach) in enumerate(zip(figures, reaches, strict=True)):
            part = _part(number, len(figures), width)
            middle = _middle(each, reach, part, face_px)
            layer, face = _laid(each, part, face_px, middle, chin_px, height)
            _end_sides(layer, each, reach, part, middle, face_px)
            box = moved(box_of(layer[..., 3]), -part.start, 0)
            own = layer[box.top : box.bottom, box.left - part.start : box.right - part.start]
            there = shown[box.top : box.bottom, box.left : box.right]
            there[:] = np.rint(own[..., :3] + (1 - own[..., 3:]) * there).clip(0, 255)
            boxes.append(box)
            faces.append(face)
    return Composite(
        shown, boxes, faces, max(face_px / (each.face.bottom - each.face.top) for each in figures)
    )


def plain(width: int, height: int) -> Image:
    """A quiet background: grey, lighter at the top, as a studio's wall is."""
    levels = np.rint(np.linspace(*PLAIN, height)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(levels[:, None, None], (height, width, 3)))


def blurred(plate: Image, width: int, height: int) -> Image:
    """A plate (H, W, 3) scaled to cover the size and cut there at both sides alike, so blurred that nothing is legible."""
    factor = max(width / plate.shape[1], height / plate.shape[0])
    across, down = width / factor, height / factor
    left, top = (plate.shape[1] - across) / 2, (plate.shape[0] - down) / 2
    part = np.ascontiguousarray(plate[round(top) : round(top + down), round(left) : round(left + across)])
    small = (max(1, width // SMALL), max(1, height // SMALL))
    with one_thread():
        shown = cv2.resize(part, small, interpolation=cv2.INTER_AREA).astype(np.float32)
        shown = cv2.GaussianBlur(shown, (0, 0), BLUR * height / SMALL)
        shown = cv2.resize(shown, (width, height), interpolation=cv2.INTER_CUBIC)
    made: Image = np.rint(shown).clip(0, 255).astype(np.uint8)
    return made


def _reach(one: Figure) -> _Reach:
    there, face = one.alpha > VISIBLE, one.face
    tall, middle, body = face.bottom - face.top, (face.left + face.right) / 2, box_of(there)
    wide = np.flatnonzero(there.sum(axis=1) >= TRUNK * (face.right - face.left))
    lowest = body.bottom - TORN_PX if one.cut[2] or not len(wide) else int(wide[-1]) + 1
    most = inside(*around(face, LOOSE), there.shape[1], there.shape[0])
    head = np.flatnonzero(there[: face.bottom - tall // 4, most.left : most.right].any(axis=0)) + most.left
    return _Reach(
        above=(face.top - body.top) / tall, below=(lowest - face.bottom) / tall,
        left=(middle - body.left) / tall, right=(body.right - middle) / tall,
        head_left=(middle - int(head[0])) / tall, head_right=(int(head[-1]) + 1 - middle) / tall,
    )  # fmt: skip


def _arranged(
    figures: Sequence[Figure], reaches: Sequence[_Reach], width: int, height: int
) -> tuple[float, float]:
    """How tall all faces are, and on which row they end. Raises Rejected: does_not_fit."""
    if not figures:
        raise Rejected("does_not_fit", "no figures, wanted one at least")
    above, below = max(each.above for each in reaches), min(each.below for each in reaches)
    part = width / len(figures) - 2 * GAP * width
    largest = ENLARGED * min(each.face.bottom - each.face.top for each in figures)
    filling = min((1 - EYES) / (below + 0.5), (1 - ROOM) / (1 + above + below))
    face_px = min(
        height * max(FACE, filling),
        height * (1 - ROOM) / (1 + above + min(below, BUST)),
        *(part / (each.head_left + each.head_right + 2 * BESIDE_HEAD) for each in reaches),
        largest,
    )
    chin_px = max(
        height - below * face_px + 2, EYES * height + face_px / 2, ROOM * height + (1 + above) * face_px
    )
    told = f"faces of {face_px:.0f} pixels (enlarged {ENLARGED:g} times at most) in {width}x{height}"
    if face_px < LEAST_FACE * height:
        raise Rejected("does_not_fit", f"{told}, wanted {LEAST_FACE * height:.0f} at least")
    if chin_px - face_px / 2 > LOWEST * height:
        raise Rejected(
            "does_not_fit",
            f"{told} would lie {100 * (chin_px - face_px / 2) / height:.0f} % down, as too little below the chin is seen; wanted {100 * LOWEST:g} % at most",
        )
    return face_px, chin_px


def _part(number: int, count: int, width: int) -> _Part:
    start, end = (each * width // count for each in (number, number + 1))
    is_first, is_last, gap = number == 0, number == count - 1, GAP * width
    return _Part(start, end, start + gap * (not is_first), end - gap * (not is_last), is_first, is_last)


def _middle(one: Figure, reach: _Reach, part: _Part, face_px: float) -> float:
    """Where the middle of a face lies across: in its part's, or aside for the arms or so that a cut is at the edge."""
    left, right = reach.left * face_px, reach.right * face_px
    least = -inf if part.is_first else part.left + left
    most = inf if part.is_last else part.right - right
    if part.is_first and one.cut[0]:
        most = min(most, left - 1)
    if part.is_last and one.cut[1]:
        least = max(least, part.right - right + 1)
    middle, aside = (part.left + part.right) / 2, ASIDE * (part.right - part.left)
    wanted = (least + most) / 2 if least > most else min(max(middle, least), most)
    wanted = min(max(wanted, middle - aside), middle + aside)
    spare = (part.right - part.left - (reach.head_left + reach.head_right) * face_px) / 2
    balanced = part.left + spare + reach.head_left * face_px  # as much beside the head on both sides
    return min(max(wanted, balanced - 0.9 * spare), balanced + 0.9 * spare)


def _laid(
    one: Figure, part: _Part, face_px: float, middle: float, chin_px: float, height: int
) -> tuple[Layer, Box]:
    """A figure scaled, multiplied by its alpha, as a layer (H, W, 4) of its part; where its face is in the composite."""
    start, end = part.start, part.end
    factor = face_px / (one.face.bottom - one.face.top)
    alpha = scaled(one.alpha, factor)
    # What cubic interpolation has above 1 it has in the colours too: a light rim, if only the one were cut.
    shown = scaled(one.picture.astype(np.float32), factor) / np.maximum(alpha, 1)[..., None]
    shown, alpha = shown.clip(0, 255), alpha.clip(0, 1)
    if factor > 1:
        shown, alpha = _smoothed(shown, alpha, factor)
    down, across = (new / old for new, old in zip(alpha.shape, one.alpha.shape, strict=True))
    x = round(middle - across * (one.face.left + one.face.right) / 2)
    y = round(chin_px - down * one.face.bottom)
    layer = np.zeros((height, end - start, 4), np.float32)
    left, top = max(start, x), max(0, y)
    right, bottom = min(end, x + alpha.shape[1]), min(height, y + alpha.shape[0])
    seen = np.s_[top - y : bottom - y, left - x : right - x]
    layer[top:bottom, left - start : right - start, :3] = shown[seen]
    layer[top:bottom, left - start : right - start, 3] = alpha[seen]
    sides = (one.face.left * across, one.face.top * down, one.face.right * across, one.face.bottom * down)
    return layer, moved(Box(*(round(side) for side in sides)), -x, -y)


def _smoothed(shown: Layer, alpha: Layer, factor: float) -> tuple[Layer, Layer]:
    """An enlarged figure with a smooth outline: pixels of its mask would be steps.  # (h, w, 3), (h, w)"""
    soft = cv2.GaussianBlur(alpha, (0, 0), SMOOTH * factor)
    outline = np.clip((soft - VISIBLE) * STEEP + VISIBLE, 0, 1)
    beside = cv2.GaussianBlur(shown, (0, 0), SMOOTH * factor) / np.maximum(soft, 1e-3)[..., None]
    return (shown + (1 - alpha[..., None]) * beside) * outline[..., None], outline


def _end_sides(layer: Layer, one: Figure, reach: _Reach, part: _Part, middle: float, face_px: float) -> None:
    """Round off the sides on which the frame cut a figure off or it has no room, but for the composite's own edges."""
    sides = (
        (layer[:, ::-1], part.end - middle, reach.left, reach.head_left, middle - part.left, part.is_first, one.cut[0]),
        (layer, middle - part.start, reach.right, reach.head_right, part.right - middle, part.is_last, one.cut[1]),
    )  # fmt: skip
    for seen, start, out, head, room, is_edge, is_cut in sides:
        out_px = out * face_px
        if is_cut and out_px < room:
            _round_off(seen, start + out_px, start + head * face_px, face_px)
        elif out_px > room and not is_edge:
            _round_off(seen, start + room, start + head * face_px, face_px)


def _round_off(layer: Layer, limit: float, head: float, face_px: float) -> None:
    """Let an outline fall to the lower edge before column `limit`, as a quarter of an ellipse, and nothing be beyond it.

    It begins at the highest of the outline within SHOULDER of the limit, but not in the head, which ends at column `head`.
    """
    height = len(layer)
    end = int(limit)
    start = round(max(head, end - SHOULDER * face_px))
    there = layer[:, start:end, 3] > VISIBLE
    rows = np.flatnonzero(there.any(axis=1))
    layer[:, end:] = 0
    if start >= end or not len(rows):
        return
    across, down, soft = end - start, height - int(rows[0]), SOFT * height
    x = np.arange(across, dtype=np.float32)[None] + 0.5
    y = np.maximum(height - np.arange(height, dtype=np.float32)[:, None] - 0.5, 0)
    far = np.hypot(x / across, y / (down + soft))  # (H, across): 1 on the ellipse
    steep = np.hypot(x / across**2, y / (down + soft) ** 2) / far
    kept = np.clip((1 - far) / steep / soft, 0, 1)
    layer[:, start:end] *= kept[..., None]
