"""What differs between two sets: on ledgers of a few made-up samples, and on sets in folders, whole and damaged."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.diff.compare import compare, difference, ks_distance
from curate.diff.contents import Contents
from curate.diff.difference import Difference
from curate.errors import CurateError
from curate.ledger import count, unlicensed
from curate.manifest import content_id, file_cards, pretty, verdicts_of, write_lines
from curate.proof.finding import Finding, Verdict
from curate.records import Build, FileCard, LedgerRow, SourceCard, Split, canonical, sha256_of
from curate.schema import Audit
from curate.shard import pack
from curate.tensors import pack_tensors

ENCODER = {"model": "some/model", "vae": "1"}
LISTS = {  # what is empty when nothing differs
    name for name in Difference.model_fields if name not in ("identical", "content_id", "kept", "encoded")
}


def sample(identity: str, split: Split = "train", pitch_hz: float = 120.0, **changes: Any) -> LedgerRow:
    values = {
        "id": identity, "name": f"{identity}.mp4", "clip": identity, "sources": (sha256_of(identity),),
        "group": f"clip:{identity}",
        "split": split, "caption": "a person speaking", "licence": "CC0", "choices": {"target_hz": 120.0},
        "attributes": {"clip_s": 5.0, "speaker": identity}, "measured": {"pitch_hz": pitch_hz, "mel": [1.0, 2.0]},
        "made": True, "kept": True,
    }  # fmt: skip
    return LedgerRow.model_validate(values | changes)


def finding(name: str = "balance", verdict: Verdict = "pass", **measured: float) -> Finding:
    return Finding(name=name, split="train", verdict=verdict, says=f"{name} {measured}", pairs=2, measured=measured)  # fmt: skip


def contents(
    rows: Sequence[LedgerRow], findings: Sequence[Finding] = (), folder: Path = Path(), **changes: Any
) -> Contents:
    """A set as read. `changes` go to its manifest, which is otherwise true."""
    rows = sorted(rows, key=lambda row: row.id)
    expected = changes.pop("expected_failures", ())
    values: dict[str, Any] = {
        "curate": "0", "recipe": "someone-elses", "recipe_version": 1, "summary": "", "strategy": "s",
        "settings": {"seed": 0}, "source": SourceCard(kind="folder", files=9, sha256="0" * 64), "encoder": None,
        "encoder_sha256": None, "private": bool(unlicensed(rows)), "trained": False, "counts": count(rows, 9), "platform": "x",
        "audit": verdicts_of(findings, expected, ()), "content_id": content_id(rows), "made_with": {"av": "1"},
        "files": file_cards(folder) if folder != Path() else {"made up": _card(rows, findings)},
    }  # fmt: skip
    if encoder := changes.get("encoder"):
        values |= {"encoder_sha256": sha256_of(encoder), "trained": True}
    return Contents(folder, Build(**(values | changes)), rows, Audit(findings=list(findings)))


def _card(rows: Sequence[LedgerRow], findings: Sequence[Finding]) -> FileCard:
    """What the manifest would say of the files if there were any."""
    text = b"".join(canonical(record) for record in (*rows, *findings))
    return FileCard(sha256=hashlib.sha256(text).hexdigest(), bytes=len(text))


def folder_of(
    folder: Path,
    rows: Sequence[LedgerRow],
    findings: Sequence[Finding] = (),
    latents: Mapping[str, float] | None = None,
    **changes: Any,
) -> Path:
    """A set on disk, by the writers of the build; with `latents`, shards whose tensors hold one number a sample."""
    folder.mkdir()
    rows = sorted(rows, key=lambda row: row.id)
    write_lines(folder / "ledger.jsonl", rows)
    (folder / "audit.json").write_bytes(pretty(Audit(findings=list(findings))))
    if latents is not None:
        cards = [
            card
            for split in ("train", "heldout")
            for card in pack(
                folder / "shards", split, [_packed(row, latents) for row in rows if row.split == split]
            )
        ]
        index = {"shards": [card.model_dump(mode="json") for card in cards]}
        (folder / "shards" / "index.json").write_bytes(pretty(index))
        changes = {"encoder": ENCODER} | changes
    manifest = contents(rows, findings, folder, **changes).manifest
    (folder / "build.json").write_bytes(pretty(manifest))
    return folder


def _packed(row: LedgerRow, latents: Mapping[str, float]) -> dict[str, bytes]:
    tensors = {"video_latents": np.full((4, 2), latents[row.id], np.float32)}
    return {
        "json": pretty({"id": row.id}),
        "safetensors": pack_tensors(tensors, {"id": row.id, "example_sha256": "0" * 64}),
    }


PAIR = (sample("a"), sample("b", "heldout"))

some_rows = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(
        st.sampled_from(("train", "heldout")),
        st.sampled_from((100.0, 110.0, 120.5)),
        st.sampled_from(("high", "low")),
        st.sampled_from((None, "CC0")),
    ),
).map(
    lambda drawn: [
        sample(name, split, pitch_hz, caption=caption, licence=licence)
        for name, (split, pitch_hz, caption, licence) in drawn.items()
    ]
)
some_findings = st.dictionaries(
    st.sampled_from(("balance", "groups")),
    st.tuples(st.sampled_from(("pass", "fail", "not_testable", "constant")), st.sampled_from((0.1, 0.2))),
).map(lambda drawn: [finding(name, verdict, r=r) for name, (verdict, r) in drawn.items()])
some_sets = st.builds(
    lambda rows, findings, seed, encoder: contents(rows, findings, settings={"seed": seed}, encoder=encoder),
    some_rows,
    some_findings,
    st.integers(0, 1),
    st.sampled_from((None, ENCODER, ENCODER | {"vae": "2"})),
)


@given(some_sets)
def test_a_set_does_not_differ_from_itself(a: Contents) -> None:
    found = difference(a, a)
    assert found.identical
    assert {name for name in LISTS if getattr(found, name)} == set()


@given(some_sets, some_sets)
def test_the_other_way_round_it_is_the_mirror_image(a: Contents, b: Contents) -> None:
    there, back = difference(a, b), difference(b, a)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert there.changed == back.changed and there.identical == back.identical
    assert [(c.name, c.before, c.after) for c in there.captions] == [
        (c.name, c.after, c.before) for c in back.captions
    ]
    assert {(d.name, d.ks, d.median) for d in there.distributions} == {
        (d.name, d.ks, d.median[::-1]) for d in back.distributions
    }
    assert {(f.name, f.before, f.after) for f in there.findings} == {
        (f.name, f.after, f.before) for f in back.findings
    }


@given(some_sets, some_sets)
def test_no_sample_is_lost_in_the_counting(a: Contents, b: Contents) -> None:
    found = difference(a, b)
    alike = a.kept.keys() & b.kept.keys() - {change.id for change in found.changed}
    assert all(a.kept[name] == b.kept[name] for name in alike)
    assert (
        len(a.kept) - len(found.removed) == len(b.kept) - len(found.added) == len(alike) + len(found.changed)
    )
    assert found.kept == (len(a.kept), len(b.kept))
    assert (found.content_id[0] == found.content_id[1]) == (a.manifest.content_id == b.manifest.content_id)


numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12)


@given(numbers, numbers)
def test_the_distance_is_the_largest_gap_between_the_steps(a: list[float], b: list[float]) -> None:
    """Against the definition: max over x of |F_a(x) - F_b(x)|."""
    sets = [contents([sample(f"{i}", pitch_hz=hz) for i, hz in enumerate(side)]) for side in (a, b)]
    found = {d.name: d for d in difference(*sets).distributions}.get("measured.pitch_hz")
    gap = max(abs(sum(v <= x for v in a) / len(a) - sum(v <= x for v in b) / len(b)) for x in [*a, *b])
    assert (found.ks if found else 0) == pytest.approx(gap, abs=2e-6)
    if found:
        assert found.median == pytest.approx((np.median(a), np.median(b)), abs=2e-6)
        assert found.count == (len(a), len(b))


def test_the_distance_is_that_of_scipy() -> None:
    from scipy.stats import ks_2samp

    draw = np.random.default_rng(0)
    for _ in range(20):
        a, b = draw.normal(size=draw.integers(5, 60)).round(1), draw.normal(0.3, size=40).round(1)
        assert ks_distance(a.tolist(), b.tolist()) == pytest.approx(ks_2samp(a, b).statistic, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"caption": "other"}, ("caption",)),
        ({"split": "heldout"}, ("split",)),
        ({"group": "g"}, ("group",)),
        ({"licence": None}, ("licence",)),
        ({"name": "z.mp4"}, ("name",)),
        ({"sources": ("f" * 64,)}, ("sources",)),
        ({"choices": {"target_hz": 121.0}}, ("choices.target_hz",)),
        ({"choices": {"target_hz": 120}}, ("choices.target_hz",)),  # spelled otherwise, so another content_id
        ({"attributes": {"clip_s": 5.0}}, ("attributes.speaker",)),
        ({"measured": {"pitch_hz": 120.0, "mel": [1.0, 2.5]}}, ("measured.mel",)),
    ],
)
def test_a_changed_sample_says_which_fields(change: dict[str, Any], fields: tuple[str, ...]) -> None:
    found = difference(contents(PAIR), contents([sample("a", **change), PAIR[1]]))
    assert [(c.id, c.fields) for c in found.changed] == [("a", fields)]
    assert not found.added and not found.removed


def test_a_dropped_candidate_is_no_sample_but_counts() -> None:
    dropped = sample("c", kept=False, reason="too_short")
    found = difference(contents(PAIR), contents([*PAIR, dropped]))
    assert found.content_id[0] == found.content_id[1] and not found.added
    assert [(c.name, c.before, c.after) for c in found.dropped] == [("too_short", 0, 1)]


def test_a_file_that_crosses_the_split_is_seen_under_any_sample_id() -> None:
    """Another draw gives samples other ids; the file is the same, and a model that trained on A has seen it."""
    file = ("a" * 64,)
    before = [sample("x-01", sources=file, name="x.mp4"), PAIR[1]]
    after = [sample("x-07", "heldout", sources=file, name="x.mp4"), PAIR[1]]
    found = difference(contents(before), contents(after))
    assert [(c.name, c.before, c.after) for c in found.crossed] == [("x.mp4", "train", "heldout")]
    assert (found.added, found.removed, found.changed) == (("x-07",), ("x-01",), ())


def test_a_value_on_one_side_only_comes_first() -> None:
    more = sample("a", measured={"pitch_hz": 120.0, "lag_s": 0.5, "mel": [1.0, 2.0]})
    found = difference(contents(PAIR), contents([more, sample("b", "heldout", 90.0)])).distributions
    assert [(d.name, d.count, d.ks) for d in found] == [
        ("measured.lag_s", (0, 1), None),
        ("measured.pitch_hz", (2, 2), 0.5),
    ]
    assert (found[0].median, found[1].median, found[1].spread) == ((None, 0.5), (120.0, 105.0), (0.0, 15.0))


def test_a_flag_is_no_number() -> None:
    """A bool is an int in Python; a median of yes and no says nothing."""
    pair = [contents([sample("a", measured={"clipped": flag})]) for flag in (True, False)]
    assert difference(*pair).distributions == ()
    assert [c.fields for c in difference(*pair).changed] == [("measured.clipped",)]


def test_findings_change_appear_and_vanish() -> None:
    before = [finding("balance", "pass", r=0.1), finding("gone"), finding("same", r=0.3)]
    after = [finding("balance", "fail", r=0.4), finding("new", "not_testable"), finding("same", r=0.3)]
    found = difference(contents(PAIR, before), contents(PAIR, after)).findings
    assert [(f.name, f.before, f.after) for f in found] == [
        ("balance (train)", "pass", "fail"),
        ("gone (train)", "pass", None),
        ("new (train)", None, "not_testable"),
    ]
    assert [(c.name, c.before, c.after) for c in found[0].numbers] == [("r", 0.1, 0.4)]


def test_settings_source_and_encoder_are_compared_key_by_key() -> None:
    card = SourceCard(kind="demo", files=9, sha256="0" * 64, settings={"clips": 3})
    a = contents(PAIR, settings={"seed": 0, "old": 1}, encoder=ENCODER, source=card)
    b = contents(PAIR, settings={"seed": 1, "new": 2}, encoder=ENCODER | {"vae": "2"})
    found = difference(a, b)
    assert [(c.name, c.before, c.after) for c in found.settings] == [
        ("new", None, 2), ("old", 1, None), ("seed", 0, 1),
    ]  # fmt: skip
    assert [(c.name, c.before, c.after) for c in found.encoder] == [("vae", "1", "2")]
    assert [(c.name, c.before, c.after) for c in found.source] == [
        ("kind", "demo", "folder"), ("settings.clips", 3, None),
    ]  # fmt: skip


def test_latents_are_compared_where_the_encoder_is_the_same(tmp_path: Path) -> None:
    a = folder_of(tmp_path / "a", PAIR, latents={"a": 1.0, "b": 2.0})
    b = folder_of(tmp_path / "b", PAIR, latents={"a": 1.0, "b": 2.5})
    other = folder_of(tmp_path / "c", PAIR, latents={"a": 7.0, "b": 7.0}, encoder=ENCODER | {"vae": "2"})
    found = compare(a, b)
    assert [(c.id, c.fields) for c in found.changed] == [("b", ("latents",))]
    assert found.files == ("shards/heldout-00000.tar", "shards/index.json")
    assert compare(a, other).changed == () and [c.name for c in compare(a, other).encoder] == ["vae"]


def test_equal_folders_are_identical_whatever_their_recipe(tmp_path: Path) -> None:
    a = folder_of(tmp_path / "a", PAIR, [finding()], latents={"a": 1.0, "b": 2.0})
    b = shutil.copytree(a, tmp_path / "b")
    assert compare(a, b).identical
    (b / "build.json").write_bytes(pretty(contents(PAIR, [finding()], b, recipe="other").manifest))
    assert not compare(a, b).identical


@pytest.mark.parametrize("name", ["ledger.jsonl", "audit.json", "build.json"])
@pytest.mark.parametrize("damage", ["missing", "cut", "binary", "folder", "other"])
def test_a_damaged_set_is_one_line_that_names_the_file(tmp_path: Path, name: str, damage: str) -> None:
    good = folder_of(tmp_path / "good", PAIR, [finding()])
    path = shutil.copytree(good, tmp_path / "bad") / name
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"cut": data[:-9], "binary": b"\xff\x00\xfe" * 50, "other": b'{"x": 1}\n'}[damage])
    for pair in ((good, path.parent), (path.parent, good)):
        with pytest.raises(CurateError) as caught:
            compare(*pair)
        assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["ledger.jsonl", "audit.json", "shards/index.json"])
def test_a_file_that_is_not_the_one_of_the_manifest_is_one_line(tmp_path: Path, name: str) -> None:
    """Readable, but another set's: what would be compared is not what the manifest stands for."""
    a = folder_of(tmp_path / "a", PAIR, [finding()], latents={"a": 1.0, "b": 2.0})
    b = folder_of(
        tmp_path / "b", [sample("a", pitch_hz=9.0), PAIR[1]], latents={"a": 1.0, "b": 2.0, "c": 3.0}
    )
    c = folder_of(
        tmp_path / "c", [*PAIR, sample("c")], [finding(r=0.5)], latents={"a": 1.0, "b": 2.5, "c": 3.0}
    )
    shutil.copy(c / name, b / name)
    with pytest.raises(CurateError, match=f"b/{name}: sha256 .*; see `curate check"):
        compare(c, b)
    assert compare(a, c).added == ("c",)


def test_what_is_no_set_is_one_line(tmp_path: Path) -> None:
    good = folder_of(tmp_path / "good", PAIR)
    failed = tmp_path / "x.failed"
    failed.mkdir()
    shutil.copy(good / "ledger.jsonl", failed)
    for path, says in (
        (failed, r"no build\.json"),
        (good / "ledger.jsonl", "no such folder"),
        (tmp_path / "nowhere", "no such folder"),
    ):
        with pytest.raises(CurateError, match=says):
            compare(good, path)


def test_a_manifest_that_lists_no_ledger_is_one_line(tmp_path: Path) -> None:
    good = folder_of(tmp_path / "good", PAIR)
    (good / "build.json").write_bytes(pretty(contents(PAIR).manifest))
    with pytest.raises(CurateError, match=r"lists no ledger\.jsonl"):
        compare(good, good)


@pytest.mark.parametrize("name", ["train-00000.tar", "index.json"])
def test_a_damaged_shard_is_one_line_when_it_must_be_read(tmp_path: Path, name: str) -> None:
    a = folder_of(tmp_path / "a", PAIR, latents={"a": 1.0, "b": 2.0})
    b = folder_of(tmp_path / "b", PAIR, latents={"a": 1.5, "b": 2.0})
    path = b / "shards" / name
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(CurateError, match=name):
        compare(a, b)
    path.unlink()
    with pytest.raises(CurateError, match=name):
        compare(a, b)
