"""From noise to latents: the Euler loop of LTX-2's pipelines, over the scenes that the strategies lay out.

diffusers has a pipeline for each kind of condition but none for a reference sound before time 0. One loop over scenes
serves all kinds; without conditions it gives what LTX2Pipeline gives, to rounding.
"""

import copy
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from curate.train.config import SampleConfig
from curate.train.flow import Text, noise_like, velocity
from curate.train.strategy import Rope, Scene, Stream

CHANNELS, BINS = 8, 16  # of an audio latent


@dataclass(frozen=True)
class Latents:
    """What was generated, normalised."""

    video: torch.Tensor  # (128, F', H', W') float32
    audio: torch.Tensor | None  # (8, T, 16) float32


def sound_steps(latent_frames: int, fps: float) -> int:
    """Steps of the audio latents that are as long as a video, 25 a second."""
    return round(25 * (8 * latent_frames - 7) / fps)


def with_sound(scene: Scene, rope: Rope, fps: float) -> Scene:
    """A silent scene with a target sound as long as its video: base models were trained on both together."""
    if scene.audio is not None or scene.grid[0] == 1:
        return scene
    steps = sound_steps(scene.grid[0], fps)
    sound = Stream(
        torch.zeros(steps, CHANNELS * BINS), rope.audio(steps), torch.ones(steps, dtype=torch.bool)
    )
    return replace(scene, audio=sound, audio_steps=steps)


@torch.no_grad()
def generate(
    transformer: Any, scheduler: Any, scene: Scene, text: Text, unwanted: Text | None,
    *, config: SampleConfig, seed: int, identity: str,
) -> Latents:  # fmt: skip
    """Denoise the targets of a scene.

    A guidance g above 1 wants `unwanted`, the text to go away from: v + (g - 1) (v - v_unwanted). The noise is drawn
    by `seed` and `identity` on the CPU.
    """
    guidance = config.guidance_scale
    device = transformer.device
    scene = scene.to(device)
    noise = noise_like(scene, seed, identity)
    video = _start(scene.video, noise[0].to(device))
    audio = None if scene.audio is None or noise[1] is None else _start(scene.audio, noise[1].to(device))
    for sigma, following in pairwise(_levels(scheduler, scene, config)):
        said = velocity(transformer, scene, sigma, video, audio, text)
        if unwanted is not None and guidance > 1:
            away = velocity(transformer, scene, sigma, video, audio, unwanted)
            said = (_guided(said[0], away[0], guidance), _guided_or_none(said[1], away[1], guidance))
        video = _stepped(scene.video, video, said[0], following - sigma)
        if scene.audio is not None and audio is not None and said[1] is not None:
            audio = _stepped(scene.audio, audio, said[1], following - sigma)
    return _unpacked(scene, video, audio)


def _levels(scheduler: Any, scene: Scene, config: SampleConfig) -> list[float]:
    """Noise levels from 1 to 0: as the model's own scheduler spaces them, or those that a distilled model knows."""
    from diffusers.pipelines.ltx2.pipeline_ltx2 import calculate_shift
    from diffusers.pipelines.ltx2.utils import DISTILLED_SIGMA_VALUES

    if config.sigmas == "distilled":
        return [*DISTILLED_SIGMA_VALUES, 0.0]
    own, steps = copy.deepcopy(scheduler), config.inference_steps
    said = own.config
    mu = calculate_shift(
        math.prod(scene.grid),
        said.get("base_image_seq_len", 1024),
        said.get("max_image_seq_len", 4096),
        said.get("base_shift", 0.95),
        said.get("max_shift", 2.05),
    )
    own.set_timesteps(steps, sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
    return [float(level) for level in own.sigmas]


def _start(stream: Stream, noise: torch.Tensor) -> torch.Tensor:
    return torch.where(stream.target[:, None], noise, stream.clean)


def _stepped(stream: Stream, tokens: torch.Tensor, said: torch.Tensor, change: float) -> torch.Tensor:
    return torch.where(stream.target[:, None], tokens + change * said.float(), stream.clean)


def _guided(said: torch.Tensor, away: torch.Tensor, guidance: float) -> torch.Tensor:
    return said.float() + (guidance - 1) * (said.float() - away.float())


def _guided_or_none(
    said: torch.Tensor | None, away: torch.Tensor | None, guidance: float
) -> torch.Tensor | None:
    return None if said is None or away is None else _guided(said, away, guidance)


def _unpacked(scene: Scene, video: torch.Tensor, audio: torch.Tensor | None) -> Latents:
    frames, height, width = scene.grid
    picture = video[: frames * height * width].T.reshape(-1, frames, height, width)
    sound = None
    if audio is not None:
        sound = audio[: scene.audio_steps].reshape(scene.audio_steps, CHANNELS, BINS).transpose(0, 1).cpu()
    return Latents(picture.cpu(), sound)
