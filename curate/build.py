"""From clips to a finished set: list, annotate, plan, make, select, audit, encode, pack; the manifest comes last.

The set is put together beside its place and moved there when it is whole (see `place`), so a build that fails, or is
killed, leaves the set that was there before as it was. Its controls are sets of their own, built when it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from curate import controls, sweep
from curate.engine import Engine
from curate.errors import CurateError
from curate.finish import Built, Judged, finish
from curate.ledger import drop_rows, made_rows, selected
from curate.manifest import MANIFEST, load_build
from curate.pipeline import Pipeline, Request
from curate.place import Place
from curate.progress import Reporter
from curate.proof.finding import Finding
from curate.recipe import Recipe, blamed
from curate.records import Control, Drop, LedgerRow, Sample
from curate.sources.listing import Listing
from curate.stages import stack_of

if TYPE_CHECKING:
    from curate.encode.stack import Stack


def build(
    request: Request,
    out: Path,
    engine: Engine,
    reporter: Reporter,
    *,
    encode: bool = True,
    allow: frozenset[str] = frozenset(),
    with_controls: bool = False,
) -> Built:
    """Make the set of `request` in `out`, and its controls in `out` with their names behind it.

    Raises AuditError when the findings are not those the recipe declares (the ledger and the audit are then in
    `out` with `.failed` behind its name), and CurateError for bad input.
    """
    pipeline, place = Pipeline(request, engine, reporter), Place(out)
    beside = _beside(pipeline.recipe, place) if with_controls else {}
    stack = (
        _stack(request, reporter) if encode else None
    )  # first: a model that cannot be had should cost no work
    with place.draft() as draft:
        listing, samples, drops = pipeline.planned()
        rows, found = _judged(
            pipeline.recipe, made_rows(samples, pipeline.made(samples, drops, allow)), drops, reporter
        )
        _nothing_lost(pipeline.recipe, rows, listing)
        judged = Judged(samples, rows, found, listing.card, listing.card.files, allow=allow)
        built = replace(finish(judged, pipeline, stack, place, draft), folder=out, drops=drops)
    built = _Controls(pipeline, stack, judged, built).beside(beside)
    return replace(built, left_out=[*built.left_out, *_stale(out, built.manifest.content_id)])


def _judged(
    recipe: Recipe, made: Sequence[LedgerRow], drops: Sequence[Drop], reporter: Reporter
) -> tuple[list[LedgerRow], list[Finding]]:
    """The ledger after selection, and what the audit finds in it."""
    with (
        threadpool_limits(1),
        reporter.step("audit"),
    ):  # sums over threads differ in the last bit, and lots hang on it
        with blamed(recipe, "select"):
            fates = recipe.select(made)
        rows = sorted([*selected(made, fates), *drop_rows(drops)], key=lambda row: row.id)
        with blamed(recipe, "audit"):
            return rows, recipe.audit(rows)


def _nothing_lost(recipe: Recipe, rows: Sequence[LedgerRow], listing: Listing) -> None:
    """Proof that no file of the source was lost on the way."""
    names = {*(clip.name for clip in listing.clips), *(drop.name for drop in listing.drops)}
    if lost := sorted(names - {row.name for row in rows}):
        raise CurateError(f"{recipe.name} lost {lost[0]}: its plan gave neither a sample nor a drop for it")


def _stack(request: Request, reporter: Reporter) -> "Stack":
    if request.model != "tiny":
        reporter.note(f"model: looking for {request.model} (a Hub id is downloaded)")
    stack: Stack = stack_of(request.model, str(request.cache))  # the one that encodes in this process
    return stack


def _beside(recipe: Recipe, place: Place) -> dict[Control, Place]:
    """Where the controls go. Raises CurateError, before any work, where they cannot be made or put."""
    controls.reference_in(recipe)
    beside = {name: Place(place.out.with_name(f"{place.out.name}.{name}")) for name in controls.CONTROLS}
    for name, theirs in beside.items():
        if (theirs.out / MANIFEST).is_file() and load_build(theirs.out).control != name:
            raise CurateError(f"{theirs.out}: holds a set that is no {name} control; move it away")
    return beside


def _stale(out: Path, content_id: str) -> list[str]:
    """Controls beside a set that are of another one."""
    beside = {name: out.with_name(f"{out.name}.{name}") for name in controls.CONTROLS}
    found = {name: load_build(path) for name, path in beside.items() if (path / MANIFEST).is_file()}
    return [
        f"{beside[name].name}: of an earlier set; remove it, or build --with-controls"
        for name, theirs in found.items()
        if theirs.control == name and theirs.control_of != content_id
    ]


@dataclass(frozen=True)
class _Controls:
    """The controls of a set that stands."""

    pipeline: Pipeline
    stack: "Stack | None"
    judged: Judged
    built: Built

    def beside(self, places: Mapping[Control, Place]) -> Built:
        """The set with the controls that it has pairs enough for."""
        made, left_out = list[Built](), list[str]()
        for control, place in places.items():
            try:
                samples, rows = self.planned(control)
            except CurateError as why:
                left_out.append(f"{control}: not built: {why}")
                continue
            with place.draft() as draft:
                judged = self.audited(control, samples, rows or self.swept(samples))
                made.append(finish(judged, self.pipeline, self.stack, place, draft))
        return replace(self.built, controls=made, left_out=left_out)

    def planned(self, control: Control) -> tuple[list[Sample], list[LedgerRow]]:
        """Plan and ledger of a control, of a sweep the plan. Raises CurateError where the set has too few pairs."""
        recipe, real = self.pipeline.recipe, self.judged
        if control == "sweep":
            return sweep.planned(recipe, real.rows, {sample.id: sample for sample in real.samples}), []
        rows = controls.controlled(control, recipe, real.rows)
        return controls.planned(real.samples, rows), rows

    def swept(self, samples: Sequence[Sample]) -> list[LedgerRow]:
        """The ledger of a sweep, its tones made like any sample."""
        made = made_rows(samples, self.pipeline.each_made(samples))
        return selected(made, controls.fates("sweep", self.pipeline.recipe, made))

    def audited(self, control: Control, samples: Sequence[Sample], rows: Sequence[LedgerRow]) -> Judged:
        """The control with what its audit finds in it."""
        with threadpool_limits(1), self.pipeline.reporter.step(f"audit {control}"):
            found = controls.findings(control, self.pipeline.recipe, rows)
        return Judged(
            samples, rows, found, self.judged.source, len({row.name for row in rows}), control,
            self.built.manifest.content_id, self.judged.allow,
        )  # fmt: skip
