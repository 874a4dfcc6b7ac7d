"""The sweep: which pairs, which tones, and every finding of its audit tripping. Tones as numbers, without any media."""

from collections.abc import Callable, Mapping
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import sweep
from curate.errors import CurateError
from curate.ledger import made_rows, selected
from curate.media.tone import draw_timbre
from curate.proof.finding import Finding, problems
from curate.proof.inference import seen_slope
from curate.recipe import Recipe
from curate.records import Clip, LedgerRow, Sample, Values, number, rng
from tests.ledgers import finished, helium, pool

NAMES = [
    "sweep_pairs", "sweep_tones", "tone_pitch", "tone_judge_two", "sweep_timbre_held", "sweep_range",
    "tone_pitch_held", "tone_judge_two_held", "sweep_timbres", "sweep_power",
]  # fmt: skip


def of_timbre(recipe: Recipe, identity: object) -> dict[str, float]:
    """The parameters that helium draws for an identity."""
    return draw_timbre(rng(recipe.seed, str(identity), "reference")).numbers()


def ledger(clips: int = 40, seed: int = 3) -> tuple[Recipe, list[LedgerRow]]:
    """A made-up set whose pairs have the timbre that helium would draw for them."""
    recipe = helium(seed=seed)
    rows = finished(recipe, pool(recipe, clips, seed))
    return recipe, [
        row.model_copy(update={"measured": {**row.measured, **of_timbre(recipe, row.id)}})
        if row.made
        else row
        for row in rows
    ]


def planned(recipe: Recipe, rows: list[LedgerRow]) -> list[Sample]:
    samples = {}
    for row in rows:
        clip = Clip(id=str(row.clip), name=row.name, sha256=row.sources[0], seconds=6, width=64, height=64, fps=25, sample_rate_hz=16_000)  # fmt: skip
        samples[row.id] = Sample(id=row.id, group=str(row.group), split=row.split or "train", caption=str(row.caption), clips=(clip,), choices=row.choices, attributes=row.attributes)  # fmt: skip
    return sweep.planned(recipe, rows, samples)


def made(recipe: Recipe, samples: list[Sample]) -> list[LedgerRow]:
    """What the instruments would find in the tones of a sweep, each a cent sharp."""
    records = {}
    for sample in samples:
        heard_hz = number(sample.choices, "tone_hz") * 2 ** (1 / 1200)
        timbre = of_timbre(recipe, sample.choices["timbre_of"])
        records[sample.id] = {
            "measured": {"tone_hz": heard_hz, "tone_judge_two_hz": heard_hz, **timbre},
        }
    rows = made_rows(samples, records)
    return selected(rows, {row.id: None for row in rows})


@pytest.fixture(scope="module")
def swept() -> tuple[Recipe, list[LedgerRow]]:
    recipe, rows = ledger()
    return recipe, made(recipe, planned(recipe, rows))


def verdict(recipe: Recipe, rows: list[LedgerRow], name: str) -> Finding:
    return next(found for found in sweep.audit(recipe.sketch, rows) if found.name == name)


def changed(
    rows: list[LedgerRow], kind: str, change: Callable[[LedgerRow], Mapping[str, object]], most: int = 1
) -> list[LedgerRow]:
    """The rows with the first `most` of one sweep changed."""
    place = count()
    return [
        row.model_copy(update=change(row)) if row.choices["sweep"] == kind and next(place) < most else row
        for row in rows
    ]


def measured(row: LedgerRow, **values: float) -> dict[str, Values]:
    return {"measured": {**row.measured, **values}}


@settings(max_examples=10, deadline=None)
@given(st.integers(20, 160), st.integers(0, 1000))
def test_at_most_twelve_heldout_pairs_by_lot(clips: int, seed: int) -> None:
    _, rows = ledger(clips, seed)
    heldout = {row.id for row in rows if row.kept and row.split == "heldout"}
    chosen = [row.id for row in sweep.swept_pairs(rows, seed)]
    assert set(chosen) <= heldout and len(chosen) == min(12, len(heldout))
    assert chosen == sorted(chosen) == [row.id for row in sweep.swept_pairs(rows[::-1], seed)]


def test_other_seeds_choose_other_pairs() -> None:
    _, rows = ledger(160)
    assert len({tuple(row.id for row in sweep.swept_pairs(rows, seed)) for seed in range(5)}) > 1


def test_a_sweep_is_two_times_nine_tones_on_a_heldout_target(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    tones, (_, rows) = swept[1], ledger()
    by_id = {row.id: row for row in rows}
    pairs = {str(tone.attributes["pair"]) for tone in tones}
    assert len(tones) == 18 * len(pairs) and all(tone.split == "heldout" for tone in tones)
    for name in pairs:
        pair, mine = by_id[name], [tone for tone in tones if tone.attributes["pair"] == name]
        assert pair.kept and pair.split == "heldout"
        assert {(tone.clip, tone.group, tone.caption) for tone in mine} == {
            (pair.clip, pair.group, pair.caption)
        }
        for tone in mine:
            assert all(tone.attributes[k] == pair.measured[k] for k in tone.attributes if k != "pair")
            if tone.choices["sweep"] == "timbre":
                assert tone.choices["tone_hz"] == pair.measured["pitch_hz"]
            else:
                assert tone.choices["timbre_of"] == name
        asked = sorted(number(t.choices, "tone_hz") for t in mine if t.choices["sweep"] == "pitch")
        assert asked[0] == pytest.approx(76) and asked[-1] == pytest.approx(353) and len(asked) == 9


def test_a_sound_sweep_passes_and_states_its_power(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    recipe, tones = swept
    found = sweep.audit(recipe.sketch, tones)
    assert [f.name for f in found] == NAMES
    assert [f.verdict for f in found] == ["pass"] * 9 + ["not_applicable"] and not problems(found, ())
    power = found[-1]
    pairs = len({tone.attributes["pair"] for tone in tones})
    slope = seen_slope(9, pairs, number(power.measured, "span_st"), sweep.RESIDUAL_ST)
    assert power.measured["seen_slope"] == round(slope, 4) and "assuming" in power.says
    assert number(power.measured, "span_st") == pytest.approx(26.59, abs=0.01)


def test_a_tone_of_no_heldout_pair_trips(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    recipe, tones = swept
    for update in ({"split": "train"}, {"id": "another-00-pitch-00"}):
        found = verdict(recipe, changed(tones, "timbre", lambda row, u=update: u), "sweep_pairs")
        assert found.verdict == "fail" and found.measured["offenders"] == 1


def test_some_rejected_tones_are_no_harm_and_many_are(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    recipe, tones = swept

    def rejected(row: LedgerRow) -> dict[str, object]:
        return {"kept": False, "made": False, "reason": "tone_hz_off_cents", "measured": {}}

    for most, sound in ((0, True), (3, True), (4, False)):
        found = verdict(recipe, changed(tones, "timbre", rejected, most), "sweep_tones")
        assert (found.verdict == "pass") is sound, most
    only_pitch = [tone for tone in tones if tone.choices["sweep"] == "pitch"]
    assert verdict(recipe, only_pitch, "sweep_tones").verdict == "fail"
    assert verdict(recipe, [], "sweep_tones").verdict == "fail"


@pytest.mark.parametrize(
    ("key", "cents", "name"), [("tone_hz", 11, "tone_pitch"), ("tone_judge_two_hz", 51, "tone_judge_two")]
)
@pytest.mark.parametrize("kind", sweep.SWEEPS)
def test_a_tone_off_what_was_asked_trips(
    swept: tuple[Recipe, list[LedgerRow]], kind: str, key: str, cents: float, name: str
) -> None:
    recipe, tones = swept

    def off(row: LedgerRow) -> dict[str, Values]:
        return measured(row, **{key: number(row.choices, "tone_hz") * 2 ** (cents / 1200)})

    assert verdict(recipe, changed(tones, kind, off), name).verdict == "fail"


def test_a_pitch_that_moves_in_the_timbre_sweep_trips(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    """Even where the tone is at the pitch that was asked for: it was not the pair's."""
    recipe, tones = swept

    def astray(row: LedgerRow) -> dict[str, object]:
        hz = number(row.choices, "tone_hz") * 1.1
        return {
            "choices": {**row.choices, "tone_hz": hz},
            "measured": {**row.measured, "tone_hz": hz, "tone_judge_two_hz": hz},
        }

    found = sweep.audit(recipe.sketch, changed(tones, "timbre", astray))
    assert {f.name for f in found if f.verdict == "fail"} == {"tone_pitch_held", "tone_judge_two_held"}


def test_a_timbre_that_moves_in_the_pitch_sweep_trips(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    recipe, tones = swept
    found = sweep.audit(
        recipe.sketch, changed(tones, "pitch", lambda row: measured(row, timbre_breath_db=-30.0))
    )
    assert {f.name for f in found if f.verdict == "fail"} == {"sweep_timbre_held"}


def test_a_hole_in_the_pitches_trips(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    recipe, tones = swept
    pair = min(str(tone.attributes["pair"]) for tone in tones)
    inner = [f"{pair}-pitch-0{step}" for step in (3, 4)]
    one, two = ([t for t in tones if t.id not in inner[:missing]] for missing in (1, 2))
    assert verdict(recipe, one, "sweep_range").verdict == "pass"
    assert verdict(recipe, two, "sweep_range").verdict == "fail"
    narrow = [t for t in tones if t.choices["sweep"] == "timbre" or number(t.choices, "tone_hz") < 200]
    assert verdict(recipe, narrow, "sweep_range").verdict == "fail"


def test_a_timbre_that_comes_twice_trips(swept: tuple[Recipe, list[LedgerRow]]) -> None:
    recipe, tones = swept
    first = next(tone for tone in tones if tone.choices["sweep"] == "timbre")
    again = {k: v for k, v in first.measured.items() if k.startswith("timbre_")}
    found = verdict(
        recipe,
        changed(tones, "timbre", lambda row: {"measured": {**row.measured, **again}}, 2),
        "sweep_timbres",
    )
    assert found.verdict == "fail" and found.measured["offenders"] == 1


def test_nothing_to_sweep_is_said_in_a_line() -> None:
    recipe, rows = ledger()
    with pytest.raises(CurateError, match=r"^no held-out pairs to try tones on$"):
        planned(recipe, [row for row in rows if row.split == "train"])

    class Still(type(recipe)):  # type: ignore[misc]
        def sweep(self, pair: LedgerRow) -> object:
            return Recipe.sweep(self, pair)

    with pytest.raises(CurateError, match="offers no tones to sweep"):
        planned(Still(seed=recipe.seed), rows)
