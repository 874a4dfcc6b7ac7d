"""The loop: turns, a step, a row of metrics; checkpoints from which a run goes on as if it had never stopped.

One sample a forward pass, so sizes may differ; `accumulation` and processes make larger steps.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch

from curate.errors import CurateError
from curate.files import write_atomic
from curate.progress import Reporter
from curate.records import canonical
from curate.train import lora, together
from curate.train.config import TrainConfig, learning_rate
from curate.train.guard import naming_memory, stoppable, training_ways
from curate.train.objective import Objective, Turn
from curate.train.optimizer import step as take_step
from curate.train.run import METRICS, Run, last_step, lora_metadata, lora_path, rows_until
from curate.train.state import load_checkpoint, save_checkpoint

Show = Callable[[int, Any, Path], None]  # of a step, with the transformer and the LoRA file


@dataclass
class Trainer:
    """One run on one process."""

    folder: Path
    run: Run
    config: TrainConfig
    objective: Objective
    transformer: Any
    parameters: Sequence[torch.nn.Parameter]
    optimizer: torch.optim.Optimizer
    accelerator: Any
    reporter: Reporter
    show: Show | None = None

    def fit(self, done: int) -> int:
        """Train from step `done` on; the number of steps done in the end, fewer than asked for when interrupted.

        Raises CurateError when the loss is no longer a number or memory runs out; the last checkpoint stays.
        """
        with naming_memory("before the first step", training_ways(self.config)):
            self._begin(done)
        first, started, news = done, time.monotonic(), math.nan

        def said() -> str:
            each = (time.monotonic() - started) / max(done - first, 1)
            return "" if math.isnan(news) else f"loss {news:.4f}, {each:.3g} s a step"

        steps = range(done, self.config.steps)
        with stoppable(self.reporter.note) as stop:
            for step in self.reporter.track("train", steps, len(steps), said):
                with naming_memory(f"step {step + 1}", training_ways(self.config)):
                    turns = self._step(step)
                    done, news = step + 1, _mean(turn.total for turn in turns)
                    stopped = together.anyone(self.accelerator, stop.asked)
                    self._keep(done, turns, stopped)
                if stopped:
                    break
        return done

    def _begin(self, done: int) -> None:
        if done:
            load_checkpoint(self.folder / "checkpoints", done, self.transformer, self.optimizer)
        self.transformer.train()
        together.first_of_all(self.accelerator, lambda: self._open_metrics(done))

    def _open_metrics(self, done: int) -> None:
        """Rows of steps that no checkpoint has are dropped: they come again."""
        write_atomic(self.folder / METRICS, rows_until(self.folder / METRICS, done) if done else b"")
        if not done:
            found = self.objective.fixed_noise()
            if not all(math.isfinite(value) for value in found.values()):
                raise CurateError(f"before the first step the loss at fixed noise is {found}, wanted numbers")
            self._log(0, {"fixed_noise": found})

    def _step(self, step: int) -> list[Turn]:
        began = time.monotonic()
        mine = [self.objective.turn(index) for index in together.share(self.accelerator, step, self.config.accumulation)]  # fmt: skip
        turns = together.gathered(self.accelerator, mine)
        together.average_gradients(self.accelerator, self.parameters)
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self.config.max_grad_norm))
        if not math.isfinite(norm + sum(turn.total for turn in turns)):
            self._broke(step + 1, "the loss or its gradient", turns)
        rate = learning_rate(self.config, step)
        take_step(self.optimizer, rate)
        self._log(step + 1, _row(turns) | {"grad_norm": norm, "learning_rate": rate, "seconds": round(time.monotonic() - began, 4)})  # fmt: skip
        return turns

    def _keep(self, done: int, turns: Sequence[Turn], stopped: bool) -> None:
        """Write what a step leaves behind: at every checkpoint, at the end, when stopped and when shown."""
        due = done % self.config.checkpoint_every == 0 or done == self.config.steps
        shown = self.config.sample_every > 0 and done % self.config.sample_every == 0
        if due or stopped or shown:
            together.first_of_all(
                self.accelerator, lambda: self._save(done, turns, due, stopped or due, shown)
            )

    def _save(self, done: int, turns: Sequence[Turn], due: bool, whole: bool, shown: bool) -> None:
        self._check(done, turns, self.objective.fixed_noise() if due else {})
        path = lora_path(self.folder, self.run.recipe, done)
        scale = self.config.alpha / self.config.rank
        lora.save(path, lora.state(self.transformer), scale, lora_metadata(self.run, self.config, done))
        if whole:
            folder = self.folder / "checkpoints"
            save_checkpoint(folder, done, self.transformer, self.optimizer, self.config.keep_checkpoints)
        if shown and self.show is not None:
            self.show(done, self.transformer, path)
            self.transformer.train()

    def _check(self, done: int, turns: Sequence[Turn], fixed_noise: dict[str, float]) -> None:
        """A step can ruin the adapter before any loss shows it: nothing that is not a number is saved."""
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.parameters):
            self._broke(done, "the adapter", turns)
        if not all(math.isfinite(value) for value in fixed_noise.values()):
            self._broke(done, "the loss at fixed noise", turns)
        if fixed_noise:
            self._log(done, {"fixed_noise": fixed_noise})

    def _broke(self, step: int, what: str, turns: Sequence[Turn]) -> NoReturn:
        bad = [turn.id for turn in turns if not math.isfinite(turn.total)] or [turn.id for turn in turns]
        last = last_step(self.folder)
        kept = f"the checkpoint of step {last} stays as it is" if last else "there is no checkpoint yet"
        raise CurateError(
            f"step {step}: {what} is no longer a number, at sample {', '.join(bad)}; lower learning_rate "
            f"({self.config.learning_rate:g}); {kept}"
        )

    def _log(self, step: int, row: dict[str, Any]) -> None:
        if not self._main:
            return
        try:
            with (self.folder / METRICS).open("ab") as stream:
                stream.write(canonical({"step": step, **row}) + b"\n")
        except OSError as error:
            raise CurateError(f"cannot write {self.folder / METRICS}: {error.strerror}") from error
        if self.config.trackers:
            parts = {f"{key}/{name}": value for key, part in row.items() if isinstance(part, dict) for name, value in part.items()}  # fmt: skip
            numbers = {key: value for key, value in row.items() if isinstance(value, int | float)}
            self.accelerator.log(numbers | parts, step=step)

    @property
    def _main(self) -> bool:
        return bool(self.accelerator.is_main_process)


def _row(turns: Sequence[Turn]) -> dict[str, Any]:
    heard = [turn.audio for turn in turns if turn.audio is not None]
    return {
        "loss": _mean(turn.total for turn in turns),
        "video_loss": _mean(turn.video for turn in turns),
        "audio_loss": _mean(heard) if heard else None,
        "sigmas": [turn.sigma for turn in turns],
        "samples": [turn.id for turn in turns],
    }


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
