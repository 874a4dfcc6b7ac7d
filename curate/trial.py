"""A randomised trial over a ledger: which clips are eligible, which target each gets, what the lot could have given.

For recipes whose candidates each stand for one stratum of a continuous target (`choices["stratum"]`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
from numpy.typing import NDArray

from curate.assign import Pool, Strata, assignments, widest_band
from curate.records import SPLITS, LedgerRow, Split, number, rng

Array = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """Clips by strata: every candidate of a split, and which of them passed the gates."""

    clips: tuple[str, ...]  # sorted ids
    rows: Mapping[tuple[str, int], LedgerRow]
    passed: Booleans  # (clips, strata)

    @classmethod
    def of(cls, rows: Iterable[LedgerRow], strata: int) -> Self:
        """From ledger rows whose choices name a `stratum`."""
        by_cell = {(str(row.clip), int(number(row.choices, "stratum"))): row for row in rows if row.choices}
        clips = tuple(sorted({clip for clip, _ in by_cell}))
        passed = np.zeros((len(clips), strata), dtype=bool)
        for i, clip in enumerate(clips):
            passed[i] = [(clip, s) in by_cell and by_cell[clip, s].made for s in range(strata)]
        return cls(clips, by_cell, passed)

    def eligible(self, band: range) -> list[str]:
        """Clips that passed in every stratum of the band."""
        if not band:
            return []
        whole = self.passed[:, band.start : band.stop].all(axis=1)
        return [self.clips[i] for i in np.flatnonzero(whole)]

    def fates(self, band: range) -> dict[str, str | None]:
        """Why each candidate that was made is dropped, before anything is assigned."""
        eligible = set(self.eligible(band))
        return {
            row.id: "outside_band"
            if s not in band
            else "not_assigned"
            if clip in eligible
            else "not_eligible"
            for (clip, s), row in self.rows.items()
            if row.made
        }

    def pool(self, band: range, target: str, attributes: Sequence[str]) -> Pool:
        """The eligible clips as numbers: measured `target` by stratum, source attributes, groups."""
        clips = self.eligible(band)
        first = [self.rows[clip, band.start] for clip in clips]
        return Pool(
            np.array([[number(self.rows[clip, s].measured, target) for s in band] for clip in clips]),
            np.array([[number(row.attributes, key) for key in attributes] for row in first]),
            np.unique([str(row.group) for row in first], return_inverse=True)[1],
        )

    def attribute(self, clip: str, key: str) -> float:
        """A source attribute of a clip."""
        return number(next(row for (name, _), row in self.rows.items() if name == clip).attributes, key)


@dataclass(frozen=True)
class Trial:
    """How targets are assigned: over which strata, what is balanced, when a band is wide enough."""

    seed: int
    strata: int
    target: str  # the measured value that is assigned, in a linear scale
    balanced: tuple[str, ...]  # SOURCE attributes
    least_eligible_share: float
    band: range | None = None  # None: the widest with enough eligible clips

    def table(self, rows: Iterable[LedgerRow], split: Split) -> Table:
        """The candidates of one side."""
        return Table.of((row for row in rows if row.split == split), self.strata)

    def chosen_band(self, rows: Sequence[LedgerRow]) -> range:
        """The strata in use, from the training clips alone; empty where no stratum has enough eligible clips."""
        return (
            widest_band(self.table(rows, "train").passed, self.least_eligible_share)
            if self.band is None
            else self.band
        )

    def select(self, rows: Sequence[LedgerRow]) -> dict[str, str | None]:
        """For every made candidate None when its clip drew it, or why not. Each side draws by itself."""
        band, fates = self.chosen_band(rows), dict[str, str | None]()
        for split in SPLITS:
            table = self.table(rows, split)
            fates |= table.fates(band)
            clips = table.eligible(band)
            if clips:
                draw = next(self._draws(table, band, split))
                fates |= {
                    table.rows[clip, band.start + int(s)].id: None
                    for clip, s in zip(clips, draw, strict=True)
                }
        return fates

    def redraws(self, rows: Sequence[LedgerRow], split: Split, count: int) -> Array | None:
        """Targets of the kept clips, in order of their ids, under re-draws.  # (count, N)

        None where the kept clips are not the eligible ones, so that no lot of this trial gave them.
        """
        table, band = self.table(rows, split), self.chosen_band(rows)
        if sorted(str(row.clip) for row in rows if row.kept and row.split == split) != table.eligible(band):
            return None
        targets = table.pool(band, self.target, self.balanced).targets
        draws = islice(self._draws(table, band, split), 1, count + 1)  # the first one is the assignment
        return np.array([targets[np.arange(len(targets)), draw] for draw in draws])

    def misassigned(self, rows: Sequence[LedgerRow]) -> list[str]:
        """Clips kept without being eligible, eligible without being kept, or kept more than once."""
        kept = Counter(str(row.clip) for row in rows if row.kept)
        band = self.chosen_band(rows)
        eligible = {clip for split in SPLITS for clip in self.table(rows, split).eligible(band)}
        return sorted(clip for clip in eligible | kept.keys() if kept[clip] != (clip in eligible))

    def _draws(self, table: Table, band: range, split: Split) -> Iterator[Strata]:
        return assignments(table.pool(band, self.target, self.balanced), rng(self.seed, split, "assignment"))
