"""Controls as folders: the bytes of each, whole builds of them, and what `check` says of damage."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate import controls, stages
from curate.build import build
from curate.check import check
from curate.engine import Engine, Serial
from curate.errors import AuditError, CurateError
from curate.finish import Built
from curate.manifest import content_id, file_cards, load_build, pretty, read_lines
from curate.pipeline import Request
from curate.progress import Reporter
from curate.records import REFERENCE_OF, Control, LedgerRow, Sample, ShardRecord, reference_of
from curate.shard import iter_samples, pack
from curate.show import built as shown
from curate.show import built_json
from curate.tensors import pack_tensors, unpack_tensors
from tests.conftest import SMALL
from tests.engines import Backwards
from tests.ledgers import helium
from tests.test_controls import kept_of

HALF = {**SMALL, "heldout_share": 0.4}  # of the small talking heads: two pairs to train on, three held out


def make(out: Path, source: Path, cache: Path, carrier: Engine | None = None) -> Built:
    request = Request("helium-v2", str(source), HALF, {}, "tiny", cache)
    with carrier or Serial() as engine_:
        return build(request, out, engine_, Reporter(quiet=True), with_controls=True)


@pytest.fixture(scope="module")
def built(heads: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return make(tmp_path_factory.mktemp("set") / "helium", heads, shared_cache)


def folder_of(built: Built, control: Control) -> Path:
    return built.folder.with_name(f"helium.{control}")


def trees(built: Built) -> dict[str, bytes]:
    base = built.folder.parent
    return {p.relative_to(base).as_posix(): p.read_bytes() for p in sorted(base.rglob("*")) if p.is_file()}


def samples_of(folder: Path) -> Iterator[tuple[ShardRecord, dict[str, bytes], dict[str, object]]]:
    """Record, bytes of each tensor, and stamp."""
    for shard in sorted((folder / "shards").glob("*.tar")):
        for _, members in iter_samples(shard):
            tensors, stamp = unpack_tensors(members["safetensors"])
            record = ShardRecord.model_validate_json(bytes(members["json"]))
            yield record, {name: bytes(tensor.data) for name, tensor in tensors.items()}, stamp


def test_every_control_is_a_sound_set_beside_the_set(built: Built) -> None:
    assert not built.left_out and {c.manifest.control for c in built.controls} == set(controls.CONTROLS)
    assert check(built.folder) == []
    for control in controls.CONTROLS:
        folder = folder_of(built, control)
        assert check(folder) == []
        manifest = load_build(folder)
        assert (manifest.control, manifest.control_of) == (control, built.manifest.content_id)
    assert built.manifest.control is None
    assert sorted(p.name for p in built.folder.parent.iterdir()) == [
        "helium", *sorted(f"helium.{control}" for control in controls.CONTROLS)
    ]  # fmt: skip


def test_only_the_reference_latents_change_places(built: Built) -> None:
    real = {record.id: (record, tensors) for record, tensors, _ in samples_of(built.folder)}
    for control in controls.REARRANGED:
        held = {
            record.id: (record, tensors, stamp)
            for record, tensors, stamp in samples_of(folder_of(built, control))
        }
        assert held.keys() == real.keys()
        for name, (record, tensors, stamp) in held.items():
            donor = reference_of(record)
            assert stamp[REFERENCE_OF] == record.choices[REFERENCE_OF] == donor
            wanted = {k: v for k, v in real[name][1].items() if k != "reference_audio_latents"}
            if donor:
                wanted["reference_audio_latents"] = real[donor][1]["reference_audio_latents"]
            assert tensors == wanted
            assert (record.split, record.caption) == (real[name][0].split, real[name][0].caption)


def test_a_sweep_holds_reference_latents_alone(built: Built) -> None:
    folder = folder_of(built, "sweep")
    heldout = {record.id for record, _, _ in samples_of(built.folder) if record.split == "heldout"}
    swept = list(samples_of(folder))
    assert len(swept) == 18 * len(heldout) and {str(r.attributes["pair"]) for r, _, _ in swept} == heldout
    assert all(set(tensors) == {"reference_audio_latents"} for _, tensors, _ in swept)
    assert all(record.latents.fps is None and record.split == "heldout" for record, _, _ in swept)
    assert len({tensors["reference_audio_latents"] for _, tensors, _ in swept}) == len(swept)


def test_the_measures_of_a_lone_tone_are_those_the_sketch_gives_the_reference(built: Built) -> None:
    """No value of the reference stays with the pair when a control takes the reference away."""
    owns = controls.reference_in(helium()).owns
    tone = read_lines(folder_of(built, "sweep") / "ledger.jsonl", LedgerRow)[0].measured.keys()
    pair = next(
        row.measured for row in read_lines(built.folder / "ledger.jsonl", LedgerRow) if row.kept
    ).keys()
    assert {key for key in pair if owns(key)} == tone
    assert all(map(owns, tone)) and "timbre_distance_db" in pair - tone


def forget_the_sweep(built: Built, cache: Path) -> None:
    """Take the tones of the sweep out of a cache."""
    for sample in read_lines(folder_of(built, "sweep") / "plan.jsonl", Sample):
        key = stages.example_key(helium(**HALF), sample)
        (cache / "examples" / key[:2] / f"{key}.json").unlink()


def test_another_engine_gives_the_same_bytes(
    built: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    cache = shutil.copytree(shared_cache, tmp_path / "cache")
    forget_the_sweep(built, cache)
    again = make(tmp_path / "again" / "helium", heads, cache, Backwards())
    assert trees(again) == trees(built)


class Stops(Serial):
    """An engine that dies after two tasks that make tones of a sweep: the set stands by then."""

    left = 2

    def map(self, run, items):  # type: ignore[no-untyped-def]
        for item in items:
            if isinstance(item, stages.MakeTask) and "sweep" in item.samples[0].choices:
                if not self.left:
                    raise KeyboardInterrupt
                self.left -= 1
            yield run(item)


def test_a_build_killed_in_its_controls_goes_on_and_ends_in_the_same_bytes(
    built: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    cache, out = shutil.copytree(shared_cache, tmp_path / "cache"), tmp_path / "again" / "helium"
    forget_the_sweep(built, cache)
    request = Request("helium-v2", str(heads), HALF, {}, "tiny", cache)
    with pytest.raises(KeyboardInterrupt):
        build(request, out, Stops(), Reporter(quiet=True), with_controls=True)
    assert check(out) == [] and check(out.with_name("helium.caption-only")) == []
    assert [p.name for p in out.parent.iterdir() if "sweep" in p.name] == []
    assert trees(build(request, out, Serial(), Reporter(quiet=True), with_controls=True)) == trees(built)


def test_without_controls_nothing_is_put_beside(
    built: Built, heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    request, out = Request("helium-v2", str(heads), HALF, {}, "tiny", shared_cache), tmp_path / "a" / "helium"
    plain = build(request, out, Serial(), Reporter(quiet=True))
    assert [p.name for p in out.parent.iterdir()] == ["helium"] and not plain.controls
    inside = {name: data for name, data in trees(built).items() if name.startswith("helium/")}
    assert trees(plain) == inside


def test_a_set_that_does_not_stand_gets_no_controls(heads: Path, shared_cache: Path, tmp_path: Path) -> None:
    request = Request("helium-v2", str(heads), {**HALF, "max_shift_st": 0.1}, {}, "tiny", shared_cache)
    out = tmp_path / "a" / "helium"
    with pytest.raises(AuditError, match="helium-v2 does not stand"):
        build(request, out, Serial(), Reporter(quiet=True), with_controls=True, encode=False)
    assert [p.name for p in out.parent.iterdir()] == ["helium.failed"]


def test_a_control_that_does_not_fail_leaves_the_set_and_says_so(
    heads: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control that does not do its work: every pair is given its own reference back."""
    monkeypatch.setattr(
        controls, "given", lambda control, sketch, rows, seed: {r.id: r.id for r in rows if r.kept}
    )
    out = tmp_path / "a" / "helium"
    request = Request("helium-v2", str(heads), HALF, {}, "tiny", shared_cache)
    with pytest.raises(
        AuditError,
        match=r"helium-v2 shuffled-reference does not stand.*must fail it.*\(the set itself stands\)",
    ):
        build(request, out, Serial(), Reporter(quiet=True), with_controls=True, encode=False)
    assert sorted(p.name for p in out.parent.iterdir()) == ["helium", "helium.shuffled-reference.failed"]


def test_what_cannot_be_built_is_said_in_a_line(heads: Path, shared_cache: Path, tmp_path: Path) -> None:
    request = Request("helium-v2", str(heads), SMALL, {}, "tiny", shared_cache)  # one held-out pair
    result = build(
        request, tmp_path / "a" / "helium", Serial(), Reporter(quiet=True), with_controls=True, encode=False
    )
    (line,) = result.left_out
    assert (
        line
        == "shuffled-reference: not built: one pair on the heldout side, and one reference cannot be shuffled"
    )
    assert f"control: {line}" in " ".join(shown(result).split())
    assert (
        "control: helium.constant-reference: 7 pairs; a control that must fail, and does: tone_pitch"
        in " ".join(shown(result).split())
    )
    assert [c["build"]["control"] for c in built_json(result)["controls"]] == [
        "constant-reference",
        "caption-only",
        "sweep",
    ]


def test_a_place_that_is_taken_is_named_before_any_work(
    heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "helium.sweep").mkdir()
    (tmp_path / "helium.sweep" / "thesis.tex").write_text("x")
    with pytest.raises(CurateError, match=r"helium\.sweep: holds files that are no finished set"):
        make(tmp_path / "helium", heads, shared_cache)
    assert [p.name for p in tmp_path.iterdir()] == ["helium.sweep"]


# Damage


@pytest.fixture
def copy(built: Built, tmp_path: Path) -> Path:
    """The set with its controls beside it, to damage."""
    return shutil.copytree(built.folder.parent, tmp_path / "sets") / "helium"


def signed(folder: Path, **changes: object) -> list[str]:
    """Faults after the manifest was made to agree with the bytes again: what only a look inside can find."""
    rows = read_lines(folder / "ledger.jsonl", LedgerRow)
    changes = {"content_id": content_id(rows), **changes}
    manifest = load_build(folder).model_copy(update={"files": file_cards(folder), **changes})
    (folder / "build.json").write_bytes(pretty(manifest))
    return check(folder)


@pytest.mark.parametrize("control", controls.CONTROLS)
def test_a_flipped_bit_in_a_control_is_named(copy: Path, control: Control) -> None:
    path = next((copy.with_name(f"helium.{control}") / "shards").glob("heldout-*.tar"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert [fault.split(": ")[0] for fault in check(path.parents[1])] == [str(path)]


def reassign(folder: Path, name: str, donor: str | None) -> None:
    """Say in plan and ledger that a pair has the reference of another one."""
    for path in (folder / "plan.jsonl", folder / "ledger.jsonl"):
        entries = [json.loads(line) for line in path.read_text().splitlines()]
        for entry in entries:
            if entry["id"] == name:
                entry["choices"][REFERENCE_OF] = donor
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


@pytest.mark.parametrize("control", controls.REARRANGED)
def test_a_reference_given_otherwise_is_named(copy: Path, control: Control) -> None:
    folder = copy.with_name(f"helium.{control}")
    rows = kept_of(read_lines(folder / "ledger.jsonl", LedgerRow))
    name = min(rows)
    donor = next(
        other for other in sorted(rows, reverse=True) if other not in (name, reference_of(rows[name]))
    )
    reassign(folder, name, donor)
    faults = signed(folder)
    assert any("choices is not what the ledger says" in fault for fault in faults)
    assert any(
        f"references (all): 1 pairs whose reference is not that of {control}" in fault for fault in faults
    )
    assert any(f"rows are not what {control} makes of helium" in fault for fault in faults)


def repacked(
    folder: Path, change: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], None]
) -> list[str]:
    """Faults after `change(record, tensors, stamp)` of the first training sample, everything around it made to agree."""
    path = folder / "shards" / "train-00000.tar"
    samples = [dict(members) for _, members in iter_samples(path)]
    tensors, stamp = unpack_tensors(bytes(samples[0]["safetensors"]))
    record = json.loads(bytes(samples[0]["json"]))
    change(record, tensors, stamp)
    samples[0] = {"json": json.dumps(record).encode(), "safetensors": pack_tensors(tensors, stamp)}
    (card,) = pack(
        folder / "shards", "train", [{k: bytes(v) for k, v in members.items()} for members in samples]
    )
    index = json.loads((folder / "shards" / "index.json").read_text())
    index["shards"] = [card.model_dump(mode="json") if s["name"] == card.name else s for s in index["shards"]]
    (folder / "shards" / "index.json").write_text(json.dumps(index))
    return signed(folder)


def test_tensors_of_another_reference_are_named(copy: Path) -> None:
    folder = copy.with_name("helium.constant-reference")

    def louder(record: dict[str, Any], tensors: dict[str, Any], stamp: dict[str, Any]) -> None:
        tensors["reference_audio_latents"] = tensors["reference_audio_latents"].array() + 1

    assert any(
        "differs from what an earlier sample holds of it" in fault for fault in repacked(folder, louder)
    )


def test_a_stamp_of_another_reference_is_named(copy: Path) -> None:
    def stamped(record: dict[str, Any], tensors: dict[str, Any], stamp: dict[str, Any]) -> None:
        stamp[REFERENCE_OF] = record["id"]

    faults = repacked(copy.with_name("helium.shuffled-reference"), stamped)
    assert len(faults) == 1 and "the tensors are stamped reference_of" in faults[0]


def test_a_reference_left_in_caption_only_is_named(copy: Path) -> None:
    def left(record: dict[str, Any], tensors: dict[str, Any], stamp: dict[str, Any]) -> None:
        tensors["reference_audio_latents"] = np.zeros((8, 51, 16), np.float32)
        record["latents"]["reference_audio_steps"] = 51

    faults = repacked(copy.with_name("helium.caption-only"), left)
    assert len(faults) == 1 and "; wanted audio_latents, video_latents" in faults[0]


def test_a_control_of_another_set_is_named(copy: Path) -> None:
    control = copy.with_name("helium.caption-only")
    assert any("helium beside it is another" in fault for fault in signed(control, control_of="0" * 64))
    shuffled = copy.with_name("helium.shuffled-reference")
    alone = shuffled.rename(shuffled.with_name("moved"))
    assert check(alone) == []
    faults = signed(alone, control_of="0" * 64)
    assert len(faults) == 1 and "with their own references are not those of the set 0000" in faults[0]


def test_a_set_and_a_control_are_not_taken_for_each_other(copy: Path) -> None:
    assert any("wanted both or none" in fault for fault in signed(copy, control="caption-only"))
    faults = signed(copy.with_name("helium.constant-reference"), control=None, control_of=None)
    assert any("tone_pitch (all)" in fault for fault in faults)
    assert any("which only controls have" in fault for fault in faults)


def test_a_tone_asked_otherwise_is_named(copy: Path) -> None:
    folder = copy.with_name("helium.sweep")
    for path in (folder / "plan.jsonl", folder / "ledger.jsonl"):
        lines = path.read_text().splitlines()
        entry = json.loads(lines[0])
        entry["choices"]["tone_hz"] = 91.0
        path.write_text("\n".join([json.dumps(entry), *lines[1:], ""]))
    faults = signed(folder)
    assert any("rows are not what sweep makes of helium" in fault for fault in faults)
    assert any("tone_pitch (all)" in fault for fault in faults)


def test_measures_taken_out_of_a_ledger_are_a_fault_not_a_crash(copy: Path) -> None:
    folder = copy.with_name("helium.sweep")
    path = folder / "ledger.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    entries[0]["measured"] = {}
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert any("is None, wanted a number" in fault for fault in signed(folder))
