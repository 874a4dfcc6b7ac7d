"""The last part of a build, of sets and of their controls: encode, pack, write the manifest, put in place."""

import difflib
import platform
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import curate
from curate import roundtrip
from curate.cache import Entry
from curate.controls import as_made, expected
from curate.errors import AuditError, CurateError
from curate.files import write_atomic
from curate.ledger import count, unlicensed
from curate.manifest import MANIFEST, content_id, file_cards, pretty, verdicts_of, write_lines
from curate.picture_files import pin_frames_in, roles_in, write_pictures
from curate.pipeline import Pipeline
from curate.place import Place
from curate.proof.finding import Finding, problems
from curate.records import (
    REFERENCE_OF,
    SPLITS,
    Build,
    Control,
    Drop,
    LatentSizes,
    LedgerRow,
    Sample,
    ShardRecord,
    SourceCard,
    VideoRef,
    number,
    reference_of,
    sha256_of,
)
from curate.schema import Audit, write_schemas
from curate.shard import ShardCard, pack
from curate.tensors import TensorBytes, pack_tensors
from curate.train.config import TRAIN_YAML, preset

if TYPE_CHECKING:
    from curate.encode.stack import Stack


@dataclass(frozen=True)
class Judged:
    """A set or a control whose pairs are chosen and judged, before anything is encoded."""

    samples: Sequence[Sample]  # its plan
    rows: Sequence[LedgerRow]
    findings: list[Finding]
    source: SourceCard
    files: int  # that its ledger speaks of
    control: Control | None = None
    control_of: str | None = None  # content_id of the set
    allow: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Built:
    """A finished set: its manifest, what its audit found, which files gave no candidate, the controls beside it."""

    folder: Path
    manifest: Build
    findings: list[Finding]
    drops: Sequence[Drop] = ()
    controls: Sequence["Built"] = ()
    unlicensed: Sequence[str] = ()  # files of kept samples: with any, the set is private
    left_out: Sequence[str] = ()  # controls that the set has too few pairs for, a line each


def finish(judged: Judged, pipeline: Pipeline, stack: "Stack | None", place: Place, draft: Path) -> Built:
    """Everything that is left to do for a set once it is judged.

    Raises AuditError when the findings are not those it must have (the ledger and the audit are then left with
    `.failed` behind its name).
    """
    recipe, control, findings = pipeline.recipe, judged.control, judged.findings
    counts = count(judged.rows, judged.files)
    write_lines(draft / "plan.jsonl", judged.samples)
    write_lines(draft / "ledger.jsonl", judged.rows)
    write_atomic(draft / "audit.json", pretty(Audit(findings=findings)))
    write_pictures(draft, _pictures(judged, pipeline))  # also for a set that fails: they are to be looked at
    _stop_unless_sound(judged, pipeline, place, draft)
    latents = list[Finding]()
    if stack is not None:
        cards = _encode(judged, pipeline, stack, draft)
        if control is None:  # controls hold the latents of their set
            with threadpool_limits(1), pipeline.reporter.step("round trip"):
                shipped = list(_shipped(judged, pipeline, draft / "shards", cards))
                latents = roundtrip.round_trip(shipped, stack)
            findings = [*findings, *latents]
            write_atomic(draft / "audit.json", pretty(Audit(findings=judged.findings, latents=latents)))
            _stop_unless_sound(replace(judged, findings=findings), pipeline, place, draft)
    write_schemas(draft / "schemas")
    if recipe.training and control != "sweep":
        write_atomic(draft / TRAIN_YAML, preset(recipe.training).encode())
    bare = unlicensed(judged.rows)
    manifest = Build(
        curate=curate.__version__,
        recipe=recipe.name,
        recipe_version=recipe.version,
        summary=recipe.summary,
        strategy=recipe.strategy,
        control=control,
        control_of=judged.control_of,
        settings=recipe.model_dump(mode="json"),
        source=judged.source,
        encoder=stack.fingerprint if stack else None,
        encoder_sha256=stack.fingerprint_sha if stack else None,
        trained=stack is not None and stack.trained,
        private=bool(bare),
        counts=counts,
        audit=verdicts_of(findings, expected(control, recipe), judged.allow),
        content_id=content_id(judged.rows),
        platform=f"{platform.system()}-{platform.machine()}",
        made_with=recipe.made_with(),
        files=file_cards(draft),
    )
    write_atomic(draft / MANIFEST, pretty(manifest))
    place.fill(draft)
    return Built(place.out, manifest, findings, unlicensed=bare)


def _stop_unless_sound(judged: Judged, pipeline: Pipeline, place: Place, draft: Path) -> None:
    """Raise AuditError for findings that are not those expected; what led to them is kept to look at."""
    name = " ".join(filter(None, (pipeline.recipe.name, judged.control)))
    known = {finding.name for finding in judged.findings} | set(roundtrip.NAMES)
    for allowed in sorted(judged.allow - known if judged.control is None else ()):
        near = difflib.get_close_matches(allowed, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise CurateError(f"--allow {allowed}: {name} has no such finding{hint}")
    if lines := problems(judged.findings, expected(judged.control, pipeline.recipe), judged.allow):
        for folder in ("shards", "text"):  # nobody is to train on these
            shutil.rmtree(draft / folder, ignore_errors=True)
        failed = place.keep_failed(draft)
        aside = " (the set itself stands)" if judged.control else ""
        against = (
            f"{len(lines)} of {len(judged.findings)} findings are against it (ledger and audit in {failed})"
        )
        counts = Counter(row.reason for row in judged.rows if row.reason).most_common()
        dropped = ", ".join(f"{reason} {count}" for reason, count in counts)
        told = f" (dropped: {dropped})" if dropped else ""
        raise AuditError(f"{name} does not stand, {against}: " + "; ".join(lines) + told + aside)


def _encode(judged: Judged, pipeline: Pipeline, stack: "Stack", draft: Path) -> list[ShardCard]:
    """Latents, text and shards into `draft`."""
    encoder = stack.fingerprint_sha
    kept = [row for row in judged.rows if row.kept]
    samples = {sample.id: as_made(sample) for sample in judged.samples}
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
    return cards


def _shipped(
    judged: Judged, pipeline: Pipeline, shards: Path, cards: Sequence[ShardCard]
) -> Iterator[roundtrip.RoundTripItem]:
    """A few kept samples as the shards hold them, and the media they were made of."""
    rows = {row.id: row for row in judged.rows if row.kept}
    samples = {sample.id: sample for sample in judged.samples}
    for name, latents in roundtrip.shipped(shards, cards, roundtrip.drawn(rows, pipeline.recipe.seed)):
        example, measured = pipeline.example(samples[name]), rows[name].measured
        video, media = example.record["video"], {k: v.array() for k, v in example.tensors().items()}
        yield roundtrip.RoundTripItem(
            id=name,
            latents=latents,
            waves={role: wave for role, wave in media.items() if wave.ndim == 1},
            pictures={role: picture for role, picture in media.items() if picture.ndim == 3},
            pitch_hz={role: number(measured, key) for role, key in pipeline.recipe.pitch_of.items()},
            video=VideoRef.model_validate(video) if video else None,
            video_path=samples[name].clips[0].path,
        )


def _pictures(judged: Judged, pipeline: Pipeline) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The pictures of kept samples, with their roles."""
    samples = {sample.id: sample for sample in judged.samples}
    for row in judged.rows:
        if row.kept and (roles := roles_in(row.measured)):
            media = pipeline.example(as_made(samples[row.id])).tensors()
            yield from ((role, media[role].array()) for role in roles)


def _packed(
    rows: Sequence[LedgerRow], latents: Mapping[str, Entry], encoder: str
) -> Iterator[dict[str, bytes]]:
    """Shard members of each kept sample. The tensors say whose they are and what made them."""
    shared = set(LedgerRow.model_fields) & set(ShardRecord.model_fields)
    for row in rows:
        entry = latents[row.id]
        tensors = _tensors(row, latents)
        video, audio, reference, sheet = (
            tensors.get(f"{role}_latents")
            for role in ("video", "audio", "reference_audio", "reference_video")
        )
        record = ShardRecord(
            **row.model_dump(include=shared),
            caption_sha256=sha256_of(row.caption),
            example_sha256=entry.record["example_sha256"],
            encoder_sha256=encoder,
            latents=LatentSizes(
                fps=entry.record["fps"],
                video=(video.shape[1], video.shape[2], video.shape[3]) if video else None,
                audio_steps=audio.shape[1] if audio else None,
                reference_audio_steps=reference.shape[1] if reference else None,
                reference_video=(sheet.shape[1], sheet.shape[2], sheet.shape[3]) if sheet else None,
                pin_frames=pin_frames_in(row.measured) or None,
            ),
        )
        stamp = record.model_dump(mode="json", include={"id", "sources", "example_sha256", "encoder_sha256"})
        if REFERENCE_OF in row.choices:
            stamp[REFERENCE_OF] = reference_of(row)
        yield {"json": pretty(record), "safetensors": pack_tensors(tensors, stamp)}


def _tensors(row: LedgerRow, latents: Mapping[str, Entry]) -> dict[str, TensorBytes]:
    """The latents of a pair, those of the reference from whoever's reference it has."""
    donor = reference_of(row)
    own = latents[row.id].tensors()
    theirs = own if donor == row.id else latents[donor].tensors() if donor else {}
    return {name: tensor for name, tensor in own.items() if not name.startswith("reference_")} | {
        name: tensor for name, tensor in theirs.items() if name.startswith("reference_")
    }
