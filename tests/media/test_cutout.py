"""A photograph of one person, and a drawn one on a saturated wall, whose outline is known."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st

from curate.media import cutout as module
from curate.media.cutout import Mask, cutout, has_model, person_mask
from curate.media.one_thread import one_thread
from curate.media.picture import read_picture
from curate.media.subject import Box
from curate.media.video import Image

DATA = Path(skimage.__file__).parent / "data"  # scikit-image's own
FACE, BODY = Box(175, 76, 266, 167), Box(0, 0, 448, 512)
needs_model = pytest.mark.skipif(not has_model(), reason="no mediapipe with its models is installed")
WALL, SHIRT, SKIN = (20, 60, 250), (120, 120, 110), (210, 150, 120)


@pytest.fixture
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_model_file", lambda: None)


def astronaut() -> Image:
    return read_picture(DATA / "astronaut.png")


def drawn() -> tuple[Image, Mask, Box]:
    """A head and shoulders on a blue wall, blurred as video is; how much of each pixel it is; its face."""
    alpha = np.zeros((300, 400), np.uint8)
    frame = np.full((300, 400, 3), WALL, np.uint8)
    for shape, colour in ((alpha, (255,)), (frame, None)):
        cv2.ellipse(shape, (200, 300), (110, 95), 0, 0, 360, colour or SHIRT, -1, cv2.LINE_AA)
        cv2.ellipse(shape, (200, 130), (50, 70), 0, 0, 360, colour or SKIN, -1, cv2.LINE_AA)
        cv2.rectangle(shape, (175, 180), (225, 220), colour or SKIN, -1)
    shown = np.asarray(cv2.GaussianBlur(frame, (0, 0), 1.0))
    return shown, alpha.astype(np.float32) / 255, Box(160, 90, 240, 180)


def at_addresses(array: Image) -> Iterator[Image]:
    """Copies of an array at other addresses, while what is allocated meanwhile comes to lie at others too."""
    held = []
    for start in range(16):
        held.append(np.zeros(array.size // 3 + 5001 * start, np.uint8))
        copy = np.zeros(array.size + 16, np.uint8)[start : start + array.size].reshape(array.shape)
        copy[:] = array
        yield copy


def blueness(shown: Image) -> int:
    """How much bluer than red any pixel is; skin and shirt are not."""
    return int((shown[..., 2].astype(int) - shown[..., 0]).max())


@needs_model
def test_a_person_is_kept_and_what_is_behind_is_not() -> None:
    mask = person_mask(astronaut(), BODY)
    assert mask.shape == (512, 512) and mask.dtype == np.float32 and mask.min() == 0 and mask.max() == 1
    for kept in ((100, 220), (150, 220), (40, 230), (350, 130), (330, 250)):  # face, hair, suit
        assert mask[kept] == 1, kept
    for lost in ((20, 20), (50, 400), (200, 420), (200, 60), (60, 130)):
        assert mask[lost] == 0, lost
    assert 0.45 < mask.mean() < 0.6


@needs_model
def test_a_mirrored_picture_has_the_mirrored_mask() -> None:
    mirrored = person_mask(np.ascontiguousarray(astronaut()[:, ::-1]), Box(0, 0, 512, 512))[:, ::-1]
    assert np.abs(mirrored - person_mask(astronaut(), Box(0, 0, 512, 512))).mean() < 0.002


@needs_model
def test_nobody_is_nobody() -> None:
    assert not person_mask(np.full((200, 300, 3), 128, np.uint8), Box(50, 50, 150, 200)).any()


@needs_model
def test_the_version_names_package_and_model() -> None:
    name, package, digest, opencv = module.version.__wrapped__().split()
    assert name == "mediapipe" and package[0].isdigit() and len(digest) == 12 and opencv == cv2.__version__


def test_grabcut_is_the_fallback(without_model: None) -> None:
    assert not has_model() and module.version.__wrapped__() == f"grabcut {cv2.__version__}"
    frame, alpha, face = drawn()
    mask = person_mask(frame, Box(60, 40, 340, 300), face)
    assert np.abs(mask - alpha).mean() < 0.02
    assert mask[130, 200] == 1 and mask[20, 20] == 0


def test_grabcut_without_a_face_takes_the_middle_of_the_box(without_model: None) -> None:
    frame, alpha, _ = drawn()
    mask = person_mask(frame, Box(80, 50, 320, 300))
    assert np.abs(mask - alpha).mean() < 0.05


def test_the_same_frame_has_the_same_mask(without_model: None) -> None:
    frame, _, face = drawn()
    box = Box(60, 40, 340, 300)
    first = person_mask(frame, box, face)
    cv2.setRNGSeed(7)  # somebody else's
    cv2.randu(np.zeros((3, 3)), 0, 1)
    assert np.array_equal(first, person_mask(frame, box, face))


@needs_model
def test_the_model_says_the_same_again() -> None:
    first = person_mask(astronaut(), BODY)
    assert all(np.array_equal(first, person_mask(frame, BODY)) for frame in at_addresses(astronaut()))


def test_depths_are_exact() -> None:
    """OpenCV's precise ones are off by up to .00002, and not by the same from call to call."""
    solid = np.zeros((512, 512), np.float32)
    cv2.circle(solid, (240, 270), 215, 1, -1)
    squares = module._depth(solid) ** 2
    assert squares.max() > 200**2 and np.abs(squares - np.rint(squares)).max() < 1e-6


def test_no_rim_of_the_wall_stays(without_model: None) -> None:
    frame, alpha, face = drawn()
    pasted = np.rint(frame * alpha[..., None]).astype(np.uint8)
    shown = cutout(frame, person_mask(frame, Box(60, 40, 340, 300), face))
    assert blueness(pasted) > 60 and blueness(shown) < 10
    assert np.array_equal(shown[130, 200], frame[130, 200])  # far from the edge nothing is touched


def test_outside_the_mask_all_is_black() -> None:
    frame, alpha, _ = drawn()
    shown = cutout(frame, alpha)
    assert not shown[alpha == 0].any() and not cutout(frame, np.zeros_like(alpha)).any()
    assert np.array_equal(cutout(frame, np.ones_like(alpha)), frame)


def test_of_two_parts_the_one_in_the_box_is_kept_and_specks_are_not() -> None:
    rough = np.zeros((100, 200), np.float32)
    rough[10:90, 10:60] = rough[10:90, 120:190] = 1
    rough[2:5, 150:153] = rough[50, 80] = 1
    one = module._one(rough, Box(0, 0, 70, 100))
    assert one.sum() == 80 * 50 and one[50, 30] and not one[50, 150]
    assert module._one(rough, Box(110, 0, 200, 100)).sum() == 80 * 70
    assert not module._one(rough, Box(62, 60, 78, 100)).any()  # nobody in it


def test_small_holes_are_filled_and_large_ones_are_not() -> None:
    rough = np.zeros((100, 100), np.float32)
    rough[5:95, 5:95] = 1
    rough[20:25, 20:25] = 0  # 25 of 8,100
    rough[50:70, 50:70] = 0
    one = module._one(rough, Box(0, 0, 100, 100))
    assert one[22, 22] and not one[60, 60]


def test_a_neighbour_beyond_the_box_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "has_model", lambda: True)
    monkeypatch.setattr(module, "_by_model", lambda crop: np.ones(crop.shape[:2], np.float32))
    mask = person_mask(np.zeros((100, 300, 3), np.uint8), Box(100, 0, 200, 100))
    assert mask[50, 150] == 1 and not mask[:, :85].any() and not mask[:, 215:].any()


def test_the_frames_own_border_is_no_edge() -> None:
    _, alpha, _ = drawn()
    edged = module._edged((alpha >= 0.5).astype(np.uint8))
    assert edged[299, 200] == 1 and edged[215, 200] == 1
    assert 0 < ((edged > 0) & (edged < 1)).sum() < 2500


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_any_box_in_any_frame(width: int, height: int, data: st.DataObject) -> None:
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = Box(left, top, data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height)))
    frame = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask = person_mask(frame, box)
    assert mask.shape == (height, width) and mask.min() >= 0 and mask.max() <= 1
    assert cutout(frame, mask).shape == frame.shape


def test_the_threads_of_others_are_given_back() -> None:
    before = cv2.getNumThreads()
    with one_thread():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before
