"""`curate check`: whether a finished set is what its manifest says, and whether it still proves what it promised."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from curate import controls, ledger, schema
from curate.check_control import check_control
from curate.check_shards import broken, check_shards
from curate.errors import CurateError
from curate.manifest import MANIFEST, content_id, load_build, read_lines, read_record, verdicts_of
from curate.picture_files import check_pictures, needs
from curate.progress import Reporter
from curate.proof.finding import problems
from curate.recipe import Recipe, configure, find, known
from curate.records import Build, LedgerRow, Sample
from curate.roundtrip import recorded_faults
from curate.schema import Audit

STRANGER = f"not in {MANIFEST}"


def check(folder: Path, recipe: str | None = None, reporter: Reporter | None = None) -> list[str]:
    """The faults of a set, one line each that begins with the file; empty when all is well.

    `recipe` names a recipe that is not bundled (a file). Raises CurateError for a folder that is no set.
    """
    reporter = reporter or Reporter(quiet=True)
    manifest = load_build(folder)
    with reporter.step("files"):
        faults = list(_files(folder, manifest))
    if faults and not all(fault.endswith(STRANGER) for fault in faults):
        return faults  # what follows reads these files, and would only say it again
    faults += _schemas(folder, manifest)
    try:
        rows = read_lines(folder / "ledger.jsonl", LedgerRow)
        faults += [*_ledger(folder, manifest, rows), *_plan(folder, rows)]
        if manifest.encoder is not None:
            with reporter.step("shards"):
                faults += check_shards(
                    folder,
                    manifest,
                    {row.id: row for row in rows if row.kept},
                    controls.latents(
                        manifest.control, configure(_recipe_of(manifest, recipe), manifest.settings).holds()
                    ),
                )
        with reporter.step("audit"):
            faults += _judged_again(folder, manifest, rows, recipe)
        kept = [row for row in rows if row.kept]
        if needs(kept):
            with reporter.step("pictures"), threadpool_limits(1):
                judge = configure(_recipe_of(manifest, recipe), manifest.settings)
                faults += check_pictures(folder, kept, judge, manifest.made_with, reporter.note)
    except CurateError as error:
        faults.append(str(error))
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:  # a value that the audit needs
        faults.append(f"{folder / 'ledger.jsonl'}: cannot be judged, {type(error).__name__}: {error}")
    return faults


def _recipe_of(manifest: Build, reference: str | None) -> type[Recipe]:
    """Who judges: a file only where the user names one, for what a set names is not to be run."""
    kind = find(reference) if reference else known(manifest.recipe)
    if kind.name != manifest.recipe:
        raise CurateError(f"--recipe {reference} is {kind.name}, the set was made by {manifest.recipe}")
    return kind


def _files(folder: Path, manifest: Build) -> Iterator[str]:
    """Every file is there and unchanged, and there are no others."""
    needed = {"plan.jsonl", "ledger.jsonl", "audit.json"} | (
        {"shards/index.json"} if manifest.encoder else set()
    )
    for name in sorted(needed - manifest.files.keys()):
        yield f"{folder / MANIFEST}: lists no {name}"
    present = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    for name, card in manifest.files.items():
        if name not in present:
            yield f"{folder / name}: missing"
            continue
        size = present[name].stat().st_size
        with present[name].open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if size != card.bytes:
            yield f"{folder / name}: {size} bytes, {MANIFEST} says {card.bytes}"
        elif digest != card.sha256:
            yield f"{folder / name}: sha256 {digest[:16]}…, {MANIFEST} says {card.sha256[:16]}…"
    for name in sorted(present.keys() - manifest.files.keys() - {MANIFEST}):
        yield f"{folder / name}: {STRANGER}"


def _schemas(folder: Path, manifest: Build) -> Iterator[str]:
    """The files keep the published schemas, and the set ships them."""
    for name in schema.PUBLISHED:
        path = folder / "schemas" / f"{name}.schema.json"
        if not path.is_file() or path.read_bytes() != schema.schema_bytes(name):
            yield f"{path}: not the schema of schema_version {manifest.schema_version}"
    for name, where in (("build", MANIFEST), ("audit", "audit.json"), ("index", "shards/index.json")):
        if name != "index" or manifest.encoder is not None:
            yield from broken(folder / where, name, 0, (folder / where).read_bytes())
    for name, where in (("ledger", "ledger.jsonl"), ("plan", "plan.jsonl")):
        for number, line in enumerate((folder / where).read_bytes().splitlines(), start=1):
            yield from broken(folder / where, name, number, line)


def _ledger(folder: Path, manifest: Build, rows: list[LedgerRow]) -> Iterator[str]:
    """The arithmetic: candidates are kept or dropped with a reason, in the numbers of the manifest."""
    path = folder / "ledger.jsonl"
    try:
        counts = ledger.count(rows, manifest.counts.files)
    except CurateError as error:
        yield f"{path}: {error}"
        return
    if counts != manifest.counts:
        yield f"{path}: {counts.kept} kept of {counts.candidates}, {MANIFEST} says {manifest.counts.kept} of {manifest.counts.candidates}"
    if len({row.name for row in rows}) != manifest.counts.files:
        yield f"{path}: speaks of {len({row.name for row in rows})} files, the source had {manifest.counts.files}"
    if bool(unlicensed := ledger.unlicensed(rows)) != manifest.private:
        says = "private" if manifest.private else "not private"
        yield f"{path}: {len(unlicensed)} kept without a licence, {MANIFEST} says {says}"
    if content_id(rows) != manifest.content_id:
        yield f"{path}: its kept samples are not those of content_id {manifest.content_id[:16]}…"


def _plan(folder: Path, rows: list[LedgerRow]) -> Iterator[str]:
    """Every planned sample has its row, which says of it what the plan says."""
    by_id = {row.id: row for row in rows if row.split is not None}
    samples = read_lines(folder / "plan.jsonl", Sample)
    planned = Counter(sample.id for sample in samples)
    for name in sorted(by_id.keys() - planned.keys()):
        yield f"{folder / 'ledger.jsonl'}: {name} was never planned"
    for name in sorted(name for name, times in planned.items() if times > 1):
        yield f"{folder / 'plan.jsonl'}: {name} is planned more than once"
    for sample in samples:
        row = by_id.get(sample.id)
        if row is None:
            yield f"{folder / 'plan.jsonl'}: {sample.id} is not in the ledger"
        elif any(getattr(row, part) != value for part, value in _as_row(sample).items()):
            yield f"{folder / 'plan.jsonl'}: {sample.id} was planned otherwise than the ledger says"


def _as_row(sample: Sample) -> dict[str, Any]:
    """What a planned sample's ledger row must say."""
    first = sample.clips[0]
    return {
        **{part: getattr(sample, part) for part in ("choices", "attributes", "split", "group", "caption")},
        "sources": tuple(clip.sha256 for clip in sample.clips),
        "clip": first.id,
        "name": first.name,
        "licence": first.licence,
    }


def _judged_again(
    folder: Path, manifest: Build, rows: list[LedgerRow], reference: str | None
) -> Iterator[str]:
    """Select and audit once more on the recorded values: the same pairs, the same verdicts."""
    kind = _recipe_of(manifest, reference)
    if kind.version != manifest.recipe_version:
        yield (
            f"{folder / MANIFEST}: made by {manifest.recipe} version {manifest.recipe_version}, "
            f"this program has version {kind.version} and cannot judge it"
        )
        return
    recipe, control = configure(kind, manifest.settings), manifest.control
    if (manifest.summary, manifest.strategy) != (recipe.summary, recipe.strategy):
        yield f"{folder / MANIFEST}: its summary or strategy is not that of {recipe.name}"
    if control is None and manifest.source.files != manifest.counts.files:
        yield f"{folder / MANIFEST}: the source has {manifest.source.files} files, the counts say {manifest.counts.files}"
    with threadpool_limits(1):
        blank = ledger.unselected(rows)
        again = ledger.selected(blank, controls.fates(control, recipe, blank))
        findings = controls.findings(control, recipe, rows)
    changed = [
        row.id
        for row, now in zip(rows, again, strict=True)
        if (row.kept, row.reason) != (now.kept, now.reason)
    ]
    if changed:
        yield f"{folder / 'ledger.jsonl'}: {len(changed)} rows are not what the selection gives, first {changed[0]}"
    audited = read_record(folder / "audit.json", Audit)
    recorded = audited.findings
    yield from (f"{folder / 'audit.json'}: {fault}" for fault in recorded_faults(audited.latents, manifest))
    if [(f.name, f.split) for f in recorded] != [(f.name, f.split) for f in findings]:
        yield f"{folder / 'audit.json'}: does not hold the findings of {recipe.name}"
    else:
        for was, now_found in zip(recorded, findings, strict=True):
            alike = was.model_copy(update={"says": now_found.says}) == now_found
            if alike and was.says != now_found.says:
                yield f"{folder / 'audit.json'}: {was.name} ({was.split}) says {was.says!r}, its numbers say {now_found.says!r}"
            if not _agrees(was.model_dump(), now_found.model_dump()):
                yield f"{folder / 'audit.json'}: {was.name} ({was.split}) says {was.verdict}: {was.says}; measured again {now_found.verdict}: {now_found.says}"
    findings = [*findings, *audited.latents]  # without media and model these are taken as recorded
    expected = controls.expected(control, recipe)
    if verdicts_of(findings, expected, manifest.audit.allowed) != manifest.audit:
        yield f"{folder / MANIFEST}: its audit is not what is measured again"
    for line in problems(findings, expected, manifest.audit.allowed):
        yield f"{folder}: {line}"
    yield from check_control(folder, manifest, rows, recipe)


def _agrees(was: Any, now: Any) -> bool:
    """Equal, but for the last digits of numbers, which may differ between machines, and the sentences made of them."""
    if isinstance(was, dict) and isinstance(now, dict):
        return was.keys() == now.keys() and all(k == "says" or _agrees(was[k], now[k]) for k in was)
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(map(_agrees, was, now))
    if isinstance(was, float) or isinstance(now, float):
        return (
            isinstance(now, float | int)
            and isinstance(was, float | int)
            and math.isclose(was, now, abs_tol=1e-3)
        )
    return bool(was == now)
