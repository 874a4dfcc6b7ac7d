import io
import os
import random
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.sources.store import LocalStore, Readable
from curate.sources.vbvr import list_vbvr
from tests.sources.vbvr_listing import Metered, became_whole, listed, told, wanted
from tests.vbvr_folders import (
    BALL,
    GRID,
    MAZE,
    make_rows,
    make_vbvr,
    members_of,
    picture,
    write_table,
    write_tar,
)  # fmt: skip

EACH = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vbvr")
    make_vbvr(path, {BALL: 8, GRID: 7, MAZE: 6})
    return path


def test_only_the_first_whole_ones_of_the_window_are_read(folder: Path, tmp_path: Path) -> None:
    store = Metered(folder)
    clips, drops = list_vbvr(store, wanted(BALL, window=3), tmp_path)
    order = became_whole(folder / "tars" / f"{BALL}.tar")[:3]
    assert sorted(clip.name for clip in clips) == sorted(order) and not drops
    assert [clip.name for clip in sorted(clips, key=lambda clip: clip.labels["tar_place"])] == order
    assert store.read < (folder / "tars" / f"{BALL}.tar").stat().st_size


def test_a_finished_listing_reads_nothing_again(folder: Path, tmp_path: Path) -> None:
    for window in (3, 100):
        first = listed(folder, tmp_path, BALL, GRID, window=window)
        store = Metered(folder)
        assert list_vbvr(store, wanted(BALL, GRID, window=window), tmp_path) == first
        assert store.read == 0


def test_a_larger_window_goes_on_where_the_smaller_ended(folder: Path, tmp_path: Path) -> None:
    whole = Metered(folder)
    at_once = [
        told(list_vbvr(whole, wanted(BALL, window=each), tmp_path / str(each))) for each in (2, 5, 100)
    ]
    once = Metered(folder)
    list_vbvr(once, wanted(BALL, window=100), tmp_path / "once")
    store = Metered(folder)
    grown = [told(list_vbvr(store, wanted(BALL, window=each), tmp_path / "grown")) for each in (2, 5, 100)]
    assert grown == at_once
    assert store.read <= once.read + 2 * 512  # at most the padding behind a member
    assert told(list_vbvr(store, wanted(BALL, window=2), tmp_path / "grown")) == at_once[0]


@EACH
@given(order=st.permutations(range(15)), window=st.integers(1, 4))
def test_members_come_in_any_order(order: list[int], window: int) -> None:
    rows = make_rows({GRID: 3})
    members = [member for row in rows for member in members_of(row)]
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_table(folder, rows)
        write_tar(folder / "tars" / f"{GRID}.tar", [members[index] for index in order])
        clips, drops = listed(folder, folder / "cache", GRID, window=window)
        expected = became_whole(folder / "tars" / f"{GRID}.tar")[:window]
    assert not drops
    assert [clip.name for clip in sorted(clips, key=lambda clip: clip.labels["tar_place"])] == expected


@EACH
@given(data=st.data())
def test_of_a_tar_that_is_cut_short_all_that_is_whole_is_kept(data: st.DataObject) -> None:
    rows = make_rows({GRID: 3})
    members = [member for row in rows for member in members_of(row)]
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_table(folder, rows)
        path = folder / "tars" / f"{GRID}.tar"
        write_tar(path, members)
        with tarfile.open(path) as tar:
            ends = {member.name: member.offset_data + member.size for member in tar}
        cut = data.draw(st.integers(0, max(ends.values()) - 1))
        path.write_bytes(path.read_bytes()[:cut])
        clips, drops = listed(folder, folder / "cache", GRID)
        again = listed(folder, folder / "cache", GRID)
    whole = [
        row for row in rows if all(ends[row[column]] <= cut for column in row if column.endswith("_path"))
    ]
    assert [clip.name for clip in clips] == [row["ground_truth_video_path"] for row in whole]
    assert len(drops) == 3 - len(whole) and {drop.reason for drop in drops} <= {"truncated_tar"}
    assert again == (clips, drops)


@EACH
@given(data=st.data())
def test_a_torn_journal_or_a_lost_file_costs_only_reading_again(data: st.DataObject) -> None:
    with TemporaryDirectory() as place:
        folder, cache = Path(place) / "vbvr", Path(place) / "cache"
        make_vbvr(folder, {GRID: 3})
        expected = listed(folder, cache, GRID)
        journal = next(cache.rglob("journal.jsonl"))
        text = journal.read_bytes()
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        journal.write_bytes(text[:start] + text[end:])
        for path in data.draw(st.lists(st.sampled_from(sorted(cache.rglob("*.png"))), max_size=2)):
            path.unlink(missing_ok=True)
        assert listed(folder, cache, GRID) == expected
        store = Metered(folder)
        assert list_vbvr(store, wanted(GRID), cache) == expected and store.read == 0


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_every_format_of_tar(form: int, tmp_path: Path) -> None:
    rows = make_rows({BALL: 2})
    for row in rows:
        for key in [key for key in row if key.endswith("_path")]:
            row[key] = f"./{'ø' * 30 + '/' if form != tarfile.USTAR_FORMAT else ''}{'folder/' * 14}{row[key]}"
    write_table(tmp_path, rows)
    write_tar(tmp_path / "tars" / f"{BALL}.tar", [m for row in rows for m in members_of(row)], form)
    clips, drops = listed(tmp_path, tmp_path / "cache", BALL)
    assert [clip.name for clip in clips] == [
        row["ground_truth_video_path"].removeprefix("./") for row in rows
    ]
    assert not drops


def test_what_is_missing_in_a_whole_tar(tmp_path: Path) -> None:
    rows = make_rows({BALL: 5})
    members = [member for row in rows for member in members_of(row)]
    lost = rows[1]["final_frame_path"], rows[3]["ground_truth_video_path"]
    write_table(tmp_path, rows)
    write_tar(tmp_path / "tars" / f"{BALL}.tar", [m for m in members if m[0] not in lost])
    clips, drops = listed(tmp_path, tmp_path / "cache", BALL)
    assert len(clips) == 3
    assert [(drop.name, drop.reason) for drop in drops] == [
        (rows[index]["ground_truth_video_path"], "not_in_tar") for index in (1, 3)
    ]
    assert len({drop.id for drop in drops}) == 2
    assert [len(found) for found in listed(tmp_path, tmp_path / "cache", BALL, window=3)] == [3, 0]
    assert [len(found) for found in listed(tmp_path, tmp_path / "cache", BALL, window=4)] == [3, 1]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_link_in_the_place_of_a_file_is_not_followed(kind: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture(9))
    rows = make_rows({BALL: 2})
    rows[0]["final_frame_path"] = rows[0]["first_frame_path"]  # one link is both
    write_table(tmp_path, rows)
    path = tmp_path / "tars" / f"{BALL}.tar"
    write_tar(path, [m for row in rows for m in members_of(row) if m[0] != rows[0]["first_frame_path"]])
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo(rows[0]["first_frame_path"])
        link.type, link.linkname = kind, str(secret)
        tar.addfile(link)
    for _ in range(2):
        clips, drops = listed(tmp_path, tmp_path / "cache", BALL)
        assert len(clips) == 1
        assert [drop.reason for drop in drops] == ["not_a_file"]
        assert drops[0].detail.startswith(f"{link.name} is ")


def test_members_that_nobody_wants_may_be_called_anything(tmp_path: Path) -> None:
    rows = make_rows({BALL: 1})
    write_table(tmp_path, rows)
    evil = [("../../evil.txt", b"x"), ("/evil.txt", b"x")]
    write_tar(tmp_path / "tars" / f"{BALL}.tar", [*evil, *members_of(rows[0])])
    clips, _ = listed(tmp_path, tmp_path / "a" / "b" / "cache", BALL)
    assert len(clips) == 1 and not [path for path in tmp_path.rglob("evil*")]


def test_a_generator_in_two_tars(tmp_path: Path) -> None:
    rows = make_rows({BALL: 4})
    for row in rows[2:]:
        row["tar_file"] = "tars/second.tar"
    write_table(tmp_path, rows)
    for tar, some in ((f"tars/{BALL}.tar", rows[:2]), ("tars/second.tar", rows[2:])):
        write_tar(tmp_path / tar, [member for row in some for member in members_of(row)])
    clips, drops = listed(tmp_path, tmp_path / "cache", BALL)
    assert [clip.labels["tar_place"] for clip in clips] == ["0", "1", "2", "3"] and not drops
    assert len(listed(tmp_path, tmp_path / "cache", BALL, window=3)[0]) == 3


def test_a_gzipped_tar_is_no_tar(tmp_path: Path) -> None:
    rows = make_vbvr(tmp_path / "vbvr", {BALL: 2})
    with tarfile.open(tmp_path / "vbvr" / rows[0]["tar_file"], "w:gz") as tar:
        noise = tarfile.TarInfo("noise")
        noise.size = 5000
        tar.addfile(noise, io.BytesIO(random.Random(0).randbytes(5000)))
    with pytest.raises(CurateError, match=r"O-1_ball_data-generator.tar: found no tar header at its start"):
        listed(tmp_path / "vbvr", tmp_path / "cache", BALL)


def test_two_generators_in_one_tar_do_not_hide_each_other(tmp_path: Path) -> None:
    """Their members lie one between the other; what one asked for before must not matter."""
    rows = make_rows({GRID: 2, MAZE: 2})
    for row in rows:
        row["tar_file"] = "tars/both.tar"
    write_table(tmp_path, rows)
    mixed = [m for pair in zip(members_of(rows[0]), members_of(rows[2]), strict=True) for m in pair]
    mixed += [m for pair in zip(members_of(rows[3]), members_of(rows[1]), strict=True) for m in pair]
    write_tar(tmp_path / "tars" / "both.tar", mixed)
    cache = tmp_path / "cache"
    assert [len(part) for part in listed(tmp_path, cache, GRID)] == [2, 0]
    assert [len(part) for part in listed(tmp_path, cache, MAZE)] == [2, 0]
    assert [len(part) for part in listed(tmp_path, cache, GRID, MAZE)] == [4, 0]


def test_a_read_that_failed_is_tried_again(tmp_path: Path) -> None:
    """Also under the same name, size and times, as when a server has a bad day."""

    class Garbled(LocalStore):
        bad = True

        def identity(self, path: str) -> str:
            return path

        @contextmanager
        def stream(self, path: str, offset: int) -> Iterator[Readable]:
            with super().stream(path, offset) as stream:
                yield io.BytesIO(stream.read(1024) + b"\xff" * 4096) if self.bad else stream

    make_vbvr(tmp_path, {GRID: 3})
    store = Garbled(tmp_path)
    clips, drops = list_vbvr(store, wanted(GRID), tmp_path / "cache")
    assert not clips and {drop.reason for drop in drops} == {"truncated_tar"}
    store.bad = False
    clips, drops = list_vbvr(store, wanted(GRID), tmp_path / "cache")
    assert len(clips) == 3 and not drops


def test_a_file_of_the_cache_that_was_damaged_is_taken_out_again(tmp_path: Path) -> None:
    make_vbvr(tmp_path / "vbvr", {GRID: 2})
    expected = listed(tmp_path / "vbvr", tmp_path / "cache", GRID)
    victim = Path(expected[0][0].path)
    sound = victim.read_bytes()
    victim.write_bytes(sound[:-9] + b"\0" * 9)  # as long as it was
    assert listed(tmp_path / "vbvr", tmp_path / "cache", GRID) == expected
    assert victim.read_bytes() == sound


def test_a_tar_of_the_same_size_and_time_is_another_one(tmp_path: Path) -> None:
    folder, other = tmp_path / "vbvr", tmp_path / "other"
    make_vbvr(folder, {GRID: 1})
    tar = folder / "tars" / f"{GRID}.tar"
    (before,), _ = listed(folder, tmp_path / "cache", GRID)
    stamp, data = tar.stat(), tar.read_bytes()
    tar.write_bytes(data.replace(b"isom", b"isoM"))  # in the video's header
    os.utime(tar, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert tar.stat().st_size == stamp.st_size and not other.exists()
    (after,), _ = listed(folder, tmp_path / "cache", GRID)
    assert before.sha256 != after.sha256
