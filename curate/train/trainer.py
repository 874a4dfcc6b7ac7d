"""The loop: read, noise, predict, step; checkpoints that a run can go on from as if it had never stopped.

One sample a forward pass, so sizes may differ; `accumulation` and processes make larger steps. Which sample, noise and
noise level a turn gets depends on its number alone, so two processes do what one does with twice the accumulation.
"""

import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from curate.errors import CurateError
from curate.files import write_atomic
from curate.progress import Reporter
from curate.records import SPLITS, Split, canonical, rng
from curate.train import lora
from curate.train.config import TrainConfig, learning_rate
from curate.train.data import LatentSample, TrainingSet, turn
from curate.train.flow import loss, noise_like, sigma_of
from curate.train.model import Captions
from curate.train.optimizer import Optimizer
from curate.train.run import METRICS, Run, lora_path, rows_until
from curate.train.state import load_checkpoint, save_checkpoint
from curate.train.strategy import Rope, strategy_of

FIXED_SAMPLES = 4  # of each split, at FIXED_SIGMAS: what the loss at fixed noise is the mean of
FIXED_SIGMAS = (0.3, 0.6, 0.9)


@dataclass(frozen=True)
class Turn:
    """What became of one sample of a step."""

    key: str
    id: str
    sigma: float
    video: float
    audio: float | None

    @property
    def total(self) -> float:
        """Video and audio loss together."""
        return self.video + (self.audio or 0.0)


@dataclass
class Trainer:
    """One run on one process. `accelerator` is Hugging Face's: it knows the other processes."""

    folder: Path
    run: Run
    config: TrainConfig
    dataset: TrainingSet
    transformer: Any
    parameters: Sequence[tuple[str, torch.nn.Parameter]]
    captions: Captions
    optimizer: Optimizer
    accelerator: Any
    reporter: Reporter
    on_sample: Callable[[int], None] | None = None
    _stopping: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._lay_out = strategy_of(self.dataset.build.strategy)
        self._rope = Rope(self.transformer)
        self._keys = self.dataset.keys("train")
        if not self._keys:
            raise CurateError(
                f"{self.dataset.folder}: has no samples to train on, {self.dataset.build.counts.heldout} held out"
            )

    def fit(self, done: int) -> int:
        """Train from step `done` on; the number of steps done in the end, fewer than asked for when interrupted.

        Raises CurateError when the loss is no longer a number or memory runs out; the last checkpoint stays.
        """
        if done:
            load_checkpoint(self.folder / "checkpoints", done, self.transformer, self.optimizer.torch)
        if self._main:
            write_atomic(self.folder / METRICS, rows_until(self.folder / METRICS, done))
        if not done:
            self._log(0, {"fixed_noise": self.fixed_noise()})
        started, first = time.monotonic(), done
        news = {"loss": math.nan}

        def said() -> str:
            return (
                f"loss {news['loss']:.4f}, {(time.monotonic() - started) / max(done - first, 1):.3g} s a step"
            )

        with self._until_interrupted():
            for step in self.reporter.track(
                "train", range(done, self.config.steps), self.config.steps - done, said
            ):
                news = self._step(step)
                done = step + 1
                last = done == self.config.steps or self._stops()
                if last or done % self.config.checkpoint_every == 0:
                    self._checkpoint(done)
                if self.on_sample and self.config.sample_every and done % self.config.sample_every == 0:
                    self.on_sample(done)
                if last:
                    break
        return done

    def _step(self, step: int) -> dict[str, float]:
        began = time.monotonic()
        self.transformer.train()
        with self._named_memory(step):
            turns = [self._turn(step, index) for index in self._indices(step)]
        turns = self._gathered(turns)
        norm = self._shared_norm()
        if not all(math.isfinite(t.total) for t in turns) or not math.isfinite(norm):
            self._broke(step, turns)
        rate = learning_rate(self.config, step)
        self.optimizer.step(rate)
        mean = sum(t.total for t in turns) / len(turns)
        row = {
            "loss": mean,
            "video_loss": sum(t.video for t in turns) / len(turns),
            "audio_loss": None if turns[0].audio is None else sum(t.audio or 0.0 for t in turns) / len(turns),
            "grad_norm": norm,
            "learning_rate": rate,
            "sigmas": [t.sigma for t in turns],
            "samples": [t.id for t in turns],
        }
        self._log(step + 1, row | {"seconds": round(time.monotonic() - began, 4)})
        return {"loss": mean}

    def _indices(self, step: int) -> range:
        """The turns of this process, counted over the whole run and all processes."""
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        begin = step * processes * self.config.accumulation
        return range(begin + rank, begin + processes * self.config.accumulation, processes)

    def _turn(self, step: int, index: int) -> Turn:
        """One sample forward and backward."""
        key = turn(self._keys, self.config.seed, index)
        sample = self.dataset.read("train", key)
        given = rng(self.config.seed, str(index), "first frame").random() < self.config.first_frame_p
        scene = self._lay_out(sample, self._rope, given)
        sigma = sigma_of(self.config.sigma, scene, self.config.seed, str(index))
        noise = noise_like(scene, self.config.seed, str(index))
        found = self._loss(sample, scene, sigma, noise)
        (found.total / self.config.accumulation).backward()
        return Turn(
            key,
            sample.record.id,
            sigma,
            found.video.item(),
            None if found.audio is None else found.audio.item(),
        )

    def _loss(self, sample: LatentSample, scene: Any, sigma: float, noise: Any) -> Any:
        device = self.transformer.device
        placed = (noise[0].to(device), noise[1].to(device) if noise[1] is not None else None)
        low = self.config.precision == "bf16"
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            return loss(
                self.transformer, scene.to(device), sigma, placed, self.captions(sample.record.caption)
            )

    @torch.no_grad()
    def fixed_noise(self) -> dict[str, float]:
        """The mean loss of a few samples of each split at noise that never changes: what falls when a LoRA learns."""
        self.transformer.eval()
        return {split: mean for split in SPLITS if (mean := self._fixed(split)) is not None}

    def _fixed(self, split: Split) -> float | None:
        ids = {self.dataset.read(split, key).record.id: key for key in self.dataset.keys(split)}
        drawn = sorted(ids, key=lambda name: (rng(self.config.seed, name, "fixed noise").random(), name))[
            :FIXED_SAMPLES
        ]
        found = list[float]()
        for name in drawn:
            sample = self.dataset.read(split, ids[name])
            scene = self._lay_out(sample, self._rope, False)
            noise = noise_like(scene, self.config.seed, name, "fixed")
            found += [float(self._loss(sample, scene, sigma, noise).total) for sigma in FIXED_SIGMAS]
        return sum(found) / len(found) if found else None

    def _gathered(self, turns: list[Turn]) -> list[Turn]:
        """The turns of all processes, in their order."""
        if self.accelerator.num_processes == 1:
            return turns
        from accelerate.utils import gather_object

        everyone: list[Turn] = gather_object(turns)  # by process, and within it by time
        each = len(turns)
        return [
            everyone[rank * each + place]
            for place in range(each)
            for rank in range(self.accelerator.num_processes)
        ]

    def _shared_norm(self) -> float:
        """Average gradients over the processes and clip them; their norm before."""
        gradients = [p.grad for _, p in self.parameters if p.grad is not None]
        if len(gradients) < len(self.parameters):
            name = next(name for name, p in self.parameters if p.grad is None)
            raise CurateError(
                f"{name} gets no gradient from this set: its targets do not reach it (config: targets)"
            )
        if self.accelerator.num_processes > 1:
            flat = self.accelerator.reduce(torch.cat([g.flatten() for g in gradients]), "mean")
            for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(part.view_as(gradient))
        return float(
            torch.nn.utils.clip_grad_norm_([p for _, p in self.parameters], self.config.max_grad_norm)
        )

    def _broke(self, step: int, turns: Sequence[Turn]) -> None:
        bad = [t.id for t in turns if not math.isfinite(t.total)] or [t.id for t in turns]
        held = self.folder / "checkpoints"
        raise CurateError(
            f"step {step + 1}: the loss is no longer a number, at sample {', '.join(bad)}; lower learning_rate "
            f"({self.config.learning_rate:g}); the last checkpoint in {held} stays as it is"
        )

    def _checkpoint(self, done: int) -> None:
        self._log(done, {"fixed_noise": self.fixed_noise()})
        if self._main:
            path = lora_path(self.folder, self.run.recipe, done)
            lora.save(
                path, lora.state(self.transformer), self.config.alpha / self.config.rank, self.metadata(done)
            )
            save_checkpoint(
                self.folder / "checkpoints",
                done,
                self.transformer,
                self.optimizer.torch,
                self.config.keep_checkpoints,
            )
        self.accelerator.wait_for_everyone()

    def metadata(self, step: int) -> dict[str, str]:
        """What the LoRA file says of itself; readers take all values as text."""
        said = {
            "base_model": self.config.base_model,
            "rank": str(self.config.rank),
            "alpha": f"{self.config.alpha:g}",
            "recipe": f"{self.run.recipe} {self.run.recipe_version}",
            "build_sha256": self.run.build_sha256,
            "strategy": self.run.strategy,
            "targets": ",".join(lora.target_modules(self.config)),
            "step": str(step),
            "curate": self.run.curate,
        }
        if self.run.control:
            said["control"] = self.run.control
        if not self.run.trained:
            said["untrained_base"] = "trained on a miniature with random weights: for trying things out only"
        if self.run.strategy.endswith("_reference"):
            said |= dict.fromkeys(("reference_downscale_factor", "reference_spatial_scale_factor", "reference_temporal_scale_factor"), "1")  # fmt: skip
        return said

    def _log(self, step: int, row: dict[str, Any]) -> None:
        if not self._main:
            return
        with (self.folder / METRICS).open("ab") as stream:
            stream.write(canonical({"step": step, **row}) + b"\n")
        if self.config.trackers:
            flat = {
                f"{k}/{split}": v for k, d in row.items() if isinstance(d, dict) for split, v in d.items()
            }
            numbers = {k: v for k, v in row.items() if isinstance(v, int | float)}
            self.accelerator.log(numbers | flat, step=step)

    @property
    def _main(self) -> bool:
        return bool(self.accelerator.is_main_process)

    def _stops(self) -> bool:
        """Whether any process was asked to stop."""
        if self.accelerator.num_processes == 1:
            return self._stopping
        asked = torch.tensor([int(self._stopping)], device=self.accelerator.device)
        return bool(self.accelerator.reduce(asked, "sum").item())

    @contextmanager
    def _until_interrupted(self) -> Iterator[None]:
        """Within it Ctrl-C lets the step end and a checkpoint be written; a second one stops at once."""

        def stop(number: int, _: FrameType | None) -> None:
            if self._stopping:
                raise KeyboardInterrupt
            self._stopping = True
            self.reporter.note("stopping after this step (again: at once)")

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def _named_memory(self, step: int) -> Iterator[None]:
        """Turn running out of memory into a line that says what to lower."""
        try:
            yield
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise CurateError(f"step {step + 1}: out of memory; {self._lower()}") from error
        except RuntimeError as error:
            if "not enough memory" not in str(error) and "DefaultCPUAllocator" not in str(error):
                raise
            raise CurateError(f"step {step + 1}: out of memory; {self._lower()}") from error

    def _lower(self) -> str:
        left = [] if self.config.gradient_checkpointing else ["--set gradient_checkpointing=true"]
        left += [] if self.config.quantize else ["--set quantize=int8"]
        left += [] if self.config.optimizer == "adamw8bit" else ["--set optimizer=adamw8bit"]
        return "lower it with " + ", ".join(
            [*left, f"--set rank (now {self.config.rank})", "or fewer frames in the set"]
        )
