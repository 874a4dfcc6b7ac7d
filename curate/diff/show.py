"""What `curate diff` prints: the verdict and its reasons first, then a table of each kind of difference."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from curate.diff.bump import Reason, bump, is_worse, same_content
from curate.diff.difference import Difference, Distribution, FindingChange
from curate.show import render, table_of

SHOWN = 8  # rows of a table; --json has all
WIDTH = 40  # characters of a value
MANIFEST_PARTS = ("recipe", "settings", "source", "counts", "dropped", "encoder", "made_with")
STYLE = {"major": "bold red", "minor": "yellow", "patch": "green"}


def diff_json(a: str, b: str, difference: Difference, why: Sequence[Reason]) -> dict[str, Any]:
    """The judgement, then every difference."""
    return {
        "a": a,
        "b": b,
        "same": same_content(difference),
        "bump": bump(why),
        "reasons": [reason.model_dump(mode="json") for reason in why],
        **difference.model_dump(mode="json"),
    }


def diff_text(a: str, b: str, difference: Difference, why: Sequence[Reason]) -> str:
    """The judgement in one line, its reasons, and the first rows of every difference."""
    if difference.identical:
        return f"{a} -> {b}: identical, every file has the same sha256 (curate check reads the files themselves); version bump: none"
    same = "same content, other metadata" if same_content(difference) else "they differ"
    level = bump(why)
    parts: list[Any] = [
        Text(f"{a} -> {b}: {same}; suggested version bump: {level}", style=STYLE.get(level, "bold"))
    ]
    for reason in why:
        parts.append(Text(f"  {reason.bump}: {reason.says}"))
    for columns, rows in _sections(difference):
        parts += _section(columns, rows)
    return render(*parts)


def _sections(difference: Difference) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """(columns, rows) of each table; what did not change has no rows."""
    parts = [(part, change) for part in MANIFEST_PARTS for change in getattr(difference, part)]
    yield (
        ("build.json", "", "A", "B"),
        [(part, c.name, _value(c.before), _value(c.after)) for part, c in parts],
    )
    yield ("samples", "", "A", "B"), _samples(difference)
    yield ("sample changed", "what"), [(c.id, _names(c.fields)) for c in difference.changed]
    yield (
        ("source file", "A", "B"),
        [(c.name, c.before, c.after) for c in difference.crossed],
    )
    yield (
        ("caption", "A", "B"),
        [(_value(c.name), str(c.before), str(c.after)) for c in difference.captions],
    )
    yield (
        ("distribution", "median A", "B", "spread A", "B", "KS distance"),
        [_distribution(d) for d in difference.distributions],
    )
    findings = sorted(difference.findings, key=lambda f: (not is_worse(f), f.before == f.after))
    yield ("finding", "A", "B", "what it measured"), [_finding(found) for found in findings]


def _section(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[Any]:
    if not rows:
        return []
    table = table_of(*columns)
    shown = rows if columns[0] == "build.json" else rows[:SHOWN]  # its rows are few, and each is a cause
    for row in shown:
        table.add_row(*(Text(cell) for cell in row))  # Text: a caption may hold [brackets], no markup
    more = len(rows) - len(shown)
    return [Text(""), table, *([Text(f"… and {more} more (--json has all)")] if more else [])]


def _samples(difference: Difference) -> list[tuple[str, ...]]:
    """Totals, when any sample differs."""
    added, removed, changed = (len(difference.added), len(difference.removed), len(difference.changed))
    if not added + removed + changed:
        return []
    before, after = difference.kept
    alike = before - removed - changed
    return [
        ("kept", f"{alike} alike, {changed} changed", str(before), str(after)),
        ("only in A", _names(difference.removed), str(removed), ""),
        ("only in B", _names(difference.added), "", str(added)),
    ]


def _distribution(found: Distribution) -> tuple[str, ...]:
    numbers = (*found.median, *found.spread, found.ks)
    return found.name, *("–" if number is None else f"{number:.4g}" for number in numbers)


def _finding(found: FindingChange) -> tuple[str, ...]:
    plain = [change for change in found.numbers if not isinstance(change.after, list)]
    numbers = [f"{c.name} {_value(c.before)} -> {_value(c.after)}" for c in plain[:3]]
    return (
        found.name,
        found.before or "–",
        found.after or "–",
        ", ".join(numbers) or found.says[1] or found.says[0],
    )


def _names(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _value(value: Any) -> str:
    """A value in a cell: short, on one line."""
    if isinstance(value, float):
        return f"{value:.6g}"
    line = "–" if value is None else " ".join(str(value).split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
