"""From a folder and settings to a trained LoRA: what `curate train` does."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch

from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.progress import Reporter
from curate.records import sha256_of
from curate.train import run as runs
from curate.train import together
from curate.train.config import TrainConfig, changed, fixed, read_config
from curate.train.data import TrainingSet
from curate.train.fitted import check_reach, check_trackers, narrowed, without_extras
from curate.train.guard import naming_memory, training_ways
from curate.train.lora import add_lora
from curate.train.model import Captions, load_transformer, stack_of
from curate.train.objective import Objective
from curate.train.optimizer import make_optimizer
from curate.train.strategy import strategy_of
from curate.train.trainer import Show, Trainer

MINIATURE = (
    "the base is a miniature with random weights: this LoRA is for trying things out, no model can use it"
)
REFERENCES = {"audio_reference": "reference_audio_latents", "video_reference": "reference_video_latents"}
PATIENCE = timedelta(hours=3)  # of the other processes while the first one generates samples
Sampler = Callable[[Path, TrainingSet, TrainConfig, Stack, Reporter], Show]


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
    """A run that ended, or was stopped after `steps` of the steps `wanted`."""

    folder: Path
    lora: Path
    steps: int
    wanted: int
    first: bool  # of several processes only the first one has to say so


def train(request: Request, reporter: Reporter, sampler: Sampler | None = None) -> Trained:
    """Train on a set. Raises CurateError for a set, a configuration or a run folder that cannot be used."""
    dataset = TrainingSet(request.set_folder)
    own, out = (os.path.realpath(path) for path in (request.set_folder, request.out))
    if os.path.commonpath([own, out]) == own:
        raise CurateError(
            f"{request.out}: is in the set {request.set_folder}, which would not be whole then; choose another --out"
        )
    _check_set(dataset, request.allow)
    config = _wanted(request, dataset)
    check_trackers(config)
    accelerator = _accelerator(request.out, config)
    if not request.resume:  # before a model of 40 GB is loaded in vain
        together.first_of_all(accelerator, lambda: runs.check_free(request.out))
    reporter = reporter if accelerator.is_main_process else Reporter(quiet=True)
    stack = stack_of(dataset, config.model, request.cache_root)
    known = request.resume and request.table is None  # its config.yaml has what this machine could do
    config, notes = (config, []) if known else without_extras(config, request.changes, stack)
    with _one_thread(stack.device), ExitStack() as lock:
        if not request.resume or (request.out / runs.RUN).is_file():
            together.first_of_all(accelerator, lambda: lock.enter_context(runs.held(request.out)))
        show = None
        # before the transformer: prompts want Gemma
        if sampler and config.sample_every and accelerator.is_main_process:
            show = sampler(request.out, dataset, config, stack, reporter)
        trainer, done = _prepared(request, dataset, config, notes, stack, accelerator, reporter)
        trainer.show = show
        steps = trainer.fit(done)
    accelerator.end_training()
    lora = runs.lora_path(request.out, trainer.run.recipe, steps)
    return Trained(request.out, lora, steps, config.steps, bool(accelerator.is_main_process))


def _prepared(
    request: Request, dataset: TrainingSet, config: TrainConfig, notes: list[str], stack: Stack, accelerator: Any,
    reporter: Reporter,
) -> tuple[Trainer, int]:  # fmt: skip
    """Everything loaded and the run folder opened, and the step to begin with."""
    with naming_memory("while loading the model", training_ways(config)):
        captions = Captions(stack, dataset)
        transformer = load_transformer(stack, config)
        config, less = narrowed(config, request.changes, transformer, stack)
        check_reach(config, dataset, transformer)
        parameters = [parameter for _, parameter in add_lora(transformer, config)]
    if config.gradient_checkpointing:
        transformer.enable_gradient_checkpointing()
    run = runs.describe(
        dataset,
        stack.name,
        stack.trained,
        stack.part_sha("transformer"),
        device=stack.device.type,
        processes=accelerator.num_processes,
        notes=[*notes, *less],
        allowed=sorted(request.allow),
        settings_sha256=sha256_of(fixed(config)),
    )
    done = _opened(request, run, config, accelerator)
    if config.trackers:
        _begin_trackers(request.out, run, config, accelerator)
    for note in (*run.notes, *([] if stack.trained else [MINIATURE])):
        reporter.note(f"note: {note}")
    objective = Objective(dataset, transformer, captions, config)
    optimizer = make_optimizer(config, parameters)
    trainer = Trainer(
        request.out, run, config, objective, transformer, parameters, optimizer, accelerator, reporter
    )
    return trainer, done


def _begin_trackers(out: Path, run: runs.Run, config: TrainConfig, accelerator: Any) -> None:
    values = config.model_dump(mode="json", exclude={"sample", "targets", "trackers"})
    try:
        accelerator.init_trackers(
            "curate", config={"recipe": run.recipe, **values}, init_kwargs={"wandb": {"dir": str(out)}}
        )
    except Exception as error:  # a tracker has errors of its own: no key, no network, no space
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise CurateError(f"trackers: {', '.join(config.trackers)} cannot begin: {said}") from error


def _check_set(dataset: TrainingSet, allow: frozenset[str]) -> None:
    """A set with failures is trained on only when each is allowed by name; a control is made to fail."""
    strategy_of(dataset.build.strategy)
    if not dataset.keys("train"):
        held = dataset.build.counts.heldout
        raise CurateError(f"{dataset.folder}: has no samples to train on, {held} held out")
    stopped = {name.split(" ")[0] for name in dataset.build.audit.failed}
    if strange := sorted(allow - stopped):
        raise CurateError(
            f"--allow {strange[0]}: of {dataset.folder} failed {', '.join(sorted(stopped)) or 'nothing'}"
        )
    wanted = REFERENCES.get(dataset.build.strategy)
    for record in dataset.records("train") if wanted and dataset.build.control != "caption-only" else ():
        if wanted not in record.latents.shapes():
            raise CurateError(
                f"{dataset.folder}: {record.id} has no {wanted}, which {dataset.build.strategy} wants"
            )
    failed = sorted(stopped - allow)
    if failed and not dataset.build.control:
        raise CurateError(
            f"{dataset.folder}: its audit failed {', '.join(failed)}; to train on it all the same, --allow each"
        )


def _wanted(request: Request, dataset: TrainingSet) -> TrainConfig:
    """The values asked for: a run that goes on has its own, a new one those of --config or of the set."""
    if request.table is not None:
        return read_config(request.table, request.table_name, request.changes)
    if request.resume:
        return changed(runs.open_run(request.out)[1], request.changes, str(request.out / runs.CONFIG))
    return read_config(dataset.table, request.table_name, request.changes)


def _accelerator(out: Path, config: TrainConfig) -> Any:
    from accelerate import Accelerator
    from accelerate.utils import InitProcessGroupKwargs

    return Accelerator(
        log_with=list(config.trackers) or None,
        project_dir=str(out),
        cpu=not torch.cuda.is_available(),
        kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
    )


def _opened(request: Request, run: runs.Run, config: TrainConfig, accelerator: Any) -> int:
    """The step to begin with, the run folder made or found as it must be."""

    def work() -> int:
        if not request.resume:
            runs.begin(request.out, run, config)
            return 0
        done = runs.go_on(request.out, run, config)
        runs.write_config(request.out, config)
        runs.write_run(request.out, run)
        return done

    return together.first_of_all(accelerator, work)


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
