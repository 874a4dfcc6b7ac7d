"""A card's values as this machine, this model and this set can have them, and what is told of each that differs."""

import importlib
from collections.abc import Mapping
from typing import Any

from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.records import SPLITS
from curate.train.config import TrainConfig
from curate.train.data import TrainingSet
from curate.train.lora import smallest_width, target_modules
from curate.train.strategy import Rope, strategy_of

EXTRAS = {"tensorboard": "torch.utils.tensorboard", "wandb": "wandb", "8bit": "bitsandbytes", "int8": "optimum.quanto"}  # fmt: skip


def check_trackers(config: TrainConfig) -> None:
    """Raises CurateError for a tracker that is not installed: without it a run is the same, but it was asked for."""
    for name in config.trackers:
        if not _installed(name):
            raise CurateError(f"trackers: {name} is not installed: pip install 'ltx-curate[{name}]'")


def without_extras(
    config: TrainConfig, asked: Mapping[str, Any], stack: Stack
) -> tuple[TrainConfig, list[str]]:
    """What needs an extra or a GPU that is not there, replaced, but for what was asked for with --set.

    Eight bits of an optimizer only save memory, so AdamW takes over in any case. A base model in full precision
    may not fit: only the miniature does without int8; `load_transformer` raises for others.
    """
    changed, notes = dict[str, Any](), list[str]()
    if config.optimizer == "adamw8bit" and not _installed("8bit"):
        changed["optimizer"] = "adamw"
        notes.append("optimizer: adamw instead of adamw8bit, which wants pip install 'ltx-curate[8bit]'")
    if config.quantize and not stack.trained and not _installed("int8"):
        changed["quantize"] = None
        notes.append("quantize: none instead of int8, which wants pip install 'ltx-curate[int8]'")
    if stack.device.type == "cpu" and config.precision == "bf16" and "precision" not in asked:
        changed["precision"] = "fp32"
        notes.append("precision: fp32 instead of bf16, which is many times slower on a CPU")
    return config.model_copy(update=changed), notes


def narrowed(
    config: TrainConfig, asked: Mapping[str, Any], transformer: Any, stack: Stack
) -> tuple[TrainConfig, list[str]]:
    """The miniature's modules are narrower than most ranks: there rank and alpha shrink together."""
    width, whose = smallest_width(transformer, target_modules(config))
    if stack.trained or config.rank <= width or "rank" in asked:
        return config, []
    note = f"rank: {width} instead of {config.rank}, the width of {whose} in the miniature"
    changed = {"rank": width, "alpha": config.alpha * width / config.rank}
    return config.model_copy(update=changed), [note]


def check_reach(config: TrainConfig, dataset: TrainingSet, transformer: Any) -> None:
    """Raises CurateError for what would have no effect: targets of sound where none is trained, a given first frame.

    Sets of pins have their first frame anyway, and of a picture nothing would be left to learn.
    """
    records = dataset.records("train")
    still = all(record.latents.video and record.latents.video[0] == 1 for record in records)
    if config.first_frame_p and (still or dataset.build.strategy == "first_frame"):
        what = "pictures" if still else "videos whose first frame is always given"
        raise CurateError(
            f"{dataset.folder}: holds {what}; wanted first_frame_p 0, found {config.first_frame_p:g}"
        )
    deaf = [name for name in target_modules(config) if "audio" in name]
    if deaf and not _sounds(dataset, Rope(transformer)):
        raise CurateError(
            f"{dataset.folder}: trains no sound, so {deaf[0]} would get no gradient; wanted targets such as "
            "video-attention or video"
        )


def _sounds(dataset: TrainingSet, rope: Rope) -> bool:
    """Whether the strategy has a sound to denoise in any sample of the set."""
    for split in SPLITS:
        for key in dataset.keys(split):
            if dataset.record(split, key).latents.audio_steps:  # one is enough: strategies treat all alike
                sample = dataset.read(split, key)
                return strategy_of(dataset.build.strategy)(sample, rope, False).audio is not None
    return False


def _installed(extra: str) -> bool:
    try:
        importlib.import_module(EXTRAS[extra])
    except ImportError:
        return False
    return True
