"""Whole builds of small talking heads with the real encoder classes: bytes, engines, interruption, bad places."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from curate.build import Built, build
from curate.check import check
from curate.engine import Engine, Processes, Serial
from curate.errors import AuditError, CurateError
from curate.manifest import load_build, read_lines
from curate.pipeline import Request
from curate.progress import Reporter
from curate.records import LedgerRow
from curate.shard import iter_samples
from curate.sources.listing import list_source
from curate.stages import annotation_key
from curate.tensors import unpack_tensors
from tests.conftest import REAL_CLIPS, SMALL
from tests.engines import Backwards
from tests.ledgers import helium


def make(
    out: Path,
    source: Path,
    cache: Path,
    carrier: Engine | None = None,
    encode: bool = True,
    **settings: object,
) -> Built:
    request = Request("helium-v2", str(source), {**SMALL, **settings}, {}, "tiny", cache)
    with carrier or Serial() as engine_:
        return build(request, out, engine_, Reporter(quiet=True), encode=encode)


def tree(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def finished(heads: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return make(tmp_path_factory.mktemp("set") / "helium", heads, shared_cache)


def test_a_build_holds_what_it_says(finished: Built) -> None:
    folder, manifest = finished.folder, finished.manifest
    assert check(folder) == []
    assert manifest.counts.kept >= 3 and manifest.encoder is not None and not manifest.trained
    rows = read_lines(folder / "ledger.jsonl", LedgerRow)
    assert len(rows) == manifest.counts.candidates
    assert manifest.counts.kept + sum(manifest.counts.dropped.values()) == len(rows)
    assert {row.split for row in rows if row.kept} <= {"train", "heldout"}


def test_latents_have_the_shapes_of_ltx(finished: Built) -> None:
    seen = 0
    for shard in (finished.folder / "shards").glob("*.tar"):
        for _, members in iter_samples(shard):
            tensors, stamp = unpack_tensors(members["safetensors"])
            record = json.loads(bytes(members["json"]))
            assert {name: (t.dtype, t.shape) for name, t in tensors.items()} == {
                "video_latents": ("BF16", (128, 6, 2, 2)),  # 41 frames of 64x64
                "audio_latents": ("F32", (8, 41, 16)),  # round(25 * 1.64 s)
                "reference_audio_latents": ("F32", (8, 51, 16)),  # 2 s, left whole
            }
            assert stamp["id"] == record["id"]
            seen += 1
    assert seen == finished.manifest.counts.kept


def test_text_is_stored_once_for_all(finished: Built) -> None:
    (path,) = (finished.folder / "text").iterdir()
    tensors, stamp = unpack_tensors(path.read_bytes())
    assert stamp["caption"] == "a person speaking"
    assert set(tensors) == {"video_text", "audio_text"}


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # webdataset leaves its file open
def test_stock_webdataset_and_safetensors_read_the_shards(finished: Built) -> None:
    import webdataset
    from safetensors.torch import load

    shard = next((finished.folder / "shards").glob("train-*.tar"))
    samples = list(webdataset.WebDataset(str(shard), shardshuffle=False).decode())
    assert samples and load(samples[0]["safetensors"])["video_latents"].shape == (128, 6, 2, 2)
    assert samples[0]["json"]["caption"] == "a person speaking"


def test_fresh_caches_and_other_engines_give_the_same_bytes(
    finished: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """Clips and samples by two processes at once; latents by one that starts with the last, as each imports the encoder."""
    shutil.copytree(shared_cache / "models", tmp_path / "cache" / "models")
    out = tmp_path / "one" / "helium"
    make(out, heads, tmp_path / "cache", Processes(2), encode=False)
    assert not (tmp_path / "cache" / "latents").exists()
    assert tree(make(out, heads, tmp_path / "cache", Backwards()).folder) == tree(finished.folder)


def test_a_moved_source_gives_the_same_bytes(
    finished: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(heads, tmp_path / "elsewhere")
    assert tree(make(tmp_path / "helium", moved, shared_cache).folder) == tree(finished.folder)


class Interrupted(Exception):
    pass


class Stops(Serial):
    """An engine that dies after some tasks, as a killed build does."""

    def __init__(self, after: int) -> None:
        self.left = after

    def map(self, run, items):  # type: ignore[no-untyped-def]
        for item in items:
            if self.left == 0:
                raise Interrupted
            self.left -= 1
            yield run(item)


def test_a_killed_build_goes_on_and_ends_in_the_same_bytes(
    finished: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """Killed among its latents; tests/test_cli.py kills one among its samples."""
    for kind in ("models", "annotations"):
        shutil.copytree(shared_cache / kind, tmp_path / "cache" / kind)
    request = Request("helium-v2", str(heads), SMALL, {}, "tiny", tmp_path / "cache")
    shutil.copytree(finished.folder, tmp_path / "helium")
    with pytest.raises(Interrupted):
        build(request, tmp_path / "helium", Stops(10), Reporter(quiet=True))
    assert tree(tmp_path / "helium") == tree(finished.folder)  # what was there is untouched
    again = build(request, tmp_path / "helium", Serial(), Reporter(quiet=True))
    assert tree(again.folder) == tree(finished.folder)


class Counts(Serial):
    """An engine that remembers which tasks it was given."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, object]] = []

    def map(self, run, items):  # type: ignore[no-untyped-def]
        for item in items:
            self.ran.append((run.__name__, item))
            yield run(item)


def test_one_clip_added_remakes_that_clip_only(
    finished: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    fewer = shutil.copytree(heads, tmp_path / "heads")
    extra = min(fewer.glob("*.mp4"))
    for kind in ("models", "annotations"):
        shutil.copytree(shared_cache / kind, tmp_path / "cache" / kind)
    listing = list_source(str(fewer), {}, tmp_path / "cache", Serial(), Reporter(quiet=True))
    (clip,) = [clip for clip in listing.clips if clip.name == extra.name]
    key = annotation_key(helium(**SMALL), clip)
    (tmp_path / "cache" / "annotations" / key[:2] / f"{key}.json").unlink()
    kept_aside = extra.rename(tmp_path / extra.name)
    make(tmp_path / "helium", fewer, tmp_path / "cache")
    kept_aside.rename(extra)
    request = Request("helium-v2", str(fewer), SMALL, {}, "tiny", tmp_path / "cache")
    counts = Counts()
    build(request, tmp_path / "helium", counts, Reporter(quiet=True))
    looked_at = [task for name, task in counts.ran if name in ("annotate", "make")]
    assert {name for name, _ in counts.ran} <= {"annotate", "make", "encode"}
    assert 1 <= len(looked_at) <= 2
    clips = [getattr(task, "clip", None) or task.samples[0].clips[0] for task in looked_at]  # type: ignore[attr-defined]
    assert {clip.name for clip in clips} == {extra.name}


def test_nothing_runs_twice(finished: Built, heads: Path, shared_cache: Path, tmp_path: Path) -> None:
    counts = Counts()
    request = Request("helium-v2", str(heads), SMALL, {}, "tiny", shared_cache)
    build(request, tmp_path / "helium", counts, Reporter(quiet=True))
    assert counts.ran == []


def test_a_setting_decided_on_the_set_remakes_nothing_and_one_of_make_does(
    finished: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    for settings, remade in (({"heldout_share": 0.4}, False), ({"contour": 0.25}, True)):
        counts = Counts()
        request = Request("helium-v2", str(heads), {**SMALL, **settings}, {}, "tiny", shared_cache)
        build(request, tmp_path / "helium", counts, Reporter(quiet=True), encode=False)
        assert bool([name for name, _ in counts.ran if name == "make"]) is remade


def test_no_encode_stops_after_the_audit(heads: Path, shared_cache: Path, tmp_path: Path) -> None:
    result = make(tmp_path / "helium", heads, shared_cache, encode=False)
    assert result.manifest.encoder is None and not (result.folder / "shards").exists()
    assert check(result.folder) == []


def test_a_set_that_does_not_stand_is_not_built(heads: Path, shared_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="band"):
        make(tmp_path / "helium", heads, shared_cache, max_shift_st=0.1)
    assert not (tmp_path / "helium").exists()
    assert (tmp_path / "helium.failed" / "audit.json").is_file()
    request = Request("helium-v2", str(heads), {**SMALL, "max_shift_st": 0.1}, {}, "tiny", shared_cache)
    allowed = build(
        request,
        tmp_path / "helium",
        Serial(),
        Reporter(quiet=True),
        encode=False,
        allow=frozenset({"band", "pairs"}),
    )
    assert allowed.manifest.audit.failed == ["pairs (train)", "band (all)"]
    assert allowed.manifest.audit.allowed == ["band", "pairs"]
    assert check(allowed.folder) == []


def test_a_place_with_other_files_is_left_alone(heads: Path, shared_cache: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("x")
    with pytest.raises(CurateError, match="no finished set"):
        make(mine, heads, shared_cache, encode=False)
    assert [p.name for p in mine.iterdir()] == ["thesis.tex"]
    out = make(tmp_path / "helium", heads, shared_cache, encode=False).folder
    (out / "notes.txt").write_text("x")
    with pytest.raises(CurateError, match=r"notes\.txt is not part of the set"):
        make(out, heads, shared_cache, encode=False)
    assert (out / "notes.txt").is_file()


def test_build_json_names_no_path_host_or_time(finished: Built, heads: Path) -> None:
    import platform

    text = (finished.folder / "build.json").read_text()
    for secret in (str(heads), str(finished.folder), str(Path.home()), platform.node()):
        assert secret not in text
    assert load_build(finished.folder) == finished.manifest


@pytest.mark.skipif(not REAL_CLIPS.is_dir(), reason="the real talking heads are not on this machine")
def test_real_talking_heads(shared_cache: Path, tmp_path: Path) -> None:
    """Real speech and footage through the whole path, at a size that is quick to encode."""
    request = Request(
        "helium-v2", str(REAL_CLIPS), {"size": 64, "frames": 81, "strata": 4}, {}, "tiny", shared_cache
    )
    before = tree(REAL_CLIPS)
    result = build(request, tmp_path / "helium", Serial(), Reporter(quiet=True))
    assert check(result.folder) == []
    assert result.manifest.counts.files == 6 and result.manifest.counts.kept >= 3
    by_name = {f"{f.name} ({f.split})": f for f in result.findings}
    assert by_name["independence (train)"].verdict == "not_testable"
    assert by_name["target_pitch (all)"].verdict == "pass"
    assert not result.manifest.audit.failed
    assert tree(REAL_CLIPS) == before
