import json
from pathlib import Path
from typing import Any

import pytest

from curate.errors import CurateError
from curate.files import write_atomic
from curate.train import run as runs
from curate.train.config import TrainConfig
from curate.train.state import STATE, name_of

HERE = {
    "curate": "0", "set_folder": "/sets/x", "build_sha256": "a" * 64, "recipe": "helium-v2", "recipe_version": 1,
    "strategy": "audio_reference", "control": None, "model": "tiny", "trained": True, "transformer_sha256": "b" * 64,
    "made_with": {}, "device": "cpu", "processes": 1, "notes": [], "allowed": [],
    "settings_sha256": "c" * 64,
}  # fmt: skip
CONFIG = TrainConfig(steps=10, targets="audio", trackers=("tensorboard",))


def described(**changes: Any) -> runs.Run:
    return runs.Run.model_validate(HERE | changes)


def checkpointed(folder: Path, step: int) -> None:
    write_atomic(folder / "checkpoints" / name_of(step) / STATE, b"")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run at step 4 of 10."""
    runs.begin(tmp_path / "run", described(), CONFIG)
    checkpointed(tmp_path / "run", 4)
    return tmp_path / "run"


def test_a_run_says_again_what_it_was_told(folder: Path) -> None:
    assert runs.open_run(folder) == (described(), CONFIG)
    assert runs.go_on(folder, described(notes=["another"]), CONFIG) == 4


def test_a_folder_with_anything_in_it_is_no_place_for_a_run(folder: Path, tmp_path: Path) -> None:
    used = {
        folder: "holds a run at step 4; go on with --resume, or choose another --out",
        tmp_path: "is not empty and holds no run",
        folder / "run.json": "is a file, wanted a folder",
    }
    for place, says in used.items():
        before = sorted(place.rglob("*"))
        with pytest.raises(CurateError, match=f"^{place}: {says}"):
            runs.begin(place, described(), CONFIG)
        assert sorted(place.rglob("*")) == before
    (tmp_path / "empty").mkdir()
    runs.begin(tmp_path / "empty", described(), CONFIG)


def test_going_on_names_what_is_not_as_it_was(folder: Path) -> None:
    def refused(says: str, config: TrainConfig = CONFIG, **changes: Any) -> None:
        with pytest.raises(CurateError, match=f"^{folder}: {says}$"):
            runs.go_on(folder, described(**changes), config)

    refused("cannot go on: processes was 1, is now 2", processes=2)
    refused("cannot go on: device was cpu, is now cuda", device="cuda")
    refused(f"cannot go on: build_sha256 was {'a' * 16}, is now {'c' * 16}", build_sha256="c" * 64)
    refused(
        f"cannot go on: transformer_sha256 was {'b' * 16}, is now {'c' * 16}", transformer_sha256="c" * 64
    )
    other = CONFIG.model_copy(update={"rank": 8, "seed": 1})
    refused("cannot go on with another configuration: rank: 32 -> 8; seed: 42 -> 1", other)
    free = {"checkpoint_every": 1, "keep_checkpoints": 1, "sample_every": 1, "trackers": ()}
    assert runs.go_on(folder, described(), CONFIG.model_copy(update=free)) == 4
    checkpointed(folder, 10)
    refused("all 10 steps are done")


def test_a_run_without_a_checkpoint_begins_again(tmp_path: Path) -> None:
    runs.begin(tmp_path / "run", described(), CONFIG)
    assert runs.go_on(tmp_path / "run", described(), CONFIG) == 0


def test_a_folder_that_is_no_run_or_a_damaged_one_is_one_line(folder: Path, tmp_path: Path) -> None:
    def refused(place: Path, says: str) -> None:
        with pytest.raises(CurateError, match=says) as caught:
            runs.open_run(place)
        assert str(caught.value).startswith(str(place)) and "\n" not in str(caught.value)

    refused(tmp_path, "no run.json in it, wanted a run made by `curate train`")
    refused(tmp_path / "none", "no run.json in it")
    card = (folder / "run.json").read_text()
    (folder / "run.json").write_text(card.replace('"processes": 1', '"processes": "two"'))
    refused(folder, "processes is 'two'")
    (folder / "run.json").write_text(card)
    (folder / "config.yaml").write_text("steps: none\n")
    refused(folder, "steps")
    (folder / "config.yaml").write_bytes(b"\xff")
    refused(folder, "cannot be read")
    (folder / "config.yaml").unlink()
    refused(folder, "cannot be read")


def test_rows_of_steps_that_come_again_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    kept = [json.dumps({"step": step, "loss": 1.0}) for step in (0, 1, 2)]
    path.write_text("\n".join([*kept, '{"step": 3}', '{"step": 4, "lo']))
    assert runs.rows_until(path, 2).decode().splitlines() == kept
    assert runs.rows_until(path, 9).decode().splitlines() == [*kept, '{"step": 3}']
    assert runs.rows_until(tmp_path / "none", 9) == b""
    with pytest.raises(CurateError, match=r"metrics\.jsonl: cannot be read"):
        runs.rows(tmp_path)
    path.unlink()
    with pytest.raises(CurateError, match=r"metrics\.jsonl: cannot be read"):
        runs.rows(tmp_path)


def test_the_loss_at_fixed_noise_is_that_of_the_first_and_the_last_row(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    told = [
        {"step": 0, "fixed_noise": {"train": 3.0}},
        {"step": 1, "loss": 9},
        {"step": 1, "fixed_noise": {"train": 2.0}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in told))
    assert runs.fixed_noise(tmp_path) == [told[0], told[2]]
    path.write_text(json.dumps(told[1]) + "\n")
    with pytest.raises(CurateError, match="has no loss at fixed noise"):
        runs.fixed_noise(tmp_path)


def test_lora_files_are_found_by_step_and_a_damaged_one_is_named(folder: Path) -> None:
    from curate.train.lora import to_file

    for step in (1500, 2, 100_000):
        write_atomic(runs.lora_path(folder, "helium-v2", step), to_file({}, 1.0, {}))
    write_atomic(folder / "lora" / "mine-step-b.safetensors", b"")
    assert [(step, path.name) for step, path in runs.loras(folder).items()] == [
        (2, "helium-v2-step-00002.safetensors"),
        (1500, "helium-v2-step-01500.safetensors"),
        (100_000, "helium-v2-step-100000.safetensors"),
    ]
    write_atomic(runs.lora_path(folder, "helium-v2", 3), b"")
    with pytest.raises(CurateError, match="step-00003"):
        runs.loras(folder)


def test_a_lora_file_says_where_it_comes_from() -> None:
    said = runs.lora_metadata(described(), CONFIG.model_copy(update={"alpha": 16.5}), 7)
    wanted = {
        "base_model": "Lightricks/LTX-2.3", "rank": "32", "alpha": "16.5", "recipe": "helium-v2 1",
        "build_sha256": "a" * 64, "strategy": "audio_reference", "step": "7", "curate": "0",
        "trained_on": "tiny", "transformer_sha256": "b" * 64, "reference_audio_positions": "negative",
        "reference_downscale_factor": "1", "reference_spatial_scale_factor": "1", "reference_temporal_scale_factor": "1",
    }  # fmt: skip
    assert {key: said[key] for key in said if key != "targets"} == wanted
    assert said["targets"].split(",")[0] == "audio_attn1.to_q"
    other = runs.lora_metadata(
        described(trained=False, strategy="first_frame", control="shuffled-reference", allowed=["lips"]),
        CONFIG,
        7,
    )
    assert (
        other["control"] == "shuffled-reference" and "for trying things out only" in other["untrained_base"]
    )
    assert not [key for key in other if key.startswith("reference")] and other["allowed"] == "lips"
    assert all(isinstance(value, str) for value in (other | said).values())
