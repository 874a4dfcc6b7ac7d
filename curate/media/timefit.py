"""Fitting a whole clip into a fixed number of frames: every index of a source frame, nothing cut, nothing blended.

Trainers drop clips that are shorter than their bucket and cut the end off longer ones; where a clip shows how a state
becomes another, the end is what it is about. So time is fitted here, before encoding.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from curate.errors import Rejected


@dataclass(frozen=True)
class Fit:
    """Which source frame stands in each frame, and what that does to time."""

    indices: tuple[int, ...]  # (F,)
    speed: float  # 1 for real time
    hold_share: float  # of the frames, that repeat the last state beyond the clip's own end


def fit(source_frames: int, source_fps: float, frames: int, fps: float, max_speed: float) -> Fit:
    """All of a clip in `frames` frames at `fps`: the nearest source frame each, the last one held to the end.

    At `fps` the clip takes m = round((n - 1) fps / source_fps) + 1 frames. When these are too many, the clip is sped
    up uniformly, by (m - 1) / (frames - 1). Raises Rejected: too_long, where that is more than `max_speed`.
    """
    last = source_frames - 1
    taken = max(_nearest(last * fps / source_fps) + 1, min(source_frames, 2))
    if taken <= frames:
        moving = [min(last, _nearest(k * source_fps / fps)) for k in range(taken - 1)]
        indices = (*moving, *[last] * (frames - len(moving)))
        return Fit(indices, 1.0, round((frames - taken) / frames, 6))
    speed = (taken - 1) / (frames - 1)
    if speed > max_speed:
        seconds, room_s = source_frames / source_fps, frames / fps
        says = f"{seconds:.2f} s in {room_s:.2f} s is speed {speed:.2f}, wanted at most {max_speed:g}"
        raise Rejected("too_long", says)
    return Fit(tuple(_nearest(k * last / (frames - 1)) for k in range(frames)), round(speed, 6), 0.0)


def fault(
    indices: Sequence[float], source_frames: int, frames: int, step: float, hold_share: float
) -> str | None:
    """What is wrong with the indices of one clip: the invariants of a fit, whoever made it.

    `step` is how many source frames a frame stands for, source_fps * speed / fps; `hold_share` what was recorded.
    """
    if len(indices) != frames or frames % 8 != 1:
        return f"{len(indices)} frames, wanted {frames}, of the form 8k+1"
    if indices[0] != 0 or indices[-1] != source_frames - 1:
        return f"shows {indices[0]:g} to {indices[-1]:g}, wanted 0 to {source_frames - 1}: both ends"
    if any(after < before for before, after in pairwise(indices)):
        return "goes back in time"
    jump = max((after - before for before, after in pairwise(indices)), default=0)
    if jump > step + 1:
        return f"jumps over {jump - 1:g} source frames, wanted steps of {step:.2f}"
    held = sum(index == indices[-1] for index in indices) - 1  # the last state is shown once in any case
    if abs(held - hold_share * frames) > 1 / step + 1:
        return f"holds its end for {held} frames, its record says {hold_share * frames:.0f}"
    return None


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)
