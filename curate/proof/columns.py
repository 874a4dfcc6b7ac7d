"""Values of many pairs as columns of numbers; an embedding becomes its first principal axes."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError
from curate.records import Values, number

AXES = 2  # of an embedding
MOST = 1e100  # squares of it are still numbers

Array = NDArray[np.float64]


def all_columns(keys: Sequence[str], values: Sequence[Values]) -> dict[str, Array]:
    """Several values of every pair.  # each (N,)"""
    return {name: column for key in keys for name, column in columns_of(key, values).items()}


def columns_of(key: str, values: Sequence[Values]) -> Mapping[str, Array]:
    """One value of every pair as columns.  # each (N,)

    Of an embedding its first principal axes, `key_1` and so on; of a word one column of ones and zeros a kind.
    Raises CurateError for a value that is missing or of another kind in some pair.
    """
    held = [row.get(key) for row in values]
    if lacking := sum(value is None for value in held):
        raise CurateError(f"the sketch names {key}, which {lacking} of {len(held)} pairs do not have")
    if all(isinstance(value, str) for value in held):
        kinds = sorted({str(value) for value in held})
        return {f"{key} {kind}": np.array([float(str(v) == kind) for v in held]) for kind in kinds}
    if not all(isinstance(value, list) for value in held):
        if odd := [v for v in held if isinstance(v, list | str)]:
            raise CurateError(
                f"the sketch names {key}, which is {odd[0]!r} in one pair, wanted a number in all"
            )
        return {key: np.array([number(row, key) for row in values])}
    if len({len(value) for value in held if isinstance(value, list)}) != 1:
        raise CurateError(f"the sketch names {key}, whose lists are not of one length")
    try:
        table = np.array(held, dtype=np.float64)  # (N, D)
    except ValueError as error:
        raise CurateError(f"the sketch names {key}, whose lists hold what is no number") from error
    if not table.size or not np.abs(table).max() < MOST:
        raise CurateError(f"the sketch names {key}, whose lists are empty or hold numbers beyond {MOST:g}")
    rounding = 1e-9 * np.abs(table).max()
    table -= table.mean(axis=0)
    left, spread, _ = np.linalg.svd(table, full_matrices=False)
    spread[spread <= rounding] = 0  # directions in which nothing varies
    axes = left[:, :AXES] * spread[:AXES]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1, 1)  # a sign of its own
    return {f"{key}_{i}": axis for i, axis in enumerate(axes.T, start=1)}
