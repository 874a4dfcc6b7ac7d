"""Every invariant: it passes what is sound, and it trips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from curate import audit
from curate.assign import assignments
from curate.audit import Finding
from curate.dependence import dependence, distance_correlation, mutual_information
from tests.test_assign import made_pool


def pairs_of(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=count), draw.uniform(size=count)


def permuted(target: np.ndarray, seed: int = 9, count: int = audit.REDRAWS) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.array([draw.permutation(target) for _ in range(count)])


def test_distance_correlation_is_unbiased_and_sees_what_pearson_does_not() -> None:
    attribute = np.random.default_rng(0).normal(size=300)
    assert np.abs(np.mean(distance_correlation(attribute, permuted(attribute, count=60)) ** 2)) < 0.01
    bent = np.abs(attribute)  # no slope at all, but fully determined
    assert abs(stats.pearsonr(attribute, bent).statistic) < 0.15
    assert distance_correlation(attribute, bent[None])[0] > 0.4
    assert distance_correlation(attribute, attribute[None])[0] == pytest.approx(1.0)


def test_mutual_information_of_the_same_and_of_nothing() -> None:
    attribute = np.random.default_rng(0).normal(size=500)
    assert mutual_information(attribute, attribute[None])[0] == pytest.approx(np.log(5) - 16 / 1000)
    assert abs(mutual_information(attribute, permuted(attribute, count=60)).mean()) < 0.005


def test_independence_passes_what_is_independent() -> None:
    attribute, target = pairs_of(300)
    found = audit.independence("i", "train", attribute, target, permuted(target))
    assert found.verdict == "pass" and found.measured["p"] >= audit.ALPHA


def test_independence_stops_a_slope_at_any_size() -> None:
    for count in (24, 300):
        attribute, target = pairs_of(count)
        leaning = target + attribute
        assert audit.independence("i", "train", attribute, leaning, permuted(leaning)).verdict == "fail"


def test_independence_stops_the_fake_decorrelation_of_the_facts() -> None:
    """A shift bound below the target range: Pearson can be made nothing while targets still follow the source."""
    draw = np.random.default_rng(0)
    attribute = draw.normal(size=400)
    bent = attribute**2 + draw.normal(size=400)
    bent -= attribute * (attribute @ bent) / (attribute @ attribute)
    found = audit.independence("i", "train", attribute, bent, permuted(bent))
    assert abs(found.measured["pearson"]) < 0.02 and found.measured["distance_correlation"] > 0.3  # type: ignore[operator, arg-type]
    assert found.verdict == "fail"


def test_independence_does_not_acquit_a_small_set() -> None:
    attribute, target = pairs_of(40)
    found = audit.independence("i", "train", attribute, target, permuted(target))
    assert found.verdict == "not_testable" and found.needed_pairs == 289


def test_six_pairs_prove_nothing_even_when_they_line_up() -> None:
    line = np.arange(6.0)
    found = audit.independence("i", "train", line, line, permuted(line))
    assert found.verdict == "not_testable" and found.needed_pairs == 289


def test_a_constant_is_named_so() -> None:
    attribute, target = pairs_of(50)
    assert audit.independence("i", "t", attribute * 0, target, permuted(target)).verdict == "constant"


def test_too_few_redraws_ever_to_reject_is_an_error() -> None:
    attribute, target = pairs_of(50)
    with pytest.raises(ValueError, match="cannot reject"):
        audit.independence("i", "t", attribute, target, permuted(target, count=50))


def test_a_sound_set_is_stopped_about_as_often_as_alpha_says() -> None:
    stopped = 0
    for seed in range(150):
        attribute, target = pairs_of(40, seed)
        found = audit.independence("i", "t", attribute, target, permuted(target, seed, 199))
        stopped += found.verdict == "fail"
    assert stopped <= 7  # binomial(150, .01): P(more than 7) < 1e-4


@given(st.floats(0.05, 0.9))
def test_needed_pairs_and_seen_rho_are_inverse(rho: float) -> None:
    pairs = audit.needed_pairs(rho)
    assert audit.seen_rho(pairs) <= rho + 1e-9
    assert pairs <= 4 or audit.seen_rho(pairs - 1) >= rho


def test_power_is_what_it_says() -> None:
    """The test itself, all four statistics, at needed_pairs(.3): a correlation of .3 is stopped four times in five."""
    count, sets = audit.needed_pairs(0.3), 60
    stopped = 0
    for seed in range(sets):
        draw = np.random.default_rng(seed)
        x = draw.normal(size=count)
        y = 0.3 * x + np.sqrt(1 - 0.09) * draw.normal(size=count)
        stopped += audit.independence("i", "t", x, y, permuted(y, seed, 499)).verdict == "fail"
    assert stopped >= 38  # binomial(60, .8): P(fewer than 38) < .001


def test_balance_holds_a_fixed_bound_on_attributes_and_groups() -> None:
    attribute, _ = pairs_of(100)
    alone = [str(i) for i in range(100)]
    given = made_pool(100, 8, seed=0)
    drawn = next(assignments(given, np.random.default_rng(0)))
    target = given.targets[np.arange(100), drawn]
    columns = {str(k): column for k, column in enumerate(given.attributes.T)}
    groups = [str(g) for g in given.groups]
    assert audit.balance("b", "t", columns, target, groups).verdict == "pass"
    assert audit.balance("b", "t", {"a": attribute}, target + attribute, alone).verdict == "fail"
    torn = [str(int(t * 4)) for t in target]  # whoever belongs together got the same targets
    assert audit.balance("b", "t", columns, target, torn).verdict == "fail"
    few = audit.balance("b", "t", {"a": attribute[:20]}, target[:20], alone[:20])
    assert few.verdict == "not_testable" and few.needed_pairs == 40


def test_unrelated_trips_on_a_tell_tale() -> None:
    _, target = pairs_of(300)
    noise = np.random.default_rng(3).normal(size=300)
    assert audit.unrelated("u", "t", {"rms": noise}, target).verdict == "pass"
    assert audit.unrelated("u", "t", {"rms": noise, "lufs": noise + 3 * target}, target).verdict == "fail"
    assert audit.unrelated("u", "t", {"rms": noise[:6]}, target[:6]).verdict == "not_testable"
    assert audit.unrelated("u", "t", {"rms": noise[:60]}, target[:60]).verdict == "not_testable"


def test_coverage_trips_on_a_hole() -> None:
    assert audit.coverage("c", "t", [10, 10, 11, 10]).verdict == "pass"
    assert audit.coverage("c", "t", [20, 10, 10, 1]).verdict == "fail"
    assert audit.coverage("c", "t", [2, 1, 1, 1]).verdict == "not_testable"


def test_positivity_trips_on_an_empty_cell_whatever_r_says() -> None:
    attribute = np.arange(60.0)
    passed = np.ones((60, 4), dtype=bool)
    assert audit.positivity("p", "t", attribute, passed).verdict == "pass"
    passed[:20, 3] = False  # low voices never reach the highest stratum …
    passed[40:, 3] = False  # … and neither do high ones: no slope
    found = audit.positivity("p", "t", attribute, passed)
    assert found.verdict == "fail" and found.measured["empty_cells"] == 2
    assert audit.positivity("p", "t", attribute[:5], passed[:5]).verdict == "not_testable"


def test_band_trips_when_it_is_too_narrow_to_learn_from() -> None:
    edges = np.geomspace(76, 353, 5)
    passed = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], dtype=bool)
    assert audit.band("b", passed, range(3), edges).verdict == "pass"
    assert audit.band("b", passed, range(2), edges).verdict == "fail"
    assert audit.band("b", passed, range(0), edges).verdict == "fail"


def test_within_one_value_and_disjoint_trip() -> None:
    assert audit.within("w", "all", [1.0, -2.0], 2.0, "st").verdict == "pass"
    assert audit.within("w", "all", [1.0, -2.1], 2.0, "st").verdict == "fail"
    assert audit.within("w", "all", [], 2.0, "st").verdict == "not_testable"
    assert audit.one_value("o", ["a", "a"], "a").verdict == "pass"
    assert audit.one_value("o", ["a", "b"], "a").verdict == "fail"
    assert audit.disjoint("d", [("g", "train"), ("g", "train"), ("h", "heldout")]).verdict == "pass"
    assert audit.disjoint("d", [("g", "train"), ("g", "heldout")]).verdict == "fail"


def test_problems_are_unexpected_failures_and_controls_that_pass() -> None:
    def finding(name: str, verdict: audit.Verdict) -> Finding:
        return Finding(name=name, split="train", verdict=verdict, says="", pairs=1)

    sound = [finding("a", "pass"), finding("b", "not_testable"), finding("c", "not_applicable")]
    assert audit.problems(sound, expected=()) == []
    assert len(audit.problems([finding("a", "fail")], expected=())) == 1
    assert audit.problems([finding("a", "fail")], expected=(), allowed=("a",)) == []
    assert audit.problems([finding("a", "fail")], expected=("a",)) == []
    assert "must fail" in audit.problems([finding("a", "pass")], expected=("a",))[0]
    assert audit.problems([finding("a", "not_testable")], expected=("a",)) == []


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_statistics_do_not_depend_on_the_order_of_pairs(seed: int) -> None:
    attribute, target = pairs_of(30, seed)
    order = np.random.default_rng(seed).permutation(30)
    one = dependence(attribute, target[None])
    two = dependence(attribute[order], target[order][None])
    for name, value in one.items():
        assert np.allclose(value, two[name]), name
