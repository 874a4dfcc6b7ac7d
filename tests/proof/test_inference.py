"""Inference on what the lot never saw: how often it errs, what it sees, and what a pass takes."""

import math
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from curate.proof.dependence import STATISTICS, dependence
from curate.proof.finding import Finding
from curate.proof.inference import (
    ALPHA,
    DELTA,
    LEAST_PAIRS,
    REDRAWS,
    Family,
    hold_back,
    least_pairs,
    seen_slope,
    shuffles,
)

Columns = dict[str, np.ndarray]
FEW = 199  # re-draws: enough to reject at ALPHA, and quick


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As in a build. Many small products on several threads each take a hundred times as long."""
    with threadpool_limits(1):
        yield


def family(columns: Columns, target: np.ndarray, seed: int = 9, redraws: int = FEW, **how: object) -> Family:
    """A family whose lot is any order of the targets."""
    draw = np.random.default_rng([seed, len(target)])
    targets = np.array([target, *(draw.permutation(target) for _ in range(redraws))])
    return Family(**{"name": "f", "split": "train", "columns": columns, "targets": targets} | how)  # type: ignore[arg-type]


def silent(pairs: int, columns: int, seed: int = 0) -> tuple[Columns, np.ndarray]:
    """Columns and a target that have nothing to do with each other."""
    draw = np.random.default_rng(seed)
    return {f"c{k}": draw.normal(size=pairs) for k in range(columns)}, draw.uniform(size=pairs)


def leaning(target: np.ndarray, rho: float, seed: int = 0) -> np.ndarray:
    """A column of this correlation with the target, in the long run."""
    noise = np.random.default_rng([seed, 77]).normal(size=len(target))
    return (
        rho * (target - 0.5) * math.sqrt(12) + math.sqrt(1 - rho**2) * noise
    )  # the target is uniform in 0..1


def judged(columns: Columns, target: np.ndarray, seed: int = 9, redraws: int = FEW) -> Finding:
    (found,) = hold_back([family(columns, target, seed, redraws)])
    return found


def p(found: Finding) -> float:
    return float(found.measured["p"])  # type: ignore[arg-type]


# --- how often it errs


def both_sides(seed: int) -> list[Family]:
    """A sound set: two families of a larger side and one of a smaller, columns of many kinds."""
    train, target = silent(40, 4, seed)
    train["tail"] = np.random.default_rng([seed, 1]).standard_cauchy(40)
    train["even"] = np.arange(40.0) % 2
    held, other = silent(24, 3, seed + 10_000)
    drawn, _ = silent(40, 2, seed + 20_000)
    return [
        family(train, target, seed),
        family(held, other, seed, split="heldout"),
        family(drawn, target, seed, name="parameters", acquits=False),
    ]


def test_a_sound_set_is_stopped_by_chance_about_as_often_as_alpha_says() -> None:
    """Over all statistics of all columns of both sides together; and p means what it says all along its range."""
    lowest = np.array([min(p(f) for f in hold_back(both_sides(seed))) for seed in range(100)])
    assert np.sum(lowest < ALPHA) <= 5  # binomial(100, .01): more once in two thousand
    assert 2 <= np.sum(lowest <= 0.1) <= 20  # binomial(100, .1): outside of it once in a thousand
    assert 0.4 < lowest.mean() < 0.6


def test_p_is_that_of_the_largest_of_all_and_never_below_the_unadjusted() -> None:
    families = both_sides(3)
    found = hold_back(families)
    scores, alone = [], []  # of every statistic of every column of every family
    for each in families:
        for k, statistic in enumerate(dependence(np.array(list(each.columns.values())), each.targets)):
            if k == 3:  # mutual information, by the cube root of what it was before its bias was taken off
                statistic = np.cbrt(np.maximum(statistic + 16 / (2 * each.targets.shape[1]), 0))
            units = (statistic - statistic.mean(axis=1, keepdims=True)) / statistic.std(axis=1, keepdims=True)
            scores += list(np.abs(units) if k < 2 else units)
    largest = np.max(scores, axis=0)
    assert min(map(p, found)) == pytest.approx(np.mean(largest[0] <= largest), abs=1e-6)
    for score in scores:
        alone.append(float(np.mean(score[0] <= score)))
        assert np.mean(score[0] <= largest) >= alone[-1]
    for each, finding in zip(families, found, strict=True):
        of_columns = [float(finding.measured[f"p_{name}"]) for name in each.columns]  # type: ignore[arg-type]
        assert p(finding) == min(of_columns) >= min(alone)


def test_another_family_can_only_raise_p() -> None:
    columns, target = silent(40, 3)
    columns["lean"] = leaning(target, 0.5)
    one = family(columns, target)
    more = [Family("more", "train", silent(40, 20, seed=5)[0], one.targets)]
    together = hold_back([one, *more])
    assert p(together[0]) >= p(hold_back([one])[0])


# --- what it sees


def test_it_stops_a_slope_at_any_size() -> None:
    for pairs in (24, 200):
        columns, target = silent(pairs, 1)
        assert judged({"a": columns["c0"] + 6 * target}, target).verdict == "fail"


def test_one_strong_column_among_thirty_silent_ones_is_found_and_named() -> None:
    columns, target = silent(60, 30)
    found = judged(columns | {"strong": leaning(target, 0.75)}, target)
    assert found.verdict == "fail" and "of strong" in found.says
    assert {k for k, v in found.measured.items() if k.startswith("p_") and v < ALPHA} == {"p_strong"}  # type: ignore[operator]


def test_columns_with_heavy_tails_do_not_drown_the_others() -> None:
    columns, target = silent(60, 3)
    columns["strong"] = leaning(target, 0.7)
    draw = np.random.default_rng(1)
    wild = {f"wild{k}": draw.standard_cauchy(60) ** 3 for k in range(6)}
    found = judged(columns | wild, target)
    assert found.verdict == "fail" and found.measured["p_strong"] == p(found) == 1 / (FEW + 1)


def test_it_stops_the_fake_decorrelation_of_the_facts() -> None:
    """A shift bound below the target range: Pearson can be made nothing while targets still follow the source."""
    draw = np.random.default_rng(0)
    attribute = draw.normal(size=400)
    bent = attribute**2 + draw.normal(size=400)
    bent -= attribute * (attribute @ bent) / (attribute @ attribute)
    found = judged({"a": attribute}, bent)
    assert abs(found.measured["pearson_a"]) < 0.02 and found.measured["distance_correlation_a"] > 0.3  # type: ignore[operator, arg-type]
    assert found.verdict == "fail"


def test_a_correlation_of_the_size_it_says_is_stopped_four_times_in_five() -> None:
    pairs, redraws, sets = 60, 299, 60
    seen = float(judged(*silent(pairs, 5), redraws=REDRAWS).bound["seen_rho"])  # type: ignore[arg-type]
    stopped = 0
    for seed in range(sets):
        columns, target = silent(pairs, 4, seed)
        columns["lean"] = leaning(target, seen, seed)
        stopped += judged(columns, target, seed, redraws).verdict == "fail"
    assert 36 <= stopped <= 57  # binomial(60, .8): outside of it once in five hundred


# --- what a pass takes


def test_a_large_sound_side_is_acquitted_with_what_it_shows() -> None:
    found = judged(*silent(400, 2))
    assert found.verdict == "pass" and found.needed_pairs is None
    assert 0 < float(found.measured["shown_below"]) <= DELTA  # type: ignore[arg-type]
    assert {"pearson_c0", "mutual_information_c1"} <= found.measured.keys()
    assert found.null.keys() == {f"{name}_99" for name in STATISTICS}


@pytest.mark.parametrize(("pairs", "rho", "sets"), [(400, 0.25, 16), (250, DELTA, 50)])
def test_what_leans_by_delta_or_more_is_hardly_ever_acquitted(pairs: int, rho: float, sets: int) -> None:
    acquitted = 0
    for seed in range(sets):
        _, target = silent(pairs, 0, seed)
        acquitted += judged({"lean": leaning(target, rho, seed)}, target, seed, 109).verdict == "pass"
    assert acquitted <= (1 if rho > DELTA else 8)  # the second: binomial(50, .05), more once in a thousand


def acquittals(pairs: int, columns: int, sets: int) -> tuple[float, float]:
    """Share of sound sides that pass, and the power that they report, on average."""
    found = [judged(*silent(pairs, columns, seed), seed=seed, redraws=109) for seed in range(sets)]
    power = np.mean([float(f.bound["power"]) for f in found if f.verdict != "fail"])  # type: ignore[arg-type]
    return float(np.mean([f.verdict == "pass" for f in found])), float(power)


def test_needed_pairs_are_enough_four_times_in_five() -> None:
    small = judged(*silent(80, 3), redraws=REDRAWS)
    assert small.verdict == "not_testable" and small.needed_pairs is not None
    assert least_pairs(3) == pytest.approx(small.needed_pairs, rel=0.15)
    passed, power = acquittals(small.needed_pairs, 3, 40)
    assert 0.575 <= passed <= 0.97  # binomial(40, .8): outside of it once in five hundred
    assert power == pytest.approx(0.8, abs=0.08)


def test_the_power_it_reports_is_the_share_of_sound_sides_that_pass() -> None:
    passed, power = acquittals(150, 2, 50)
    assert 0.2 < power < 0.8
    assert passed == pytest.approx(power, abs=0.22)  # three standard errors of 50 lots


def test_least_pairs_grow_with_what_must_be_shown() -> None:
    assert [least_pairs(k) for k in (0, 1, 9)] == [215, 215, 380]


def test_six_pairs_prove_nothing_even_when_they_line_up() -> None:
    line = np.arange(6.0)
    found = judged({"a": line}, line)
    assert found.verdict == "not_testable" and found.needed_pairs == 215 and not found.measured


def test_the_fewest_pairs_that_are_tried_can_be_stopped_but_not_acquitted() -> None:
    line = np.arange(float(LEAST_PAIRS))
    assert judged({"a": line}, line).verdict == "fail"
    bent = judged({"a": (line * 5) % LEAST_PAIRS}, line)
    assert bent.verdict == "not_testable" and bent.needed_pairs > 100  # type: ignore[operator]
    assert "power 0%" in bent.says


def test_what_need_not_be_shown_equivalent_passes_when_nothing_is_found() -> None:
    columns, target = silent(200, 4)
    (found,) = hold_back([family(columns, target, acquits=False)])
    assert found.verdict == "pass" and "shown" not in found.says
    few, less = silent(24, 4)
    (deaf,) = hold_back([family(few, less, acquits=False)])  # nothing found, by who could not have found it
    assert deaf.verdict == "not_testable" and deaf.needed_pairs >= 100  # type: ignore[operator]
    (stopped,) = hold_back([family(columns | {"a": leaning(target, 0.95)}, target, acquits=False)])
    assert stopped.verdict == "fail"


# --- what cannot be tested


def test_findings_come_in_the_order_of_their_families_whether_tested_or_not() -> None:
    few, target = silent(6, 2)
    many, other = silent(30, 2)
    order = [
        family(few, target, name="few"),
        family(many, other, name="many"),
        family({"same": np.ones(30)}, other, name="same"),
        family({}, other, name="none"),
    ]
    found = hold_back(order)
    assert [f.name for f in found] == [f.name for f in order]
    assert [f.verdict for f in found] == ["not_testable", "not_testable", "constant", "not_testable"]
    assert hold_back([]) == []


def test_a_constant_is_named_so_and_does_not_hide_the_rest() -> None:
    columns, target = silent(50, 1)
    assert judged({"a": np.full(50, 0.1)}, target).verdict == "constant"
    assert judged(columns, target * 0 + 3).verdict == "constant"
    found = judged({"a": np.zeros(50), "lean": leaning(target, 0.9)}, target)
    assert found.verdict == "fail" and "p_a" not in found.measured


@pytest.mark.parametrize("redraws", [0, 50, 98, 99])
def test_too_few_redraws_ever_to_reject_is_an_error(redraws: int) -> None:
    """A set that follows its source wholly, which every test that can reject does reject."""
    columns, _ = silent(50, 1)
    try:
        verdict = judged(columns, columns["c0"], redraws=redraws).verdict
    except ValueError as error:
        assert "cannot reject" in str(error)
    else:
        assert verdict == "fail"


def test_the_fewest_redraws_that_can_reject_do() -> None:
    columns, _ = silent(50, 1)
    fewest = next(b for b in count(1) if 1 / (b + 1) < ALPHA)
    assert judged(columns, columns["c0"], redraws=fewest).verdict == "fail"


def test_shuffles_are_the_same_targets_in_another_order_each() -> None:
    target = np.arange(20.0)
    drawn = shuffles(target, np.random.default_rng(0))
    assert drawn.shape == (REDRAWS, 20) and (np.sort(drawn, axis=1) == target).all()
    assert np.abs(drawn.mean(axis=0) - 9.5).max() < 1  # nobody is steered: five standard errors


# --- the sweep


def slope_seen(tones: Sequence[float], sources: int, slope: float, residual: float, seed: int) -> bool:
    x = np.repeat(tones, sources)
    y = slope * x + np.random.default_rng(seed).normal(0, residual, len(x))
    error = residual / (x.std() * math.sqrt(len(x)))
    return bool(abs(np.polyfit(x, y, 1)[0]) > 1.96 * error)


def test_a_slope_of_the_size_it_says_is_seen_four_times_in_five() -> None:
    tones = np.linspace(0, 26, 9)
    slope = seen_slope(9, 6, 26.0, residual=4.0)
    seen = sum(slope_seen(tones, 6, slope, 4.0, seed) for seed in range(400))
    assert 290 <= seen <= 350  # binomial(400, .8): outside of it once in a few hundred
    assert seen_slope(9, 24, 26.0, 4.0) == pytest.approx(slope / 2)
