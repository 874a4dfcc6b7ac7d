"""Every invariant that needs no test of chance: it passes what is sound, and each of its bounds trips by itself."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from curate.proof import invariants
from curate.proof.assign import assignments
from curate.proof.finding import Finding
from tests.proof.test_assign import made_pool

PAIRS = 300
ALONE = [str(i) for i in range(PAIRS)]
TARGET = np.linspace(-1, 1, PAIRS)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As in a build. Many small products on several threads each take a hundred times as long."""
    with threadpool_limits(1):
        yield


def sound_column(seed: int = 0) -> np.ndarray:
    """A column that neither r nor rho relates to TARGET."""
    draw = np.random.default_rng(seed)
    while True:
        column = draw.normal(size=PAIRS)
        slopes = (stats.pearsonr(column, TARGET).statistic, stats.spearmanr(column, TARGET).statistic)
        if max(map(abs, slopes)) < 0.01:
            return np.asarray(column)


def over(found: Finding) -> set[str]:
    """The bounds that are broken."""
    return {k for k, v in found.bound.items() if found.measured[k] > v}  # type: ignore[operator]


def among_sound_ones(column: np.ndarray) -> Finding:
    """Balance of one column beside a hundred sound ones, which hide it from any mean."""
    sound = {str(i): sound_column() for i in range(100)}
    return invariants.balance("b", "train", sound | {"odd": column}, TARGET, ALONE)


def test_balance_passes_a_lot_and_tells_each_r() -> None:
    given = made_pool(100, 8, seed=0)
    target = given.targets[np.arange(100), next(assignments(given, np.random.default_rng(0)))]
    columns = {str(k): column for k, column in enumerate(given.attributes.T)}
    found = invariants.balance("b", "t", columns, target, [str(g) for g in given.groups])
    assert found.verdict == "pass" and not over(found)
    assert found.measured["r_0"] == pytest.approx(stats.pearsonr(columns["0"], target).statistic, abs=1e-5)


def test_balance_trips_on_r_alone() -> None:
    column = sound_column()
    column[-1] = 200.0  # one clip far from all others has the highest target: ranks hardly see it
    found = invariants.balance("b", "t", {"a": column}, TARGET, ALONE)
    assert found.verdict == "fail" and over(found) == {"rms_r"}


def test_balance_trips_on_rho_alone() -> None:
    column = sound_column() - 0.15 * TARGET
    high = PAIRS - 1 - int(column[::-1][:40].argmax())  # a large one among the highest targets …
    column[high] = 0
    column[high] = -(column - column.mean()) @ TARGET / TARGET[high]  # … made so large that r is nothing
    found = invariants.balance("b", "t", {"a": column}, TARGET, ALONE)
    assert found.verdict == "fail" and over(found) == {"rms_rho"}


def test_balance_trips_on_distance_correlation_alone() -> None:
    found = among_sound_ones(sound_column() + 0.33 * TARGET)
    assert found.verdict == "fail" and over(found) == {"distance_correlation"}


def test_balance_trips_on_mutual_information_alone() -> None:
    draw = np.random.default_rng(2)
    scattered = np.array([2, 4, 0, 1, 3])[np.arange(PAIRS) * 5 // PAIRS]  # fifths in an order without a slope
    place = draw.permutation(PAIRS) / PAIRS
    follows = draw.random(PAIRS) < 0.25
    found = among_sound_ones(np.where(follows, (scattered + place) / 5, place))
    assert found.verdict == "fail" and over(found) == {"mutual_information"}


def test_balance_trips_on_groups_alone() -> None:
    torn = [str(int(t * 2)) for t in TARGET]  # whoever belongs together got the same targets
    found = invariants.balance("b", "t", {"a": sound_column()}, TARGET, torn)
    assert found.verdict == "fail" and over(found) == {"between_groups"}


def test_balance_stops_what_has_no_slope() -> None:
    bent = TARGET**2 + 0.3 * np.random.default_rng(0).normal(size=PAIRS)
    found = invariants.balance("b", "t", {"a": bent}, TARGET, ALONE)
    assert {"distance_correlation", "mutual_information"} <= over(found)


def test_balance_is_not_asked_of_a_handful() -> None:
    few = invariants.balance("b", "t", {"a": sound_column()[:20]}, TARGET[:20], ALONE[:20])
    assert few.verdict == "not_testable" and few.needed_pairs == 40


def test_bounds_of_small_sets_are_wider_by_what_chance_is() -> None:
    given = [np.random.default_rng(0).normal(size=n) for n in (73, 292, 400)]
    bounds = [
        invariants.balance(
            "b", "t", {"a": column}, np.arange(float(len(column))), ALONE[:1] * len(column)
        ).bound
        for column in given
    ]
    for key, times in (("rms_r", 2), ("rms_rho", 2), ("distance_correlation", 2), ("mutual_information", 4)):
        assert bounds[0][key] == pytest.approx(times * float(bounds[1][key]), rel=1e-3)  # type: ignore[arg-type]
        assert bounds[1][key] == bounds[2][key]


def test_coverage_trips_on_a_hole() -> None:
    assert invariants.coverage("c", "t", [10, 10, 11, 10]).verdict == "pass"
    assert invariants.coverage("c", "t", [20, 10, 10, 1]).verdict == "fail"
    few = invariants.coverage("c", "t", [2, 1, 1, 1])
    assert few.verdict == "not_testable" and few.needed_pairs == 20
    assert invariants.coverage("c", "t", []).verdict == "not_testable"


def test_positivity_trips_on_an_empty_cell_whatever_r_says() -> None:
    attribute = np.arange(60.0)
    passed = np.ones((60, 4), dtype=bool)
    assert invariants.positivity("p", "t", attribute, passed).verdict == "pass"
    passed[:20, 3] = False  # low voices never reach the highest stratum …
    passed[40:, 3] = False  # … and neither do high ones: no slope
    found = invariants.positivity("p", "t", attribute, passed)
    assert found.verdict == "fail" and found.measured["empty_cells"] == 2
    passed[[0, 50], 3] = True  # one of each shows that it can be; but hardly one of them would be in the set
    found = invariants.positivity("p", "t", attribute, passed)
    assert found.verdict == "fail" and found.measured["empty_cells"] == 0
    assert found.measured["least_whole_band"] == 0.05
    passed[[1, 2, 3, 51, 52, 53], 3] = True
    assert invariants.positivity("p", "t", attribute, passed).verdict == "pass"
    few = invariants.positivity("p", "t", attribute[:59], passed[:59])
    assert few.verdict == "not_testable" and few.needed_pairs == 60


def test_band_trips_when_it_is_too_narrow_to_learn_from() -> None:
    edges = np.geomspace(76, 353, 5)
    passed = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], dtype=bool)
    found = invariants.band("b", passed, range(3), edges, "Hz")
    assert found.verdict == "pass" and "2 of 2 clips can take all of it" in found.says
    assert found.measured["accepted_share_by_stratum"] == [1, 1, 1, 0.5]
    assert invariants.band("b", passed, range(4), edges, "Hz").measured["eligible_clips"] == 1
    assert invariants.band("b", passed, range(2), edges, "Hz").verdict == "fail"
    assert invariants.band("b", passed, range(0), edges, "Hz").verdict == "fail"
    assert invariants.band("b", passed[:0], range(0), edges, "Hz").verdict == "fail"


def test_within_trips_on_either_side() -> None:
    assert invariants.within("w", "all", [1.0, -2.0], 2.0, "st").verdict == "pass"
    for far in ([1.0, -2.1], [2.1]):
        found = invariants.within("w", "all", far, 2.0, "st")
        assert found.verdict == "fail" and found.measured == {"largest": 2.1, "beyond": 1}
    assert invariants.within("w", "all", [], 2.0, "st").verdict == "not_testable"
    assert invariants.within("w", "all", [0.0], 0.0, "samples").verdict == "pass"
    assert invariants.within("w", "all", [1.0], 0.0, "samples").verdict == "fail"


def test_one_value_nothing_and_disjoint_trip() -> None:
    assert invariants.one_value("o", ["a", "a"], "a").verdict == "pass"
    assert "1 other: 'b'" in invariants.one_value("o", ["a", "b"], "a").says
    assert invariants.one_value("o", ["a", "b"], "a").verdict == "fail"
    assert invariants.one_value("o", [None], "a").verdict == "fail"
    assert invariants.nothing("n", [], "odd clips", 3).verdict == "pass"
    assert invariants.nothing("n", ["clip"], "odd clips", 3).says == "1 odd clips, first clip"
    apart = [("film", "g", "train"), ("film", "g", "train"), ("film", "h", "heldout")]
    assert invariants.disjoint("d", apart).verdict == "pass"
    assert invariants.disjoint("d", [*apart, ("film", "g", "heldout")]).verdict == "fail"
    assert invariants.disjoint("d", [("film", "g", "train"), ("face", "g", "heldout")]).verdict == "pass"
    unknown = invariants.disjoint("d", [*apart, ("face", None, "train")])
    assert unknown.verdict == "pass" and "face not known for 1 pairs" in unknown.says
    assert invariants.disjoint("d", [("face", None, "train")]).verdict == "not_testable"


def test_an_effect_is_shown_and_never_judged() -> None:
    found = invariants.effect("e", [float(v) for v in range(101)])
    assert found.verdict == "not_applicable" and found.measured == {"p05": 5, "median": 50, "p95": 95}
    assert invariants.effect("e", []).pairs == 0


def test_predicted_r_trips_on_either_side_and_misses_about_as_often_as_it_says() -> None:
    wanted_r, outside = 0.7, 0
    for seed in range(300):
        x, y = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, wanted_r], [wanted_r, 1]], 100).T
        outside += invariants.predicted_r("r", "t", x, y, wanted_r, chance=0.1).verdict == "fail"
    assert 14 <= outside <= 50  # binomial(300, .1): outside of it once in a thousand
    for slope in (0.3, 3.0):
        noise = np.random.default_rng(0).normal(size=(2, 300))
        found = invariants.predicted_r("r", "t", noise[0], slope * noise[0] + noise[1], math.sqrt(0.5))
        assert found.verdict == "fail"
    assert invariants.predicted_r("r", "t", x[:39], y[:39], wanted_r).needed_pairs == 40
