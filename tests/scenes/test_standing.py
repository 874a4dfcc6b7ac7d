"""Who is in a window, and on which side; what is no scene of two is a reason."""

from typing import Any

import pytest

from curate.errors import Rejected
from curate.media.film import NOTHING, Film, Sighting
from curate.media.subject import Box
from curate.media.subtitles import Line, Writing
from curate.scenes.standing import cropped, from_left
from curate.sheets.windows import Window
from tests.casts import film, sighting

WINDOW = Window(0.0, 5.04)
SHOT = [(0.0, 8.0)]


def two(left: Any = lambda t: 60, right: Any = lambda t: 400, people: int = 2, *more: Sighting) -> Film:
    seen = [sighting(t / 2, 0, left=left(t)) for t in range(16)]
    seen += [sighting(t / 2, 1, left=right(t)) for t in range(16)]
    return film([*seen, *more], SHOT, people)


def left_to_right(
    known: Film, most: int = 2, able: tuple[int, ...] = (0, 1, 2), reverse: bool = False
) -> list[int]:
    return from_left(known, WINDOW, able, most, reverse)


def test_two_are_told_from_left_to_right() -> None:
    assert left_to_right(two()) == [0, 1]
    assert left_to_right(two(lambda t: 400, lambda t: 60)) == [1, 0]


@pytest.mark.parametrize(
    ("left", "yaw_deg", "order"),
    [(60, 0.0, [0, 1]), (480, 0.0, [1, 0]), (260, 12.0, [0, 1]), (300, -12.0, [1, 0])],
)
def test_a_reverse_angle_has_the_partner_on_the_side_that_one_is_turned_to(
    left: int, yaw_deg: float, order: list[int]
) -> None:
    alone = film([sighting(t / 2, yaw_deg=yaw_deg, left=left) for t in range(16)], SHOT, 2)
    assert left_to_right(alone, able=(0, 1), reverse=True) == order
    assert refused(alone) == "one_character"
    with pytest.raises(Rejected, match="one_character"):  # three people: nobody knows who the other is
        left_to_right(alone, reverse=True)


def test_who_looks_ahead_from_the_middle_has_no_side_for_a_partner() -> None:
    alone = film([sighting(t / 2, left=285) for t in range(16)], SHOT, 2)
    with pytest.raises(Rejected, match="side_unknown"):
        left_to_right(alone, able=(0, 1), reverse=True)


def refused(known: Film, most: int = 2) -> str:
    with pytest.raises(Rejected) as why:
        left_to_right(known, most)
    assert "\n" not in why.value.detail
    return why.value.reason


def test_what_is_no_scene_of_two_is_a_reason() -> None:
    assert refused(film([], SHOT, 0)) == "no_character"
    assert refused(film([sighting(t / 2) for t in range(16)], SHOT, 1)) == "one_character"
    assert refused(two(lambda t: 60 if t < 5 else 400, lambda t: 400 if t < 5 else 60)) == "sides_change"
    alone = [sighting(t / 2, 0 if t < 5 else 1) for t in range(16)]
    assert refused(film(alone, SHOT, 2)) == "never_together"
    others = [sighting(t / 2, NOTHING, left=250) for t in range(16)]
    assert refused(two(lambda t: 60, lambda t: 400, 2, *others)) == "strangers"


def test_who_is_never_seen_well_is_an_extra() -> None:
    with pytest.raises(Rejected, match="strangers"):
        left_to_right(two(), able=(0, 2), reverse=True)
    with pytest.raises(Rejected, match="no_character"):
        left_to_right(two(), able=())


def test_three_are_too_many_unless_they_are_asked_for() -> None:
    third = [sighting(t / 2, 2, left=220) for t in range(16)]
    known = two(lambda t: 60, lambda t: 400, 3, *third)
    assert refused(known) == "too_many" and left_to_right(known, 3) == [0, 2, 1]


def written(top: int, bottom: int) -> Writing:
    line = Line(text="Where are you?", from_s=1.0, to_s=2.0, box=Box(100, top, 500, bottom), score=0.99)
    return Writing([line], [], (640, 480))


def test_a_band_of_subtitles_is_cropped_where_heads_stay() -> None:
    known = two()
    left = cropped(known, written(430, 460), WINDOW, (640, 352))
    assert left is not None and left[:3] == (0, 0, 640) and left.bottom <= 430
    assert abs((left.right - left.left) / (left.bottom - left.top) - 640 / 352) < 0.01
    top = cropped(known, written(5, 25), WINDOW, (640, 352))
    assert top is not None and 25 <= top.top <= 44 and top.bottom - top.top == 352
    assert cropped(known, Writing([], [], (640, 480)), WINDOW, (640, 352)) is None


def test_a_band_over_heads_or_half_of_the_picture_loses_the_scene() -> None:
    with pytest.raises(Rejected, match="of the height is free"):
        cropped(two(), written(200, 280), WINDOW, (640, 352))
    with pytest.raises(
        Rejected, match="a head would be cut off"
    ):  # what is left is wide, and covers less height
        cropped(two(lambda t: 2), written(430, 460), WINDOW, (352, 320))  # the one at the left edge
