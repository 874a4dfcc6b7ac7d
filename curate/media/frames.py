"""The frames that a VideoRef names: by time, or by their numbers in the file."""

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from curate.errors import Rejected
from curate.media.container import Frame, decoded, opened, video_stream
from curate.media.fit import fitted
from curate.media.picture import still
from curate.media.video import Image, read_frames
from curate.records import VideoRef

LEAST_LOOPED = 121  # frames of a reference video: what the in-context LoRAs of its kind were trained on


def frames_of(path: str | Path, ref: VideoRef, first: Image | None = None) -> Image:
    """What `ref` names, with `first` (H, W, 3) in place of its first frame, (frames, height, width, 3) uint8 RGB.

    Raises Rejected as `read_frames` and `read_numbered`.
    """
    frames = _named(path, ref)
    if first is not None:
        frames[0] = first
    return frames


def _named(path: str | Path, ref: VideoRef) -> Image:
    size = {"width": ref.width, "height": ref.height}
    if ref.still is not None:
        return still(path, ref.still, **size)[None]
    if ref.indices is not None:
        return read_numbered(path, ref.indices, bt601=ref.matrix == "bt601", **size)
    return read_frames(path, start_s=ref.start_s, frames=ref.frames, fps=ref.fps, crop=ref.crop, **size)


def looped_frames(picture: Image, frames: int) -> Image:
    """A (H, W, 3) picture as a video that stands still, of as many frames as its target, and at least 121.  # (F, H, W, 3)"""
    return np.broadcast_to(picture, (max(frames, LEAST_LOOPED), *picture.shape))


def frame_times_s(path: str | Path) -> list[float]:
    """When each frame of a file is shown, in seconds from its first. Raises Rejected as `read_numbered`."""
    times_s = [frame.time_s for frame in _all(path)]
    return [time_s - times_s[0] for time_s in times_s]


def steady_fps(times_s: Sequence[float]) -> float | None:
    """The rate of evenly spaced frames; None for a single one.

    Raises Rejected: variable_rate, where a frame is half a frame or more from its even place.
    """
    if len(times_s) < 2:
        return None
    fps = (len(times_s) - 1) / times_s[-1] if times_s[-1] > 0 else 0.0
    if not fps or max(abs(time_s - number / fps) for number, time_s in enumerate(times_s)) >= 0.5 / fps:
        raise Rejected("variable_rate", "its frames are not evenly spaced, so their numbers would bend time")
    return fps


def read_numbered(
    path: str | Path, numbers: Sequence[int], *, width: int, height: int, bt601: bool = False
) -> Image:
    """The frames of these ascending numbers, counted from 0, a number as often as it comes.  # (N, H, W, 3) uint8 RGB

    Raises Rejected: broken_video (a packet does not decode, so that numbers would shift), too_short (fewer frames
    than asked for), and as `probe`. `bt601` is for files that name no colour matrix: see `fitted`.
    """
    out = np.empty((len(numbers), height, width, 3), np.uint8)
    done = 0
    with closing(_all(path)) as frames:
        for number, frame in enumerate(frames):
            first = done
            while done < len(numbers) and numbers[done] == number:
                out[done] = fitted(frame, width, height, bt601) if done == first else out[first]
                done += 1
    if done < len(numbers):
        raise Rejected("too_short", f"{number + 1} frames, wanted number {numbers[done]}")
    return out


def _all(path: str | Path) -> Generator[Frame]:
    """Every frame of a file. Raises Rejected where one does not decode, or there is none."""
    bad_s: list[float] = []
    with opened(path) as container:
        count = 0
        for frame in decoded(container, video_stream(container), bad_s=bad_s):
            count += 1
            yield frame
    if bad_s or not count:
        raise Rejected("broken_video", f"{len(bad_s)} packets do not decode, {count} frames do")
