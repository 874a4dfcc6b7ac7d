"""The sweep of a run: which takes it wants, that none is made twice, and where its tones come from."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curate.errors import CurateError
from curate.files import write_atomic
from curate.manifest import MANIFEST, file_cards, load_build, pretty
from curate.progress import Reporter
from curate.records import ShardRecord
from curate.sample.look import Opened, opened
from curate.sample.slope import SweepReport
from curate.sample.sweep import STRENGTHS, TAKES, sweep, tones
from curate.shard import iter_samples, pack
from curate.tensors import pack_tensors, unpack_tensors
from tests.train.runs import run

QUICK = {
    "sample.inference_steps": 2, "sample.sigmas": "shifted", "sample.tones": [90, 250], "sample.sweep_tones": 2, "sample.sweep_sources": 1,
    "sample.sweep_seeds": 1, "sample.frames": 25,
}  # fmt: skip
Ask = Callable[..., Opened]


@pytest.fixture(scope="module")
def trained(sets: dict[str, Path], shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set in a folder of its own, and a run of two steps on it; nobody may change them."""
    base = tmp_path_factory.mktemp("sweep")
    shutil.copytree(sets["audio_reference"], base / "set")
    run(base / "set", base / "run", shared_cache, steps=2, checkpoint_every=2)
    return base


@pytest.fixture
def ask(trained: Path, shared_cache: Path, tmp_path: Path) -> Ask:
    """A function that opens a copy of the run, beside a copy of its set."""
    shutil.copytree(trained, tmp_path / "own")

    def open_run(*without: str, **changes: Any) -> Opened:
        asked = {key: value for key, value in QUICK.items() if key.removeprefix("sample.") not in without}
        changed = asked | {f"sample.{key}": value for key, value in changes.items()}
        return opened(tmp_path / "own" / "run", tmp_path / "own" / "set", changed, shared_cache)

    return open_run


def measured(asked: Opened) -> SweepReport:
    return sweep(asked, Reporter(quiet=True))


def test_every_tone_is_tried_at_every_strength_and_none_twice(ask: Ask) -> None:
    asked = ask()
    report = measured(asked)
    assert report.says == "not applicable (untrained)" and not report.arms and not report.claims
    wanted = {(strength, hz) for strength in STRENGTHS for hz in (90.0, 250.0)}
    assert {(take.strength, take.tone_hz) for take in report.takes} == wanted
    path = asked.folder / "sweep" / TAKES
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == len(wanted)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:40])  # cut short while the last was written
    assert measured(ask()) == report
    again = path.read_bytes().splitlines(keepends=True)
    assert again == lines
    assert json.loads((asked.folder / "sweep" / "step-00002.json").read_bytes())["says"] == report.says


def test_another_lora_makes_its_takes_anew_and_keeps_those_of_the_base(ask: Ask, trained: Path) -> None:
    asked = ask(sweep_tones=2)
    measured(asked)
    before = (asked.folder / "sweep" / TAKES).read_bytes().splitlines()
    (lora,) = asked.loras.values()
    from curate.train.lora import read_file, save

    adapter, metadata = read_file(lora)
    save(lora, {name: 2 * value.float() for name, value in adapter.items()}, 1.0, metadata)
    measured(ask(sweep_tones=2))
    after = (asked.folder / "sweep" / TAKES).read_bytes().splitlines()
    assert after[: len(before)] == before
    assert len(after) - len(before) == len(before) * 3 // 4  # the base model's quarter stands


def test_the_tones_of_the_sets_own_sweep_come_first(ask: Ask) -> None:
    asked = ask()
    assert {tone.source for tone in tones(asked)} == {"timbre 1"}
    folder = own_sweep(asked.dataset.folder)
    with pytest.raises(CurateError, match=r"--set sample\.tones: the tones are those of .*set\.sweep"):
        tones(asked)
    asked = ask("tones", "sweep_tones", "sweep_sources")
    found = tones(asked)
    assert [(tone.source, tone.hz) for tone in found] == [("pair-1", 100.5), ("pair-1", 200.5)]
    assert all("reference_audio_latents" in tone.sample.latents for tone in found)
    build = load_build(folder)
    write_atomic(folder / MANIFEST, pretty(build.model_copy(update={"control_of": "0" * 64})))
    with pytest.raises(CurateError, match="is a sweep of another set or encoder"):
        tones(asked)


def own_sweep(folder: Path) -> Path:
    """SET.sweep beside a set, of its own first reference: two swept pitches, and a swept timbre."""
    (_, members), *_ = iter_samples(folder / "shards" / "heldout-00000.tar")
    record = ShardRecord.model_validate_json(bytes(members["json"]))
    tensors, stamp = unpack_tensors(members["safetensors"])
    reference = {"reference_audio_latents": tensors["reference_audio_latents"]}
    out = folder.with_name(f"{folder.name}.sweep")
    made = []
    for number, (kind, hz) in enumerate((("pitch", 100.5), ("pitch", 200.5), ("timbre", 150.0))):
        own = record.model_copy(
            update={
                "id": f"pair-1-{number}", "choices": {"sweep": kind}, "measured": {"tone_hz": hz}, "split": "heldout",
                "attributes": {"pair": "pair-1"},
                "latents": record.latents.model_copy(update={"fps": None, "video": None, "audio_steps": None}),
            }
        )  # fmt: skip
        made.append({"json": pretty(own), "safetensors": pack_tensors(reference, {**stamp, "id": own.id})})
    cards = pack(out / "shards", "heldout", made)
    write_atomic(
        out / "shards" / "index.json", pretty({"shards": [c.model_dump(mode="json") for c in cards]})
    )
    build = load_build(folder)
    changed = {"control": "sweep", "control_of": build.content_id, "files": file_cards(out)}
    write_atomic(out / MANIFEST, pretty(build.model_copy(update=changed)))
    return out


def test_what_cannot_be_swept_is_one_line(
    ask: Ask, sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(CurateError, match="a sweep wants two ends"):
        measured(ask(tones=[90]))
    with pytest.raises(CurateError, match="pictures have no sound"):
        measured(ask(frames=1))
    with pytest.raises(
        CurateError, match=r"sample\.strength: a sweep goes over the strengths 0, 0\.3, 0\.5, 1"
    ):
        measured(ask(strength=0.5))
    with pytest.raises(CurateError, match=r"sample\.pin_strength: is for sets of strategy first_frame$"):
        measured(ask(pin_strength=0.9))
    with pytest.raises(CurateError, match=r"sample\.frames is 9, too short to hear a pitch"):
        measured(ask(frames=9))
    run(sets["images"], tmp_path / "run", shared_cache, steps=1)
    with pytest.raises(
        CurateError, match="was trained as text_to_video, a sweep of tones wants audio_reference"
    ):
        measured(opened(tmp_path / "run", None, {}, shared_cache))
