"""Bytes of a file on the Hub from any place on, over as many connections as it takes; and the Hub's errors in one line."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from curate.errors import CurateError

TIMEOUT_S = 10.0  # to connect, and between two pieces of an answer
WAITS_S = (0.2, 1.0, 3.0)  # before each new try
ENOUGH = 1 << 20  # bytes after which a connection that breaks counts as the first one again


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """Turn what the Hub's client raises into a CurateError of one line that names the repository."""
    from huggingface_hub.utils import httpx

    try:
        yield
    except (OSError, httpx.HTTPError) as error:
        raise CurateError(f"{name}: {_why(error)}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CurateError(f"{name}: found an answer that is not the Hub's ({_line(error)})") from error


def _why(error: Exception) -> str:
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx

    if isinstance(error, errors.GatedRepoError):
        return "is gated; accept its terms on its page, then log in with `hf auth login`"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "found no such dataset on the Hub, or one that is private (`hf auth login`)"
    if isinstance(error, errors.RevisionNotFoundError):
        return "has no such revision; wanted a branch, a tag or a commit"
    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return _why(error.__cause__)
    if isinstance(error, errors.EntryNotFoundError):
        return f"a file is not there ({_line(error.__cause__ or error)})"
    if isinstance(error, errors.HfHubHTTPError):
        code = error.response.status_code
        return (
            f"the Hub refused ({code}); log in with `hf auth login`"
            if code in (401, 403)
            else f"the Hub answered {code}"
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set; wanted the Hub"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer from the Hub within {TIMEOUT_S:g} s"
    if isinstance(error, OSError) and error.errno and not isinstance(error, ConnectionError | TimeoutError):
        return f"cannot be kept on this disk: {error.strerror}"
    return f"the Hub cannot be reached ({_line(error)})"


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0][:200]


class HubStream:
    """One file of a repository from `offset` on. A connection that breaks is taken up where it stopped.

    `size` in bytes and `etag` are what the repository's listing says of the file: an answer that contradicts them is
    refused. `read` raises CurateError when the Hub refuses, or stays away for longer than a few tries.
    """

    def __init__(
        self, url: str, headers: dict[str, str], name: str, *, offset: int, size: int, etag: str
    ) -> None:
        self._url, self._headers, self._name = url, headers, name
        self._size, self._etag = size, etag
        self._offset = offset  # of the next byte from the network
        self._buffer = bytearray()
        self._pieces: Generator[bytes] | None = None  # of the open connection
        self._failures = 0  # in a row
        self._since = 0  # bytes since the last of them

    def read(self, count: int, /) -> bytes:
        """The next `count` bytes; fewer only where the file ends."""
        while len(self._buffer) < count and self._offset < self._size:
            piece = self._more()[: self._size - self._offset]
            self._offset += len(piece)
            self._buffer += piece
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def close(self) -> None:
        """Drop the connection, and with it what was not read."""
        if self._pieces is not None:
            self._pieces.close()
        self._pieces = None

    def _more(self) -> bytes:
        """Some bytes, at least one; after each failure a new try, as many as WAITS_S has."""
        from huggingface_hub.utils import httpx

        while True:
            with hub_errors(self._name):
                try:
                    self._pieces = self._pieces or self._connection(self._offset)
                    if piece := next(self._pieces, b""):
                        self._since += len(piece)
                        return piece
                    raise httpx.ReadError(f"the connection ended at byte {self._offset} of {self._size}")
                except httpx.HTTPError as error:
                    self.close()
                    self._failures = 0 if self._since > ENOUGH else self._failures
                    if self._failures == len(WAITS_S) or not _may_pass(error):
                        raise
            time.sleep(WAITS_S[self._failures])
            self._failures, self._since = self._failures + 1, 0

    def _connection(self, offset: int) -> Generator[bytes]:
        """What one connection gives from `offset` on; closing the generator closes it."""
        from huggingface_hub.utils import get_session, hf_raise_for_status

        headers = {**self._headers, "Range": f"bytes={offset}-", "Accept-Encoding": "identity"}
        with get_session().stream(
            "GET", self._url, headers=headers, timeout=TIMEOUT_S, follow_redirects=True
        ) as response:
            if response.status_code >= 400:
                response.read()  # the error's text is in it
                hf_raise_for_status(response)
            self._refuse_other_file(response, offset)
            skip = (
                offset if response.status_code == 200 else 0
            )  # all of it, though only the rest was asked for
            for piece in response.iter_raw():
                if len(piece) > skip:
                    yield piece[skip:]
                skip = max(0, skip - len(piece))

    def _refuse_other_file(self, response: Any, offset: int) -> None:
        """CurateError when the answer is not about the file that was listed, or not about this place in it."""
        told = (response.history or [response])[
            0
        ].headers  # behind a redirect is a server that knows no etags of the Hub
        etag = (told.get("X-Linked-ETag") or told.get("ETag") or self._etag).removeprefix("W/").strip('"')
        if etag != self._etag:
            raise CurateError(f"{self._name}: found another file (etag {etag}), wanted {self._etag}")
        if response.status_code == 206:
            found, wanted = (
                response.headers.get("Content-Range", ""),
                f"bytes {offset}-{self._size - 1}/{self._size}",
            )
        else:
            found, wanted = response.headers.get("Content-Length", str(self._size)), str(self._size)
        if found != wanted:
            raise CurateError(f"{self._name}: found {found!r} in the Hub's answer, wanted {wanted!r}")


def _may_pass(error: Exception) -> bool:
    """Another try may help: the network broke, or the server is too busy."""
    from huggingface_hub.errors import HfHubHTTPError

    return not isinstance(error, HfHubHTTPError) or error.response.status_code in (
        408,
        429,
        500,
        502,
        503,
        504,
    )
