"""The invariants of helium as properties, through the same functions that gate a build; and each gate tripping."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from curate.errors import Rejected
from curate.proof import audit, labels
from curate.proof.audit import Side
from curate.proof.finding import Finding, problems
from curate.proof.trial import Table, Trial
from curate.recipe import Recipe
from curate.records import Clip, Drop, LedgerRow, Sample
from tests.ledgers import finished, helium, pool


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As in a build. Many small products on several threads each take a hundred times as long."""
    with threadpool_limits(1):
        yield


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
    "pitch_hz": 150.0, "pitch_judge_two_hz": 150.5, "tone_hz": 150.0, "tone_judge_two_hz": 150.2, "audio_samples": 77_440,
    "shifted_lufs": -26.0, "gross_error_share": 0.01, "voiced_ratio": 1.0, "envelope_r": 0.97, "lag_s": 0.0, "drift_s": 0.0,
}  # fmt: skip


def gated(recipe: Recipe, **changed: float) -> None:
    """What `make` asks of a render for 150 Hz."""
    recipe.gate(GOOD | changed)  # type: ignore[attr-defined]
    labels.gate(recipe.sketch.labels, {"target_hz": 150.0}, GOOD | changed, "a")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("pitch_hz", 150 * 2 ** (50.001 / 1200), "target_pitch"),
        ("pitch_judge_two_hz", 144.0, "target_pitch"),
        ("tone_hz", 151.0, "tone_pitch"),
        ("tone_judge_two_hz", 156.0, "tone_judge_two"),
        ("audio_samples", 77_439, "length"),
        ("shifted_lufs", -25.4, "loudness"),
        ("gross_error_share", 0.2, "gross_error_share"),
        ("voiced_ratio", 0.7, "voiced_change"),
        ("voiced_ratio", 1.3, "voiced_change"),
        ("envelope_r", 0.8, "envelope_lost"),
        ("lag_s", 0.04, "lips"),
        ("drift_s", -0.03, "lips"),
    ],
)
def test_each_gate_trips(key: str, value: float, reason: str) -> None:
    gated(helium())
    with pytest.raises(Rejected) as caught:
        gated(helium(), **{key: value})
    assert caught.value.reason == reason


def test_v1_holds_speech_to_nothing_but_the_30_hz_rule() -> None:
    recipe = helium("helium-v1")
    gated(
        recipe, pitch_hz=179.0, tone_hz=179.0, tone_judge_two_hz=179.0, envelope_r=0.1, gross_error_share=0.9
    )
    with pytest.raises(Rejected, match="target_pitch"):
        gated(recipe, pitch_hz=181.0)


@given(st.floats(140, 160), st.floats(140, 160))
def test_what_the_gate_lets_pass_the_audit_passes(one_hz: float, two_hz: float) -> None:
    """To the last digit: a rounded gate once let pass what the audit stopped."""
    recipe, found = (
        helium(),
        GOOD
        | {"pitch_hz": one_hz, "pitch_judge_two_hz": two_hz, "tone_hz": one_hz, "tone_judge_two_hz": one_hz},
    )
    (entry,) = (e for e in recipe.sketch.labels if e.name == "target_pitch")
    row = LedgerRow(id="a", name="", choices={"target_hz": 150.0}, measured=found, made=True, kept=True)
    try:
        labels.gate(recipe.sketch.labels, row.choices, found, "a")
    except Rejected:
        assert audit.label(entry, [row]).verdict == "fail"
    else:
        assert audit.label(entry, [row]).verdict == "pass"


# --- selecting and judging whole sets


@given(st.integers(6, 90), st.integers(0, 99), st.floats(7, 19))
@settings(deadline=None, max_examples=6)
def test_a_set_by_lot_never_breaks_what_the_lot_promises(clips: int, seed: int, max_shift_st: float) -> None:
    recipe = helium(seed=seed)
    rows = finished(recipe, pool(recipe, clips, seed, max_shift_st))
    band = Trial(recipe.seed, recipe.sketch, rows).band
    kept = [row for row in rows if row.kept]
    assert len({row.clip for row in kept}) == len(kept)
    for split in ("train", "heldout"):
        eligible = Table.of([r for r in rows if r.split == split], 12).eligible(band)
        assert {r.clip for r in kept if r.split == split} == set(eligible)
        counts = [sum(r.choices["stratum"] == s for r in kept if r.split == split) for s in band]
        assert not counts or max(counts) - min(counts) <= 1
    by_design = {"caption", "groups", "assignment", "balance", "coverage", "target_pitch", "lips"}
    if len(band) < 3:
        by_design -= {"balance"}  # nothing to draw among; `band` fails
    assert not [f for f in recipe.audit(rows) if f.verdict == "fail" and f.name in by_design]


def test_selection_does_not_depend_on_the_order_of_rows() -> None:
    recipe = helium()
    rows = pool(recipe, 90, seed=4)
    order = np.random.default_rng(0).permutation(len(rows))
    assert recipe.select(rows) == recipe.select([rows[i] for i in order])


def test_v2_is_proven_at_400_pairs() -> None:
    recipe = helium()
    findings = recipe.audit(finished(recipe, pool(recipe, 640, seed=0)))
    assert problems(findings, recipe.expected_failures) == []
    train = by_name(findings)
    proven = ("positivity", "balance", "independence", "coverage", "reference_parameters", "reference_proxies", "reference_controls")  # fmt: skip
    assert {train[name].verdict for name in proven} == {"pass"}
    assert {f.name for f in findings if f.verdict == "not_applicable"} == set(recipe.sketch.effects)


@cache
def v1_set() -> list[LedgerRow]:
    """Shifts drawn evenly from ±7 st."""
    return finished(helium("helium-v1"), pool(helium("helium-v1"), 150, seed=0))


def test_v1_fails_exactly_as_it_must_and_as_its_design_predicts() -> None:
    control = helium("helium-v1")
    findings = control.audit(v1_set())
    assert problems(findings, control.expected_failures) == []
    assert {f.name for f in findings if f.verdict == "fail"} == control.expected_failures
    assert control.expected_failures == {"positivity", "balance", "independence", "coverage"}
    designed = by_name(findings)["as_designed"]
    assert designed.verdict == "pass"
    # what its pool predicts: sd / sqrt(sd² + 49/3), log-uniform 85-255 Hz has sd 5.49 st
    assert designed.measured["r"] == pytest.approx(5.49 / np.sqrt(5.49**2 + 49 / 3), abs=0.06)


def shifts(rows: list[LedgerRow], of: Callable[[float], float]) -> list[LedgerRow]:
    """The pairs with another shift than the even one of ±7 st that they have."""

    def moved(row: LedgerRow) -> dict[str, object]:
        natural_oct, pitch_oct = (float(row.attributes["natural_oct"]), float(row.measured["pitch_oct"]))  # type: ignore[arg-type]
        shift_st = of(12 * (pitch_oct - natural_oct))
        return {"measured": {**row.measured, "pitch_oct": natural_oct + shift_st / 12}}

    return changed(rows, moved)


def test_v1_is_found_out_when_its_shifts_are_not_those_of_its_design() -> None:
    """A control that fails for another reason than the one it is there for would prove nothing."""
    rows = [row for row in v1_set() if row.split == "train"][:90]
    control = helium("helium-v1")
    others: dict[str, Callable[[float], float]] = {
        "half as far": lambda st: st / 2,
        "twice as far": lambda st: st * 2,
        "at the ends alone": lambda st: float(np.copysign(7, st)),
    }
    for says, shift in others.items():
        assert by_name(control.audit(shifts(rows, shift)))["as_designed"].verdict == "fail", says


def test_six_clips_prove_nothing_and_stand() -> None:
    for name in ("helium-v2", "helium-v1"):
        recipe = helium(name)
        findings = recipe.audit(finished(recipe, pool(recipe, 6, seed=0)))
        assert problems(findings, recipe.expected_failures) == []
        train = by_name(findings)
        for finding in ("independence", "balance", "coverage", "positivity", "reference_controls"):
            assert train[finding].verdict == "not_testable" and train[finding].needed_pairs


@pytest.mark.parametrize("clips", [12, 24, 40])
def test_small_pools_stand_and_are_not_proven(clips: int) -> None:
    """The default demo has 24 clips: chance must not stop it. Over 12 pools at most one may fail by ALPHA."""
    recipe = helium()
    stopped = 0
    for seed in range(4):
        findings = recipe.audit(finished(recipe, pool(recipe, clips, seed=seed)))
        stopped += bool(problems(findings, recipe.expected_failures))
        assert by_name(findings)["positivity"].verdict == "not_testable"
        assert by_name(findings)["independence"].verdict != "pass"
    assert stopped <= 1


def changed(rows: list[LedgerRow], change: Callable[[LedgerRow], dict[str, object]]) -> list[LedgerRow]:
    return [row.model_copy(update=change(row)) if row.kept else row for row in rows]


def measured(**factors: float) -> Callable[[LedgerRow], dict[str, object]]:
    """Measured values times something, or plus it where they are zero or below."""

    def change(row: LedgerRow) -> dict[str, object]:
        old = {key: float(row.measured[key]) for key in factors}  # type: ignore[arg-type]
        new = {key: old[key] * by if old[key] > 0 else old[key] + by for key, by in factors.items()}
        return {"measured": {**row.measured, **new}}

    return change


SEMITONE = 2 ** (1 / 12)
FAULTS: dict[str, tuple[str, Callable[[LedgerRow], dict[str, object]]]] = {
    "a telling caption": ("caption", lambda row: {"caption": "a person speaking high"}),
    "one speaker on both sides": ("groups", lambda row: {"attributes": {**row.attributes, "speaker": "all"}}),
    "one file on both sides": ("groups", lambda row: {"sources": ("a" * 64,)}),
    "speech too quiet": ("loudness", measured(shifted_lufs=-1.0)),
    "a sample too many": ("length", lambda row: {"measured": {**row.measured, "audio_samples": 77_441}}),
    "judge one off": ("target_pitch", measured(pitch_hz=SEMITONE)),
    "judge two off": ("target_pitch", measured(pitch_judge_two_hz=SEMITONE)),
    "a tone off": ("tone_pitch", measured(tone_hz=SEMITONE)),
    "a tone off by judge two": ("tone_judge_two", measured(tone_judge_two_hz=SEMITONE)),
    "a late sound": ("lips", measured(lag_s=0.03)),
    "a drifting sound": ("lips", measured(drift_s=-0.03)),
    "a lost pair": ("assignment", lambda row: {"kept": False, "reason": "lost"}),
}


@cache
def small_set() -> tuple[Recipe, list[LedgerRow]]:
    recipe = helium()
    return recipe, finished(recipe, pool(recipe, 14, seed=0))


def failures(recipe: Recipe, rows: list[LedgerRow]) -> set[str]:
    return {f.name for f in recipe.audit(rows) if f.verdict == "fail"}


@pytest.mark.parametrize("says", FAULTS)
def test_each_finding_trips_on_its_own_fault(says: str) -> None:
    name, change = FAULTS[says]
    recipe, rows = small_set()
    assert failures(recipe, rows) == set()
    if name == "assignment":
        first = next(row.id for row in rows if row.kept)
        broken = [row if row.id != first else row.model_copy(update=change(row)) for row in rows]
    else:
        broken = changed(rows, change)
    expected = (
        {name, "tone_pitch", "tone_judge_two"} if says == "judge one off" else {name}
    )  # which all rest on
    assert failures(recipe, broken) == expected


@pytest.mark.parametrize(
    ("kind", "key", "name"),
    [
        *(("attributes", key, "independence") for key in ("natural_odd_oct", "melody_st", "clip_s")),
        ("measured", "timbre_breath_db", "reference_parameters"),
    ],
)
def test_what_the_lot_never_saw_trips_when_it_tells_the_target(kind: str, key: str, name: str) -> None:
    recipe = helium()
    rows = finished(recipe, pool(recipe, 50, seed=1))

    def telling(row: LedgerRow) -> dict[str, object]:
        return {kind: {**getattr(row, kind), key: row.measured["pitch_oct"]}}

    assert failures(recipe, changed(rows, telling)) == {name}


def test_balance_and_what_the_tone_tells_trip_in_a_set_that_is_large_enough() -> None:
    recipe = helium()
    rows = finished(recipe, pool(recipe, 230, seed=1))
    mels = iter([row.measured["tone_mel"] for row in rows if row.kept][::-1])  # each that of another pair

    def telling(row: LedgerRow) -> dict[str, object]:
        pitch_oct = row.measured["pitch_oct"]
        return {
            "attributes": {**row.attributes, "loudness_lufs": pitch_oct},
            "measured": {**row.measured, "tone_rms_db": pitch_oct, "tone_mel": next(mels)},
        }

    sound, told = (train_side(recipe, these) for these in (rows, changed(rows, telling)))
    for name in ("balance", "reference_proxies", "reference_controls"):
        assert (sound[name].verdict, told[name].verdict) == ("pass", "fail"), name


def train_side(recipe: Recipe, rows: list[LedgerRow]) -> dict[str, Finding]:
    """What needs no inference, of the training pairs."""
    side = Side(recipe.sketch, "train", rows, recipe.seed, Trial(recipe.seed, recipe.sketch, rows))
    return by_name([*side.reach(), *side.balance(), *side.reference()])


def test_positivity_trips_when_a_kind_of_voice_can_never_take_part() -> None:
    """Low voices fail everywhere: the eligible are perfectly balanced, and the set says nothing of low voices."""
    recipe = helium()
    rows = [
        row.model_copy(update={"made": False, "reason": "gross_error_share", "measured": {}})
        if float(row.attributes["natural_hz"]) < 130  # type: ignore[arg-type]
        else row
        for row in pool(recipe, 300, seed=1)
    ]
    findings = train_side(recipe, finished(recipe, rows))
    assert findings["positivity"].verdict == "fail" and findings["balance"].verdict == "pass"


def test_positivity_trips_when_the_range_is_too_wide_for_the_shift_bound() -> None:
    recipe = helium(band="full")
    findings = train_side(recipe, finished(recipe, pool(recipe, 300, seed=1, max_shift_st=12)))
    assert findings["positivity"].verdict == "fail"


def test_band_and_pairs_trip_when_nothing_is_eligible() -> None:
    recipe = helium()
    findings = by_name(recipe.audit(finished(recipe, pool(recipe, 60, seed=1, max_shift_st=1.5))))
    assert findings["band"].verdict == "fail"
    nothing = helium(band="full")
    findings = by_name(nothing.audit(finished(nothing, pool(nothing, 60, seed=1, max_shift_st=5))))
    assert findings["pairs"].verdict == "fail"


# --- on real media: one clip, one render
