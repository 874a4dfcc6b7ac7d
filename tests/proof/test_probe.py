"""How much a set of numbers tells of a target, on pairs that the fit has not seen."""

import numpy as np
import pytest

from curate.proof.probe import LEAST_PAIRS, told_share


def drawn(columns: int, pairs: int = 200) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(pairs, columns))


def test_the_share_is_that_of_the_variance() -> None:
    columns = drawn(3)
    noise = np.random.default_rng(1).normal(size=200)
    assert told_share(columns, columns @ [1.0, -2.0, 0.5]) > 0.99
    half = columns[:, 0] + noise
    assert told_share(columns, half) == pytest.approx(0.5, abs=0.15)


def test_noise_tells_nothing_however_many_columns_there_are() -> None:
    target = np.random.default_rng(2).normal(size=LEAST_PAIRS)
    for columns in (1, 5, 64):
        assert told_share(drawn(columns, LEAST_PAIRS), target) < 0.1


def test_few_columns_are_seen_to_bend_and_to_act_together() -> None:
    columns = drawn(4)
    assert told_share(columns, columns[:, 0] ** 2) > 0.95
    assert told_share(columns, columns[:, 0] * columns[:, 1]) > 0.95


def test_many_columns_are_fitted_by_a_line() -> None:
    columns = drawn(64)
    assert told_share(columns, columns @ np.ones(64)) > 0.95
    assert told_share(columns, columns[:, 0] ** 2) < 0.2


def test_units_do_not_matter_and_constants_do_no_harm() -> None:
    columns = drawn(3)
    target = columns @ [1.0, 1.0, 0.0]
    scaled = columns * [1e-3, 1e6, 1.0] + [5.0, 0.0, -1.0]
    assert told_share(scaled, target * 1e4) == pytest.approx(told_share(columns, target), abs=1e-6)
    with_constant = np.column_stack([columns, np.full(200, 7.0)])
    assert told_share(with_constant, target) > 0.99
    assert told_share(np.zeros((200, 2)), target) <= 0
    assert told_share(columns, np.full(200, 3.0)) == 0  # nothing to tell
