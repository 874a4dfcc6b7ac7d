"""Statistics of dependence between one attribute and many draws of a target, and their joint p-value."""

import numpy as np
from numpy.typing import NDArray

from curate.assign import ranks, standardise

Array = NDArray[np.float64]


def _u_centred(values: Array) -> Array:
    """U-centred distance matrix of one sample (Székely & Rizzo 2014).  # (N,) -> (N, N)"""
    count = len(values)
    distance = np.abs(values[:, None] - values[None, :])
    rows = distance.sum(axis=1)
    centred = distance - (rows[:, None] + rows[None, :]) / (count - 2)
    centred += rows.sum() / ((count - 1) * (count - 2))
    np.fill_diagonal(centred, 0.0)
    return np.asarray(centred)


def distance_correlation(attribute: Array, targets: Array) -> Array:
    """Bias-corrected distance correlation, signed root; 0 on average under independence.  # (N,), (D, N) -> (D,)

    Sees any dependence, also one without slope. Needs at least 4 pairs.
    """
    centred = _u_centred(attribute)
    spread = np.sum(centred**2)
    found = np.zeros(len(targets))
    for i, target in enumerate(targets):
        other = _u_centred(target)
        scale = np.sqrt(spread * np.sum(other**2))
        squared = np.sum(centred * other) / scale if scale > 0 else 0.0
        found[i] = np.sign(squared) * np.sqrt(np.abs(squared))
    return found


def mutual_information(attribute: Array, targets: Array, bins: int = 5) -> Array:
    """Mutual information in nats between quantile bins, less the Miller-Madow bias.  # (N,), (D, N) -> (D,)"""
    count = len(attribute)
    row = (ranks(attribute) * bins // count).astype(int)
    columns = (ranks(targets) * bins // count).astype(int)
    found = np.zeros(len(targets))
    for i, column in enumerate(columns):
        joint = np.bincount(row * bins + column, minlength=bins * bins).reshape(bins, bins) / count
        chance = joint.sum(axis=1)[:, None] * joint.sum(axis=0)[None, :]
        some = joint > 0
        found[i] = np.sum(joint[some] * np.log(joint[some] / chance[some]))
    return found - (bins - 1) ** 2 / (2 * count)


def dependence(attribute: Array, targets: Array) -> dict[str, Array]:
    """The four statistics of every row of `targets` # (D, N) against `attribute` # (N,)."""
    return {
        "pearson": standardise(targets) @ standardise(attribute),
        "spearman": standardise(ranks(targets)) @ standardise(ranks(attribute)),
        "distance_correlation": distance_correlation(attribute, targets),
        "mutual_information": mutual_information(attribute, targets),
    }


def familywise_p(found: dict[str, Array]) -> float:
    """P-value of draw 0 against the draws after it, over all statistics together (min-p; Westfall & Young 1993).

    Each statistic is ranked among all draws, and the rarest rank counts: none drowns the others by a long tail.
    """
    table = np.array(
        [np.abs(v) if k in ("pearson", "spearman") else v for k, v in found.items()]
    )  # (4, 1 + B)
    rarest = np.array([np.searchsorted(np.sort(-row), -row, side="right") for row in table]).min(axis=0)
    return float(np.mean(rarest <= rarest[0]))
