"""Sound to audio latents: log-mel spectrogram, then the audio VAE."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from curate.encode.stack import Stack

SAMPLE_RATE_HZ = 16_000
# What LTX-2's audio VAE was trained on: AudioProcessor of Lightricks' ltx-core, a magnitude (not power) spectrogram
MEL: dict[str, Any] = {
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "window": 1024,
    "hop": 160,
    "bins": 64,
    "low_hz": 0.0,
    "high_hz": 8000.0,
    "norm": "slaney",
    "power": 1.0,
    "floor": 1e-5,
}


def log_mel(wave: torch.Tensor) -> torch.Tensor:
    """The natural logarithm of the mel spectrogram, 100 steps a second.  # (C, N) -> (C, N // 160 + 1, 64)

    `wave` is float32 at 16 kHz. log(max(1e-5, mel @ |STFT|)): Hann window of 1024, centred with reflected
    edges, Slaney's mel scale and area normalisation, as in `librosa.feature.melspectrogram(power=1)`.
    """
    spectrum = torch.stft(
        wave,
        n_fft=MEL["window"],
        hop_length=MEL["hop"],
        window=torch.hann_window(MEL["window"], device=wave.device),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )  # (C, 513, T)
    magnitude = spectrum.abs().pow(MEL["power"])
    return (_filters().to(wave.device) @ magnitude).clamp(min=MEL["floor"]).log().transpose(1, 2)


def encode_audio(stack: "Stack", wave: NDArray[np.float32], steps: int | None) -> torch.Tensor:
    """The normalised latents of a sound, float32 on the CPU.  # (8, T, 16), 25 steps a second

    `wave` is (N,) mono, doubled to stereo, or (2, N), at 16 kHz. The encoder gives ceil((N // 160 + 1) / 4) steps,
    one more than the pipelines have for that duration. For a target pass `steps` = round(25 * seconds), so that
    training sees the length of inference; for a reference None keeps all (2 s are 51 steps at inference too).
    Normalised as the pipelines do: (z - mean) / std over the packed 8 x 16 values of a step. Raises ValueError for
    other shapes, less than 513 samples, or more `steps` than there are.
    """
    vae = stack.audio_vae
    with stack.inference():
        raw = vae.encode(log_mel(_stereo(wave).to(stack.device))[None]).latent_dist.mode()[0]  # (8, T, 16)
        channels, length, bins = raw.shape
        if steps is not None and steps > length:
            raise ValueError(f"{steps} steps wanted of {wave.shape[-1]} samples, which give {length}")
        mean, std = (stats.reshape(channels, 1, bins) for stats in (vae.latents_mean, vae.latents_std))
        latents: torch.Tensor = (raw - mean) / std
        return latents[:, :steps].contiguous().cpu()


def _stereo(wave: NDArray[np.float32]) -> torch.Tensor:
    if wave.dtype != np.float32 or not (wave.ndim == 1 or (wave.ndim == 2 and len(wave) == 2)):
        raise ValueError(f"wave is {wave.dtype} {wave.shape}, wanted float32 (N,) or (2, N)")
    if wave.shape[-1] <= MEL["window"] // 2:
        raise ValueError(f"wave has {wave.shape[-1]} samples, wanted more than {MEL['window'] // 2}")
    return torch.from_numpy(np.broadcast_to(wave, (2, wave.shape[-1])).copy())


@cache
def _filters() -> torch.Tensor:
    from librosa.filters import mel

    return torch.from_numpy(
        mel(
            sr=MEL["sample_rate_hz"],
            n_fft=MEL["window"],
            n_mels=MEL["bins"],
            fmin=MEL["low_hz"],
            fmax=MEL["high_hz"],
            htk=False,
            norm=MEL["norm"],
        )
    )  # (64, 513)
