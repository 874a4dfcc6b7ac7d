"""A transformer wears a LoRA file for a while, and is then as it was, in training too."""

from pathlib import Path
from typing import Any

import pytest
import torch

from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.sample.wear import wearing
from curate.train import lora
from curate.train.config import TrainConfig
from curate.train.flow import Text, velocity
from curate.train.strategy import Rope, Scene, Stream

GRID = (2, 2, 2)


@pytest.fixture(scope="module")
def file(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA file that changes what the miniature says."""
    transformer = stack.load_transformer()
    lora.add_lora(transformer, CONFIG)
    moved(transformer, seed=1)
    path = tmp_path_factory.mktemp("lora") / "a.safetensors"
    lora.save(path, lora.state(transformer), 1.0, {})
    return path


CONFIG = TrainConfig(rank=4, alpha=4, targets="audio")


def moved(transformer: Any, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in transformer.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator)


@torch.no_grad()
def says(transformer: Any) -> torch.Tensor:
    rope, generator = Rope(transformer), torch.Generator().manual_seed(0)
    tokens, sound = torch.randn(8, 128, generator=generator), torch.randn(9, 128, generator=generator)
    text = Text(torch.randn(1, 16, 64, generator=generator), torch.randn(1, 16, 32, generator=generator))
    video = Stream(tokens, rope.video(GRID, 25.0), torch.ones(8, dtype=torch.bool))
    audio = Stream(sound, rope.audio(9), torch.ones(9, dtype=torch.bool))
    said = velocity(transformer, Scene(video, audio, GRID, 9), 0.5, tokens, sound, text)
    assert said[1] is not None
    return torch.cat([said[0].flatten(), said[1].flatten()])


def test_it_acts_for_a_while_at_its_strength_and_leaves_the_base_as_it_was(stack: Stack, file: Path) -> None:
    transformer = stack.load_transformer()
    base, heard = says(transformer), {}
    for strength in (0.0, 0.5, 1.0):
        with wearing(transformer, file, strength):
            heard[strength] = says(transformer)
        assert torch.equal(says(transformer), base)
    with wearing(transformer, None, 1.0):
        assert torch.equal(says(transformer), base)
    assert torch.equal(heard[0.0], base)
    assert 0 < (heard[0.5] - base).norm() < (heard[1.0] - base).norm()


def test_an_adapter_in_training_is_set_aside_and_put_back(stack: Stack, file: Path) -> None:
    transformer = stack.load_transformer()
    base = says(transformer)
    parameters = lora.add_lora(transformer, CONFIG)
    moved(transformer, seed=2)
    transformer.train()
    trained, values = says(transformer), [p.detach().clone() for _, p in parameters]
    for path, strength in ((None, 1.0), (file, 0.7), (file, 0.0)):
        with wearing(transformer, path, strength):
            inside = says(transformer)
            assert not transformer.training
        assert torch.equal(inside, base) == (path is None or strength == 0)
        assert torch.equal(says(transformer), trained) and transformer.training
    now = dict(transformer.named_parameters())
    assert [n for n, p in now.items() if p.requires_grad] == [n for n, _ in parameters]
    for (name, parameter), value in zip(parameters, values, strict=True):
        assert now[name] is parameter and torch.equal(parameter, value)


def test_a_file_that_is_no_lora_changes_nothing(stack: Stack, tmp_path: Path) -> None:
    transformer = stack.load_transformer()
    base = says(transformer)
    path = tmp_path / "other.safetensors"
    path.write_bytes(b"not a LoRA")
    with pytest.raises(CurateError, match=r"other\.safetensors"), wearing(transformer, path, 1.0):
        pass
    assert torch.equal(says(transformer), base)
