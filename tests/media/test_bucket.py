"""Pictures in buckets: the nearest in shape that they fill, with the subject in the crop."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.media.bucket import bucket_of, fit
from curate.media.subject import Box

SIZES = st.integers(1, 4000)
BUCKETS = st.lists(
    st.tuples(*[st.integers(1, 40).map(lambda n: 32 * n)] * 2), min_size=1, max_size=5, unique=True
)


@given(st.tuples(SIZES, SIZES), BUCKETS, st.floats(1, 4))
def test_the_crop_fills_the_bucket_and_is_hardly_enlarged(
    size: tuple[int, int], buckets: list[tuple[int, int]], most: float
) -> None:
    subject = Box(0, 0, *size)
    fitting = [b for b in buckets if max(b[0] / size[0], b[1] / size[1]) <= most]
    if not fitting:
        with pytest.raises(Rejected, match=rf"wanted at most {most:g}"):
            fit(size, subject, buckets, most)
        return
    width, height, crop = fit(size, subject, buckets, most)
    assert (width, height) in fitting
    assert 0 <= crop.left < crop.right <= size[0] and 0 <= crop.top < crop.bottom <= size[1]
    across, down = crop.right - crop.left, crop.bottom - crop.top
    assert abs(across * height / width - down) <= 1 or abs(down * width / height - across) <= 1
    shape = abs(math.log(width / height * size[1] / size[0]))
    assert all(shape <= abs(math.log(b[0] / b[1] * size[1] / size[0])) + 1e-9 for b in fitting)


def test_a_tall_picture_gets_the_tall_bucket_with_its_subject() -> None:
    buckets = [(512, 512), (512, 768), (768, 512)]
    width, height, crop = fit((900, 1400), Box(300, 900, 600, 1300), buckets, 1.0)
    assert (width, height) == (512, 768)
    assert crop.left <= 300 and crop.top <= 900 and crop.right >= 600 and crop.bottom >= 1300


def test_of_one_shape_the_largest_that_is_filled() -> None:
    buckets = [(512, 512), (1024, 1024)]
    assert fit((800, 800), Box(0, 0, 800, 800), buckets, 1.0)[:2] == (512, 512)
    assert fit((1024, 1100), Box(0, 0, 800, 800), buckets, 1.0)[:2] == (1024, 1024)
    with pytest.raises(Rejected, match=r"40x40 would be enlarged 12\.8 times to 512x512, wanted at most 1"):
        fit((40, 40), Box(0, 0, 40, 40), buckets, 1.0)


@pytest.mark.parametrize(
    "text", ["512", "512x500", "0x0", "x", "512x", "big", "99999x32", "-32x32", "٣٢x32", ""]
)
def test_sizes_that_latents_cannot_have(text: str) -> None:
    with pytest.raises(ValueError, match="wanted WIDTHxHEIGHT in multiples of 32"):
        bucket_of(text)
