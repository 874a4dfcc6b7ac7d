"""The part of `curate check` that looks into shards: every record and tensor against the ledger and the manifest."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from curate import schema
from curate.errors import CurateError
from curate.manifest import MANIFEST, read_record
from curate.picture_files import pin_frames_in
from curate.recipe import SHEET
from curate.records import REFERENCE_OF, SPLITS, Build, LedgerRow, ShardRecord, reference_of, sha256_of
from curate.schema import ShardIndex
from curate.shard import iter_samples, verify_shard
from curate.tensors import TensorBytes, unpack_tensors

STAMP = ("id", "sources", "example_sha256", "encoder_sha256")


def broken(path: Path, name: str, line: int, text: bytes) -> Iterator[str]:
    """How a JSON text breaks schema `name`, a line each; `line` is 0 for a whole file."""
    where = f"{path}:{line}" if line else str(path)
    try:
        value = json.loads(text)
    except (RecursionError, ValueError) as error:
        yield f"{where}: not JSON: {error}"
        return
    yield from (f"{where}: {fault}" for fault in schema.faults(name, value))


def check_shards(
    folder: Path, manifest: Build, kept: Mapping[str, LedgerRow], latents: Sequence[str]
) -> Iterator[str]:
    """Shards are whole, match their index, and hold exactly the kept samples of their split."""
    if sha256_of(manifest.encoder) != manifest.encoder_sha256:
        yield f"{folder / MANIFEST}: encoder_sha256 is not that of its encoder"
    if manifest.trained == (manifest.encoder is not None and manifest.encoder.get("model") == "tiny"):
        yield f"{folder / MANIFEST}: trained is {manifest.trained}, its encoder says otherwise"
    index = read_record(folder / "shards" / "index.json", ShardIndex)
    present = {path.name for path in (folder / "shards").glob("*.tar")}
    for name in sorted(present ^ {card.name for card in index.shards}):
        yield f"{folder / 'shards' / name}: {'not in the index' if name in present else 'missing'}"
    held = set[str]()
    references = dict[str, str]()  # whose: sha256
    for card in index.shards:
        path = folder / "shards" / card.name
        if faults := verify_shard(path, card):
            yield from faults
            continue
        for key, members in iter_samples(path):
            where = f"{path}: {key}"
            if set(members) != {"json", "safetensors"}:
                yield f"{where}: holds {', '.join(sorted(members))}; wanted json, safetensors"
                continue
            if faults := list(broken(path, "sample", 0, bytes(members["json"]))):
                yield from faults
                continue
            record = ShardRecord.model_validate_json(bytes(members["json"]))
            yield from (
                f"{where}: {fault}" for fault in _sample(record, members, manifest, kept, card.name, latents)
            )
            yield from (f"{where}: {fault}" for fault in _reference(record, members, references))
            if record.id in held:
                yield f"{where}: sample {record.id} comes twice"
            held.add(record.id)
    for name in sorted(kept.keys() - held):
        yield f"{folder / 'shards'}: kept sample {name} is in no shard"
    captions = {f"{sha256_of(str(row.caption))}.safetensors": str(row.caption) for row in kept.values()}
    for name in sorted({path.name for path in (folder / "text").iterdir()} - captions.keys()):
        yield f"{folder / 'text' / name}: the features of no caption of the set"
    for name, caption in sorted(captions.items()):
        path = folder / "text" / name
        if not path.is_file():
            yield f"{path}: missing, the features of {caption!r}"
            continue
        stamp = unpack_tensors(path.read_bytes(), str(path))[1]
        if (stamp.get("encoder_sha256"), stamp.get("caption")) != (manifest.encoder_sha256, caption):
            yield f"{path}: of another caption or encoder than the set's"


def _sample(
    record: ShardRecord,
    members: Mapping[str, Any],
    manifest: Build,
    kept: Mapping[str, LedgerRow],
    shard: str,
    latents: Sequence[str],
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
    try:
        tensors, stamp = unpack_tensors(members["safetensors"], "tensors")
    except CurateError as error:
        yield str(error)
        return
    told = record.model_dump(mode="json")
    for name in STAMP:
        if stamp.get(name) != told[name]:
            yield f"the tensors are stamped {name} {stamp.get(name)!r}, the record says {told[name]!r}"
    if stamp.get(REFERENCE_OF) != told["choices"].get(REFERENCE_OF):
        yield f"the tensors are stamped {REFERENCE_OF} {stamp.get(REFERENCE_OF)!r}, the record says {told['choices'].get(REFERENCE_OF)!r}"
    if record.encoder_sha256 != manifest.encoder_sha256:
        yield f"encoder {record.encoder_sha256[:16]}…, {MANIFEST} says {str(manifest.encoder_sha256)[:16]}…"
    if sha256_of(record.caption) != record.caption_sha256:
        yield "caption_sha256 is of another caption"
    if sorted(tensors) != sorted(latents):
        yield f"holds {', '.join(sorted(tensors))}; wanted {', '.join(sorted(latents))}"
    yield from _tensors(record, tensors)
    if SHEET in row.measured:
        yield from _sheet(record, row, tensors)
    if (record.latents.pin_frames or ()) != (pinned := pin_frames_in(row.measured)):
        yield f"pins at frames {record.latents.pin_frames}, its pictures are of {pinned}"


def _reference(record: ShardRecord, members: Mapping[str, Any], seen: dict[str, str]) -> Iterator[str]:
    """Samples with the reference of one pair hold the same latents of it."""
    donor = reference_of(record)
    if REFERENCE_OF not in record.choices or donor is None:
        return
    try:
        tensors, _ = unpack_tensors(members["safetensors"], "tensors")
    except CurateError:
        return  # said already
    digest = hashlib.sha256()
    for name in sorted(name for name in tensors if name.startswith("reference_")):
        digest.update(tensors[name].data)
    if seen.setdefault(donor, digest.hexdigest()) != digest.hexdigest():
        yield f"the reference of {donor} differs from what an earlier sample holds of it"


def _tensors(record: ShardRecord, tensors: Mapping[str, TensorBytes]) -> Iterator[str]:
    sizes = record.latents
    wanted = sizes.shapes()
    for name in sorted(wanted.keys() | tensors.keys()):
        found = tensors[name].shape if name in tensors else None
        if found != wanted.get(name):
            yield f"{name} is {found}, the record says {wanted.get(name)}"
    if sizes.video and sizes.audio_steps and sizes.fps:
        steps = round(25 * (8 * sizes.video[0] - 7) / sizes.fps)
        if sizes.audio_steps != steps:
            yield f"audio_latents has {sizes.audio_steps} steps, {sizes.video[0]} latent frames at {sizes.fps:g} want {steps}"
    for name, tensor in tensors.items():
        if not _finite(tensor):
            yield f"{name} has values that are not finite"


def _sheet(record: ShardRecord, row: LedgerRow, tensors: Mapping[str, TensorBytes]) -> Iterator[str]:
    """A sheet's latents stand still, and the pair's are as many and as large as it was measured to be."""
    for name, size in (("", record.latents.video), ("reference_", record.latents.reference_video)):
        if size is None:
            continue
        held = {f"{name}frames": 8 * size[0] - 7, "sheet_height": 32 * size[1], "sheet_width": 32 * size[2]}
        for key, value in held.items():
            if row.measured.get(key) != value:
                yield f"{name}video_latents are of {value} {key}, measured were {row.measured.get(key)}"
    if (reference := tensors.get("reference_video_latents")) is not None:
        still = reference.array()
        if (still != still[:, :1]).any():
            yield "reference_video_latents do not stand still"


def _finite(tensor: TensorBytes) -> bool:
    """No NaN or infinity: an exponent of all ones (bf16 is the upper half of fp32)."""
    bits = tensor.array()
    if tensor.dtype == "BF16":
        return bool(((bits & 0x7F80) != 0x7F80).all())
    return bool((abs(bits) < float("inf")).all())
