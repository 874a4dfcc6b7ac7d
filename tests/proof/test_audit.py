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
from curate.proof.sketch import Label, Lot, Reference, Sketch
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


def test_a_name_that_no_row_has_is_refused_not_taken_for_a_constant() -> None:
    typo = Sketch(assigned="dose", held_back=("pictur",))
    with pytest.raises(CurateError, match="names pictur, which 40 of 40 pairs do not have"):
        audit.audit(typo, pictured(np.ones((40, 3))), 0)


@pytest.mark.parametrize("value", [1e308, 1e101])
def test_numbers_that_no_square_can_hold_are_refused(value: float) -> None:
    pictures = np.random.default_rng(0).choice([-value, value], (40, 3))
    with pytest.raises(CurateError, match="picture, whose lists are empty or hold numbers beyond"):
        audit.audit(PICTURED, pictured(pictures), 0)


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


# --- embeddings

PICTURED = Sketch(assigned="dose", held_back=("picture",))


def pictured(pictures: np.ndarray, doses: np.ndarray | None = None) -> list[LedgerRow]:
    doses = np.random.default_rng(5).uniform(size=len(pictures)) if doses is None else doses
    return [
        row.model_copy(update={"attributes": {"picture": list(map(float, picture))}})
        for row, picture in zip(rows_of(*({"dose": float(d)} for d in doses)), pictures, strict=True)
    ]


def axes(pictures: np.ndarray) -> dict[str, np.ndarray]:
    (family,) = audit.Side(PICTURED, "train", pictured(pictures), 0, None).families()
    return dict(family.columns)


def scattered(pairs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(pairs, 5)) * [9, 4, 1, 0.5, 0.1]


def test_an_embedding_stands_for_its_two_widest_directions() -> None:
    pictures = scattered(300)
    found = axes(pictures + 100)
    assert found.keys() == {"picture_1", "picture_2"}
    for place, axis in enumerate(found.values()):
        assert abs(np.corrcoef(axis, pictures[:, place])[0, 1]) > 0.99
        assert axis.std() == pytest.approx(pictures[:, place].std(), rel=0.02)


def test_axes_have_a_sign_of_their_own_and_follow_their_pairs() -> None:
    pictures, order = scattered(40), np.random.default_rng(1).permutation(40)
    one, turned, moved = axes(pictures), axes(-pictures), axes(pictures[order])
    for name, axis in one.items():
        assert axis[np.abs(axis).argmax()] > 0
        assert np.allclose(axis, turned[name]) and np.allclose(axis[order], moved[name])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_confound_on_one_axis_of_a_picture_alone_is_found(axis: int) -> None:
    pictures = scattered(60)
    doses = pictures[:, axis] / pictures[:, axis].std() + np.random.default_rng(2).normal(size=60)
    findings = {f.name: f for f in audit.audit(PICTURED, pictured(pictures, doses), 0)}
    assert findings["independence"].verdict == "fail"
    assert f"picture_{axis + 1}" in findings["independence"].says


@pytest.mark.parametrize("value", [0.0, 0.1, 255.0])
def test_pictures_that_are_all_the_same_are_constant(value: float) -> None:
    findings = {f.name: f for f in audit.audit(PICTURED, pictured(np.full((40, 5), value)), 0)}
    assert findings["independence"].verdict == "constant"


def test_pictures_that_differ_in_one_way_only_have_one_axis_that_counts() -> None:
    pictures = np.outer(np.random.default_rng(0).normal(size=40), [1.0, 2, 3, 4, 5])
    findings = {f.name: f for f in audit.audit(PICTURED, pictured(pictures), 0)}
    held = {k for k in findings["independence"].measured if k.startswith("p_")}
    assert held == {"p_picture_1"}


# --- what the reference tells

REFERENCE = Reference(
    parameters=(), proxies=("rms", "lufs"), controls=("mel",), most_r=0.2, most_told=0.35, least_told=0.8
)


def noisy(pairs: int) -> tuple[np.ndarray, list[Values], np.ndarray]:
    draw = np.random.default_rng(3)
    target = draw.uniform(size=pairs)
    mel = np.exp(-((np.linspace(0, 1, 12) - target[:, None]) ** 2) * 9)
    rows: list[Values] = [
        {"rms": float(a), "lufs": float(b), "mel": m.tolist()}
        for a, b, m in zip(draw.normal(size=pairs), draw.normal(size=pairs), mel, strict=True)
    ]
    return target, rows, draw.normal(size=pairs)


def test_parameters_of_the_reference_are_tested_beside_what_was_held_back() -> None:
    target, rows, _ = noisy(160)
    drawn = Sketch(assigned="dose", reference=REFERENCE.model_copy(update={"parameters": ("breath",)}))
    for breath, verdict in ((target, "fail"), (np.random.default_rng(0).normal(size=160), "pass")):
        measured = [
            {**row, "dose": float(t), "breath": float(b)}
            for row, t, b in zip(rows, target, breath, strict=True)
        ]
        found = verdicts(audit.audit(drawn, rows_of(*measured), 0))
        assert found["reference_parameters", "train"] == verdict
