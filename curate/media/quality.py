"""How blurred a picture is, and what makes two pictures the same one.

Measured on 32 drawn robots and 19 photographs (scikit-image's own), with Gaussian blur of so much of the shorter side:

    sigma of the shorter side           none        0.5 %       1 %         2 %
    blur_of, robots, least to most      .19 .36     .39 .56     .58 .75     .78 .91
    blur_of, photographs                .16 .43     .28 .64     .46 .81     .67 .92
    above .60, of 32 and 19             0 and 1     0 and 2     31 and 14   32 and 19

The photograph above it as it is (.62) is a clock shaken while the shutter was open; the ones below it at 1 % are grass,
brick, gravel, stars and print, whose detail is finer than that blur leaves to be missed.

Of 64 bits, copies of the same 51 differ in at most 6 when recoded (JPEG 30), rescaled (a quarter to one and a half),
greyed, brighter, darker, noisy or cut by 1 % a side, and in up to 10 with a watermark, cut by 2 % a side or by 2 % at two
sides; cut by 4 % a side, in up to 16. Different photographs differ in 20 and more; different robots on white in 10 and
more, of 496 pairs 1 within 10 and 5 within 12. Distances are even: half of the bits are set.
"""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from curate.media.video import Image

SIDE_PX = 256
LEAST_PX = 4  # of a side: below it no pixel has the neighbours that the measure wants
MAX_BLUR = 0.6
NEAR_BITS = 6


def blur_of(picture: Image) -> float:
    """How blurred a (H, W, 3) picture is: 0 sharp, 1 when nothing in it is (a flat picture, or one of 3 pixels).

    How much of the contrast between neighbours survives a blur of 11 pixels, along the worse axis: Crete, Dolmiere,
    Ladret, Nicolas, The blur effect (SPIE 6492, 2007), as scikit-image has it. Eleven pixels are a length in the file,
    so that the same photograph in three times as many pixels would read as more blurred (.57 for .40); scaled to a
    shorter side of 256 it reads the same. Smaller pictures are left as they are.
    """
    from skimage.measure import blur_effect

    if min(picture.shape[:2]) < LEAST_PX:
        return 1.0
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    factor = SIDE_PX / min(grey.shape)
    if factor < 1:
        size = (round(grey.shape[1] * factor), round(grey.shape[0] * factor))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return float(cast(np.floating, blur_effect(grey)))


def picture_hash(picture: Image) -> str:
    """imagehash.phash of a (H, W, 3) picture: 64 bits as 16 hex digits.

    A mirrored or turned copy has another one. So has a picture on another background: transparent ones are to be
    compared on one and the same, and white keeps drawn figures apart where black does not.
    """
    import imagehash
    from PIL import Image as Pillow

    return str(imagehash.phash(Pillow.fromarray(picture)))


def hashes_of(picture: Image) -> list[str]:
    """The `picture_hash` of a (H, W, 3) picture and of its mirror image."""
    return [picture_hash(picture), picture_hash(picture[:, ::-1])]


def hash_distance(a: str, b: str) -> int:
    """How many of the 64 bits of two hashes differ."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def are_copies(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two pictures, by their `hashes_of`, are one picture or mirror images of one."""
    pairs = ((a[0], b[0]), (a[0], b[1]), (a[1], b[0]))
    return any(hash_distance(one, other) <= NEAR_BITS for one, other in pairs)
