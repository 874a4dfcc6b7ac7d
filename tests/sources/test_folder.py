"""Every file of a folder ends as a clip or as a drop; sidecars are read, or refused in one line."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.media.video import write_video
from curate.records import Clip, Drop
from curate.sources.files import file_sha256, files_under
from curate.sources.folder import list_folder

HEADS = Path(__file__).parents[2] / "../shared/data/talking-heads"


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    write_video(path, np.arange(8 * 32 * 32 * 3, dtype=np.uint32).reshape(8, 32, 32, 3).astype(np.uint8), 25)
    return path.read_bytes()


def other(video: bytes, number: int) -> bytes:
    """The same video in other bytes: with a box behind it that says nothing."""
    return video + b"\0\0\0\x0cfree" + number.to_bytes(4, "big")


class Source:
    """A folder under test and the cache beside it."""

    def __init__(self, place: Path, video: bytes) -> None:
        self.root, self.cache, self.video = place / "clips", place / "cache", video
        self.root.mkdir(exist_ok=True)
        self.made = 0

    def add(self, *names: str) -> None:
        for name in names:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.made += 1
            path.write_bytes(other(self.video, self.made))

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def listed(self) -> tuple[list[Clip], list[Drop]]:
        return list_folder(self.root, self.cache)

    def clip(self, name: str = "a.mp4") -> Clip:
        return next(clip for clip in self.listed()[0] if clip.name == name)

    def refused(self) -> str:
        with pytest.raises(CurateError) as found:
            self.listed()
        assert "\n" not in str(found.value)
        return str(found.value)


@pytest.fixture
def source(tmp_path: Path, video: bytes) -> Source:
    return Source(tmp_path, video)


def test_a_clip_says_what_the_file_is(source: Source) -> None:
    source.add("a.mp4")
    (clip,), drops = source.listed()
    sha256 = hashlib.sha256((source.root / "a.mp4").read_bytes()).hexdigest()
    assert (clip.id, clip.sha256, clip.name) == (sha256[:16], sha256, "a.mp4")
    assert (clip.seconds, clip.fps, clip.width, clip.height, clip.sample_rate_hz) == (0.32, 25, 32, 32, None)
    assert (clip.caption, clip.licence, clip.labels) == (None, None, {})
    assert clip.path == str(source.root / "a.mp4")
    assert os.path.isabs(clip.path)
    assert drops == []


def test_found_recursively_by_suffix_and_sorted(source: Source) -> None:
    source.add(
        "b/z.MP4", "b/a.mov", "a.webm", "B.mkv", "c/d/e/f.Ts", "a/b.avi", "a/b.m4v", "a/b.mpg", "a/b.mpeg"
    )
    source.add(".hidden.mp4", ".trash/x.mp4", "b/.x/y.mp4", "b/notes.pdf", "mp4")
    names = [clip.name for clip in source.listed()[0]]
    assert names == [
        "B.mkv",
        "a.webm",
        "a/b.avi",
        "a/b.m4v",
        "a/b.mpeg",
        "a/b.mpg",
        "b/a.mov",
        "b/z.MP4",
        "c/d/e/f.Ts",
    ]


@pytest.mark.parametrize(
    "name", ["two words.mp4", "dots.in.it.mp4", "ünï 茶.mp4", "new\nline.mp4", "-x.mp4", "%d'\".mp4"]
)
def test_any_name_will_do(source: Source, name: str) -> None:
    source.add(name)
    source.write(name + ".txt", "a caption")
    assert source.clip(name).caption == "a caption"


def test_a_name_that_is_not_utf8_is_dropped(source: Source) -> None:
    source.add("a.mp4")
    try:
        source.add(os.fsdecode(b"bad\xff.mp4"))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    clips, drops = source.listed()
    assert [clip.name for clip in clips] == ["a.mp4"]
    assert [(drop.name, drop.reason) for drop in drops] == [("bad\\udcff.mp4", "unreadable_name")]


def test_every_file_is_a_clip_or_a_drop(source: Source) -> None:
    source.add("b.mp4", "d.mp4")
    source.write("a.mp4", "no video")
    source.write("c.mp4", (source.root / "b.mp4").read_bytes())
    source.write("e.mp4", b"")
    source.write("f.mp4", (source.root / "d.mp4").read_bytes()[:300])
    (source.root / "g.mp4").symlink_to("nowhere")
    os.mkfifo(source.root / "h.mp4")
    (source.root / "i.mp4").symlink_to("i.mp4")
    (source.root / "j.mp4").symlink_to("d.mp4")
    clips, drops = source.listed()
    assert [clip.name for clip in clips] == ["b.mp4", "d.mp4"]
    assert {drop.name: drop.reason for drop in drops} == {
        "a.mp4": "not_media", "c.mp4": "same_file", "e.mp4": "empty_file", "f.mp4": "truncated",
        "g.mp4": "unreadable", "h.mp4": "unreadable", "i.mp4": "unreadable", "j.mp4": "same_file",
    }  # fmt: skip
    by_name = {drop.name: drop for drop in drops}
    assert by_name["c.mp4"].detail == "the same bytes as b.mp4"
    assert by_name["c.mp4"].sha256 == clips[0].sha256
    ids = [clip.id for clip in clips] + [drop.id for drop in drops]
    assert len(set(ids)) == len(ids)
    assert str(source.root) not in "".join(drop.model_dump_json() for drop in drops)


def test_linked_folders_are_entered_once_and_loops_end(source: Source, tmp_path: Path) -> None:
    source.add("real/a.mp4")
    outside = Source(tmp_path / "outside", source.video) if (tmp_path / "outside").mkdir() is None else source
    outside.add("b.mp4")
    source.made = 9
    (source.root / "real/loop").symlink_to(source.root)
    (source.root / "again").symlink_to(source.root / "real")
    (source.root / "link").symlink_to(outside.root)
    (source.root / "link2").symlink_to(outside.root)
    (source.root / "self").symlink_to("self")
    found = [path.relative_to(source.root).as_posix() for path in files_under(source.root)]
    assert found == ["link/b.mp4", "real/a.mp4", "self"]


def test_precedence_metadata_json_txt(source: Source) -> None:
    source.add("a.mp4", "b.mp4", "c.mp4", "sub/d.mp4")
    source.write("metadata.jsonl", "\n".join(json.dumps(row) for row in (
        {"file_name": "a.mp4", "caption": "from the table", "license": "CC0", "speaker": "s1", "age": 33},
        {"file_name": "b.mp4", "text": "from the table", "speaker": "s2"},
        {"file_name": "c.mp4", "text": "from the table", "shots": [1, 2], "ok": True, "none": None},
    )))  # fmt: skip
    source.write(
        "sub/metadata.csv", '\ufefffile_name,text,licence,speaker,empty\nd.mp4,"a, ""b""\nc",MIT, s4 ,\n'
    )
    source.write("a.json", '{"caption": "from json", "labels": {"speaker": "s9", "mood": "glad"}, "take": 2}')
    source.write("a.txt", "\ufefffrom text\n")
    source.write("b.json", '{"licence": "MIT", "caption": ""}')
    clips = {clip.name: clip for clip in source.listed()[0]}
    a, b, c, d = (clips[name] for name in ("a.mp4", "b.mp4", "c.mp4", "sub/d.mp4"))
    assert (a.caption, a.licence) == ("from text", "CC0")
    assert a.labels == {"speaker": "s9", "age": "33", "mood": "glad", "take": "2"}
    assert (b.caption, b.licence, b.labels) == ("from the table", "MIT", {"speaker": "s2"})
    assert (c.caption, c.labels) == ("from the table", {"ok": "true"})
    assert (d.caption, d.licence, d.labels) == ('a, "b"\nc', "MIT", {"speaker": "s4"})


def test_full_names_tell_videos_of_one_stem_apart(source: Source) -> None:
    source.add("a.mp4", "a.mov")
    source.write("a.txt", "whose?")
    told = source.refused()
    assert all(name in told for name in ("a.txt", "a.mov", "a.mp4", "a.mov.txt and a.mp4.txt"))
    source.write("a.mp4.txt", "the mp4")
    assert (source.clip("a.mp4").caption, source.clip("a.mov").caption) == ("the mp4", "whose?")
    source.write("a.mov.TXT", "the mov")
    assert (source.clip("a.mp4").caption, source.clip("a.mov").caption) == ("the mp4", "the mov")


def test_rows_about_other_files_are_no_fault(source: Source) -> None:
    source.add("a.mp4")
    source.write("still.png", b"png")
    source.write("metadata.csv", "file_name,text\nstill.png,a still\na.mp4,a clip\n")
    assert source.clip().caption == "a clip"


CSV, JSONL = "metadata.csv", "metadata.jsonl"
BAD = {
    "json": ("a.json", '{"caption": \n oops}', ["a.json, line 2", "Expecting value", "wanted JSON"]),
    "json list": ("a.json", "[1]", ["a.json", "found list", "wanted a JSON object"]),
    "json caption": ("a.json", '{"caption": 3}', ["a.json", "found caption 3", "wanted a text"]),
    "json depth": ("a.json", "[" * 100_000, ["a.json", "cannot be read"]),
    "json number": ("a.json", "9" * 5000, ["a.json", "cannot be read"]),
    "half a character": ("a.json", '{"caption": "\\ud800"}', ["a.json", r"'\ud800'", "UTF-8"]),
    "latin-1": ("a.txt", "first\nca\xe9".encode("latin-1"), ["a.txt, line 2", "0xe9", "wanted UTF-8"]),
    "utf-16": ("a.txt", "hello".encode("utf-16"), ["a.txt, line 1", "0xff", "wanted UTF-8"]),
    "no file": (CSV, "file_name,text\na.mp4,x\nb.mp4,y\n", [f"{CSV}, line 3", "'b.mp4'", "wanted a file in"]),
    "no column": (CSV, "name;text\n", [f"{CSV}, line 1", "['name;text']", "wanted one called file_name"]),
    "empty csv": (CSV, "", [f"{CSV}, line 1", "found columns []"]),
    "cells": (CSV, "file_name,text\na.mp4,x,y\n", [f"{CSV}, line 2", "found 3 cells, wanted 2"]),
    "quote": (CSV, 'file_name,text\na.mp4,"x\n', [f"{CSV}, line 2", "wanted CSV"]),
    "twice": (CSV, "file_name,text\na.mp4,x\n./a.mp4,y\n", [f"{CSV}, line 3", f"{CSV}, line 2 described"]),
    "jsonl": (JSONL, '{"file_name": "a.mp4"}\n\n{"file_name"\n', [f"{JSONL}, line 3", "wanted JSON"]),
    "jsonl name": (JSONL, '{"file": "a.mp4"}\n', [f"{JSONL}, line 1", "found file_name None"]),
    "nul": (JSONL, '{"file_name": "a\\u0000.mp4"}\n', [f"{JSONL}, line 1", "wanted a file in"]),
    "long": (JSONL, json.dumps({"file_name": "a" * 9000}), [f"{JSONL}, line 1", "wanted a file in"]),
}


@pytest.mark.parametrize("fault", BAD)
def test_malformed_sidecars_are_named_in_one_line(source: Source, fault: str) -> None:
    name, text, wanted = BAD[fault]
    source.add("a.mp4")
    source.write(name, text)
    told = source.refused()
    assert [part for part in wanted if part not in told] == []


def test_two_tables_about_one_file(source: Source) -> None:
    source.add("a.mp4")
    source.write("metadata.csv", "file_name,text\na.mp4,x\n")
    source.write("metadata.jsonl", '{"file_name": "a.mp4", "text": "y"}')
    assert "metadata.csv, line 2 described already" in source.refused()


def test_a_relative_root_finds_its_rows(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.add("a.mp4")
    source.write("metadata.csv", "file_name,text\na.mp4,x\n")
    monkeypatch.chdir(source.root)
    for root in (Path("."), Path("../clips"), Path("../cache/../clips")):
        (clip,), _ = list_folder(root, source.cache)
        assert (clip.name, clip.caption) == ("a.mp4", "x")
        assert os.path.samefile(clip.path, source.root / "a.mp4")


text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda t: t.strip()
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    caption=text,
    licence=text,
    labels=st.dictionaries(
        text.filter(lambda k: k not in ("caption", "text", "licence", "license", "labels")), text, max_size=3
    ),
)
def test_json_sidecars_come_back(
    tmp_path: Path, video: bytes, caption: str, licence: str, labels: dict[str, str]
) -> None:
    source = Source(tmp_path, video)
    source.add("a.mp4")
    for written in ({"labels": labels}, labels):
        source.write("a.json", json.dumps({"caption": caption, "licence": licence, **written}))
        clip = source.clip()
        assert (clip.caption, clip.licence) == (caption.strip(), licence.strip())
        assert clip.labels == {key: value.strip() for key, value in labels.items()}


def test_progress_can_be_followed(source: Source) -> None:
    source.add("a.mp4", "b.mp4")
    followed: list[Path] = []

    def follow(paths: list[Path]) -> list[Path]:
        followed.extend(paths)
        return paths

    list_folder(source.root, source.cache, follow)
    assert [path.name for path in followed] == ["a.mp4", "b.mp4"]


def test_folders_that_are_no_source(source: Source, tmp_path: Path) -> None:
    assert "an empty folder, none a video (.mp4 .mov" in source.refused()
    source.write("a.png", b"x")
    source.write("b.png", b"x")
    source.write("c", b"x")
    assert "3 files (2 .png, 1 without suffix), none a video" in source.refused()
    for place, found in (("nothing here", "found nothing"), ("clips/a.png", "found a file")):
        with pytest.raises(CurateError, match=f"{found}, wanted a folder"):
            list_folder(tmp_path / place, source.cache)


def fingerprint(root: Path) -> dict[str, tuple[str, int, int]]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    states = [
        (hashlib.sha256(f.read_bytes()).hexdigest(), f.stat().st_mtime_ns, f.stat().st_mode) for f in files
    ]
    return dict(zip(map(str, files), states, strict=True))


def test_sources_are_never_touched(source: Source) -> None:
    source.add("a.mp4", "sub/b.mp4")
    source.write("a.txt", "x")
    source.write("broken.mp4", b"x")
    source.write("metadata.csv", "file_name,text\na.mp4,x\n")
    before = fingerprint(source.root)
    source.listed()
    source.listed()
    assert fingerprint(source.root) == before


def test_hashes_are_remembered_until_the_file_changes(source: Source) -> None:
    source.add("a.mp4")
    path = source.root / "a.mp4"
    first = file_sha256(path, source.cache)
    (entry,) = (source.cache / "hashes").iterdir()
    entry.write_text(entry.read_text().replace(first, "0" * 64))
    assert file_sha256(path, source.cache) == "0" * 64  # so it is not hashed again
    os.utime(path, ns=(1, 1))
    assert file_sha256(path, source.cache) == first
    path.write_bytes(other(source.video, 99))
    assert file_sha256(path, source.cache) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"\xff\xfe", b'{"size": 1}', b'{"size":1,"mtime_ns":1,"sha256":"x"}']
)
def test_a_damaged_memory_is_ignored(source: Source, damage: bytes) -> None:
    source.add("a.mp4")
    before = source.listed()
    (entry,) = (source.cache / "hashes").iterdir()
    entry.write_bytes(damage)
    assert source.listed() == before


def test_listing_again_gives_the_same(source: Source) -> None:
    source.add("a.mp4", "b.mp4")
    source.write("c.mp4", b"x")
    assert source.listed() == source.listed()
    moved = source.root.rename(source.root.with_name("moved"))
    clips, drops = list_folder(moved, source.cache)
    assert [clip.id for clip in clips] != []
    assert all(clip.path.startswith(str(moved)) for clip in clips)
    assert len(drops) == 1


@pytest.mark.skipif(not HEADS.is_dir(), reason="no shared data here")
def test_real_clips(tmp_path: Path) -> None:
    clips, drops = list_folder(HEADS, tmp_path)
    assert [clip.name[:2] for clip in clips] == ["00", "01", "02", "03", "04", "05"]
    assert {clip.sample_rate_hz for clip in clips} == {48000}
    assert drops == []


def test_a_pipe_or_a_device_beside_a_clip_is_refused_at_once(source: Source) -> None:
    source.add("a.mp4")
    os.mkfifo(source.root / "a.txt")
    assert source.refused().endswith("a.txt: found no file, or a link to nothing; wanted UTF-8 text")
    (source.root / "a.txt").unlink()
    (source.root / "a.json").symlink_to("/dev/zero")
    assert "a.json: found no file" in source.refused()


def test_what_is_told_of_a_copy_is_told_of_its_bytes(source: Source) -> None:
    """Whose name comes first must not decide under which licence the bytes may be used."""
    source.write("a.mp4", source.video)
    source.write("b.mp4", source.video)
    source.write("b.json", json.dumps({"caption": "a man", "licence": "CC0-1.0", "author": "Ann"}))
    clip = source.clip()
    assert (clip.caption, clip.licence, clip.labels) == ("a man", "CC0-1.0", {"author": "Ann"})
    source.write("a.json", json.dumps({"caption": "a woman"}))
    assert source.clip().caption == "a woman" and source.clip().licence == "CC0-1.0"
