"""The captions of files and sets, each with the place it is from, held against their rules: `curate lint`."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from curate import captions
from curate.errors import CurateError
from curate.lint import Fault, fixed, lint
from curate.manifest import MANIFEST
from curate.sources.files import shown

MOST_BYTES: Final = 200_000_000
KEYS: Final = ("caption", "text")
LISTS: Final = ("ledger.jsonl", "plan.jsonl")  # of a set; the first that is there
STDIN: Final = "-"


class Caption(NamedTuple):
    """A caption on one line, where it was found, and whose rules it is under; "" for an empty line of a text."""

    file: str
    line: int
    text: str
    rules: str = "dual-character"


class Linted(NamedTuple):
    """A caption, its faults, and what is left of it when the fixes are in."""

    caption: Caption
    faults: list[Fault]
    fixed: str


def linted(place: str) -> list[Linted]:
    """Every caption of a file, a set or `-`, with its faults.

    Raises CurateError for what cannot be read as captions: one line with file, line, what was found and what was wanted.
    """
    found = list(_captions(place))
    if not any(caption.text for caption in found):
        raise CurateError(
            f"{shown(Path(place))}: found no caption, wanted one a line, or JSON with the key caption"
        )
    seen = dict[tuple[str, str], tuple[list[Fault], str]]()
    for caption in found:
        if (key := (caption.rules, caption.text)) not in seen:
            seen[key] = _judged(caption)
    return [Linted(caption, *seen[caption.rules, caption.text]) for caption in found]


def _judged(caption: Caption) -> tuple[list[Fault], str]:
    if not caption.text:
        return [], ""
    judge, mend = RULES.get(caption.rules, (lint, fixed))
    faults = judge(caption.text)
    return faults, mend(caption.text) if any(fault.fix is not None for fault in faults) else caption.text


def _task_faults(text: str) -> list[Fault]:
    """The flaws of a task's caption, as faults."""
    return [
        Fault(
            code=flaw.code, level="error" if flaw.error else "warning", message=flaw.says, span=(0, len(text))
        )
        for flaw in captions.lint(text)
    ]


Rules = tuple[Callable[[str], list[Fault]], Callable[[str], str]]
RULES: Final[dict[str, Rules]] = {
    "vbvr": (_task_faults, str)
}  # of a set by its recipe; all others: curate.lint


def _captions(place: str) -> Iterator[Caption]:
    path = Path(place)
    if place != STDIN and path.is_dir():
        yield from _of_set(path)
    elif place == STDIN:
        yield from _of_text(_decoded(sys.stdin.buffer.read(MOST_BYTES + 1), place), place)
    elif path.suffix.lower() == ".jsonl":
        yield from _of_rows(path)
    elif path.suffix.lower() == ".json":
        yield from _of_json(path)
    else:
        yield from _of_text(_read(path), shown(path))


def _of_text(text: str, name: str) -> Iterator[Caption]:
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        yield Caption(name, number, captions.normalise(line))


def _of_set(folder: Path) -> Iterator[Caption]:
    """The captions of what a set kept; of a plan alone, all."""
    table = next((folder / name for name in LISTS if (folder / name).is_file()), None)
    if table is None:
        raise CurateError(
            f"{shown(folder)}: found neither {' nor '.join(LISTS)} in it, wanted a set made by `curate build`"
        )
    manifest = folder / MANIFEST
    told = _parsed(_read(manifest), shown(manifest)) if manifest.is_file() else {}
    recipe = str(told.get("recipe")) if isinstance(told, dict) else ""
    yield from (caption._replace(rules=recipe) for caption in _of_rows(table))


def _of_rows(path: Path) -> Iterator[Caption]:
    for number, line in enumerate(
        _read(path).split("\n"), start=1
    ):  # splitlines() would also split inside strings
        if line.strip():
            row = _parsed(line, f"{shown(path)}:{number}")
            if not (isinstance(row, dict) and row.get("kept") is False):
                yield from _of_value(row, shown(path), number)


def _of_json(path: Path) -> Iterator[Caption]:
    text = _read(path)
    value = _parsed(text, shown(path))
    for each in value if isinstance(value, list) else [value]:
        yield from _of_value(each, shown(path), _line_of(text, each))


def _line_of(text: str, value: Any) -> int:
    """The line on which a caption is written: the first of those that are the same."""
    told = (
        value
        if isinstance(value, str)
        else next((value[key] for key in KEYS if value.get(key)), "")
        if isinstance(value, dict)
        else ""
    )
    spelt = (json.dumps(told, ensure_ascii=ascii_only) for ascii_only in (False, True))
    place = next((at for one in spelt if (at := text.find(one)) >= 0), 0)
    return text.count("\n", 0, place) + 1


def _of_value(value: Any, name: str, line: int) -> Iterator[Caption]:
    """The caption of a row: the row itself, or under a key; of a row without any, nothing."""
    told = value
    if isinstance(value, dict):
        told = next((value[key] for key in KEYS if value.get(key) is not None), None)
    if told is None:
        return
    if not isinstance(told, str):
        raise CurateError(
            f"{name}:{line}: found {type(told).__name__} {str(told)[:40]!r}, wanted the text of a caption"
        )
    yield Caption(
        name, line, captions.normalise(told) or " "
    )  # a caption of nothing is a fault, an empty line is none


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CurateError(
            f"{where}: found {error.msg} at line {error.lineno}, column {error.colno}; wanted JSON"
        ) from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, thousands of brackets
        raise CurateError(f"{where}: found JSON that cannot be read ({error})") from error


def _read(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe would block for ever, a device has no end
            raise CurateError(
                f"{shown(path)}: no such file; wanted captions as text, .json or .jsonl, or a set's folder"
            )
        with path.open("rb") as stream:
            return _decoded(stream.read(MOST_BYTES + 1), shown(path))
    except OSError as error:
        raise CurateError(f"{shown(path)}: cannot be read: {error.strerror}") from error


def _decoded(data: bytes, name: str) -> str:
    """UTF-8 with lines that end in \\n."""
    if len(data) > MOST_BYTES:
        raise CurateError(f"{name}: found more than {MOST_BYTES:,} bytes, wanted text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CurateError(f"{name}:{line}: found byte {data[error.start]:#04x}, wanted UTF-8 text") from error
    if "\0" in text:
        raise CurateError(
            f"{name}:{text.count(chr(10), 0, text.index(chr(0))) + 1}: found byte 0x00, wanted text"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def failed(found: Sequence[Linted], fixing: bool) -> bool:
    """Errors are there, or, unless they are mended, faults that could be."""
    bad = {"error"} if fixing else {"error", "fixed"}
    return any(fault.level in bad for one in found for fault in one.faults)


def mended(found: Sequence[Linted]) -> str:
    """The captions with their fixes, one a line, empty lines where they were."""
    return "\n".join(one.fixed.strip() for one in found)


def told(place: str, found: Sequence[Linted]) -> str:
    """`file:line: level code: message`, one a fault; then how many."""
    lines = [
        f"{one.caption.file}:{one.caption.line}: {fault.level} {fault.code}: {fault.message}"
        for one in found
        for fault in one.faults
    ]
    number = sum(bool(one.caption.text) for one in found)
    levels = [fault.level for one in found for fault in one.faults]
    counts = ", ".join(f"{levels.count(level)} {word}" for level, word in SUMMED if level in levels)
    said = f"{number} {'caption' if number == 1 else 'captions'}, {counts or 'no faults'}"
    return "\n".join([*lines, f"{shown(Path(place))}: {said}"])


SUMMED: Final = (("error", "errors"), ("fixed", "faults with a fix"), ("warning", "warnings"))


def linted_json(place: str, found: Sequence[Linted]) -> dict[str, Any]:
    """All of it for scripts; spans count the characters of `caption`."""
    return {
        "place": place,
        "errors": sum(fault.level == "error" for one in found for fault in one.faults),
        "captions": [
            {
                "file": one.caption.file,
                "line": one.caption.line,
                "caption": one.caption.text.strip(),
                "fixed": one.fixed.strip(),
                "faults": [fault.model_dump(mode="json") for fault in one.faults],
            }
            for one in found
            if one.caption.text
        ],
    }
