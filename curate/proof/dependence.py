"""Statistics of dependence between attributes of the source and many draws of a target."""

import numpy as np
from numpy.typing import NDArray

from curate.proof.assign import ranks, standardise

Array = NDArray[np.float64]
STATISTICS = ("pearson", "spearman", "distance_correlation", "mutual_information")
MOST_DISTANCES = (
    1500  # pairs compared by distance, the first by id: it takes memory with the square, and enough see
)


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


def mutual_information(attribute: Array, targets: Array, bins: int = 5) -> Array:
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
