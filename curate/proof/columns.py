"""Values of many pairs as columns of numbers; an embedding becomes its first principal axes."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from curate.records import Values, number

AXES = 2  # of an embedding

Array = NDArray[np.float64]


def all_columns(keys: Sequence[str], values: Sequence[Values]) -> dict[str, Array]:
    """Several values of every pair.  # each (N,)"""
    return {name: column for key in keys for name, column in columns_of(key, values).items()}


def columns_of(key: str, values: Sequence[Values]) -> Mapping[str, Array]:
    """One value of every pair; of an embedding its first principal axes, `key_1` and so on.  # each (N,)"""
    if not isinstance(values[0][key], list):
        return {key: np.array([number(row, key) for row in values])}
    table = np.array([row[key] for row in values], dtype=np.float64)  # (N, D)
    rounding = 1e-9 * np.abs(table).max()
    table -= table.mean(axis=0)
    left, spread, _ = np.linalg.svd(table, full_matrices=False)
    spread[spread <= rounding] = 0  # directions in which nothing varies
    axes = left[:, :AXES] * spread[:AXES]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1, 1)  # a sign of its own
    return {f"{key}_{i}": axis for i, axis in enumerate(axes.T, start=1)}
