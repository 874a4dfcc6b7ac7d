"""`curate check`: whether a finished set is what its manifest says, and whether it still proves what it promised."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from curate import ledger, schema
from curate.audit import problems
from curate.errors import CurateError
from curate.manifest import MANIFEST, content_id, load_build, read_lines, read_record, verdicts_of
from curate.recipe import configure, find
from curate.records import SPLITS, Build, LedgerRow, Sample, ShardRecord, sha256_of
from curate.schema import Audit, ShardIndex
from curate.shard import iter_samples, verify_shard
from curate.tensors import TensorBytes, unpack_tensors

STAMP = ("id", "sources", "example_sha256", "encoder_sha256")


def check(folder: Path, recipe: str | None = None) -> list[str]:
    """The faults of a set, one line each that begins with the file; empty when all is well.

    `recipe` names a recipe that is not bundled (a file). Raises CurateError for a folder that is no set.
    """
    manifest = load_build(folder)
    faults = list(_files(folder, manifest)) or list(_schemas(folder, manifest))
    if faults:
        return faults  # what follows reads these files, and would only say it again
    rows = read_lines(folder / "ledger.jsonl", LedgerRow)
    faults += [*_ledger(folder, manifest, rows), *_plan(folder, rows)]
    if manifest.encoder is not None:
        faults += _shards(folder, manifest, {row.id: row for row in rows if row.kept})
    return faults + list(_judged_again(folder, manifest, rows, recipe))


def _files(folder: Path, manifest: Build) -> Iterator[str]:
    """Every file is there and unchanged, and there are no others."""
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
        yield f"{folder / name}: not in {MANIFEST}"


def _schemas(folder: Path, manifest: Build) -> Iterator[str]:
    """The files keep the schemas that the set ships, and those are the published ones."""
    for name in schema.PUBLISHED:
        path = folder / "schemas" / f"{name}.schema.json"
        if not path.is_file() or path.read_bytes() != schema.schema_bytes(name):
            yield f"{path}: not the schema that this version publishes"
    for name, where in (("build", MANIFEST), ("audit", "audit.json"), ("index", "shards/index.json")):
        if name != "index" or manifest.encoder is not None:
            yield from _broken(folder / where, name, 0, (folder / where).read_bytes())
    for name, where in (("ledger", "ledger.jsonl"), ("plan", "plan.jsonl")):
        for number, line in enumerate((folder / where).read_bytes().splitlines(), start=1):
            yield from _broken(folder / where, name, number, line)


def _broken(path: Path, name: str, line: int, text: bytes) -> Iterator[str]:
    where = f"{path}:{line}" if line else str(path)
    try:
        value = json.loads(text)
    except ValueError as error:
        yield f"{where}: not JSON: {error}"
        return
    yield from (f"{where}: {fault}" for fault in schema.faults(name, value))


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
    if counts.kept + sum(counts.dropped.values()) != counts.candidates:
        yield f"{path}: kept and dropped do not add up to {counts.candidates}"
    if content_id(rows) != manifest.content_id:
        yield f"{path}: its kept samples are not those of content_id {manifest.content_id[:16]}…"


def _plan(folder: Path, rows: list[LedgerRow]) -> Iterator[str]:
    """Every planned sample has its row, with the choices that were planned."""
    by_id = {row.id: row for row in rows}
    for sample in read_lines(folder / "plan.jsonl", Sample):
        row = by_id.get(sample.id)
        if row is None:
            yield f"{folder / 'plan.jsonl'}: {sample.id} is not in the ledger"
        elif (row.choices, row.split, row.group, row.caption) != (
            sample.choices,
            sample.split,
            sample.group,
            sample.caption,
        ):
            yield f"{folder / 'plan.jsonl'}: {sample.id} was planned otherwise than the ledger says"


def _shards(folder: Path, manifest: Build, kept: Mapping[str, LedgerRow]) -> Iterator[str]:
    """Shards are whole, match their index, and hold exactly the kept samples of their split."""
    index = read_record(folder / "shards" / "index.json", ShardIndex)
    held = set[str]()
    for card in index.shards:
        path = folder / "shards" / card.name
        if faults := verify_shard(path, card):
            yield from faults
            continue
        for key, members in iter_samples(path):
            where = f"{path}: {key}"
            if faults := list(_broken(path, "sample", 0, bytes(members["json"]))):
                yield from faults
                continue
            record = ShardRecord.model_validate_json(bytes(members["json"]))
            yield from (f"{where}: {fault}" for fault in _sample(record, members, manifest, kept, card.name))
            if record.id in held:
                yield f"{where}: sample {record.id} comes twice"
            held.add(record.id)
    for name in sorted(kept.keys() - held):
        yield f"{folder / 'shards'}: kept sample {name} is in no shard"
    for caption in sorted({str(row.caption) for row in kept.values()}):
        path = folder / "text" / f"{sha256_of(caption)}.safetensors"
        if not path.is_file():
            yield f"{path}: missing, the features of {caption!r}"
        elif unpack_tensors(path.read_bytes(), str(path))[1].get("encoder_sha256") != manifest.encoder_sha256:
            yield f"{path}: of another encoder than {MANIFEST} names"


def _sample(
    record: ShardRecord,
    members: Mapping[str, Any],
    manifest: Build,
    kept: Mapping[str, LedgerRow],
    shard: str,
) -> Iterator[str]:
    """One sample: its record is the ledger's, its tensors are its own, of this encoder, finite and of their sizes."""
    row = kept.get(record.id)
    if row is None:
        yield f"sample {record.id} is not kept in the ledger"
        return
    shared = set(LedgerRow.model_fields) & set(ShardRecord.model_fields)
    for name in sorted(shared):
        if getattr(row, name) != getattr(record, name):
            yield f"{name} is not what the ledger says"
    if not shard.startswith(f"{record.split}-") or record.split not in SPLITS:
        yield f"a {record.split} sample in {shard}"
    tensors, stamp = unpack_tensors(members["safetensors"], "safetensors")
    told = record.model_dump(mode="json")
    for name in STAMP:
        if stamp.get(name) != told[name]:
            yield f"the tensors are stamped {name} {stamp.get(name)!r}, the record says {told[name]!r}"
    if record.encoder_sha256 != manifest.encoder_sha256:
        yield f"encoder {record.encoder_sha256[:16]}…, {MANIFEST} says {str(manifest.encoder_sha256)[:16]}…"
    if sha256_of(record.caption) != record.caption_sha256:
        yield "caption_sha256 is of another caption"
    yield from _tensors(record, tensors)


def _tensors(record: ShardRecord, tensors: Mapping[str, TensorBytes]) -> Iterator[str]:
    sizes = record.latents
    wanted = {
        "video_latents": (128, *sizes.video) if sizes.video else None,
        "audio_latents": (8, sizes.audio_steps, 16) if sizes.audio_steps else None,
        "reference_audio_latents": (8, sizes.reference_audio_steps, 16)
        if sizes.reference_audio_steps
        else None,
    }
    for name, shape in wanted.items():
        found = tensors[name].shape if name in tensors else None
        if found != shape:
            yield f"{name} is {found}, the record says {shape}"
    for name in sorted(tensors.keys() - wanted.keys()):
        yield f"{name} is no tensor of this format"
    for name, tensor in tensors.items():
        if not _finite(tensor):
            yield f"{name} has values that are not finite"


def _finite(tensor: TensorBytes) -> bool:
    """No NaN or infinity: an exponent of all ones (bf16 is the upper half of fp32)."""
    bits = tensor.array()
    if tensor.dtype == "BF16":
        return bool(((bits & 0x7F80) != 0x7F80).all())
    return bool((abs(bits) < float("inf")).all())


def _judged_again(
    folder: Path, manifest: Build, rows: list[LedgerRow], reference: str | None
) -> Iterator[str]:
    """Select and audit once more on the recorded values: the same pairs, the same verdicts."""
    kind = find(reference or manifest.recipe)
    if kind.version != manifest.recipe_version:
        yield f"{folder / MANIFEST}: made by {manifest.recipe} version {manifest.recipe_version}, this program has {kind.version} and cannot judge it"
        return
    recipe = configure(kind, manifest.settings)
    with threadpool_limits(1):
        again = ledger.selected(ledger.unselected(rows), recipe.select(ledger.unselected(rows)))
        findings = recipe.audit(rows)
    changed = [row.id for row, now in zip(rows, again, strict=True) if row.kept != now.kept]
    if changed:
        yield f"{folder / 'ledger.jsonl'}: {len(changed)} rows are not what the selection gives, first {changed[0]}"
    recorded = read_record(folder / "audit.json", Audit).findings
    for was, now_found in zip(recorded, findings, strict=False):
        if (was.name, was.split, was.verdict) != (now_found.name, now_found.split, now_found.verdict):
            yield f"{folder / 'audit.json'}: {was.name} ({was.split}) says {was.verdict}, measured again {now_found.verdict}: {now_found.says}"
    if len(recorded) != len(findings):
        yield f"{folder / 'audit.json'}: {len(recorded)} findings, measured again {len(findings)}"
    if verdicts_of(findings, recipe.expected_failures, manifest.audit.allowed) != manifest.audit:
        yield f"{folder / MANIFEST}: its audit is not what is measured again"
    for line in problems(findings, recipe.expected_failures, manifest.audit.allowed):
        yield f"{folder}: {line}"
