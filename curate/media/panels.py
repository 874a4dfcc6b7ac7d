"""Panels of a reference sheet: a face, a body or a thing cut out of its frame onto black, and what they look like there."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.media.cutout import cutout, object_mask, person_mask
from curate.media.faces import Face, faces_of, identity, identity_distance, inside
from curate.media.people import shared
from curate.media.picture import Picture
from curate.media.subject import Box
from curate.media.video import Image

# Of a face's box, to the left and right, above and below: hair, ears and the chin.
HEAD = (0.3, 0.7, 0.15)
VISIBLE = 0.5  # of a mask: what is clearly there
LEAST_PX = 24  # of a panel's sides


def face_panel(frame: Image, body: Box, face: Box) -> Image | None:
    """A head on black, with hair and neck; None where nothing can be cut out."""
    mask = person_mask(frame, body, face)
    height, width = frame.shape[:2]
    return _trimmed(cutout(frame, mask), mask, inside(*head_of(face), width, height))


def head_of(face: Box) -> Box:
    """Where a face's head is, also where that is beyond the frame."""
    across, down = face.right - face.left, face.bottom - face.top
    aside, above, below = HEAD
    return Box(
        round(face.left - aside * across), round(face.top - above * down),
        round(face.right + aside * across), round(face.bottom + below * down),
    )  # fmt: skip


def body_panel(frame: Image, body: Box, face: Box | None) -> Image | None:
    """A person on black, as far as the frame shows them; None where nothing can be cut out."""
    mask = person_mask(frame, body, face)
    height, width = frame.shape[:2]
    return _trimmed(cutout(frame, mask), mask, Box(0, 0, width, height))


def prop_panel(frame: Image, box: Box) -> Image | None:
    """A thing on black; None where nothing can be cut out."""
    height, width = frame.shape[:2]
    mask = object_mask(frame, inside(*box, width, height))
    return _trimmed(cutout(frame, mask), mask, Box(0, 0, width, height))


def given_panel(path: str) -> Image | None:
    """An image that a user gave, on black. Raises Rejected for one that cannot be read."""
    picture = Picture(path)
    shown, alpha = picture.on("#000000"), picture.alpha
    there = alpha > 127 if alpha is not None else shown.max(axis=2) > 16
    return _trimmed(shown, there.astype(np.float32), Box(0, 0, shown.shape[1], shown.shape[0]))


def nearest_levels(frame: Image, body: Box, face: Box | None, others: Sequence[Image]) -> float:
    """How much a person differs from what is at the same place in other frames: mean levels, of the most alike one."""
    there = person_mask(frame, body, face) > VISIBLE
    if not there.any():
        return 0.0
    here = frame[there].astype(np.float32)
    return min((float(np.abs(other[there] - here).mean()) for other in others), default=255.0)


def matched(panel: Image, frames: Sequence[Image], places: Sequence[Sequence[Box]]) -> list[float] | None:
    """Identity distances of the face on a panel from a character's faces in frames; None where the panel shows no face.

    `places` are for each frame the boxes in which the character's face is known to be.
    """
    shown = faces_of(panel)
    if not shown:
        return None
    own = identity(panel, shown[0])
    return [
        identity_distance(own, identity(frame, face))
        for frame, boxes in zip(frames, places, strict=True)
        for face in faces_of(frame)
        if any(_same(face, box) for box in boxes)
    ]


def _same(face: Face, box: Box) -> bool:
    return shared(face.box, box) > VISIBLE


def _trimmed(shown: Image, mask: NDArray[np.float32], part: Box) -> Image | None:
    """The part of a picture that holds something."""
    within = np.zeros(mask.shape, bool)
    within[part.top : part.bottom, part.left : part.right] = True
    rows, columns = (np.flatnonzero(((mask > VISIBLE) & within).any(axis=axis)) for axis in (1, 0))
    if len(rows) < LEAST_PX or len(columns) < LEAST_PX:
        return None
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    found: Image = np.ascontiguousarray(shown[top:bottom, left:right])
    return found


def grown(picture: Image, least_px: int) -> Image:
    """A panel enlarged so that its shorter side has so many pixels: detectors do not see the smallest faces."""
    factor = least_px / min(picture.shape[:2])
    if factor <= 1:
        return picture
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    larger: Image = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return larger
