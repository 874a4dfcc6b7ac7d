"""Statistics of dependence between attributes of the source and many draws of a target."""

import numpy as np
from numpy.typing import NDArray

from curate.proof.assign import ranks, standardise

Array = NDArray[np.float64]
STATISTICS = ("pearson", "spearman", "distance_correlation", "mutual_information")
BINS = 5  # of equal counts, for mutual information
MOST_DISTANCES = 600  # pairs compared by distance, the first by id: the cost grows with the square


def _u_centred(values: Array) -> Array:
    """U-centred distance matrix of one sample (Székely & Rizzo 2014).  # (N,) -> (N * N,)"""
    count = len(values)
    distance = np.abs(values[:, None] - values[None, :])
    rows = distance.sum(axis=1) / (count - 2)
    distance -= rows[:, None]
    distance -= rows[None, :]
    distance += rows.sum() / (count - 1)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(distance.ravel())


def distance_correlation(columns: Array, targets: Array) -> Array:
    """Bias-corrected distance correlation, signed root; 0 on average under independence.  # (K, N), (D, N) -> (K, D)

    Sees any dependence, also one without slope. Needs at least 4 pairs; of more than 600 it takes the first.
    """
    columns, targets = columns[:, :MOST_DISTANCES], targets[:, :MOST_DISTANCES]
    centred = np.array([_u_centred(column) for column in columns])  # (K, N * N)
    spread = np.einsum("kn,kn->k", centred, centred)
    squared = np.zeros((len(columns), len(targets)))
    for i, target in enumerate(targets):
        other = _u_centred(target)
        scale = np.sqrt(spread * (other @ other))
        squared[:, i] = np.divide(centred @ other, scale, out=np.zeros(len(columns)), where=scale > 0)
    return np.asarray(np.sign(squared) * np.sqrt(np.abs(squared)))


def mutual_information(attribute: Array, targets: Array, bins: int = BINS) -> Array:
    """Mutual information in nats between quantile bins, less the Miller-Madow bias.  # (N,), (D, N) -> (D,)"""
    count = len(attribute)
    row = (ranks(attribute) * bins // count).astype(int)
    cell = row * bins + (ranks(targets) * bins // count).astype(int)  # (D, N)
    cell += bins * bins * np.arange(len(targets))[:, None]
    joint = np.bincount(cell.ravel(), minlength=len(targets) * bins * bins).reshape(-1, bins, bins) / count
    chance = joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)
    terms = joint * np.log(np.divide(joint, chance, out=np.ones_like(joint), where=joint > 0))
    return np.asarray(terms.sum(axis=(1, 2)) - (bins - 1) ** 2 / (2 * count))


def dependence(columns: Array, targets: Array) -> Array:
    """The four STATISTICS of every target with every column.  # (K, N), (D, N) -> (4, K, D)"""
    return np.array(
        [
            standardise(columns) @ standardise(targets).T,
            standardise(ranks(columns)) @ standardise(ranks(targets)).T,
            distance_correlation(columns, targets),
            [mutual_information(column, targets) for column in columns],
        ]
    )


def scores(found: Array, pairs: int) -> Array:
    """Statistics in units of their own spread over the draws, two-sided where they have a sign.  # (4, K, D)

    Mutual information is nearly chi-squared, and its long tail would drown the others in a maximum: it counts by the
    cube root of what it was before its bias was taken off (Wilson & Hilferty 1931).
    """
    even = found.copy()
    even[3] = np.cbrt(np.maximum(found[3] + (BINS - 1) ** 2 / (2 * pairs), 0))
    spread = even.std(axis=2, keepdims=True)
    even -= even.mean(axis=2, keepdims=True)
    np.divide(even, spread, out=even, where=spread > 1e-12)
    even[:2] = np.abs(even[:2])
    return even
