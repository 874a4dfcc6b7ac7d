"""Checkpoints: everything a run needs to go on as if it had never stopped, in one folder that appears whole.

Noise, noise levels and order are drawn by step, so there is no generator to save: the adapter, the optimizer and the
number of steps done are all.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from curate.errors import CurateError
from curate.files import atomic_writer
from curate.tensors import TensorBytes, pack_tensors, unpack_tensors
from curate.train.lora import load_state, state

DTYPES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float64: "F64", torch.uint8: "U8", torch.int64: "I64", torch.int32: "I32"}  # fmt: skip
BITS = {torch.bfloat16: torch.uint16}  # numpy has no bfloat16
STATE = "state.safetensors"


def save_checkpoint(
    folder: Path, step: int, transformer: Any, optimizer: torch.optim.Optimizer, keep: int
) -> Path:
    """Write `step-00200/state.safetensors` under `folder`; older ones than the last `keep` are removed.

    The folder gets its name when its file is whole and on the disk. Raises CurateError when the disk is full.
    """
    moments, plain = _split(optimizer.state_dict()["state"])
    tensors = {f"lora.{name}": value for name, value in state(transformer).items()} | moments
    metadata = {"step": step, "optimizer": type(optimizer).__name__, "state": plain}
    target = folder / name_of(step)
    draft = folder / f".{target.name}.{os.getpid()}.tmp"
    for stale in folder.glob(".step-*.tmp"):
        shutil.rmtree(stale, ignore_errors=True)
    try:
        with atomic_writer(draft / STATE, durable=True) as write:
            write(pack_tensors({k: as_bytes(v) for k, v in tensors.items()}, metadata))
        shutil.rmtree(target, ignore_errors=True)
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
    if metadata.get("optimizer") != type(optimizer).__name__ or metadata.get("step") != step:
        raise CurateError(
            f"{path}: of step {metadata.get('step')} with {metadata.get('optimizer')}, "
            f"wanted step {step} with {type(optimizer).__name__} (is an extra missing here?)"
        )
    read = {name: _from_bytes(tensor) for name, tensor in tensors.items()}
    try:
        load_state(
            transformer, {k.removeprefix("lora."): v for k, v in read.items() if k.startswith("lora.")}
        )
    except CurateError as error:
        raise CurateError(f"{path}: {error}") from error
    joined = dict[int, dict[str, Any]]()
    for number, values in metadata["state"].items():
        joined[int(number)] = {**values}
    for name, value in read.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            number, _, key = rest.partition(".")
            joined.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": joined, "param_groups": optimizer.state_dict()["param_groups"]})


def checkpoints(folder: Path) -> list[int]:
    """The steps of the whole checkpoints under `folder`, rising."""
    return sorted(int(path.parent.name.removeprefix("step-")) for path in folder.glob(f"step-[0-9]*/{STATE}"))


def name_of(step: int) -> str:
    """The folder of a step."""
    return f"step-{step:05d}"


def as_bytes(value: torch.Tensor) -> TensorBytes:
    """A tensor on any device as bytes."""
    plain = value.detach().cpu().contiguous()
    shape = tuple(plain.shape)
    bits = plain.reshape(-1).view(BITS.get(plain.dtype, plain.dtype))
    return TensorBytes(DTYPES[plain.dtype], shape, bits.numpy().tobytes())


def _from_bytes(tensor: TensorBytes) -> torch.Tensor:
    names = {name: dtype for dtype, name in DTYPES.items()}
    flat = torch.frombuffer(memoryview(tensor.data), dtype=names[tensor.dtype])
    return flat.view(tensor.shape).clone()


def _split(
    states: Mapping[int, Mapping[str, Any]],
) -> tuple[dict[str, torch.Tensor], dict[str, dict[str, Any]]]:
    """An optimizer's state as named tensors, and what of it is plain numbers."""
    tensors, plain = dict[str, torch.Tensor](), dict[str, dict[str, Any]]()
    for number, values in states.items():
        for key, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimizer.{number}.{key}"] = value
            else:
                plain.setdefault(str(number), {})[key] = json.loads(json.dumps(value))
    return tensors, plain
