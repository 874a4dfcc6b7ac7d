"""The VBVR demo: true tasks in the Hub's layout, the same bytes every time, flaws where they are declared."""

import hashlib
import json
import tarfile
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.errors import CurateError
from curate.generators import GENERATORS, RETURNING, id_of
from curate.media.video import probe, read_frames
from curate.sources.demo_vbvr import (
    DRAWINGS,
    FILES,
    FPS,
    DrawTask,
    VbvrDemo,
    draw_frames,
    draw_sample,
    needed,
    pack_vbvr,
    param_hash,
    sound,
    vbvr_plan,
)

SMALL = VbvrDemo(size=128)
ONE_CAPTION = {
    "G-3", "G-13", "G-17", "G-31", "G-33", "G-35", "G-37", "G-41", "G-44", "O-21", "O-24", "O-33", "O-83", "O-87",
}  # fmt: skip
COLUMNS = {  # as in the real parquet
    "id": "int64", "generator": "string", "task": "string", "sample_id": "string", "prompt": "string",
    "metadata_json": "string", "first_frame_path": "string", "final_frame_path": "string",
    "ground_truth_video_path": "string", "tar_file": "string",
}  # fmt: skip


def plan_of(generator: str, count: int, seed: int = 0) -> list[DrawTask]:
    return vbvr_plan(VbvrDemo(size=128, seed=seed), {GENERATORS[generator].folder: count})


def sha256s(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def changed(first: np.ndarray, second: np.ndarray) -> float:
    """The share of pixels that differ by more than 48 in some channel."""
    return float((np.abs(first.astype(int) - second).max(axis=-1) > 48).mean())


def halved(picture: np.ndarray) -> np.ndarray:
    """At the size at which H.264 keeps colours."""
    return cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def read_png(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[:, :, ::-1]


@pytest.fixture(scope="module")
def tasks() -> list[DrawTask]:
    """The first sample of every generator."""
    return vbvr_plan(SMALL, {generator.folder: 1 for generator in GENERATORS.values()})


@pytest.fixture(scope="module")
def drawn(tasks: list[DrawTask], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vbvr")
    for task in tasks:
        draw_sample(task, folder)
    pack_vbvr(folder, tasks)
    return folder


def test_every_generator_of_the_recipe_is_drawn() -> None:
    assert set(DRAWINGS) == set(GENERATORS)


@pytest.mark.parametrize("size", [64, 100, 1088])
def test_sizes_that_do_not_fit_are_refused(size: int) -> None:
    with pytest.raises(ValidationError):
        VbvrDemo(size=size)


@pytest.mark.parametrize("folder", ["G-11_handle_object_reappearance", "O-2_pigment_data-generator"])
def test_a_folder_that_is_none_of_vbvr_is_refused(folder: str) -> None:
    with pytest.raises(CurateError, match="wanted one such as"):
        vbvr_plan(SMALL, {folder: 1})


def test_the_files_lie_as_on_the_hub(tasks: list[DrawTask], drawn: Path) -> None:
    for task in tasks:
        generator = next(found for found in GENERATORS.values() if found.folder == task.generator)
        folder = drawn / f"samples/{generator.folder}/{generator.task}_task/{generator.task}_00000000"
        assert {path.name for path in folder.iterdir()} == set(FILES)
        assert (folder / "prompt.txt").read_text("utf-8") == task.prompt


def test_the_first_and_the_last_frame_are_the_pictures_and_differ(tasks: list[DrawTask], drawn: Path) -> None:
    for task in tasks:
        folder = drawn / "samples" / task.directory
        first, last = read_png(folder / "first_frame.png"), read_png(folder / "final_frame.png")
        frames = read_frames(
            folder / "ground_truth.mp4", start_s=0, frames=task.frames, fps=FPS, width=128, height=128
        )
        returns = id_of(task.generator) in RETURNING
        furthest = halved(frames[task.frames // 2]) if returns else halved(last)
        assert changed(halved(first), furthest) > 0.002, task.generator
        assert (first == last).all() == returns
        start, end, first, last = (halved(picture) for picture in (frames[0], frames[-1], first, last))
        assert changed(start, first) < 0.1 * changed(first, furthest), task.generator
        assert changed(end, last) < 0.1 * changed(first, furthest), task.generator
        held = probe(folder / "ground_truth.mp4")
        assert (held.frames, held.fps, held.sample_rate_hz) == (task.frames, FPS, None)


def test_start_and_end_differ_in_every_sample_and_rest() -> None:
    for task in vbvr_plan(SMALL, {generator.folder: 4 for generator in GENERATORS.values()}):
        frames = draw_frames(task.model_copy(update={"frames": task.start_hold + task.end_hold + 3}))
        far = task.start_hold + 1 if id_of(task.generator) in RETURNING else -1
        assert changed(frames[0], frames[far]) > 0.002, task.directory
        assert (frames[: task.start_hold] == frames[0]).all()
        assert (frames[-task.end_hold :] == frames[-1]).all()
        assert (frames[task.start_hold + 1] != frames[0]).any(), task.directory


def test_the_same_task_gives_the_same_bytes(tasks: list[DrawTask], drawn: Path, tmp_path: Path) -> None:
    some = tasks[::6]
    for task in reversed(some):
        again = DrawTask.model_validate(json.loads(task.model_dump_json()))
        draw_sample(again, tmp_path)
    both = sha256s(tmp_path / "samples")
    assert len(both) == len(some) * len(FILES)
    assert both.items() <= sha256s(drawn / "samples").items()


def test_tars_and_table_are_those_of_the_hub(tasks: list[DrawTask], drawn: Path) -> None:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(drawn / "data" / "metadata.parquet")
    assert {field.name: str(field.type) for field in table.schema} == COLUMNS
    assert list(table.column_names) == list(COLUMNS)
    rows = table.to_pylist()
    assert [row["id"] for row in rows] == list(range(len(tasks)))
    for row, task in zip(rows, tasks, strict=True):
        assert row["prompt"] == task.prompt
        assert (row["task"], row["sample_id"]) == (f"{task.task}_task", f"{task.task}_00000000")
        with tarfile.open(drawn / row["tar_file"]) as tar:
            members = tar.getmembers()
            assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {
                (0, 0, 0, "")
            }
            assert [member.name for member in members] == [f"{task.directory}/{name}" for name in FILES]
            for key in ("first_frame_path", "final_frame_path", "ground_truth_video_path"):
                inside = tar.extractfile(row[key])
                assert inside is not None
                assert inside.read() == (drawn / "samples" / row[key]).read_bytes()
            text = tar.extractfile(f"{task.directory}/metadata.json")
            assert text is not None
            assert text.read().decode() == row["metadata_json"]


def test_packing_again_gives_the_same_bytes_and_leaves_nothing_behind(
    tasks: list[DrawTask], drawn: Path
) -> None:
    before = sha256s(drawn)
    pack_vbvr(drawn, tasks[::-1])
    assert sha256s(drawn) == before
    assert not [path for path in before if "partial" in path]


def test_what_was_not_drawn_cannot_be_packed(tasks: list[DrawTask], tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="not drawn yet"):
        pack_vbvr(tmp_path, tasks[:1])
    assert not list(tmp_path.rglob("*.*"))


def test_a_folder_that_cannot_be_written_is_named(tasks: list[DrawTask], tmp_path: Path) -> None:
    (tmp_path / "samples").write_text("a file in the way")
    with pytest.raises(CurateError, match=r"samples.*cannot be written"):
        draw_sample(tasks[0], tmp_path)


def test_metadata_has_the_keys_of_the_real_one(tasks: list[DrawTask], drawn: Path) -> None:
    for task in tasks:
        found = json.loads((drawn / "samples" / task.directory / "metadata.json").read_text("utf-8"))
        keys = ["task_id", "generator", "timestamp", "parameters", "param_hash", "generation"]
        assert list(found) == keys
        assert found["generation"] == {
            "seed": 0,
            "git": {"commit": "", "branch": "", "repo": "", "is_dirty": False},
        }
        assert found["param_hash"] == param_hash(found["parameters"])
        assert found["generator"] == task.task


@settings(deadline=None, max_examples=12)
@given(
    generator=st.sampled_from(sorted(GENERATORS)),
    seed=st.integers(0, 2**40),
    few=st.integers(0, 12),
    more=st.integers(0, 12),
)
def test_the_first_samples_do_not_depend_on_how_many_are_wanted(
    generator: str, seed: int, few: int, more: int
) -> None:
    assert plan_of(generator, few + more, seed)[:few] == plan_of(generator, few, seed)


def test_generators_do_not_depend_on_each_other() -> None:
    folders = [GENERATORS[generator].folder for generator in ("O-7", "G-3")]
    both = vbvr_plan(SMALL, dict.fromkeys(folders, 3))
    assert both == [*plan_of("G-3", 3), *plan_of("O-7", 3)]


@pytest.mark.parametrize("generator", sorted(GENERATORS))
def test_flaws_are_where_they_are_declared(generator: str) -> None:
    tasks = plan_of(generator, 24)
    for task in tasks:
        assert (190 <= task.frames <= 200) == (task.number % 8 == 5)
        assert 40 <= task.frames <= 110 or task.number % 8 == 5
        assert 5 <= task.start_hold <= 10
        assert task.end_hold >= 6
        assert ("unknown" in task.prompt) == (generator == "O-7" and task.number % 3 == 2)
    for task, twin in pairwise(tasks):
        if twin.number % 8 == 7:
            assert twin.parameters == task.parameters
            assert twin.frames != task.frames  # so another file
    hashes = [param_hash(task.parameters) for task in tasks if task.number % 8 != 7]
    assert len(set(hashes)) == len(hashes)


def test_the_defect_of_real_captions_names_no_colour() -> None:
    task = next(task for task in plan_of("O-7", 9) if task.number % 3 == 2)
    shape = task.parameters["example_shape"]
    assert f"a unknown {shape} becomes a unknown {shape}" in task.prompt
    assert "from unknown to unknown" in task.prompt
    assert set(task.parameters) == {"from_color", "to_color", "example_shape", "question_shape"}


@given(count=st.integers(0, 400), generator=st.sampled_from(["O-7", "O-8", "G-11"]))
def test_enough_samples_hold_two_sound_ones_more_and_not_three(count: int, generator: str) -> None:
    folder = GENERATORS[generator].folder
    drawn = needed(count, folder)
    assert sum(sound(number, folder) for number in range(drawn)) == count + 2
    assert sound(drawn - 1, folder)


@pytest.mark.parametrize("generator", sorted(GENERATORS))
def test_captions_vary_as_the_real_ones_do(generator: str) -> None:
    prompts = {task.prompt for task in plan_of(generator, 16)}
    assert (len(prompts) == 1) == (generator in ONE_CAPTION)
    for prompt in prompts:
        assert 8 <= len(prompt.split()) <= 200
        assert not {"{", "}"} & set(prompt)
        assert GENERATORS[generator].name not in prompt
