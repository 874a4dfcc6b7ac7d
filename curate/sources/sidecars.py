"""What lies beside the videos of a folder: captions, licences and labels.

`metadata.jsonl` or `metadata.csv` in any folder (rows with `file_name`, as Hugging Face folders have them),
then `clip.json`, then `clip.txt`; the later wins. Where two videos share a stem, `clip.mp4.json` and
`clip.mp4.txt` say which.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.errors import CurateError
from curate.sources.files import shown

MOST_BYTES = 200_000_000
CAPTION_KEYS = ("caption", "text")
LICENCE_KEYS = ("licence", "license")


@dataclass
class Note:
    """What is known of one video besides its bytes."""

    caption: str | None = None
    licence: str | None = None
    labels: dict[str, str] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], where: str) -> None:
        """Take over caption, licence and labels; empty and nested values say nothing."""
        rest = dict(values)
        self.caption = _taken(rest, CAPTION_KEYS, where) or self.caption
        self.licence = _taken(rest, LICENCE_KEYS, where) or self.licence
        labels = rest.pop("labels") if isinstance(rest.get("labels"), dict) else {}
        for key, value in (*rest.items(), *labels.items()):
            if isinstance(value, str | int | float) and (text := _text(value, where)):
                self.labels[key] = text


def read_notes(files: list[Path], videos: list[Path]) -> dict[Path, Note]:
    """A note for every video, from all the sidecars among `files`.

    Raises CurateError in one line with file, line, what was found and what was wanted.
    """
    notes = {path: Note() for path in videos}
    by_place = {os.path.normpath(path): note for path, note in notes.items()}
    named: dict[str, str] = {}
    for table in (path for path in files if path.name in ("metadata.jsonl", "metadata.csv")):
        for number, row in _rows(table):
            where = f"{shown(table)}, line {number}"
            place = _named_file(row, table, where)
            if place in named:
                raise CurateError(
                    f"{where}: found {row['file_name']!r}, which {named[place]} described already"
                )
            named[place] = where
            if place in by_place:
                by_place[place].add({k: v for k, v in row.items() if k != "file_name"}, where)
    beside = _beside(files, videos)
    for path, note in notes.items():
        if sidecar := beside.get((path, ".json")):
            note.add(_object(_read(sidecar), shown(sidecar)), shown(sidecar))
        if sidecar := beside.get((path, ".txt")):
            note.add({"caption": _read(sidecar)}, shown(sidecar))
    return notes


def _beside(files: Iterable[Path], videos: Iterable[Path]) -> dict[tuple[Path, str], Path]:
    """The sidecar of each video and kind: the one with its full name, else the one with its stem."""
    there = {path.with_suffix(path.suffix.lower()): path for path in files}
    claims: dict[Path, tuple[Path, str]] = {}
    for video in videos:
        for kind in (".json", ".txt"):
            full, stem = video.with_name(video.name + kind), video.with_suffix(kind)
            sidecar = there.get(full) or there.get(stem)
            if sidecar is not None and sidecar in claims:
                one, two = shown(Path(claims[sidecar][0].name)), shown(Path(video.name))
                found = f"found two files it could describe, {one} and {two}"
                raise CurateError(f"{shown(sidecar)}: {found}; wanted {one}{kind} and {two}{kind}")
            if sidecar is not None:
                claims[sidecar] = (video, kind)
    return {video_and_kind: sidecar for sidecar, video_and_kind in claims.items()}


def _rows(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a metadata file with their line numbers."""
    text = _read(table)
    if table.suffix == ".csv":
        yield from _csv_rows(table, text)
        return
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines() would also split inside strings
        if line.strip():
            yield number, _object(line, f"{shown(table)}, line {number}")


def _csv_rows(table: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if "file_name" not in header:
            raise CurateError(f"{shown(table)}, line 1: found columns {header}, wanted one called file_name")
        for cells in reader:
            if cells and len(cells) != len(header):
                where = f"{shown(table)}, line {reader.line_num}"
                raise CurateError(f"{where}: found {len(cells)} cells, wanted {len(header)} as in line 1")
            if cells:
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise CurateError(f"{shown(table)}, line {reader.line_num}: found {error}, wanted CSV") from error


def _named_file(row: Mapping[str, Any], table: Path, where: str) -> str:
    """Normalised path of the file that a row is about, in the folder of its metadata file or below."""
    name = row.get("file_name")
    if not isinstance(name, str) or not name:
        raise CurateError(f"{where}: found file_name {name!r}, wanted the name of a file")
    place = os.path.normpath(table.parent / name)
    if not os.path.isfile(place):
        raise CurateError(f"{where}: found file_name {name!r}, wanted a file in {shown(table.parent)}")
    return place


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        line = "" if ", line " in where else f", line {error.lineno}"
        raise CurateError(f"{where}{line}: found {error.msg} at column {error.colno}, wanted JSON") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, thousands of brackets
        raise CurateError(f"{where}: found JSON that cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise CurateError(f"{where}: found {type(value).__name__}, wanted a JSON object")
    return value


def _read(path: Path) -> str:
    """The text of a file, which must be UTF-8."""
    try:
        if not path.is_file():  # a pipe would block for ever, a device has no end
            raise CurateError(f"{shown(path)}: found no file, or a link to nothing; wanted UTF-8 text")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise CurateError(f"{shown(path)}: found {size:,} bytes, wanted at most {MOST_BYTES:,} of text")
        data = path.read_bytes()
    except OSError as error:
        raise CurateError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CurateError(
            f"{shown(path)}, line {line}: found byte {data[error.start]:#04x}, wanted UTF-8 text"
        ) from error


def _taken(values: dict[str, Any], keys: tuple[str, ...], where: str) -> str | None:
    """The text under the first of these keys that is there, taken out of `values`."""
    for key in keys:
        value = values.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise CurateError(f"{where}: found {key} {value!r}, wanted a text")
        if value and (text := _text(value, where)):
            return text
    return None


def _text(value: str | float, where: str) -> str:
    """A scalar as text, without space around it; a number or truth value as JSON spells it."""
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON can spell half a character
        raise CurateError(f"{where}: found {text!a}, wanted text that UTF-8 can hold") from error
    return text
