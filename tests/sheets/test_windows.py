"""What of a film is a target, and which moments are looked at for it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from curate.media.film import NOTHING
from curate.media.subject import Box
from curate.sheets.windows import (
    PLATE_FRAMES,
    TARGET_FRAMES,
    Whereabouts,
    Window,
    people_at,
    plate_times,
    present,
    shot_at,
    target_times,
    windows,
)
from tests.casts import NOBODY, film, sighting

WINDOW = Window(5.0, 10.0)
EVERYWHERE = "f" * len(NOBODY)


def times(end_s: float) -> list[float]:
    return [number / 2 for number in range(round(end_s * 2))]


@given(st.lists(st.floats(0.3, 30), min_size=1, max_size=8), st.floats(1, 8))
def test_targets_are_in_one_shot_and_apart(lengths: list[float], seconds: float) -> None:
    edges = [round(sum(lengths[:n]), 6) for n in range(len(lengths) + 1)]
    known = film([], list(itertools.pairwise(edges)))
    found = [window for window, _ in windows(known, seconds) if window]
    for window in found:
        shot = shot_at(known, window.start_s)
        assert shot.start_s <= window.start_s and window.end_s <= shot.end_s + 2e-3
    assert all(a.end_s <= b.start_s + 2e-3 for a, b in itertools.pairwise(found))
    short = [why for window, why in windows(known, seconds) if window is None]
    assert len(short) == sum(length + 1e-3 < seconds for length in lengths)


@given(st.integers(1, 500), st.sampled_from([24.0, 25.0, 30.0, 24000 / 1001, 30000 / 1001]))
def test_a_target_does_not_begin_with_the_last_frame_of_the_shot_before(frames: int, fps: float) -> None:
    cut_s = round(frames / fps, 6)
    known = film([], [(0.0, cut_s), (cut_s, cut_s + 20)])
    first = next(window for window, _ in windows(known._replace(shots=known.shots[1:]), 5.0) if window)
    assert cut_s <= first.start_s < cut_s + 1 / fps and shot_at(known, first.start_s) == known.shots[1]


def test_a_moment_is_inside_beside_or_apart() -> None:
    assert [WINDOW.apart(at_s) for at_s in (3.9, 4.5, 5.0, 9.9, 10.0, 10.9, 11.0)] == [2, 1, 0, 0, 1, 1, 2]


def test_who_turns_away_is_still_where_they_were() -> None:
    known = film([sighting(1.0, left=100), sighting(3.0, left=300)], [(0.0, 10.0)])
    last = sighting(3.0, left=300)
    assert people_at(known, 2.0) == [Whereabouts(Box(140, 60, 330, 400), False)]
    assert people_at(known, 4.0) == [Whereabouts(last.body, False)]
    assert people_at(known, 9.0) == []  # gone
    assert people_at(known, 3.0) == [Whereabouts(last.body, True, last.face)]
    passing = film([sighting(2.0, who=NOTHING, left=500)], [(0.0, 10.0)], 0)
    assert people_at(passing, 2.0) == [Whereabouts(sighting(2.0, left=500).body, True)]
    assert not people_at(passing, 3.0)


def test_who_is_cut_off_by_the_shape_of_the_target_is_not_in_it() -> None:
    known = film([sighting(t, left=100) for t in times(20)], [(0.0, 20.0)])
    face = sighting(0.0, left=100).face
    assert face is not None
    middle = Window(5.0, 10.0, Box(300, 0, 640, 480))
    assert present(known, WINDOW) == {0: 1.0} and present(known, middle) == {}
    assert middle.shows(sighting(6.0, left=400)) and not WINDOW.shows(sighting(4.0))
    half = Box(face.left + 20, 0, 640, 480)
    assert not WINDOW._replace(part=half).shows(sighting(6.0))


def test_the_place_is_seen_outside_the_target_if_that_shows_enough_of_it() -> None:
    known = film([sighting(t) for t in times(60)], [(0.0, 60.0)])
    chosen = plate_times(known, WINDOW)
    assert len(chosen) == PLATE_FRAMES and not any(map(WINDOW.holds, chosen))
    hidden = [EVERYWHERE if not WINDOW.holds(at_s) else NOBODY for at_s in known.looked_s]
    assert any(map(WINDOW.holds, plate_times(known._replace(covered=hidden), WINDOW)))
    short = film([sighting(t) for t in times(6)], [(0.0, 6.0)])
    assert any(map(Window(0.5, 5.5).holds, plate_times(short, Window(0.5, 5.5))))


@given(st.sets(st.integers(10, 19), min_size=3), st.integers(0, 9))
def test_the_moments_that_are_compared_show_each_character(when: set[int], spare: int) -> None:
    seen = [sighting(t, who=0) for t in times(20)] + [sighting(number / 2, who=1) for number in sorted(when)]
    known = film(seen, [(0.0, 20.0)], 2)
    chosen = target_times(known, WINDOW)
    assert all(map(WINDOW.holds, chosen)) and len(chosen) <= TARGET_FRAMES + 6 and chosen == sorted(chosen)
    for who in present(known, WINDOW):
        assert any(each.who == who and each.at_s in chosen for each in seen)
