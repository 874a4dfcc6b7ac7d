"""Only what is exposed counts. The registries have no picture to show that with, so a face stands in for it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage

from curate.media import nudity
from curate.media.nudity import EXPOSED, is_available
from curate.media.picture import read_picture

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"  # scikit-image's own
ASTRONAUT = PHOTOGRAPHS / "astronaut.png"
FACE = (160, 60, 270, 180)  # where her face is


@pytest.mark.parametrize(
    "name", ["astronaut.png", "chelsea.png", "coffee.png", "camera.png", "horse.png", "retina.jpg"]
)
def test_photographs_of_other_things(name: str) -> None:
    assert nudity.nudity(read_picture(PHOTOGRAPHS / name)) == []


def test_what_counts_is_found_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudity, "EXPOSED", ("FACE_FEMALE",))
    astronaut = read_picture(ASTRONAUT)
    (found,) = nudity.nudity(astronaut)
    assert found.label == "FACE_FEMALE" and found.score > 0.75  # .72 with red and blue swapped
    assert all(abs(side - wanted) < 25 for side, wanted in zip(found.box, FACE, strict=True))
    assert nudity.nudity(astronaut) == [found]
    monkeypatch.setattr(nudity, "MIN_SCORE", 0.9)
    assert nudity.nudity(astronaut) == []


def test_every_label_is_one_that_the_detector_gives() -> None:
    from nudenet import nudenet

    labels = vars(nudenet)["__labels"]
    assert set(EXPOSED) < set(labels)
    left_out = {label for label in labels if label.endswith("_EXPOSED")} - set(EXPOSED)
    assert left_out == {"MALE_BREAST_EXPOSED", "FEET_EXPOSED", "ARMPITS_EXPOSED", "BELLY_EXPOSED"}


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3), (900, 40, 3)])
def test_odd_sizes(shape: tuple[int, int, int]) -> None:
    assert nudity.nudity(np.zeros(shape, np.uint8)) == []


def test_without_the_extra_it_asks_for_it() -> None:
    script = (
        "import sys, numpy; sys.modules['nudenet'] = None\n"
        "from curate.media.nudity import *\n"
        "print(is_available())\n"
        "try: nudity(numpy.zeros((9, 9, 3), numpy.uint8))\n"
        "except CurateError as why: print(why)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    available, why = done.stdout.splitlines()
    assert available == "False" and "wanted the extra `nudity` installed" in why
    assert is_available()
