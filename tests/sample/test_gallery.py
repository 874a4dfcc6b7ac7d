"""What `curate sample RUN` leaves behind for a run of each strategy, and that it makes nothing twice."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curate.errors import CurateError
from curate.media.audio import read_audio
from curate.media.video import probe
from curate.progress import Reporter
from curate.sample.look import look, opened, while_training
from curate.train.lora import read_file, save
from curate.train.start import train
from tests.train.runs import asked, run
from tests.train.sets import KINDS

QUICK = {
    "sample.inference_steps": 2,
    "sample.sigmas": "shifted",
    "sample.guidance_scale": 1,
    "sample.cases": 1,
    "sample.tones": [76, 353],
}
SHOWN = {  # by kind: the columns of its contact sheet
    "text_to_video": ("A red ball moves to the right", 2),
    "images": ("human portrait, cinematic close up", 5),
    "first_frame": ("dual-character-heldout-0", 1),
    "video_reference": ("reference-sheet-heldout-0", 4),  # and the prompts of its table
    "audio_reference": ("76 Hz", 2),
}


@pytest.fixture(scope="module")
def runs(
    sets: dict[str, Path], shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A run of two steps on each set; nobody may change them."""
    base = tmp_path_factory.mktemp("runs")
    for kind in SHOWN:
        run(sets[kind], base / kind, shared_cache, steps=2, checkpoint_every=2)
    return {kind: base / kind for kind in SHOWN}


@pytest.fixture
def seen(runs: dict[str, Path], shared_cache: Path, tmp_path: Path) -> Any:
    """A function that looks at a copy of a run."""

    def shown(kind: str, changes: Mapping[str, Any] | None = None) -> Path:
        folder = tmp_path / kind
        if not folder.exists():
            shutil.copytree(runs[kind], folder)
        return look(opened(folder, None, {**QUICK, **(changes or {})}, shared_cache), Reporter(quiet=True))

    return shown


@pytest.mark.parametrize("kind", SHOWN)
def test_every_strategy_is_shown_beside_its_base_model(seen: Any, kind: str) -> None:
    sheet = seen(kind)
    rows = sorted(path.name for path in sheet.parent.iterdir() if path.is_dir())
    assert rows == ["base", "step-00002"]
    _, columns = SHOWN[kind]
    for row in rows:
        folder = sheet.parent / row
        assert len(list(folder.glob("*.mp4"))) == len(list(folder.glob("*.png"))) == columns
        found = probe(folder / "01.mp4")
        assert (found.width, found.height) == (96, 64)
        frames = KINDS[kind].frames
        if frames > 1:
            assert found.seconds == pytest.approx(frames / 25, abs=0.05)
            assert found.sample_rate_hz == 48000
            wave = read_audio(folder / "01.mp4", 0.0, 0.5)
            assert np.isfinite(wave).all() and np.abs(wave).max() > 0
        else:
            assert found.sample_rate_hz is None
    first, last = ((sheet.parent / row / "01.png").read_bytes() for row in (rows[0], rows[-1]))
    assert first != last  # the adapter acts
    with Image.open(sheet) as image:
        assert image.width > columns * 150 and image.height > 2 * 100


def test_what_is_there_is_not_made_again_and_another_setting_makes_all_anew(seen: Any) -> None:
    sheet = seen("audio_reference")
    made = {path: path.stat().st_mtime_ns for path in sheet.parent.rglob("*.mp4")}
    (sheet.parent / "step-00002" / "row.json").unlink()  # a row that was cut short
    seen("audio_reference")
    again = {path: path.stat().st_mtime_ns for path in sheet.parent.rglob("*.mp4")}
    assert {path.parent.name for path in made if made[path] != again[path]} == {"step-00002"}
    pictures = (sheet.parent / "base" / "01.png").read_bytes()
    seen("audio_reference", {"sample.seed": 1})
    assert (sheet.parent / "base" / "01.png").read_bytes() != pictures


def test_another_lora_of_the_same_name_makes_its_row_anew_and_that_of_another_run_is_refused(
    seen: Any, runs: dict[str, Path], tmp_path: Path
) -> None:
    sheet = seen("images")
    (path,) = (tmp_path / "images" / "lora").iterdir()
    before = (sheet.parent / "step-00002" / "01.png").read_bytes()
    adapter, metadata = read_file(path)
    save(path, {name: 100 * value.float() for name, value in adapter.items()}, 1.0, metadata)
    seen("images")
    assert (sheet.parent / "step-00002" / "01.png").read_bytes() != before
    (other,) = (runs["first_frame"] / "lora").iterdir()
    shutil.copy(other, path)
    with pytest.raises(CurateError, match="is of step 2 of another run, wanted step 2 of"):
        seen("images")


def test_a_run_that_is_looked_at_ends_in_the_same_bytes(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    for name, every in (("plain", 0), ("shown", 1)):
        request = asked(
            sets["audio_reference"],
            tmp_path / name,
            shared_cache,
            sample_every=every,
            steps=2,
            checkpoint_every=2,
            **QUICK,
        )
        train(request, Reporter(quiet=True), while_training)
    plain, shown = (
        [path.read_bytes() for path in sorted((tmp_path / name / "checkpoints").rglob("*.safetensors"))]
        for name in ("plain", "shown")
    )
    assert plain == shown and plain
    assert sorted(p.name for p in (tmp_path / "shown" / "samples").iterdir() if p.is_dir()) == [
        "base", "step-00001", "step-00002",
    ]  # fmt: skip


def test_what_the_model_has_no_blocks_for_is_said_once_and_the_rest_goes_on(
    runs: dict[str, Path], shared_cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(runs["video_reference"], tmp_path / "run")
    asked = {**QUICK, "sample.prompts": []}
    look(opened(folder, None, asked, shared_cache), Reporter())
    told = [line for line in capsys.readouterr().err.splitlines() if "guidance" in line]
    assert told == ["spatio-temporal guidance in block 29: not applied, this transformer has blocks 0 to 1"]
    assert (folder / "samples" / "step-00002" / "row.json").is_file()


def test_guidance_and_prompts_of_ones_own(seen: Any) -> None:
    plain = seen("text_to_video", {"sample.prompts": ["a cup"], "sample.frames": 9})
    assert probe(plain.parent / "base" / "01.mp4").seconds == pytest.approx(9 / 25, abs=0.05)
    before = (plain.parent / "base" / "01.png").read_bytes()
    seen("text_to_video", {"sample.prompts": ["a cup"], "sample.frames": 9, "sample.guidance_scale": 3})
    assert (plain.parent / "base" / "01.png").read_bytes() != before


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"rank": 3}, r"--set rank: sampling has settings that begin with 'sample\.' only"),
        ({"sample.frames": 10}, r"sample\.frames.* wanted 8k\+1"),
        ({"sample.tones": []}, r"sample\.tones is empty"),
        ({"sample.stepz": 1}, r"no training setting 'sample\.stepz'"),
    ],
)
def test_what_cannot_be_sampled_is_one_line(seen: Any, changes: dict[str, Any], line: str) -> None:
    with pytest.raises(CurateError, match=line):
        seen("audio_reference", changes)


def test_other_folders_sets_and_files_are_named(
    runs: dict[str, Path], sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(CurateError, match=r"no run\.json in it, wanted a run"):
        opened(sets["images"], None, {}, shared_cache)
    with pytest.raises(CurateError, match="is not the set that"):
        opened(runs["images"], sets["video_reference"], {}, shared_cache)
    moved = tmp_path / "run"
    shutil.copytree(runs["images"], moved)
    told = json.loads((moved / "run.json").read_text())
    (moved / "run.json").write_text(json.dumps({**told, "set_folder": str(tmp_path / "gone")}))
    with pytest.raises(CurateError, match="gone: no such folder"):
        opened(moved, None, {}, shared_cache)
    opened(moved, sets["images"], {}, shared_cache)
    for path in (moved / "lora").iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(CurateError, match=r"human-step-00002\.safetensors"):
        opened(moved, sets["images"], {}, shared_cache)
    shutil.rmtree(moved / "lora")
    with pytest.raises(CurateError, match="has no LoRA files yet"):
        opened(moved, sets["images"], {}, shared_cache)
