"""How much of a value a set of numbers tells: the share of its variance that a fit explains on pairs it has not seen."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_PAIRS = 100  # the fit has as many terms as a small set has pairs
FOLDS = 5

Array = NDArray[np.float64]


def told_share(columns: Array, target: Array) -> float:
    """R² of a cross-validated quadratic ridge fit; at most 1, and below 0 where it does worse than the mean.

    `columns` # (N, K), `target` # (N,). Many columns are fitted by a line. Folds go by the order of the pairs.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    steps: list[Callable[[], Any]] = [StandardScaler]
    if columns.shape[1] <= 8:
        steps += [lambda: PolynomialFeatures(2, include_bias=False), StandardScaler]
    fit = make_pipeline(*(step() for step in steps), RidgeCV(np.logspace(-3, 3, 7)))
    guess = cross_val_predict(fit, columns, target, cv=KFold(FOLDS))
    spread = float(np.var(target))
    return float(1 - np.mean((target - guess) ** 2) / spread) if spread > 0 else 0.0
