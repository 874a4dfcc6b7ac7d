"""What can be read in a picture is found where it stands; what cannot is not text."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from curate.media.picture import read_picture
from curate.media.text import Word, covered, read_text, text_share
from curate.media.video import Image

WHERE = (120, 330)
PHOTOGRAPHS = Path(skimage.__file__).parent / "data"  # scikit-image's own
ROBOTS = Path(__file__).parents[2] / "../shared/data/robots"


def photograph(name: str) -> Image:
    return read_picture(PHOTOGRAPHS / name)


def written(text: str, size_px: int, picture: Image | None = None) -> Image:
    """Text with an outline at WHERE of a photograph, or of another picture."""
    sheet = Pillow.fromarray(photograph("astronaut.png") if picture is None else picture)
    font = ImageFont.load_default(size_px)
    ImageDraw.Draw(sheet).text(WHERE, text, font=font, fill="white", stroke_width=2, stroke_fill="black")
    return np.array(sheet, np.uint8)


@pytest.mark.parametrize(
    "name", ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "brick.png"]
)
def test_photographs_have_no_text(name: str) -> None:
    """RapidOCR's own bound takes the cup for an 8 of three quarters of the picture."""
    assert text_share(photograph(name)) == (0.0, ())


@pytest.mark.skipif(not ROBOTS.is_dir(), reason="no shared data here")
def test_robots_have_no_text() -> None:
    """Of these, five are read as a letter or HATD at RapidOCR's own bound."""
    for number in (1, 4, 9, 10, 15, 30):
        assert read_text(read_picture(ROBOTS / f"robot-{number:02d}.png")) == []


@pytest.mark.parametrize("size_px", [16, 32])
def test_a_line_is_read_where_it_stands(size_px: int) -> None:
    (word,) = read_text(written("Do not drink this tea!", size_px))
    assert word.text.replace(" ", "") == "Donotdrinkthistea!" and word.score > 0.9
    left, top = (min(point[axis] for point in word.box) for axis in (0, 1))
    right, bottom = (max(point[axis] for point in word.box) for axis in (0, 1))
    assert abs(left - WHERE[0]) < size_px and WHERE[1] - 10 < top < bottom < WHERE[1] + 2 * size_px
    assert right - left > 6 * size_px


def test_the_share_grows_with_the_text() -> None:
    small, large = (text_share(written("www.robots.example", size_px)) for size_px in (16, 32))
    assert 0.005 < small.share < large.share / 2 < 0.1
    assert small.words == large.words == ("www.robots.example",)


def test_text_counts_by_what_it_covers_of_the_picture_not_by_pixels() -> None:
    picture = written("shutterstock", 40)
    larger = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    one, other = text_share(picture), text_share(larger)
    assert one.words == other.words and one.share == pytest.approx(other.share, rel=0.15)


def test_colours_arrive_as_they_are() -> None:
    """Blue on a red of the same brightness: with red and blue swapped, or in grey, it reads the same."""
    sheet = Pillow.new("RGB", (400, 100), (160, 20, 20))
    ImageDraw.Draw(sheet).text((20, 20), "HELLO 42", font=ImageFont.load_default(48), fill=(30, 40, 250))
    assert [word.text for word in read_text(np.array(sheet, np.uint8))] in (["HELLO 42"], ["HELLO42"])


def test_it_reads_the_same_again_and_after_a_picture_without_text() -> None:
    picture = written("Getty Images", 32)
    first = read_text(picture)
    assert read_text(np.zeros((64, 64, 3), np.uint8)) == []
    assert first and read_text(picture) == first


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 5, 3), (5, 400, 3), (1500, 8, 3)])
def test_odd_sizes(shape: tuple[int, int, int]) -> None:
    assert text_share(np.full(shape, 255, np.uint8)) == (0.0, ())


def test_boxes_that_overlap_count_once() -> None:
    left = Word("a b", 1.0, ((0, 0), (49, 0), (49, 49), (0, 49)))
    right = Word("c d", 1.0, ((25, 0), (74, 0), (74, 49), (25, 49)))
    assert covered([left], 100, 100) == 0.25
    assert covered([left, right], 100, 100) == pytest.approx(0.375)
    assert covered([], 100, 100) == 0.0
    outside = Word("e f", 1.0, ((-50, -50), (500, -50), (500, 500), (-50, 500)))
    assert covered([outside], 100, 100) == 1.0


@pytest.mark.parametrize("shape", [(1, 20000), (20000, 2), (40, 5000), (1, 1)])
def test_the_thinnest_picture_can_be_read(shape: tuple[int, int]) -> None:
    assert read_text(np.full((*shape, 3), 255, np.uint8)) == []
