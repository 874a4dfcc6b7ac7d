import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from curate.encode.stack import Stack, load
from curate.errors import CurateError
from curate.train import lora
from curate.train.config import TrainConfig
from curate.train.optimizer import make_optimizer, step
from curate.train.state import STATE, checkpoints, load_checkpoint, name_of, save_checkpoint
from tests.train.runs import begin

KINDS = ("adamw", "adamw8bit")


def begun(stack: Stack, kind: str, seed: int = 0) -> tuple[Any, torch.optim.Optimizer]:
    """An adapter large enough for eight bits, and its optimizer, before the first step."""
    transformer = stack.load_transformer()
    config = TrainConfig(optimizer=kind, targets="video", rank=16, seed=seed)
    named = lora.add_lora(transformer, config)
    return transformer, make_optimizer(config, [value for _, value in named])


def steps(optimizer: torch.optim.Optimizer, seeds: range) -> None:
    """Steps along gradients that depend on their number only."""
    parameters = optimizer.param_groups[0]["params"]
    for seed in seeds:
        stream = torch.Generator().manual_seed(seed)
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=stream)
        step(optimizer, 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_going_on_from_a_checkpoint_is_never_having_stopped(stack: Stack, kind: str, tmp_path: Path) -> None:
    through, optimizer = begun(stack, kind)
    steps(optimizer, range(3))
    path = save_checkpoint(tmp_path, 3, through, optimizer, keep=1) / STATE
    steps(optimizer, range(3, 6))
    again, other = begun(stack, kind, seed=7)  # what it begins with does not matter
    load_checkpoint(tmp_path, 3, again, other)
    assert (
        save_checkpoint(tmp_path / "again", 3, again, other, keep=1).joinpath(STATE).read_bytes()
        == path.read_bytes()
    )
    steps(other, range(3, 6))
    ends = [save_checkpoint(tmp_path / end, 6, *pair, keep=1) / STATE for end, pair in (("a", (through, optimizer)), ("b", (again, other)))]  # fmt: skip
    assert ends[0].read_bytes() == ends[1].read_bytes() != path.read_bytes()
    eight_bit = b'"U8"' in path.read_bytes()[:20_000]
    assert eight_bit == (kind == "adamw8bit")


def test_a_checkpoint_before_the_first_step_has_no_moments(stack: Stack, tmp_path: Path) -> None:
    transformer, optimizer = begun(stack, "adamw")
    save_checkpoint(tmp_path, 0, transformer, optimizer, keep=1)
    steps(optimizer, range(1))
    load_checkpoint(tmp_path, 0, transformer, optimizer)
    assert not optimizer.state_dict()["state"]


def test_older_checkpoints_and_drafts_go(stack: Stack, tmp_path: Path) -> None:
    transformer, optimizer = begun(stack, "adamw")
    (tmp_path / ".step-00001.123.tmp").mkdir()
    (tmp_path / name_of(2)).mkdir()  # its removal was cut short
    (tmp_path / "step-00009b").mkdir()
    (tmp_path / "step-00009b" / STATE).touch()
    for number in (1, 2, 100_000):
        save_checkpoint(tmp_path, number, transformer, optimizer, keep=2)
    assert checkpoints(tmp_path) == [2, 100_000]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00002", "step-00009b", "step-100000"]


def test_a_full_disk_leaves_the_last_checkpoint_alone(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is a size limit of this process: the kernel itself cuts the write off in the middle."""
    import resource

    transformer, optimizer = begun(stack, "adamw")
    path = save_checkpoint(tmp_path, 1, transformer, optimizer, keep=1) / STATE
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    was = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(CurateError, match=r"cannot write .*step-00002.*: File too large"):
            save_checkpoint(tmp_path, 2, transformer, optimizer, keep=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, was)
    assert [each.name for each in tmp_path.iterdir()] == ["step-00001"]
    assert path.read_bytes() == before


def killed_while_saving(folder: Path, cache: Path, moment: str) -> None:
    """Save two checkpoints and die in the middle of the second, when `moment` of `os` is called."""
    transformer, optimizer = begun(load("tiny", cache, generating=True), "adamw")
    save_checkpoint(folder, 1, transformer, optimizer, keep=1)
    setattr(os, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    save_checkpoint(folder, 2, transformer, optimizer, keep=1)


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_kill_in_the_middle_leaves_the_last_checkpoint(
    stack: Stack, shared_cache: Path, tmp_path: Path, moment: str
) -> None:
    """With the bytes written and not yet on the disk, and before the file has its name."""
    process = begin(killed_while_saving, tmp_path, shared_cache, moment)
    process.join(timeout=120)
    assert process.exitcode == -signal.SIGKILL
    assert checkpoints(tmp_path) == [1]
    assert any(path.suffix == ".tmp" for path in tmp_path.iterdir())
    transformer, optimizer = begun(stack, "adamw")
    load_checkpoint(tmp_path, 1, transformer, optimizer)
    save_checkpoint(tmp_path, 2, transformer, optimizer, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00002"]


def test_what_is_wrong_with_a_checkpoint_is_said_in_one_line(stack: Stack, tmp_path: Path) -> None:
    transformer, optimizer = begun(stack, "adamw")
    steps(optimizer, range(1))
    path = save_checkpoint(tmp_path, 1, transformer, optimizer, keep=9) / STATE
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[-1000] ^= 1

    def refused(says: str, number: int = 1, other: Any = None) -> None:
        with pytest.raises(CurateError, match=says) as caught:
            load_checkpoint(tmp_path, number, transformer, other or optimizer)
        assert str(caught.value).startswith(str(tmp_path / name_of(number))) and "\n" not in str(caught.value)

    refused("cannot be read: No such file", number=2)
    for data, says in (
        (good[:-5], "begins at|take|up to"),
        (b"", "truncated"),
        (bytes(flipped), "its sha256 is"),
    ):
        path.write_bytes(data)
        refused(says)
    path.write_bytes(good)
    path.parent.rename(tmp_path / name_of(5))
    refused("its step is 1, wanted 5", number=5)
    (tmp_path / name_of(5)).rename(path.parent)
    refused("its optimizer is 'AdamW', wanted 'AdamW8bit'", other=begun(stack, "adamw8bit")[1])
    smaller = stack.load_transformer()
    named = lora.add_lora(smaller, TrainConfig(rank=4))
    with pytest.raises(CurateError, match=r"step-00001.*an adapter of 40 tensors, wanted the 32"):
        load_checkpoint(tmp_path, 1, smaller, make_optimizer(TrainConfig(), [value for _, value in named]))
    load_checkpoint(tmp_path, 1, transformer, optimizer)
