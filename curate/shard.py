"""Shards: plain tar files in webdataset layout, with deterministic bytes and aligned members.

`000042.json` is the record of sample 000042, `000042.safetensors` its tensors. The members of one sample lie next
to each other, the record first. A member begins at a multiple of 512 bytes, so tensors that are 64-byte aligned in
their own file (curate.tensors) are so in the shard, and one memory map serves them without a copy. Stock tar,
tarfile, webdataset and safetensors read the same files.
"""

import hashlib
import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, NonNegativeInt

from curate.errors import CurateError
from curate.files import Blob, atomic_writer, map_file, remove
from curate.records import Record, Sha256, Split

BLOCK = 512
END = bytes(2 * BLOCK)
SHARD_BYTES = 256 * 2**20
MEMBER_LIMIT = 8 * 2**30  # bytes; what eleven octal digits can say
NAME_LIMIT = 100  # bytes of a ustar name
# webdataset cuts a name at its first dot: a dot in the key would merge samples, silently
NAME = re.compile(r"([0-9]{6,})\.([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)")


class ShardSample(Record):
    """Where the members of one sample are in their shard."""

    key: str = Field(description="Zero-padded digits, unique within the split.")
    id: str | None = Field(description="The `id` of the sample's record.")
    members: dict[str, tuple[NonNegativeInt, NonNegativeInt]] = Field(
        description="Extension: [offset, size] in bytes."
    )


class ShardCard(Record):
    """What a shard holds, as `shards/index.json` lists it."""

    name: str
    sha256: Sha256
    bytes: int
    samples: tuple[ShardSample, ...]


class Member(NamedTuple):
    """One file of a tar: the key and extension of its name, where its data is in bytes."""

    name: str
    offset: int
    size: int


def write_shard(path: Path, samples: Iterable[tuple[str, Mapping[str, Blob]]]) -> ShardCard:
    """Write (key, {extension: bytes}) samples as one tar; it gets its name when it is whole and on the disk.

    Raises CurateError for a key or extension that webdataset would misread, a key used twice, a sample without a
    `json` record, and when the disk is full.
    """
    digest, position, cards = hashlib.sha256(), 0, list[ShardSample]()
    with atomic_writer(path, durable=True) as write_file:

        def write(data: Blob) -> None:
            nonlocal position
            write_file(data)
            digest.update(data)
            position += len(data)

        keys = set[str]()
        for key, members in samples:
            identity = _checked_id(key, members, path)
            if key in keys:
                raise CurateError(f"{path}: key {key} comes twice")
            keys.add(key)
            offsets = {}
            for extension in _ordered(members):
                offsets[extension] = (position + BLOCK, len(members[extension]))
                _write_member(write, f"{key}.{extension}", members[extension])
            cards.append(ShardSample(key=key, id=identity, members=offsets))
        write(END)
    return ShardCard(name=path.name, sha256=digest.hexdigest(), bytes=position, samples=tuple(cards))


def pack(
    folder: Path, split: Split, samples: Iterable[Mapping[str, Blob]], shard_bytes: int = SHARD_BYTES
) -> list[ShardCard]:
    """Write the samples of a split as `train-00000.tar`, `train-00001.tar` …, with keys from 000000 on.

    A shard is closed before it would exceed `shard_bytes` (a larger sample gets one of its own). One or two samples
    are in memory at a time. Shards of the same split from an earlier, longer run are removed at the end, because
    readers take `train-*.tar`. Raises CurateError like `write_shard`.
    """
    cards = []
    for number, batch in groupby(_numbered(samples, shard_bytes), key=itemgetter(0)):
        path = folder / f"{split}-{number:05d}.tar"
        cards.append(write_shard(path, ((key, members) for _, key, members in batch)))
    current = {card.name for card in cards}
    for path in [
        *folder.glob(f"{split}-{'[0-9]' * 5}.tar"),
        *folder.glob(f".{split}-{'[0-9]' * 5}.tar.*.tmp"),
    ]:
        if path.name not in current:
            remove(path)
    return cards


class ShardReader:
    """Reads members of the shards of one split by key, without a copy, through one lasting memory map per shard."""

    def __init__(self, folder: Path, cards: Sequence[ShardCard]) -> None:
        """Takes the cards from `shards/index.json`; opens a shard when it is first read.

        Raises CurateError when two cards share a key (train and held-out number theirs alike: one reader each).
        """
        self._folder = folder
        self._maps: dict[str, memoryview] = {}
        self._places: dict[str, tuple[ShardCard, ShardSample]] = {}
        for card in cards:
            for sample in card.samples:
                if sample.key in self._places:
                    raise CurateError(f"{folder / card.name}: key {sample.key} comes twice")
                self._places[sample.key] = (card, sample)

    @property
    def samples(self) -> list[ShardSample]:
        """The samples of all shards, in order."""
        return [sample for _, sample in self._places.values()]

    def read(self, key: str, extension: str) -> memoryview:
        """The bytes of one member: a writable private view that stays valid as long as it is kept.

        Raises CurateError for a member that the index lacks, and when the shard is not the one that was indexed.
        """
        card, sample = self._places.get(key, (None, None))
        if card is None or sample is None or extension not in sample.members:
            raise CurateError(f"{self._folder}: no member {key}.{extension} in the index")
        offset, size = sample.members[extension]
        view = self._view(card)
        # the header is compared too, so that an index beside another build's shard cannot hand out wrong samples
        if view[offset - BLOCK : offset] != _header(f"{key}.{extension}", size) or offset + size > len(view):
            raise CurateError(
                f"{self._folder / card.name}: no {key}.{extension} of {size} bytes at byte {offset}"
            )
        return view[offset : offset + size]

    def _view(self, card: ShardCard) -> memoryview:
        if card.name not in self._maps:
            view = map_file(self._folder / card.name)
            if len(view) != card.bytes:
                raise CurateError(
                    f"{self._folder / card.name}: {len(view)} bytes, the index says {card.bytes}"
                )
            self._maps[card.name] = view
        return self._maps[card.name]


def iter_samples(path: Path) -> Iterator[tuple[str, dict[str, memoryview]]]:
    """(key, {extension: bytes}) of every sample, read from the tar alone, without a copy.

    Raises CurateError for whatever `write_shard` would not have written; the data itself is not checked.
    """
    view = map_file(path)
    members = list(_walk(view, path))
    for fault in _name_faults(members, path):
        raise CurateError(fault)
    for key, group in groupby(members, key=lambda member: member.name.partition(".")[0]):
        yield key, {name.partition(".")[2]: view[start : start + size] for name, start, size in group}


def verify_shard(path: Path, card: ShardCard) -> list[str]:
    """What is wrong with a shard, one line each that begins with its path; empty when all is well."""
    try:
        view = map_file(path)
    except CurateError as error:
        return [str(error)]
    faults = []
    if len(view) != card.bytes:
        faults.append(f"{path}: {len(view)} bytes, wanted {card.bytes}")
    digest = hashlib.sha256(view).hexdigest()
    if digest != card.sha256:
        faults.append(f"{path}: sha256 {digest}, wanted {card.sha256}")
    members = list[Member]()
    try:
        members.extend(_walk(view, path))
    except CurateError as error:
        faults.append(str(error))
    return faults + _name_faults(members, path) + _index_faults(members, card, path)


def _numbered(
    samples: Iterable[Mapping[str, Blob]], shard_bytes: int
) -> Iterator[tuple[int, str, Mapping[str, Blob]]]:
    """(shard number, key, members): says which shard each sample goes to while they pass by."""
    shard, used = 0, len(END)
    for number, members in enumerate(samples):
        size = sum(BLOCK + len(data) + -len(data) % BLOCK for data in members.values())
        if used + size > shard_bytes and used > len(END):
            shard, used = shard + 1, len(END)
        used += size
        yield shard, f"{number:06d}", members


def _ordered(members: Mapping[str, Blob]) -> list[str]:
    """The extensions in the order they are written: the record first."""
    return sorted(members, key=lambda extension: (extension != "json", extension))


def _checked_id(key: str, members: Mapping[str, Blob], path: Path) -> str | None:
    """The id in the record of a sample that may be written."""
    for extension, data in members.items():
        name = f"{key}.{extension}"
        if not NAME.fullmatch(name) or "." in key or len(name) >= NAME_LIMIT:
            raise CurateError(
                f"{path}: member {name!r}, wanted six or more digits, a dot, a lower-case extension"
            )
        if len(data) >= MEMBER_LIMIT:
            raise CurateError(
                f"{path}: member {name!r} has {len(data)} bytes, wanted fewer than {MEMBER_LIMIT}"
            )
    if "json" not in members:
        raise CurateError(
            f"{path}: sample {key} has members {sorted(members)}, wanted a json record among them"
        )
    try:
        record = json.loads(bytes(members["json"]))
    except ValueError as error:
        raise CurateError(f"{path}: {key}.json is not JSON: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("id"), str | None):
        raise CurateError(f"{path}: {key}.json is {str(record)[:60]}, wanted an object whose id is a string")
    return record.get("id")


def _write_member(write: Callable[[Blob], None], name: str, data: Blob) -> None:
    write(_header(name, len(data)))
    write(data)
    write(bytes(-len(data) % BLOCK))


def _header(name: str, size: int) -> bytes:
    """The header block of a regular file in the ustar format of POSIX.1-1988, without owner, time or device.

    Written here because tarfile's bytes have changed between Python versions.
    """
    fields = struct.pack(
        "100s 8s 8s 8s 12s 12s 8s 1s 100s 8s 32s 32s 8s 8s 155s 12x",
        name.encode(), b"0000644", b"0000000", b"0000000", b"%011o" % size, b"%011o" % 0, b" " * 8, b"0",
        b"", b"ustar\0" b"00", b"curate", b"curate", b"0000000", b"0000000", b"",
    )  # fmt: skip
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]


def _walk(view: memoryview, path: Path) -> Iterator[Member]:
    """The members of a tar in order; raises CurateError at the first byte that `write_shard` would not write there."""
    position = 0
    while (header := bytes(view[position : position + BLOCK])) != END[:BLOCK]:
        if len(header) < BLOCK:
            raise CurateError(f"{path}: truncated: ends at byte {len(view)} without two zero blocks")
        name, size = header[:NAME_LIMIT].rstrip(b"\0").decode("latin-1"), header[124:135]
        if (
            not re.fullmatch(rb"[0-7]{11}", size)
            or not name.isascii()
            or header != _header(name, int(size, 8))
        ):
            raise CurateError(f"{path}: no header of a curate shard at byte {position}")
        member = Member(name, position + BLOCK, int(size, 8))
        end = member.offset + member.size
        position = end + -end % BLOCK
        if position > len(view):
            raise CurateError(f"{path}: truncated: ends at byte {len(view)}, {name} reaches to {position}")
        if any(view[end:position]):
            raise CurateError(f"{path}: the padding after {name} is not zero")
        yield member
    if view[position:] != END:
        raise CurateError(f"{path}: wanted two zero blocks and nothing else from byte {position} to the end")


def _name_faults(members: Sequence[Member], path: Path) -> list[str]:
    """What webdataset would misread: bad names, repeated members, samples torn apart or without a record first."""
    faults, names, keys, last = [], set[str](), set[str](), ""
    for name in (member.name for member in members):
        key, _, extension = name.partition(".")
        if not NAME.fullmatch(name):
            faults.append(
                f"{path}: member {name!r}, wanted six or more digits, a dot, a lower-case extension"
            )
        if name in names:
            faults.append(f"{path}: member {name} comes twice")
        elif key != last and key in keys:
            faults.append(f"{path}: the members of {key} are not adjacent")
        elif key != last and extension != "json":
            faults.append(f"{path}: sample {key} begins with {name}, wanted its json record first")
        names.add(name)
        keys.add(key)
        last = key
    return faults


def _index_faults(members: Sequence[Member], card: ShardCard, path: Path) -> list[str]:
    """Where the tar and the card differ, one line for each kind."""
    found = {member.name: member[1:] for member in members}
    wanted = {f"{s.key}.{ext}": place for s in card.samples for ext, place in s.members.items()}
    kinds = {
        "members missing": [name for name in wanted if name not in found],
        "members not in the index": [name for name in found if name not in wanted],
        "members elsewhere than the index says": [n for n in wanted if n in found and found[n] != wanted[n]],
    }
    faults = [f"{path}: {len(names)} {kind}, first {names[0]}" for kind, names in kinds.items() if names]
    if len({sample.key for sample in card.samples}) != len(card.samples):
        faults.append(f"{path}: the index has a key twice")
    return faults
