"""From clips to a finished set: list, annotate, plan, make, select, audit, encode, pack; the manifest comes last.

The set is put together in a folder beside its place and moved there when it is whole, so a build that fails, or is
killed, leaves the set that was there before as it was.
"""

import platform
import shutil
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
    load_build,
    pretty,
    verdicts_of,
    write_lines,
)
from curate.pipeline import Pipeline, Request
from curate.progress import Reporter
from curate.records import SPLITS, Build, Drop, LatentSizes, LedgerRow, Sample, ShardRecord, sha256_of
from curate.schema import write_schemas
from curate.shard import pack
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
    `out` with `.partial` behind its name), and CurateError for bad input.
    """
    pipeline = Pipeline(request, engine, reporter)
    recipe = pipeline.recipe
    _check_place(out)
    stack = (
        _stack(request, reporter) if encode else None
    )  # first, as a model that cannot be had should cost no work
    draft = out.with_name(out.name + ".partial")
    _empty(draft)
    listing, samples, drops = pipeline.planned()
    write_lines(draft / "plan.jsonl", samples)
    made = made_rows(samples, pipeline.made(samples))
    with threadpool_limits(1):  # sums split over threads differ in the last bit, and a lot could turn on it
        rows = sorted([*selected(made, recipe.select(made)), *drop_rows(drops)], key=lambda row: row.id)
        counts = count(rows, listing.card.files)
        findings = recipe.audit(rows)
    write_lines(draft / "ledger.jsonl", rows)
    write_atomic(draft / "audit.json", pretty({"findings": [f.model_dump(mode="json") for f in findings]}))
    if lines := problems(findings, recipe.expected_failures, allow):
        raise AuditError(
            f"{recipe.name} does not stand, {len(lines)} of {len(findings)} findings are against it; see {draft}\n  "
            + "\n  ".join(lines)
        )
    if stack is not None:
        _encode(pipeline, stack, draft, rows, {s.id: s for s in samples})
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
        libraries=recipe.library_versions(),
        files=file_cards(draft),
    )
    write_atomic(draft / MANIFEST, pretty(manifest))
    _replace(out, draft)
    return Built(out, manifest, findings, drops)


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


def _check_place(out: Path) -> None:
    """Refuse a place that holds anything a rebuild could not make again."""
    if not out.exists():
        return
    if not out.is_dir():
        raise CurateError(f"{out}: is a file, wanted a folder for the set")
    held = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    if held:
        try:
            known = {*load_build(out).files, MANIFEST}
        except CurateError as error:
            raise CurateError(
                f"{out}: holds files that are no finished set; wanted a new or empty folder"
            ) from error
        if strangers := sorted(held - known):
            raise CurateError(
                f"{out}: {strangers[0]} is not part of the set in it; move it away, or choose another --out"
            )


def _empty(draft: Path) -> None:
    try:
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(parents=True)
    except OSError as error:
        raise CurateError(f"{draft}: cannot be made: {error.strerror}") from error


def _replace(out: Path, draft: Path) -> None:
    """Put the finished draft in place of whatever set was there."""
    old = out.with_name(out.name + ".old")
    try:
        if old.exists():
            shutil.rmtree(old)
        if out.exists():
            out.rename(old)
        draft.rename(out)
        if old.exists():
            shutil.rmtree(old)
    except OSError as error:
        raise CurateError(
            f"{out}: cannot be put in place: {error.strerror}; the set is in {draft}"
        ) from error
