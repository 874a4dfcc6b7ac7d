"""Whole builds of vbvr from the drawn source: bytes, engines, damage in the media, and what check says of damage in the set."""

import json
import shutil
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random

import pytest

from curate.build import Built, build
from curate.check import check
from curate.engine import Engine, Serial
from curate.errors import CurateError
from curate.manifest import content_id, file_cards, load_build, pretty, read_lines
from curate.pipeline import Request
from curate.progress import Reporter
from curate.records import LedgerRow, canonical
from curate.shard import iter_samples
from curate.tensors import unpack_tensors
from tests.engines import Backwards
from tests.test_build import tree

# five seconds at 4 frames a second, of three generators: one returns, one is short of captions, one is plain
SMALL = {"only": "G-11,O-7,O-47", "scale": 0.011, "size": 64, "frames": 25, "fps": 4}
DEMO = {"demo.size": 128}


def make(
    out: Path,
    cache: Path,
    carrier: Engine | None = None,
    encode: bool = False,
    source: str = "demo",
    **settings: object,
) -> Built:
    request = Request("vbvr", source, {**SMALL, **settings}, DEMO if source == "demo" else {}, "tiny", cache)
    with carrier or Serial() as engine_:
        return build(request, out, engine_, Reporter(quiet=True), encode=encode)


@pytest.fixture(scope="module")
def finished(shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return make(tmp_path_factory.mktemp("set") / "vbvr", shared_cache, encode=True)


@pytest.fixture(scope="module")
def source(finished: Built, shared_cache: Path) -> Path:
    """The drawn source as a folder of its own."""
    (found,) = [
        path for path in (shared_cache / "demo").iterdir()
        if sorted(tar.name[:4] for tar in path.glob("tars/*.tar")) == ["G-11", "O-47", "O-7_"]
    ]  # fmt: skip
    return found


def test_a_build_stands_with_its_numbers_and_trains_on_whole_clips(finished: Built) -> None:
    assert check(finished.folder) == []
    manifest = finished.manifest
    assert manifest.counts.kept == manifest.counts.train == 6 and manifest.strategy == "text_to_video"
    rows = [row for row in read_lines(finished.folder / "ledger.jsonl", LedgerRow) if row.kept]
    assert sorted(str(row.choices["generator"]) for row in rows) == ["G-11"] * 3 + ["O-47"] + ["O-7"] * 2
    assert "rank: 32" in (finished.folder / "train.yaml").read_text()
    (shard,) = (finished.folder / "shards").glob("*.tar")
    for _, members in iter_samples(shard):
        tensors, _ = unpack_tensors(members["safetensors"])
        assert {name: t.shape for name, t in tensors.items()} == {"video_latents": (128, 4, 2, 2)}


def test_no_two_samples_were_encoded_from_the_same_media(finished: Built) -> None:
    (shard,) = (finished.folder / "shards").glob("*.tar")
    records = [json.loads(bytes(members["json"])) for _, members in iter_samples(shard)]
    assert len({record["example_sha256"] for record in records}) == len(records) == 6


def test_any_engine_and_any_copy_of_the_source_give_the_same_set(
    finished: Built, source: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """The copy has its tars' members in another order of samples."""
    one = make(tmp_path / "one", shared_cache)
    two = make(tmp_path / "two", tmp_path / "cache", Backwards())
    assert tree(one.folder) == tree(two.folder)
    assert one.manifest.content_id == finished.manifest.content_id
    shutil.copytree(source, tmp_path / "copy", ignore=shutil.ignore_patterns("samples"))
    for tar in (tmp_path / "copy").glob("tars/*.tar"):
        repacked(tar, lambda members: Random(1).shuffle(members))
    copied = make(tmp_path / "three", tmp_path / "cache", source=str(tmp_path / "copy"))
    assert copied.manifest.content_id == one.manifest.content_id and copied.manifest.source.kind == "vbvr"
    assert str(tmp_path) not in (tmp_path / "three" / "build.json").read_text()


def repacked(tar: Path, change: Callable[[list[tuple[str, bytes]]], None]) -> None:
    """A tar with its members changed."""
    with tarfile.open(tar) as held:
        members = [(each.name, held.extractfile(each).read()) for each in held if each.isfile()]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(tar, "w") as packed:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, BytesIO(data))


def test_a_clip_that_does_not_end_as_its_picture_is_rejected_and_the_next_is_made(
    finished: Built, source: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """The last state of a kept sample is replaced by its first: another of its generator takes its place."""
    rows = read_lines(finished.folder / "ledger.jsonl", LedgerRow)
    victim = next(row.name for row in rows if row.kept and row.choices["generator"] == "O-7")
    folder = str(Path(victim).parent)

    def swap(members: list[tuple[str, bytes]]) -> None:
        by_name = dict(members)
        by_name[f"{folder}/final_frame.png"] = by_name[f"{folder}/first_frame.png"]
        members[:] = by_name.items()

    broken = tmp_path / "broken"
    shutil.copytree(source, broken, ignore=shutil.ignore_patterns("samples"))
    repacked(next(broken.glob("tars/O-7_*.tar")), swap)
    built = make(tmp_path / "set", shared_cache, source=str(broken))
    now = read_lines(tmp_path / "set" / "ledger.jsonl", LedgerRow)
    assert {row.reason for row in now if row.name == victim} == {
        "change"
    }  # its two pictures are the same now
    before, after = (
        {r.name for r in each if r.kept and r.choices["generator"] == "O-7"} for each in (rows, now)
    )
    assert len(after) == 2 and len(before - after) == 1 and built.manifest.counts.kept == 6


def test_a_shortage_stops_before_anything_is_made(source: Path, tmp_path: Path) -> None:
    with pytest.raises(CurateError, match=r"too few candidates: G-11 \d+ of 150"):
        make(tmp_path / "set", tmp_path / "cache", source=str(source), only="G-11", scale=0.5)
    assert not (tmp_path / "cache" / "examples").exists()


def test_a_set_that_was_tampered_with_is_seen(finished: Built, tmp_path: Path) -> None:
    folder = tmp_path / "tampered"
    shutil.copytree(finished.folder, folder)
    path = folder / "ledger.jsonl"
    lines = path.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if '"kept":true' in line)
    row = json.loads(lines[first])
    row["measured"]["source_indices"].reverse()
    lines[first] = canonical(row).decode()
    path.write_text("\n".join(lines) + "\n")
    manifest = load_build(folder)
    shipped = {name: card for name, card in file_cards(folder).items() if name != "build.json"}
    told = content_id(read_lines(path, LedgerRow))
    (folder / "build.json").write_bytes(
        pretty(manifest.model_copy(update={"files": shipped, "content_id": told}))
    )
    assert any("time (all) says pass" in fault for fault in check(folder))


def test_a_source_that_lacks_generators_names_them(source: Path, shared_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="O-30_bookshelf") as caught:
        make(tmp_path / "set", shared_cache, source=str(source), only="O-30,O-47", scale=0.02)
    assert "\n" not in str(caught.value)


def test_the_bare_demo_says_that_it_is_small(
    shared_cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = Request("vbvr", "demo", {"only": "O-47", "frames": 25, "fps": 4}, DEMO, "tiny", shared_cache)
    with Serial() as carrier, pytest.raises(CurateError, match="O-47 0 of 2"):
        build(request, tmp_path / "set", carrier, Reporter(), encode=False)  # 256 of 128 pixels: all odd
    assert "a small set, scale=0.02 size=256" in capsys.readouterr().err


def test_settings_of_the_drawn_source(finished: Built) -> None:
    settings = load_build(finished.folder).source.settings
    assert settings["size"] == 128
