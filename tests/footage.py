"""Small videos of any kind whose frames say their own number."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from curate.media.video import read_frames

Picture = NDArray[np.uint8]
BITS = 8


def numbered(number: int, width: int = 64, height: int = 48, noise: int = 25) -> Picture:
    """A picture that says its number in eight bars, light for 1; noise gives its packet some size."""
    bars = np.array([40 + 170 * (number >> bit & 1) for bit in range(BITS)], np.uint8)
    row = np.repeat(bars, width // BITS)
    grain = np.random.default_rng(number).integers(-noise, noise + 1, (height, width, 3))
    return (row[None, :, None] + grain).astype(np.uint8)


def number_of(picture: Picture) -> int:
    bars = picture.reshape(picture.shape[0], BITS, -1).mean(axis=(0, 2))
    return int(sum(int(level > 125) << bit for bit, level in enumerate(bars)))


def encode(
    path: Path,
    pictures: Sequence[Picture],
    ticks: Iterable[int],
    time_base: Fraction,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    display: tuple[int, bool, bool] | None = None,
    pixel_aspect: Fraction | None = None,
    mux: dict[str, str] | None = None,
) -> Path:
    """A silent file of any kind, frame by frame at the given times."""
    with av.open(str(path), "w", container_options=mux or {}) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.time_base = stream.codec_context.time_base = time_base
        stream.pix_fmt = pix_fmt
        stream.height, stream.width = pictures[0].shape[:2]
        if display is not None:
            stream.set_display_rotation(display[0], hflip=display[1], vflip=display[2])
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for picture, tick in zip(pictures, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = tick, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def at_25(path: Path, frames: int = 50, noise: int = 25, **how: Any) -> Path:
    pictures = [numbered(n, noise=noise) for n in range(frames)]
    return encode(path, pictures, range(frames), Fraction(1, 25), **how)


def frames_of(path: Path, start_s: float, frames: int, fps: float) -> list[int]:
    return [
        number_of(f) for f in read_frames(path, start_s=start_s, frames=frames, fps=fps, width=64, height=48)
    ]
