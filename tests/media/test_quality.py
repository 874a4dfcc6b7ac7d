"""Blur is told from sharpness at any size, and copies of a picture from other pictures."""

from collections.abc import Callable
from io import BytesIO
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from curate.media.picture import read_picture
from curate.media.quality import MAX_BLUR, NEAR_BITS, blur_of, hash_distance, picture_hash
from curate.media.video import Image

NAMES = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "rocket.jpg",
    "camera.png",
    "motorcycle_left.png",
    "retina.jpg",
)
PHOTOGRAPHS = Path(skimage.__file__).parent / "data"  # scikit-image's own
ROBOTS = Path(__file__).parents[2] / "../shared/data/robots"

COPIES: dict[str, Callable[[Image], Image]] = {
    "recoded": lambda p: recoded(p),
    "a quarter": lambda p: resized(p, 0.25),
    "larger": lambda p: resized(p, 1.5),
    "brighter": lambda p: np.clip(p.astype(int) + 30, 0, 255).astype(np.uint8),
    "darker": lambda p: (p * 0.7).astype(np.uint8),
    "noisy": lambda p: np.clip(p + np.random.default_rng(0).normal(0, 12, p.shape), 0, 255).astype(np.uint8),
    "grey": lambda p: np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "cut by 1 %": lambda p: p[
        p.shape[0] // 100 : -(p.shape[0] // 100), p.shape[1] // 100 : -(p.shape[1] // 100)
    ],
}


def recoded(picture: Image) -> Image:
    Pillow.fromarray(picture).save(held := BytesIO(), format="JPEG", quality=30)
    return np.array(Pillow.open(held), np.uint8)


def resized(picture: Image, factor: float) -> Image:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled: Image = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how)
    return scaled


def blurred(picture: Image, share: float) -> Image:
    """With a Gaussian whose sigma is so much of the shorter side."""
    soft: Image = cv2.GaussianBlur(picture, (0, 0), share * min(picture.shape[:2]))
    return soft


@pytest.fixture(scope="module")
def photographs() -> dict[str, Image]:
    return {name: read_picture(PHOTOGRAPHS / name) for name in NAMES}


@pytest.fixture(scope="module")
def robots() -> dict[str, Image]:
    return {path.stem: read_picture(path) for path in sorted(ROBOTS.glob("*.png"))}


@pytest.mark.parametrize("name", NAMES)
def test_the_bound_parts_sharp_photographs_from_blurred_ones(
    photographs: dict[str, Image], name: str
) -> None:
    picture = photographs[name]
    levels = [blur_of(blurred(picture, share)) for share in (0.005, 0.01, 0.02)]
    assert blur_of(picture) < 0.45 < MAX_BLUR < levels[1]
    assert [blur_of(picture), *levels] == sorted([blur_of(picture), *levels])


def test_a_photograph_that_was_shaken_is_over_the_bound() -> None:
    assert blur_of(read_picture(PHOTOGRAPHS / "clock_motion.png")) > MAX_BLUR


def test_blur_is_a_share_of_the_picture_whatever_its_size(photographs: dict[str, Image]) -> None:
    for name in ("astronaut.png", "coffee.png"):
        as_it_is = blur_of(photographs[name])
        assert abs(blur_of(resized(photographs[name], 3)) - as_it_is) < 0.02
        assert abs(blur_of(resized(photographs[name], 0.7)) - as_it_is) < 0.03


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3), (4, 4, 3), (64, 64, 3), (2000, 5, 3)])
def test_a_picture_of_nothing_has_nothing_sharp(shape: tuple[int, int, int]) -> None:
    assert blur_of(np.full(shape, 90, np.uint8)) == 1.0


def test_copies_are_within_the_bound_and_others_are_not(photographs: dict[str, Image]) -> None:
    hashes = {name: picture_hash(picture) for name, picture in photographs.items()}
    far = {
        (name, how): distance
        for name, picture in photographs.items()
        for how, change in COPIES.items()
        if (distance := hash_distance(hashes[name], picture_hash(change(picture)))) > NEAR_BITS
    }
    assert far == {}
    assert min(hash_distance(a, b) for a, b in combinations(hashes.values(), 2)) >= 20


@pytest.mark.skipif(not ROBOTS.is_dir(), reason="no shared data here")
def test_drawn_robots(robots: dict[str, Image]) -> None:
    """What the module says of the 32: sharp, none like another, and each found again in its copy."""
    hashes = {name: picture_hash(picture) for name, picture in robots.items()}
    apart = [hash_distance(a, b) for a, b in combinations(hashes.values(), 2)]
    assert min(apart) == 10 and sum(bits <= 12 for bits in apart) == 5
    sharp, soft = (
        [blur_of(change(p)) for p in robots.values()] for change in (lambda p: p, lambda p: blurred(p, 0.01))
    )
    assert max(sharp) < 0.37 and sum(value > MAX_BLUR for value in soft) == 31
    for how in ("recoded", "a quarter", "cut by 1 %"):
        assert all(
            hash_distance(hashes[n], picture_hash(COPIES[how](p))) <= NEAR_BITS for n, p in robots.items()
        )


@pytest.mark.skipif(not ROBOTS.is_dir(), reason="no shared data here")
def test_on_black_two_robots_of_one_shape_would_be_one(robots: dict[str, Image]) -> None:
    black = [picture_hash(read_picture(ROBOTS / f"robot-{n}.png", "#000000")) for n in (12, 30)]
    white = [picture_hash(robots[f"robot-{n}"]) for n in (12, 30)]
    assert hash_distance(*black) <= NEAR_BITS < hash_distance(*white)


HASH = st.integers(0, 2**64 - 1).map("{:016x}".format)


@given(HASH, HASH, HASH)
def test_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert hash_distance(a, a) == 0 and hash_distance(a, b) == hash_distance(b, a)
    assert hash_distance(a, c) <= hash_distance(a, b) + hash_distance(b, c) <= 128


def test_a_hash_is_sixteen_digits_and_the_same_again(photographs: dict[str, Image]) -> None:
    for picture in [*photographs.values(), np.zeros((1, 1, 3), np.uint8)]:
        one = picture_hash(picture)
        assert len(one) == 16 and int(one, 16) >= 0 and one == picture_hash(picture.copy())
