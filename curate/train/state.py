"""Checkpoints: everything a run needs to go on as if it had never stopped, in one folder that appears whole.

Noise, noise levels and order are drawn by step, so there is no generator to save: the adapter, the optimizer and the
number of steps done are all.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from curate.encode.plain import as_bytes, as_torch
from curate.errors import CurateError
from curate.files import atomic_writer
from curate.records import canonical
from curate.tensors import TensorBytes, pack_tensors, unpack_tensors
from curate.train.lora import load_state, state

STATE = "state.safetensors"


def save_checkpoint(
    folder: Path, step: int, transformer: Any, optimizer: torch.optim.Optimizer, keep: int
) -> Path:
    """Write `step-00200/state.safetensors` under `folder`; older ones than the last `keep` are removed.

    The folder gets its name when its file is whole and on the disk. Raises CurateError when the disk is full.
    """
    moments, numbers = _split(optimizer)
    adapter = {f"lora.{name}": value for name, value in state(transformer).items()}
    tensors = {name: as_bytes(value) for name, value in (adapter | moments).items()}
    metadata = {"step": step, "optimizer": type(optimizer).__name__, "state": numbers}
    target = folder / name_of(step)
    draft = folder / f".{target.name}.{os.getpid()}.tmp"
    for stale in folder.glob(".step-*.tmp"):
        shutil.rmtree(stale, ignore_errors=True)
    try:
        with atomic_writer(draft / STATE, durable=True) as write:
            write(pack_tensors(tensors, metadata | {"sha256": _sha256(tensors)}))
        shutil.rmtree(target, ignore_errors=True)  # of a removal that was cut short
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(folder / name_of(old), ignore_errors=True)
    return target


def load_checkpoint(folder: Path, step: int, transformer: Any, optimizer: torch.optim.Optimizer) -> None:
    """Put adapter and optimizer back as they were after `step` steps.

    Raises CurateError for a damaged checkpoint or one of another adapter or optimizer.
    """
    path = folder / name_of(step) / STATE
    try:
        tensors, metadata = unpack_tensors(bytearray(path.read_bytes()), str(path))
    except OSError as error:
        raise CurateError(f"{path}: cannot be read: {error.strerror}") from error
    wanted = {"step": step, "optimizer": type(optimizer).__name__, "sha256": _sha256(tensors)}
    for key, value in wanted.items():
        if metadata.get(key) != value:
            raise CurateError(f"{path}: its {key} is {metadata.get(key)!r}, wanted {value!r}")
    read = {name: as_torch(tensor).clone() for name, tensor in tensors.items()}
    adapter = {name.removeprefix("lora."): value for name, value in read.items() if name.startswith("lora.")}
    try:
        load_state(transformer, adapter)
    except CurateError as error:
        raise CurateError(f"{path}: {error}") from error
    if not isinstance(metadata.get("state"), dict):
        raise CurateError(f"{path}: says nothing of its optimizer's state")
    moments = {name: value for name, value in read.items() if not name.startswith("lora.")}
    optimizer.load_state_dict(
        {
            "state": _joined(moments, metadata["state"]),
            "param_groups": optimizer.state_dict()["param_groups"],
        }
    )


def checkpoints(folder: Path) -> list[int]:
    """The steps of the whole checkpoints under `folder`, rising."""
    named = (path.parent.name.removeprefix("step-") for path in folder.glob(f"step-*/{STATE}"))
    return sorted(int(step) for step in named if step.isdecimal())


def name_of(step: int) -> str:
    """The folder of a step."""
    return f"step-{step:05d}"


def _sha256(tensors: Mapping[str, TensorBytes]) -> str:
    """Of names, types, shapes and data: a flipped bit in a checkpoint would otherwise train on, unnoticed."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(canonical([name, tensor.dtype, list(tensor.shape)]))
        found.update(tensor.data)
    return found.hexdigest()


def _split(optimizer: torch.optim.Optimizer) -> tuple[dict[str, torch.Tensor], dict[str, dict[str, Any]]]:
    """An optimizer's state as named tensors, and what of it is plain numbers.

    Its own `state_dict` is no help: that of bitsandbytes hides tensors in a dictionary of their own.
    """
    tensors, numbers = dict[str, torch.Tensor](), dict[str, dict[str, Any]]()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for number, parameter in enumerate(parameters):
        for key, value in optimizer.state[parameter].items():
            if isinstance(value, torch.Tensor):
                tensors[f"{number}.{key}"] = value
            else:
                numbers.setdefault(str(number), {})[key] = value
    return tensors, numbers


def _joined(
    tensors: Mapping[str, torch.Tensor], numbers: Mapping[str, Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    """The opposite of `_split`, by number of the parameter."""
    joined = {int(number): dict(values) for number, values in numbers.items()}
    for name, value in tensors.items():
        number, _, key = name.partition(".")
        joined.setdefault(int(number), {})[key] = value
    return joined
