"""Shared by the tests of listing VBVR."""

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curate.records import Clip, Drop, Wanted
from curate.sources.store import LocalStore, Readable
from curate.sources.vbvr import list_vbvr


class Metered(LocalStore):
    """A folder that counts the bytes of tars that are read."""

    read = 0

    @contextmanager
    def stream(self, path: str, offset: int) -> Iterator[Readable]:
        with super().stream(path, offset) as stream:
            outer = self

            class Counted:
                def read(self, count: int, /) -> bytes:
                    data = stream.read(count)
                    outer.read += len(data)
                    return data

            yield Counted()


def wanted(*parts: str, window: int = 100) -> Wanted:
    return Wanted(parts=dict.fromkeys(parts, 1), window=window)


def listed(folder: Path, cache: Path, *parts: str, window: int = 100) -> tuple[list[Clip], list[Drop]]:
    return list_vbvr(LocalStore(folder), wanted(*parts, window=window), cache)


def told(listing: tuple[list[Clip], list[Drop]]) -> list[dict[str, Any]]:
    """All that is written of a listing, so without the places of files."""
    return [record.model_dump() for records in listing for record in records]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def became_whole(tar: Path) -> list[str]:
    """Videos in the order in which the last of their three files is met."""
    met: dict[str, set[str]] = {}
    order = []
    with tarfile.open(tar) as file:
        for member in file:
            sample, _, name = member.name.rpartition("/")
            if name.endswith((".png", ".mp4")):
                met.setdefault(sample, set()).add(name)
                order += [f"{sample}/ground_truth.mp4"] if len(met[sample]) == 3 else []
    return order
