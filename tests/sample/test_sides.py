"""Who stands where, on pictures made of two photographs: scikit-image's astronaut and one of its small portraits."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curate.media.faces import is_available
from curate.media.picture import read_picture
from curate.sample.sides import FRAMES, Sides, _recognised, sides

DATA = Path(skimage.__file__).parent / "data"
needs_dlib = pytest.mark.skipif(not is_available(), reason="the extra `faces` is not installed")
Picture = NDArray[np.uint8]


@cache
def portrait(who: str) -> Picture:
    """# (170, 170, 3)"""
    if who == "nobody":
        return np.tile(np.linspace(40, 90, 170, dtype=np.uint8)[:, None, None], (1, 170, 3))
    if who == "ada":
        return np.ascontiguousarray(read_picture(DATA / "astronaut.png")[40:210, 135:305])
    small = np.pad(np.load(DATA / "lfw_subset.npy")[3], 10, mode="edge")
    grey = (cv2.resize(small, (170, 170), interpolation=cv2.INTER_CUBIC) * 255).clip(0, 255)
    return cv2.cvtColor(grey.astype(np.uint8), cv2.COLOR_GRAY2RGB)


def scene(left: str, right: str, dimmed: int = 0) -> Picture:
    """Two side by side.  # (170, 340, 3)"""
    whole = np.concatenate([portrait(left), portrait(right)], axis=1)
    return np.asarray(np.maximum(whole, dimmed) - dimmed, np.uint8)


@needs_dlib
def test_sides_are_those_of_the_picture_given_and_flip_with_it() -> None:
    video, swapped = ([scene(*who, dimmed) for dimmed in (12, 24)] for who in (("ada", "bo"), ("bo", "ada")))
    as_given, mirrored = sides(video, scene("ada", "bo")), sides(video, scene("bo", "ada"))
    assert as_given == Sides(frames=2, known=2, as_given=2) == sides(swapped, scene("bo", "ada"))
    assert mirrored == Sides(frames=2, known=2, as_given=0)
    assert (as_given.share, mirrored.share) == (1.0, 0.0)
    assert as_given.words == "sides as given 2 of 2 frames"
    assert mirrored.words == "sides as given 0 of 2 frames"


@needs_dlib
def test_frames_without_both_do_not_count() -> None:
    video = [scene("ada", "bo"), scene("bo", "ada"), scene("ada", "nobody"), scene("ada", "bo", 20)]
    told = sides(video, scene("ada", "bo"))
    assert told == Sides(frames=4, known=3, as_given=2) and told.share == 0.6667
    assert told.words == "sides as given 2 of 3 frames, 1 without both"
    assert told.said == {"sides": 0.6667, "frames": 4, "known": 3, "as_given": 2, "words": told.words}


@needs_dlib
@pytest.mark.parametrize(
    ("seen", "given_picture", "why"),
    [
        (("ada", "ada"), ("ada", "bo"), "never both recognised"),  # one person twice is not two
        (("nobody", "nobody"), ("ada", "bo"), "no faces found"),
        (("ada", "bo"), ("ada", "nobody"), "1 face on the picture given"),
        (("ada", "bo"), ("nobody", "nobody"), "no faces on the picture given"),
        (("ada", "bo"), ("ada", "ada"), "those on the picture given look alike"),
    ],
)
def test_what_cannot_be_told_says_why(
    seen: tuple[str, str], given_picture: tuple[str, str], why: str
) -> None:
    told = sides([scene(*seen)], scene(*given_picture))
    assert (told.why, told.share, told.words) == (why, None, f"sides not told: {why}")


@needs_dlib
def test_of_a_long_video_frames_all_over_it_are_looked_at() -> None:
    video = [scene("nobody", "nobody")] * 3 + [scene("ada", "bo")] * 2 + [scene("nobody", "nobody")] * 116
    told = sides([*video, scene("bo", "ada")], scene("ada", "bo"))
    assert told == Sides(frames=FRAMES, known=1, as_given=0)  # the last one


places = st.lists(st.floats(0, 1), min_size=2, max_size=5, unique_by=lambda x: round(x, 2))


@given(places, st.randoms(use_true_random=False))
def test_whoever_is_seen_is_recognised_in_any_order(people: list[float], shuffler: object) -> None:
    known = [[10 * each] for each in people]  # far apart
    order = list(range(len(known)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    assert _recognised([known[who] for who in order], known) == order
    assert _recognised([[-1.0]], known) == [] == _recognised([], known)


def test_a_second_like_somebody_does_not_become_the_other() -> None:
    ada, bo = [0.0], [0.9]
    assert _recognised([[0.3], [0.1], [0.44]], [ada, bo]) == [0]  # where it is most like her
    assert _recognised([[0.46], [0.1], [0.3]], [ada, bo]) == [1, 0]
    assert _recognised([[1.51]], [ada, bo]) == []  # .61 away


def test_without_the_extra_nothing_is_measured() -> None:
    script = (
        "import sys, numpy; sys.modules['dlib'] = None\n"
        "from curate.sample.sides import sides\n"
        "picture = numpy.zeros((64, 96, 3), numpy.uint8)\n"
        "print(sides([picture], picture).words)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "sides not told: wanted the extra `faces`\n"
