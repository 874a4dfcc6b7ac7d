"""What a picture is of, as a box, and the crop that keeps it."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from curate.media.video import Image

OPAQUE = 128
FACES_PX = 480  # of the longer side, when looking for faces
LEAST_FACE = 0.06  # of the shorter side
CASCADE = "haarcascade_frontalface_alt.xml"  # the default one finds faces in 10 of 32 robots and in shoulders; this in 2
NEIGHBOURS = 5
# Of a face's own size to the left, above, to the right, below: hair and shoulders.
AROUND_FACE = (0.35, 0.5, 0.35, 0.75)
DETAIL_PX = 256
MIDDLE = (0.1, 0.9)  # of the contrast, counted from one side to the other


class Box(NamedTuple):
    """Pixels of a picture; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int


def subject_box(picture: Image, alpha: Image | None = None) -> Box:
    """What a (H, W, 3) picture is of: what is opaque in `alpha` (H, W); else the faces; else most of the detail.

    Faces are OpenCV's Haar cascade for frontal ones, with hair and shoulders; detail is where the middle 80 % of the
    contrast between neighbours lies, across and down. A flat picture is its own subject.
    """
    whole = Box(0, 0, picture.shape[1], picture.shape[0])
    opaque = None if alpha is None else _opaque(alpha)
    if opaque is not None and opaque != whole:
        return opaque
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return _faces(grey) or _detail(grey)


def crop_towards(size: tuple[int, int], subject: Box, aspect: float) -> Box:
    """The largest crop of `aspect` (width / height) in a picture of `size` (width, height), with `subject` in it.

    Its middle is the subject's as far as the picture allows; a subject that does not fit loses as much on both sides.
    """
    width, height = size
    across, down = min(width, max(1, round(height * aspect))), min(height, max(1, round(width / aspect)))
    left = min(max(0, (subject.left + subject.right - across) // 2), width - across)
    top = min(max(0, (subject.top + subject.bottom - down) // 2), height - down)
    return Box(left, top, left + across, top + down)


def _opaque(alpha: Image) -> Box | None:
    rows, columns = (np.flatnonzero((alpha >= OPAQUE).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _faces(grey: Image) -> Box | None:
    """A box around all faces that are at least half as wide as the widest."""
    small, factor = _shrunk(grey, FACES_PX)
    least = round(LEAST_FACE * min(small.shape)) or 1
    found = _cascade().detectMultiScale(
        small, scaleFactor=1.1, minNeighbors=NEIGHBOURS, minSize=(least, least)
    )
    if not len(found):
        return None
    faces = np.asarray(found, float) / factor  # (N, 4): left, top, width, height
    faces = faces[faces[:, 2] >= faces[:, 2].max() / 2]
    left, top, right, bottom = AROUND_FACE
    x, y, width, height = faces.T
    return _inside(
        grey,
        (x - left * width).min(), (y - top * height).min(),
        (x + (1 + right) * width).max(), (y + (1 + bottom) * height).max(),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _cascade() -> Any:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).with_name("data") / CASCADE))


def _detail(grey: Image) -> Box:
    small, factor = _shrunk(grey, DETAIL_PX)
    values = small.astype(np.float64)
    down, across = (np.abs(np.diff(values, axis=axis)) for axis in (0, 1))
    columns, rows = down.sum(axis=0), across.sum(axis=1)
    columns[1:] += across.sum(axis=0)
    rows[1:] += down.sum(axis=1)
    (left, right), (top, bottom) = _middle(columns), _middle(rows)
    return _inside(grey, left / factor, top / factor, right / factor, bottom / factor)


def _middle(energy: Any) -> tuple[int, int]:
    """From where to where the middle of a profile lies."""
    total = np.cumsum(energy)
    if total[-1] == 0:
        return 0, len(energy)
    first, last = (int(np.searchsorted(total, share * total[-1])) for share in MIDDLE)
    return first, last + 1


def _shrunk(grey: Image, longer_px: int) -> tuple[Image, float]:
    """The picture with a longer side of so many pixels at most, and by how much it was multiplied."""
    factor = min(1.0, longer_px / max(grey.shape))
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    small: Image = grey if factor == 1 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return small, factor


def _inside(grey: Image, left: float, top: float, right: float, bottom: float) -> Box:
    height, width = grey.shape
    one = Box(max(0, int(left)), max(0, int(top)), min(width, round(right)), min(height, round(bottom)))
    return Box(
        min(one.left, width - 1),
        min(one.top, height - 1),
        max(one.right, one.left + 1),
        max(one.bottom, one.top + 1),
    )
