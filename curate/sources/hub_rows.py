"""The rows of any dataset on the Hub, streamed by `datasets`, and the file that each of them holds."""

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, cast

from curate.errors import CurateError, Rejected
from curate.files import atomic_writer, write_atomic
from curate.records import sha256_of
from curate.sources.store import HubStore, Readable, is_safe

SUFFIXES = {"Video": ".mp4", "Audio": ".wav", "Image": ".png"}  # of a file without a name, by kind of column
CHUNK = 1 << 20
Follow = Callable[[list[str]], Iterable[str]]


class Row(NamedTuple):
    """A row and its file: the first of its videos, else of its sounds, else of its pictures."""

    split: str
    number: int  # in the split
    name: str  # of the file, for people: split, then its key, its path or the number of the row
    data: bytes | None
    place: str | None  # where the bytes are when they are not in the row: hf://…, or zip://…::hf://…
    values: dict[str, Any]  # the other columns


def read_rows(store: HubStore, follow: Follow) -> Iterator[Row]:
    """All rows, split after split; `follow` passes on the splits.

    Raises CurateError when a split has no column of media, and for whatever stops `datasets` from reading.
    """
    names: set[str] = set()
    with _dataset_errors(store.name):
        splits = _opened(store)
        for split in follow(list(splits)):
            rows, kinds = splits[split]
            for number, values in enumerate(rows):
                row = _row(values, kinds, store, split, number)
                if row.name in names:
                    row = row._replace(name=f"{split}/{number:08d}{PurePosixPath(row.name).suffix}")
                names.add(row.name)
                yield row


def keep(row: Row, store: HubStore, cache: Path) -> tuple[Path, str]:
    """The row's file in `cache` under the sha256 of its bytes, and that. What is there is not written again.

    Raises Rejected("no_media"), and CurateError when the Hub cannot be reached.
    """
    suffix = PurePosixPath(row.name).suffix.lower()
    if row.data is not None:
        sha256 = hashlib.sha256(row.data).hexdigest()
        path = cache / f"{sha256}{suffix}"
        if not _is_there(path, len(row.data)):
            write_atomic(path, row.data)
        return path, sha256
    # only out of the repository: a row could name any file of this machine, or any address
    if row.place is None or not row.place.split("::")[-1].startswith(_root(store)):
        raise Rejected("no_media", "the row holds no bytes, and no place in the repository")
    if known := store.known(row.place.removeprefix(_root(store))):
        path = cache / f"{known.sha256}{suffix}"
        if _is_there(path, known.bytes):
            return path, known.sha256
    return _downloaded(row.place, store, cache, suffix)


def _downloaded(place: str, store: HubStore, cache: Path, suffix: str) -> tuple[Path, str]:
    digest = hashlib.sha256()
    coming = cache / f"{sha256_of([store.repo, place])}.part"
    with _dataset_errors(store.name), _stream(place, store) as stream, atomic_writer(coming) as write:
        while piece := stream.read(CHUNK):
            digest.update(piece)
            write(piece)
    path = cache / f"{digest.hexdigest()}{suffix}"
    if _is_there(path, coming.stat().st_size):
        coming.unlink()
    else:
        os.replace(coming, path)
    return path, digest.hexdigest()


def _stream(place: str, store: HubStore) -> AbstractContextManager[Readable]:
    path = place.removeprefix(_root(store))
    if store.holds(path):
        return store.stream(path, 0)
    from datasets.utils.file_utils import xopen

    return cast(AbstractContextManager[Readable], xopen(place, "rb"))  # inside an archive


def _opened(store: HubStore) -> dict[str, tuple[Iterable[dict[str, Any]], dict[str, str]]]:
    """By split: its rows, nothing of them decoded, and the kinds of its columns of media in order."""
    import datasets

    # it would try twenty times, five seconds apart
    datasets.config.STREAMING_READ_MAX_RETRIES = datasets.config.STREAMING_OPEN_MAX_RETRIES = 3
    datasets.config.STREAMING_READ_RETRY_INTERVAL = datasets.config.STREAMING_OPEN_RETRY_INTERVAL = 1
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    found: dict[str, tuple[Iterable[dict[str, Any]], dict[str, str]]] = {}
    for split, rows in datasets.load_dataset(store.repo, revision=store.commit, streaming=True).items():
        features = rows.features or dict.fromkeys(next(iter(rows), {}))
        kinds = {name: type(feature).__name__ for name, feature in features.items()}
        media = {name: kind for kind in SUFFIXES for name in kinds if kinds[name] == kind}
        if not media:
            told = f"found columns {', '.join(kinds) or '(none)'} in split {split}"
            raise CurateError(f"{store.name}: {told}; wanted one of videos, sounds or pictures")
        found[str(split)] = (rows.decode(False), media)
    return found


@contextmanager
def _dataset_errors(name: str) -> Iterator[None]:
    """One line for whatever a reader raises: those of the many formats have no type in common."""
    try:
        yield
    except CurateError:
        raise
    except Exception as error:
        told = " ".join(str(error).split())[:300] or type(error).__name__
        raise CurateError(f"{name}: cannot be read as a dataset: {told}") from error


def _row(values: Mapping[str, Any], kinds: dict[str, str], store: HubStore, split: str, number: int) -> Row:
    column = next((name for name in kinds if values.get(name)), next(iter(kinds)))
    cell = values.get(column) or {}
    place = cell.get("path")
    # a webdataset calls its columns by what follows the key in the names of files
    name = f"{values['__key__']}.{column}" if "__key__" in values else _inner(place or "", store)
    if not is_safe(name):
        name = f"{number:08d}"
    if not re.fullmatch(r"\.\w{1,8}", PurePosixPath(name).suffix, re.ASCII):
        name += SUFFIXES[kinds[column]]
    others = {key: value for key, value in values.items() if key not in kinds and not key.startswith("__")}
    return Row(split, number, f"{split}/{name.removeprefix(f'{split}/')}", cell.get("bytes"), place, others)


def _inner(place: str, store: HubStore) -> str:
    """A place as a path from the root of the repository, or of an archive in it."""
    return place.partition("::")[0].removeprefix(_root(store)).removeprefix("zip://")


def _root(store: HubStore) -> str:
    return f"hf://datasets/{store.repo}@{store.commit}/"


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
