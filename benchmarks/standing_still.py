"""How the latents of a sheet looped to a video differ from those of one frame, repeated over the latent frames.

    python -m benchmarks.standing_still [--sheet PNG] [--width 128] [--height 128] [--frames 121] [--cache DIR]

With the miniature, and with the video VAE of LTX-2.3 at its real configuration and seeded random weights: whether the two
are equal is a matter of the layers, not of what the weights have learned. A sheet that drifts shows that the measure can fail.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from platformdirs import user_cache_path

from curate.encode.stack import load
from curate.media.frames import looped_frames
from curate.media.layout import Panel, compose, layout

LTX_2_3: dict[
    str, Any
] = {  # as diffusers' converter has it; nothing is decoded here, so the decoder is narrow
    "block_out_channels": (256, 512, 1024, 1024),
    "layers_per_block": (4, 6, 4, 2, 2),
    "downsample_type": ("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
    "decoder_block_out_channels": (8, 16, 16, 32),
    "decoder_layers_per_block": (1,) * 5,
    "decoder_spatio_temporal_scaling": (True,) * 4,
    "decoder_inject_noise": (False,) * 5,
    "upsample_type": ("spatiotemporal", "spatiotemporal", "temporal", "spatial"),
    "upsample_residual": (False,) * 4,
    "upsample_factor": (2, 2, 1, 2),
    "decoder_causal": False,
    "decoder_spatial_padding_mode": "zeros",
}
Frames = np.ndarray[Any, np.dtype[np.uint8]]


def drawn_sheet(width: int, height: int) -> Frames:
    """Panels of noise and gradients on black.  # (H, W, 3)"""
    draw, panels = np.random.default_rng(0), list[Panel]()
    for kind, shape in (("face", (90, 80)), ("body", (160, 60)), ("prop", (50, 50)), ("location", (90, 160))):
        rough = draw.integers(0, 256, (6, 6, 3), np.uint8)
        picture = np.asarray(Image.fromarray(rough).resize(shape[::-1], Image.Resampling.BICUBIC))
        panels.append(Panel(kind, kind, picture, 1.0))  # type: ignore[arg-type]
    return compose(panels, layout(panels, width, height, 4), width, height)


def real_vae() -> Any:
    """The video VAE of LTX-2.3, untrained, its weights drawn from one seed."""
    from diffusers import AutoencoderKLLTX2Video

    torch.manual_seed(0)
    vae = AutoencoderKLLTX2Video(**LTX_2_3).eval()
    vae.latents_mean.normal_(0, 0.2)
    vae.latents_std.uniform_(0.75, 1.25)
    return vae


@torch.no_grad()
def encoded(vae: Any, frames: Frames) -> tuple[torch.Tensor, float]:
    """Normalised latents in float32, before they are rounded to be stored, and seconds.  # (128, F', H', W')"""
    started = time.perf_counter()
    pixels = torch.from_numpy(frames.copy()).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    raw = vae.encode(pixels).latent_dist.mode()[0]
    mean, std = (each[:, None, None, None] for each in (vae.latents_mean, vae.latents_std))
    return (raw - mean) * vae.config.scaling_factor / std, time.perf_counter() - started


def compare(name: str, vae: Any, sheet: Frames, frames: int) -> None:
    """Print what the two ways give and take."""
    one, one_s = encoded(vae, sheet[None])
    loop, loop_s = encoded(vae, looped_frames(sheet, frames))
    off = (loop - one).abs()  # the one frame, repeated
    unequal = (loop.bfloat16() != one.bfloat16()).float().mean().item()
    print(
        f"{name}: latents {tuple(loop.shape)}, std {loop.std():.3f}; loop {loop_s:.2f} s, one {one_s:.2f} s"
    )
    print(f"  max |loop - one| by latent frame: {' '.join(f'{each:.1e}' for each in off.amax((0, 2, 3)))}")
    print(f"  mean: {' '.join(f'{each:.1e}' for each in off.mean((0, 2, 3)))}")
    since = [(loop[:, first + 1 :] - loop[:, first : first + 1]).abs().max().item() for first in (0, 1)]
    print(f"  within the loop: max |z_t - z_0| {since[0]:.1e}, max |z_t - z_1| {since[1]:.1e}")
    print(f"  as bfloat16, {unequal:.2%} of the loop's values are other than the frame's")
    drifting = np.stack([np.roll(sheet, shift, axis=1) for shift in range(17)])
    moved, _ = encoded(vae, drifting)
    print(f"  drifting a pixel a frame, max |z - one|: {' '.join(f'{each:.1e}' for each in (moved - one).abs().amax((0, 2, 3)))}")  # fmt: skip


def main() -> None:
    """Both models."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sheet", type=Path)
    asked.add_argument("--width", type=int, default=128)
    asked.add_argument("--height", type=int, default=128)
    asked.add_argument("--frames", type=int, default=121)
    asked.add_argument("--cache", type=Path, default=user_cache_path("curate"))
    said = asked.parse_args()
    size = (said.width, said.height)
    sheet = (
        np.asarray(Image.open(said.sheet).convert("RGB").resize(size)) if said.sheet else drawn_sheet(*size)
    )
    compare("miniature", load("tiny", said.cache).vae, sheet, said.frames)
    compare("LTX-2.3, random weights", real_vae(), sheet, said.frames)


if __name__ == "__main__":
    main()
