import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from curate.errors import CurateError
from curate.files import write_atomic
from curate.manifest import MANIFEST, load_build, pretty
from curate.progress import Reporter
from curate.train.start import Request, train
from tests.train.runs import QUICK, Interrupting, asked, result, rows, run

Change = dict[str, Any]
SHORT = {"steps": 1, "checkpoint_every": 1}


def refused(request: Request, says: str) -> None:
    """Refused in one line, before anything is written."""
    before = sorted(request.out.rglob("*")) if request.out.exists() else None
    with pytest.raises(CurateError, match=says) as caught:
        train(request, Reporter(quiet=True))
    assert "\n" not in str(caught.value)
    assert before == (sorted(request.out.rglob("*")) if request.out.exists() else None)


@pytest.fixture
def changed(sets: dict[str, Path], tmp_path: Path) -> Any:
    """A copy of a set whose manifest says something else."""

    def make(kind: str, **said: Any) -> Path:
        folder = tmp_path / f"changed-{kind}"
        shutil.copytree(sets[kind], folder)
        (folder / MANIFEST).write_bytes(pretty(load_build(folder).model_copy(update=said)))
        return folder

    return make


def test_what_is_no_set_to_train_on_is_refused(
    sets: dict[str, Path], shared_cache: Path, changed: Any, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    refused(
        asked(tmp_path / "none", out, shared_cache), "no such folder, wanted a set made by `curate build`"
    )
    refused(asked(tmp_path, out, shared_cache), "no build.json in it")
    refused(
        asked(changed("images", strategy="dance"), out, shared_cache),
        "strategy 'dance': this program has text_to_video",
    )


def test_a_set_without_samples_to_train_on_is_refused(
    shared_cache: Path, sets: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    shutil.copytree(sets["images"], folder)
    index = json.loads((folder / "shards" / "index.json").read_text())
    index["shards"] = [card for card in index["shards"] if card["name"].startswith("heldout")]
    text = json.dumps(index).encode()
    (folder / "shards" / "index.json").write_bytes(text)
    build = load_build(folder)
    card = build.files["shards/index.json"].model_copy(
        update={"sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}
    )
    (folder / MANIFEST).write_bytes(
        pretty(build.model_copy(update={"files": {**build.files, "shards/index.json": card}}))
    )
    refused(asked(folder, tmp_path / "run", shared_cache), "empty: has no samples to train on, 2 held out")


def test_a_set_that_failed_its_audit_wants_allow_for_each_failure(
    shared_cache: Path, sets: dict[str, Path], changed: Any, tmp_path: Path
) -> None:
    audit = load_build(sets["images"]).audit
    failed = audit.model_copy(update={"failed": ["leak (train)", "balance (train)", "leak (heldout)"]})
    folder = changed("images", audit=failed)

    def request(*allowed: str, place: str = "run") -> Request:
        told = asked(folder, tmp_path / place, shared_cache, **SHORT)
        return Request(**{**vars(told), "allow": frozenset(allowed)})

    refused(request(), "its audit failed balance, leak; to train on it all the same, --allow each")
    refused(request("leak"), "its audit failed balance;")
    assert train(request("leak", "balance"), Reporter(quiet=True)).steps == 1


def test_a_control_may_fail_what_it_was_made_to_fail(
    shared_cache: Path, changed: Any, sets: dict[str, Path], tmp_path: Path
) -> None:
    audit = load_build(sets["caption_only"]).audit.model_copy(update={"failed": ["leak (train)"]})
    folder = changed("caption_only", audit=audit)
    assert run(folder, tmp_path / "run", shared_cache, **SHORT).steps == 1


@pytest.mark.parametrize(
    ("kind", "targets"),
    [("images", "audio"), ("video_reference", "audio+bridge"), ("images", ["attn1.to_q", "audio_ff.net.2"])],
)
def test_a_set_without_sound_does_not_train_modules_of_sound(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path, kind: str, targets: Any
) -> None:
    request = asked(sets[kind], tmp_path / "run", shared_cache, targets=targets)
    refused(
        request,
        r"trains no sound, so audio_\S+ would get no gradient; wanted targets such as video-attention",
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rank": 33, "targets": "audio"}, "^rank 33: wanted at most 32, the width of transformer_blocks"),
        ({"targets": ["attn9.to_q"]}, "no linear module 'attn9.to_q'"),
        ({"rnak": 4}, "no training setting 'rnak'; did you mean 'rank'"),
        ({"model": "no/such folder"}, "model 'no/such folder'"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path, changes: Change, says: str
) -> None:
    refused(asked(sets["audio_reference"], tmp_path / "run", shared_cache, **changes), says)


def test_a_used_folder_is_refused_and_a_run_goes_on_only_as_it_was(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    out, folder = tmp_path / "run", sets["images"]
    out.mkdir()
    (out / "notes.txt").touch()
    refused(asked(folder, out, shared_cache), "run: is not empty and holds no run")
    refused(asked(folder, out, shared_cache, resume=True), r"no run\.json in it")
    (out / "notes.txt").unlink()
    run(folder, out, shared_cache, steps=2)
    refused(asked(folder, out, shared_cache), "run: holds a run at step 2; go on with --resume")
    refused(
        asked(folder, out, shared_cache, resume=True, rank=8, seed=1),
        "another configuration: rank: 4 -> 8; seed: 42 -> 1$",
    )
    refused(asked(sets["text_to_video"], out, shared_cache, resume=True), "cannot go on: build_sha256 was")
    refused(asked(folder, out, shared_cache, resume=True), "all 2 steps are done$")
    table = (out / "config.yaml").read_text()
    (out / "config.yaml").write_text(table.replace("seed: 42", "seed: 43"))
    refused(asked(folder, out, shared_cache, resume=True), r"config\.yaml: was changed since the run began")


def test_going_on_keeps_what_the_run_was_told_and_takes_what_is_free(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    out, folder = tmp_path / "run", sets["images"]
    train(asked(folder, out, shared_cache), Interrupting(0))
    card = (out / "run.json").read_bytes()
    done = run(folder, out, shared_cache, resume=True, checkpoint_every=3)
    assert (done.steps, (out / "run.json").read_bytes()) == (4, card)
    told = yaml.safe_load((out / "config.yaml").read_text())
    assert (told["rank"], told["steps"], told["checkpoint_every"]) == (4, 4, 3)
    assert [row["step"] for row in rows(out) if "fixed_noise" in row] == [0, 3, 4]


def test_a_damaged_checkpoint_is_named_and_stays(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    out, folder = tmp_path / "run", sets["images"]
    train(asked(folder, out, shared_cache), Interrupting(1))
    path = out / "checkpoints" / "step-00002" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    refused(asked(folder, out, shared_cache, resume=True), r"step-00002/state\.safetensors")


def test_the_miniature_is_narrower_than_a_card_and_a_cpu_slower(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    """The set's own table, with nothing asked for but its length."""
    if torch.cuda.is_available():
        pytest.skip("the CPU's precision")
    out = tmp_path / "run"
    run(sets["video_reference"], out, shared_cache, quick=False, steps=1, first_stage_steps=1)
    told = yaml.safe_load((out / "config.yaml").read_text())
    assert (told["rank"], told["alpha"], told["precision"]) == (64, 64, "fp32")
    notes = json.loads((out / "run.json").read_text())["notes"]
    assert [note.split(":")[0] for note in notes] == ["precision", "rank"]
    assert "64 instead of 128" in notes[1]


def test_what_was_asked_for_stays(sets: dict[str, Path], shared_cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(sets["images"], out, shared_cache, precision="bf16", **SHORT)
    assert yaml.safe_load((out / "config.yaml").read_text())["precision"] == "bf16"
    assert json.loads((out / "run.json").read_text())["notes"] == []
    assert rows(out)[-1]["fixed_noise"]["train"] < rows(out)[0]["fixed_noise"]["train"]


def test_without_its_extras_a_run_is_another_and_says_so(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for module in ("bitsandbytes", "optimum.quanto"):
            patch.setitem(sys.modules, module, None)
        without = {"optimizer": "adamw8bit", "quantize": "int8", "steps": 2, "precision": "fp32"}
        run(sets["images"], tmp_path / "run", shared_cache, **without)
        for tracker in ("wandb", "torch.utils.tensorboard"):
            patch.setitem(sys.modules, tracker, None)
            request = asked(
                sets["images"], tmp_path / "none", shared_cache, trackers=[tracker.split(".")[-1]]
            )
            refused(request, r"trackers: \w+ is not installed: pip install 'ltx-curate\[\w+\]'")
    notes = json.loads((tmp_path / "run" / "run.json").read_text())["notes"]
    assert [note.split(",")[0] for note in notes] == [
        "optimizer: adamw instead of adamw8bit",
        "quantize: none instead of int8",
    ]
    run(sets["images"], tmp_path / "plain", shared_cache, steps=2)
    assert result(tmp_path / "run", 2) == result(tmp_path / "plain", 2)


def test_trackers_write_inside_the_run(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard")
    pytest.importorskip("wandb")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    run(sets["images"], tmp_path / "run", shared_cache, steps=2, trackers=["tensorboard", "wandb"])
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    (events,) = (tmp_path / "run" / "curate").glob("events.*")
    read = EventAccumulator(str(events)).Reload()
    losses = {scalar.step: scalar.value for scalar in read.Scalars("loss")}
    assert losses == pytest.approx(
        {row["step"]: row["loss"] for row in rows(tmp_path / "run") if "loss" in row}
    )
    assert [scalar.step for scalar in read.Scalars("fixed_noise/heldout")] == [0, 2]
    assert list((tmp_path / "run").glob("wandb/offline-run-*/*.wandb"))


def test_a_table_of_ones_own_takes_the_place_of_the_sets(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    table = yaml.safe_dump(QUICK | {"steps": 3, "targets": "video", "seed": 5})
    told = asked(sets["images"], tmp_path / "run", shared_cache, **SHORT)
    request = Request(**{**vars(told), "table": table, "table_name": "mine.yaml", "changes": {"steps": 1}})
    train(request, Reporter(quiet=True))
    told_of = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (told_of["steps"], told_of["targets"], told_of["seed"]) == (1, "video", 5)


def test_threads_are_as_they_were(sets: dict[str, Path], shared_cache: Path, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run(sets["images"], tmp_path / "run", shared_cache, **SHORT)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_a_run_cannot_be_put_into_its_set(sets: dict[str, Path], shared_cache: Path) -> None:
    folder = sets["images"]
    before = sorted(path.name for path in folder.rglob("*"))
    for out in (folder, folder / "runs" / "a"):
        with pytest.raises(CurateError, match=r"is in the set .* choose another --out"):
            run(folder, out, shared_cache)
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_a_set_without_the_references_of_its_strategy_is_refused(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(sets["text_to_video"], tmp_path / "set")
    build = load_build(tmp_path / "set")
    write_atomic(
        tmp_path / "set" / "build.json", pretty(build.model_copy(update={"strategy": "audio_reference"}))
    )
    with pytest.raises(CurateError, match="has no reference_audio_latents, which audio_reference wants"):
        run(tmp_path / "set", tmp_path / "run", shared_cache)
    assert not (tmp_path / "run").exists()
