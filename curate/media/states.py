"""Whether a clip starts and ends as its own pictures of its first and last state say."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.errors import Rejected
from curate.media.frames import read_numbered
from curate.media.video import Image

VISIBLE = 48  # of 255, in the channel that differs most: codecs stay below it, but for a few pixels at edges
EVERY = 4  # frames: what moves out of sight and back is away for longer
FIRST, LAST = "first_frame.png", "final_frame.png"


def compare(clip: Path, frames: int, size: int, returns: bool = False) -> dict[str, float]:
    """How a clip's first and last frame match the pictures beside it, scaled to `size` pixels a side.

    `change_share` is the share of pixels that visibly differ between the two pictures; of a clip that `returns`, between
    its first picture and the frame that is furthest from it. `first_off` and `last_off` are the shares that differ
    between a frame and its picture, in units of `change_share`: near 0 where they match, about 1 where a frame shows the
    other state. In RGB, for luma does not see yellow on white.
    Raises Rejected: no_state (a picture is missing, broken or of another shape), and as `read_numbered`.
    """
    first, last = (picture(clip.with_name(name), size) for name in (FIRST, LAST))
    numbers = (*(range(0, frames - 1, EVERY) if returns else (0,)), frames - 1)
    shown = read_numbered(clip, numbers, width=size, height=size, bt601=True)
    change = max(_differing(frame, first) for frame in shown) if returns else _differing(first, last)
    off = (_differing(shown[0], first), _differing(shown[-1], last))
    first_off, last_off = (round(share / change, 4) if change else 1.0 for share in off)
    return {"change_share": round(change, 6), "first_off": first_off, "last_off": last_off}


def _differing(a: Image, b: Image) -> float:
    apart: NDArray[np.int16] = np.abs(a.astype(np.int16) - b).max(axis=-1)  # (H, W)
    return float(np.mean(apart > VISIBLE))


def picture(path: Path, size: int) -> Image:
    """A square picture scaled to (size, size, 3) RGB by averaging. Raises Rejected: no_state."""
    stored = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    try:
        found = cv2.imdecode(stored, cv2.IMREAD_COLOR) if stored.size else None
    except cv2.error as error:  # a header that promises billions of pixels
        raise Rejected("no_state", f"{path.name}: too large to be decoded") from error
    if found is None:
        raise Rejected("no_state", f"{path.name}: not there, or no picture")
    height, width = found.shape[:2]
    if height != width or width % size:
        raise Rejected(
            "no_state", f"{path.name}: {width}x{height}, wanted a square of a whole multiple of {size}"
        )
    scaled: Image = cv2.resize(found[..., ::-1], (size, size), interpolation=cv2.INTER_AREA)
    return scaled
