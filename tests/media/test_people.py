"""Drawn figures stand in for people seen whole; no package has a photograph of one."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from curate.media import people
from curate.media.faces import Face
from curate.media.people import people_of, shared
from curate.media.picture import read_picture
from curate.media.subject import Box
from curate.media.video import Image

DATA = Path(skimage.__file__).parent / "data"  # scikit-image's own


def street(*places: tuple[int, int, int]) -> Image:
    """Figures that stand at (x, top) and are so tall, on grey."""
    frame = np.full((360, 640, 3), 190, np.uint8)
    for x, top, tall in places:
        head = tall / 8
        ink = (30, 30, 50)
        axes = (round(0.4 * head), round(0.55 * head))
        cv2.ellipse(frame, (x, round(top + 0.55 * head)), axes, 0, 0, 360, ink, -1, cv2.LINE_AA)
        trunk = [(-0.9, 1.35), (0.9, 1.35), (0.65, 4), (-0.65, 4)]
        corners = np.array([(x + a * head, top + b * head) for a, b in trunk]).round().astype(np.int32)
        cv2.fillPoly(frame, [corners], ink, cv2.LINE_AA)
        for side in (-1, 1):
            for (a, b), (c, d), wide in (((0.4, 3.9), (0.6, 7.8), 0.6), ((0.9, 1.5), (1.15, 4), 0.4)):
                ends = [(round(x + side * p * head), round(top + q * head)) for p, q in ((a, b), (c, d))]
                cv2.line(frame, *ends, ink, round(wide * head), cv2.LINE_AA)
    return frame


def face_at(box: Box, yaw_deg: float = 12.0) -> Face:
    return Face(box, ((0.0, 0.0),) * 5, yaw_deg, 0.5, 1.0)


def test_a_figure_is_found_where_it_stands() -> None:
    (one,) = people_of(street((300, 30, 120)))
    assert abs(one.box.left - 280) < 15 and abs(one.box.right - 320) < 15
    assert abs(one.box.top - 30) < 15 and abs(one.box.bottom - 150) < 15
    assert one.face is None and one.yaw_deg is None and people_of(street((300, 30, 120))) == [one]


def test_a_weak_window_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = people_of(street((300, 30, 120)))
    assert one.score > people.MIN_WEIGHT
    monkeypatch.setattr(people, "MIN_WEIGHT", one.score + 0.01)
    assert people_of(street((300, 30, 120))) == []


def test_the_largest_comes_first() -> None:
    tall, small = people_of(street((120, 200, 80), (400, 30, 120)))
    assert tall.box.left > 300 and small.box.right < 300


@pytest.mark.parametrize("name", ["chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg", "astronaut.png"])
def test_nobody_stands_there(name: str) -> None:
    assert people_of(read_picture(DATA / name)) == []


def test_a_face_alone_has_a_body_around_and_below_it() -> None:
    face = face_at(Box(200, 80, 260, 140))
    (one,) = people_of(np.full((300, 400, 3), 90, np.uint8), [face])
    assert one.box == Box(80, 26, 380, 300) and one.face == face and one.yaw_deg == 12


def test_a_figure_with_its_face_is_one_person() -> None:
    frame = street((300, 30, 120))
    face = face_at(Box(294, 33, 306, 45))
    (one,) = people_of(frame, [face])
    assert one.face == face and one.box == people_of(frame)[0].box


def test_what_lies_in_a_close_up_is_no_second_person() -> None:
    frame, close = street((300, 30, 120)), face_at(Box(240, 20, 360, 140))
    (one,) = people_of(frame, [close])
    assert one.face == close
    beside = face_at(Box(10, 20, 50, 60))
    assert [each.face for each in people_of(frame, [beside])] == [beside, None]


@pytest.mark.parametrize("top", [90, 130], ids=["in the middle", "at the feet"])
def test_a_face_that_is_no_figures_head_does_not_get_its_body(top: int) -> None:
    frame, low = street((300, 30, 120)), face_at(Box(294, top, 306, top + 12))
    figure = people_of(frame)[0].box
    assert figure not in [each.box for each in people_of(frame, [low]) if each.face]


def test_a_face_too_large_for_a_figure_does_not_get_its_body() -> None:
    frame = street((300, 30, 120))
    figure = people_of(frame)[0].box
    fitting, large = face_at(Box(290, 30, 310, 50)), face_at(Box(275, 30, 325, 80))
    assert people_of(frame, [fitting])[0].box == figure != people_of(frame, [large])[0].box


def test_what_two_boxes_share() -> None:
    assert shared(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == 0.5
    assert shared(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0 == shared(Box(0, 0, 2, 2), Box(5, 5, 9, 9))
    assert shared(Box(2, 2, 4, 4), Box(0, 0, 9, 9)) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3), (900, 40, 3), (86, 43, 3)])
def test_odd_sizes(shape: tuple[int, int, int]) -> None:
    assert people_of(np.zeros(shape, np.uint8)) == []
