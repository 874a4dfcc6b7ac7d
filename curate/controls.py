"""Controls: the same pairs, targets and split as a set, with another reference or none, and what each must fail.

What a LoRA learns from the set and not from its controls, it learned from the reference. Only who has whose reference
changes, so nothing is rendered or encoded again, and each control goes through the audit of the set itself.
"""

from collections.abc import Mapping, Sequence

from curate import sweep
from curate.errors import CurateError
from curate.proof import invariants
from curate.proof.finding import Finding
from curate.proof.sketch import Reference, Sketch
from curate.recipe import Recipe
from curate.records import REFERENCE_OF, SPLITS, Control, LedgerRow, Sample, number, reference_of, rng
from curate.split import derangement

REARRANGED: tuple[Control, ...] = ("shuffled-reference", "constant-reference", "caption-only")
CONTROLS: tuple[Control, ...] = (*REARRANGED, "sweep")


def controlled(control: Control, recipe: Recipe, rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The ledger of a set as that of its control: kept pairs have the reference that the control gives them.

    Raises CurateError with the reason where the set has too few pairs for it.
    """
    donors = given(control, recipe.sketch, rows, recipe.seed)
    return with_references(reference_in(recipe), rows, donors)


def reference_in(recipe: Recipe) -> Reference:
    """What the recipe says of its reference. Raises CurateError where it has none: then it has no controls."""
    if recipe.sketch.reference is None:
        own = "; its own controls are --set control=" if "control" in type(recipe).model_fields else ""
        raise CurateError(
            f"{recipe.name} has no reference in its sketch, so there is nothing to control for{own}"
        )
    return recipe.sketch.reference


def given(control: Control, sketch: Sketch, rows: Sequence[LedgerRow], seed: int) -> dict[str, str | None]:
    """For every kept pair the id of the pair whose reference it gets, None for no reference."""
    kept = [row for row in rows if row.kept]
    if len(kept) < 2:
        raise CurateError(f"{len(kept)} pairs, wanted two or more")
    if control == "caption-only":
        return {row.id: None for row in kept}
    if control == "constant-reference":
        return {row.id: median_pair(kept, str(sketch.assigned)) for row in kept}
    donors = dict[str, str | None]()
    for split in SPLITS:
        ids = sorted(row.id for row in kept if row.split == split)
        if len(ids) == 1:
            raise CurateError(f"one pair on the {split} side, and one reference cannot be shuffled")
        order = derangement(len(ids), rng(seed, split, "shuffled reference"))
        donors |= {name: ids[place] for name, place in zip(ids, order, strict=True)}
    return donors


def median_pair(kept: Sequence[LedgerRow], assigned: str) -> str:
    """Id of the training pair at the median of what was assigned, the lower of two; the first id on ties."""
    train = sorted((number(row.measured, assigned), row.id) for row in kept if row.split == "train")
    if not train:
        raise CurateError("no pairs on the train side to take the reference from")
    return train[(len(train) - 1) // 2][1]


def with_references(
    reference: Reference, rows: Sequence[LedgerRow], donors: Mapping[str, str | None]
) -> list[LedgerRow]:
    """The rows in which kept pairs have the reference of their donor: its measured values, and the choice that says so.

    Without references at all the candidates that were not kept lose theirs too.
    """
    measured = {row.id: row.measured for row in rows}
    bare = not any(donors.values())
    changed = []
    for row in rows:
        own = {key: value for key, value in row.measured.items() if not reference.owns(key)}
        if row.id in donors:
            theirs = measured.get(str(donors[row.id]), {})
            own |= {key: value for key, value in theirs.items() if reference.owns(key)}
            choices = {**row.choices, REFERENCE_OF: donors[row.id]}
            row = row.model_copy(update={"choices": choices, "measured": own})
        elif bare:
            row = row.model_copy(update={"measured": own})
        changed.append(row)
    return changed


def given_back(reference: Reference, rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The ledger of the set that a shuffled control was made of: every reference with its own pair again."""
    donors = {row.id: reference_of(row) for row in rows if row.kept}
    back = with_references(reference, rows, {str(donor): name for name, donor in donors.items()})
    return [
        row.model_copy(update={"choices": {k: v for k, v in row.choices.items() if k != REFERENCE_OF}})
        for row in back
    ]


def planned(samples: Sequence[Sample], rows: Sequence[LedgerRow]) -> list[Sample]:
    """The plan of a set as that of its control."""
    choices = {row.id: row.choices for row in rows}
    return [sample.model_copy(update={"choices": choices[sample.id]}) for sample in samples]


def as_made(sample: Sample) -> Sample:
    """The sample as the set made it, whatever a control chose."""
    choices = {key: value for key, value in sample.choices.items() if key != REFERENCE_OF}
    return sample.model_copy(update={"choices": choices})


def fates(control: Control | None, recipe: Recipe, rows: Sequence[LedgerRow]) -> dict[str, str | None]:
    """What the selection says of every made candidate: of a set and its controls the recipe's, of a sweep all."""
    return {row.id: None for row in rows if row.made} if control == "sweep" else recipe.select(rows)


def findings(control: Control | None, recipe: Recipe, rows: Sequence[LedgerRow]) -> list[Finding]:
    """The audit of a set, or of one of its controls."""
    if control is None:
        return recipe.audit(rows)
    if control == "sweep":
        return sweep.audit(recipe.sketch, rows)
    given_right = references(control, recipe, rows)
    if given_right.verdict == "fail":  # these rows are no such control: nothing else can be said of it
        return [given_right]
    return [given_right, *recipe.audit(rows)]


def references(control: Control, recipe: Recipe, rows: Sequence[LedgerRow]) -> Finding:
    """Every pair has the reference that the control gives it, and with none nothing is measured of one."""
    owns = reference_in(recipe).owns
    donors = given(control, recipe.sketch, rows, recipe.seed)
    odd = [
        row.id
        for row in rows
        if row.id in donors
        and (row.choices.get(REFERENCE_OF, "its own") != donors[row.id] or any(map(owns, row.measured)) == (donors[row.id] is None))
    ]  # fmt: skip
    return invariants.nothing(
        "references", odd, f"pairs whose reference is not that of {control}", len(donors)
    )


def expected(control: Control | None, recipe: Recipe) -> frozenset[str]:
    """The findings that a set or a control of it must fail."""
    if control is None:
        return recipe.must_fail()
    if control == "sweep":
        return frozenset()
    labels = {label.name for label in recipe.sketch.reference_labels}
    own = {
        "shuffled-reference": labels | {"reference_controls"},
        "constant-reference": labels | {"reference_controls"},
        "caption-only": set[str](),
    }
    return recipe.must_fail() | own[control]


def latents(control: Control | None, names: Sequence[str]) -> list[str]:
    """Which of a recipe's latents the samples of a set or of a control hold."""
    if control == "caption-only":
        return [name for name in names if not name.startswith("reference_")]
    if control == "sweep":
        return [name for name in names if name.startswith("reference_")]
    return list(names)
