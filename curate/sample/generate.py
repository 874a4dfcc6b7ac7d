"""From noise to latents: the Euler loop of LTX-2's pipelines, over the scenes that the strategies lay out.

diffusers has a pipeline for each kind of condition but none for a reference sound before time 0. One loop over scenes
serves all kinds; without conditions it gives what LTX2Pipeline gives, to rounding.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from curate.train.config import SampleConfig
from curate.train.flow import Text, noise_like, velocity
from curate.train.strategy import Rope, Scene, Stream

CHANNELS, BINS = 8, 16  # of an audio latent
Said = tuple[torch.Tensor, torch.Tensor | None]  # velocities of video and sound


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
    """Denoise the targets of a scene, and what is given as far as it is not held (`Scene.holding`).

    A guidance g above 1 wants `unwanted`, the text to go away from: v + (g - 1) (v - v_unwanted). Spatio-temporal
    guidance adds stg_scale (v - v_skipped), see `skipping`. The noise is drawn by `seed` and `identity` on the CPU.
    """
    guidance, blocks = config.guidance_scale, stg_blocks(transformer, config)
    device = transformer.device
    scene = scene.to(device)
    noise = noise_like(scene, seed, identity)
    video = _start(scene.video, noise[0].to(device))
    audio = None if scene.audio is None or noise[1] is None else _start(scene.audio, noise[1].to(device))
    for sigma, following in pairwise(_levels(scheduler, scene, config)):
        said = plain = velocity(transformer, scene, sigma, video, audio, text)
        if unwanted is not None and guidance > 1:
            away = velocity(transformer, scene, sigma, video, audio, unwanted)
            said = _guided(said, guidance - 1, plain, away)
        if blocks:
            with skipping(transformer, blocks):
                away = velocity(transformer, scene, sigma, video, audio, text)
            said = _guided(said, config.stg_scale, plain, away)
        video = _stepped(scene.video, video, said[0], sigma, following)
        if scene.audio is not None and audio is not None and said[1] is not None:
            audio = _stepped(scene.audio, audio, said[1], sigma, following)
    return _unpacked(scene, video, audio)


def stg_blocks(transformer: Any, config: SampleConfig) -> list[int]:
    """The blocks of spatio-temporal guidance that the transformer has and can skip the attention of."""
    able = transformer.config.perturbed_attn  # LTX-2.0's are not
    count = len(transformer.transformer_blocks) if able and config.stg_scale else 0
    return [block for block in config.stg_blocks if block < count]


def without_stg(transformer: Any, config: SampleConfig) -> str | None:
    """What to tell a person where the guidance that is asked for cannot be applied, or not in all blocks."""
    used = stg_blocks(transformer, config)
    left = [str(block) for block in config.stg_blocks if block not in used]
    if not config.stg_scale or not left:
        return None
    count = len(transformer.transformer_blocks)
    where = f"has blocks 0 to {count - 1}" if transformer.config.perturbed_attn else "is of LTX-2.0"
    goes_on = f"only in {', '.join(map(str, used))}" if used else "not applied"
    return f"spatio-temporal guidance in block {', '.join(left)}: {goes_on}, this transformer {where}"


@contextmanager
def skipping(transformer: Any, blocks: Sequence[int]) -> Iterator[None]:
    """Within it a token of the video attends, in these blocks, to itself alone: spatio-temporal guidance (Hyung et al.,
    2024) as `stg_v` of the official trainer has it.

    diffusers' own argument for it, `spatio_temporal_guidance_blocks`, does the same to the sound, which is `stg_av`.
    """

    def alone(_module: Any, args: Any, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, given | {"all_perturbed": True}

    hooks = [
        transformer.transformer_blocks[block].attn1.register_forward_pre_hook(alone, with_kwargs=True)
        for block in blocks
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


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
    share = stream.noise_share[:, None]
    return share * noise + (1 - share) * stream.clean


def _stepped(
    stream: Stream, tokens: torch.Tensor, said: torch.Tensor, sigma: float, following: float
) -> torch.Tensor:
    """One step of Euler, towards what the model makes of a token and, as far as it is held, what was given of it.

    LTX2ConditionPipeline mixes the two as clean tokens, share (tokens - sigma v) + (1 - share) clean, and goes back to a
    velocity: share v + (1 - share) (tokens - clean) / sigma.
    """
    share = stream.noise_share[:, None]
    towards = share * said.float() + (1 - share) * (tokens - stream.clean) / sigma
    return tokens + (following - sigma) * towards


def _guided(said: Said, scale: float, plain: Said, away: Said) -> Said:
    """said + scale (plain - away), of video and sound."""
    video = said[0].float() + scale * (plain[0].float() - away[0].float())
    if said[1] is None or plain[1] is None or away[1] is None:
        return video, None
    return video, said[1].float() + scale * (plain[1].float() - away[1].float())


def _unpacked(scene: Scene, video: torch.Tensor, audio: torch.Tensor | None) -> Latents:
    frames, height, width = scene.grid
    picture = video[: frames * height * width].T.reshape(-1, frames, height, width)
    sound = None
    if audio is not None:
        sound = audio[: scene.audio_steps].reshape(scene.audio_steps, CHANNELS, BINS).transpose(0, 1).cpu()
    return Latents(picture.cpu(), sound)
