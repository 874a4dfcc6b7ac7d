"""The picture that a frame displays: turned, its pixels made square, scaled to cover a size."""

import math
from collections.abc import Sequence
from typing import Any, cast

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

from curate.media.container import Frame

CLEAN = (
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
)
UNTAGGED = 2  # code point of ITU-T H.273

Image = NDArray[np.uint8]


def covered_part(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int, int, int]:
    """What is left of a picture that is scaled to cover another size, as `fitted` does: left, top, right, bottom."""
    scale = max(to_width / width, to_height / height)
    across, down = min(width, round(to_width / scale)), min(height, round(to_height / scale))
    left, top = (width - across) // 2, (height - down) // 2
    return left, top, left + across, top + down


def displayed_size(frame: Frame) -> tuple[int, int]:
    """Width and height after pixel aspect and rotation."""
    width, height = max(1, round(frame.picture.width * frame.pixel_aspect)), frame.picture.height
    return (height, width) if _orientation(frame.picture)[0] else (width, height)


def _orientation(picture: av.VideoFrame) -> tuple[bool, bool, bool]:
    """How the stored picture becomes the displayed one: transpose, then mirror x, then mirror y.

    The display matrix [[a, b, u], [c, d, v], [x, y, w]] sends a stored (p, q) to (ap + cq + x, bp + dq + y).
    """
    try:
        side_data = cast(dict[str, Any], picture.side_data)  # PyAV types only some of the keys
        matrix = np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), "<i4").reshape(3, 3)
        (a, b), (c, d) = matrix[:2, :2].tolist()
    except KeyError:
        return False, False, False
    except ValueError:  # beside it is something (EXIF) that PyAV has no name for: go by the angle alone
        turn = math.radians(picture.rotation)  # counter-clockwise
        (a, b), (c, d) = (math.cos(turn), -math.sin(turn)), (math.sin(turn), math.cos(turn))
    return (True, c < 0, b < 0) if abs(b) > abs(a) else (False, a < 0, d < 0)


def fitted(
    frame: Frame, width: int, height: int, bt601: bool = False, crop: Sequence[int] | None = None
) -> Image:
    """The displayed picture, scaled to cover and cropped to its centre, (height, width, 3) RGB.

    `crop` is what is used of it: left, top, right, bottom in displayed pixels. A file that names no colour matrix is read as players do, BT.709 when it is large; with `bt601` never so.
    """
    picture = frame.picture
    untagged_hd = picture.colorspace == UNTAGGED and (picture.width >= 1280 or picture.height > 576)
    image = picture.to_ndarray(
        format="rgb24",
        src_colorspace=Colorspace.ITU709 if untagged_hd and not bt601 else None,
        interpolation=CLEAN,
        threads=1,
    )
    transpose, mirror_x, mirror_y = _orientation(picture)
    image = image.transpose(1, 0, 2) if transpose else image
    image = image[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]
    aspect = 1 / frame.pixel_aspect if transpose else frame.pixel_aspect
    image = image if crop is None else _part(image, crop, displayed_size(frame))
    found_height, found_width = image.shape[:2]
    scale = max(width / (found_width * aspect), height / found_height)  # displayed to wanted
    crop_width = min(found_width, max(1, round(width / (scale * aspect))))
    crop_height = min(found_height, max(1, round(height / scale)))
    left, top = (found_width - crop_width) // 2, (found_height - crop_height) // 2
    cut = np.ascontiguousarray(image[top : top + crop_height, left : left + crop_width])
    shrinks = crop_width >= width and crop_height >= height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized: Image = cv2.resize(cut, (width, height), interpolation=method)
    return resized


def _part(image: NDArray[Any], crop: Sequence[int], size: tuple[int, int]) -> NDArray[Any]:
    """What lies in `crop`, which is in pixels of the displayed `size`: those of the image need not be square."""
    across, down = image.shape[1] / size[0], image.shape[0] / size[1]
    left, top, right, bottom = crop
    return image[round(top * down) : round(bottom * down), round(left * across) : round(right * across)]
