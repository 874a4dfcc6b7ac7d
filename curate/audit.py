"""What a finished set can prove: invariants, each one function that returns a Finding.

The same functions are property tests, the gate of a build, and what `curate check` runs on a shipped set. Balance is
held against fixed bounds; tests compare with re-draws of the same assignment and can reject at any size, but they
acquit only where the set is large enough to have seen the confound (power by Fisher's z).
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import norm

from curate.assign import (
    LEAST_BALANCED,
    balance_bound,
    group_share,
    group_share_by_chance,
    imbalance,
    ranks,
    standardise,
)
from curate.dependence import dependence, familywise_p
from curate.records import Record, Values

Verdict = Literal["pass", "fail", "not_testable", "constant", "not_applicable"]
Array = NDArray[np.float64]
Booleans = NDArray[np.bool_]

REDRAWS = 999
ALPHA = 0.01  # chance that one test stops a sound set, over all its statistics together
SEEN_RHO = 0.225  # a test acquits only where it would have seen a confound this strong …
POWER = 0.80  # … with this chance
STATISTICS = 4  # that share ALPHA
LEAST_PAIRS = 12  # below this even a perfect correlation is no evidence
LEAST_PER_CELL = 5
LEAST_PER_BIN = 20  # clips; of fewer, a cell that accepts one in five is empty too often


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


def _reach() -> float:
    return float(norm.ppf(1 - ALPHA / 2 / STATISTICS) + norm.ppf(POWER))


def needed_pairs(rho: float = SEEN_RHO) -> int:
    """Pairs at which a correlation `rho` is seen at ALPHA with POWER (Fisher z, Bonferroni): 288 for .225."""
    return math.ceil((_reach() / math.atanh(rho)) ** 2 + 3)


def seen_rho(pairs: int) -> float:
    """The weakest correlation seen at ALPHA with POWER at this many pairs: .22 at 292, .75 at 19."""
    return math.tanh(_reach() / math.sqrt(max(pairs - 3, 1)))


def shuffles(target: Array, stream: np.random.Generator) -> Array:
    """The null where no lot was drawn: any order of the targets.  # (N,) -> (REDRAWS, N)"""
    return np.array([stream.permutation(target) for _ in range(REDRAWS)])


def independence(name: str, split: str, attribute: Array, target: Array, redraws: Array) -> Finding:
    """The target does not depend on `attribute`: four statistics against `redraws` of the assignment.

    `attribute`, `target` # (N,), both in linear scales (log Hz); `redraws` # (B, N). Raises ValueError when B is too
    small ever to reject at ALPHA.
    """
    pairs, wanted = len(target), needed_pairs()
    if pairs < LEAST_PAIRS:
        says = f"{pairs} pairs show nothing either way; it takes {wanted}"
        return Finding(
            name=name, split=split, verdict="not_testable", says=says, pairs=pairs, needed_pairs=wanted
        )
    if np.ptp(attribute) == 0 or np.ptp(target) == 0:
        says = "one of the two never varies"
        return Finding(name=name, split=split, verdict="constant", says=says, pairs=pairs)
    if 1 / (len(redraws) + 1) > ALPHA:
        raise ValueError(f"got {len(redraws)} re-draws, which cannot reject at {ALPHA}")
    found = dependence(attribute, np.vstack([target, redraws]))
    chance = familywise_p(found)
    verdict: Verdict = "fail" if chance < ALPHA else "pass" if pairs >= wanted else "not_testable"
    strongest = max(("pearson", "spearman"), key=lambda k: abs(found[k][0]))
    says = f"{strongest} {found[strongest][0]:+.3f}, p {chance:.3f} of {len(redraws)} re-draws"
    if verdict == "not_testable":
        says += f"; {pairs} pairs would only have seen rho {seen_rho(pairs):.2f}, it takes {wanted}"
    return Finding(
        name=name,
        split=split,
        verdict=verdict,
        says=says,
        pairs=pairs,
        needed_pairs=wanted if verdict == "not_testable" else None,
        measured={k: round(float(v[0]), 6) for k, v in found.items()} | {"p": round(chance, 6)},
        bound={"p": ALPHA, "seen_rho": round(seen_rho(pairs), 4)},
        null={
            f"{k}_{tail}": round(
                float(np.quantile(np.abs(v[1:]) if k in ("pearson", "spearman") else v[1:], q)), 6
            )
            for k, v in found.items()
            for tail, q in (("median", 0.5), ("95", 0.95), ("99", 0.99))
        },
    )


def balance(
    name: str, split: str, attributes: dict[str, Array], target: Array, groups: Sequence[str]
) -> Finding:
    """Achieved imbalance of this finite set over what the assignment balanced: attributes and groups. No p-values."""
    pairs = len(target)
    if pairs < LEAST_BALANCED:
        says = f"{pairs} pairs are assigned by plain lot; balancing takes {LEAST_BALANCED}"
        return Finding(
            name=name,
            split=split,
            verdict="not_testable",
            says=says,
            pairs=pairs,
            needed_pairs=LEAST_BALANCED,
        )
    columns = np.array(list(attributes.values())).T  # (N, K)
    plain, ranked = (float(v[0]) for v in imbalance(target[None], columns))
    member = np.unique(groups, return_inverse=True)[1]
    between, chance = float(group_share(target[None], member)[0]), group_share_by_chance(member)
    bound = balance_bound(pairs)
    each = standardise(columns.T) @ standardise(target)
    sound = max(plain, ranked) <= bound and between <= chance
    return Finding(
        name=name,
        split=split,
        verdict="pass" if sound else "fail",
        says=f"rms r {plain:.3f}, rms rho {ranked:.3f} over {len(attributes)} attributes, bound {bound:.3f}; "
        f"{between:.0%} of the variance between groups, bound {chance:.0%}",
        pairs=pairs,
        measured={
            "rms_r": round(plain, 6),
            "rms_rho": round(ranked, 6),
            "between_groups": round(between, 6),
            **{f"r_{k}": round(float(v), 6) for k, v in zip(attributes, each, strict=True)},
        },
        bound={"rms": round(bound, 6), "between_groups": round(chance, 6)},
    )


def unrelated(name: str, split: str, columns: dict[str, Array], target: Array) -> Finding:
    """Scalar by-products of a reference do not tell the target: no |r| beyond chance (Bonferroni over columns)."""
    pairs, wanted = len(target), needed_pairs()
    if pairs < LEAST_PAIRS:
        says = f"{pairs} pairs show nothing either way; it takes {wanted}"
        return Finding(
            name=name, split=split, verdict="not_testable", says=says, pairs=pairs, needed_pairs=wanted
        )
    each = {k: float(standardise(v) @ standardise(target)) for k, v in columns.items()}
    bound = math.tanh(float(norm.ppf(1 - ALPHA / 2 / len(columns))) / math.sqrt(pairs - 3))
    worst = max(each, key=lambda k: abs(each[k]))
    verdict: Verdict = "fail" if abs(each[worst]) > bound else "pass" if pairs >= wanted else "not_testable"
    return Finding(
        name=name,
        split=split,
        verdict=verdict,
        says=f"largest r {each[worst]:+.3f} ({worst}), bound {bound:.3f}",
        pairs=pairs,
        needed_pairs=wanted if verdict == "not_testable" else None,
        measured={f"r_{k}": round(v, 6) for k, v in each.items()},
        bound={"r": round(bound, 6)},
    )


def coverage(name: str, split: str, counts: Sequence[int], tolerance: float = 0.25) -> Finding:
    """Every stratum of the target is used about equally often (within `tolerance` of the mean, or ±1)."""
    pairs, strata = sum(counts), len(counts)
    wanted = LEAST_PER_CELL * strata
    mean = pairs / strata
    flat = all(abs(c - mean) <= max(1.0, tolerance * mean) for c in counts)
    verdict: Verdict = "not_testable" if pairs < wanted else "pass" if flat else "fail"
    says = f"{min(counts)} to {max(counts)} pairs in each of {strata} strata"
    if verdict == "not_testable":
        says += f"; flatness shows from {wanted} pairs on"
    return Finding(
        name=name,
        split=split,
        verdict=verdict,
        says=says,
        pairs=pairs,
        needed_pairs=wanted if verdict == "not_testable" else None,
        measured={"counts": [float(c) for c in counts]},
        bound={"tolerance": tolerance},
    )


def positivity(name: str, split: str, attribute: Array, passed: Booleans, bins: int = 3) -> Finding:
    """Every kind of source can receive every target: no empty cell of attribute tercile by stratum in use.

    `attribute` # (N,) and `passed` # (N, S) of ALL clips of a side that were tried, eligible or not: a lot among the
    eligible says nothing about voices that never became eligible. An empty cell fails whatever a correlation says.
    """
    clips, strata = passed.shape
    wanted = LEAST_PER_BIN * bins
    if clips < wanted or not strata:
        says = f"{clips} clips leave cells empty by chance; it takes {wanted}"
        return Finding(
            name=name, split=split, verdict="not_testable", says=says, pairs=clips, needed_pairs=wanted
        )
    row = (ranks(attribute) * bins // clips).astype(int)
    cells = np.array([passed[row == b].mean(axis=0) for b in range(bins)])  # (bins, S)
    empty = int(np.sum(cells == 0))
    return Finding(
        name=name,
        split=split,
        verdict="fail" if empty else "pass",
        says=f"{empty} of {cells.size} cells empty, the least has {cells.min():.0%} accepted",
        pairs=clips,
        measured={"empty_cells": empty, "acceptance": [round(float(v), 4) for v in cells.ravel()]},
        bound={"empty_cells": 0},
    )


def band(name: str, passed: Booleans, chosen: range, edges: Array, least_strata: int = 3) -> Finding:
    """The band of targets in use: wide enough to learn from, beside the whole range, with who can take it.

    `passed` # (clips, S) of all clips; `edges` # (S + 1,) in Hz.
    """
    inside = passed[:, chosen.start : chosen.stop]
    eligible = int(inside.all(axis=1).sum()) if chosen else 0
    span = f"{edges[chosen.start]:.0f}-{edges[chosen.stop]:.0f}" if chosen else "none"
    return Finding(
        name=name,
        split="all",
        verdict="pass" if len(chosen) >= least_strata else "fail",
        says=f"{span} Hz of {edges[0]:.0f}-{edges[-1]:.0f}, {eligible} of {len(passed)} clips can take all of it",
        pairs=len(passed),
        measured={
            "low_hz": round(float(edges[chosen.start]), 2),
            "high_hz": round(float(edges[chosen.stop]), 2),
            "strata": len(chosen),
            "eligible_clips": eligible,
            "accepted_share_by_stratum": [round(float(v), 4) for v in passed.mean(axis=0)]
            if len(passed)
            else [],
        },
        bound={"least_strata": least_strata},
    )


def reported(name: str, values: Sequence[float]) -> Finding:
    """A measurement that no bound applies to: shown, never a gate."""
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95]) if values else (0.0, 0.0, 0.0)
    return Finding(
        name=name,
        split="all",
        verdict="not_applicable",
        says=f"median {middle:.2f}, 5 to 95 % {low:.2f} to {high:.2f}; reported, never a gate",
        pairs=len(values),
        measured={
            "p05": round(float(low), 4),
            "median": round(float(middle), 4),
            "p95": round(float(high), 4),
        },
    )


def no_pairs(split: str) -> Finding:
    """A side of the split that is empty: without training pairs there is no set."""
    verdict: Verdict = "fail" if split == "train" else "not_testable"
    says = "no pairs on this side of the split"
    return Finding(name="pairs", split=split, verdict=verdict, says=says, pairs=0, needed_pairs=1)


def within(name: str, split: str, values: Sequence[float], bound: float, unit: str) -> Finding:
    """No measured value is further from zero than `bound`."""
    if not values:
        return Finding(
            name=name, split=split, verdict="not_testable", says="no pairs", pairs=0, needed_pairs=1
        )
    largest = max(abs(v) for v in values)
    return Finding(
        name=name,
        split=split,
        verdict="pass" if largest <= bound else "fail",
        says=f"at most {largest:.4g} {unit}, bound {bound:g}",
        pairs=len(values),
        measured={"largest": round(largest, 6)},
        bound={"largest": bound},
    )


def one_value(name: str, values: Iterable[str | None], wanted: str) -> Finding:
    """All values are exactly `wanted`."""
    held = list(values)
    others = sorted({str(v) for v in held if v != wanted})
    says = f"every one is {wanted!r}" if not others else f"{len(others)} other: {others[0]!r}"
    return Finding(
        name=name, split="all", verdict="fail" if others else "pass", says=says, pairs=len(held),
        measured={"others": len(others)}, bound={"others": 0},
    )  # fmt: skip


def nothing(name: str, offenders: Sequence[str], what: str, pairs: int) -> Finding:
    """There are no offenders."""
    return Finding(
        name=name, split="all", verdict="fail" if offenders else "pass",
        says=f"{len(offenders)} {what}" + (f", first {offenders[0]}" if offenders else ""), pairs=pairs,
        measured={"offenders": len(offenders)}, bound={"offenders": 0},
    )  # fmt: skip


def disjoint(name: str, split_of: Iterable[tuple[str | None, str | None]]) -> Finding:
    """No identity is on both sides of the split. Takes (identity, split) of every kept pair, several each if need be."""
    seen: dict[str | None, set[str | None]] = {}
    held = list(split_of)
    for group, split in held:
        seen.setdefault(group, set()).add(split)
    torn = sorted(str(g) for g, sides in seen.items() if len(sides) > 1)
    says = (
        f"{len(seen)} identities, none on both sides" if not torn else f"{len(torn)} on both sides: {torn[0]}"
    )
    return Finding(
        name=name, split="all", verdict="fail" if torn else "pass", says=says, pairs=len(held),
        measured={"identities": len(seen), "torn": len(torn)}, bound={"torn": 0},
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
