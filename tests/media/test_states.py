"""The first and last frame of a clip against its own pictures of them."""

import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.media.states import compare, picture
from curate.media.video import Image, write_video

SIDE = 128


def state(x: int) -> Image:
    """A red disc on white, at `x`."""
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    return np.asarray(cv2.circle(picture, (x, 64), 12, (220, 40, 40), -1), np.uint8)


def made(folder: Path, first: int = 30, last: int = 90, swap: bool = False) -> Path:
    """A clip of a disc that moves, and pictures of its two states."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = np.stack([state(x) for x in np.linspace(first, last, 9).astype(int)])
    write_video(folder / "ground_truth.mp4", frames, 16)
    named = (first, last) if not swap else (last, first)
    for name, x in zip(("first_frame.png", "final_frame.png"), named, strict=True):
        cv2.imwrite(str(folder / name), state(x)[..., ::-1])
    return folder / "ground_truth.mp4"


def picture_of(folder: Path) -> Path:
    return folder / "final_frame.png"


def test_a_true_clip_is_near_both_pictures(tmp_path: Path) -> None:
    found = compare(made(tmp_path), 9, 64)
    assert found["change_share"] > 0.02 and max(found["first_off"], found["last_off"]) < 0.05


def test_swapped_pictures_are_as_far_off_as_the_clip_itself_changes(tmp_path: Path) -> None:
    found = compare(made(tmp_path, swap=True), 9, 64)
    assert min(found["first_off"], found["last_off"]) > 0.9


def test_a_small_change_is_held_to_a_small_tolerance(tmp_path: Path) -> None:
    """Half of what a clip changes is off, however little that is."""
    clip = made(tmp_path, first=30, last=34)
    small = compare(clip, 9, 64)
    assert small["change_share"] < 0.02 and small["last_off"] < 0.2
    cv2.imwrite(str(tmp_path / "final_frame.png"), state(38)[..., ::-1])
    assert compare(clip, 9, 64)["last_off"] > 0.4


def test_no_change_at_all_is_off_by_all_of_it(tmp_path: Path) -> None:
    assert compare(made(tmp_path, last=30), 9, 64) == {
        "change_share": 0.0,
        "first_off": 1.0,
        "last_off": 1.0,
    }


def test_a_clip_that_returns_is_held_to_how_far_it_went(tmp_path: Path) -> None:
    clip = made(tmp_path, last=30)
    there = [*np.linspace(30, 110, 9), *np.linspace(110, 30, 9)]
    write_video(clip, np.stack([state(int(x)) for x in there]), 16)
    assert compare(clip, 18, 64)["change_share"] == 0
    found = compare(clip, 18, 64, returns=True)
    assert found["change_share"] > 0.02 and max(found["first_off"], found["last_off"]) < 0.05
    write_video(clip, np.stack([state(30)] * 18), 16)
    assert compare(clip, 18, 64, returns=True)["change_share"] < 0.0002


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "wide", "huge"])
def test_a_picture_that_is_none_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    clip, picture = made(tmp_path), tmp_path / "final_frame.png"
    if damage == "missing":
        picture.unlink()
    elif damage == "huge":  # a header that promises four billion pixels
        data = picture_of(tmp_path).read_bytes()
        size = struct.pack(">II", 65535, 65535)
        head = b"IHDR" + size + data[24:29]
        picture_of(tmp_path).write_bytes(data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:])
    elif damage == "wide":
        cv2.imwrite(str(picture), np.zeros((64, 128, 3), np.uint8))
    else:
        picture.write_bytes(b"no picture" if damage == "text" else b"")
    with pytest.raises(Rejected, match=r"no_state.*final_frame\.png"):
        compare(clip, 9, 64)


@given(x=st.integers(20, 100))
def test_a_halved_picture_is_the_mean_of_four(x: int) -> None:
    with TemporaryDirectory() as folder:
        cv2.imwrite(f"{folder}/first_frame.png", state(x)[..., ::-1])
        halved = picture(Path(folder) / "first_frame.png", 64).astype(int)
    mean = state(x).reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - mean).max() <= 0.5
