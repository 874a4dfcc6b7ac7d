import math
from pathlib import Path
from typing import Any

import pytest
import torch

from curate.encode.stack import Stack
from curate.train.config import read_config
from curate.train.data import TrainingSet
from curate.train.lora import TARGETS, add_lora
from curate.train.model import Captions, load_transformer
from curate.train.objective import Objective, Turn
from tests.train.sets import KINDS

Made = tuple[Objective, Any, list[tuple[str, torch.nn.Parameter]]]
SOUND = {name for name, kind in KINDS.items() if kind.sound}
# what each set's own preset trains, and whatever else a set with everything can
COMBINATIONS = [*((kind, None) for kind in KINDS), *(("audio_reference", targets) for targets in TARGETS)]


@pytest.fixture(scope="module")
def opened(sets: dict[str, Path], stack: Stack) -> dict[str, tuple[TrainingSet, Captions]]:
    found = {kind: TrainingSet(folder) for kind, folder in sets.items()}
    return {kind: (dataset, Captions(stack, dataset)) for kind, dataset in found.items()}


def made(opened: Any, stack: Stack, kind: str, *, learnt: bool = True, **changes: Any) -> Made:
    """The objective of a set, and an adapter with a B that is not zero: at zero no gradient passes it on to A."""
    dataset, captions = opened[kind]
    settings = {
        "rank": 4,
        "alpha": 4,
        "precision": "fp32",
        "gradient_checkpointing": False,
        "quantize": None,
        **changes,
    }
    config = read_config(dataset.table, "train.yaml", settings)
    transformer = load_transformer(stack, config)
    named = add_lora(transformer, config)
    if config.gradient_checkpointing:
        transformer.enable_gradient_checkpointing()
    stream = torch.Generator().manual_seed(1)
    for name, parameter in named:
        if learnt and "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=stream) / 10
    transformer.train()
    return Objective(dataset, transformer, captions, config), transformer, named


def gradients(named: list[tuple[str, torch.nn.Parameter]]) -> dict[str, torch.Tensor]:
    return {name: value.grad for name, value in named if value.grad is not None}


@pytest.mark.parametrize(("kind", "targets"), COMBINATIONS)
def test_every_tensor_of_the_adapter_gets_a_gradient(
    opened: Any, stack: Stack, kind: str, targets: str | None
) -> None:
    objective, _, named = made(opened, stack, kind, **({"targets": targets} if targets else {}))
    objective.turn(0)
    found = gradients(named)
    assert len(named) >= 32
    assert [name for name, _ in named if name not in found or not found[name].abs().sum() > 0] == []


def test_a_turn_depends_on_its_number_alone(opened: Any, stack: Stack) -> None:
    objective, _, named = made(opened, stack, "audio_reference")
    first = objective.turn(5)
    before = {name: value.clone() for name, value in gradients(named).items()}
    others = [objective.turn(index) for index in (0, 1, 2)]
    again, _, fresh = made(opened, stack, "audio_reference")
    torch.manual_seed(99)
    assert again.turn(5) == first
    assert all(torch.equal(value, before[name]) for name, value in gradients(fresh).items())
    assert len({turn.sigma for turn in (first, *others)}) == 4


def test_gradients_are_the_mean_over_the_turns_of_a_step(opened: Any, stack: Stack) -> None:
    def after(accumulation: int, *turns: int) -> dict[str, torch.Tensor]:
        objective, _, named = made(opened, stack, "images", accumulation=accumulation)
        for index in turns:
            objective.turn(index)
        return gradients(named)

    both, first, second = after(2, 0, 1), after(1, 0), after(1, 1)
    assert all(torch.equal(value, (first[name] + second[name]) / 2) for name, value in both.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_sample_has_no_loss_of_sound(opened: Any, stack: Stack, kind: str) -> None:
    turn = made(opened, stack, kind)[0].turn(0)
    assert (turn.audio is not None) == (kind in SOUND)
    assert turn.total == turn.video + (turn.audio or 0) and math.isfinite(turn.total)
    assert 0 < turn.sigma < 1
    assert turn.id.startswith(f"{KINDS[kind].table}-train-")


@pytest.mark.parametrize("kind", ["text_to_video", "video_reference"])
def test_gradient_checkpointing_changes_neither_loss_nor_gradient(
    opened: Any, stack: Stack, kind: str
) -> None:
    plain, _, named = made(opened, stack, kind)
    thrifty, transformer, others = made(opened, stack, kind, gradient_checkpointing=True)
    calls = list[int]()
    transformer.transformer_blocks[0].register_forward_pre_hook(lambda *_: calls.append(1))
    assert plain.turn(0) == thrifty.turn(0)
    assert len(calls) == 2  # forward, and once more on the way back
    found = gradients(named)
    assert all(torch.equal(value, found[name]) for name, value in gradients(others).items())


def test_bfloat16_is_near_float32_and_not_the_same(opened: Any, stack: Stack) -> None:
    turns = list[Turn]()
    for precision in ("fp32", "bf16"):
        objective, _, named = made(opened, stack, "audio_reference", precision=precision)
        turns.append(objective.turn(0))
        assert {value.dtype for value in gradients(named).values()} == {torch.float32}
    assert turns[0].total != turns[1].total == pytest.approx(turns[0].total, rel=0.02)


def test_the_loss_at_fixed_noise_stays_until_the_adapter_changes(opened: Any, stack: Stack) -> None:
    objective, transformer, named = made(opened, stack, "images")
    first = objective.fixed_noise()
    assert set(first) == {"train", "heldout"} and transformer.training
    objective.turn(3)
    torch.manual_seed(99)
    assert objective.fixed_noise() == first
    with torch.no_grad():
        named[1][1].add_(0.01)
    changed = objective.fixed_noise()
    assert all(changed[split] != first[split] for split in first)


def test_all_of_a_small_set_comes_once_before_any_comes_again(opened: Any, stack: Stack) -> None:
    objective, _, _ = made(opened, stack, "images", first_frame_p=0.0)
    ids = [objective.turn(index).id for index in range(8)]
    assert len(set(ids[:4])) == len(set(ids[4:])) == 4
