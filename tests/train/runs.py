"""What tests of training do: ask for a run, compare two, and begin one in a process of its own, which may be killed."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from curate.progress import Reporter
from curate.train.run import METRICS
from curate.train.start import Request, Trained, train

QUICK = {
    "rank": 4, "alpha": 4, "steps": 4, "checkpoint_every": 4, "learning_rate": 5e-3, "schedule": "constant",
    "first_stage_steps": None, "optimizer": "adamw", "quantize": None, "gradient_checkpointing": False, "sample_every": 0,
}  # fmt: skip


def asked(
    folder: Path, out: Path, cache: Path, *, resume: bool = False, quick: bool = True, **changes: Any
) -> Request:
    """A run of a few small steps, or what is `changed` of it; a run that goes on keeps what it has."""
    settings = changes if resume or not quick else QUICK | changes
    return Request(
        set_folder=folder,
        out=out,
        cache_root=cache,
        table=None,
        table_name=str(folder / "train.yaml"),
        changes=settings,
        resume=resume,
        allow=frozenset(),
    )


def run(folder: Path, out: Path, cache: Path, **options: Any) -> Trained:
    """Train as `curate train` does, without its words."""
    return train(asked(folder, out, cache, **options), Reporter(quiet=True))


class Interrupting(Reporter):
    """Sends this process a real Ctrl-C as a step begins."""

    def __init__(self, step: int) -> None:
        super().__init__(quiet=True)
        self._step = step

    def track(
        self, label: str, items: Iterable[Any], total: int, said: Callable[[], str] = str
    ) -> Iterator[Any]:
        for item in items:
            if item == self._step:
                os.kill(os.getpid(), signal.SIGINT)
            yield item


def rows(folder: Path, but: frozenset[str] = frozenset({"seconds"})) -> list[dict[str, Any]]:
    """The metrics of a run without the one thing that differs between two."""
    lines = (folder / METRICS).read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key not in but} for line in lines]


def result(folder: Path, step: int) -> tuple[bytes, bytes, list[dict[str, Any]]]:
    """All that two equal runs share, bit for bit: the LoRA file, the checkpoint, the metrics."""
    (lora,) = (folder / "lora").glob(f"*-step-{step:05d}.safetensors")
    state = folder / "checkpoints" / f"step-{step:05d}" / "state.safetensors"
    return lora.read_bytes(), state.read_bytes(), rows(folder)


def begin(target: Any, *arguments: Any) -> ForkServerProcess:
    """A function in a process of its own, forked from one that has imported what is slow to import."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "bitsandbytes", "peft", "diffusers.pipelines.ltx2"])
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def command_line(arguments: list[str], words: Path, environment: Mapping[str, str]) -> None:
    """`curate` as the shell starts it, what it says in a file; never returns."""
    from curate.cli import main

    with words.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.argv = ["curate", *arguments]
    os.environ.update(environment)
    main()
