"""Who is shown and from where: outside the target where the film allows, each way of looking once, nobody unseen."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.media.film import NOTHING
from curate.media.subject import Box
from curate.sheets import cast as casting
from curate.sheets.cast import Window
from curate.sheets.elements import Element, Elements
from tests.casts import film, sighting

WINDOW = Window(5.0, 10.0)
PLAIN = Elements()


def times(end_s: float) -> list[float]:
    return [number / 2 for number in range(round(end_s * 2))]


@given(st.lists(st.floats(0.3, 30), min_size=1, max_size=8), st.floats(1, 8))
def test_targets_are_in_one_shot_and_apart(lengths: list[float], seconds: float) -> None:
    edges = [sum(lengths[:n]) for n in range(len(lengths) + 1)]
    known = film([], list(itertools.pairwise(edges)))
    found = [window for window, _ in casting.windows(known, seconds) if window]
    for window in found:
        assert any(
            shot.start_s <= window.start_s + 2e-3 and window.end_s <= shot.end_s + 2e-3
            for shot in known.shots
        )
    assert all(a.end_s <= b.start_s + 2e-3 for a, b in itertools.pairwise(found))
    short = [why for window, why in casting.windows(known, seconds) if window is None]
    assert len(short) == sum(length + 1e-3 < seconds for length in lengths)


def test_panels_are_cut_outside_the_target_where_the_film_allows() -> None:
    seen = [sighting(t, yaw_deg=(-30, 0, 30)[round(t * 2) % 3]) for t in times(20)]
    found = casting.cast(film(seen, [(0.0, 20.0)]), PLAIN, WINDOW)
    assert [(v.kind, v.turn) for v in found.views] == [
        ("face", ""),
        ("body", "front"),
        ("body", "left"),
        ("body", "right"),
    ]
    assert not any(v.same_window or WINDOW.holds(v.at_s or 0) for v in found.views)
    assert len({v.at_s for v in found.views}) == 4 and found.missing == ["person-1 back"]


def test_a_view_that_only_the_target_has_is_marked_and_one_nobody_has_is_missing() -> None:
    seen = [sighting(t, yaw_deg=-30.0 if WINDOW.holds(t) else 0.0) for t in times(20)]
    found = casting.cast(film(seen, [(0.0, 20.0)]), PLAIN, WINDOW)
    assert {v.turn for v in found.views if v.same_window} == {"left"}
    assert found.missing == ["person-1 right", "person-1 back"]


@pytest.mark.parametrize(
    "worse", [{"sharpness": 0.2}, {"apart": 0.75}, {"whole": 0.5}, {"odd": 0.4}, {"yaw_deg": 50.0}]
)
def test_the_better_face_is_shown(worse: dict[str, float]) -> None:
    seen = [sighting(t, **({} if t == 15.0 else worse)) for t in times(20)]  # type: ignore[arg-type]
    assert casting.cast(film(seen, [(0.0, 20.0)]), PLAIN, WINDOW).views[0].at_s == 15.0


def test_who_is_hardly_in_the_target_is_not_shown_and_nobody_is_a_reason() -> None:
    seen = [sighting(t) for t in times(20)] + [sighting(t, who=1, left=400) for t in (1.0, 2.0, 6.0)]
    assert set(casting.cast(film(seen, [(0.0, 20.0)], 2), PLAIN, WINDOW).who.values()) == {0}
    with pytest.raises(Rejected, match="no_character"):
        casting.cast(film([s for s in seen if not WINDOW.holds(s.at_s)], [(0.0, 20.0)], 2), PLAIN, WINDOW)
    tiny = [sighting(t, face=Box(0, 0, 20, 25)) for t in times(20)]
    with pytest.raises(Rejected, match="no_clear_face"):
        casting.cast(film(tiny, [(0.0, 20.0)]), PLAIN, WINDOW)


def test_what_a_user_says_names_the_one_in_the_box() -> None:
    seen = [sighting(t, who=who, left=left) for t in times(20) for who, left in ((0, 100), (1, 400))]
    bob = Element(id="bob", description="a man", box=(390, 90, 480, 200), at_s=3.1)
    found = casting.cast(film(seen, [(0.0, 20.0)], 2), Elements(characters=(bob,)), WINDOW)
    assert found.who == {"person-1": 0, "bob": 1}
    nowhere = bob.model_copy(update={"box": (700.0, 0.0, 710.0, 10.0)})
    assert (
        "bob" not in casting.cast(film(seen, [(0.0, 20.0)], 2), Elements(characters=(nowhere,)), WINDOW).who
    )


def test_who_turns_away_is_still_where_they_were() -> None:
    known = film([sighting(1.0, left=100), sighting(3.0, left=300)], [(0.0, 10.0)])
    assert casting.people_at(known, 2.0) == [(Box(140, 60, 330, 400), False)]
    assert casting.people_at(known, 9.0) == [(sighting(3.0, left=300).body, False)]
    assert casting.people_at(known, 3.0) == [(sighting(3.0, left=300).body, True)]
    passing = film([sighting(2.0, who=NOTHING, left=500)], [(0.0, 10.0)], 0)
    assert casting.people_at(passing, 2.0) == [(sighting(2.0, left=500).body, True)]
    assert not casting.people_at(passing, 3.0)


def test_a_place_that_people_hide_is_not_shown() -> None:
    known = film([sighting(t) for t in times(20)], [(0.0, 20.0)])
    assert casting.place(known, PLAIN, WINDOW) is not None
    hidden = known._replace(covered=["f" * len(each) for each in known.covered])
    assert casting.place(hidden, PLAIN, WINDOW) is None
    assert all(not WINDOW.holds(at_s) for at_s in casting.plate_times(known, WINDOW))
