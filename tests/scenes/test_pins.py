"""Pins: each at a latent of its own, nobody before they are needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.scenes.pins import fault, latent_of, staggered
from curate.sheets.windows import Window
from tests.casts import film, sighting


@given(st.integers(0, 40))
def test_a_latent_stands_for_eight_frames_and_the_first_for_one(latent: int) -> None:
    frames = [0] if latent == 0 else range(8 * latent - 7, 8 * latent + 1)
    assert {latent_of(frame) for frame in frames} == {latent}


@given(st.lists(st.integers(0, 120), min_size=1, max_size=4))
def test_pins_are_sound_or_the_fault_names_who(frames: list[int]) -> None:
    pins = [(f"p{place}", frame) for place, frame in enumerate(frames)]
    sound = 0 in frames and len(set(frames)) == len(frames) and not any(frame % 8 for frame in frames)
    why = fault(pins, 121)
    assert (why == "") == sound and "\n" not in why


def test_two_pins_at_one_latent_name_both() -> None:
    assert (
        fault([("ada", 0), ("ben", 0)], 121)
        == "ada and ben are both pinned at frame 0, latent 0; a model would see ben only"
    )
    assert "ada is pinned at frame 60, wanted a multiple of 8" in fault([("ben", 0), ("ada", 60)], 121)
    assert "of 0 to 120" in fault([("ada", 0), ("ben", 128)], 121) and "nobody" in fault([("ada", 8)], 121)


def late() -> tuple[object, Window]:
    """Character 0 from the start, 1 from the look at 2.5 s on."""
    seen = [sighting(t / 2) for t in range(12)] + [sighting(t / 2, 1, left=400) for t in range(5, 12)]
    return film(seen, [(0.0, 6.0)], 2), Window(0.0, 5.04)


def test_who_comes_later_is_pinned_before_they_are_seen() -> None:
    known, window = late()
    names = {0: "ada", 1: "ben"}
    assert staggered(known, window, names, (), 121) == {0: 0, 1: 48}  # type: ignore[arg-type]  # 2.0 s, the look before
    assert staggered(known, window, {1: "ben", 0: "ada"}, (0, 16), 121) == {0: 0, 1: 16}  # type: ignore[arg-type]
    with pytest.raises(Rejected, match="ben is pinned at frame 64, and seen from 60 on"):
        staggered(known, window, names, (0, 64), 121)  # type: ignore[arg-type]
    with pytest.raises(Rejected, match="1 pins, wanted one for each of ada, ben"):
        staggered(known, window, names, (0,), 121)  # type: ignore[arg-type]


def test_who_is_there_from_the_start_cannot_be_pinned_later() -> None:
    both = film(
        [*(sighting(t / 2) for t in range(12)), *(sighting(t / 2, 1, left=400) for t in range(12))],
        [(0.0, 6.0)],
        2,
    )
    with pytest.raises(Rejected, match="ada and ben are both pinned at frame 0"):
        staggered(both, Window(0.0, 5.04), {0: "ada", 1: "ben"}, (), 121)
