"""Somebody cut out of a frame or of a user's image, for a composite: a whole head, without what is the wall's."""

from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.media.cutout import BESIDE, EDGE, Mask, cutout, has_model, person_mask
from curate.media.faces import faces_of, inside, is_available
from curate.media.layout import BLACK
from curate.media.panels import VISIBLE, around, given_picture
from curate.media.people import BODY, shared
from curate.media.subject import Box
from curate.media.video import Image

CUT = 0.2  # of a face's height: a shorter run along the picture's edge only touches it
# Of a face's height: how much further down an outline is compared, a run that matters; the share of it that is flat.
FLAT = (0.03, 0.05, 0.7)
NECK = 0.1  # of a face's height, at least
CROWN = (0.3, 0.3)  # of a face's sizes: half its width, and above its box, that a whole head has
HELD = 0.97  # of such a head
WIDER = (4.0, 2.0, 10.0)  # what is kept of a user's image, by the face
LONG_PX = 1280  # of a user's image, in which the face is looked for
FACE_PX = 400  # a face of a user's image need not be taller
MEASURED_PX, STEP = 90, 1.2  # a face when it is measured; from one size that the detector knows to the next
STEPS = 4  # sizes in between
OPAQUE = 0.95  # an image with more is no cutout but a photograph with round corners
CORE, BEYOND = 3.0, 1.5  # widths of a mask's edge: further in is the person's, further out the wall's
DARK = 50  # levels of a wall
ALIKE, SHARED = 40, 0.1  # levels; the share of the person within that of the wall, where none is taken for it
FAR = (30.0, 70.0)  # levels between the person's and the wall's colours: less is not told apart, more surely
# Two masks, of a frame as it is and with its contrast evened, share so much of the head: .986 to .993 in 15 frames of three
# webcam films; in a dark animated one .93 to .99 of 12 frames with all the hair, one .88; .58 to .90 of 6 without some of it.
# One without any has .95: that is what CROWN is for.
AGREE = 0.94

Layer = NDArray[np.float32]


class Figure(NamedTuple):
    """Somebody cut out of a picture."""

    picture: Image  # (H, W, 3) uint8 RGB: the person on black, so multiplied by alpha
    alpha: Mask  # (H, W), 0 to 1
    face: Box  # in this picture, from the brows to the chin
    cut: tuple[bool, bool, bool]  # whether the frame's left, right and bottom edge cuts the person off


def figure(frame: Image, body: Box, face: Box) -> Figure | None:
    """Who is in `body` of a (H, W, 3) frame; None where no whole head can be cut out.

    That is where the frame cuts off hair or chin, and where the mask lacks a part of the head. The face's box is measured
    again, as the detector only knows sizes in steps of a fifth.
    """
    mask = person_mask(frame, body, face)
    if has_model() and not _is_sure(mask, person_mask(_evened(frame), body, face), face):
        return None
    window = _window(body, mask)
    if shared(face, window) < 1:
        return None
    part = np.s_[window.top : window.bottom, window.left : window.right]
    shown, alpha = _without_wall(np.ascontiguousarray(frame[part]), np.ascontiguousarray(mask[part]))
    return _whole(shown, alpha, moved(_measured(frame, face), window.left, window.top))


def figure_given(path: Path) -> Figure | None:
    """Who has the largest face in a user's image: a cutout with alpha, one on black, or a photograph.

    None as for `figure`, and where there is no face. Raises Rejected: image; CurateError without the extra `faces`.
    """
    shown, alpha = _read(path)
    factor = min(1.0, LONG_PX / max(shown.shape[:2]))
    found = faces_of(scaled(shown, factor))
    if not found:
        return None
    face = Box(*(round(side / factor) for side in found[0].box))
    height, width = shown.shape[:2]
    left, top, right, bottom = inside(*around(face, WIDER), width, height)
    shrunk = min(1.0, FACE_PX / (face.bottom - face.top))
    shown = scaled(shown[top:bottom, left:right], shrunk)
    face = Box(*(round(side * shrunk) for side in moved(face, left, top)))
    body = inside(*around(face, BODY), shown.shape[1], shown.shape[0])
    if alpha is None and not _is_on_black(shown):
        return figure(shown, body, face)
    if alpha is None:
        alpha = np.maximum(_off_black(shown), person_mask(shown, body, face))
        shown = cutout(shown, alpha)
    else:
        alpha = scaled(alpha[top:bottom, left:right], shrunk)
    alpha = alpha * _with_face(alpha, face)
    return _whole((shown * (alpha > 0)[..., None]).astype(np.uint8), alpha, _measured(shown, face))


def _window(body: Box, mask: Mask) -> Box:
    """Where a mask of `body` can be; within the frame its soft edge is left out, so that the cut is seen as one."""
    height, width = mask.shape
    spare = ceil(2 * EDGE * float(np.sqrt(mask.sum(dtype=np.float64))))
    across, down = BESIDE * (body.right - body.left), BESIDE * (body.bottom - body.top)
    sides = (body.left - across, body.top - down, body.right + across, body.bottom + down)
    ends = (0, 0, width, height)
    kept = (side + way * spare for side, way in zip(sides, (1, 1, -1, -1), strict=True))
    return Box(*(
        round(end if way * (side - end) <= 0 else near)
        for side, near, end, way in zip(sides, kept, ends, (1, 1, -1, -1), strict=True)
    ))  # fmt: skip


def _evened(frame: Image) -> Image:
    """A frame with its contrast evened (CLAHE: Zuiderveld 1994): in the dark masks take hair for the wall."""
    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(4.0, (4, 4)).apply(np.ascontiguousarray(lab[..., 0]))
    evened: Image = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return evened


def _is_sure(mask: Mask, other: Mask, face: Box) -> bool:
    """Whether two masks agree about a head."""
    height, width = mask.shape
    left, top, right, _ = inside(*around(face, (1.0, 2.0, 0.0)), width, height)
    part = np.s_[top : face.bottom - (face.bottom - face.top) // 4, left:right]
    one, two = mask[part] > VISIBLE, other[part] > VISIBLE
    return bool((one & two).sum() >= AGREE * max(1, (one | two).sum()))


def _without_wall(frame: Image, mask: Mask) -> tuple[Image, Mask]:
    """A cutout and its mask without what is the wall's: a mask has a rim of it, and video spreads its colour further in.

    A pixel near the mask's edge is as much the person as its colour lies from the wall's further out to the person's
    further in (Chuang et al., "A Bayesian approach to digital matting", 2001, with one colour for each), and keeps that
    colour without the wall's hue. Where the two are alike, the person has the wall's colour further in or the wall is dark,
    as hair and shadows are too, all is as `cutout` has it, which takes colours from further in.
    """
    edge_px = max(1.0, EDGE * float(np.sqrt(mask.sum(dtype=np.float64))))
    shown, held = frame.astype(np.float32), (mask > VISIBLE).astype(np.uint8)
    core = cv2.erode(held, _disc(CORE * edge_px)).astype(np.float32)
    wall = 1 - cv2.dilate((mask > 0).astype(np.uint8), _disc(BEYOND * edge_px)).astype(np.float32)
    if not core.any() or not wall.any():
        return cutout(frame, mask), mask
    own, other = _near(shown, core, CORE * edge_px), _near(shown, wall, 2 * CORE * edge_px)  # (H, W, 3)
    alike = (np.abs(shown - other).max(axis=2) < ALIKE).astype(np.float32)
    sure = np.clip((other.max(axis=2) - DARK) / DARK, 0, 1)
    sure *= np.clip(1 - _near(alike[..., None], core, CORE * edge_px)[..., 0] / SHARED, 0, 1)
    near = 1 - cv2.GaussianBlur(cv2.erode(core, _disc(CORE * edge_px / 2)), (0, 0), CORE * edge_px / 2)
    told = sure * _apart(own, other)
    is_own = cv2.GaussianBlur(1 - _along(shown, own, other), (0, 0), 0.7)
    alpha = mask * (1 - told * near * (1 - np.clip(2 * is_own - 0.5, 0, 1))).astype(np.float32)
    hues = [each - each.mean(axis=2, keepdims=True) for each in (shown, own, other)]
    taken = (_along(*hues) * sure * _apart(*hues[1:]) * near)[..., None] * (hues[2] - hues[1])
    clean = (shown - taken).clip(0, 255)
    far = cutout(np.rint(clean).astype(np.uint8), alpha).astype(np.float32)
    kept = (told * np.clip(2 * is_own - 1, 0, 1))[..., None]
    mixed = kept * clean * alpha[..., None] + (1 - kept) * far
    return np.rint(mixed).clip(0, 255).astype(np.uint8), alpha


def _along(shown: Layer, own: Layer, other: Layer) -> Layer:
    """How far each colour lies on the way from one to the other, 0 to 1.  # (H, W)"""
    way = other - own
    share = ((shown - own) * way).sum(axis=2) / np.maximum((way**2).sum(axis=2), 1)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _apart(own: Layer, other: Layer) -> Layer:
    """Whether two colours can be told apart, 0 to 1.  # (H, W)"""
    far = np.sqrt(((own - other) ** 2).sum(axis=2))
    return np.asarray(np.clip((far - FAR[0]) / (FAR[1] - FAR[0]), 0, 1), np.float32)


def _near(values: Layer, weight: Layer, reach_px: float) -> Layer:
    """The weighted mean of (H, W, C) values around each pixel, in small."""
    height, width = weight.shape
    factor = max(1.0, reach_px / 4)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    layers = np.dstack([values * weight[..., None], weight])
    layers = cv2.GaussianBlur(
        cv2.resize(layers, size, interpolation=cv2.INTER_AREA), (0, 0), reach_px / factor
    )
    layers = cv2.resize(layers, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(layers[..., :-1] / np.maximum(layers[..., -1:], 1e-6), np.float32)


def _disc(radius_px: float) -> Image:
    size = 2 * round(radius_px) + 1
    disc: Image = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return disc


def _measured(frame: Image, face: Box) -> Box:
    """A face's box as the mean of what the detector finds in sizes between its own; as it was where it finds no other."""
    height, width = frame.shape[:2]
    found = [np.array(face, float)]
    left, top, right, bottom = inside(*around(face, (1.0, 1.0, 1.0)), width, height)
    for step in range(STEPS if is_available() else 0):
        factor = MEASURED_PX / (face.bottom - face.top) * STEP ** (step / STEPS)
        seen = faces_of(scaled(frame[top:bottom, left:right], factor))
        boxes = (np.array(each.box) / factor + (left, top, left, top) for each in seen)
        found += [box for box in boxes if _are_one(box, face)]
    middle = np.mean([(box[:2] + box[2:]) / 2 for box in found], axis=0)  # (2,)
    half = np.exp(np.mean([np.log(box[2:] - box[:2]) for box in found], axis=0)) / 2
    return Box(*(round(float(side)) for side in (*(middle - half), *(middle + half))))


def _are_one(box: NDArray[np.float64], face: Box) -> bool:
    other = Box(*(round(float(side)) for side in box))
    return min(shared(other, face), shared(face, other)) > VISIBLE


def _whole(shown: Image, alpha: Mask, face: Box) -> Figure | None:
    """A figure, trimmed, if it has a whole head and some of the neck."""
    height, width = alpha.shape
    tall = face.bottom - face.top
    if (
        face.left < 0
        or face.right > width
        or face.bottom + NECK * tall > height
        or face.top < CROWN[1] * tall
    ):
        return None
    there = alpha > VISIBLE
    head = np.zeros(alpha.shape, np.uint8)
    oval = (face.top - CROWN[1] * tall + face.bottom) / 2, (face.bottom - face.top + CROWN[1] * tall) / 2
    middle = (round((face.left + face.right) / 2), round(oval[0]))
    cv2.ellipse(head, middle, (round(CROWN[0] * (face.right - face.left)), round(oval[1])), 0, 0, 360, 1, -1)
    if there[head > 0].mean() < HELD or _is_flat(there, tall):
        return None
    left, right, bottom = (bool(edge.sum() >= CUT * tall) for edge in (there[:, 0], there[:, -1], there[-1]))
    box = box_of(alpha)
    part = np.s_[box.top : box.bottom, box.left : box.right]
    return Figure(
        np.ascontiguousarray(shown[part]), np.ascontiguousarray(alpha[part]), moved(face, box.left, box.top), (left, right, bottom)
    )  # fmt: skip


def _is_flat(there: NDArray[np.bool_], tall: int) -> bool:
    """Whether the picture's upper edge cuts somebody off, rather than touch the hair: what is round soon gets wider."""
    first, next_one = there[0].sum(), there[max(2, round(FLAT[0] * tall))].sum()
    return bool(first > FLAT[1] * tall and first > FLAT[2] * next_one)


def _read(path: Path) -> tuple[Image, Mask | None]:
    """A user's image, and how much of each pixel is there if it says so."""
    picture = given_picture(path)
    alpha = picture.alpha
    if alpha is None or (alpha > 127).mean() > OPAQUE:
        return picture.on("#000000"), None
    return picture.on("#000000"), np.asarray(alpha / 255, np.float32)


def _is_on_black(shown: Image) -> bool:
    """Whether the upper half of a picture's edge is black, as around a cutout."""
    dark = shown.max(axis=2) <= BLACK
    half = len(dark) // 2
    return bool(np.concatenate([dark[0], dark[:half, 0], dark[:half, -1]]).mean() > OPAQUE)


def _off_black(shown: Image) -> Mask:
    """What black that goes on to the edge of the picture does not reach, a pixel less, with a soft edge.  # (H, W)"""
    dark = np.pad((shown.max(axis=2) <= BLACK).astype(np.uint8), 1, constant_values=1)
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    there = (labels[1:-1, 1:-1] != labels[0, 0]).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(cv2.erode(there, np.ones((3, 3))), (0, 0), 0.7), np.float32)


def _with_face(alpha: Mask, face: Box) -> NDArray[np.bool_]:
    """The part of an image that the face belongs to: sheets show several views.  # (H, W)"""
    _, labels = cv2.connectedComponents((alpha > 0).astype(np.uint8))
    held = np.bincount(labels[face.top : face.bottom, face.left : face.right].ravel(), minlength=1)
    held[0] = 0
    return np.asarray(labels == held.argmax()) & (alpha > 0)


def scaled(picture: Layer | Image, factor: float) -> Any:
    """A picture with all its sides multiplied, by the mean of pixels or by cubic interpolation."""
    size = tuple(max(1, round(side * factor)) for side in picture.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(picture), size, interpolation=method)


def box_of(alpha: NDArray[Any]) -> Box:
    """What is not 0; at least a pixel."""
    rows, columns = (np.flatnonzero((alpha > 0).any(axis=axis)) for axis in (1, 0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def moved(box: Box, left: int, top: int) -> Box:
    """A box, seen from another corner."""
    return Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
