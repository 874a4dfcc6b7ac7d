"""A finished set as training reads it: checked once, then mapped into memory and read without a copy.

Nothing is believed because a file exists. Every file that training touches must have the sha256 that build.json
says, and every sample's tensors must be stamped with its record and with the set's encoder.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from pydantic import ValidationError

from curate.encode.plain import as_torch
from curate.encode.text import TEXT_LENGTH
from curate.errors import CurateError
from curate.files import map_file
from curate.manifest import MANIFEST, load_build, read_record
from curate.records import SPLITS, ShardRecord, Split, rng, sha256_of
from curate.schema import ShardIndex
from curate.shard import ShardReader
from curate.tensors import TensorBytes, unpack_tensors
from curate.train.config import TRAIN_YAML

INDEX = "shards/index.json"
TYPES = ("BF16", "F32")


@dataclass(frozen=True)
class LatentSample:
    """One sample: its record, and its tensors by name, views into the shard."""

    record: ShardRecord
    latents: dict[str, torch.Tensor]

    def get(self, name: str) -> torch.Tensor | None:
        """A tensor in float32, None where the sample has none."""
        found = self.latents.get(name)
        return None if found is None else found.float()


class TrainingSet:
    """A build directory, opened for reading. Raises CurateError for whatever is no whole, encoded set."""

    def __init__(self, folder: Path, *, sweep: bool = False) -> None:
        """`sweep` opens a sweep of tones, which there is nothing to train on."""
        self.folder = folder
        self.build = load_build(folder)
        self.sha256 = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        if self.build.encoder_sha256 is None:
            raise CurateError(
                f"{folder}: was built with --no-encode and holds no latents; build it again without"
            )
        if self.build.control == "sweep" and not sweep:
            raise CurateError(
                f"{folder}: is a sweep, tones to try a LoRA with (`curate sample`), nothing to train on"
            )
        if sha256_of(self.build.encoder) != self.build.encoder_sha256:
            raise CurateError(f"{folder / MANIFEST}: encoder_sha256 is not that of its encoder")
        self._records = dict[tuple[Split, str], ShardRecord]()
        self._verify()
        index = read_record(self._listed(INDEX), ShardIndex)
        for card in index.shards:
            self._listed(f"shards/{card.name}")
        ids = [sample.id for card in index.shards for sample in card.samples]
        if len(set(ids)) < len(ids):
            raise CurateError(
                f"{self.folder / INDEX}: {max(ids, key=ids.count)} is there twice, wanted every id once"
            )
        self._readers = {
            split: ShardReader(folder / "shards", [c for c in index.shards if c.name.startswith(f"{split}-")])
            for split in SPLITS
        }

    def _verify(self) -> None:
        """Every file that training reads is the one in the manifest."""
        for name, card in self.build.files.items():
            if not name.startswith(("shards/", "text/")) and name != TRAIN_YAML:
                continue
            path = self.folder / name
            if "\0" in name or ".." in PurePosixPath(name).parts or (path.exists() and not path.is_file()):
                raise CurateError(f"{path!s}: is no file, {MANIFEST} lists it".replace("\0", "?"))
            try:
                with path.open("rb") as stream:
                    found = hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                raise CurateError(f"{path}: {error.strerror}, {MANIFEST} lists it") from error
            if found != card.sha256:
                raise CurateError(f"{path}: sha256 {found[:16]}…, {MANIFEST} says {card.sha256[:16]}…")

    def _listed(self, name: str) -> Path:
        """The path of a file that the manifest vouches for."""
        if name not in self.build.files:
            raise CurateError(f"{self.folder / MANIFEST}: lists no {name}")
        return self.folder / name

    @property
    def table(self) -> str:
        """The text of its train.yaml. Raises CurateError where it has none."""
        if TRAIN_YAML not in self.build.files:
            raise CurateError(f"{self.folder}: has no {TRAIN_YAML}; give a training table with --config")
        try:
            return (self.folder / TRAIN_YAML).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise CurateError(f"{self.folder / TRAIN_YAML}: is not UTF-8, wanted a training table") from error

    def keys(self, split: Split) -> list[str]:
        """Keys of the samples of a split, in the order of the shards."""
        return [sample.key for sample in self._readers[split].samples]

    def record(self, split: Split, key: str) -> ShardRecord:
        """What the set says of one sample, read once. Raises CurateError for a record that is not of this set."""
        if (split, key) in self._records:
            return self._records[split, key]
        where = self._where(split, key)
        try:
            record = ShardRecord.model_validate_json(bytes(self._readers[split].read(key, "json")))
        except ValidationError as error:
            raise CurateError(f"{where}: its record is not one: {error.errors()[0]['msg']}") from error
        held = (record.split, record.encoder_sha256, record.caption_sha256)
        if held != (split, self.build.encoder_sha256, sha256_of(record.caption)):
            raise CurateError(
                f"{where}: its record is of split, encoder and caption {held}, wanted those of the set"
            )
        self._records[split, key] = record
        return record

    def records(self, split: Split) -> list[ShardRecord]:
        """What the set says of every sample of a split, in the order of the shards."""
        return [self.record(split, key) for key in self.keys(split)]

    def _where(self, split: Split, key: str) -> str:
        return f"{self.folder / 'shards'}: {split} {key}"

    def read(self, split: Split, key: str) -> LatentSample:
        """One sample, its tensors views into the mapped shard. Raises CurateError where stamp and record differ."""
        record, where = self.record(split, key), self._where(split, key)
        tensors, stamp = unpack_tensors(self._readers[split].read(key, "safetensors"), where)
        told = record.model_dump(mode="json", include={"id", "sources", "example_sha256"})
        for name, wanted in (told | {"encoder_sha256": self.build.encoder_sha256}).items():
            if stamp.get(name) != wanted:
                raise CurateError(
                    f"{where}: its tensors are stamped {name} {stamp.get(name)!r}, wanted {wanted!r}"
                )
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        if shapes != record.latents.shapes():
            raise CurateError(f"{where}: holds {shapes}, its record says {record.latents.shapes()}")
        latents = {name: as_latents(tensor, f"{where}: {name}") for name, tensor in tensors.items()}
        return LatentSample(record, latents)

    def captions(self) -> list[str]:
        """The distinct captions of both splits, sorted."""
        return sorted({record.caption for split in SPLITS for record in self.records(split)})

    def text(self, caption: str) -> dict[str, torch.Tensor]:
        """Stored features of a caption: `video_text` # (L, Dv), `audio_text` # (L, Da), bfloat16.

        Raises CurateError for a caption without any.
        """
        path = self._listed(f"text/{sha256_of(caption)}.safetensors")
        tensors, stamp = unpack_tensors(map_file(path), str(path))
        if (stamp.get("caption"), stamp.get("encoder_sha256")) != (caption, self.build.encoder_sha256):
            raise CurateError(f"{path}: of another caption or encoder than the set's")
        found = {name: as_latents(tensor, f"{path}: {name}") for name, tensor in tensors.items()}
        shapes = {name: tuple(tensor.shape) for name, tensor in found.items()}
        if sorted(shapes) != ["audio_text", "video_text"] or {len(shape) for shape in shapes.values()} != {2}:
            raise CurateError(f"{path}: holds {shapes}, wanted video_text [L, Dv] and audio_text [L, Da]")
        counts = {shape[0] for shape in shapes.values()}
        if len(counts) > 1 or max(counts) > TEXT_LENGTH:
            raise CurateError(f"{path}: of {sorted(counts)} tokens, wanted one number up to {TEXT_LENGTH}")
        return found


def as_latents(tensor: TensorBytes, where: str = "a tensor") -> torch.Tensor:
    """The same memory as a torch tensor.

    Raises CurateError, which begins with `where`, for other types of number, nothing, and what is not finite.
    """
    if tensor.dtype not in TYPES:
        raise CurateError(f"{where} is {tensor.dtype}, wanted {' or '.join(TYPES)}")
    if 0 in tensor.shape:
        raise CurateError(f"{where} is {list(tensor.shape)}, wanted something in it")
    found = as_torch(tensor)
    if not torch.isfinite(found).all():
        raise CurateError(f"{where} has values that are not finite")
    return found


def turn(keys: Sequence[str], seed: int, index: int) -> str:
    """The key that has turn `index`, counted from 0 over the whole run: each epoch is an order of its own."""
    epoch, place = divmod(index, len(keys))
    order = rng(seed, "order", str(epoch)).permutation(len(keys))
    return keys[int(order[place])]
