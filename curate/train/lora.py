"""The adapter: which modules get one, its file as ComfyUI and LTX-2 loaders read it, and the way back."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from curate.encode.plain import as_bytes
from curate.errors import CurateError
from curate.files import atomic_writer, map_file
from curate.records import sha256_of
from curate.tensors import pack_file, unpack_file
from curate.train.config import TrainConfig
from curate.train.data import as_latents

PREFIX = "diffusion_model."  # inside transformer_blocks the names of diffusers are the original ones; elsewhere not


def _attention(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}.{part}" for name in names for part in ("to_q", "to_k", "to_v", "to_out.0"))


AUDIO = (*_attention("audio_attn1", "audio_attn2"), "audio_ff.net.0.proj", "audio_ff.net.2")
TARGETS: Mapping[str, tuple[str, ...]] = {
    "audio": AUDIO,
    "audio+bridge": (*AUDIO, *_attention("audio_to_video_attn", "video_to_audio_attn")),
    "video": (*_attention("attn1", "attn2"), "ff.net.0.proj", "ff.net.2"),
    "video-attention": _attention("attn1", "attn2"),
}


def target_modules(config: TrainConfig) -> tuple[str, ...]:
    """The endings of the module names that get an adapter."""
    return TARGETS[config.targets] if isinstance(config.targets, str) else config.targets


def add_lora(transformer: Any, config: TrainConfig) -> list[tuple[str, torch.nn.Parameter]]:
    """Freeze the transformer and give it a fresh adapter; its parameters by name, float32.

    Raises CurateError for modules that it does not have and a rank that is larger than one of them.
    """
    from peft import LoraConfig

    names = target_modules(config)
    width, whose = smallest_width(transformer, names)
    if config.rank > width:
        raise CurateError(f"rank {config.rank}: wanted at most {width}, the width of {whose}")
    transformer.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):  # A is drawn, B is zero: at first the adapter changes nothing
        torch.manual_seed(int(sha256_of([config.seed, "lora"])[:15], 16))
        transformer.add_adapter(
            LoraConfig(r=config.rank, lora_alpha=config.alpha, target_modules=_pattern(names))
        )
    named = [(name, p) for name, p in transformer.named_parameters() if p.requires_grad]
    for _, parameter in named:
        parameter.data = parameter.data.float()
    return named


def smallest_width(transformer: Any, names: tuple[str, ...]) -> tuple[int, str]:
    """The smallest side of the weights that would get an adapter, and whose it is: no rank can be larger.

    Raises CurateError for a name that no linear module of the transformer's blocks ends with.
    """
    found = dict(_linear(transformer))
    for name in names:
        if not any(re.fullmatch(_pattern((name,)), path) for path in found):
            raise CurateError(f"targets: the transformer's blocks have no linear module {name!r}")
    wanted = re.compile(_pattern(names))
    return min((min(sides), path) for path, sides in found.items() if wanted.fullmatch(path))


def _pattern(names: tuple[str, ...]) -> str:
    """Whole names at the end of a module's path: attn1.to_q is not audio_attn1.to_q."""
    return rf"transformer_blocks\.\d+\.(?:.+\.)?(?:{'|'.join(re.escape(name) for name in names)})"


def _linear(transformer: Any) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every linear module's path and sides, (out, in)."""
    for path, module in transformer.named_modules():
        if hasattr(module, "in_features"):
            yield path, (module.out_features, module.in_features)


def state(transformer: Any) -> dict[str, torch.Tensor]:
    """The adapter by peft's names, as it is trained."""
    from peft import get_peft_model_state_dict

    found: dict[str, torch.Tensor] = get_peft_model_state_dict(transformer)
    return dict(sorted(found.items()))


def load_state(transformer: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put an adapter's own tensors back. Raises CurateError where they are not those of this adapter."""
    from peft import set_peft_model_state_dict

    mine = state(transformer)
    if {k: v.shape for k, v in mine.items()} != {k: v.shape for k, v in tensors.items()}:
        raise CurateError(
            f"an adapter of {len(tensors)} tensors, wanted the {len(mine)} of this configuration"
        )
    set_peft_model_state_dict(transformer, dict(tensors))


def to_file(adapter: Mapping[str, torch.Tensor], scale: float, metadata: Mapping[str, str]) -> bytes:
    """The bytes of a LoRA file: bfloat16, `diffusion_model.` names, alpha / rank multiplied into B.

    The format has no alpha: its readers take alpha for the rank, and diffusers refuses files that carry one.
    """
    tensors = {}
    for name, value in adapter.items():
        scaled = value * scale if ".lora_B." in name else value
        tensors[PREFIX + name] = as_bytes(scaled.to(torch.bfloat16))
    return pack_file(tensors, {"format": "pt", **metadata}, "lora")


def save(path: Path, adapter: Mapping[str, torch.Tensor], scale: float, metadata: Mapping[str, str]) -> None:
    """Write a LoRA file, whole or not at all."""
    with atomic_writer(path, durable=True) as write:
        write(to_file(adapter, scale, metadata))


def read_file(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a LoRA file by peft's names, and its metadata. Raises CurateError for what is none of ours."""
    tensors, metadata = unpack_file(map_file(path), str(path))
    if strange := [name for name in tensors if not name.startswith(PREFIX) or ".lora_" not in name]:
        raise CurateError(f"{path}: holds {strange[0]!r}, wanted {PREFIX}….lora_A/B.weight only")
    read = {
        name.removeprefix(PREFIX): as_latents(tensor, f"{path}: {name}") for name, tensor in tensors.items()
    }
    return read, metadata


def attach(
    transformer: Any, adapter: Mapping[str, torch.Tensor], strength: float, name: str = "default"
) -> None:
    """Give a transformer the adapter of a LoRA file under a name, to act with this strength; it is not trained.

    Raises CurateError for an adapter of another model.
    """
    from peft import LoraConfig, set_peft_model_state_dict

    modules = _check_fits(transformer, adapter)
    rank = next(value.shape[0] for key, value in adapter.items() if ".lora_A." in key)
    with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten
        transformer.add_adapter(
            LoraConfig(r=rank, lora_alpha=rank, target_modules=modules), adapter_name=name
        )
    set_peft_model_state_dict(transformer, dict(adapter), adapter_name=name)
    transformer.set_adapters([name], weights=[strength])
    transformer.requires_grad_(False)


def _check_fits(transformer: Any, adapter: Mapping[str, torch.Tensor]) -> list[str]:
    """The modules that an adapter is for; peft would pass over what does not fit."""
    linear = dict(_linear(transformer))
    modules = sorted({key.rsplit(".lora_", 1)[0] for key in adapter})
    if not modules:
        raise CurateError("a LoRA without any tensor")
    ranks = set[int]()
    for module in modules:
        below, above = (adapter.get(f"{module}.lora_{side}.weight") for side in "AB")
        if below is None or above is None:
            raise CurateError(f"a LoRA with one half of {module} only")
        if linear.get(module) != (above.shape[0], below.shape[1]) or below.shape[0] != above.shape[1]:
            raise CurateError(
                f"a LoRA of another model: {module} is {linear.get(module, 'not there')} in this one, "
                f"in the LoRA {(above.shape[0], below.shape[1])}"
            )
        ranks.add(below.shape[0])
    if len(ranks) > 1:
        raise CurateError(f"a LoRA of several ranks: {sorted(ranks)}")
    return modules
