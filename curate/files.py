"""Files that appear whole or not at all, files seen as memory, and files that are programs."""

import errno
import importlib.util
import mmap
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from curate.errors import CurateError

Blob = bytes | bytearray | memoryview  # a memoryview of single bytes


def module_of(path: Path, name: str) -> ModuleType:
    """A user's Python file, run as a module of this name. Raises whatever it raises, and ImportError for no Python file."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # what pydantic and dataclasses resolve annotations through
    spec.loader.exec_module(module)
    return module


@contextmanager
def atomic_writer(path: Path, *, durable: bool = False) -> Iterator[Callable[[Blob], None]]:
    """Give a `write(data)` function whose bytes get the name `path` only when the block ends without error.

    Until then they are in a temporary sibling, which a failure removes. Missing parent folders are made.
    `durable` waits until the disk has the bytes, so that no manifest written later names a file that a power cut
    emptied. Raises CurateError when a write fails; errors of the block itself pass through.
    """
    # the process id and the random part keep two writers of one path apart; the last to finish wins
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    with _named("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = temporary.open("xb", buffering=0)

    def write(data: Blob) -> None:
        rest = memoryview(data)
        with _named("write", path):
            while rest:
                rest = rest[stream.write(rest) :]

    try:
        yield write
        with _named("write", path):
            if durable:
                os.fsync(stream.fileno())
            stream.close()
            os.replace(temporary, path)
    finally:
        stream.close()
        temporary.unlink(missing_ok=True)


def write_atomic(path: Path, data: Blob) -> None:
    """Write `data` so that `path` holds all of it or what was there before.

    Raises CurateError when the disk is full or the place cannot be written.
    """
    with atomic_writer(path) as write:
        write(data)


def map_file(path: Path) -> memoryview:
    """The bytes of a file without reading them first, as a writable view; changes stay in this process.

    Private copy-on-write pages, because torch warns about memory that it may not write to. The mapping lasts as
    long as any view of it. Raises CurateError when the file is missing or cannot be read.
    """
    with _named("read", path), path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size == 0:
            return memoryview(b"")  # mmap refuses an empty file
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY))


def remove(path: Path) -> None:
    """Delete a file if it is there; raises CurateError when that is not allowed."""
    with _named("remove", path):
        path.unlink(missing_ok=True)


@contextmanager
def _named(verb: str, path: Path) -> Iterator[None]:
    """Turn an OSError into one line that names the file the user knows, not the temporary one."""
    try:
        yield
    except OSError as error:
        message = f"cannot {verb} {path}: {error.strerror}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"disk full while writing {path}: free space and run again; finished samples are kept"
        raise CurateError(message) from error
