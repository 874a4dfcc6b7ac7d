"""The part of `curate check` that asks whether a control is one of the set that it names."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from curate import controls, sweep
from curate.manifest import MANIFEST, content_id, read_lines
from curate.recipe import Recipe
from curate.records import REFERENCE_OF, Build, Control, LedgerRow


def check_control(folder: Path, manifest: Build, rows: Sequence[LedgerRow], recipe: Recipe) -> Iterator[str]:
    """A control names the set it is of, and is made of that set's pairs where it can be told."""
    control, path = manifest.control, folder / "ledger.jsonl"
    if (control is None) != (manifest.control_of is None):
        yield f"{folder / MANIFEST}: control is {control!r} of the set {str(manifest.control_of)[:16]}, wanted both or none"
    elif control is None:
        if strange := [row.id for row in rows if REFERENCE_OF in row.choices]:
            yield f"{path}: {strange[0]} has a {REFERENCE_OF}, which only controls have"
    elif control == "shuffled-reference":
        back = controls.given_back(controls.reference_in(recipe), rows)
        if content_id(back) != manifest.control_of:
            yield f"{path}: its pairs with their own references are not those of the set {str(manifest.control_of)[:16]}…"
    if control:
        yield from _beside(folder, manifest, control, rows, recipe)


def _beside(
    folder: Path, manifest: Build, control: Control, rows: Sequence[LedgerRow], recipe: Recipe
) -> Iterator[str]:
    """Where the set of a control still lies beside it, the control is exactly what that set gives."""
    real = folder.resolve().with_name(folder.resolve().name.removesuffix(f".{control}"))
    if real == folder.resolve() or not (real / MANIFEST).is_file():
        return
    theirs = read_lines(real / "ledger.jsonl", LedgerRow)
    if content_id(theirs) != manifest.control_of:
        yield f"{folder / MANIFEST}: a control of the set {str(manifest.control_of)[:16]}…, but {real.name} beside it is another: build it --with-controls"
        return
    if control == "sweep":
        wanted = {name: (choices, own) for _, name, choices, own in sweep.tones(recipe, theirs)}
        found = {row.id: (row.choices, row.attributes) for row in rows}
        odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    else:
        given = {row.id: row for row in controls.controlled(control, recipe, theirs)}
        held = {row.id: row for row in rows}
        odd = sorted(name for name in given.keys() | held.keys() if given.get(name) != held.get(name))
    if odd:
        yield f"{folder / 'ledger.jsonl'}: {len(odd)} rows are not what {control} makes of {real.name}, first {odd[0]}"
