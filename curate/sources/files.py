"""The files under a folder, and the hash of each, remembered."""

import hashlib
import os
from pathlib import Path

from pydantic import ValidationError

from curate.errors import CurateError, Rejected
from curate.files import write_atomic
from curate.records import Record, Sha256, canonical


class HashEntry(Record):
    """What a file looked like when it was hashed."""

    size: int
    mtime_ns: int
    ctime_ns: int  # the other can be set back
    sha256: Sha256


def shown(path: Path) -> str:
    """A path on one line, whatever is in its name."""
    return str(path).encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r")


def files_under(root: Path) -> list[Path]:
    """All files that are not hidden, sorted by their path from `root` on.

    Linked folders are entered after the real ones, and every folder once, however many links lead there.
    Raises CurateError for a folder that cannot be read.
    """
    entered: set[tuple[int, int]] = set()
    found: list[Path] = []
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            place = folder.stat()
            entries = [] if (place.st_dev, place.st_ino) in entered else sorted(os.listdir(folder))
        except OSError as error:
            raise CurateError(f"{shown(folder)}: cannot be listed: {error.strerror}") from error
        entered.add((place.st_dev, place.st_ino))
        for path in (folder / name for name in entries if not name.startswith(".")):
            if not path.is_dir():
                found.append(path)
            elif path.is_symlink():
                links.append(path)
            else:
                folders.append(path)
        links.sort()
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def file_sha256(path: Path, cache: Path) -> str:
    """Hex sha256 of a file, remembered in `cache` by absolute path, size and time of change.

    Raises Rejected("unreadable").
    """
    place = os.path.abspath(path)
    entry_path = cache / "hashes" / f"{hashlib.sha256(os.fsencode(place)).hexdigest()}.json"
    try:
        if not path.is_file():  # a pipe would block for ever
            raise Rejected("unreadable", "not a file, or a link to nothing")
        before = path.stat()
        entry = _remembered(entry_path)
        if entry and (entry.size, entry.mtime_ns, entry.ctime_ns) == _stamp(before):
            return entry.sha256
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        after = path.stat()
    except OSError as error:
        raise Rejected("unreadable", error.strerror or str(error)) from error
    if _stamp(after) == _stamp(before):
        size, mtime_ns, ctime_ns = _stamp(after)
        entry = HashEntry(size=size, mtime_ns=mtime_ns, ctime_ns=ctime_ns, sha256=digest)
        write_atomic(entry_path, canonical(entry))
    return digest


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _remembered(path: Path) -> HashEntry | None:
    """The entry; None when there is none, or what is there is damaged."""
    try:
        return HashEntry.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
