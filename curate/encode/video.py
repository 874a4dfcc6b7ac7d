"""Frames to video latents."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curate.encode.stack import Stack

FRAME_STEP, SIZE_STEP = 8, 32  # one latent stands for 8 frames (the first for one) of 32x32 pixels


def encode_video(stack: Stack, frames: NDArray[np.uint8]) -> torch.Tensor:
    """The normalised latents of a video, bfloat16 on the CPU.  # (128, F', H', W')

    `frames`  # (F, H, W, 3) is RGB with F = 8k+1 (a single image is F = 1) and H and W multiples of 32, so that
    F' = k+1, H' = H/32, W' = W/32. It is the mode of the posterior, not a draw, and normalised as the pipelines do:
    (z - mean) * scaling_factor / std per channel. Raises ValueError for other shapes and types.
    """
    _check(frames)
    vae = stack.vae
    with stack.inference():
        # a copy, because torch takes neither flipped arrays (BGR seen as RGB) nor read-only ones
        pixels = torch.from_numpy(frames.copy()).to(stack.device).permute(3, 0, 1, 2)[None]  # (1, 3, F, H, W)
        raw = vae.encode((pixels.float() / 127.5 - 1).to(vae.dtype)).latent_dist.mode()[0].float()
        mean, std = (_per_channel(stats) for stats in (vae.latents_mean, vae.latents_std))
        latents: torch.Tensor = (raw - mean) * vae.config.scaling_factor / std
        return latents.to(torch.bfloat16).cpu()


def encode_still(stack: Stack, picture: NDArray[np.uint8], frames: int) -> torch.Tensor:
    """The normalised latents of a picture (H, W, 3) as a video of 8k+1 frames that stands still.  # (128, k+1, H', W')

    It is one frame's, repeated: the encoder pads the past with copies of the first frame and its norms are per pixel, so that
    to every layer a video that stands still looks the same at all times. The whole video's differ by rounding alone (at
    most 7e-6 before it is bfloat16, with random weights of the full encoder) and take 40 times as long:
    benchmarks/standing_still.py. Raises ValueError as `encode_video`.
    """
    return encode_video(stack, picture[None]).repeat(1, (frames - 1) // FRAME_STEP + 1, 1, 1)


def encode_pins(stack: Stack, pictures: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    """The normalised latents of pictures (H, W, 3), each as a video of one frame.  # (128, N, H', W')"""
    return torch.cat([encode_video(stack, picture[None]) for picture in pictures], dim=1)


def _per_channel(statistics: torch.Tensor) -> torch.Tensor:
    return statistics.float()[:, None, None, None]


def _check(frames: NDArray[Any]) -> None:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        raise ValueError(f"frames are {frames.dtype} {frames.shape}, wanted uint8 (F, H, W, 3)")
    count, height, width, _ = frames.shape
    if count % FRAME_STEP != 1 or height % SIZE_STEP or width % SIZE_STEP or not height * width:
        raise ValueError(
            f"{count} frames of {height}x{width}, wanted 8k+1 frames and height and width multiples of 32"
        )
