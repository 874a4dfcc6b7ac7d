"""What takes say: known slopes, the base model as the comparison, and every way in which they say nothing."""

import functools
import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.records import rng
from curate.sample.meter import Heard, listen
from curate.sample.slope import (
    LEAST_CLUSTERS,
    UNTRAINED,
    Asked,
    Sums,
    SweepReport,
    Take,
    clusters_of,
    draw,
    drawn_slopes,
    slope_of,
    sweep_report,
)
from tests.media.test_pitch import RATE
from tests.sample.test_meter import moved, natural_hz, tone, whispered

GRID_HZ = tuple(float(hz) for hz in np.geomspace(76, 353, 9))


def heard(pitch_hz: float | None, leaked: bool = False) -> Heard:
    return Heard(voiced_share=0.5 if pitch_hz else 0.0, pitch_hz=pitch_hz, leaked=leaked, stands_db=None)


def take(strength: float, tone_hz: float, cluster: int, said: Heard) -> Take:
    return Take(
        strength=strength, tone_hz=tone_hz, source=f"prompt {cluster % 3}", seed=cluster // 3, heard=said
    )


def arm(
    strength: float,
    slope: float,
    clusters: int = 6,
    *,
    spread_st: float = 0.0,
    uneven: float = 0.0,
    key: str = "",
) -> list[Take]:
    """Takes whose voices move by `slope` octaves an octave, `uneven` from cluster to cluster, and `spread_st` beside."""
    stream = rng(0, "arm", key, f"{strength:g}")
    takes = []
    for cluster in range(clusters):
        own = slope + uneven * stream.standard_normal()
        for hz in GRID_HZ:
            octaves = own * math.log2(hz / 160) + stream.normal(0, spread_st / 12)
            takes.append(take(strength, hz, cluster, heard(150 * 1.3 ** (cluster % 3) * 2**octaves)))
    return takes


def altered(
    takes: Iterable[Take], where: Callable[[Take], bool], said: Callable[[Take], Heard]
) -> list[Take]:
    return [t.model_copy(update={"heard": said(t)}) if where(t) else t for t in takes]


@functools.cache
def spoken_at(hz: float, seed: int) -> np.ndarray:
    """Speech at a pitch, with another melody for each seed."""
    return moved("synthetic", hz, contour=0.1 + 0.15 * seed)[: round(2.5 * RATE)]


@functools.cache
def sounded(kind: str, hz: float, seed: int) -> Heard:
    """What the meter hears in sound that was made to a known answer."""
    wave = spoken_at(hz if kind == "follows" else natural_hz("synthetic") * 2 ** (seed / 12), seed)
    alone = tone(hz, str(seed))[: len(wave)]
    match kind:
        case "whispers":
            wave = whispered(wave)
        case "leaks":
            wave = wave + alone / 2
        case "only the tone":
            wave = alone
    return listen(wave, hz)


def made(strength: float, kind: str) -> list[Take]:
    return [take(strength, hz, seed, sounded(kind, hz, seed)) for hz in (110.0, 200.0) for seed in range(6)]


@pytest.mark.parametrize(
    ("kind", "verdict", "slope", "unvoiced", "leaked"),
    [
        ("follows", "follows", 1.0, 0.0, 0.0),
        ("ignores", "does_not_follow", 0.0, 0.0, 0.0),
        ("leaks", "not_testable", None, 0.0, 1.0),
        ("only the tone", "not_testable", None, 0.0, 1.0),
        ("whispers", "not_testable", None, 1.0, 0.0),
    ],
)
def test_sound_with_a_known_answer_is_named(
    kind: str, verdict: str, slope: float | None, unvoiced: float, leaked: float
) -> None:
    report = sweep_report([*made(0.0, "ignores"), *made(0.5, kind)], 0, trained=True)
    (claim,), (base, lora) = report.claims, report.arms
    assert claim.verdict == verdict
    assert base.slope.slope == pytest.approx(0, abs=0.02)
    assert lora.slope.slope == (None if slope is None else pytest.approx(slope, abs=0.05))
    assert (lora.unvoiced_share, lora.leaked_share) == (unvoiced, leaked)


def test_a_leaked_tone_would_have_passed_for_success() -> None:
    report = sweep_report([*made(0.0, "ignores"), *made(1.0, "only the tone")], 0, trained=True)
    lora = report.arms[1]
    assert lora.slope_with_leaked.slope == pytest.approx(1, abs=0.02)
    assert lora.slope.slope is None and report.claims[0].verdict != "follows"


@given(
    points=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(GRID_HZ), st.floats(80, 300)), min_size=4, max_size=40,
        unique_by=lambda p: p[:2],
    )
)  # fmt: skip
@settings(deadline=None)
def test_the_slope_is_least_squares_with_an_intercept_for_each_cluster(
    points: list[tuple[int, float, float]],
) -> None:
    takes = [take(0.5, hz, cluster, heard(pitch_hz)) for cluster, hz, pitch_hz in points]
    found = sweep_report(takes, 0, trained=True).arms[0].slope
    kept = [p for p in points if sum(q[0] == p[0] for q in points) > 1]
    if not kept:
        assert found.slope is None and found.clusters == 0
        return
    names = sorted({p[0] for p in kept})
    design = [[math.log2(hz), *(float(name == cluster) for name in names)] for cluster, hz, _ in kept]
    wanted = np.linalg.lstsq(np.array(design), np.log2([p[2] for p in kept]), rcond=None)[0][0]
    assert found.slope == pytest.approx(wanted, abs=1e-4)
    assert (found.clusters, found.takes) == (len(names), len(kept))


def test_one_cluster_is_a_plain_regression() -> None:
    takes = arm(0.5, 0.4, clusters=1, spread_st=2)
    wanted = np.polyfit(np.log2(GRID_HZ), np.log2([t.heard.pitch_hz for t in takes]), 1)[0]
    found = sweep_report(takes, 0, trained=True).arms[0].slope
    assert found.slope == pytest.approx(wanted, abs=1e-4) and found.low is None


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=10)
def test_the_order_of_the_takes_does_not_matter(random: object) -> None:
    takes = [*arm(0.0, 0.1, spread_st=2), *arm(0.3, 0.5, spread_st=2), *arm(1.0, 0.9, spread_st=2)]
    report = sweep_report(takes, 3, trained=True)
    random.shuffle(takes)  # type: ignore[attr-defined]
    assert sweep_report(takes, 3, trained=True) == report
    assert sweep_report(takes, 4, trained=True).claims != report.claims  # but the seed draws the clusters


def test_the_claim_is_the_difference_over_the_same_drawn_clusters() -> None:
    """Clusters that are high in both arms cancel: drawn apart, the interval would be several times as wide."""
    base = arm(0.0, 0.2, clusters=9, uneven=0.5, key="x")
    lora = [t.model_copy(update={"strength": 0.5, "heard": heard((t.heard.pitch_hz or 0) * (t.tone_hz / 160) ** 0.3)}) for t in base]  # fmt: skip
    report = sweep_report([*base, *lora], 0, trained=True)
    difference = report.claims[0].difference
    assert difference.slope == difference.low == difference.high == pytest.approx(0.3, abs=1e-3)
    one = report.arms[1].slope
    assert one.high is not None and one.low is not None and one.high - one.low > 0.3


def test_the_bootstrap_draws_whole_clusters() -> None:
    clusters = clusters_of([*arm(0.5, 0.0, clusters=3), *(arm(0.5, 1.0, clusters=4)[27:])])
    weights = draw(len(clusters), 0, "x")
    assert weights.shape == (2001, 4) and (weights.sum(axis=1) == 4).all() and (weights[0] == 1).all()
    order = sorted(clusters)  # the cluster with slope 1 is one of the four
    drawn = drawn_slopes({name: clusters[name] for name in order}, weights)
    assert set(np.round(drawn, 6)) == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_no_effect_is_covered_in_ninety_five_sweeps_of_a_hundred() -> None:
    """Slopes that differ from cluster to cluster, three takes in ten unvoiced; plain percentiles cover 89 %."""
    stream, sweeps, count, covered = rng(0, "coverage"), 600, 9, 0
    tone_oct = np.log2(GRID_HZ)
    for index in range(sweeps):
        weights = draw(count, index, "claim")
        found = []
        for _ in range(2):
            clusters = {}
            for cluster in range(count):
                kept = tone_oct[np.sort(stream.permutation(len(tone_oct))[: 2 + stream.binomial(7, 0.6)])]
                voice_oct = stream.normal(0.1, 0.15) * kept + stream.normal(0, 0.25, len(kept))
                off = kept - kept.mean()
                clusters["", cluster] = Sums(float(off @ voice_oct), float(off @ off), len(kept))
            found.append(drawn_slopes(clusters, weights))
        claim = slope_of(found[1] - found[0], count, 0)
        assert claim.low is not None and claim.high is not None
        covered += claim.low <= 0 <= claim.high
    assert 0.92 <= covered / sweeps <= 0.97


@pytest.mark.parametrize(
    ("base", "lora", "spread_st", "verdict"),
    [
        (0.0, 0.8, 2, "follows"),
        (0.8, 0.8, 1, "does_not_follow"),  # the base model does too
        (0.0, 0.0, 1, "does_not_follow"),
        (0.0, -0.5, 1, "does_not_follow"),
        (-0.6, 0.0, 1, "not_told"),  # more than the base model, but itself no slope
        (0.0, 0.1, 12, "not_told"),
    ],
)
def test_verdicts(base: float, lora: float, spread_st: float, verdict: str) -> None:
    report = sweep_report(
        [*arm(0.0, base, spread_st=spread_st, key="v"), *arm(0.5, lora, spread_st=spread_st, key="v")],
        0,
        trained=True,
    )
    assert report.claims[0].verdict == verdict, report.claims[0].says
    assert report.says == f"at 0.5 {verdict.replace('_', ' ')}"


def test_every_strength_is_held_against_the_base_model() -> None:
    takes = [t for strength in (0.0, 0.3, 0.5, 1.0) for t in arm(strength, strength, spread_st=1)]
    report = sweep_report(takes, 0, trained=True)
    assert [arm.strength for arm in report.arms] == [0.0, 0.3, 0.5, 1.0]
    assert [claim.strength for claim in report.claims] == [0.3, 0.5, 1.0]
    for claim in report.claims:
        assert claim.verdict == "follows"
        assert claim.difference.slope == pytest.approx(claim.strength, abs=0.15)


@pytest.mark.parametrize(
    ("takes", "says"),
    [
        ([*arm(0.0, 0, 5), *arm(0.5, 1, 5)], "5 (source, seed) have voiced takes without a leak"),
        ([*arm(0.0, 0, 3), *arm(0.5, 1, 9)], "3 (source, seed) have"),
        (arm(0.5, 1), "no takes without the LoRA"),
        ([*arm(0.0, 0), *altered(arm(0.5, 1), lambda t: True, lambda t: heard(None))], "no (source, seed) has"),
        ([*arm(0.0, 0), *altered(arm(0.5, 1), lambda t: t.tone_hz > 80, lambda t: heard(None))], "no (source, seed) has"),
        ([*altered(arm(0.0, 1), lambda t: True, lambda t: heard(t.tone_hz, True)), *arm(0.5, 1)], "no (source, seed) has"),
    ],
)  # fmt: skip
def test_too_few_takes_are_said_to_be_too_few(takes: list[Take], says: str) -> None:
    claim = sweep_report(takes, 0, trained=True).claims[0]
    assert claim.verdict == "not_testable" and claim.says.startswith(says)
    assert claim.needed_clusters == LEAST_CLUSTERS and f"it takes {LEAST_CLUSTERS}" in claim.says
    assert claim.difference.low is claim.difference.high is None


def test_tones_in_one_place_are_no_line() -> None:
    """Tones are at measured pitches, cents apart; a slope through those would be noise."""
    takes = [take(0.5, 200 * 2 ** (n / 1200), 0, heard(150 + 10 * n)) for n in range(9)]
    assert sweep_report(takes, 0, trained=True).arms[0].slope.slope is None


def test_a_minority_that_speaks_is_called_one() -> None:
    lost = altered(arm(0.5, 1), lambda t: GRID_HZ.index(t.tone_hz) > 3, lambda t: heard(None))
    claim = sweep_report([*arm(0.0, 0), *lost], 0, trained=True).claims[0]
    assert claim.verdict == "follows" and "but only 44% of the takes" in claim.says


def test_shares_and_the_table_by_tone() -> None:
    low, high = GRID_HZ[0], GRID_HZ[-1]
    takes = altered(arm(0.5, 0.5), lambda t: t.tone_hz == low, lambda t: heard(None))
    takes = altered(takes, lambda t: t.tone_hz == high and t.seed == 0, lambda t: heard(high, True))
    report = sweep_report([*arm(0.0, 0.0), *takes], 0, trained=True)
    lora = report.arms[1]
    assert (lora.takes, lora.usable) == (54, 45)
    assert (lora.unvoiced_share, lora.leaked_share) == (round(6 / 54, 4), round(3 / 54, 4))
    cells = {(cell.tone_hz, cell.strength): cell for cell in report.cells}
    assert len(cells) == 18
    assert cells[round(low, 2), 0.5].pitch_hz is None and cells[round(low, 2), 0.5].unvoiced_share == 1
    top = cells[round(high, 2), 0.5]
    own = [t.heard.pitch_hz for t in takes if t.tone_hz == high and t.usable]
    assert top.leaked_share == 0.5 and top.pitch_hz == pytest.approx(np.median(own), abs=0.01)


def test_tones_a_few_cents_apart_are_one_row() -> None:
    takes = [t.model_copy(update={"tone_hz": t.tone_hz * 2 ** (t.seed * 8 / 1200)}) for t in arm(0.5, 1)]
    assert len({t.tone_hz for t in takes}) == 18
    assert len(sweep_report(takes, 0, trained=True).cells) == 9


def test_an_untrained_model_gets_its_takes_listed_and_no_number() -> None:
    takes = [*arm(0.0, 0.0), *arm(0.5, 1.0)]
    report = sweep_report(takes, 0, trained=False)
    assert report.says == UNTRAINED == "not applicable (untrained)"
    assert not report.arms and not report.cells and not report.claims
    assert len(report.takes) == len(takes) and not any(isinstance(t, Take) for t in report.takes)
    assert "pitch_hz" not in report.model_dump_json()


def test_a_report_survives_json() -> None:
    for trained in (True, False):
        report = sweep_report([*arm(0.0, 0.0), *arm(0.5, 1.0)], 0, trained)
        assert SweepReport.model_validate_json(report.model_dump_json()) == report
    assert type(SweepReport.model_validate_json(report.model_dump_json()).takes[0]) is Asked


def test_no_takes_and_takes_twice_are_refused() -> None:
    with pytest.raises(CurateError, match="no takes"):
        sweep_report([], 0, trained=True)
    with pytest.raises(CurateError, match=r"prompt 0, seed 0, 76 Hz at strength 0.5 is there twice"):
        sweep_report([*arm(0.5, 1), arm(0.5, 1)[0]], 0, trained=True)
