"""What one turn trains: a sample of the set at a noise level, through the transformer, to a loss.

Which sample, noise and noise level a turn gets depends on its number alone, so a run can stop and go on anywhere, and
two processes do what one does with twice the accumulation.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from curate.records import SPLITS, Split, rng
from curate.train.config import TrainConfig
from curate.train.data import LatentSample, TrainingSet, turn
from curate.train.flow import Loss, loss, noise_like, sigma_of
from curate.train.model import Captions
from curate.train.strategy import Rope, Scene, strategy_of

FIXED_SAMPLES = 4  # of each split, at FIXED_SIGMAS: what the loss at fixed noise is the mean of
FIXED_SIGMAS = (0.3, 0.6, 0.9)


@dataclass(frozen=True)
class Turn:
    """What became of one sample of a step."""

    id: str
    sigma: float
    video: float
    audio: float | None  # None for a silent sample

    @property
    def total(self) -> float:
        """Video and audio loss together."""
        return self.video + (self.audio or 0.0)


class Objective:
    """The training side of a set and the loss on it. Raises CurateError for a strategy that is unknown."""

    def __init__(
        self, dataset: TrainingSet, transformer: Any, captions: Captions, config: TrainConfig
    ) -> None:
        self._dataset, self._transformer, self._captions, self._config = (
            dataset,
            transformer,
            captions,
            config,
        )
        self._device = transformer.device  # diffusers looks for it in every module, each time it is asked
        self._lay_out = strategy_of(dataset.build.strategy)
        self._rope = Rope(transformer)
        self._keys = dataset.keys("train")

    def turn(self, index: int) -> Turn:
        """Turn `index` of the run, forward and backward; gradients add up to the mean over a process's share."""
        seed, own = self._config.seed, str(index)
        sample = self._dataset.read("train", turn(self._keys, seed, index))
        given = rng(seed, own, "first frame").random() < self._config.first_frame_p
        scene = self._lay_out(sample, self._rope, given)
        sigma = sigma_of(self._config.sigma, scene, seed, own)
        found = self._loss(sample, scene, sigma, noise_like(scene, seed, own))
        torch.autograd.backward(found.total / self._config.accumulation)
        heard = None if found.audio is None else found.audio.item()
        return Turn(sample.record.id, sigma, found.video.item(), heard)

    @torch.no_grad()
    def fixed_noise(self) -> dict[str, float]:
        """The mean loss of a few samples of each split at noise that never changes: what falls when a LoRA learns."""
        self._transformer.eval()
        found = {
            split: [x for key in keys for x in self._fixed(split, key)] for split, keys in self._drawn.items()
        }
        self._transformer.train()
        return {split: sum(losses) / len(losses) for split, losses in found.items() if losses}

    @cached_property
    def _drawn(self) -> dict[Split, list[str]]:
        """The keys of the samples with a fixed noise, drawn by their ids."""
        drawn = dict[Split, list[str]]()
        for split in SPLITS:
            ids = {self._dataset.record(split, key).id: key for key in self._dataset.keys(split)}
            order = sorted(ids, key=lambda name: (rng(self._config.seed, name, "fixed noise").random(), name))
            drawn[split] = [ids[name] for name in order[:FIXED_SAMPLES]]
        return drawn

    def _fixed(self, split: Split, key: str) -> list[float]:
        sample = self._dataset.read(split, key)
        scene = self._lay_out(sample, self._rope, False)
        noise = noise_like(scene, self._config.seed, sample.record.id, "fixed")
        return [float(self._loss(sample, scene, sigma, noise).total) for sigma in FIXED_SIGMAS]

    def _loss(
        self,
        sample: LatentSample,
        scene: Scene,
        sigma: float,
        noise: tuple[torch.Tensor, torch.Tensor | None],
    ) -> Loss:
        device, low = self._device, self._config.precision == "bf16"
        placed = (noise[0].to(device), None if noise[1] is None else noise[1].to(device))
        text = self._captions(sample.record.caption)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            return loss(self._transformer, scene.to(device), sigma, placed, text)
