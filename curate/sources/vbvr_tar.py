"""The files of some samples, taken out of a tar as it streams by, with a journal that knows where to go on.

A line of the journal covers the bytes of the tar from `start` to `end` and says which member they ended with. Only
an unbroken run of lines from byte 0 on counts, so that a damaged line, or one of a second process, does no harm: what
it covered is read again.
"""

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from zlib import crc32

from pydantic import ValidationError

from curate.errors import CurateError, Rejected
from curate.files import atomic_writer
from curate.records import Record, Sha256, canonical
from curate.sources.files import file_sha256
from curate.sources.store import Store
from curate.sources.tar_walk import Member, members

FIRST, FINAL, VIDEO = ROLES = ("first_frame.png", "final_frame.png", "video")


class Target(NamedTuple):
    """One of the three files of a sample."""

    row: int  # number in the table
    role: str  # of ROLES
    path: Path  # where it is put


class Line(Record):
    """A line of the journal."""

    start: int  # bytes
    end: int
    member: str | None = None
    size: int = 0
    sha256: Sha256 | None = None  # None for a member that is no file
    kind: str = "a file"
    ended: Literal["whole", "cut"] | None = None
    detail: str = ""


@dataclass
class Taken:
    """What a tar has given so far; rows are settled in the order of the tar, whole or refused."""

    settled: list[int] = field(default_factory=list)
    shas: dict[tuple[int, str], str] = field(default_factory=dict)  # (row, role) -> sha256
    refused: dict[int, str] = field(default_factory=dict)  # row -> what was wrong with its member
    offset: int = 0  # bytes of the tar that are done with
    ended: Line | None = None

    def missing(self, targets: list[Target]) -> list[Target]:
        """Those not met yet: of two members of one name the first counts."""
        return [t for t in targets if t.row not in self.refused and (t.row, t.role) not in self.shas]

    def add(self, line: Line, targets: list[Target]) -> None:
        """Take over what a line says of these targets."""
        self.offset = line.end
        self.ended = line if line.ended else None
        for row, role, _ in targets:
            if row in self.refused:  # two of its files were this member
                continue
            if line.sha256 is None:
                self.refused[row] = f"{line.member} is {line.kind}, wanted a file"
            else:
                self.shas[row, role] = line.sha256
            if row in self.refused or all((row, each) in self.shas for each in ROLES):
                self.settled.append(row)


def take(
    store: Store, tar: str, targets: Mapping[str, list[Target]], journal: Path, window: int, cache: Path
) -> Taken:
    """Put the files of the first `window` samples of a tar in their places; nothing behind them is read.

    `targets` by name of a member. What an earlier call did, or one that was killed, is not done again, as long as
    the files are what they were (`cache` remembers their hashes). The tar may end before: then `Taken.ended` says
    whether it was whole; where it was not, the next call looks again. Raises CurateError when it cannot be read.
    """
    taken = Taken()
    _recall(taken, targets, journal, window, cache)
    if taken.ended or len(taken.settled) >= window:
        return taken
    name = f"{store.name}/{tar}"
    with store.stream(tar, taken.offset) as stream:
        try:
            for member in members(stream, taken.offset, name):
                if here := taken.missing(targets.get(member.name, [])):
                    line = _line(member, here, taken.offset)
                    _append(journal, line)
                    taken.add(line, here)
                if len(taken.settled) >= window:
                    return taken
            line = Line(start=taken.offset, end=taken.offset, ended="whole")
        except Rejected as why:
            line = Line(start=taken.offset, end=taken.offset, ended="cut", detail=why.detail)
    if line.ended == "whole":  # a read that failed may not fail again
        _append(journal, line)
    taken.add(line, [])
    return taken


def _recall(
    taken: Taken, targets: Mapping[str, list[Target]], journal: Path, window: int, cache: Path
) -> None:
    """Go through the journal as if through the tar, up to the first line that does not hold."""
    try:
        lines = journal.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise CurateError(f"cannot read {journal}: {error.strerror}") from error
    for text in lines:
        if len(taken.settled) >= window:
            return
        if (line := _parsed(text)) is None:
            continue  # what it covered is missing from here on
        here = taken.missing(targets.get(line.member, [])) if line.member else []
        if line.start == taken.offset and all(_is_there(target.path, line, cache) for target in here):
            taken.add(line, here)


def _is_there(path: Path, line: Line, cache: Path) -> bool:
    try:
        return line.sha256 is None or file_sha256(path, cache) == line.sha256
    except Rejected:
        return False


def _line(member: Member, targets: list[Target], start: int) -> Line:
    """The journal's line of a member, once its bytes are in their places."""
    if member.kind != "a file":
        return Line(start=start, end=member.end, member=member.name, kind=member.kind)
    digest = hashlib.sha256()
    with ExitStack() as stack:
        writers = [stack.enter_context(atomic_writer(target.path)) for target in targets]
        for chunk in member.chunks():
            digest.update(chunk)
            for write in writers:
                write(chunk)
    return Line(start=start, end=member.end, member=member.name, size=member.size, sha256=digest.hexdigest())


def _append(journal: Path, line: Line) -> None:
    """One line in one write, its checksum first; the break before it ends what a kill tore off."""
    text = canonical(line.model_dump(exclude_defaults=True))
    try:
        journal.parent.mkdir(parents=True, exist_ok=True)
        with journal.open("ab", buffering=0) as file:
            file.write(b"\n%08x %b\n" % (crc32(text), text))
    except OSError as error:
        raise CurateError(f"cannot write {journal}: {error.strerror}") from error


def _parsed(text: bytes) -> Line | None:
    """The line; None for an empty one, and for one that a kill or the disk has damaged."""
    checksum, _, rest = text.partition(b" ")
    if checksum != b"%08x" % crc32(rest):
        return None
    try:
        return Line.model_validate_json(rest)
    except ValidationError:
        return None
