"""The invariants that need no test: each one function, what was measured against a bound fixed beforehand.

They are the gate of a build, the property tests, and what `curate check` runs on a shipped set.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from curate.proof.assign import (
    LEAST_BALANCED,
    REFERENCE_PAIRS,
    balance_bound,
    group_share,
    group_share_by_chance,
    imbalance,
    ranks,
    standardise,
)
from curate.proof.dependence import distance_correlation, mutual_information
from curate.proof.finding import Finding
from curate.records import Values

LEAST_PER_CELL = 5
LEAST_PER_BIN = 20  # clips; of fewer, a cell that accepts one in five is empty too often
LEAST_STRATA = 3
LEAST_WHOLE_BAND = (
    0.2  # of each tercile of sources: who is not eligible is not in the lot, and so not in the set
)
DISTANCE_BOUND = (
    0.15  # bias-corrected distance correlation at REFERENCE_PAIRS; the facts' fake decorrelation has .33
)
INFORMATION_BOUND = 0.05  # nats, bias-corrected, at REFERENCE_PAIRS; the fake has .46

Array = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def balance(
    name: str, split: str, attributes: dict[str, Array], target: Array, groups: Sequence[str]
) -> Finding:
    """Achieved imbalance of this finite set over what the assignment balanced: attributes and groups. No p-values.

    Fixed bounds on rms |r| and rms |rho|, on the largest bias-corrected distance correlation and mutual information
    (which see what has no slope), and on the share of the target's variance between groups.
    """
    pairs = len(target)
    if pairs < LEAST_BALANCED:
        return Finding.too_few(name, split, "assigned by plain lot", pairs, LEAST_BALANCED)
    columns = np.array(list(attributes.values())).T  # (N, K)
    smaller = max(1.0, REFERENCE_PAIRS / pairs)
    member = np.unique(groups, return_inverse=True)[1]
    plain, ranked = (float(v[0]) for v in imbalance(target[None], columns))
    measured = {
        "rms_r": plain,
        "rms_rho": ranked,
        "distance_correlation": float(distance_correlation(columns.T, target[None]).max()),
        "mutual_information": max(float(mutual_information(c, target[None])[0]) for c in columns.T),
        "between_groups": float(group_share(target[None], member)[0]),
    }
    bound = {
        "rms_r": balance_bound(pairs),
        "rms_rho": balance_bound(pairs),
        "distance_correlation": DISTANCE_BOUND * math.sqrt(smaller),
        "mutual_information": INFORMATION_BOUND * smaller,
        "between_groups": group_share_by_chance(member),
    }
    each = standardise(columns.T) @ standardise(target)
    says = ", ".join(f"{k.replace('_', ' ')} {v:.3f} (at most {bound[k]:.3f})" for k, v in measured.items())
    sound = all(measured[k] <= bound[k] for k in bound)
    return Finding.judged(
        name, split, sound, says, pairs,
        {k: round(v, 6) for k, v in measured.items()}
        | {f"r_{k}": round(float(v), 6) for k, v in zip(attributes, each, strict=True)},
        {k: round(v, 6) for k, v in bound.items()},
    )  # fmt: skip


def coverage(name: str, split: str, counts: Sequence[int], tolerance: float = 0.25) -> Finding:
    """Every stratum of the target is used about equally often (within `tolerance` of the mean, or ±1)."""
    pairs, strata = sum(counts), len(counts)
    wanted, mean = LEAST_PER_CELL * strata, pairs / max(strata, 1)
    says = f"{min(counts, default=0)} to {max(counts, default=0)} pairs in each of {strata} strata"
    if pairs < wanted or not strata:
        return Finding.too_few(name, split, says, pairs, wanted)
    flat = all(abs(c - mean) <= max(1.0, tolerance * mean) for c in counts)
    measured = {"counts": [float(c) for c in counts]}
    return Finding.judged(name, split, flat, says, pairs, measured, {"tolerance": tolerance})


def positivity(name: str, split: str, attribute: Array, passed: Booleans, bins: int = 3) -> Finding:
    """Every kind of source can receive every target: no empty cell of attribute tercile by stratum in use, and a
    fifth of each tercile can take all of the band, or it would hardly be in the set.

    `attribute` # (N,) and `passed` # (N, S) of ALL clips of a side that were tried, eligible or not: a lot among the
    eligible says nothing about voices that never became eligible. An empty cell fails whatever a correlation says.
    """
    clips, strata = passed.shape
    if clips < LEAST_PER_BIN * bins or not strata:
        return Finding.too_few(
            name, split, f"{clips} clips leave cells empty by chance", clips, LEAST_PER_BIN * bins
        )
    row = (ranks(attribute) * bins // clips).astype(int)
    cells = np.array([passed[row == b].mean(axis=0) for b in range(bins)])  # (bins, S)
    whole = [float(passed[row == b].all(axis=1).mean()) for b in range(bins)]
    empty = int(np.sum(cells == 0))
    says = f"{empty} of {cells.size} cells empty, the least has {cells.min():.0%} accepted; of each tercile at least {min(whole):.0%} can take all"
    measured: Values = {
        "empty_cells": empty, "least_whole_band": round(min(whole), 4),
        "acceptance": [round(float(v), 4) for v in cells.ravel()],
    }  # fmt: skip
    sound = not empty and min(whole) >= LEAST_WHOLE_BAND
    bound = {"empty_cells": 0, "least_whole_band": LEAST_WHOLE_BAND}
    return Finding.judged(name, split, sound, says, clips, measured, bound)


def band(name: str, passed: Booleans, chosen: range, edges: Sequence[float], unit: str) -> Finding:
    """The band of targets in use: wide enough to learn from, beside the whole range, with who can take it.

    `passed` # (clips, S) of all clips; `edges` # (S + 1,) in `unit`.
    """
    eligible = int(passed[:, chosen.start : chosen.stop].all(axis=1).sum()) if chosen else 0
    low, high = edges[chosen.start], edges[chosen.stop]
    span = f"{low:.0f}-{high:.0f}" if chosen else "none"
    says = f"{span} {unit} of {edges[0]:.0f}-{edges[-1]:.0f}, {eligible} of {len(passed)} clips can take all of it"
    shares = [round(float(v), 4) for v in passed.mean(axis=0)] if len(passed) else []
    measured: Values = {
        "low": round(low, 2), "high": round(high, 2), "strata": len(chosen), "eligible_clips": eligible,
        "accepted_share_by_stratum": shares,
    }  # fmt: skip
    sound = len(chosen) >= LEAST_STRATA
    return Finding.judged(name, "all", sound, says, len(passed), measured, {"least_strata": LEAST_STRATA})


def effect(name: str, values: Sequence[float]) -> Finding:
    """What the treatment did: shown, never a gate."""
    low, middle, high = (round(float(v), 4) for v in np.quantile(values or [0.0], [0.05, 0.5, 0.95]))
    says = f"median {middle:.2f}, 5 to 95 % {low:.2f} to {high:.2f}"
    return Finding.reported(name, "all", says, len(values), {"p05": low, "median": middle, "p95": high})


def within(name: str, split: str, values: Sequence[float], bound: float, unit: str) -> Finding:
    """No measured value is further from zero than `bound`."""
    if not values:
        return Finding.too_few(name, split, "no pairs", 0, 1)
    largest, over = max(abs(v) for v in values), sum(abs(v) > bound for v in values)
    says = f"at most {largest:.4g} {unit} off, bound {bound:g}" + (f", {over} beyond it" if over else "")
    return Finding.judged(
        name, split, not over, says, len(values), {"largest": round(largest, 6), "beyond": over}, {"largest": bound}
    )  # fmt: skip


def at_least(name: str, split: str, values: Sequence[float], least: float, unit: str) -> Finding:
    """No measured value is below `least`."""
    if not values:
        return Finding.too_few(name, split, "no pairs", 0, 1)
    smallest, under = min(values), sum(value < least for value in values)
    says = f"at least {smallest:.4g} {unit}, bound {least:g}" + (f", {under} below it" if under else "")
    measured: Values = {"smallest": round(smallest, 6), "below": under}
    return Finding.judged(name, split, not under, says, len(values), measured, {"least": least})


def one_value(name: str, values: Iterable[str | None], wanted: str) -> Finding:
    """All values are exactly `wanted`."""
    held = list(values)
    others = sorted({str(v) for v in held if v != wanted})
    says = f"every one is {wanted!r}" if not others else f"{len(others)} other: {others[0]!r}"
    return Finding.judged(name, "all", not others, says, len(held), {"others": len(others)}, {"others": 0})


def nothing(name: str, offenders: Sequence[str], what: str, pairs: int) -> Finding:
    """There are no offenders."""
    says = f"{len(offenders)} {what}" + (f", first {offenders[0]}" if offenders else "")
    measured = {"offenders": len(offenders)}
    return Finding.judged(name, "all", not offenders, says, pairs, measured, {"offenders": 0})


def disjoint(name: str, identities: Iterable[tuple[str, str | None, str]]) -> Finding:
    """No identity is on both sides of the split.

    Takes (kind, identity, split) of every kept pair, several kinds each; None is an identity that nobody knows.
    """
    held = list(identities)
    seen: dict[tuple[str, str], set[str]] = {}
    for kind, identity, split in held:
        if identity is not None:
            seen.setdefault((kind, identity), set()).add(split)
    unknown = Counter(kind for kind, identity, _ in held if identity is None)
    torn = sorted(f"{kind} {identity}" for (kind, identity), sides in seen.items() if len(sides) > 1)
    says = (
        f"{len(seen)} identities, none on both sides" if not torn else f"{len(torn)} on both sides: {torn[0]}"
    )
    says += "".join(f"; {kind} not known for {count} pairs" for kind, count in sorted(unknown.items()))
    if not seen:
        return Finding.too_few(name, "all", says, len(held), 1)
    measured: Values = {
        "identities": len(seen),
        "torn": len(torn),
        **{f"unknown_{k}": n for k, n in unknown.items()},
    }
    return Finding.judged(name, "all", not torn, says, len(held), measured, {"torn": 0})


def predicted_r(
    name: str, split: str, x: Sequence[float], y: Sequence[float], wanted_r: float, chance: float = 0.01
) -> Finding:
    """The correlation of `x` and `y` is the one that a design predicts, within Fisher's interval."""
    pairs = len(x)
    if pairs < LEAST_BALANCED:
        return Finding.too_few(name, split, f"predicted r {wanted_r:.2f}", pairs, LEAST_BALANCED)
    found = float(np.corrcoef(x, y)[0, 1])
    reach = float(norm.ppf(1 - chance / 2)) / math.sqrt(pairs - 3)
    low, high = (math.tanh(math.atanh(wanted_r) + side * reach) for side in (-1, 1))
    says = f"r {found:+.3f}, the design predicts {wanted_r:.3f} ({low:.3f} to {high:.3f} at this size)"
    measured = {"r": round(found, 6), "predicted_r": round(wanted_r, 6)}
    return Finding.judged(
        name, split, low <= found <= high, says, pairs, measured, {"low": round(low, 6), "high": round(high, 6)}
    )  # fmt: skip
