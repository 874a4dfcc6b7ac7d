"""The invariants of helium as properties, through the same functions that gate a build; and each gate tripping."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.audit import Finding, problems
from curate.errors import Rejected
from curate.ledger import unselected
from curate.recipe import Recipe
from curate.records import Clip, Drop, LedgerRow, Sample
from curate.trial import Table
from tests.ledgers import finished, helium, pool


def clip(number: int, **annotations: object) -> Clip:
    name = f"{number:016x}"
    plain = {
        "natural_hz": 120.0, "natural_oct": 6.90689, "natural_judge_two_hz": 121.0, "voiced_share": 0.5,
        "two_registers": False, "loudness_lufs": -20.0, "brightness_oct": 9.5, "formant_1_hz": 500.0,
        "formant_2_hz": 1500.0, "formant_3_hz": 2500.0, "look": [],
    }  # fmt: skip
    return Clip.model_validate(
        {
            "id": name, "name": f"{name}.mp4", "sha256": name * 4, "seconds": 5.2, "width": 256, "height": 256,
            "fps": 25.0, "sample_rate_hz": 16000, "labels": {"speaker": f"s{number // 2}"},
            "annotations": plain | annotations,
        }
    )  # fmt: skip


def by_name(findings: list[Finding], split: str = "train") -> dict[str, Finding]:
    return {f.name: f for f in findings if f.split in (split, "all")}


# --- planning


@given(st.integers(1, 30), st.integers(0, 9), st.integers(3, 16))
@settings(deadline=None, max_examples=20)
def test_every_clip_gets_one_target_inside_each_stratum(count: int, seed: int, strata: int) -> None:
    recipe = helium(seed=seed, strata=strata)
    samples = [s for s in recipe.plan([clip(n) for n in range(count)]) if isinstance(s, Sample)]
    assert len(samples) == count * strata
    edges = np.geomspace(76, 353, strata + 1)
    for sample in samples:
        stratum = int(sample.choices["stratum"])  # type: ignore[arg-type]
        assert edges[stratum] - 1e-3 <= sample.choices["target_hz"] <= edges[stratum + 1] + 1e-3  # type: ignore[operator]
        assert sample.caption == "a person speaking"


@given(st.integers(5, 40), st.integers(0, 9))
@settings(deadline=None, max_examples=15)
def test_one_clip_added_changes_no_other_candidate(count: int, seed: int) -> None:
    recipe = helium(seed=seed)
    few = {s.id: s.choices for s in recipe.plan([clip(n) for n in range(count)]) if isinstance(s, Sample)}
    many = {
        s.id: s.choices for s in recipe.plan([clip(n) for n in range(count + 1)]) if isinstance(s, Sample)
    }
    assert few.items() <= many.items()


@pytest.mark.parametrize(
    ("annotations", "reason"),
    [
        ({"voiced_share": 0.1}, "little_speech"),
        ({"natural_judge_two_hz": 240.0}, "judges_disagree"),
        ({"two_registers": True}, "several_speakers"),
    ],
)
def test_a_clip_that_cannot_take_part_is_dropped_with_its_reason(
    annotations: dict[str, object], reason: str
) -> None:
    (drop,) = helium().plan([clip(1, **annotations)])
    assert isinstance(drop, Drop) and drop.reason == reason and drop.detail


def test_a_clip_labelled_with_two_speakers_is_dropped() -> None:
    labelled = clip(1).model_copy(update={"labels": {"speakers": "2"}})
    (drop,) = helium().plan([labelled])
    assert isinstance(drop, Drop) and drop.reason == "several_speakers"


# --- the gates of one pair

GOOD = {
    "off_cents": 5.0, "judge_two_off_cents": -8.0, "off_hz": 0.4, "gross_error_share": 0.01, "voiced_ratio": 1.0,
    "envelope_r": 0.97, "lag_s": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("off_cents", 51.0, "off_cents"),
        ("judge_two_off_cents", -60.0, "judge_two_off_cents"),
        ("gross_error_share", 0.2, "gross_error_share"),
        ("voiced_ratio", 0.7, "voiced_change"),
        ("voiced_ratio", 1.3, "voiced_change"),
        ("envelope_r", 0.8, "envelope_lost"),
        ("lag_s", 0.04, "lag_s"),
    ],
)
def test_each_gate_trips(key: str, value: float, reason: str) -> None:
    recipe = helium()
    recipe.gate(GOOD)  # type: ignore[attr-defined]
    with pytest.raises(Rejected) as caught:
        recipe.gate(GOOD | {key: value})  # type: ignore[attr-defined]
    assert caught.value.reason == reason


def test_v1_looks_at_nothing_but_the_30_hz_rule() -> None:
    recipe = helium("helium-v1")
    recipe.gate(GOOD | {"off_cents": 400.0, "envelope_r": 0.1, "off_hz": 29.0})  # type: ignore[attr-defined]
    with pytest.raises(Rejected, match="off_hz"):
        recipe.gate(GOOD | {"off_hz": 31.0})  # type: ignore[attr-defined]


# --- selecting and judging whole sets


@given(st.integers(6, 160), st.integers(0, 99), st.floats(7, 19))
@settings(deadline=None, max_examples=12)
def test_a_set_by_lot_never_breaks_what_the_lot_promises(clips: int, seed: int, max_shift_st: float) -> None:
    recipe = helium(seed=seed)
    rows = finished(recipe, pool(recipe, clips, seed, max_shift_st))
    band = recipe.trial.chosen_band(rows)  # type: ignore[attr-defined]
    kept = [row for row in rows if row.kept]
    assert len({row.clip for row in kept}) == len(kept)
    for split in ("train", "heldout"):
        eligible = Table.of([r for r in rows if r.split == split], 12).eligible(band)
        assert {r.clip for r in kept if r.split == split} == set(eligible)
        counts = [sum(r.choices["stratum"] == s for r in kept if r.split == split) for s in band]
        assert not counts or max(counts) - min(counts) <= 1
    by_design = {"caption", "groups", "balance", "coverage", "target_pitch", "lips"}
    if len(band) < 3:
        by_design -= {"balance"}  # nothing to draw among; `band` fails
    assert not [f for f in recipe.audit(rows) if f.verdict == "fail" and f.name in by_design]


def test_selection_does_not_depend_on_the_order_of_rows() -> None:
    recipe = helium()
    rows = pool(recipe, 90, seed=4)
    order = np.random.default_rng(0).permutation(len(rows))
    assert recipe.select(rows) == recipe.select([rows[i] for i in order])


def test_v2_is_proven_at_400_clips_and_v1_fails_as_it_must() -> None:
    recipe = helium()
    findings = recipe.audit(finished(recipe, pool(recipe, 640, seed=0)))
    assert problems(findings, recipe.expected_failures) == []
    train = by_name(findings)
    assert {train[n].verdict for n in ("positivity", "balance", "independence", "coverage")} == {"pass"}

    control = helium("helium-v1")
    findings = control.audit(finished(control, pool(control, 460, seed=0)))
    assert problems(findings, control.expected_failures) == []
    assert {f.name for f in findings if f.verdict == "fail"} == control.expected_failures
    found = by_name(findings)["independence"].measured["pearson"]
    # what its pool predicts: sd / sqrt(sd² + 49/3), log-uniform 85-255 Hz has sd 5.49 st
    assert found == pytest.approx(5.49 / np.sqrt(5.49**2 + 49 / 3), abs=0.06)


def test_six_clips_prove_nothing_and_stand() -> None:
    recipe = helium()
    findings = recipe.audit(finished(recipe, pool(recipe, 6, seed=0)))
    assert problems(findings, recipe.expected_failures) == []
    train = by_name(findings)
    for name in ("independence", "balance", "coverage", "positivity"):
        assert train[name].verdict == "not_testable" and train[name].needed_pairs


@pytest.mark.parametrize("clips", [12, 24, 40])
def test_small_pools_stand_and_are_not_proven(clips: int) -> None:
    """The default demo has 24 clips: chance must not stop it. Over 12 pools at most one may fail by ALPHA."""
    recipe = helium()
    stopped = 0
    for seed in range(4):
        findings = recipe.audit(finished(recipe, pool(recipe, clips, seed=seed)))
        stopped += bool(problems(findings, recipe.expected_failures))
        assert by_name(findings)["positivity"].verdict == "not_testable"
    assert stopped <= 1


def changed(rows: list[LedgerRow], change: Callable[[LedgerRow], dict[str, object]]) -> list[LedgerRow]:
    return [row.model_copy(update=change(row)) if row.kept else row for row in rows]


FAULTS: dict[str, Callable[[LedgerRow], dict[str, object]]] = {
    "caption": lambda row: {"caption": "a person speaking high"},
    "groups": lambda row: {"attributes": {**row.attributes, "speaker": "everyone"}},
    "loudness": lambda row: {"measured": {**row.measured, "shifted_lufs": -29.0}},
    "target_pitch": lambda row: {"measured": {**row.measured, "judge_two_off_cents": 100.0}},
    "tone_pitch": lambda row: {"measured": {**row.measured, "tone_off_cents": 100.0}},
    "tone_judge_two": lambda row: {"measured": {**row.measured, "tone_judge_two_off_cents": 100.0}},
    "assignment": lambda row: {"kept": False, "reason": "lost"},
    "lips": lambda row: {"measured": {**row.measured, "lag_s": 0.04}},
    "tone_proxies": lambda row: {
        "measured": {**row.measured, "tone_rms_db": 3 * float(row.measured["pitch_oct"])}
    },  # type: ignore[arg-type]
    "independence": lambda row: {"attributes": {**row.attributes, "natural_oct": row.measured["pitch_oct"]}},
    "independence_judge_two": lambda row: {
        "attributes": {**row.attributes, "natural_judge_two_hz": row.choices["target_hz"]}
    },
    "balance": lambda row: {"attributes": {**row.attributes, "loudness_lufs": row.measured["pitch_oct"]}},
    "coverage": lambda row: {"choices": {**row.choices, "stratum": 5}},
}


@cache
def sound_set() -> tuple[Recipe, list[LedgerRow], dict[str, Finding]]:
    recipe = helium()
    rows = finished(recipe, pool(recipe, 120, seed=1))
    return recipe, rows, by_name(recipe.audit(rows))


@pytest.mark.parametrize("name", FAULTS)
def test_each_finding_trips_on_its_own_fault(name: str) -> None:
    recipe, rows, findings = sound_set()
    assert findings[name].verdict in ("pass", "not_testable")
    broken = changed(rows, FAULTS[name])
    if name == "assignment":
        broken = [*changed(rows[:500], FAULTS[name]), *rows[500:]]
    assert "fail" in {f.verdict for f in recipe.audit(broken) if f.name == name}


def test_positivity_trips_when_a_kind_of_voice_can_never_take_part() -> None:
    """Low voices fail everywhere: the eligible are perfectly balanced, and the set says nothing of low voices."""
    recipe = helium()
    rows = [
        row.model_copy(update={"made": False, "reason": "gross_error_share", "measured": {}})
        if float(row.attributes["natural_hz"]) < 130  # type: ignore[arg-type]
        else row
        for row in pool(recipe, 300, seed=1)
    ]
    findings = by_name(recipe.audit(finished(recipe, rows)))
    assert findings["positivity"].verdict == "fail" and findings["balance"].verdict == "pass"


def test_positivity_trips_when_the_range_is_too_wide_for_the_shift_bound() -> None:
    recipe = helium(band="full")
    findings = by_name(recipe.audit(finished(recipe, pool(recipe, 300, seed=1, max_shift_st=12))))
    assert findings["positivity"].verdict == "fail"


def test_band_and_pairs_trip_when_nothing_is_eligible() -> None:
    recipe = helium()
    findings = by_name(recipe.audit(finished(recipe, pool(recipe, 60, seed=1, max_shift_st=1.5))))
    assert findings["band"].verdict == "fail"
    nothing = helium(band="full")
    findings = by_name(nothing.audit(finished(nothing, pool(nothing, 60, seed=1, max_shift_st=5))))
    assert findings["pairs"].verdict == "fail"


def test_only_fields_that_make_never_reads_are_decided_on_the_set() -> None:
    """Those fields are left out of the cache key of a made sample, so `make` must not look at them."""
    recipe = helium()
    read = set[str]()

    class Watched(type(recipe)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> object:
            read.add(name)
            return super().__getattribute__(name)

    from tests.media.test_pitch import spoken_file

    watched = Watched.model_validate({"frames": 41})
    sample = next(s for s in watched.plan([clip(1)]) if isinstance(s, Sample) and s.choices["stratum"] == 2)
    read.clear()
    with spoken_file() as path:
        watched.make(
            sample.model_copy(update={"clips": (sample.clips[0].model_copy(update={"path": path}),)})
        )
    assert "frames" in read
    assert not read & set(recipe.decided_on_the_set)


def test_unselected_rows_are_selected_alike_again() -> None:
    recipe = helium()
    rows = finished(recipe, pool(recipe, 60, seed=3))
    assert finished(recipe, unselected(rows)) == rows
