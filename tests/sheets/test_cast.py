"""Who is shown and from where: outside the target where the film allows, each way of looking once, nobody unseen."""

from typing import Any

import pytest

from curate.errors import Rejected
from curate.media.subject import Box
from curate.media.things import Seen
from curate.sheets.cast import cast
from curate.sheets.elements import Element, Elements
from curate.sheets.windows import Window
from tests.casts import known, sighting

WINDOW = Window(5.0, 10.0)
KETTLE = Element(id="kettle", description="a kettle", box=(5, 5, 50, 50), at_s=3.0)


def times(end_s: float) -> list[float]:
    return [number / 2 for number in range(round(end_s * 2))]


def named(views: list[Any]) -> list[str]:
    return [view.name for view in views if view.kind != "location"]


def test_panels_are_cut_outside_the_target_where_the_film_allows() -> None:
    seen = [sighting(t, yaw_deg=(-30, 0, 30)[round(t * 2) % 3]) for t in times(20)]
    found = cast(known(seen, [(0.0, 20.0)]), WINDOW)
    assert named(found.views) == ["person-1 face", "person-1 front", "person-1 left", "person-1 right"]
    moments = [view.at_s for view in found.views if view.at_s is not None]
    assert all(WINDOW.apart(at_s) == 2 for at_s in moments) and len(set(moments)) == 4
    assert not any(view.same_window for view in found.views) and found.missing == ["person-1 back"]


def test_a_view_that_only_the_target_has_is_marked_and_one_nobody_has_is_missing() -> None:
    seen = [sighting(t, yaw_deg=-30.0 if WINDOW.holds(t) else 0.0) for t in times(20)]
    found = cast(known(seen, [(0.0, 20.0)]), WINDOW)
    assert {view.turn for view in found.views if view.same_window} == {"left"}
    assert found.missing == ["person-1 right", "person-1 back"]


@pytest.mark.parametrize("worse", [{"sharpness": 0.4}, {"clear": 0.75}, {"odd": 0.4}, {"yaw_deg": 50.0}])
def test_the_better_face_is_shown(worse: dict[str, Any]) -> None:
    seen = [sighting(t, **({} if t == 15.0 else worse)) for t in times(20)]
    assert cast(known(seen, [(0.0, 20.0)]), WINDOW).views[0].at_s == 15.0


@pytest.mark.parametrize(
    "spoilt", [{"sharpness": 0.1}, {"whole": 0.8}, {"clear": 0.5}, {"odd": 0.6}, {"solid": 0.4}]
)
def test_a_spoilt_face_is_not_shown_only_because_it_is_outside(spoilt: dict[str, Any]) -> None:
    seen = [sighting(t, **({} if WINDOW.holds(t) else spoilt)) for t in times(20)]
    found = cast(known(seen, [(0.0, 20.0)]), WINDOW)
    assert found.views[0].same_window
    with pytest.raises(Rejected, match="no_clear_face"):
        cast(known([sighting(t, whole=0.8) for t in times(20)], [(0.0, 20.0)]), WINDOW)


def test_of_two_side_by_side_the_faces_are_shown_and_the_bodies_are_missing() -> None:
    seen = [
        sighting(t, who=who, left=left, apart=0.5) for t in times(20) for who, left in ((0, 100), (1, 300))
    ]
    found = cast(known(seen, [(0.0, 20.0)], 2), WINDOW)
    assert named(found.views) == ["person-1 face", "person-2 face"] and "person-1 front" in found.missing


def test_panels_come_from_the_shot_of_the_target_where_people_wear_the_same() -> None:
    seen = [sighting(t, sharpness=0.9 if t >= 30 else 0.7) for t in times(60)]
    found = cast(known(seen, [(0.0, 30.0), (30.0, 60.0)]), WINDOW)
    assert all(view.at_s is None or (view.at_s < 30 and WINDOW.apart(view.at_s) == 2) for view in found.views)


def test_who_is_hardly_in_the_target_is_not_shown_and_nobody_is_a_reason() -> None:
    seen = [sighting(t) for t in times(20)] + [sighting(t, who=1, left=400) for t in (1.0, 2.0, 6.0)]
    assert set(cast(known(seen, [(0.0, 20.0)], 2), WINDOW).who.values()) == {0}
    with pytest.raises(Rejected, match="no_character"):
        cast(known([s for s in seen if not WINDOW.holds(s.at_s)], [(0.0, 20.0)], 2), WINDOW)
    for unclear in (
        {"face": Box(0, 0, 20, 25)},
        {"sharpness": 0.25},
        {"solid": 0.1},
        {"whole": 0.5},
        {"clear": 0.5},
    ):
        with pytest.raises(Rejected, match="no_clear_face"):
            cast(known([sighting(t, **unclear) for t in times(20)], [(0.0, 20.0)]), WINDOW)


def test_what_a_user_says_names_the_one_who_is_meant_and_nobody_else() -> None:
    seen = [sighting(t, who=who, left=left) for t in times(20) for who, left in ((0, 100), (1, 400))]
    said = Elements(
        characters=(Element(id="bob", description="a man"), Element(id="eve", description="a woman"))
    )
    found = cast(known(seen, [(0.0, 20.0)], 2, said, who={"bob": 1}), WINDOW)
    assert found.who == {"person-1": 0, "bob": 1} and "eve face" in found.missing
    taken = Elements(characters=(Element(id="person-1", description="a man"),))
    twice = cast(known(seen, [(0.0, 20.0)], 2, taken, who={"person-1": 1}), WINDOW)
    assert twice.who == {"person-1x": 0, "person-1": 1}


def test_a_users_own_images_stand_in_place_of_what_the_film_shows() -> None:
    seen = [sighting(t, yaw_deg=(-30, 0, 30)[round(t * 2) % 3]) for t in times(20)]
    said = Elements(characters=(Element(id="ada", description="a woman", images=("a.png", "b.png")),))
    found = cast(known(seen, [(0.0, 20.0)], 1, said, who={"ada": 0}), WINDOW)
    assert named(found.views) == ["ada face", "ada view 1", "ada view 2"]


def test_a_prop_is_shown_where_the_target_shows_it() -> None:
    def props(prop: Element, *when: float) -> Any:
        things = [Seen(thing=prop.id, at_s=at_s, box=Box(5, 5, 50, 50), score=0.9) for at_s in when]
        return cast(
            known([sighting(t) for t in times(20)], [(0.0, 20.0)], 1, Elements(props=(prop,)), things=things),
            WINDOW,
        )

    shown = props(KETTLE, 3.0, 6.0)
    assert "kettle prop" in named(shown.views) and not any(view.same_window for view in shown.views)
    assert [view.same_window for view in props(KETTLE, 6.0).views if view.kind == "prop"] == [True]
    elsewhere = props(KETTLE, 3.0, 15.0)
    assert "kettle prop" in elsewhere.missing and "kettle prop" not in named(elsewhere.views)
    unseen = Element(id="hat", description="a hat")
    assert "hat prop" in props(unseen).missing
    pictured = unseen.model_copy(update={"images": ("hat.png",)})
    assert [view.image for view in props(pictured).views if view.kind == "prop"] == ["hat.png"]


def test_a_heavier_element_is_more_important() -> None:
    heavy = KETTLE.model_copy(update={"weight": 3.0})
    things = [Seen(thing="kettle", at_s=t, box=Box(5, 5, 50, 50), score=0.9) for t in (3.0, 6.0)]
    plain, more = (
        cast(
            known([sighting(t) for t in times(20)], [(0.0, 20.0)], 1, Elements(props=(prop,)), things=things),
            WINDOW,
        )
        for prop in (KETTLE, heavy)
    )
    (light,), (weighty,) = ([v.importance for v in each.views if v.kind == "prop"] for each in (plain, more))
    assert weighty == 3 * light > max(view.importance for view in plain.views)


def test_a_place_that_people_hide_is_not_shown() -> None:
    seen = known([sighting(t) for t in times(20)], [(0.0, 20.0)])
    assert [view.name for view in cast(seen, WINDOW).views if view.kind == "location"] == ["place place"]
    hidden = seen.film._replace(covered=["f" * len(each) for each in seen.film.covered])
    found = cast(seen._replace(film=hidden), WINDOW)
    assert "place place" in found.missing and all(view.kind != "location" for view in found.views)
