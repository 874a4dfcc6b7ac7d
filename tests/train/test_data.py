"""Reading a set for training: no copies, nothing taken on trust, and an order that belongs to its epoch."""

import json
import mmap
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from curate.check_shards import check_shards
from curate.encode.stack import Stack
from curate.encode.text import encode_text
from curate.encode.video import encode_video
from curate.errors import CurateError
from curate.files import write_atomic
from curate.manifest import MANIFEST, file_cards, load_build, pretty, read_lines
from curate.records import LedgerRow, sha256_of
from curate.schema import ShardIndex
from curate.shard import iter_samples, pack
from curate.tensors import TensorBytes, pack_tensors, unpack_tensors
from curate.train.config import TRAIN_YAML, preset
from curate.train.data import TrainingSet, as_latents, turn
from tests.train.sets import FRAMES, KINDS, SAMPLES, drawn

Tensors = dict[str, TensorBytes]
Stamp = dict[str, Any]


@pytest.mark.parametrize("kind", KINDS)
def test_a_set_is_read_as_it_was_made(sets: dict[str, Path], kind: str) -> None:
    dataset, what = TrainingSet(sets[kind]), KINDS[kind]
    assert {split: len(dataset.keys(split)) for split in SAMPLES} == SAMPLES
    assert dataset.captions() == sorted(what.captions)
    assert dataset.table == preset(what.table)
    for split, count in SAMPLES.items():
        read = [dataset.read(split, key) for key in dataset.keys(split)]
        assert [sample.record.id for sample in read] == [f"{what.table}-{split}-{n}" for n in range(count)]
        assert all(sample.record.latents == what.sizes for sample in read)
        videos = {sample.latents["video_latents"].float().numpy().tobytes() for sample in read}
        assert len(videos) == count


@pytest.mark.parametrize("kind", KINDS)
def test_the_sets_of_these_tests_are_what_curate_check_wants(sets: dict[str, Path], kind: str) -> None:
    folder = sets[kind]
    kept = {row.id: row for row in read_lines(folder / "ledger.jsonl", LedgerRow)}
    latents = sorted(KINDS[kind].sizes.shapes())
    assert list(check_shards(folder, load_build(folder), kept, latents)) == []


def test_pins_that_are_not_those_of_the_pictures_are_found(sets: dict[str, Path]) -> None:
    folder = sets["first_frame"]
    rows = {row.id: row for row in read_lines(folder / "ledger.jsonl", LedgerRow)}
    bare = {name: row.model_copy(update={"measured": {}}) for name, row in rows.items()}
    faults = list(check_shards(folder, load_build(folder), bare, sorted(KINDS["first_frame"].sizes.shapes())))
    assert sum("pins at frames (8, 16), its pictures are of ()" in fault for fault in faults) == len(rows)


def test_latents_and_features_are_those_that_were_encoded(sets: dict[str, Path], stack: Stack) -> None:
    dataset = TrainingSet(sets["text_to_video"])
    sample = dataset.read("heldout", "000001")
    wanted = encode_video(stack, drawn(sample.record.id, FRAMES))
    assert torch.equal(sample.latents["video_latents"], wanted)
    video = sample.get("video_latents")
    assert video is not None and video.dtype == torch.float32 and torch.equal(video, wanted.float())
    assert sample.get("pin_latents") is None
    caption = sample.record.caption
    for name, value in encode_text(stack, caption).items():
        assert torch.equal(dataset.text(caption)[name], value)


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_are_views_into_the_mapped_shard(sets: dict[str, Path], kind: str) -> None:
    dataset = TrainingSet(sets[kind])
    for key in dataset.keys("train"):
        sample, again = (dataset.read("train", key) for _ in range(2))
        (view,) = dataset._readers["train"]._maps.values()
        assert isinstance(view.obj, mmap.mmap)
        start = np.frombuffer(view, np.uint8).ctypes.data
        for name, tensor in sample.latents.items():
            assert start < tensor.data_ptr() < start + len(view) - tensor.nbytes
            assert tensor.data_ptr() % 64 == 0 and tensor.is_contiguous()
            assert tensor.data_ptr() == again.latents[name].data_ptr()


def test_reading_leaves_the_files_alone(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(sets["images"], tmp_path / "set")
    before = file_cards(folder)
    dataset = TrainingSet(folder)
    dataset.read("train", "000000").latents["video_latents"].zero_()
    dataset.text("human")["video_text"].zero_()
    assert file_cards(folder) == before


# --- what is no set to train on


def test_a_folder_that_is_no_set_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "{folder}: no such folder, wanted a set made by `curate build`")
    refused(tmp_path, "{folder}: no build.json in it, wanted a set made by `curate build`")
    (tmp_path / MANIFEST).write_text("{")
    refused(tmp_path, "{folder}/build.json: the record is ", "invalid json")


Change = Callable[[Stamp], object]
MANIFESTS: dict[str, tuple[Change, str]] = {
    "another schema version": (
        lambda b: b.update(schema_version=2),
        "{folder}/build.json: schema_version is '2': input should be 1",
    ),
    "without latents": (
        lambda b: b.update(encoder=None, encoder_sha256=None),
        "{folder}: was built with --no-encode and holds no latents; build it again without",
    ),
    "a sweep": (
        lambda b: b.update(control="sweep"),
        "{folder}: is a sweep, tones to try a LoRA with (`curate sample`), nothing to train on",
    ),
    "another encoder than its hash": (
        lambda b: b["encoder"].update(vae="0" * 64),
        "{folder}/build.json: encoder_sha256 is not that of its encoder",
    ),
    "the hash of another encoder": (
        lambda b: b.update(encoder_sha256="0" * 64),
        "{folder}/build.json: encoder_sha256 is not that of its encoder",
    ),
    "an index that nothing vouches for": (
        lambda b: b["files"].pop("shards/index.json"),
        "{folder}/build.json: lists no shards/index.json",
    ),
    "a shard that nothing vouches for": (
        lambda b: b["files"].pop("shards/heldout-00000.tar"),
        "{folder}/build.json: lists no shards/heldout-00000.tar",
    ),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_cannot_be_trained_on(sets: dict[str, Path], tmp_path: Path, case: str) -> None:
    change, says = MANIFESTS[case]
    folder = shutil.copytree(sets["images"], tmp_path / "set")
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    refused(folder, says)


@pytest.mark.parametrize("part", ["shards/train-00000.tar", "shards/heldout-00000.tar", "shards/index.json", "text", TRAIN_YAML])  # fmt: skip
def test_a_changed_or_missing_file_is_named(sets: dict[str, Path], tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(sets["images"], tmp_path / "set")
    path = next((folder / "text").iterdir()) if part == "text" else folder / part
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused(folder, f"{path}: sha256 ", "…, build.json says ")
    path.unlink()
    refused(folder, f"{path}: No such file or directory, build.json lists it")


def test_what_training_does_not_read_may_be_missing(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(sets["images"], tmp_path / "set")
    (folder / "ledger.jsonl").unlink()
    assert TrainingSet(folder).keys("train")


def test_a_set_without_a_table_wants_one(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(sets["images"], tmp_path / "set")
    (folder / TRAIN_YAML).unlink()
    sealed(folder)
    with pytest.raises(
        CurateError, match=rf"^{folder}: has no train.yaml; give a training table with --config$"
    ):
        _ = TrainingSet(folder).table


def test_an_empty_set_has_no_keys_and_no_captions(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(sets["images"], tmp_path / "set")
    for path in (folder / "shards").glob("*.tar"):
        path.unlink()
    write_atomic(folder / "shards" / "index.json", pretty({"shards": []}))
    sealed(folder)
    dataset = TrainingSet(folder)
    assert dataset.keys("train") == [] == dataset.keys("heldout") and dataset.captions() == []


def test_features_of_another_caption_or_encoder_are_refused(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(sets["text_to_video"], tmp_path / "set")
    one, other = (folder / "text" / f"{sha256_of(c)}.safetensors" for c in KINDS["text_to_video"].captions)
    shutil.copy(other, one)
    dataset = TrainingSet(sealed(folder))
    caption = KINDS["text_to_video"].captions[0]
    with pytest.raises(CurateError, match=f"^{one}: of another caption or encoder than the set's$"):
        dataset.text(caption)
    tensors, stamp = unpack_tensors(other.read_bytes())
    write_atomic(one, pack_tensors(tensors, stamp | {"caption": caption, "encoder_sha256": "0" * 64}))
    with pytest.raises(CurateError, match=f"^{one}: of another caption or encoder than the set's$"):
        TrainingSet(sealed(folder)).text(caption)
    one.unlink()
    with pytest.raises(CurateError, match=rf"^{folder}/build.json: lists no text/{one.name}$"):
        TrainingSet(sealed(folder)).text(caption)


def stamped(**changes: Any) -> Callable[[Tensors, Stamp], None]:
    return lambda tensors, stamp: stamp.update(changes)


def shorter(tensors: Tensors, stamp: Stamp) -> None:
    whole = tensors["audio_latents"]
    tensors["audio_latents"] = TensorBytes("F32", (8, 16, 16), bytes(whole.data)[: 8 * 16 * 16 * 4])


def doubled(tensors: Tensors, stamp: Stamp) -> None:
    tensors["pin_latents"] = tensors["video_latents"]


def halved(tensors: Tensors, stamp: Stamp) -> None:
    whole = tensors["video_latents"]
    tensors["video_latents"] = TensorBytes("F16", whole.shape, whole.data)


SAMPLES_CHANGED: dict[str, tuple[Callable[[Tensors, Stamp], object], str]] = {
    "another's tensors": (stamped(id="vbvr-train-3"), "stamped id 'vbvr-train-3', wanted 'vbvr-train-1'"),
    "other media": (stamped(example_sha256="0" * 64), f"stamped example_sha256 '{'0' * 64}', wanted '"),
    "other sources": (stamped(sources=[]), "stamped sources [], wanted ['"),
    "another encoder": (stamped(encoder_sha256="0" * 64), f"stamped encoder_sha256 '{'0' * 64}', wanted '"),
    "no stamp": (lambda tensors, stamp: stamp.clear(), "stamped id None, wanted 'vbvr-train-1'"),
    "other sizes": (shorter, "'audio_latents': (8, 16, 16)"),
    "a tensor too many": (doubled, "'pin_latents': (128, 3, 2, 3)"),
    "a tensor too few": (lambda tensors, stamp: tensors.pop("audio_latents"), "holds {'video_latents': (128, 3,"),
    "another type": (halved, "video_latents is F16, wanted BF16 or F32"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAMPLES_CHANGED)
def test_a_sample_that_is_not_what_its_record_says(sets: dict[str, Path], tmp_path: Path, case: str) -> None:
    change, says = SAMPLES_CHANGED[case]
    folder = shutil.copytree(sets["text_to_video"], tmp_path / "set")

    def spoil(key: str, members: dict[str, bytes]) -> dict[str, bytes]:
        tensors, stamp = unpack_tensors(members["safetensors"])
        if key == "000001":
            change(tensors, stamp)
        return {"json": members["json"], "safetensors": pack_tensors(tensors, stamp)}

    dataset = TrainingSet(repacked(folder, spoil))
    assert dataset.read("train", "000000").record.id == "vbvr-train-0"
    with pytest.raises(CurateError, match=rf"^{folder}/shards: train 000001: .*{re.escape(says)}") as caught:
        dataset.read("train", "000001")
    assert "\n" not in str(caught.value)


def test_a_record_that_is_none_is_refused(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(sets["images"], tmp_path / "set")

    def spoil(key: str, members: dict[str, bytes]) -> dict[str, bytes]:
        record = json.loads(members["json"])
        record["latents_normalized"] = False
        return {**members, "json": json.dumps(record).encode()}

    dataset = TrainingSet(repacked(folder, spoil))
    with pytest.raises(
        CurateError, match=rf"^{folder}/shards: train 000002: its record is not one: Input should"
    ):
        dataset.read("train", "000002")


def test_a_type_that_torch_training_has_no_use_for_is_named() -> None:
    with pytest.raises(CurateError, match=r"^x is I64, wanted BF16 or F32$"):
        as_latents(TensorBytes("I64", (1,), bytes(8)), "x")


# --- whose turn it is


@given(st.integers(1, 40), st.integers(0, 2**32), st.integers(0, 5))
def test_each_epoch_takes_every_sample_once(count: int, seed: int, epoch: int) -> None:
    keys = [f"{number:06d}" for number in range(count)]
    taken = [turn(keys, seed, index) for index in range(epoch * count, (epoch + 1) * count)]
    assert sorted(taken) == keys


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    keys = [f"{number:06d}" for number in range(20)]
    orders = [
        tuple(turn(keys, seed, index) for index in range(epoch * 20, (epoch + 1) * 20))
        for seed in (0, 1)
        for epoch in range(5)
    ]
    assert len(set(orders)) == len(orders)
    firsts = Counter(turn(keys, 0, 20 * epoch) for epoch in range(400))
    assert set(firsts) == set(keys) and max(firsts.values()) < 45  # 20 each expected


def test_a_turn_depends_on_its_number_alone() -> None:
    keys = ["000000", "000001", "000002"]
    straight = [turn(keys, 42, index) for index in range(9)]
    assert [turn(keys, 42, index) for index in (8, 3, 0)] == [straight[8], straight[3], straight[0]]


def refused(folder: Path, *says: str) -> None:
    """The set is refused in one line with these parts, the first at its beginning."""
    first, *others = (re.escape(text.format(folder=folder)) for text in says)
    with pytest.raises(CurateError, match=f"^{first}{''.join(f'.*{other}' for other in others)}") as caught:
        TrainingSet(folder)
    assert "\n" not in str(caught.value)


def sealed(folder: Path) -> Path:
    """The set with a manifest that lists its files as they are now."""
    manifest = load_build(folder).model_copy(update={"files": file_cards(folder)})
    write_atomic(folder / MANIFEST, pretty(manifest))
    return folder


def repacked(folder: Path, change: Callable[[str, dict[str, bytes]], dict[str, bytes]]) -> Path:
    """The set with the members of its train samples changed, and everything above them in order."""
    shards = folder / "shards"
    members = [
        change(key, {name: bytes(data) for name, data in held.items()})
        for key, held in iter_samples(shards / "train-00000.tar")
    ]
    index = ShardIndex.model_validate_json((shards / "index.json").read_bytes())
    heldout = [card for card in index.shards if card.name.startswith("heldout-")]
    write_atomic(
        shards / "index.json", pretty(ShardIndex(shards=[*pack(shards, "train", members), *heldout]))
    )
    return sealed(folder)


def test_a_set_may_be_given_by_any_path(
    sets: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = sets["images"]
    monkeypatch.chdir(tmp_path)
    up = Path(os.path.relpath(folder, tmp_path))
    assert ".." in up.parts and TrainingSet(up).keys("train") == TrainingSet(folder).keys("train")
