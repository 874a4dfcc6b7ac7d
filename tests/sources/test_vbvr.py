import json
from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.records import sha256_of
from curate.sources.vbvr import is_vbvr
from tests.sources.vbvr_listing import became_whole, listed, sha
from tests.vbvr_folders import (
    BALL,
    GRID,
    MAZE,
    make_rows,
    make_vbvr,
    members_of,
    picture,
    row_of,
    video,
    write_table,
    write_tar,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vbvr")
    make_vbvr(path, {BALL: 8, GRID: 7, MAZE: 6})
    return path


def test_a_sample_becomes_a_clip_with_all_that_the_table_says(folder: Path, tmp_path: Path) -> None:
    clips, drops = listed(folder, tmp_path, BALL, GRID)
    assert (len(clips), drops) == (15, [])
    assert clips == sorted(clips, key=lambda clip: clip.name)
    row = row_of(BALL, 3, 3)
    clip = next(clip for clip in clips if clip.name == row["ground_truth_video_path"])
    place = became_whole(folder / row["tar_file"]).index(clip.name)
    assert clip.sha256 == sha(video(3)) and clip.id == clip.sha256[:16]
    assert clip.caption == row["prompt"] and clip.licence == "apache-2.0"
    assert clip.labels == {
        "generator": BALL,
        "sample_id": "ball_00000003",
        "param_hash": f"{3:016x}",
        "parameters": '{"colour":"rød","index":3}',
        "tar_place": str(place),
    }
    assert (clip.seconds, clip.width, clip.height, clip.fps, clip.sample_rate_hz) == (
        1.125,
        64,
        64,
        8.0,
        None,
    )
    assert clip.beside == {"first_frame.png": sha(picture(3)), "final_frame.png": sha(picture(252))}


def test_the_files_lie_beside_each_other_and_only_below_the_cache(folder: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    clips, _ = listed(folder, tmp_path, MAZE)
    for clip in clips:
        path = Path(clip.path)
        assert path.is_relative_to(tmp_path) and sha(path.read_bytes()) == clip.sha256
        for name, digest in clip.beside.items():
            assert sha((path.parent / name).read_bytes()) == digest
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_is_vbvr() -> None:
    assert is_vbvr(["README.md", "data/metadata.parquet", "tars/G-3.tar"])
    assert not is_vbvr(["data/metadata.parquet", "tars/readme.txt"])
    assert not is_vbvr(["data/train.parquet", "tars/G-3.tar"])


def test_all_missing_generators_are_named_in_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CurateError) as error:
        listed(folder, tmp_path, BALL, "O-7_shape_data-generator", "G-11_handle_data-generator")
    told = "has no G-11_handle_data-generator, O-7_shape_data-generator (2 of 3 wanted)"
    assert str(error.value) == f"{folder}: {told}; wanted them in data/metadata.parquet"


def test_a_missing_tar_is_named_before_anything_is_read(tmp_path: Path) -> None:
    make_vbvr(tmp_path / "vbvr", {BALL: 2, GRID: 2})
    (tmp_path / "vbvr" / "tars" / f"{GRID}.tar").unlink()
    with pytest.raises(CurateError, match=r"has no tars/G-2_grid_data-generator.tar \(1 of 2 wanted\)"):
        listed(tmp_path / "vbvr", tmp_path / "cache", BALL, GRID)
    assert not (tmp_path / "cache").exists()


def test_the_same_bytes_twice_are_one_clip(tmp_path: Path) -> None:
    rows = make_rows({BALL: 3, GRID: 2})
    rows.append({**rows[4], "id": 5})  # a row twice
    write_table(tmp_path, rows)
    for generator in (BALL, GRID):
        members = [m for row in rows[:5] if row["generator"] == generator for m in members_of(row)]
        same = {rows[index]["ground_truth_video_path"] for index in (0, 2, 3)}
        members = [(name, video(0) if name in same else data) for name, data in members]
        write_tar(tmp_path / "tars" / f"{generator}.tar", members)
    clips, drops = listed(tmp_path, tmp_path / "cache", BALL, GRID)
    # the generators are taken in the order of their names, so the one of the grid comes first
    first = rows[3]["ground_truth_video_path"]
    assert {clip.name for clip in clips} == {first, *(rows[i]["ground_truth_video_path"] for i in (1, 4))}
    assert [(drop.reason, drop.detail) for drop in drops if "ball" in drop.name] == [
        ("same_file", f"the same bytes as {first}")
    ] * 2
    assert [drop.reason for drop in drops] == ["same_file"] * 3
    assert len({*(clip.id for clip in clips), *(drop.id for drop in drops)}) == 6


@pytest.mark.parametrize(
    "text",
    [None, "", "[]", "{", "{}", '{"parameters": 3}', '{"parameters": {"a": NaN}}', '{"parameters": {"a": "\\ud800"}}',
     '{"parameters": {}, "param_hash": 7}', "[" * 100_000],
)  # fmt: skip
def test_a_row_with_bad_metadata_is_dropped_alone(text: str | None, tmp_path: Path) -> None:
    rows = make_rows({BALL: 2})
    members = [member for row in rows for member in members_of(row)]
    rows[1]["metadata_json"] = text
    write_table(tmp_path, rows)
    write_tar(tmp_path / "tars" / f"{BALL}.tar", members)
    clips, drops = listed(tmp_path, tmp_path / "cache", BALL)
    assert len(clips) == 1
    assert [(drop.reason, drop.id) for drop in drops] == [
        ("bad_metadata", sha256_of([drops[0].name, 1])[:16])
    ]
    assert drops[0].detail.startswith("metadata_json") and "\n" not in drops[0].detail


def test_without_a_hash_of_the_parameters_one_is_made(tmp_path: Path) -> None:
    rows = make_rows({BALL: 1})
    rows[0]["metadata_json"] = json.dumps({"parameters": {"b": [1, 2], "a": "→"}})
    write_table(tmp_path, rows)
    write_tar(tmp_path / "tars" / f"{BALL}.tar", members_of(rows[0]))
    clips, _ = listed(tmp_path, tmp_path / "cache", BALL)
    assert clips[0].labels["param_hash"] == sha256_of({"a": "→", "b": [1, 2]})[:16]
    assert clips[0].labels["parameters"] == '{"a":"→","b":[1,2]}'


def test_a_video_that_is_none_is_dropped_for_what_it_is(tmp_path: Path) -> None:
    rows = make_rows({BALL: 2})
    write_table(tmp_path, rows)
    broken = {
        rows[0]["ground_truth_video_path"]: b"this is no video",
        rows[1]["ground_truth_video_path"]: b"",
    }
    members = [(name, broken.get(name, data)) for row in rows for name, data in members_of(row)]
    write_tar(tmp_path / "tars" / f"{BALL}.tar", members)
    clips, drops = listed(tmp_path, tmp_path / "cache", BALL)
    assert (clips, [drop.reason for drop in drops]) == ([], ["not_media", "empty_file"])
