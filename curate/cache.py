"""One entry per sample, found by a hash of everything that made it; every build shares them.

An entry is a record (JSON) and, unless it is a rejection or has nothing else to say, its media (safetensors):
`KIND/ab/abcdef….json` and `KIND/ab/abcdef…-SHA.safetensors`. The media come first and the record last, each by an
atomic rename, and the record says which media it means: whenever a process dies, an entry is whole or absent. The
media file carries the start of its own sha256 in its name, so two writers of one key cannot mix theirs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy.typing as npt
from pydantic import BaseModel

from curate.errors import CurateError
from curate.files import map_file, remove, write_atomic
from curate.records import Record, Sha256, canonical, sha256_of
from curate.tensors import TensorBytes, pack_tensors, unpack_tensors


class _Media(Record):
    sha256: Sha256
    bytes: int


class _Stored(Record):
    """What the JSON file of an entry holds."""

    record: dict[str, Any]
    media: _Media | None
    sha256: Sha256  # of the two above: a flipped digit is still JSON

    @classmethod
    def of(cls, record: dict[str, Any], media: _Media | None) -> Self:
        return cls(record=record, media=media, sha256=key_of(record=record, media=media))


@dataclass(frozen=True)
class Entry:
    """A finished sample: its record, and the sha256 of its media file (None when it has none)."""

    record: dict[str, Any]
    sha256: str | None
    _paths: tuple[Path, Path] | None = field(default=None, repr=False)  # record, media

    def tensors(self) -> dict[str, TensorBytes]:
        """The media, read and checked now; empty when there are none.

        Raises CurateError when the file is not the one that was written; the entry is then removed, so that
        running again makes it anew.
        """
        if self._paths is None:
            return {}
        record, media = self._paths
        view = map_file(media)
        if hashlib.sha256(view).hexdigest() != self.sha256:
            remove(record)
            remove(media)
            raise CurateError(
                f"{media}: damaged since it was written; removed: run again to remake the sample"
            )
        return unpack_tensors(view, str(media))[0]


class Cache:
    """Entries under one folder, each known by a kind (`example`, `latents`) and a key from `key_of`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def get(self, kind: str, key: str) -> Entry | None:
        """The entry, or None when there is none or it is not whole. Its media are not read yet.

        Raises CurateError when the folder cannot be read.
        """
        path = self._record_path(kind, key)
        try:
            stored = _Stored.model_validate(json.loads(path.read_bytes()))
            if stored != _Stored.of(stored.record, stored.media):
                return None
            if stored.media is None:
                return Entry(stored.record, None)
            media = _media_path(path, stored.media.sha256)
            if media.stat().st_size != stored.media.bytes:
                return None
        except (FileNotFoundError, ValueError):  # pydantic's and json's errors are ValueErrors
            return None
        except OSError as error:
            raise CurateError(f"cannot read {path}: {error.strerror}") from error
        return Entry(stored.record, stored.media.sha256, (path, media))

    def put(
        self,
        kind: str,
        key: str,
        record: Mapping[str, Any],
        tensors: Mapping[str, TensorBytes | npt.NDArray[Any]] | None = None,
    ) -> Entry:
        """Store an entry and give it back as `get` will, so that a first run and a repeated one see the same.

        Raises CurateError when it cannot be written; TypeError or ValueError when JSON cannot spell the record.
        """
        path = self._record_path(kind, key)
        spelled = canonical(dict(record))
        media = None
        if tensors is not None:
            blob = pack_tensors(
                tensors, {"kind": kind}, f"{kind} {key}"
            )  # not the key: same media, same hash
            media = _Media(sha256=hashlib.sha256(blob).hexdigest(), bytes=len(blob))
            write_atomic(_media_path(path, media.sha256), blob)
        stored = _Stored.of(json.loads(spelled), media)
        write_atomic(path, canonical(stored))
        if media is None:
            return Entry(stored.record, None)
        return Entry(stored.record, media.sha256, (path, _media_path(path, media.sha256)))

    def _record_path(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / f"{key}.json"


def key_of(**parts: Any) -> str:
    """Hex sha256 that names an entry: of everything that made it, records or plain values.

    Raises TypeError or ValueError for a value that canonical JSON cannot spell, rather than hash something else.
    """
    plain = {
        name: part.model_dump(mode="json") if isinstance(part, BaseModel) else part
        for name, part in parts.items()
    }
    return sha256_of(plain)


def _media_path(record: Path, sha256: str) -> Path:
    return record.with_name(f"{record.stem}-{sha256[:16]}.safetensors")
