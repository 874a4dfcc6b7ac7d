"""Flow matching on audio and video together: noise level, noise, velocity, loss.

x_s = (1 - s) x + s e; the transformer is asked for e - x. One noise level s for both modalities, as in the official
text_to_video strategy (its `flexible` draws two). All draws are by identity: the same whatever machine or order.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from curate.records import rng, sha256_of
from curate.train.strategy import Scene, Stream

SCALE = 1000  # what diffusers' transformer wants of sigma and of timesteps
UNIFORM_SHARE, EPSILON = 0.1, 1e-3  # of the official ShiftedLogitNormalTimestepSampler
HIGH_SHARE, HIGH_FROM = 0.6, 0.7  # band_prob and band_min of the HighSigmaMixture in the fork's configuration
DUMMY_STEPS = 1  # a silent sample still needs an audio token; isolated, it changes nothing


@dataclass(frozen=True)
class Text:
    """A caption as the transformer takes it, after the connectors."""

    video: torch.Tensor  # (1, 1024, Dv)
    audio: torch.Tensor  # (1, 1024, Da)


@dataclass(frozen=True)
class Loss:
    """Mean squared error of the velocity; `audio` is None for a silent sample."""

    video: torch.Tensor
    audio: torch.Tensor | None

    @property
    def total(self) -> torch.Tensor:
        """The sum, as the official trainer has it."""
        return self.video if self.audio is None else self.video + self.audio


def mean_shift(tokens: int) -> float:
    """mu of the noise level's logit: 0.95 at 1024 target video tokens, 2.05 at 4096, linear, not clamped."""
    return 0.95 + (tokens - 1024) * (2.05 - 0.95) / (4096 - 1024)


def draw_sigma(kind: str, tokens: int, stream: np.random.Generator) -> float:
    """A noise level in 0..1 for a target of so many video tokens.

    shifted-logit-normal is the official trainer's: sigmoid of N(mu, 1), stretched so that its 0.5 and 99.9
    percentiles become 0 and 1, small values mirrored at 0.001, and one draw in ten uniform. high-sigma-mixture is that
    of helium's fork: six draws in ten uniform in 0.7..1, where the noised target does not give the pitch away, and
    the others uniform in 0..1, for a LoRA acts at every noise level.
    """
    normal, uniform, which = stream.standard_normal(), stream.random(), stream.random()
    if kind == "high-sigma-mixture":
        return HIGH_FROM + (1 - HIGH_FROM) * uniform if which < HIGH_SHARE else uniform
    if which < UNIFORM_SHARE:
        return EPSILON + (1 - EPSILON) * uniform
    mu = mean_shift(tokens)
    low, top = _sigmoid(mu - 2.5758), _sigmoid(mu + 3.0902)
    stretched = (_sigmoid(mu + normal) - low) / (top - low)
    return float(min(max(stretched if stretched >= EPSILON else 2 * EPSILON - stretched, 0.0), 1.0))


def noise_like(scene: Scene, seed: int, *identity: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Noise for all tokens of a scene, drawn on the CPU in float32.  # (N, C) each"""
    generator = torch.Generator().manual_seed(int(sha256_of([seed, *identity, "noise"])[:15], 16))
    video = torch.randn(scene.video.clean.shape, generator=generator)
    audio = torch.randn(scene.audio.clean.shape, generator=generator) if scene.audio else None
    return video, audio


def velocity(
    transformer: Any, scene: Scene, sigma: float, video: torch.Tensor, audio: torch.Tensor | None, text: Text
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What the transformer says of the tokens `video` and `audio` at noise level `sigma`.  # (N, C) each

    Tokens that are given have timestep 0, unless they are pinned less firmly. Runs in the dtype of the transformer.
    """
    device, dtype = video.device, transformer.proj_in.weight.dtype  # .dtype walks through all modules
    level = torch.tensor([sigma * SCALE], device=device)
    silent = scene.audio is None
    if scene.audio is None or audio is None:
        sound = torch.zeros(DUMMY_STEPS, transformer.config.audio_in_channels, device=device)
        where = torch.zeros(1, DUMMY_STEPS, 2, device=device)
        steps = level.expand(DUMMY_STEPS)
    else:
        sound, where, steps = audio, scene.audio.where, level * scene.audio.noise_share
    said = transformer(
        hidden_states=video[None].to(dtype),
        audio_hidden_states=sound[None].to(dtype),
        encoder_hidden_states=text.video.to(dtype),
        audio_encoder_hidden_states=text.audio.to(dtype),
        timestep=(level * scene.video.noise_share)[None],
        audio_timestep=steps[None],
        sigma=level,
        audio_sigma=level,
        video_coords=scene.video.where[None],
        audio_coords=where[None],
        isolate_modalities=silent,
        use_cross_timestep=True,
        return_dict=False,
    )
    return said[0][0], None if silent else said[1][0]


def loss(
    transformer: Any, scene: Scene, sigma: float, noise: tuple[torch.Tensor, torch.Tensor | None], text: Text
) -> Loss:
    """The loss of one sample at one noise level, on its targets only."""
    video = _noised(scene.video, sigma, noise[0])
    audio = None if scene.audio is None or noise[1] is None else _noised(scene.audio, sigma, noise[1])
    said_video, said_audio = velocity(transformer, scene, sigma, video, audio, text)
    heard = None
    if scene.audio is not None and said_audio is not None and noise[1] is not None:
        heard = _error(scene.audio, said_audio, noise[1])
    return Loss(_error(scene.video, said_video, noise[0]), heard)


def sigma_of(kind: str, scene: Scene, seed: int, *identity: str) -> float:
    """The noise level of one turn, by identity."""
    return draw_sigma(kind, math.prod(scene.grid), rng(seed, *identity, "sigma"))


def _noised(stream: Stream, sigma: float, noise: torch.Tensor) -> torch.Tensor:
    return torch.where(stream.target[:, None], (1 - sigma) * stream.clean + sigma * noise, stream.clean)


def _error(stream: Stream, said: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    wanted = (noise - stream.clean)[stream.target]
    return (said[stream.target].float() - wanted).square().mean()


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))
