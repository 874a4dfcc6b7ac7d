"""What a reference tells of the assigned value: scalars of it must not, what resolves it must."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.proof.assign import REFERENCE_PAIRS, standardise
from curate.proof.columns import all_columns
from curate.proof.finding import Finding
from curate.proof.probe import LEAST_PAIRS, told_share
from curate.proof.sketch import Reference
from curate.records import Values

Array = NDArray[np.float64]


def proxies(reference: Reference, split: str, measured: Sequence[Values], target: Array) -> Finding:
    """Scalars of the reference tell the target neither one by one nor together."""
    pairs = len(target)
    columns = all_columns(reference.proxies, measured)
    if not columns:
        says = "the sketch names nothing that must not tell"
        return Finding(name="reference_proxies", split=split, verdict="constant", says=says, pairs=pairs)
    if pairs < LEAST_PAIRS:
        return Finding.too_few(
            "reference_proxies", split, f"{pairs} pairs are too few to fit", pairs, LEAST_PAIRS
        )
    if not any(np.ptp(column) for column in columns.values()):
        says = "one reference for all pairs: nothing varies that could tell"
        return Finding(name="reference_proxies", split=split, verdict="constant", says=says, pairs=pairs)
    each = {k: float(standardise(v) @ standardise(target)) for k, v in columns.items()}
    alone = {k: told_share(v[:, None], target) for k, v in columns.items()}
    together = told_share(np.array(list(columns.values())).T, target)
    most_r = reference.most_r * max(1.0, math.sqrt(REFERENCE_PAIRS / pairs))
    worst = max(each, key=lambda k: abs(each[k]))
    says = f"largest r {each[worst]:+.3f} ({worst}), at most {most_r:.2f}; together they explain {max(together, 0):.0%}, at most {reference.most_told:.0%}"
    return Finding.judged(
        "reference_proxies", split, abs(each[worst]) <= most_r and together <= reference.most_told, says, pairs,
        {f"r_{k}": round(v, 6) for k, v in each.items()} | {f"r2_{k}": round(v, 4) for k, v in alone.items()} | {"r2_together": round(together, 4)},
        {"r": round(most_r, 6), "r2_together": reference.most_told},
    )  # fmt: skip


def controls(reference: Reference, split: str, measured: Sequence[Values], target: Array) -> Finding:
    """The positive control: what resolves the reference does tell the target, so that silence of the proxies counts."""
    pairs = len(target)
    if pairs < LEAST_PAIRS:
        return Finding.too_few(
            "reference_controls", split, f"{pairs} pairs are too few to fit", pairs, LEAST_PAIRS
        )
    if not reference.controls:
        says = "the sketch names nothing that must tell"
        return Finding(name="reference_controls", split=split, verdict="constant", says=says, pairs=pairs)
    tables = {k: np.array([row[k] for row in measured]) for k in reference.controls}  # each (N, D)
    told = {k: told_share(table, target) for k, table in tables.items()}
    least = min(told, key=lambda k: told[k])
    says = f"{least} explains {max(told[least], 0):.0%} of the target, at least {reference.least_told:.0%}"
    return Finding.judged(
        "reference_controls", split, told[least] >= reference.least_told, says, pairs,
        {f"r2_{k}": round(v, 4) for k, v in told.items()}, {"r2": reference.least_told},
    )  # fmt: skip
