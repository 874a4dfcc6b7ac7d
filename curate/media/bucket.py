"""Buckets: the few sizes that pictures are trained at, and the part of a picture that fills one."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from curate.errors import Rejected
from curate.media.subject import Box, crop_towards

STEP_PX = 32  # of the latents
MOST_PX = 4096  # of a side


class Fit(NamedTuple):
    """A picture in its bucket."""

    width: int
    height: int
    crop: Box  # of the picture


def bucket_of(text: str) -> tuple[int, int]:
    """Width and height of `512x768`. Raises ValueError for a size that latents cannot have."""
    width, _, height = text.partition("x")
    sides = [
        int(side) if side.isascii() and side.isdigit() and len(side) < 6 else 0 for side in (width, height)
    ]
    if not all(STEP_PX <= side <= MOST_PX and side % STEP_PX == 0 for side in sides):
        raise ValueError(
            f"{text!r} is no size; wanted WIDTHxHEIGHT in multiples of {STEP_PX} to {MOST_PX}, such as 512x768"
        )
    return sides[0], sides[1]


def fit(size: tuple[int, int], subject: Box, buckets: Sequence[tuple[int, int]], max_upscale: float) -> Fit:
    """The bucket for a picture of `size` (width, height), and the part with `subject` in it that covers the bucket.

    Of the buckets that it need not be enlarged more than `max_upscale` times for, the nearest in shape; of several the
    largest. Raises Rejected: too_small, where there is none.
    """
    width, height = size

    def enlarged(bucket: tuple[int, int]) -> float:
        return max(bucket[0] / width, bucket[1] / height)

    def unlike(bucket: tuple[int, int]) -> tuple[float, int]:
        return abs(math.log(bucket[0] / bucket[1] * height / width)), -bucket[0] * bucket[1]

    within = [bucket for bucket in buckets if enlarged(bucket) <= max_upscale]
    if not within:
        least = min(buckets, key=enlarged)
        told = f"{width}x{height} would be enlarged {enlarged(least):.3g} times to {least[0]}x{least[1]}"
        raise Rejected("too_small", f"{told}, wanted at most {max_upscale:g}")
    across, down = min(within, key=unlike)
    return Fit(across, down, crop_towards(size, subject, across / down))
