"""Where the files of a repository-shaped source are: in a folder, or on the Hub."""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import yaml

from curate.errors import CurateError
from curate.records import FileCard
from curate.sources.files import files_under, shown
from curate.sources.hub_http import TIMEOUT_S, HubStream, hub_errors

README = "README.md"


class Readable(Protocol):
    """Bytes from some point of a file on."""

    def read(self, count: int, /) -> bytes:
        """The next `count` bytes; fewer only where the file ends."""


class Store(Protocol):
    """The files of a source by their paths in it, relative and with forward slashes. All raise CurateError."""

    @property
    def name(self) -> str:
        """For messages: as the user gave it."""

    @property
    def licence(self) -> str | None:
        """What the card (README.md) says."""

    def paths(self) -> list[str]:
        """All files, sorted."""

    def identity(self, path: str) -> str:
        """What names the bytes of a file in a cache: other bytes, other identity."""

    def fetch(self, path: str) -> Path:
        """The whole file on this machine's disk."""

    def stream(self, path: str, offset: int) -> AbstractContextManager[Readable]:
        """The file from a byte on; no more of it is read than is asked for."""


class LocalStore:
    """A folder laid out like a repository."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        """The folder."""
        return shown(self.root)

    @property
    def licence(self) -> str | None:
        """`license` in the front matter of README.md."""
        try:
            card = self.root / README
            return licence_of(card.read_text(encoding="utf-8")) if card.is_file() else None
        except (OSError, UnicodeDecodeError):
            return None

    def paths(self) -> list[str]:
        """All files that are not hidden, sorted."""
        return [path.relative_to(self.root).as_posix() for path in files_under(self.root)]

    def identity(self, path: str) -> str:
        """Of absolute path, inode, size and times of change: a tar of gigabytes is not hashed to be named.

        The time of the inode's change too: that of the contents can be set back.
        """
        with self._readable(path):
            found = (self.root / path).stat()
        place = os.fsencode(os.path.abspath(self.root / path))
        told = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        return hashlib.sha256(place + "".join(f"\0{n}" for n in told).encode()).hexdigest()

    def fetch(self, path: str) -> Path:
        """The file itself."""
        return self.root / path

    @contextmanager
    def stream(self, path: str, offset: int) -> Iterator[Readable]:
        """The file from a byte on."""
        if (self.root / path).exists() and not (self.root / path).is_file():  # a pipe would block for ever
            raise CurateError(f"{shown(self.root / path)}: is no file")
        with self._readable(path), (self.root / path).open("rb") as file:
            file.seek(offset)
            yield file

    @contextmanager
    def _readable(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CurateError(f"{shown(self.root / path)}: cannot be read: {error.strerror}") from error


class HubStore:
    """A dataset repository on the Hub at one commit, which is looked up once. `hub:OWNER/NAME` or `…@REVISION`.

    Raises CurateError, as all its methods, when the Hub does not have it or cannot be reached.
    """

    def __init__(self, repo: str, revision: str | None = None) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars, logging

        self.repo = repo
        self.name = f"hub:{repo}" + (f"@{revision}" if revision else "")
        if not sys.stderr.isatty():
            disable_progress_bars()
        logging.set_verbosity_error()  # what fails in the end is told in one line
        with hub_errors(self.name):
            found = HfApi().dataset_info(repo, revision=revision, files_metadata=True, timeout=TIMEOUT_S)
            if not found.sha or any(file.size is None for file in found.siblings or ()):
                raise ValueError("no commit, or files without sizes")
            self.commit = found.sha
            self.licence = licence_text(getattr(found.card_data, "license", None))
            self._files = {file.rfilename: file for file in found.siblings or ()}

    def paths(self) -> list[str]:
        """All files, sorted."""
        return sorted(self._files)

    def identity(self, path: str) -> str:
        """Of repository, path and etag. Not of the commit, which also changes when only the card does."""
        return hashlib.sha256(f"{self.repo}\0{path}\0{self._etag(path)}".encode()).hexdigest()

    def fetch(self, path: str) -> Path:
        """The file in the cache of the Hub's client, downloaded when it is not there yet."""
        from huggingface_hub import hf_hub_download

        with hub_errors(self.name):
            return Path(hf_hub_download(self.repo, path, repo_type="dataset", revision=self.commit))

    @contextmanager
    def stream(self, path: str, offset: int) -> Iterator[Readable]:
        """The file from a byte on; a connection that breaks is taken up where it stopped."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        url = hf_hub_url(self.repo, path, repo_type="dataset", revision=self.commit)
        size, etag = self._files[path].size or 0, self._etag(path)
        stream = HubStream(
            url, build_hf_headers(), f"{self.name}, {path}", offset=offset, size=size, etag=etag
        )
        with closing(stream):
            yield stream

    def holds(self, path: str) -> bool:
        """Whether it has this file."""
        return path in self._files

    def known(self, path: str) -> FileCard | None:
        """What is known of a file's bytes without reading them: nothing of small ones."""
        file = self._files.get(path)
        return FileCard(sha256=file.lfs.sha256, bytes=file.lfs.size) if file and file.lfs else None

    def _etag(self, path: str) -> str:
        """What the Hub calls the bytes: the sha256 of a large file, git's id of a small one."""
        file = self._files[path]
        return str(file.lfs.sha256 if file.lfs else file.blob_id)


def is_safe(path: str) -> bool:
    """Whether a path leads nowhere but below its root, and can be shown."""
    return path.isprintable() and not any(part in ("", ".", "..") for part in path.split("/"))


def licence_of(card: str) -> str | None:
    """`license` in the front matter of a dataset card; None where it says nothing that can be read."""
    found = re.match(r"---\r?\n(.*?)\r?\n---", card, re.DOTALL)
    try:
        values: Any = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        return None
    return licence_text(values.get("license")) if isinstance(values, dict) else None


def licence_text(value: object) -> str | None:
    """A licence as one text: cards may list several."""
    names = value if isinstance(value, list) else [value]
    return ", ".join(name for name in names if isinstance(name, str) and name) or None
