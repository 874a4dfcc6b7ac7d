"""The audit of a set, from nothing but the sketch of its recipe: two toys get theirs, and each claim trips."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import ClassVar

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from curate.errors import CurateError, Rejected
from curate.ledger import made_rows, selected
from curate.proof import audit
from curate.proof.finding import Finding, problems
from curate.proof.sketch import Label, Lot, Sketch
from curate.recipe import Example, Recipe
from curate.records import Clip, LedgerRow, Sample, Values, number, rng
from curate.split import sides


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As in a build. Many small products on several threads each take a hundred times as long."""
    with threadpool_limits(1):
        yield


class Mirrors(Recipe):
    """Streets in a mirror at some angle, which two instruments find again. Nothing is assigned by lot."""

    name: ClassVar[str] = "mirrors"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "text_to_video"
    summary: ClassVar[str] = "a toy without a lot"

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample]:
        side_of = sides([clip.labels["film"] for clip in clips], self.seed, 0.3)
        for clip in clips:
            film, angle_deg = clip.labels["film"], rng(self.seed, clip.id).uniform(5, 85)
            yield Sample(
                id=clip.id, group=film, split=side_of[film], caption="a street in a mirror", clips=(clip,),
                choices={"angle_deg": angle_deg}, attributes={"film": film},
            )  # fmt: skip

    def make(self, sample: Sample) -> Example:
        draw, angle_deg = rng(self.seed, sample.id, "make"), number(sample.choices, "angle_deg")
        return Example({f"{by}_deg": angle_deg + draw.uniform(-0.5, 0.5) for by in ("edges", "flow")})

    @property
    def sketch(self) -> Sketch:
        angle = Label(name="angle", found=("edges_deg", "flow_deg"), wanted="angle_deg", unit="deg", bound=1)
        return Sketch(
            labels=(angle,),
            constant={"caption": "a street in a mirror"},
            disjoint=("group", "film", "sources"),
        )


class Lamps(Recipe):
    """Every room could be lit at each of six levels, if it is not too large for them; a lot says at which it is."""

    name: ClassVar[str] = "lamps"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "text_to_video"
    summary: ClassVar[str] = "a toy with a lot"

    largest_m: float = 20.0
    whole_range: bool = False

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample]:
        side_of = sides([clip.id for clip in clips], self.seed, 0.2)
        for clip in clips:
            draw = rng(self.seed, clip.id)
            room: Values = {
                "size_m": draw.uniform(2, 10), "age": draw.normal(), "windows": draw.normal(),
                "picture": draw.normal(size=6).tolist(),
            }  # fmt: skip
            for level in range(6):
                choices = {"stratum": level, "asked": level + draw.uniform()}
                yield Sample(
                    id=f"{clip.id}-{level}", group=clip.id, split=side_of[clip.id], caption="", clips=(clip,),
                    choices=choices, attributes=room,
                )  # fmt: skip

    def make(self, sample: Sample) -> Example:
        asked, size_m = number(sample.choices, "asked"), number(sample.attributes, "size_m")
        if asked * size_m > 6 * self.largest_m:
            raise Rejected("too_dark", f"{size_m:.1f} m at {asked:.1f}")
        return Example({"level": asked, "glare": asked * size_m})

    @property
    def sketch(self) -> Sketch:
        return Sketch(
            assigned="level",
            lot=Lot(
                edges=tuple(map(float, range(7))), unit="lx", least_eligible_share=0.6, reaches_by="size_m",
                whole_range=self.whole_range,
            ),
            labels=(Label(name="level", found=("level",), wanted="asked", unit="lx", bound=0.1),),
            balanced=("size_m", "age"), held_back=("windows", "picture"), effects=("glare",),
        )  # fmt: skip


def clips_of(count: int) -> list[Clip]:
    return [
        Clip(
            id=f"{n:016x}", name=f"{n}.mp4", sha256=f"{n:064x}", seconds=5, width=64, height=64, fps=25,
            sample_rate_hz=None, labels={"film": f"film {n // 2}"},
        )
        for n in range(count)
    ]  # fmt: skip


@cache
def made_ledger(recipe: Recipe, count: int) -> list[LedgerRow]:
    """As a build leaves it, of clips without any media."""
    samples = [sample for sample in recipe.plan(clips_of(count)) if isinstance(sample, Sample)]
    records = dict[str, dict[str, object]]()
    for sample in samples:
        try:
            records[sample.id] = {"measured": recipe.make(sample).measured}
        except Rejected as why:
            records[sample.id] = {"rejected": {"reason": why.reason, "detail": why.detail}}
    rows = made_rows(samples, records)
    return selected(rows, recipe.select(rows))


def verdicts(findings: Sequence[Finding]) -> dict[tuple[str, str], str]:
    return {(f.name, f.split): f.verdict for f in findings}


def failures(findings: Sequence[Finding]) -> set[str]:
    return {f.name for f in findings if f.verdict == "fail"}


def changed(
    rows: Sequence[LedgerRow], change: Callable[[LedgerRow, LedgerRow], dict[str, object]]
) -> list[LedgerRow]:
    """The first kept row made different; the change is told one of the other side, too."""
    first = next(row for row in rows if row.kept)
    other = next(row for row in rows if row.kept and row.split != first.split)
    return [row.model_copy(update=change(row, other)) if row.id == first.id else row for row in rows]


def by_measured(**values: float) -> Callable[[LedgerRow, LedgerRow], dict[str, object]]:
    return lambda row, other: {"measured": {**row.measured, **values}}


# --- a recipe without a lot


def test_a_recipe_without_a_lot_is_audited_by_what_its_sketch_says_and_by_nothing_else() -> None:
    recipe = Mirrors()
    rows = made_ledger(recipe, 20)
    findings = recipe.audit(rows)
    assert verdicts(findings) == {(n, "all"): "pass" for n in ("angle", "caption", "groups")}
    assert all(row.kept for row in rows) and problems(findings, recipe.expected_failures) == []


MIRROR_FAULTS: dict[str, tuple[str, Callable[[LedgerRow, LedgerRow], dict[str, object]]]] = {
    "the first instrument": ("angle", by_measured(edges_deg=2.0)),
    "the second instrument": ("angle", by_measured(flow_deg=2.0)),
    "the caption": ("caption", lambda row, other: {"caption": "a street"}),
    "the film": ("groups", lambda row, other: {"attributes": other.attributes}),
    "the group": ("groups", lambda row, other: {"group": other.group}),
    "the file": ("groups", lambda row, other: {"sources": other.sources}),
}


@pytest.mark.parametrize("fault", MIRROR_FAULTS)
def test_each_claim_of_it_trips_by_itself(fault: str) -> None:
    name, change = MIRROR_FAULTS[fault]
    recipe = Mirrors()
    assert failures(recipe.audit(changed(made_ledger(recipe, 20), change))) == {name}


def test_a_set_without_training_pairs_does_not_stand_and_one_without_held_out_ones_does() -> None:
    recipe = Mirrors()
    rows = made_ledger(recipe, 20)
    for split, verdict in (("train", "fail"), ("heldout", "not_testable")):
        left = [row for row in rows if row.split != split]
        assert verdicts(recipe.audit(left))["pairs", split] == verdict


# --- a recipe with a lot


def test_a_recipe_with_a_lot_is_proven_from_its_sketch() -> None:
    recipe = Lamps()
    findings = recipe.audit(made_ledger(recipe, 480))
    found = verdicts(findings)
    assert problems(findings, recipe.expected_failures) == []
    proven = ("positivity", "coverage", "balance", "independence")
    assert [found[name, "train"] for name in proven] == ["pass"] * 4
    assert [found[name, "all"] for name in ("band", "assignment", "level", "groups")] == ["pass"] * 4
    assert found["glare", "all"] == "not_applicable"
    assert found["independence", "heldout"] == "not_testable"
    assert len(findings) == 13  # four by each side, four of all, and an effect


def test_a_few_pairs_of_it_stand_unproven() -> None:
    recipe = Lamps()
    findings = recipe.audit(made_ledger(recipe, 8))
    assert problems(findings, recipe.expected_failures) == []
    found = verdicts(findings)
    for name in ("positivity", "coverage", "balance", "independence"):
        assert found[name, "train"] == "not_testable"


def test_a_range_that_large_rooms_cannot_have_is_not_drawn_from_or_positivity_trips() -> None:
    recipe = Lamps(largest_m=5.5)
    rows = made_ledger(recipe, 100)
    assert {row.reason for row in rows} == {None, "too_dark", "outside_band", "not_assigned", "not_eligible"}
    assert failures(recipe.audit(rows)) == set()
    whole = Lamps(largest_m=4.0, whole_range=True)
    assert failures(whole.audit(made_ledger(whole, 100))) == {"positivity"}


def test_the_audit_is_the_same_whatever_the_order_of_rows() -> None:
    recipe = Lamps()
    rows = made_ledger(recipe, 40)
    order = np.random.default_rng(0).permutation(len(rows))
    assert recipe.audit([rows[i] for i in order]) == recipe.audit(rows)


def test_a_pair_dropped_after_the_lot_is_missed() -> None:
    recipe = Lamps()
    rows = changed(made_ledger(recipe, 40), lambda row, other: {"kept": False, "reason": "ugly"})
    assert "assignment" in failures(recipe.audit(rows))


# --- labels


def rows_of(*measured: Values) -> list[LedgerRow]:
    return [
        LedgerRow(
            id=f"{n:04d}", name="", group=f"g{n}", split="train", choices={"asked_hz": 200.0}, measured=m, kept=True
        )
        for n, m in enumerate(measured)
    ]  # fmt: skip


def in_cents(wanted: str | float = "asked_hz", bound: float = 50) -> Label:
    return Label(name="pitch", found=("one_hz", "two_hz"), wanted=wanted, unit="cents", bound=bound)


def test_cents_are_a_ratio_and_other_units_a_difference() -> None:
    rows = rows_of({"one_hz": 200.0, "two_hz": 200 * 2 ** (40 / 1200)}, {"one_hz": 195.0, "two_hz": 200.0})
    found = audit.label(in_cents(), rows)
    assert found.verdict == "pass" and found.pairs == 4  # every instrument of every pair
    assert found.measured["largest"] == pytest.approx(43.83, abs=0.01)  # 1200 log2(200 / 195)
    other = Label(name="pitch", found=("one_hz",), wanted=200, unit="Hz", bound=4)
    found = audit.label(other, rows)
    assert found.verdict == "fail" and found.measured == {"largest": 5.0, "beyond": 1}


@pytest.mark.parametrize("which", ["one_hz", "two_hz"])
@pytest.mark.parametrize("off", [-51, 51])
def test_either_instrument_trips_a_label_to_either_side(which: str, off: float) -> None:
    rows = rows_of({"one_hz": 200.0, "two_hz": 200.0} | {which: 200 * 2 ** (off / 1200)})
    assert audit.label(in_cents(), rows).verdict == "fail"
    assert audit.label(in_cents(bound=52), rows).verdict == "pass"


def test_what_is_wanted_is_a_number_a_choice_or_another_measured_value() -> None:
    rows = rows_of({"one_hz": 100.0, "two_hz": 100.0, "third_hz": 100.0})
    assert audit.label(in_cents("third_hz"), rows).verdict == "pass"
    assert audit.label(in_cents(100.0), rows).verdict == "pass"
    assert audit.label(in_cents(), rows).verdict == "fail"  # an octave below what was asked


@pytest.mark.parametrize("wanted", ["asked_hz", "nobody_hz"])
def test_a_value_that_is_missing_is_named(wanted: str) -> None:
    missing = "two_hz" if wanted == "asked_hz" else wanted
    with pytest.raises(CurateError, match=missing):
        audit.label(in_cents(wanted), rows_of({"one_hz": 200.0}))


def test_a_measured_value_that_is_none_is_not_taken_for_a_number() -> None:
    with pytest.raises(CurateError, match="names two_hz, which is None, wanted a number"):
        audit.label(in_cents(), rows_of({"one_hz": 200.0, "two_hz": None}))


def test_what_is_found_is_measured_never_the_choice_of_the_same_name() -> None:
    (row,) = rows_of({"one_hz": 150.0, "two_hz": 150.0})
    asked = row.model_copy(update={"choices": {"asked_hz": 200.0, "one_hz": 200.0, "two_hz": 200.0}})
    assert audit.label(in_cents(), [asked]).verdict == "fail"


def test_a_word_of_the_source_is_held_back_too() -> None:
    draw = np.random.default_rng(1)
    doses = draw.uniform(size=80)
    rows = [
        row.model_copy(update={"attributes": {"film": "bright" if d > 0.5 else "dark"}})
        for row, d in zip(rows_of(*({"dose": float(d)} for d in doses)), doses, strict=True)
    ]
    (found,) = [
        f
        for f in audit.audit(Sketch(assigned="dose", held_back=("film",)), rows, 0)
        if f.name == "independence"
    ]
    assert found.verdict == "fail" and "p_film bright" in found.measured


def test_cents_of_nothing_are_refused_by_name() -> None:
    with pytest.raises(CurateError, match="wanted both above 0"):
        audit.label(in_cents(), rows_of({"one_hz": 200.0, "two_hz": 0.0}))
