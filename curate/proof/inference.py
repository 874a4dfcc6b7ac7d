"""What the lot never saw: is it independent of the target? Inference on held-back attributes, and only on those.

The null is B re-draws of the same assignment. One matrix holds every statistic of every held-back column of both
sides of the split under every draw, and the largest of a row, each column in units of its own spread, is what the
observed one is compared with (max-T; Westfall & Young 1993): the whole set is stopped by chance in ALPHA of cases.
That nothing was found acquits nobody: a side passes when it is shown that no |r| and no |rho| can reach DELTA.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from curate.proof.dependence import STATISTICS, dependence, scores
from curate.proof.finding import Finding

REDRAWS = 999
ALPHA = 0.01  # chance that a sound set is stopped, over everything that is tested in it
DELTA = 0.20  # |r| and |rho| that a side must exclude to pass
EXCLUDED = float(norm.ppf(0.95))  # one-sided, as in two one-sided tests (Schuirmann 1987)
POWER = 0.80
MOST_UNSEEN = 0.35  # a correlation that silence must have seen, where silence is all that is asked
LEAST_PAIRS = 12  # below this even a perfect correlation is no evidence

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """Columns of one side that are judged as one finding."""

    name: str
    split: str
    columns: Mapping[str, Array]  # each # (N,), of the source or of what was drawn beside the target
    targets: Array  # (1 + B, N): as assigned, then as the same lot could have
    acquits: bool = (
        True  # whether a pass takes equivalence; otherwise that nothing was found by who could have
    )


def shuffles(target: Array, stream: np.random.Generator, count: int = REDRAWS) -> Array:
    """The null where no lot was drawn: any order of the targets.  # (N,) -> (count, N)"""
    return np.array([stream.permutation(target) for _ in range(count)])


def least_pairs(columns: int) -> int:
    """Pairs at which this many unrelated columns are all shown to stay below DELTA, four times in five."""
    each = float(norm.ppf((1 + POWER ** (1 / max(columns, 1))) / 2))
    return math.ceil(((EXCLUDED + each) / DELTA) ** 2)


def hold_back(families: Sequence[Family]) -> list[Finding]:
    """A finding per family, all from one max-T matrix.

    Raises ValueError when there are too few re-draws ever to reject at ALPHA.
    """
    tested = [f for f in families if f.columns and f.targets.shape[1] >= LEAST_PAIRS]
    for family in tested:
        if 1 / len(family.targets) >= ALPHA:
            raise ValueError(f"got {len(family.targets) - 1} re-draws, which cannot reject at {ALPHA}")
    varying = [{k: v for k, v in f.columns.items() if np.ptp(v) > 0} for f in tested]
    found = [
        dependence(np.array(list(v.values())), f.targets) if v and np.ptp(f.targets) else None
        for f, v in zip(tested, varying, strict=True)
    ]  # each (4, K, 1 + B)
    scored = [scores(e, f.targets.shape[1]) for f, e in zip(tested, found, strict=True) if e is not None]
    largest = (
        np.max([each.max(axis=(0, 1)) for each in scored], axis=0) if scored else np.zeros(1)
    )  # (1 + B,)
    judged = {
        id(f): _constant(f) if each is None else _judge(f, list(v), each, largest)
        for f, v, each in zip(tested, varying, found, strict=True)
    }
    return [judged.get(id(f)) or _too_few(f) for f in families]


def _judge(family: Family, names: list[str], found: Array, largest: Array) -> Finding:
    pairs = family.targets.shape[1]
    chance = (scores(found, pairs)[:, :, :1] <= largest).mean(axis=2)  # (4, K)
    kind, worst = (int(i) for i in np.unravel_index(chance.argmin(), chance.shape))
    p, seen = float(chance.min()), _seen(found, largest, pairs)
    says = f"p {p:.3f} over {chance.size} statistics ({STATISTICS[kind]} of {names[worst]} {found[kind, worst, 0]:+.3f}), sees rho {seen:.2f}"
    measured = {"p": round(p, 6)} | {
        f"p_{n}": round(float(v), 6) for n, v in zip(names, chance.min(axis=0), strict=True)
    }
    measured |= {
        f"{s}_{n}": round(float(found[i, k, 0]), 6)
        for i, s in enumerate(STATISTICS)
        for k, n in enumerate(names)
    }
    finding = Finding.judged(
        family.name, family.split, p >= ALPHA, says, pairs, measured, {"p": ALPHA, "seen_rho": round(seen, 4)}
    )
    highest = {
        f"{s}_99": round(float(np.quantile(np.abs(found[i, :, 1:]).max(axis=0), 0.99)), 6)
        for i, s in enumerate(STATISTICS)
    }
    finding = finding.model_copy(update={"null": highest})
    if constant := sorted(family.columns.keys() - set(names)):
        finding = finding.model_copy(update={"says": f"{says}; never varies: {', '.join(constant)}"})
    if p < ALPHA:
        return finding
    return _acquitted(finding, _reach(found)) if family.acquits else _heard(finding, seen)


def _acquitted(finding: Finding, reach: Array) -> Finding:
    """A finding that nothing was found, held to what it shows: `reach` # (1 + B,) of the set and of its re-draws."""
    shown, power = float(reach[0]), float(np.mean(reach[1:] <= DELTA))
    says = f"{finding.says}; |r| and |rho| below {shown:.2f} shown, wanted {DELTA:.2f} (power {power:.0%})"
    needed = math.ceil(finding.pairs * (float(np.quantile(reach[1:], POWER)) / DELTA) ** 2)
    changed: dict[str, object] = {
        "says": says,
        "measured": {**finding.measured, "shown_below": round(shown, 4)},
        "bound": {**finding.bound, "shown_below": DELTA, "power": round(power, 4)},
    }
    if shown > DELTA:
        changed |= {"verdict": "not_testable", "needed_pairs": max(needed, finding.pairs + 1)}
    return finding.model_copy(update=changed)


def _heard(finding: Finding, seen: float) -> Finding:
    """A finding that nothing was found, where that is all it claims: it takes pairs enough to have seen something."""
    if seen <= MOST_UNSEEN:
        return finding
    says = f"{finding.says}, wanted {MOST_UNSEEN:.2f}"
    needed = max(math.ceil(finding.pairs * (seen / MOST_UNSEEN) ** 2), finding.pairs + 1)
    return finding.model_copy(update={"verdict": "not_testable", "says": says, "needed_pairs": needed})


def _reach(found: Array) -> Array:
    """What |r| and |rho| of every column are shown to stay below, per draw.  # (4, K, 1 + B) -> (1 + B,)"""
    slopes = found[:2]
    return np.asarray(
        (np.abs(slopes) + EXCLUDED * slopes[:, :, 1:].std(axis=2, keepdims=True)).max(axis=(0, 1))
    )


def _seen(found: Array, largest: Array, pairs: int) -> float:
    """The correlation of any column that would be found with POWER: its critical value, then Fisher's z."""
    critical = float(np.quantile(largest[1:], 1 - ALPHA)) * float(found[0, :, 1:].std(axis=1).max())
    return math.tanh(math.atanh(min(critical, 0.999)) + float(norm.ppf(POWER)) / math.sqrt(pairs - 3))


def _constant(family: Family) -> Finding:
    pairs = family.targets.shape[1]
    says = "nothing varies that could be tested"
    return Finding(name=family.name, split=family.split, verdict="constant", says=says, pairs=pairs)


def _too_few(family: Family) -> Finding:
    pairs = family.targets.shape[1]
    columns = len(family.columns) if family.acquits else 1
    needed = max(least_pairs(columns), pairs + 1)
    return Finding.too_few(family.name, family.split, f"{pairs} pairs show nothing either way", pairs, needed)


def seen_slope(tones: int, sources: int, span: float, residual: float) -> float:
    """The slope of output on tone that a sweep sees, four times in five at 5 %: z sum * residual / (sd of tones * sqrt(n)).

    `tones` evenly over `span`, each tried on `sources`; `residual` is the spread around the line, in the unit of `span`.
    """
    spread = span * math.sqrt((tones + 1) / (12 * (tones - 1)))  # of evenly spaced points
    return (
        (float(norm.ppf(0.975)) + float(norm.ppf(POWER))) * residual / (spread * math.sqrt(tones * sources))
    )
