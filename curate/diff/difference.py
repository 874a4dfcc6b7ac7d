"""The record of what differs between two sets; `diff` fills it, `bump` judges it, `show_diff` prints it."""

from typing import Any

from pydantic import Field

from curate.proof.finding import Verdict
from curate.records import Record, Sha256, Split


class Change(Record):
    """One named value that differs; None on the side that lacks it."""

    name: str
    before: Any = None
    after: Any = None


class SampleChange(Record):
    """A sample that both sets keep, but not alike."""

    id: str
    fields: tuple[str, ...] = Field(
        description="What differs: `caption`, `measured.pitch_hz` …; `example`, `latents` when both sets are encoded alike."
    )


class Crossing(Record):
    """A source file whose samples are on the other side of the split."""

    name: str
    sha256: Sha256
    before: Split
    after: Split


class Distribution(Record):
    """A number of the kept samples whose distribution differs; None on a side that lacks it."""

    name: str = Field(description="`measured.…` or `attributes.…`; the unit is in the name.")
    count: tuple[int, int]
    median: tuple[float | None, float | None]
    spread: tuple[float | None, float | None] = Field(description="Interquartile range, same unit.")
    ks: float | None = Field(
        description="Two-sample Kolmogorov-Smirnov distance, 0 to 1. No p-value: the sets may share samples."
    )


class FindingChange(Record):
    """A finding whose verdict or numbers differ; verdict None in the set that lacks it."""

    name: str = Field(description="`name (split)`, with its list in front unless that is `findings`.")
    before: Verdict | None
    after: Verdict | None
    expected: bool = Field(description="B is a control that must fail it.")
    says: tuple[str, str]
    numbers: tuple[Change, ...] = Field(description="What it measured.")


class Difference(Record):
    """From set A (before) to set B (after). All is empty when the sets are alike."""

    identical: bool = Field(description="Every file has the same sha256 by the manifests.")
    content_id: tuple[Sha256, Sha256]
    kept: tuple[int, int]
    recipe: tuple[Change, ...]
    settings: tuple[Change, ...] = Field(description="With the seed.")
    source: tuple[Change, ...]
    counts: tuple[Change, ...]
    dropped: tuple[Change, ...] = Field(description="Candidates dropped, by reason.")
    encoder: tuple[Change, ...] = Field(description="Parts of the fingerprint, and whether it is trained.")
    encoded: tuple[bool, bool]
    made_with: tuple[Change, ...] = Field(description="Program, platform, libraries, and what was allowed.")
    files: tuple[str, ...] = Field(description="Files of other bytes, or in one set only.")
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[SampleChange, ...]
    crossed: tuple[Crossing, ...]
    captions: tuple[Change, ...] = Field(description="Kept samples of each caption whose number differs.")
    distributions: tuple[Distribution, ...] = Field(description="The largest distance first.")
    findings: tuple[FindingChange, ...]
