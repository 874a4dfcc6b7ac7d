"""Panels of a reference sheet: a face, a body or a thing cut out of its frame onto black, and what they look like there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.errors import Rejected
from curate.media.cutout import Mask, cutout
from curate.media.faces import Face, faces_of, identity, inside
from curate.media.layout import BLACK
from curate.media.people import shared
from curate.media.picture import Picture, probe_picture
from curate.media.subject import Box
from curate.media.video import Image

# Of a face's box, to the left and right, above and below: hair, ears and the chin.
HEAD = (0.3, 0.7, 0.3)
LOOSE = (0.7, 1.3, 0.3)  # and how far hair and hats may go on
VISIBLE = 0.5  # of a mask: what is clearly there
MOST_PIXELS = 40_000_000  # of a user's image: a phone's; more takes seconds for every sheet
LEAST_PX = 24  # of a panel's sides
FACE_PX = 160  # of a panel's shorter side, for a detector


def face_panel(frame: Image, mask: Mask, face: Box) -> Image | None:
    """A head on black, with hair and neck, of the person that `mask` (H, W) shows; None where nothing can be cut out."""
    height, width = frame.shape[:2]
    least, most = head_of(face), around(face, LOOSE)
    left, top, right, _ = inside(*most, width, height)
    hair = mask[top : face.bottom, left:right] > VISIBLE  # also where it is more than heads have
    columns, rows = np.flatnonzero(hair.any(axis=0)), np.flatnonzero(hair.any(axis=1))
    if not len(rows):
        return None
    head = Box(
        min(least.left, left + int(columns[0])), min(least.top, top + int(rows[0])),
        max(least.right, left + int(columns[-1]) + 1), least.bottom,
    )  # fmt: skip
    return _trimmed(cutout(frame, mask), mask, inside(*head, width, height))


def head_of(face: Box) -> Box:
    """Where a face's head is, also where that is beyond the frame."""
    return around(face, HEAD)


def around(face: Box, shares: tuple[float, float, float]) -> Box:
    """A face's box and so many of its own sizes to both sides, above and below."""
    across, down = face.right - face.left, face.bottom - face.top
    aside, above, below = shares
    return Box(
        round(face.left - aside * across), round(face.top - above * down),
        round(face.right + aside * across), round(face.bottom + below * down),
    )  # fmt: skip


def whole_panel(frame: Image, mask: Mask) -> Image | None:
    """What a mask (H, W) shows, on black: a person as far as the frame has them, a thing; None where that is nothing."""
    height, width = frame.shape[:2]
    return _trimmed(cutout(frame, mask), mask, Box(0, 0, width, height))


def given_picture(path: Path) -> Picture:
    """An image that a user gave. Raises Rejected: image, for one that cannot be read, or is too large."""
    try:
        size = probe_picture(path)
        if size.width * size.height > MOST_PIXELS:
            raise Rejected("too_large", f"{size.width}x{size.height}, wanted at most {MOST_PIXELS:,} pixels")
        return Picture(path)
    except Rejected as why:
        raise Rejected("image", f"{path.name}: {why.reason}, {why.detail}") from why


def given_panel(path: Path, most_px: int) -> Image | None:
    """An image that a user gave, on black, its longer side at most so long. Raises Rejected: image."""
    picture = given_picture(path)
    shown, alpha = picture.on("#000000"), picture.alpha
    there = alpha > 127 if alpha is not None else shown.max(axis=2) > BLACK
    part = _trimmed(shown, there.astype(np.float32), Box(0, 0, shown.shape[1], shown.shape[0]))
    return None if part is None else shrunk(part, most_px)


def nearest_levels(frame: Image, mask: Mask, others: Sequence[Image]) -> float:
    """How much what a mask shows differs from the same place in other frames: mean levels, of the most alike one."""
    there = mask > VISIBLE
    if not there.any():
        return 0.0
    here = frame[there].astype(np.float32)
    return min((float(np.abs(other[there] - here).mean()) for other in others), default=255.0)


def identities_in(
    frames: Sequence[Image], places: Mapping[str, Sequence[Sequence[Box]]]
) -> dict[str, list[list[float]]]:
    """Identities of characters in frames; `places` are for each character the boxes of their face in each frame."""
    found: dict[str, list[list[float]]] = {name: [] for name in places}
    for number, frame in enumerate(frames):
        wanted = {name: boxes[number] for name, boxes in places.items() if boxes[number]}
        for face in faces_of(frame) if wanted else ():
            for name, boxes in wanted.items():
                if any(_same(face, box) for box in boxes):
                    found[name].append(identity(frame, face))
    return found


def identity_on(panel: Image) -> list[float] | None:
    """The identity of the largest face on a panel; None where none is found."""
    large = grown(panel, FACE_PX)
    faces = faces_of(large)
    return identity(large, faces[0]) if faces else None


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
    return _resized(picture, max(1.0, least_px / min(picture.shape[:2])), cv2.INTER_CUBIC)


def shrunk(picture: Image, most_px: int) -> Image:
    """A picture of which the longer side has at most so many pixels."""
    return _resized(picture, min(1.0, most_px / max(picture.shape[:2])), cv2.INTER_AREA)


def _resized(picture: Image, factor: float, method: int) -> Image:
    if factor == 1:
        return picture
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    other: Image = cv2.resize(picture, size, interpolation=method)
    return other
