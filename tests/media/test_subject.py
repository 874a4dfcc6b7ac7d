"""A crop keeps what the picture is of."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st

from curate.media.picture import Picture, read_picture
from curate.media.subject import Box, crop_towards, subject_box
from curate.media.video import Image

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"  # scikit-image's own
ROBOTS = Path(__file__).parents[2] / "../shared/data/robots"


def photograph(name: str) -> Image:
    return read_picture(PHOTOGRAPHS / name)


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


@st.composite
def pictures(draw: st.DrawFn) -> tuple[tuple[int, int], Box, float]:
    width, height = draw(st.integers(1, 3000)), draw(st.integers(1, 3000))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    subject = Box(left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height)))
    return (width, height), subject, draw(st.floats(1 / 8, 8))


@given(pictures())
def test_a_crop_is_the_largest_of_its_shape_inside_the_picture(
    given: tuple[tuple[int, int], Box, float],
) -> None:
    (width, height), subject, aspect = given
    crop = crop_towards((width, height), subject, aspect)
    across, down = crop.right - crop.left, crop.bottom - crop.top
    assert holds(Box(0, 0, width, height), crop) and across >= 1 and down >= 1
    assert across == width or down == height
    assert abs(across - down * aspect) <= max(1, aspect) or abs(down - across / aspect) <= 1


@given(pictures())
def test_a_crop_holds_the_subject_when_it_can_and_is_centred_when_it_may(
    given: tuple[tuple[int, int], Box, float],
) -> None:
    (width, height), subject, aspect = given
    crop = crop_towards((width, height), subject, aspect)
    for near, far, size in ((0, 2, width), (1, 3, height)):
        if crop[far] - crop[near] >= subject[far] - subject[near]:
            assert crop[near] <= subject[near] and subject[far] <= crop[far]
        else:
            assert subject[near] <= crop[near] and crop[far] <= subject[far]
        if crop[near] > 0 and crop[far] < size:
            assert abs(crop[near] + crop[far] - subject[near] - subject[far]) <= 1


def test_what_is_opaque_is_the_subject() -> None:
    picture, alpha = photograph("coffee.png"), np.zeros((400, 600), np.uint8)
    alpha[100:200, 50:90] = 255
    alpha[300:, :] = 20
    assert subject_box(picture, alpha) == (50, 100, 90, 200)


@pytest.mark.parametrize("level", [0, 255])
def test_an_alpha_that_tells_nothing_is_not_asked(level: int) -> None:
    picture = photograph("astronaut.png")
    assert subject_box(picture, np.full((512, 512), level, np.uint8)) == subject_box(picture)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.5])
def test_a_face_is_the_subject_with_its_hair(factor: float) -> None:
    picture = cv2.resize(photograph("astronaut.png"), None, fx=factor, fy=factor)
    found = Box(*(round(side / factor) for side in subject_box(picture)))
    assert holds(found, Box(175, 40, 265, 190)) and holds(Box(110, 0, 320, 260), found)


def test_of_two_faces_none_is_left_out() -> None:
    face = photograph("astronaut.png")[:260, 100:330]
    wide = np.full((300, 1000, 3), 128, np.uint8)
    wide[20:280, 30:260] = wide[20:280, 700:930] = face
    found = subject_box(wide)
    assert holds(found, Box(105, 60, 195, 210)) and holds(found, Box(775, 60, 865, 210))


def test_else_it_is_where_the_detail_is() -> None:
    picture = np.full((300, 500, 3), 200, np.uint8)
    picture[120:220, 350:450] = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    found = subject_box(picture)
    assert (
        holds(Box(345, 115, 455, 225), found)
        and found.right - found.left > 75
        and found.bottom - found.top > 75
    )


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (2, 2, 3), (40, 60, 3), (3, 2000, 3)])
def test_a_flat_picture_is_its_own_subject(shape: tuple[int, int, int]) -> None:
    assert subject_box(np.full(shape, 90, np.uint8)) == (0, 0, shape[1], shape[0])


@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_a_subject_lies_in_its_picture(width: int, height: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    alpha = rng.integers(0, 256, (height, width), dtype=np.uint8) if seed % 2 else None
    found = subject_box(picture, alpha)
    assert 0 <= found.left < found.right <= width and 0 <= found.top < found.bottom <= height
    assert found == subject_box(picture.copy(), alpha)


@pytest.mark.skipif(not ROBOTS.is_dir(), reason="no shared data here")
@pytest.mark.parametrize(("number", "head"), [(0, (180, 110, 340, 350)), (1, (170, 110, 330, 380)), (9, (190, 130, 330, 400)), (15, (180, 160, 340, 360)), (22, (160, 110, 350, 400))])  # fmt: skip
def test_a_portrait_crop_keeps_the_heads_of_robots(number: int, head: tuple[int, int, int, int]) -> None:
    path = ROBOTS / f"robot-{number:02d}.png"
    crop = crop_towards((512, 512), subject_box(read_picture(path), Picture(path).alpha), 9 / 16)
    assert holds(crop, Box(*head))
