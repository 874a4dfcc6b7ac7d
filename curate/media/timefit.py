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
    hold_share: float  # of the time, in which the last state is held beyond the clip's own end


def fit(source_frames: int, source_fps: float, frames: int, fps: float, max_speed: float) -> Fit:
    """All of a clip in `frames` frames at `fps`: the nearest source frame each, the last one held to the end.

    From first to last frame the clip takes (n - 1) / source_fps seconds, and there are (frames - 1) / fps; what is too
    long is sped up uniformly. Speed and hold are of these seconds, so that frames and rates that span the same time
    judge every clip alike. Raises Rejected: too_long, for a speed above `max_speed`.
    """
    last = source_frames - 1
    seconds, room_s = last / source_fps, (frames - 1) / fps
    speed = seconds / room_s
    if speed > max_speed:
        raise Rejected(
            "too_long",
            f"{seconds:.2f} s in {room_s:.2f} s is speed {speed:.2f}, wanted at most {max_speed:g}",
        )
    if speed > 1:
        indices = tuple(_nearest(k * last / (frames - 1)) for k in range(frames))
        return Fit(indices, round(speed, 6), 0.0)
    taken = min(frames, max(_nearest(seconds * fps) + 1, min(source_frames, 2)))
    moving = [min(last, _nearest(k * source_fps / fps)) for k in range(taken - 1)]
    return Fit((*moving, *[last] * (frames - len(moving))), 1.0, round(1 - speed, 6))


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
    if jump > max(step + 1, 1.5 * step + 0.5):  # the last frame comes a little early or late
        return f"jumps over {jump - 1:g} source frames, wanted steps of {step:.2f}"
    held = sum(index == indices[-1] for index in indices) - 1  # the last state is shown once in any case
    wanted = hold_share * (frames - 1)
    if abs(held - wanted) > 1 / step + 1:
        return f"holds its end for {held} frames, its record says {wanted:.0f}"
    return None


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)
