"""What the trainer adds to a step: ours against a bare forward, backward and optimizer step of the same model.

    python -m benchmarks.train SET [--pairs 30]

Both work on the same sample of the set, with the same adapter and optimizer; steps alternate, so that load hits both.
The bare loop has its tokens, noise and text ready in memory and writes nothing; ours reads from the shard, lays out,
draws noise, clips, and writes its line of metrics.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch

from curate.encode.stack import Stack
from curate.progress import Reporter
from curate.train import run as runs
from curate.train.config import read_config
from curate.train.data import TrainingSet
from curate.train.flow import loss, noise_like
from curate.train.lora import add_lora
from curate.train.model import Captions, load_transformer, stack_of
from curate.train.objective import Objective
from curate.train.optimizer import make_optimizer
from curate.train.strategy import Rope, strategy_of
from curate.train.trainer import Trainer


def ours(dataset: TrainingSet, folder: Path, cache: Path) -> tuple[Trainer, Captions, Stack]:
    """A trainer that is ready to step, as `curate train` sets it up."""
    from accelerate import Accelerator

    changes = {"precision": "fp32", "optimizer": "adamw", "quantize": None, "gradient_checkpointing": False}
    config = read_config(dataset.table, "train.yaml", changes)
    stack = stack_of(dataset, None, cache)
    captions = Captions(stack, dataset)
    transformer = load_transformer(stack, config)
    parameters = [parameter for _, parameter in add_lora(transformer, config)]
    run = runs.describe(
        dataset, stack.name, stack.trained, "0" * 64, device="cpu", processes=1, notes=[], allowed=[]
    )
    trainer = Trainer(
        folder, run, config, Objective(dataset, transformer, captions, config), transformer, parameters,
        make_optimizer(config, parameters), Accelerator(cpu=True), Reporter(quiet=True),
    )  # fmt: skip
    transformer.train()
    return trainer, captions, stack


def bare(dataset: TrainingSet, trainer: Trainer, captions: Captions, stack: Stack) -> Callable[[], None]:
    """A function that does one step of a loop that does nothing else."""
    transformer = load_transformer(stack, trainer.config)
    parameters = [p for _, p in add_lora(transformer, trainer.config)]
    sample = dataset.read("train", dataset.keys("train")[0])
    scene = strategy_of(dataset.build.strategy)(sample, Rope(transformer), False)
    noise, text = noise_like(scene, 0, "bare"), captions(sample.record.caption)
    optimizer = torch.optim.AdamW(parameters, lr=trainer.config.learning_rate)
    transformer.train()

    def step() -> None:
        loss(transformer, scene, 0.6, noise, text).total.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


@click.command()
@click.argument("set_folder", type=click.Path(path_type=Path))
@click.option("--pairs", default=30, show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), required=True, help="The cache of curate.")
def main(set_folder: Path, pairs: int, cache: Path) -> None:
    """Print both step times and their ratio."""
    torch.set_num_threads(1)
    dataset = TrainingSet(set_folder)
    with tempfile.TemporaryDirectory() as folder:
        trainer, captions, stack = ours(dataset, Path(folder), cache)
        step = bare(dataset, trainer, captions, stack)
        times: dict[str, list[float]] = {"bare": [], "ours": []}
        for number in range(pairs + 2):
            for name, function in (("bare", step), ("ours", lambda: trainer._step(number))):  # noqa: B023
                began = time.perf_counter()
                function()
                if number >= 2:  # the first ones allocate
                    times[name].append(time.perf_counter() - began)
    ratios = [a / b for a, b in zip(times["ours"], times["bare"], strict=True)]
    for name, found in times.items():
        print(f"{name}: median {statistics.median(found):.4f} s, {min(found):.4f} to {max(found):.4f}")
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"ratio of {pairs} pairs: median {middle:.3f}, middle half {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
