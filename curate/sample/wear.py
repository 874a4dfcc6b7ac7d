"""A transformer as it acts with a LoRA file at some strength, and as it was afterwards."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curate.train.lora import read_file

NAME = "sample"


@contextmanager
def wearing(transformer: Any, path: Path | None, strength: float) -> Iterator[None]:
    """Within it the transformer has the adapter of the file and no other; with None or strength 0 it is the base.

    An adapter in training is set aside and put back, so a run can be looked at while it goes on. Raises CurateError
    for a file that is no LoRA.
    """
    from peft import LoraConfig, set_peft_model_state_dict

    in_training = list(getattr(transformer, "peft_config", None) or {})
    was_training = transformer.training
    if path is not None and strength:
        adapter, _ = read_file(path)
        names = sorted({name.rsplit(".lora_", 1)[0] for name in adapter})
        rank = next(value.shape[0] for name, value in sorted(adapter.items()) if ".lora_A." in name)
        with warnings.catch_warnings():  # two adapters at a time are meant
            warnings.filterwarnings("ignore", "Already found a `peft_config`")
            transformer.add_adapter(
                LoraConfig(r=rank, lora_alpha=rank, target_modules=names), adapter_name=NAME
            )
        set_peft_model_state_dict(transformer, adapter, adapter_name=NAME)
        transformer.set_adapters([NAME], weights=[strength])
    elif in_training:
        transformer.disable_adapters()
    transformer.eval()
    try:
        yield
    finally:
        if in_training:
            transformer.enable_adapters()
            transformer.set_adapter(in_training)
        if path is not None and strength:
            transformer.delete_adapters([NAME])
        transformer.train(was_training)
