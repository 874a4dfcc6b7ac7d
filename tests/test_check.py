"""`curate check` on a sound set, and on every way a set can be damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from curate.build import build
from curate.check import check
from curate.engine import Serial
from curate.errors import CurateError
from curate.manifest import file_cards, load_build, pretty
from curate.pipeline import Request
from curate.progress import Reporter
from tests.conftest import SMALL


@pytest.fixture(scope="module")
def sound(heads: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    request = Request("helium-v2", str(heads), SMALL, {}, "tiny", shared_cache)
    return build(request, tmp_path_factory.mktemp("set") / "helium", Serial(), Reporter(quiet=True)).folder


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "helium")


def test_a_sound_set_has_no_faults(sound: Path) -> None:
    assert check(sound) == []


@pytest.mark.parametrize("name", ["audit.json", "ledger.jsonl", "plan.jsonl", "shards/train-00000.tar", "shards/index.json", "schemas/sample.schema.json"])  # fmt: skip
def test_a_changed_missing_or_added_file_is_named(copy: Path, name: str) -> None:
    path = copy / name
    data = path.read_bytes()
    path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
    assert any(fault.startswith(str(path)) for fault in check(copy))
    path.write_bytes(data + b"\n")
    assert any("bytes, build.json says" in fault for fault in check(copy))
    path.unlink()
    assert f"{path}: missing" in check(copy)
    path.write_bytes(data)
    assert check(copy) == []
    (copy / "stranger.txt").write_text("x")
    assert check(copy) == [f"{copy / 'stranger.txt'}: not in build.json"]


def signed(folder: Path, **changes: object) -> list[str]:
    """Faults after the manifest was made to agree with the bytes again: what only a look inside can find."""
    manifest = load_build(folder).model_copy(update={"files": file_cards(folder), **changes})
    (folder / "build.json").write_bytes(pretty(manifest))
    return check(folder)


def edit_ledger(folder: Path, change: Callable[[dict[str, object]], None], kept: bool = True) -> None:
    path = folder / "ledger.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    change(next(row for row in rows if row["kept"] is kept))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize(
    ("change", "kept", "says"),
    [
        (lambda row: row.update(reason="why"), True, "kept with reason 'why'"),
        (lambda row: row.update(reason=None), False, "dropped with reason None"),
        (lambda row: row.update(kept="maybe"), True, "not of type 'boolean'"),
        (lambda row: row.update(surprise=1), True, "surprise"),
        (lambda row: row["measured"].update(pitch_oct=7.77), True, "content_id"),
        (lambda row: row.update(caption="high"), True, "caption"),
        (lambda row: row["choices"].update(target_hz=99.0), True, "planned otherwise"),
        (lambda row: row.update(kept=False, reason="not_assigned"), True, "not what the selection gives"),
    ],
)
def test_a_ledger_that_was_tampered_with_is_named(
    copy: Path, change: Callable[[dict[str, object]], None], kept: bool, says: str
) -> None:
    edit_ledger(copy, change, kept)
    assert any(says in fault for fault in signed(copy)), signed(copy)


def test_counts_and_verdicts_must_agree(copy: Path) -> None:
    counts = load_build(copy).counts
    assert any(
        "build.json says" in f
        for f in signed(copy, counts=counts.model_copy(update={"kept": counts.kept + 1}))
    )
    audit = json.loads((copy / "audit.json").read_text())
    next(f for f in audit["findings"] if f["verdict"] == "pass")["verdict"] = "fail"
    (copy / "audit.json").write_text(json.dumps(audit))
    assert any(
        "says fail" in fault and "measured again pass" in fault for fault in signed(copy, counts=counts)
    )


def test_a_tensor_of_another_sample_is_refused(copy: Path) -> None:
    from curate.shard import iter_samples, pack

    path = copy / "shards" / "train-00000.tar"
    samples = [{ext: bytes(data) for ext, data in members.items()} for _, members in iter_samples(path)]
    samples[0]["safetensors"], samples[1]["safetensors"] = (
        samples[1]["safetensors"],
        samples[0]["safetensors"],
    )
    (card,) = pack(copy / "shards", "train", samples)
    index = json.loads((copy / "shards" / "index.json").read_text())
    index["shards"][0] = card.model_dump(mode="json")
    (copy / "shards" / "index.json").write_text(json.dumps(index))
    faults = signed(copy)
    assert len([f for f in faults if "the tensors are stamped id" in f]) == 2


def test_numbers_of_the_audit_are_measured_again(copy: Path) -> None:
    audit = json.loads((copy / "audit.json").read_text())
    next(f for f in audit["findings"] if f["name"] == "groups")["measured"]["identities"] = 99
    (copy / "audit.json").write_text(json.dumps(audit))
    assert any("audit.json: groups (all)" in fault for fault in signed(copy))


def test_a_shard_beside_the_index_is_named(copy: Path) -> None:
    shutil.copy(copy / "shards" / "train-00000.tar", copy / "shards" / "train-00001.tar")
    assert any("train-00001.tar: not in the index" in fault for fault in signed(copy))


def test_an_encoder_or_training_that_does_not_fit_is_named(copy: Path) -> None:
    assert any("trained is True" in fault for fault in signed(copy, trained=True))
    assert any(
        "encoder_sha256" in fault
        for fault in signed(copy, trained=False, encoder={"model": "tiny", "vae": "0"})
    )


def test_a_missing_kind_of_tensor_is_named(copy: Path) -> None:
    from curate.shard import iter_samples, pack
    from curate.tensors import pack_tensors, unpack_tensors

    path = copy / "shards" / "train-00000.tar"
    samples = []
    for _, members in iter_samples(path):
        tensors, stamp = unpack_tensors(members["safetensors"])
        record = json.loads(bytes(members["json"]))
        record["latents"]["reference_audio_steps"] = None
        left = {name: tensor for name, tensor in tensors.items() if name != "reference_audio_latents"}
        samples.append({"json": json.dumps(record).encode(), "safetensors": pack_tensors(left, stamp)})
    (card,) = pack(copy / "shards", "train", samples)
    index = json.loads((copy / "shards" / "index.json").read_text())
    index["shards"][-1 if index["shards"][-1]["name"].startswith("train") else 0] = card.model_dump(
        mode="json"
    )
    (copy / "shards" / "index.json").write_text(json.dumps(index))
    assert any(
        "wanted audio_latents, reference_audio_latents, video_latents" in fault for fault in signed(copy)
    )


def test_a_source_file_taken_out_of_the_ledger_is_missed(copy: Path) -> None:
    path = copy / "ledger.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    gone = next(row["name"] for row in rows if row["reason"] == "no_voice")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows if row["name"] != gone))
    assert any("the source had 10" in fault for fault in signed(copy))


def test_a_file_that_the_manifest_forgot_is_a_fault_not_a_crash(copy: Path) -> None:
    (copy / "plan.jsonl").unlink()
    assert any("lists no plan.jsonl" in fault for fault in signed(copy))


def test_a_newer_recipe_says_that_it_cannot_judge(copy: Path) -> None:
    assert any("this program has" in fault for fault in signed(copy, recipe_version=99))


def test_a_folder_that_is_no_set_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="no such folder"):
        check(tmp_path / "none")
    with pytest.raises(CurateError, match=r"no build\.json"):
        check(tmp_path)
    (tmp_path / "build.json").write_text("{")
    with pytest.raises(CurateError, match=r"build\.json"):
        check(tmp_path)


def test_a_set_cannot_have_a_program_run(copy: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom curate.recipes.helium import RECIPES\n")
    path = copy / "build.json"
    build = json.loads(path.read_text())
    path.write_text(json.dumps({**build, "recipe": f"{evil}:helium-v2"}))
    with pytest.raises(CurateError, match=r"build\.json: recipe is .* should match pattern"):
        check(copy)
    path.write_text(json.dumps({**build, "recipe": "evil.py"}))  # a name, and still no program
    assert any("there is no recipe" in fault for fault in check(copy))
    assert not (tmp_path / "ran").exists()


def test_another_recipe_than_the_one_that_made_it_cannot_judge(copy: Path) -> None:
    (fault,) = check(copy, "helium-v1")
    assert "--recipe helium-v1 is helium-v1, the set was made by helium-v2" in fault


@pytest.mark.parametrize("part", ["attributes", "sources", "licence"])
def test_a_ledger_that_says_otherwise_than_the_plan_is_named(copy: Path, part: str) -> None:
    path = copy / "ledger.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    row = next(row for row in rows if row["split"])
    row[part] = {
        "attributes": {**row["attributes"], "melody_st": 0.5},
        "sources": ["0" * 64],
        "licence": "mine",
    }[part]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert any("planned otherwise than the ledger says" in fault for fault in signed(copy))
