"""Latents back to frames and sound, the way the pipelines go: so that what a shard holds can be measured.

All takes and gives numpy arrays: stored latents come as bytes, and who measures media needs no torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from curate.encode import out_of_memory
from curate.encode.audio import SAMPLE_RATE_HZ, log_mel
from curate.encode.stack import Stack
from curate.errors import CurateError

Latents = NDArray[np.float32]


def decode_video(stack: Stack, latents: Latents) -> NDArray[np.uint8]:
    """The frames of normalised video latents, RGB.  # (128, F', H', W') -> (8 F' - 7, 32 H', 32 W', 3)

    As the pipelines do for a VAE without timestep conditioning, which LTX-2's are. Raises ValueError for other
    shapes, CurateError where the model cannot decode them (a decoder takes several times the memory of an encoder).
    """
    vae = stack.vae
    if latents.ndim != 4 or len(latents) != vae.config.latent_channels:
        raise ValueError(
            f"video latents are {latents.shape}, wanted ({vae.config.latent_channels}, F', H', W')"
        )
    raw = torch.from_numpy(denormalised_video(stack, latents))
    with _decoding(stack, f"video latents {list(latents.shape)}"):
        pixels = vae.decode(raw[None].to(stack.device, vae.dtype), return_dict=False)[0][0].float()
        levels = ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)  # (3, F, H, W)
        return np.asarray(levels.permute(1, 2, 3, 0).contiguous().cpu().numpy())


def decode_audio(stack: Stack, latents: Latents) -> NDArray[np.float32]:
    """The sound of normalised audio latents, mono at 16 kHz.  # (8, T, 16) -> about (640 T - 480,)

    What `decode_sound` gives, brought to the rate that was encoded; it raises the same.
    """
    wave, rate_hz = decode_sound(stack, latents)
    return np.asarray(soxr.resample(wave.mean(axis=0), rate_hz, SAMPLE_RATE_HZ), dtype=np.float32)


def decode_sound(stack: Stack, latents: Latents) -> tuple[NDArray[np.float32], int]:
    """The sound of normalised audio latents as the vocoder gives it, and its rate in Hz.  # (8, T, 16) -> (2, N)

    The VAE gives 4 T - 3 steps of log-mel, the vocoder a wave of them. Raises CurateError where the model has no
    vocoder or cannot decode, ValueError for other shapes.
    """
    vae, vocoder = stack.audio_vae, stack.vocoder
    if vocoder is None:
        raise CurateError(f"model {stack.name}: has no vocoder, wanted one to decode sound")
    if latents.ndim != 3 or len(latents) != vae.config.latent_channels:
        raise ValueError(f"audio latents are {latents.shape}, wanted ({vae.config.latent_channels}, T, 16)")
    raw = torch.from_numpy(denormalised_audio(stack, latents))
    with _decoding(stack, f"audio latents {list(latents.shape)}"):
        mel = vae.decode(raw[None].to(stack.device), return_dict=False)[0]  # (1, 2, 4 T - 3, 64)
        wave = vocoder(mel)[0].float().cpu().numpy()
    return np.asarray(wave, dtype=np.float32), int(vocoder.config.output_sampling_rate)


@contextmanager
def _decoding(stack: Stack, what: str) -> Iterator[None]:
    """`stack.inference`, with whatever torch says in one line."""
    try:
        with stack.inference():
            yield
    except RuntimeError as error:  # parts of the model that do not fit each other
        if out_of_memory(error):
            raise
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CurateError(f"model {stack.name}: cannot decode {what}: {said}") from error


def denormalised_video(stack: Stack, latents: Latents) -> Latents:
    """What the video encoder itself said: z * std / scaling_factor + mean per channel.  # (128, F', H', W')"""
    vae = stack.vae
    mean, std = (_plain(stats)[:, None, None, None] for stats in (vae.latents_mean, vae.latents_std))
    return np.asarray(latents * std / np.float32(vae.config.scaling_factor) + mean)


def denormalised_audio(stack: Stack, latents: Latents) -> Latents:
    """What the audio encoder itself said: z * std + mean over the 8 x 16 values of a step.  # (8, T, 16)"""
    vae, (channels, _, bins) = stack.audio_vae, latents.shape
    mean, std = (_plain(s).reshape(channels, 1, bins) for s in (vae.latents_mean, vae.latents_std))
    return np.asarray(latents * std + mean)


def raw_video(stack: Stack, frames: NDArray[np.uint8]) -> Latents:
    """What the video encoder says of frames before anyone normalises.  # (F, H, W, 3) -> (128, F', H', W')"""
    pixels = torch.from_numpy(frames.copy()).permute(3, 0, 1, 2)[None].to(stack.device).float() / 127.5 - 1
    with stack.inference():
        return _plain(stack.vae.encode(pixels.to(stack.vae.dtype)).latent_dist.mode()[0])


def raw_audio(stack: Stack, wave: NDArray[np.float32]) -> Latents:
    """What the audio encoder says of a mono wave before anyone trims or normalises.  # (N,) -> (8, T, 16)"""
    stereo = torch.from_numpy(np.stack([wave, wave])).to(stack.device)
    with stack.inference():
        return _plain(stack.audio_vae.encode(log_mel(stereo)[None]).latent_dist.mode()[0])


def _plain(tensor: torch.Tensor) -> Latents:
    return np.asarray(tensor.detach().float().cpu().numpy())
