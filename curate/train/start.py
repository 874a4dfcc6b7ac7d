"""From a folder and settings to a trained LoRA: what `curate train` does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.progress import Reporter
from curate.train import run as runs
from curate.train.config import TrainConfig, read_config
from curate.train.data import TrainingSet
from curate.train.lora import add_lora, smallest_width, target_modules
from curate.train.model import Captions, load_transformer, stack_of
from curate.train.optimizer import make_optimizer
from curate.train.trainer import Trainer

MINIATURE = (
    "the base is a miniature with random weights: this LoRA is for trying things out, no model can use it"
)
Sampler = Callable[[Path, Stack, Any], Callable[[int], None]]


@dataclass(frozen=True)
class Request:
    """What `curate train` was asked for."""

    set_folder: Path
    out: Path
    cache_root: Path
    table: str | None  # the text of --config
    table_name: str
    changes: Mapping[str, Any]  # --set
    resume: bool
    allow: frozenset[str]


@dataclass(frozen=True)
class Trained:
    """A run that ended."""

    folder: Path
    lora: Path
    steps: int
    wanted: int


def train(request: Request, reporter: Reporter, sampler: Sampler | None = None) -> Trained:
    """Train on a set. Raises CurateError for a set, a configuration or a run folder that cannot be used."""
    from accelerate import Accelerator

    dataset = TrainingSet(request.set_folder)
    _check_audit(dataset, request.allow)
    config = read_config(
        request.table if request.table is not None else dataset.table, request.table_name, request.changes
    )
    accelerator = Accelerator(
        log_with=list(config.trackers) or None,
        project_dir=str(request.out),
        cpu=not torch.cuda.is_available(),
    )
    reporter = reporter if accelerator.is_main_process else Reporter(quiet=True)
    stack = stack_of(dataset, config.model, request.cache_root)
    captions = Captions(stack, dataset)
    transformer, notes = load_transformer(stack, config)
    config, lowered = _fitted(config, request.changes, transformer, stack)
    parameters = add_lora(transformer, config)
    if config.gradient_checkpointing:
        transformer.enable_gradient_checkpointing()
    optimizer = make_optimizer(config, [p for _, p in parameters])
    run = runs.describe(
        dataset,
        stack.name,
        stack.trained,
        stack.part_sha("transformer"),
        device=stack.device.type,
        processes=accelerator.num_processes,
        notes=[*notes, *lowered, *optimizer.notes],
    )
    done = _opened(request, run, config, accelerator)
    if config.trackers:
        accelerator.init_trackers("curate", config={"recipe": run.recipe, **config.model_dump(mode="json", exclude={"sample", "trackers"})})  # fmt: skip
    for note in (*run.notes, *([] if stack.trained else [MINIATURE])):
        reporter.note(f"note: {note}")
    on_sample = sampler(request.out, stack, transformer) if sampler and config.sample_every else None
    trainer = Trainer(
        request.out, run, config, dataset, transformer, parameters, captions, optimizer, accelerator, reporter, on_sample
    )  # fmt: skip
    with _one_thread(stack.device):
        steps = trainer.fit(done)
    accelerator.end_training()
    return Trained(request.out, runs.lora_path(request.out, run.recipe, steps), steps, config.steps)


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """On the CPU sums over several threads may round differently on the next machine, and small ones are slower."""
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _opened(request: Request, run: runs.Run, config: TrainConfig, accelerator: Any) -> int:
    """The step to begin with. Only the first process writes; the others wait and then find the same."""
    with accelerator.main_process_first():
        if request.resume:
            return runs.go_on(request.out, run, config)
        if accelerator.is_main_process:
            runs.begin(request.out, run, config)
    return 0


def _check_audit(dataset: TrainingSet, allow: frozenset[str]) -> None:
    """A set with failures is trained on only when each is allowed by name; a control is made to fail."""
    if dataset.build.control:
        return
    failed = sorted({name.split(" ")[0] for name in dataset.build.audit.failed} - allow)
    if failed:
        raise CurateError(
            f"{dataset.folder}: its audit failed {', '.join(failed)}; to train on it all the same, --allow each"
        )


def _fitted(
    config: TrainConfig, changes: Mapping[str, Any], transformer: Any, stack: Stack
) -> tuple[TrainConfig, list[str]]:
    """The card's values as this machine and model can have them, and a note of each that differs.

    What was asked for with --set stays. The miniature's modules are narrower than most ranks; CPUs take several
    times longer in bfloat16.
    """
    changed, notes = dict[str, Any](), list[str]()
    width, whose = smallest_width(transformer, target_modules(config))
    if not stack.trained and config.rank > width and "rank" not in changes:
        changed |= {"rank": width, "alpha": config.alpha * width / config.rank}
        notes.append(f"rank: {width} instead of {config.rank}, the width of {whose} in the miniature")
    if stack.device.type == "cpu" and config.precision == "bf16" and "precision" not in changes:
        changed["precision"] = "fp32"
        notes.append("precision: fp32 instead of bf16, which is many times slower on a CPU")
    return config.model_copy(update=changed), notes
