"""A randomised trial over a ledger: which clips are eligible, which target each gets, what the lot could have given."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Self

import numpy as np
from numpy.typing import NDArray

from curate.proof.assign import Pool, Strata, assignments, widest_band
from curate.proof.sketch import Lot, Sketch
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

    def attribute(self, key: str) -> Array:
        """A source attribute of every clip.  # (clips,)"""
        of_clip = {clip: number(row.attributes, key) for (clip, _), row in self.rows.items()}
        return np.array([of_clip[clip] for clip in self.clips])


class Trial:
    """The lot of a sketch over one ledger. `sketch` must have a lot."""

    def __init__(self, seed: int, sketch: Sketch, rows: Sequence[LedgerRow]) -> None:
        if sketch.lot is None or sketch.assigned is None:
            raise ValueError("wanted a sketch with a lot and what is assigned by it")
        self.seed = seed
        self.sketch = sketch
        self.lot: Lot = sketch.lot
        self.target: str = sketch.assigned
        self.rows = rows

    @cached_property
    def table(self) -> Table:
        """The candidates of both sides."""
        return Table.of(self.rows, self.lot.strata)

    @cached_property
    def sides(self) -> dict[Split, Table]:
        """The candidates of each side."""
        return {
            split: Table.of((row for row in self.rows if row.split == split), self.lot.strata)
            for split in SPLITS
        }

    @cached_property
    def band(self) -> range:
        """The strata in use, from the training clips alone; empty where no stratum has enough eligible clips."""
        if self.lot.whole_range:
            return range(self.lot.strata)
        return widest_band(self.sides["train"].passed, self.lot.least_eligible_share)

    def select(self) -> dict[str, str | None]:
        """For every made candidate None when its clip drew it, or why not. Each side draws by itself.

        Where nobody draws, every candidate that was made is kept.
        """
        if not self.lot.drawn:
            return {row.id: None for row in self.rows if row.made}
        fates = dict[str, str | None]()
        for split, table in self.sides.items():
            fates |= table.fates(self.band)
            if clips := table.eligible(self.band):
                draw = next(self._draws(split))
                fates |= {
                    table.rows[clip, self.band.start + int(s)].id: None
                    for clip, s in zip(clips, draw, strict=True)
                }
        return fates

    def redraws(self, split: Split, count: int) -> Array | None:
        """Targets of the kept clips, in order of their ids, under re-draws.  # (count, N)

        None where nobody drew, or the kept clips are not the eligible ones, so that no lot of this trial gave them.
        """
        eligible = self.sides[split].eligible(self.band)
        kept = sorted(str(row.clip) for row in self.rows if row.kept and row.split == split)
        if not self.lot.drawn or kept != eligible:
            return None
        targets = self._pool(split).targets
        draws = islice(self._draws(split), 1, count + 1)  # the first one is the assignment
        return np.array([targets[np.arange(len(targets)), draw] for draw in draws])

    def misassigned(self) -> list[str]:
        """Clips kept without being eligible, eligible without being kept, or kept more than once."""
        kept = Counter(str(row.clip) for row in self.rows if row.kept)
        eligible = {clip for table in self.sides.values() for clip in table.eligible(self.band)}
        return sorted(clip for clip in eligible | kept.keys() if kept[clip] != (clip in eligible))

    def _pool(self, split: Split) -> Pool:
        return self.sides[split].pool(self.band, self.target, self.sketch.balanced)

    def _draws(self, split: Split) -> Iterator[Strata]:
        return assignments(self._pool(split), rng(self.seed, split, "assignment"))
