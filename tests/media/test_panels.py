"""Panels cut out of a frame: on black, trimmed, and as far as they are from other frames."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from curate.errors import Rejected
from curate.media.cutout import Mask
from curate.media.panels import face_panel, given_panel, grown, head_of, nearest_levels, shrunk, whole_panel
from curate.media.subject import Box
from curate.media.video import Image

HEIGHT, WIDTH = 120, 160
THERE = Box(40, 20, 100, 110)


def mask() -> Mask:
    found = np.zeros((HEIGHT, WIDTH), np.float32)
    found[THERE.top : THERE.bottom, THERE.left : THERE.right] = 1
    return found


def frame(level: int = 180) -> Image:
    return np.full((HEIGHT, WIDTH, 3), level, np.uint8)


def test_a_panel_is_what_the_mask_shows_and_no_more() -> None:
    panel = whole_panel(frame(), mask())
    assert panel is not None and panel.shape == (90, 60, 3) and panel[45, 30].tolist() == [180, 180, 180]
    assert whole_panel(frame(), np.zeros((HEIGHT, WIDTH), np.float32)) is None


def test_a_face_panel_ends_below_the_chin() -> None:
    face = Box(55, 40, 85, 70)
    panel = face_panel(frame(), mask(), face)
    assert panel is not None and panel.shape[0] == head_of(face).bottom - max(THERE.top, head_of(face).top)
    assert face_panel(frame(), mask(), Box(130, 90, 150, 110)) is None


def test_a_face_panel_keeps_all_of_the_hair() -> None:
    tall = np.zeros((HEIGHT, WIDTH), np.float32)
    tall[10:110, 60:90] = 1  # 40 pixels above the face, of which a head has 14
    panel = face_panel(frame(), tall, Box(65, 50, 85, 70))
    assert (
        panel is not None and panel.shape[0] == head_of(Box(65, 50, 85, 70)).bottom - 24
    )  # 1.3 faces above it, no more


def test_what_does_not_move_is_a_copy() -> None:
    assert nearest_levels(frame(), mask(), [frame(100), frame()]) == 0
    assert nearest_levels(frame(), mask(), [frame(100), frame(170)]) == 10
    assert nearest_levels(frame(), mask(), []) == 255 and nearest_levels(frame(), 0 * mask(), [frame()]) == 0


def test_an_image_that_is_given_is_trimmed_and_no_larger_than_it_need_be(tmp_path: Path) -> None:
    picture = np.zeros((300, 400, 4), np.uint8)
    picture[50:250, 100:200] = (10, 20, 200, 255)  # blue, green, red, alpha
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    panel = given_panel(tmp_path / "a.png", 1000)
    assert panel is not None and panel.shape == (200, 100, 3) and panel[100, 50].tolist() == [200, 20, 10]
    small = given_panel(tmp_path / "a.png", 80)
    assert small is not None and small.shape == (80, 40, 3)
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((50, 50, 3), np.uint8))
    assert given_panel(tmp_path / "black.png", 80) is None
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(Rejected, match=r"image: broken\.png: "):
        given_panel(tmp_path / "broken.png", 80)


def test_panels_are_enlarged_for_detectors_and_shrunk_for_sheets() -> None:
    assert grown(frame()[:, :50], 100).shape == (240, 100, 3) and grown(frame(), 100) is not None
    assert grown(frame(), 100).shape == frame().shape and shrunk(frame(), 80).shape == (60, 80, 3)
