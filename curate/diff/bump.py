"""The version bump that the difference between two sets asks for: semantic versioning for a data set.

major   who used A cannot take B in its place: another recipe or recipe version, files moved across the split, a
        verdict of the audit became worse, the encoder is another one or gone
minor   other data of the same kind: samples added or removed; captions, labels (choices, measures), sources or latents
        of samples changed; latents where there were none
patch   all else: licences, groups, attributes, settings without effect, versions of what made it
none    nothing differs
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from curate.diff.difference import Change, Difference, FindingChange
from curate.proof.finding import Verdict
from curate.records import Record

Bump = Literal["none", "patch", "minor", "major"]
LEVELS: tuple[Bump, ...] = ("none", "patch", "minor", "major")
LABELS = {"caption", "choices", "measured", "sources"}  # of a sample: what a model learns from
NAMED = 4  # things that a reason names


class Reason(Record):
    """One line of why."""

    bump: Bump
    says: str


def reasons(difference: Difference) -> list[Reason]:
    """Why the version must change, a line each, the heaviest first; empty when nothing differs."""
    levels: tuple[tuple[Bump, Iterator[str]], ...] = (
        ("major", _major(difference)),
        ("minor", _minor(difference)),
        ("patch", _patch(difference)),
    )
    found = [Reason(bump=level, says=says) for level, lines in levels for says in lines]
    if not found and difference.files:
        files = _count(len(difference.files), "file")
        found = [Reason(bump="patch", says=f"other bytes in {files}: {_some(difference.files)}")]
    return found


def bump(why: Sequence[Reason]) -> Bump:
    """The heaviest of the reasons."""
    return max((reason.bump for reason in why), key=LEVELS.index, default="none")


def same_content(difference: Difference) -> bool:
    """Samples and verdicts agree, and nothing asks for more than a patch: the encoder and the recipe agree too."""
    verdicts = any(found.before != found.after for found in difference.findings)
    agree = difference.content_id[0] == difference.content_id[1] and not verdicts
    return agree and bump(reasons(difference)) in ("none", "patch")


def is_worse(found: FindingChange) -> bool:
    """What was proven is not any more, or what was open is refuted."""
    return _standing(found.after, found.expected) > _standing(found.before, found.expected)


def _standing(verdict: Verdict | None, expected: bool) -> int:
    """0 proven, 1 open, 2 against the set; a control is proven by the failure it must show."""
    against: tuple[Verdict, Verdict] = ("fail", "pass")
    bad, good = reversed(against) if expected else against
    return 2 if verdict == bad else 0 if verdict == good else 1


def _major(difference: Difference) -> Iterator[str]:
    yield from map(_change, difference.recipe)
    if crossed := difference.crossed:
        first = crossed[0]
        yield f"{_count(len(crossed), 'source file')} moved across the split, first {first.name}: {first.before} -> {first.after}"
    elif moved := _with(difference, {"split"}):
        yield f"{_count(len(moved), 'sample')} moved across the split: {_some(moved)}"
    for found in filter(is_worse, difference.findings):
        yield f"finding {found.name} became worse: {found.before or 'absent'} -> {found.after or 'absent'}"
    if difference.encoded == (True, False):
        yield "the latents are gone"
    elif all(difference.encoded) and difference.encoder:
        yield f"another encoder, by {_some([change.name for change in difference.encoder])}"


def _minor(difference: Difference) -> Iterator[str]:
    if difference.added:
        yield f"{_count(len(difference.added), 'sample')} added: {_some(difference.added)}"
    if difference.removed:
        yield f"{_count(len(difference.removed), 'sample')} removed: {_some(difference.removed)}"
    if relabelled := _with(difference, LABELS):
        yield f"captions, labels or sources of {_count(len(relabelled), 'sample')} changed: {_fields(difference, LABELS)}"
    if difference.encoded == (False, True):
        yield "latents were added"
    if (difference.settings or difference.recipe) and (encoded := _encoded_otherwise(difference)):
        yield f"other settings gave {_count(len(encoded), 'sample')} other latents"


def _patch(difference: Difference) -> Iterator[str]:
    rest = {"name", "group", "licence", "attributes"}
    if described := _with(difference, rest):
        yield f"metadata of {_count(len(described), 'sample')} changed: {_fields(difference, rest)}"
    if not (difference.settings or difference.recipe) and (encoded := _encoded_otherwise(difference)):
        yield f"latents of {_count(len(encoded), 'sample')} have other bytes for the same measures: another machine or library"
    for what in ("settings", "source", "dropped", "made_with"):
        changes: tuple[Change, ...] = getattr(difference, what)
        if changes:
            yield f"{what} changed: {_some([change.name for change in changes])}"
    if numbers := [found.name for found in difference.findings if not is_worse(found)]:
        yield f"{_count(len(numbers), 'finding')} changed without becoming worse: {_some(numbers)}"


def _encoded_otherwise(difference: Difference) -> list[str]:
    """Samples whose latents differ although nothing that is measured of them does."""
    return sorted({*_with(difference, {"example", "latents"})} - {*_with(difference, LABELS)})


def _with(difference: Difference, fields: set[str]) -> list[str]:
    """Samples in which one of these fields changed."""
    return [c.id for c in difference.changed if any(f.partition(".")[0] in fields for f in c.fields)]


def _fields(difference: Difference, among: set[str]) -> str:
    """The fields that changed most often, with how often."""
    times = Counter(f for c in difference.changed for f in c.fields if f.partition(".")[0] in among)
    return _some([f"{field} ({count})" for field, count in times.most_common()])


def _change(change: Change) -> str:
    return f"{change.name}: {change.before} -> {change.after}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
