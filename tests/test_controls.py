"""Controls keep everything but the reference, fail what they must, and a build with them holds together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from curate import controls
from curate.errors import CurateError
from curate.proof import audit
from curate.proof.finding import Finding, problems
from curate.recipe import Recipe
from curate.records import REFERENCE_OF, Control, LedgerRow, number, reference_of
from tests.ledgers import finished, helium, pool


def ledger(clips: int, seed: int, name: str = "helium-v2") -> tuple[Recipe, list[LedgerRow]]:
    recipe = helium(name, seed=seed)
    return recipe, finished(recipe, pool(recipe, clips, seed))


def kept_of(rows: list[LedgerRow]) -> dict[str, LedgerRow]:
    return {row.id: row for row in rows if row.kept}


def verdicts(found: list[Finding]) -> dict[str, set[str]]:
    return {name: {f.verdict for f in found if f.name == name} for name in {f.name for f in found}}


@settings(max_examples=12, deadline=None)
@given(st.integers(20, 40), st.integers(0, 1000), st.sampled_from(controls.REARRANGED))
def test_a_control_keeps_everything_but_the_reference(clips: int, seed: int, control: Control) -> None:
    recipe, rows = ledger(clips, seed)
    reference = controls.reference_in(recipe)
    try:
        changed = controls.controlled(control, recipe, rows)
    except CurateError as why:
        sides = [sum(row.kept and row.split == split for row in rows) for split in ("train", "heldout")]
        assert 1 in sides or sum(sides) < 2, why
        return
    donors = kept_of(rows)
    for before, after in zip(rows, changed, strict=True):
        same = {k: v for k, v in before.measured.items() if not reference.owns(k)}
        assert {k: v for k, v in after.measured.items() if not reference.owns(k)} == same
        assert before.model_dump(exclude={"choices", "measured"}) == after.model_dump(
            exclude={"choices", "measured"}
        )
        if not after.kept:
            assert control == "caption-only" or after == before
            continue
        assert after.choices == {**before.choices, REFERENCE_OF: reference_of(after)}
        of_reference = {k: v for k, v in after.measured.items() if reference.owns(k)}
        donor = reference_of(after)
        wanted = {k: v for k, v in donors[donor].measured.items() if reference.owns(k)} if donor else {}
        assert of_reference == wanted
    assert controls.controlled(control, recipe, rows[::-1]) == changed[::-1]  # whatever the order


@settings(max_examples=12, deadline=None)
@given(st.integers(30, 50), st.integers(0, 1000))
def test_a_shuffle_stays_in_its_split_and_can_be_undone(clips: int, seed: int) -> None:
    recipe, rows = ledger(clips, seed)
    try:
        changed = kept_of(controls.controlled("shuffled-reference", recipe, rows))
    except CurateError:
        return
    assert sorted(str(reference_of(row)) for row in changed.values()) == sorted(changed)
    for name, row in changed.items():
        donor = reference_of(row)
        assert donor != name and donor is not None and changed[donor].split == row.split
    back = controls.given_back(
        controls.reference_in(recipe), controls.controlled("shuffled-reference", recipe, rows)
    )
    assert back == rows


def test_the_constant_reference_is_that_of_the_median_training_pair() -> None:
    recipe, rows = ledger(40, 3)
    (donor,) = {
        reference_of(row) for row in kept_of(controls.controlled("constant-reference", recipe, rows)).values()
    }
    train = sorted(number(row.measured, "pitch_oct") for row in rows if row.kept and row.split == "train")
    of_donor = number(kept_of(rows)[str(donor)].measured, "pitch_oct")
    assert of_donor == train[(len(train) - 1) // 2]
    level = [
        row.model_copy(update={"measured": {**row.measured, "pitch_oct": 7.0}}) if row.kept else row
        for row in rows
    ]
    ids = sorted(row.id for row in level if row.kept and row.split == "train")
    assert (
        controls.median_pair([row for row in level if row.kept], "pitch_oct") == ids[(len(ids) - 1) // 2]
    )  # ties by id


def test_too_few_pairs_are_named_in_one_line() -> None:
    recipe, rows = ledger(40, 3)
    heldout = [row.id for row in rows if row.kept and row.split == "heldout"]
    train = [row.id for row in rows if row.kept and row.split == "train"]

    def only(*names: str) -> list[LedgerRow]:
        return [row for row in rows if row.id in names]

    with pytest.raises(CurateError, match=r"^one pair on the heldout side, .* cannot be shuffled$"):
        controls.controlled("shuffled-reference", recipe, only(*train, heldout[0]))
    with pytest.raises(CurateError, match="no pairs on the train side"):
        controls.controlled("constant-reference", recipe, only(*heldout))
    for control in controls.REARRANGED:
        with pytest.raises(CurateError, match=r"^1 pairs, wanted two or more$"):
            controls.controlled(control, recipe, only(train[0]))


@pytest.fixture(scope="module")
def large() -> tuple[Recipe, list[LedgerRow]]:
    """Large enough for what tells the target from the reference."""
    recipe = helium(least_eligible_share=0.2)
    return recipe, finished(recipe, pool(recipe, 135, seed=2, max_shift_st=30))


@pytest.fixture(scope="module")
def judged(large: tuple[Recipe, list[LedgerRow]]) -> dict[Control | None, list[Finding]]:
    """What the audit finds in the set and in each control. With few re-draws: no p-value matters here."""
    recipe, rows = large
    ledgers: dict[Control | None, list[LedgerRow]] = {
        control: controls.controlled(control, recipe, rows) for control in controls.REARRANGED
    }
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setattr(audit, "REDRAWS", 119)
        return {
            control: controls.findings(control, recipe, changed)
            for control, changed in {None: rows, **ledgers}.items()
        }


def test_each_control_fails_what_it_must_and_nothing_else(
    large: tuple[Recipe, list[LedgerRow]], judged: dict[Control | None, list[Finding]]
) -> None:
    recipe, _ = large
    must: dict[Control, set[str]] = {
        "shuffled-reference": {"tone_pitch", "tone_judge_two", "reference_controls"},
        "constant-reference": {"tone_pitch", "tone_judge_two", "reference_controls"},
        "caption-only": set(),
    }
    assert not problems(judged[None], recipe.expected_failures)
    for control, names in must.items():
        assert controls.expected(control, recipe) == names
        assert {f.name for f in judged[control] if f.verdict == "fail"} == names
        assert not problems(judged[control], names)
        assert len(problems(judged[control], ())) >= len(names)  # they are failures of a set


def test_what_does_not_look_at_the_reference_is_the_same_finding(
    judged: dict[Control | None, list[Finding]],
) -> None:
    of_reference = ("tone_", "reference", "independence")  # the last: one max-T matrix holds both families
    for control in controls.REARRANGED:
        for found in judged[control]:
            if not found.name.startswith(of_reference):
                assert found in judged[None], (control, found.name)


def test_a_constant_reference_tells_nothing_and_none_is_not_applicable(
    judged: dict[Control | None, list[Finding]],
) -> None:
    for found in judged["constant-reference"]:
        if found.name.startswith("reference_") and found.split == "train":
            assert found.verdict == ("fail" if found.name == "reference_controls" else "constant"), found
    for found in judged["caption-only"]:
        if found.name.startswith(("reference_", "tone_")):
            assert found.verdict == "not_applicable" and found.says == "the pairs have no reference"
    assert judged["caption-only"][0].name == "references" and judged["caption-only"][0].verdict == "pass"


def test_a_control_that_passes_what_it_must_fail_is_named() -> None:
    recipe, rows = ledger(40, 3)
    alike = {"pitch_hz": 150.0, "tone_hz": 150.0, "tone_judge_two_hz": 150.0}
    flat = [
        row.model_copy(update={"measured": {**row.measured, **alike}}) if row.kept else row for row in rows
    ]
    for control in ("shuffled-reference", "constant-reference"):
        found = controls.findings(control, recipe, controls.controlled(control, recipe, flat))
        against = problems(found, controls.expected(control, recipe))
        assert sum("passed, although this recipe is a control that must fail it" in line for line in against) == 2  # fmt: skip


def test_the_finding_of_references_trips() -> None:
    recipe, rows = ledger(40, 3)
    for control in controls.REARRANGED:
        changed = controls.controlled(control, recipe, rows)
        assert controls.references(control, recipe, changed).verdict == "pass"
        assert controls.references(control, recipe, rows).verdict == "fail"  # every pair with its own
        place, row = next((i, row) for i, row in enumerate(changed) if row.kept)
        other = next(
            name for name in kept_of(rows) if name not in (reference_of(row), row.choices[REFERENCE_OF])
        )
        changed[place] = row.model_copy(update={"choices": {**row.choices, REFERENCE_OF: other}})
        found = controls.references(control, recipe, changed)
        assert found.verdict == "fail" and found.says.endswith(f"first {row.id}")
    bare = controls.controlled("caption-only", recipe, rows)
    place, row = next((i, row) for i, row in enumerate(bare) if row.kept)
    bare[place] = row.model_copy(update={"measured": {**row.measured, "tone_hz": 100.0}})
    assert controls.references("caption-only", recipe, bare).verdict == "fail"


def test_the_failures_of_the_recipe_stay_expected() -> None:
    recipe = helium("helium-v1")
    assert controls.expected("shuffled-reference", recipe) > recipe.expected_failures
    assert controls.expected("caption-only", recipe) == recipe.expected_failures
    assert controls.expected("sweep", recipe) == frozenset()


# Real builds
