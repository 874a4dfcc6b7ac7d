"""The audit of a set, derived from the sketch of its recipe: every claim becomes a finding.

Positivity comes first (can every source take every target?), then labels by their instruments, what must be constant
and disjoint, what the lot balanced (against fixed bounds, no p-values), what it never saw (inference against its own
re-draws), and what the reference may and may not tell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError
from curate.proof import invariants, quota, reference
from curate.proof.columns import all_columns
from curate.proof.finding import Finding
from curate.proof.inference import LEAST_PAIRS, REDRAWS, Family, hold_back, shuffles
from curate.proof.labels import errors_of, number_in
from curate.proof.sketch import Label, Sketch
from curate.proof.trial import Trial
from curate.records import LedgerRow, Split, reference_of, rng

Array = NDArray[np.float64]


def audit(sketch: Sketch, rows: Sequence[LedgerRow], seed: int) -> list[Finding]:
    """What the kept set of a whole ledger proves of its sketch."""
    trial = Trial(seed, sketch, rows) if sketch.lot else None
    kept = [row for row in rows if row.kept]
    absent = sketch.reference_labels if _bare(kept) else ()
    sides = [Side(sketch, split, rows, seed, trial) for split in sketch.splits]
    return [
        *(finding for side in sides for finding in side.reach()),
        *(_lot(trial, len(kept)) if trial else ()),
        *_counted(sketch, rows, kept),
        *(_no_reference(e.name, "all", kept) if e in absent else label(e, kept) for e in sketch.labels),
        *(invariants.one_value(k, [str(_value(row, k)) for row in kept], str(v)) for k, v in sketch.constant.items()),
        *((invariants.disjoint("groups", _identities(sketch, kept)),) if len(sketch.splits) > 1 else ()),
        *(finding for side in sides for finding in side.balance()),
        *hold_back([family for side in sides for family in side.families()]),
        *(finding for side in sides for finding in side.reference()),
        *(invariants.effect(k, [number_in(row.measured, k, row.id) for row in kept]) for k in sketch.effects),
    ]  # fmt: skip


def _bare(kept: Sequence[LedgerRow]) -> bool:
    """Whether a control took the references away."""
    return bool(kept) and all(reference_of(row) is None for row in kept)


def _no_reference(name: str, split: str, kept: Sequence[LedgerRow]) -> Finding:
    says = "the pairs have no reference"
    return Finding(name=name, split=split, verdict="not_applicable", says=says, pairs=len(kept))


def _value(row: LedgerRow, key: str) -> object:
    """A value of a row by its name: a field, a choice, a measured value or an attribute of the source."""
    for place in (row.choices, row.measured, row.attributes):
        if key in place:
            return place[key]
    if key not in LedgerRow.model_fields:
        raise CurateError(f"{row.id} has no {key!r}, which the sketch of its recipe names")
    return getattr(row, key)


def _identities(sketch: Sketch, kept: Sequence[LedgerRow]) -> Iterator[tuple[str, str | None, str]]:
    for row in kept:
        for key in sketch.disjoint:
            value = _value(row, key)
            for each in value if isinstance(value, tuple) else (value,):
                yield key, None if each is None else str(each), str(row.split)


def label(entry: Label, kept: Sequence[LedgerRow]) -> Finding:
    """Every instrument finds the label within its bound."""
    if entry.least is not None:
        found = [number_in(row.measured, key, row.id) for row in kept for key in entry.found]
        return invariants.at_least(entry.name, "all", found, entry.least, entry.unit)
    off = []
    for row in kept:
        wanted = entry.wanted
        if isinstance(wanted, str):
            wanted = number_in({wanted: _value(row, wanted)}, wanted, row.id)
        off += errors_of(entry, wanted, row.measured, row.id)
    return invariants.within(entry.name, "all", off, entry.bound, entry.unit)


def _lot(trial: Trial, pairs: int) -> Iterator[Finding]:
    yield invariants.band("band", trial.table.passed, trial.band, trial.lot.edges, trial.lot.unit)
    if trial.lot.drawn:
        offenders = trial.misassigned()
        yield invariants.nothing("assignment", offenders, "clips without exactly one pair", pairs)


def _counted(sketch: Sketch, rows: Sequence[LedgerRow], kept: Sequence[LedgerRow]) -> Iterator[Finding]:
    if sketch.quota:
        yield quota.finding(sketch.quota, kept)
        over = quota.passed_over(sketch.quota, rows)
        yield invariants.nothing("order", over, "candidates passed over for a later one", len(kept))
    if sketch.quota and sketch.quota.unlike:
        what, name = f"samples with the {sketch.quota.unlike} of another", f"same_{sketch.quota.unlike}"
        yield invariants.nothing(name, quota.alike(sketch.quota, kept), what, len(kept))
    if strays := [row.id for row in kept if row.split not in sketch.splits]:
        yield invariants.nothing("pairs", strays, "pairs on a side that the recipe has not", len(kept))
    for key, wanted in sketch.totals.items():
        yield quota.total(key, wanted, kept)
    for key, values in sketch.never.items():
        offenders = [row.id for row in kept if _value(row, key) in values]
        what = f"samples whose {key} is one of {len(values)} that none may have"
        yield invariants.nothing(f"never_{key}", offenders, what, len(kept))


def _no_pairs(split: Split) -> Finding:
    if split == "train":
        return Finding.judged("pairs", split, False, "no pairs to train on", 0, {"pairs": 0}, {"least": 1})
    return Finding.too_few("pairs", split, "no pairs on this side of the split", 0, 1)


@dataclass(frozen=True)
class Side:
    """What the sketch promises of one split by itself."""

    sketch: Sketch
    split: Split
    rows: Sequence[LedgerRow]
    seed: int
    trial: Trial | None

    @cached_property
    def kept(self) -> list[LedgerRow]:
        """Its pairs, by id."""
        return sorted(
            (row for row in self.rows if row.kept and row.split == self.split),
            key=lambda row: (str(row.clip), row.id),
        )

    @cached_property
    def target(self) -> Array:
        """The assigned value of each pair.  # (N,)"""
        key = str(self.sketch.assigned)
        return np.array([number_in(row.measured, key, row.id) for row in self.kept])

    def reach(self) -> Iterator[Finding]:
        """Whether there are pairs, whether every source could have had every target, and whether all were used."""
        if not self.kept:
            yield _no_pairs(self.split)
        if self.trial and (table := self.trial.sides[self.split]).clips:
            band, natural = self.trial.band, table.attribute(self.trial.lot.reaches_by)
            tried = table.passed[:, band.start : band.stop]
            yield invariants.positivity("positivity", self.split, natural, tried)
        if self.trial and self.kept:
            counts = [
                sum(row.choices["stratum"] == stratum for row in self.kept) for stratum in self.trial.band
            ]
            yield invariants.coverage("coverage", self.split, counts)

    def balance(self) -> Iterator[Finding]:
        """What the lot balanced."""
        if self.kept and self.sketch.balanced:
            columns = all_columns(self.sketch.balanced, [row.attributes for row in self.kept])
            groups = [str(row.group) for row in self.kept]
            yield invariants.balance("balance", self.split, columns, self.target, groups)

    def families(self) -> Iterator[Family]:
        """What the lot never saw: attributes of the source, and the parameters of the reference."""
        sketch, kept = self.sketch, self.kept
        if not kept or not (sketch.held_back or sketch.reference):
            return
        targets = self.targets()
        held = all_columns(sketch.held_back, [row.attributes for row in kept])
        if held:
            yield Family("independence", self.split, held, targets)
        if sketch.reference and not _bare(kept):
            drawn = all_columns(sketch.reference.parameters, [row.measured for row in kept])
            if drawn:
                yield Family("reference_parameters", self.split, drawn, targets, acquits=False)

    def targets(self) -> Array:
        """The targets as they are, and as the lot (or, where there was none, any order) could have had them.  # (1 + B, N)"""
        target = self.target
        if len(target) < LEAST_PAIRS:
            return target[None]
        redraws = self.trial.redraws(self.split, REDRAWS) if self.trial else None
        if redraws is None:
            redraws = shuffles(target, rng(self.seed, self.split, "shuffles"), REDRAWS)
        return np.vstack([target, redraws])

    def reference(self) -> Iterator[Finding]:
        """What the reference tells of the target, by scalars and by what resolves it."""
        if self.sketch.reference and _bare(self.kept):
            for name in ("reference_parameters", "reference_proxies", "reference_controls"):
                yield _no_reference(name, self.split, self.kept)
        elif self.sketch.reference and self.kept:
            measured = [row.measured for row in self.kept]
            yield reference.proxies(self.sketch.reference, self.split, measured, self.target)
            yield reference.controls(self.sketch.reference, self.split, measured, self.target)
