"""The folder of a run: what is in it, and whether what is asked for now is the run that it holds.

RUN/  run.json          which set and model, versions, what is not as configured
      config.yaml       every value of the run
      metrics.jsonl     a line a step, and the loss at fixed noise at the start and at every checkpoint
      checkpoints/      step-00500/, the last few, for --resume
      lora/             NAME-step-00500.safetensors, all of them, for ComfyUI and LTX-2 pipelines
      samples/          what `curate sample` generated
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

import curate
from curate.errors import CurateError
from curate.files import write_atomic
from curate.manifest import pretty, read_record
from curate.records import Record, Sha256
from curate.train.config import TrainConfig, differing, read_config
from curate.train.data import TrainingSet
from curate.train.lora import read_file, target_modules
from curate.train.state import checkpoints

LIBRARIES = ("accelerate", "diffusers", "peft", "torch", "transformers")
CONFIG, METRICS, RUN, LOCK = "config.yaml", "metrics.jsonl", "run.json", ".lock"


class Run(Record):
    """`run.json`: where a run came from. Unlike a set it belongs to one machine, so it may name a path."""

    curate: str
    set_folder: str
    build_sha256: Sha256
    recipe: str
    recipe_version: int
    strategy: str
    control: str | None
    model: str
    trained: bool
    transformer_sha256: Sha256
    made_with: dict[str, str]
    device: str
    processes: int
    notes: list[str]
    allowed: list[str] = Field(description="Findings of the set that had failed, and were let pass by name.")
    settings_sha256: Sha256 = Field(
        description="Of the values that shape the weights, which config.yaml has."
    )


def describe(dataset: TrainingSet, model: str, trained: bool, transformer: str, **found: Any) -> Run:
    """The record of a run about to start."""
    build = dataset.build
    return Run(
        curate=curate.__version__,
        set_folder=os.fsencode(os.path.realpath(dataset.folder)).decode("utf-8", "backslashreplace"),
        build_sha256=dataset.sha256,
        recipe=build.recipe,
        recipe_version=build.recipe_version,
        strategy=build.strategy,
        control=build.control,
        model=model,
        trained=trained,
        transformer_sha256=transformer,
        made_with={name: version(name) for name in LIBRARIES},
        **found,
    )


def check_free(folder: Path) -> None:
    """Raises CurateError where a new run would meet anything."""
    if folder.exists() and not folder.is_dir():
        raise CurateError(f"{folder}: is a file, wanted a folder for the run")
    if (folder / RUN).is_file():
        done = max(last_step(folder), *loras(folder), 0)
        if not done:
            return  # it never came to its first step: nothing is lost
        raise CurateError(
            f"{folder}: holds a run at step {done}; go on with --resume, or choose another --out"
        )
    if folder.is_dir() and any(path.name != LOCK for path in folder.iterdir()):
        raise CurateError(f"{folder}: is not empty and holds no run; wanted a new or empty folder")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Within it no other `curate train` can work in the folder; a process that dies lets go. Raises CurateError."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CurateError(f"{folder}: another `curate train` is at work in it") from error
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)
            if not (folder / RUN).is_file():  # it came to nothing, and leaves nothing
                with suppress(OSError):
                    folder.rmdir()


def begin(folder: Path, run: Run, config: TrainConfig) -> None:
    """A new run in an empty or new folder. Raises CurateError where anything is in it."""
    check_free(folder)
    write_config(folder, config)
    write_atomic(folder / RUN, pretty(run))  # last: with it the folder is a run


def write_config(folder: Path, config: TrainConfig) -> None:
    """Every value of the run as YAML, in the order of the class."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_atomic(folder / CONFIG, text.encode())


def write_run(folder: Path, run: Run) -> None:
    """A run that goes on, with what is new about it: notes are added to, never lost."""
    was = read_record(folder / RUN, Run)
    newer = [
        f"{name} {old} -> {run.made_with[name]} after step {last_step(folder)}: other bits may follow"
        for name, old in was.made_with.items()
        if run.made_with[name] != old
    ]
    notes = list(dict.fromkeys([*was.notes, *run.notes, *newer]))
    write_atomic(folder / RUN, pretty(was.model_copy(update={"notes": notes, "made_with": run.made_with})))


def go_on(folder: Path, run: Run, config: TrainConfig) -> int:
    """The step from which a run goes on. Raises CurateError naming what is not as it was when it began."""
    was, before = open_run(folder)
    for name in ("build_sha256", "transformer_sha256", "processes", "device"):
        if getattr(was, name) != getattr(run, name):
            told = [str(getattr(each, name))[:16] for each in (was, run)]
            raise CurateError(f"{folder}: cannot go on: {name} was {told[0]}, is now {told[1]}")
    if changed := differing(before, config):
        raise CurateError(f"{folder}: cannot go on with another configuration: {'; '.join(changed)}")
    if was.settings_sha256 != run.settings_sha256:
        raise CurateError(
            f"{folder / CONFIG}: was changed since the run began; put it back, or choose another --out"
        )
    done = last_step(folder)
    if not done and (there := loras(folder)):
        raise CurateError(
            f"{folder}: has a LoRA of step {max(there)} but no checkpoint to go on from; choose another --out"
        )
    if done >= config.steps:
        raise CurateError(f"{folder}: all {config.steps} steps are done")
    return done


def open_run(folder: Path) -> tuple[Run, TrainConfig]:
    """What a folder says of its run. Raises CurateError for a folder that is none."""
    if not (folder / RUN).is_file():
        raise CurateError(f"{folder}: no {RUN} in it, wanted a run made by `curate train`")
    try:
        text = (folder / CONFIG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CurateError(f"{folder / CONFIG}: cannot be read") from error
    return read_record(folder / RUN, Run), read_config(text, str(folder / CONFIG), {})


def last_step(folder: Path) -> int:
    """Steps done at the last checkpoint, 0 without one."""
    return max(checkpoints(folder / "checkpoints"), default=0)


def lora_path(folder: Path, recipe: str, step: int) -> Path:
    """Where the LoRA file of a step is."""
    return folder / "lora" / f"{recipe}-step-{step:05d}.safetensors"


def loras(folder: Path) -> dict[int, Path]:
    """The LoRA files of a run by step, rising. Raises CurateError for one that cannot be read."""
    found = dict[int, Path]()
    for path in (folder / "lora").glob("*-step-*.safetensors"):
        step = path.stem.rpartition("-")[2]
        if step.isdecimal():
            read_file(path)
            found[int(step)] = path
    return dict(sorted(found.items()))


def lora_metadata(run: Run, config: TrainConfig, step: int) -> dict[str, str]:
    """What the LoRA file of a step says of itself; its readers take all values as text."""
    said = {
        "base_model": config.base_model,
        "trained_on": run.model,
        "transformer_sha256": run.transformer_sha256,
        "rank": str(config.rank),
        "alpha": f"{config.alpha:g}",
        "recipe": f"{run.recipe} {run.recipe_version}",
        "build_sha256": run.build_sha256,
        "strategy": run.strategy,
        "targets": ",".join(target_modules(config)),
        "step": str(step),
        "curate": run.curate,
    }
    if run.allowed:
        said["allowed"] = ",".join(run.allowed)
    if run.strategy == "audio_reference":
        said["reference_audio_positions"] = config.reference_audio_positions
    if run.control:
        said["control"] = run.control
    if not run.trained:
        said["untrained_base"] = "trained on a miniature with random weights: for trying things out only"
    if run.strategy.endswith("_reference"):  # as LTX-2's own trainer writes them
        said |= {f"reference_{what}_factor": "1" for what in ("downscale", "spatial_scale", "temporal_scale")}
    return said


def rows_until(path: Path, step: int) -> bytes:
    """The rows of a metrics file up to and including `step`; rows of a run that died later are dropped."""
    kept = list[bytes]()
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + b"\n")
        except (ValueError, KeyError, TypeError):
            continue  # a torn last line
    return b"".join(kept)


def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of a run's metrics. Raises CurateError where they cannot be read."""
    try:
        return [json.loads(line) for line in (folder / METRICS).read_bytes().splitlines()]
    except (OSError, ValueError) as error:
        raise CurateError(f"{folder / METRICS}: cannot be read: {error}") from error


def fixed_noise(folder: Path) -> list[dict[str, Any]]:
    """The first and the last row with the loss at fixed noise. Raises CurateError where there is none."""
    found = [row for row in rows(folder) if "fixed_noise" in row]
    if not found:
        raise CurateError(f"{folder / METRICS}: has no loss at fixed noise")
    return [found[0], found[-1]]
