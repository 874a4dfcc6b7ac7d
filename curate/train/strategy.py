"""How a sample becomes tokens: what is to be denoised, what is given beside it, and where in time and space each is.

A strategy lays out a `Scene`. Training noises its targets, asks the transformer for their velocity and takes the
loss there; sampling starts its targets from noise. What is given stays clean, has timestep 0 and bears no loss; sampling
may pin it less firmly.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch

from curate.errors import CurateError
from curate.train.data import LatentSample

GAP_S = 0.04  # between the end of a reference sound and time 0: one latent step, as ID-LoRA and Lightricks' dub-it do


@dataclass(frozen=True)
class Stream:
    """The tokens of one modality, targets first."""

    clean: torch.Tensor  # (N, C)
    where: torch.Tensor  # (axes, N, 2): start and end of each token, in s, and in pixels of height and width
    target: torch.Tensor  # (N,) bool: to be denoised
    held: float = (
        1.0  # how much of what is given stays as it is; below 1 only in sampling, see `Scene.holding`
    )

    @property
    def noise_share(self) -> torch.Tensor:
        """How much of the noise level each token bears: 1 of a target, 1 - held of what is given.  # (N,)"""
        return torch.where(self.target, 1.0, 1.0 - self.held)

    def given(self, tokens: torch.Tensor, where: torch.Tensor) -> "Stream":
        """The stream with tokens beside it that are given."""
        beside = torch.zeros(len(tokens), dtype=torch.bool)
        return replace(
            self,
            clean=torch.cat([self.clean, tokens]),
            where=torch.cat([self.where, where], dim=1),
            target=torch.cat([self.target, beside]),
        )

    def to(self, device: torch.device) -> "Stream":
        """The stream on a device."""
        return replace(
            self, clean=self.clean.to(device), where=self.where.to(device), target=self.target.to(device)
        )


@dataclass(frozen=True)
class Scene:
    """All tokens of one sample. `audio` is None for a silent one."""

    video: Stream
    audio: Stream | None
    grid: tuple[int, int, int]  # F', H', W' of the target video: its tokens come first, in this order
    audio_steps: int  # of the target audio, whose tokens come first; 0 when silent

    def to(self, device: torch.device) -> "Scene":
        """The scene on a device."""
        return replace(self, video=self.video.to(device), audio=self.audio.to(device) if self.audio else None)

    def holding(self, strength: float) -> "Scene":
        """The scene with what is given of its video pinned at a strength of 0 to 1, as diffusers' LTX2VideoCondition."""
        return replace(self, video=replace(self.video, held=strength))


class Rope:
    """Positions as the transformer's own rotary embeddings count them."""

    def __init__(self, transformer: Any) -> None:
        self._video, self._audio = transformer.rope, transformer.audio_rope

    def video(self, grid: tuple[int, int, int], fps: float) -> torch.Tensor:
        """Of the tokens of a latent video.  # (3, F' H' W', 2)"""
        where: torch.Tensor = self._video.prepare_video_coords(1, *grid, torch.device("cpu"), fps=fps)
        return where[0]

    def audio(self, steps: int) -> torch.Tensor:
        """Of the tokens of a latent sound that begins at 0 s.  # (1, T, 2)"""
        where: torch.Tensor = self._audio.prepare_audio_coords(1, steps, torch.device("cpu"))
        return where[0]


class Strategy(Protocol):
    """Lays out the tokens of a sample. Raises CurateError for a sample that lacks what it needs."""

    def __call__(self, sample: LatentSample, rope: Rope, first_frame: bool) -> Scene:
        """`first_frame` says whether the target's first frame is given this time."""
        ...


def video_tokens(latents: torch.Tensor) -> torch.Tensor:
    """# (C, F', H', W') -> (F' H' W', C), as the pipelines pack for patches of 1"""
    return latents.flatten(1).T


def audio_tokens(latents: torch.Tensor) -> torch.Tensor:
    """# (8, T, 16) -> (T, 128)"""
    return latents.transpose(0, 1).flatten(1)


def text_to_video(sample: LatentSample, rope: Rope, first_frame: bool) -> Scene:
    """A video with its sound, or alone; an image is a video of one frame."""
    latents, audio = _needed(sample, "video_latents"), sample.get("audio_latents")
    _, frames, height, width = latents.shape
    grid = (frames, height, width)
    tokens = video_tokens(latents)
    target = torch.ones(len(tokens), dtype=torch.bool)
    if first_frame and frames > 1:  # of an image nothing would be left to denoise
        target[: height * width] = False
    video = Stream(tokens, rope.video(grid, _fps(sample)), target)
    if audio is None:
        return Scene(video, None, grid, 0)
    steps = audio.shape[1]
    sound = Stream(audio_tokens(audio), rope.audio(steps), torch.ones(steps, dtype=torch.bool))
    return Scene(video, sound, grid, steps)


def first_frame(sample: LatentSample, rope: Rope, first_frame: bool) -> Scene:
    """The first latent frame is always given; pins of later frames stand beside, one frame long (as in ltx-core)."""
    scene = text_to_video(sample, rope, first_frame=True)
    latent_frames, height, width = scene.grid
    last = 8 * latent_frames - 8
    if last == 0:
        raise CurateError(
            f"{sample.record.id}: is one frame, wanted a video that goes on after the given one"
        )
    pins, frames = sample.get("pin_latents"), sample.record.latents.pin_frames or ()
    if pins is None:
        return scene
    if len(set(frames)) < len(frames) or not all(0 < frame <= last for frame in frames):
        raise CurateError(
            f"{sample.record.id}: pins at frames {list(frames)}, wanted each frame once, of 1..{last}"
        )
    video, fps = scene.video, _fps(sample)
    for number, frame in enumerate(frames):
        where = rope.video((1, height, width), fps)
        where[0, :, 0], where[0, :, 1] = frame / fps, (frame + 1) / fps
        video = video.given(video_tokens(pins[:, number : number + 1]), where)
    return replace(scene, video=video)


def video_reference(sample: LatentSample, rope: Rope, first_frame: bool) -> Scene:
    """A reference video of the target's own size and positions, or longer, stands beside it (downscale factor 1). No sound."""
    scene = replace(text_to_video(sample, rope, first_frame), audio=None, audio_steps=0)
    reference = sample.get("reference_video_latents")
    if reference is None:
        return scene
    grid = (int(reference.shape[1]), int(reference.shape[2]), int(reference.shape[3]))
    if grid[0] < scene.grid[0] or grid[1:] != scene.grid[1:]:
        raise CurateError(
            f"{sample.record.id}: the reference is {grid}, wanted the target's {scene.grid}, or longer"
        )
    where = rope.video(grid, _fps(sample))
    return replace(scene, video=scene.video.given(video_tokens(reference), where))


def audio_reference(sample: LatentSample, rope: Rope, first_frame: bool) -> Scene:
    """A reference sound stands before time 0; the target is video and sound together."""
    scene = text_to_video(sample, rope, first_frame)
    if scene.audio is None:
        raise CurateError(f"{sample.record.id}: has no audio_latents, wanted a target with sound")
    reference = sample.get("reference_audio_latents")
    if reference is None:  # the control that has the caption only
        return scene
    where = before_zero(rope.audio(reference.shape[1]))
    return replace(scene, audio=scene.audio.given(audio_tokens(reference), where))


def before_zero(where: torch.Tensor) -> torch.Tensor:
    """The positions of a reference sound moved to end GAP_S before 0 s: c - end - 0.04.  # (1, T, 2)

    Lightricks' dub-it (ltx_pipelines) and ID-LoRA place references so; the official trainer has no option for it.
    """
    return where - where[..., 1].max() - GAP_S


STRATEGIES: dict[str, Strategy] = {
    "text_to_video": text_to_video,
    "first_frame": first_frame,
    "video_reference": video_reference,
    "audio_reference": audio_reference,
}


def strategy_of(name: str) -> Strategy:
    """The strategy a set asks for. Raises CurateError for an unknown one."""
    if name not in STRATEGIES:
        raise CurateError(f"strategy {name!r}: this program has {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def _needed(sample: LatentSample, name: str) -> torch.Tensor:
    found = sample.get(name)
    if found is None:
        raise CurateError(f"{sample.record.id}: has no {name}; holds {', '.join(sorted(sample.latents))}")
    return found


def _fps(sample: LatentSample) -> float:
    if not sample.record.latents.fps:
        raise CurateError(f"{sample.record.id}: its record gives no fps, wanted that of the video")
    return sample.record.latents.fps
