"""What an audit says: a Finding per invariant, and which of them keep a set from standing."""

from collections.abc import Iterable, Sequence
from typing import Literal, Self

from pydantic import Field

from curate.records import Record, Values

Verdict = Literal["pass", "fail", "not_testable", "constant", "not_applicable"]


class Finding(Record):
    """One invariant of one split: what was measured, the bound it was held against, the verdict."""

    name: str
    split: str
    verdict: Verdict
    says: str
    pairs: int
    needed_pairs: int | None = None
    measured: Values = Field(default_factory=dict)
    bound: Values = Field(default_factory=dict)
    null: Values = Field(default_factory=dict)

    @classmethod
    def judged(
        cls, name: str, split: str, sound: bool, says: str, pairs: int, measured: Values, bound: Values
    ) -> Self:
        """A finding that passes or fails."""
        return cls(
            name=name, split=split, verdict="pass" if sound else "fail", says=says, pairs=pairs,
            measured=measured, bound=bound,
        )  # fmt: skip

    @classmethod
    def too_few(cls, name: str, split: str, says: str, pairs: int, needed: int) -> Self:
        """A finding that this many pairs cannot decide."""
        return cls(
            name=name, split=split, verdict="not_testable", says=f"{says}; it takes {needed}", pairs=pairs,
            needed_pairs=needed,
        )  # fmt: skip

    @classmethod
    def reported(cls, name: str, split: str, says: str, pairs: int, measured: Values) -> Self:
        """A measurement that no bound applies to."""
        return cls(
            name=name, split=split, verdict="not_applicable", says=f"{says}; reported, never a gate",
            pairs=pairs, measured=measured,
        )  # fmt: skip


def problems(findings: Sequence[Finding], expected: Iterable[str], allowed: Iterable[str] = ()) -> list[str]:
    """What keeps a set from standing, a line each: an unexpected failure, or a control that passed what it must fail.

    An expected failure that is not testable at this size is no problem.
    """
    expected, allowed = set(expected), set(allowed)
    lines = []
    for finding in findings:
        label = f"{finding.name} ({finding.split}): {finding.says}"
        if finding.verdict == "fail" and finding.name not in expected | allowed:
            lines.append(label)
        if finding.verdict == "pass" and finding.name in expected:
            lines.append(f"{label}; passed, although this recipe is a control that must fail it")
    return lines
