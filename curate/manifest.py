"""Reading and writing `build.json`, and the small files around it."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from curate.errors import CurateError
from curate.files import write_atomic
from curate.proof.finding import Finding
from curate.records import Build, FileCard, LedgerRow, Record, Verdicts, canonical, sha256_of

MANIFEST = "build.json"
AnyRecord = TypeVar("AnyRecord", bound=Record)


def pretty(record: Record | dict[str, Any]) -> bytes:
    """JSON for people: indented, keys in the order of the record, one spelling per value."""
    plain = record.model_dump(mode="json") if isinstance(record, Record) else record
    return (json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_lines(path: Path, records: Iterable[Record]) -> None:
    """One canonical JSON object a line."""
    write_atomic(path, b"".join(canonical(record) + b"\n" for record in records))


def read_lines(path: Path, kind: type[AnyRecord]) -> list[AnyRecord]:
    """The records of a .jsonl file. Raises CurateError naming the file and line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise CurateError(f"{path}: cannot be read: {error.strerror}") from error
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(kind.model_validate_json(line))
        except ValidationError as error:
            raise CurateError(f"{path}:{number}: {_first(error)}") from error
    return records


def read_record(path: Path, kind: type[AnyRecord]) -> AnyRecord:
    """One record from a .json file. Raises CurateError naming the file and field."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CurateError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise CurateError(f"{path}: {_first(error)}") from error


def load_build(folder: Path) -> Build:
    """The manifest of a finished set. Raises CurateError for a folder that is none."""
    if not folder.is_dir():
        raise CurateError(f"{folder}: no such folder, wanted a set made by `curate build`")
    if not (folder / MANIFEST).is_file():
        raise CurateError(f"{folder}: no {MANIFEST} in it, wanted a set made by `curate build`")
    return read_record(folder / MANIFEST, Build)


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the record"
    return f"{where} is {str(first['input'])[:60]!r}: {first['msg'].lower()}"


def file_cards(folder: Path) -> dict[str, FileCard]:
    """Every file under a build but the manifest, by its path with forward slashes."""
    cards = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as stream:
                cards[name] = FileCard(
                    sha256=hashlib.file_digest(stream, "sha256").hexdigest(), bytes=path.stat().st_size
                )
    return cards


def verdicts_of(findings: Sequence[Finding], expected: Iterable[str], allowed: Iterable[str]) -> Verdicts:
    """The audit in short, findings named `name (split)`."""

    def named(*verdicts: str) -> list[str]:
        return [f"{f.name} ({f.split})" for f in findings if f.verdict in verdicts]

    return Verdicts(
        passed=named("pass"),
        failed=named("fail"),
        not_testable=named("not_testable"),
        other=named("constant", "not_applicable"),
        expected_failures=sorted(expected),
        allowed=sorted(allowed),
    )


def content_id(rows: Sequence[LedgerRow]) -> str:
    """Hash of what is in a set: the kept samples with their choices and quantised measures."""
    parts = ("id", "split", "caption", "sources", "choices", "attributes", "measured")
    return sha256_of([row.model_dump(mode="json", include=set(parts)) for row in rows if row.kept])
