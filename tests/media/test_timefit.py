"""A clip fitted in time keeps both ends, in order, whatever its length; what is too long is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.media.timefit import fault, fit

RATES = st.sampled_from([8.0, 10.0, 12.0, 15.0, 16.0, 23.976, 24.0, 25.0, 30.0, 60.0])


@given(
    source_frames=st.integers(1, 400),
    source_fps=RATES,
    eights=st.integers(1, 30),
    fps=RATES,
    max_speed=st.floats(1, 3),
)
def test_a_fit_keeps_its_invariants_or_is_refused(
    source_frames: int, source_fps: float, eights: int, fps: float, max_speed: float
) -> None:
    frames = 8 * eights + 1
    try:
        found = fit(source_frames, source_fps, frames, fps, max_speed)
    except Rejected as why:
        assert why.reason == "too_long"
        assert (source_frames - 1) * fps / source_fps > (frames - 1) * max_speed
        return
    step = source_fps * found.speed / fps
    assert fault(found.indices, source_frames, frames, step, found.hold_share) is None
    assert 1 <= found.speed <= max_speed + 1e-6
    assert 0 <= found.hold_share <= 1 and (found.hold_share == 0 or found.speed == 1)


@given(source_frames=st.integers(1, 1300), source_fps=st.floats(5, 130))
def test_frames_and_rates_of_the_same_seconds_judge_alike(source_frames: int, source_fps: float) -> None:
    """121 frames at 24 a second, and 81 at 16: the smaller set must lie within the larger one."""
    verdicts = []
    for frames, fps in ((121, 24.0), (81, 16.0)):
        try:
            found = fit(source_frames, source_fps, frames, fps, 1.5)
        except Rejected:
            verdicts.append(None)
        else:
            step = source_fps * found.speed / fps
            assert fault(found.indices, source_frames, frames, step, found.hold_share) is None
            verdicts.append((found.speed, found.hold_share))
    assert verdicts[0] == verdicts[1]


@given(source_frames=st.integers(2, 81))
def test_at_a_higher_rate_in_real_time_every_source_frame_is_shown(source_frames: int) -> None:
    found = fit(source_frames, 16, 121, 24, 1.5)
    assert found.speed == 1 and set(found.indices) == set(range(source_frames))


def test_the_seeds_numbers() -> None:
    """81 frames at 16 fps are the 5 seconds that 121 frames at 24 fps are."""
    assert fit(81, 16, 121, 24, 1.5).hold_share == 0
    assert fit(81, 16, 81, 16, 1.5).indices == tuple(range(81))
    held = fit(48, 16, 121, 24, 1.5)
    assert held.indices[:5] == (0, 1, 1, 2, 3) and held.indices.count(47) > 49 and held.hold_share == 0.4125
    fast = fit(115, 16, 121, 24, 1.5)
    assert fast.speed == 1.425 and len(set(fast.indices)) == 115  # nothing dropped even so


@pytest.mark.parametrize(("source_frames", "speed"), [(121, 1.5), (122, None)])
def test_the_bound_of_speed(source_frames: int, speed: float | None) -> None:
    if speed:
        assert fit(source_frames, 16, 121, 24, 1.5).speed == speed
    else:
        with pytest.raises(Rejected, match=r"too_long.*speed 1\.51, wanted at most 1\.5"):
            fit(source_frames, 16, 121, 24, 1.5)


@pytest.mark.parametrize(
    ("indices", "says"),
    [
        ([0.0] * 8, "8 frames, wanted 9"),
        ([1.0, *[9.0] * 8], "shows 1 to 9, wanted 0 to 9"),
        ([0.0] * 9, "shows 0 to 0"),
        ([0.0, 5.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0], "goes back in time"),
        ([0.0, 1.0, 2.0, 3.0, 7.0, 8.0, 8.0, 9.0, 9.0], "jumps over 3 source frames, wanted steps of 1.00"),
        ([0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 9.0, 9.0, 9.0], "holds its end for 2 frames, its record says 6"),
    ],
)
def test_every_fault_of_indices_trips(indices: list[float], says: str) -> None:
    assert says in str(fault(indices, 10, 9, 1.0, 0.8 if "holds" in says else 0.0))


def test_a_length_that_is_no_whole_latent_is_a_fault() -> None:
    assert "8k+1" in str(fault([0.0, *[1.0] * 9], 2, 10, 1.0, 0.8))
