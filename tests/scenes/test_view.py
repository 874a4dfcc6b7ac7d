"""Which picture of somebody is taken: another shot's first, none with a subtitle over them."""

import pytest

from curate.errors import Rejected
from curate.media.subject import Box
from curate.media.subtitles import Line, Writing
from curate.scenes.known import Known, Person
from curate.scenes.view import Shown, View
from curate.sheets.windows import Window
from tests.casts import film, sighting


def view_of(known: Known, window: Window, who: int) -> View:
    return Shown.of(known).view(window, who)


EMPTY = Writing([], [], (640, 480))
WINDOW = Window(4.0, 9.04)


def known(
    times_s: list[float], shots: list[tuple[float, float]], writing: Writing = EMPTY, **changes: float
) -> Known:
    return Known(film([sighting(at_s, **changes) for at_s in times_s], shots, 1), writing, [], [])


@pytest.mark.parametrize(
    ("times_s", "taken_s", "same_shot", "same_window"),
    [
        ([1.0, 4.5, 6.0, 11.0], 1.0, False, False),  # another shot
        ([4.5, 6.0, 11.0], 11.0, True, False),  # outside the target
        ([4.0, 4.5, 6.0], 6.0, True, True),  # not its opening
        ([4.0, 4.5], 4.0, True, True),
    ],
)
def test_the_view_is_as_far_from_the_target_as_the_film_allows(
    times_s: list[float], taken_s: float, same_shot: bool, same_window: bool
) -> None:
    view = view_of(known(times_s, [(0.0, 3.0), (3.0, 12.0)]), WINDOW, 0)
    assert (view.name, view.looks[0].at_s, view.looks[0].same_shot, view.looks[0].same_window) == (
        "person-1",
        taken_s,
        same_shot,
        same_window,
    )


def test_who_is_written_over_is_not_taken() -> None:
    line = Line(text="Where are you?", from_s=1.0, to_s=2.0, box=Box(60, 360, 300, 390), score=0.99)
    view = view_of(known([1.0, 6.0], [(0.0, 3.0), (3.0, 12.0)], Writing([line], [], (640, 480))), WINDOW, 0)
    assert [look.at_s for look in view.looks] == [6.0]


def test_a_given_picture_stands_for_the_film() -> None:
    told = known([1.0], [(0.0, 12.0)])._replace(
        cast=[Person(name="ada", who=0, pictures=("refs/ada/1.png",))]
    )
    view = view_of(told, WINDOW, 0)
    assert (view.name, view.pictures, view.looks) == ("ada", ("refs/ada/1.png",), ())


@pytest.mark.parametrize("flaw", ["clear", "apart", "whole", "sharpness", "solid"])
def test_nobody_who_is_seen_badly_is_shown(flaw: str) -> None:
    with pytest.raises(Rejected, match="no_clear_face"):
        view_of(known([1.0, 6.0], [(0.0, 12.0)], **{flaw: 0.1}), WINDOW, 0)


def test_two_people_never_have_one_name() -> None:
    told = known([1.0], [(0.0, 12.0)])._replace(cast=[Person(name="person-1", who=4, pictures=("a.png",))])
    assert view_of(told, WINDOW, 0).name == "person-1x"
