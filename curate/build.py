"""From clips to a finished set: list, annotate, plan, make, select, audit, encode, pack; the manifest comes last.

The set is put together beside its place and moved there when it is whole (see `place`), so a build that fails, or is
killed, leaves the set that was there before as it was.
"""

import difflib
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

import curate
from curate.audit import Finding, problems
from curate.cache import Entry
from curate.engine import Engine
from curate.errors import AuditError, CurateError
from curate.files import write_atomic
from curate.ledger import count, drop_rows, made_rows, selected
from curate.manifest import (
    MANIFEST,
    content_id,
    file_cards,
    pretty,
    verdicts_of,
    write_lines,
)
from curate.pipeline import Pipeline, Request
from curate.place import Place
from curate.progress import Reporter
from curate.recipe import Recipe
from curate.records import SPLITS, Build, Counts, Drop, LatentSizes, LedgerRow, Sample, ShardRecord, sha256_of
from curate.schema import Audit, write_schemas
from curate.shard import pack
from curate.sources.listing import Listing
from curate.tensors import pack_tensors

if TYPE_CHECKING:
    from curate.encode.stack import Stack


@dataclass(frozen=True)
class Built:
    """A finished set: its manifest, what its audit found, which files gave no candidate."""

    folder: Path
    manifest: Build
    findings: list[Finding]
    drops: list[Drop]


def build(
    request: Request,
    out: Path,
    engine: Engine,
    reporter: Reporter,
    *,
    encode: bool = True,
    allow: frozenset[str] = frozenset(),
) -> Built:
    """Make the set of `request` in `out`.

    Raises AuditError when the findings are not those the recipe declares (the ledger and the audit are then in
    `out` with `.failed` behind its name), and CurateError for bad input.
    """
    pipeline, place = Pipeline(request, engine, reporter), Place(out)
    recipe = pipeline.recipe
    stack = (
        _stack(request, reporter) if encode else None
    )  # first: a model that cannot be had should cost no work
    with place.draft() as draft:
        listing, samples, drops = pipeline.planned()
        write_lines(draft / "plan.jsonl", samples)
        made = made_rows(samples, pipeline.made(samples))
        rows, findings = _judged(recipe, made, drops, reporter)
        counts = _counted(recipe, rows, listing)
        write_lines(draft / "ledger.jsonl", rows)
        write_atomic(draft / "audit.json", pretty(Audit(findings=findings)))
        _stop_unless_sound(recipe, findings, allow, place, draft)
        if stack is not None:
            _encode(pipeline, stack, draft, rows, {sample.id: sample for sample in samples})
        write_schemas(draft / "schemas")
        manifest = Build(
            curate=curate.__version__,
            recipe=recipe.name,
            recipe_version=recipe.version,
            summary=recipe.summary,
            strategy=recipe.strategy,
            settings=recipe.model_dump(mode="json"),
            source=listing.card,
            encoder=stack.fingerprint if stack else None,
            encoder_sha256=stack.fingerprint_sha if stack else None,
            trained=stack is not None and stack.trained,
            counts=counts,
            audit=verdicts_of(findings, recipe.expected_failures, allow),
            content_id=content_id(rows),
            platform=f"{platform.system()}-{platform.machine()}",
            made_with=recipe.made_with(),
            files=file_cards(draft),
        )
        write_atomic(draft / MANIFEST, pretty(manifest))
        place.fill(draft)
    return Built(out, manifest, findings, drops)


def _judged(
    recipe: Recipe, made: Sequence[LedgerRow], drops: Sequence[Drop], reporter: Reporter
) -> tuple[list[LedgerRow], list[Finding]]:
    """The ledger after selection, and what the audit finds in it."""
    with (
        threadpool_limits(1),
        reporter.step("audit"),
    ):  # sums over threads differ in the last bit, and lots hang on it
        rows = sorted([*selected(made, recipe.select(made)), *drop_rows(drops)], key=lambda row: row.id)
        return rows, recipe.audit(rows)


def _counted(recipe: Recipe, rows: Sequence[LedgerRow], listing: Listing) -> Counts:
    """Totals, and proof that no file of the source was lost on the way."""
    names = {*(clip.name for clip in listing.clips), *(drop.name for drop in listing.drops)}
    if lost := sorted(names - {row.name for row in rows}):
        raise CurateError(f"{recipe.name} lost {lost[0]}: its plan gave neither a sample nor a drop for it")
    return count(rows, listing.card.files)


def _stop_unless_sound(
    recipe: Recipe, findings: Sequence[Finding], allow: frozenset[str], place: Place, draft: Path
) -> None:
    """Raise AuditError for findings that the recipe does not declare; what led to them is kept to look at."""
    known = {finding.name for finding in findings}
    for name in sorted(allow - known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise CurateError(f"--allow {name}: {recipe.name} has no such finding{hint}")
    if lines := problems(findings, recipe.expected_failures, allow):
        failed = place.keep_failed(draft)
        against = f"{len(lines)} of {len(findings)} findings are against it (ledger and audit in {failed})"
        raise AuditError(f"{recipe.name} does not stand, {against}: " + "; ".join(lines))


def _stack(request: Request, reporter: Reporter) -> "Stack":
    from curate.encode.stack import load

    if request.model != "tiny":
        reporter.note(f"model: looking for {request.model} (a Hub id is downloaded)")
    return load(request.model, request.cache)


def _encode(
    pipeline: Pipeline, stack: "Stack", draft: Path, rows: Sequence[LedgerRow], samples: Mapping[str, Sample]
) -> None:
    """Latents, text and shards into `draft`."""
    encoder = stack.fingerprint_sha
    kept = [row for row in rows if row.kept]
    latents = pipeline.encoded([samples[row.id] for row in kept], encoder, stack.device.type == "cuda")
    for caption, entry in pipeline.texts((str(row.caption) for row in kept), encoder).items():
        name = sha256_of(caption)
        metadata = {"caption": caption, "caption_sha256": name, "encoder_sha256": encoder}
        write_atomic(draft / "text" / f"{name}.safetensors", pack_tensors(entry.tensors(), metadata))
    shards = draft / "shards"
    with pipeline.reporter.step("pack"):
        cards = [
            card
            for split in SPLITS
            for card in pack(shards, split, _packed([r for r in kept if r.split == split], latents, encoder))
        ]
    write_atomic(shards / "index.json", pretty({"shards": [card.model_dump(mode="json") for card in cards]}))


def _packed(
    rows: Sequence[LedgerRow], latents: Mapping[str, Entry], encoder: str
) -> Iterator[dict[str, bytes]]:
    """Shard members of each kept sample. The tensors say whose they are and what made them."""
    for row in rows:
        entry = latents[row.id]
        tensors = entry.tensors()
        video, audio, reference = (
            tensors.get(f"{role}_latents") for role in ("video", "audio", "reference_audio")
        )
        record = ShardRecord(
            **row.model_dump(
                include={
                    "id",
                    "clip",
                    "group",
                    "split",
                    "caption",
                    "sources",
                    "licence",
                    "choices",
                    "attributes",
                    "measured",
                }
            ),
            caption_sha256=sha256_of(row.caption),
            example_sha256=entry.record["example_sha256"],
            encoder_sha256=encoder,
            latents=LatentSizes(
                fps=entry.record["fps"],
                video=(video.shape[1], video.shape[2], video.shape[3]) if video else None,
                audio_steps=audio.shape[1] if audio else None,
                reference_audio_steps=reference.shape[1] if reference else None,
            ),
        )
        stamp = record.model_dump(mode="json", include={"id", "sources", "example_sha256", "encoder_sha256"})
        yield {"json": pretty(record), "safetensors": pack_tensors(tensors, stamp)}
