"""A transformer as it acts with a LoRA file at some strength, and as it was afterwards."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curate.errors import CurateError
from curate.train.lora import attach, read_file

NAME = "sample"


@contextmanager
def wearing(transformer: Any, path: Path | None, strength: float) -> Iterator[None]:
    """Within it the transformer has the adapter of the file and no other; with None or strength 0 it is the base.

    An adapter in training is set aside and put back, so a run can be looked at while it goes on. Raises CurateError
    for a file that is no LoRA.
    """
    in_training = list(getattr(transformer, "peft_config", None) or {})
    was_training = transformer.training
    worn = path is not None and strength != 0
    try:
        if worn:
            _put_on(transformer, Path(str(path)), strength)
        elif in_training:
            transformer.disable_adapters()
        transformer.eval()
        yield
    finally:
        if in_training:
            transformer.enable_adapters()
            transformer.set_adapter(in_training)
        if NAME in (getattr(transformer, "peft_config", None) or {}):
            transformer.delete_adapters([NAME])
        transformer.train(was_training)


def _put_on(transformer: Any, path: Path, strength: float) -> None:
    adapter, _ = read_file(path)
    with warnings.catch_warnings():  # two adapters at a time are meant
        warnings.filterwarnings("ignore", "Already found a `peft_config`")
        try:
            attach(transformer, adapter, strength, NAME)
        except CurateError as error:
            raise CurateError(f"{path}: {error}") from error
