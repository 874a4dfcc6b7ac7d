"""What `curate sample RUN` does: open the run, its set and its model, and generate the rows that are not there yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.manifest import MANIFEST
from curate.progress import Reporter
from curate.sample.gallery import BASE, Gallery
from curate.train import run as runs
from curate.train.config import TrainConfig, changed
from curate.train.data import TrainingSet
from curate.train.guard import naming_memory
from curate.train.lora import read_file
from curate.train.model import load_transformer, stack_of
from curate.train.state import name_of

SAMPLES = "samples"
WAYS = ("fewer frames (--set sample.frames=25)", "or a run with quantize=int8")  # to need less memory


@dataclass(frozen=True)
class Opened:
    """A run with everything that sampling needs but the transformer, which comes last: it takes most memory."""

    folder: Path
    run: runs.Run
    config: TrainConfig
    dataset: TrainingSet
    stack: Stack
    loras: Mapping[int, Path]
    asked: frozenset[str]  # settings given with --set

    def transformer(self) -> Any:
        """The base model as the run had it."""
        return load_transformer(self.stack, self.config)


def opened(folder: Path, set_folder: Path | None, changes: Mapping[str, Any], cache_root: Path) -> Opened:
    """A run, its LoRA files and its set. `set_folder` is where the set is now, if it was moved.

    Raises CurateError for a folder that is no run, a run without LoRA files yet, and a set or model that is not its.
    """
    run, config = runs.open_run(folder)
    if strange := sorted(key for key in changes if not key.startswith("sample.")):
        raise CurateError(f"--set {strange[0]}: sampling has settings that begin with 'sample.' only")
    config = changed(config, changes, str(folder / runs.CONFIG))
    dataset = TrainingSet(set_folder or Path(run.set_folder))
    if dataset.sha256 != run.build_sha256:
        raise CurateError(
            f"{dataset.folder / MANIFEST}: is not the set that {folder} trained on; say where that is with --data"
        )
    loras = runs.loras(folder)
    if not loras:
        raise CurateError(f"{folder}: has no LoRA files yet; train to a checkpoint first")
    for step, path in loras.items():
        said = read_file(path)[1]
        if (said.get("build_sha256"), said.get("step")) != (run.build_sha256, str(step)):
            raise CurateError(
                f"{path}: is of step {said.get('step')} of another run, wanted step {step} of {folder}"
            )
    stack = stack_of(dataset, config.model, cache_root)
    if stack.part_sha("transformer") != run.transformer_sha256:
        raise CurateError(f"{folder}: trained on another transformer than that of {stack.name}")
    return Opened(folder, run, config, dataset, stack, loras, frozenset(changes))


def refuse(run: Opened, why: Mapping[str, str]) -> None:
    """Raises CurateError for a setting of `sample` that was asked for and would have no effect."""
    for name, reason in why.items():
        if f"sample.{name}" in run.asked:
            raise CurateError(f"--set sample.{name}: {reason}")


def look(run: Opened, reporter: Reporter) -> Path:
    """Every row of the run: the base model, then each LoRA file. The contact sheet."""
    refuse(run, dict.fromkeys(("sweep_tones", "sweep_sources", "sweep_seeds"), "is for --sweep"))
    with naming_memory("sampling", WAYS):
        gallery = _gallery(run.folder, run.dataset, run.config, run.stack, reporter)
        transformer = run.transformer()
        gallery.row(transformer, None, BASE)
        for step, path in sorted(run.loras.items()):
            gallery.row(transformer, path, name_of(step))
        return gallery.sheet()


def while_training(
    folder: Path, dataset: TrainingSet, config: TrainConfig, stack: Stack, reporter: Reporter
) -> Callable[[int, Any, Path], None]:
    """What the trainer calls every `sample_every` steps: a row, and the base model's row for comparison."""
    with naming_memory("preparing samples", WAYS):
        gallery = _gallery(folder, dataset, config, stack, reporter)

    def show(step: int, transformer: Any, lora: Path) -> None:
        gallery.row(transformer, None, BASE)
        gallery.row(transformer, lora, name_of(step))
        stack.forget("vae", "audio_vae", "vocoder")  # until the next row, training has the memory

    return show


def _gallery(
    folder: Path, dataset: TrainingSet, config: TrainConfig, stack: Stack, reporter: Reporter
) -> Gallery:
    return Gallery(
        folder / SAMPLES,
        dataset,
        config.sample,
        stack,
        f"{stack.part_sha('transformer')} {config.precision} {config.quantize}",
        reporter,
    )
