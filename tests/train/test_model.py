"""The model that a set is trained with is the one that encoded it, and captions reach it as in a pipeline."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from curate.encode.stack import PARTS, Stack
from curate.errors import CurateError
from curate.files import write_atomic
from curate.manifest import MANIFEST, load_build, pretty
from curate.records import sha256_of
from curate.train import model
from curate.train.config import TrainConfig
from curate.train.data import TrainingSet
from curate.train.model import Captions, load_transformer, stack_of
from tests.train.sets import KINDS


class Counted(TrainingSet):
    """A set that remembers what text it was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked = list[str]()

    def text(self, caption: str) -> dict[str, torch.Tensor]:
        self.asked.append(caption)
        return super().text(caption)


# --- which model


def test_a_set_is_trained_with_the_model_that_encoded_it(
    sets: dict[str, Path], stack: Stack, shared_cache: Path, tmp_path: Path
) -> None:
    dataset = TrainingSet(sets["images"])
    assert stack_of(dataset, None, shared_cache).folder == stack.folder
    elsewhere = linked(stack, tmp_path)
    assert stack_of(dataset, str(elsewhere), tmp_path).folder == elsewhere  # the same files by another name


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_not_the_same_is_named(
    sets: dict[str, Path], stack: Stack, tmp_path: Path, part: str
) -> None:
    elsewhere = linked(stack, tmp_path)
    path = elsewhere / part / PARTS[part]
    write_atomic(path, path.read_bytes() + b"\n")
    says = rf"^{sets['images']}: was encoded with another {part} than that of tiny \([0-9a-f]{{16}}…, found [0-9a-f]{{16}}…\)"
    with pytest.raises(CurateError, match=says):
        stack_of(TrainingSet(sets["images"]), str(elsewhere), tmp_path)


def test_another_transformer_may_be_trained(sets: dict[str, Path], stack: Stack, tmp_path: Path) -> None:
    """It encodes nothing: a distilled model fits the latents of its base."""
    elsewhere = linked(stack, tmp_path)
    path = elsewhere / "transformer" / "config.json"
    write_atomic(path, path.read_bytes() + b"\n")
    assert stack_of(TrainingSet(sets["images"]), str(elsewhere), tmp_path).folder == elsewhere


def test_a_model_folder_that_the_set_cannot_know_is_asked_for(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sets["images"], tmp_path / "set")
    build = load_build(folder)
    encoder = {**(build.encoder or {}), "model": "my-ltx"}  # a folder's name, never its path
    named = build.model_copy(update={"encoder": encoder, "encoder_sha256": sha256_of(encoder)})
    write_atomic(folder / MANIFEST, pretty(named))
    dataset = TrainingSet(folder)
    with pytest.raises(
        CurateError, match=r"^model 'my-ltx': no such folder, .*; say where it is with --set model=FOLDER$"
    ):
        stack_of(dataset, None, shared_cache)
    with pytest.raises(CurateError, match=r"^model 'nowhere': no such folder, [^;]*$"):
        stack_of(dataset, "nowhere", shared_cache)
    assert stack_of(dataset, "tiny", shared_cache).name == "tiny"


# --- captions


def test_captions_are_what_the_pipeline_makes_of_them(
    sets: dict[str, Path], stack: Stack, pipeline: Any
) -> None:
    dataset = TrainingSet(sets["text_to_video"])
    captions = Captions(stack, dataset)
    wanted = {caption: from_pipeline(pipeline, caption) for caption in KINDS["text_to_video"].captions}
    for caption, (video, audio) in wanted.items():
        found = captions(caption)
        assert found.video.shape == video.shape == (1, 1024, 64) and found.audio.shape == audio.shape
        assert off(found.video, video) < 0.01 and off(found.audio, audio) < 0.01  # stored in bfloat16
    one, other = (video for video, _ in wanted.values())
    assert off(one, other) > 0.05


def test_few_captions_are_computed_once_and_the_connectors_go(sets: dict[str, Path], stack: Stack) -> None:
    dataset = Counted(sets["text_to_video"])
    captions = Captions(stack, dataset)
    assert captions._connectors is None and sorted(dataset.asked) == dataset.captions()
    for _ in range(2):
        for caption in dataset.captions():
            assert captions(caption) is captions(caption)
    assert len(dataset.asked) == 2  # of six samples


def test_many_captions_are_computed_when_wanted(
    sets: dict[str, Path], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Captions(stack, TrainingSet(sets["text_to_video"]))
    monkeypatch.setattr(model, "HELD_CAPTIONS", 1)
    dataset = Counted(sets["text_to_video"])
    captions = Captions(stack, dataset)
    assert captions._connectors is not None and dataset.asked == []
    for caption in dataset.captions():
        found = captions(caption)
        assert torch.equal(found.video, held(caption).video) and torch.equal(found.audio, held(caption).audio)
        assert not found.video.requires_grad
    assert dataset.asked == dataset.captions()


# --- the transformer

EXACT = TrainConfig(precision="fp32")


def test_a_transformer_is_loaded_anew_and_frozen(stack: Stack) -> None:
    one = load_transformer(stack, EXACT)
    other = load_transformer(stack, EXACT)
    assert one is not other
    assert not any(parameter.requires_grad for parameter in one.parameters())


def test_eight_bits_hold_the_weights_of_the_blocks(stack: Stack) -> None:
    from optimum.quanto import QLinear

    transformer = load_transformer(stack, TrainConfig(precision="fp32", quantize="int8"))
    linear = {name for name, m in transformer.named_modules() if isinstance(m, torch.nn.Linear)}
    eight = {name for name, m in transformer.named_modules() if isinstance(m, QLinear)}
    assert eight == {name for name in linear if name.startswith("transformer_blocks.")}
    assert not any(parameter.requires_grad for parameter in transformer.parameters())
    exact = load_transformer(stack, EXACT)
    rounded = transformer.transformer_blocks[0].attn1.to_q.weight.dequantize()
    assert 0 < off(rounded, exact.transformer_blocks[0].attn1.to_q.weight) < 0.02


def test_without_quanto_eight_bits_are_refused(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optimum.quanto", None)
    with pytest.raises(
        CurateError, match=r"^quantize int8 wants optimum-quanto: pip install 'ltx-curate\[int8\]', or"
    ):
        load_transformer(stack, TrainConfig(precision="fp32", quantize="int8"))


def linked(stack: Stack, parent: Path) -> Path:
    """The folder of the model again, elsewhere; its files are links, so replace them, never write into them."""
    return Path(shutil.copytree(stack.folder, parent / "model", copy_function=os.link))


@torch.no_grad()
def from_pipeline(pipeline: Any, caption: str) -> tuple[torch.Tensor, torch.Tensor]:
    """What LTX2Pipeline hands to its transformer for a caption: (video, audio)."""
    hidden, mask, _, _ = pipeline.encode_prompt(caption, do_classifier_free_guidance=False)
    video, audio, _ = pipeline.connectors(hidden, mask, padding_side=pipeline.tokenizer.padding_side)
    return video, audio


def off(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Relative distance."""
    return float((found - wanted).norm() / wanted.norm())
