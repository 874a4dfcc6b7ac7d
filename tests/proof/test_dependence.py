"""The statistics of dependence, against slow ones written down as their papers have them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from curate.proof.dependence import MOST_DISTANCES, dependence, distance_correlation, mutual_information


def pairs_of(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=count), draw.uniform(size=count)


def permuted(target: np.ndarray, seed: int = 9, count: int = 60) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.array([draw.permutation(target) for _ in range(count)])


def distances_apart(x: list[float], y: list[float]) -> float:
    """Székely & Rizzo 2014, definitions 2 and 3 and equation (3.2), an element at a time; signed root."""
    count = len(x)

    def centred(values: list[float]) -> list[list[float]]:
        far = [[abs(a - b) for b in values] for a in values]
        row = [sum(line) for line in far]
        return [
            [
                0.0
                if i == j
                else far[i][j] - (row[i] + row[j]) / (count - 2) + sum(row) / ((count - 1) * (count - 2))
                for j in range(count)
            ]
            for i in range(count)
        ]

    def inner(a: list[list[float]], b: list[list[float]]) -> float:
        return sum(a[i][j] * b[i][j] for i in range(count) for j in range(count)) / (count * (count - 3))

    a, b = centred(x), centred(y)
    squared = inner(a, b) / math.sqrt(inner(a, a) * inner(b, b))
    return math.copysign(math.sqrt(abs(squared)), squared)


def information(x: list[float], y: list[float], bins: int = 5) -> float:
    """Sum of p log(p / (px py)) over equally filled bins, less Miller and Madow's (bins - 1)² / 2n."""
    count = len(x)

    def bin_of(values: list[float]) -> list[int]:
        order = sorted(range(count), key=lambda i: values[i])
        place = {i: rank * bins // count for rank, i in enumerate(order)}
        return [place[i] for i in range(count)]

    cells = list(zip(bin_of(x), bin_of(y), strict=True))
    total = 0.0
    for a in range(bins):
        for b in range(bins):
            p = cells.count((a, b)) / count
            alone = sum(c[0] == a for c in cells) * sum(c[1] == b for c in cells) / count**2
            total += p * math.log(p / alone) if p else 0.0
    return total - (bins - 1) ** 2 / (2 * count)


@given(st.integers(5, 24), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_all_four_are_what_their_definitions_give(count: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    columns, targets = draw.normal(size=(2, count)), draw.uniform(size=(3, count))
    found = dependence(columns, targets)
    assert found.shape == (4, 2, 3)
    for k, column in enumerate(columns):
        for d, target in enumerate(targets):
            wanted = (
                stats.pearsonr(column, target).statistic,
                stats.spearmanr(column, target).statistic,
                distances_apart(column.tolist(), target.tolist()),
                information(column.tolist(), target.tolist()),
            )
            assert found[:, k, d] == pytest.approx(wanted, abs=1e-6)


def test_distance_correlation_is_unbiased_and_sees_what_pearson_does_not() -> None:
    attribute = np.random.default_rng(0).normal(size=300)
    null = distance_correlation(attribute[None], permuted(attribute))[0]
    assert abs(np.mean(np.sign(null) * null**2)) < 0.002
    bent = np.abs(attribute)  # no slope at all, but fully determined
    assert abs(stats.pearsonr(attribute, bent).statistic) < 0.15
    assert distance_correlation(attribute[None], bent[None])[0, 0] > 0.4
    assert distance_correlation(attribute[None], attribute[None])[0, 0] == pytest.approx(1.0)


def test_mutual_information_of_the_same_and_of_nothing() -> None:
    attribute = np.random.default_rng(0).normal(size=500)
    assert mutual_information(attribute, attribute[None])[0] == pytest.approx(np.log(5) - 16 / 1000)
    assert abs(mutual_information(attribute, permuted(attribute)).mean()) < 0.005


def test_of_very_many_pairs_the_first_are_compared_by_distance_and_all_by_the_rest() -> None:
    column, target = pairs_of(MOST_DISTANCES + 40)
    first = slice(0, MOST_DISTANCES)
    whole = dependence(column[None], target[None])[:, 0, 0]
    part = dependence(column[None, first], target[None, first])[:, 0, 0]
    assert whole[2] == part[2]
    assert (whole[[0, 1, 3]] != part[[0, 1, 3]]).all()
    assert whole[0] == pytest.approx(stats.pearsonr(column, target).statistic)


def test_a_constant_column_depends_on_nothing_and_warns_of_nothing() -> None:
    _, target = pairs_of(30)
    assert not dependence(np.ones((1, 30)), target[None])[[0, 2]].any()


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_statistics_do_not_depend_on_the_order_of_pairs(seed: int) -> None:
    attribute, target = pairs_of(30, seed)
    order = np.random.default_rng(seed).permutation(30)
    one = dependence(attribute[None], target[None])
    assert np.allclose(one, dependence(attribute[None, order], target[None, order]), atol=1e-7)
