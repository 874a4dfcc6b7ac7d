"""A tar read from any header on, front to back, with the byte where each member ends: what a resumed download needs.

`tarfile` would do, if it told a tar that was cut between two members from a whole one.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from curate.errors import CurateError, Rejected
from curate.sources.store import Readable

BLOCK = 512
CHUNK = 1 << 16
MOST_HEADER = 1 << 20  # bytes of a long name; a header that asks for more is nonsense


class _Reader:
    """A stream that knows where it is, and that ends too early with Rejected."""

    def __init__(self, stream: Readable, offset: int) -> None:
        self._stream = stream
        self.offset = offset

    def exactly(self, count: int) -> bytes:
        data = self._stream.read(count)
        self.offset += len(data)
        if len(data) < count:
            raise Rejected("truncated_tar", "ends too early")
        return data

    def upto(self, end: int) -> Iterator[bytes]:
        while self.offset < end:
            yield self.exactly(min(CHUNK, end - self.offset))


@dataclass
class Member:
    """One entry of a tar."""

    name: str
    kind: str  # "a file", or what it is instead
    size: int  # bytes
    end: int  # where the next header begins
    _data_end: int = field(repr=False)
    _reader: _Reader = field(repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The bytes, once, before the next member is asked for. Raises Rejected("truncated_tar")."""
        yield from self._reader.upto(self._data_end)


def members(stream: Readable, offset: int, name: str) -> Iterator[Member]:
    """The members of a tar from the header at `offset` on; `stream` begins there. Memory stays flat.

    Ends at the tar's end mark. Raises Rejected("truncated_tar") where the bytes end, or make no sense, before it,
    and CurateError when there is no tar at all.
    """
    reader = _Reader(stream, offset)
    while (header := _header(reader, name)) is not None:
        data_end = reader.offset + (header.size if header.isreg() else 0)
        end = -(-data_end // BLOCK) * BLOCK
        yield Member(header.name.removeprefix("./"), _kind(header), header.size, end, data_end, reader)
        for _ in reader.upto(end):
            pass


def _header(reader: _Reader, name: str) -> tarfile.TarInfo | None:
    """The next header, with what the long-name headers before it say of it; None at the end mark."""
    told: dict[str, str] = {}
    while True:
        block = reader.exactly(BLOCK)
        if not any(block):
            return None
        header = _parsed(block, reader.offset - BLOCK, name)
        if header.type == tarfile.GNUTYPE_LONGNAME:
            told["path"] = _payload(reader, header).rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            told |= _pax(_payload(reader, header))
        elif header.type in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            _payload(reader, header)
        else:
            header.name = told.get("path", header.name)
            header.size = _number(told.get("size", "")) or header.size
            return header


def _parsed(block: bytes, offset: int, name: str) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.size >= 0:
            return header
        reason = None
    except tarfile.HeaderError as error:
        reason = error
    if offset == 0:
        raise CurateError(f"{name}: found no tar header at its start, wanted a plain tar") from reason
    raise Rejected("truncated_tar", f"no tar header at byte {offset}") from reason


def _payload(reader: _Reader, header: tarfile.TarInfo) -> bytes:
    if header.size > MOST_HEADER:
        raise Rejected("truncated_tar", f"a name of {header.size} bytes at byte {reader.offset}")
    padded = -(-header.size // BLOCK) * BLOCK
    return reader.exactly(padded)[: header.size]


def _pax(data: bytes) -> dict[str, str]:
    """Records of "length key=value\\n", POSIX.1-2001."""
    found: dict[str, str] = {}
    while data:
        digits, _, _ = data.partition(b" ")
        length = _number(digits.decode("ascii", "replace"))
        if not len(digits) < length <= len(data):
            break
        key, _, value = data[len(digits) + 1 : length - 1].partition(b"=")
        found[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        data = data[length:]
    return found


def _number(digits: str) -> int:
    """0 for what is no number, or one that no tar has."""
    return int(digits) if digits.isdecimal() and len(digits) < 20 else 0


def _kind(header: tarfile.TarInfo) -> str:
    if header.isreg():
        return "a file"
    return "a link" if header.issym() or header.islnk() else "a folder" if header.isdir() else "no file"
