"""Frames by number: the right ones, once each or held, in the colours of the file."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from curate.errors import Rejected
from curate.media.frames import frame_times_s, frames_of, read_numbered, steady_fps
from curate.records import VideoRef
from tests.footage import encode, number_of, numbered

SIZE = {"width": 64, "height": 48}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames at 16 fps, each with its number on it."""
    path = tmp_path_factory.mktemp("frames") / "clip.mp4"
    return encode(path, [numbered(n) for n in range(30)], range(30), Fraction(1, 16))


def test_frames_come_by_their_numbers(clip: Path) -> None:
    wanted = (0, 0, 3, 4, 4, 4, 17, 29, 29)
    assert [number_of(frame) for frame in read_numbered(clip, wanted, **SIZE)] == list(wanted)


def test_a_number_that_is_not_there_is_refused(clip: Path) -> None:
    with pytest.raises(Rejected, match=r"too_short.*30 frames, wanted number 30"):
        read_numbered(clip, (0, 30), **SIZE)


def test_times_count_from_the_first_frame(clip: Path) -> None:
    assert frame_times_s(clip) == pytest.approx([n / 16 for n in range(30)])


def test_the_rate_of_even_frames_is_told_and_an_uneven_one_refused() -> None:
    assert steady_fps([n / 16 for n in range(30)]) == pytest.approx(16)
    assert steady_fps([0.0]) is None
    for times_s in ([0.0, 0.1, 0.2, 0.6], [0.0, 0.0]):
        with pytest.raises(Rejected, match="variable_rate"):
            steady_fps(times_s)


def test_a_damaged_packet_is_refused_for_it_would_shift_the_numbers(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + 2000
    data[start : start + 4000] = b"\xff" * 4000
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    with pytest.raises(Rejected, match="broken_video"):
        frame_times_s(broken)


def test_a_reference_is_resolved_by_number_or_by_time(clip: Path) -> None:
    by_time = VideoRef(sha256="0" * 64, start_s=0.5, frames=9, fps=16, **SIZE)
    assert [number_of(frame) for frame in frames_of(clip, by_time)] == list(range(8, 17))
    by_number = by_time.model_copy(update={"indices": tuple(range(0, 27, 3))})
    assert [number_of(frame) for frame in frames_of(clip, by_number)] == list(range(0, 27, 3))


def test_large_pictures_without_a_matrix_are_read_as_they_were_written(tmp_path: Path) -> None:
    """What OpenCV writes is BT.601 without saying so; players take it for BT.709 when it is large, and shift colours."""
    purple = np.full((640, 640, 3), (120, 60, 190), np.uint8)
    path = encode(tmp_path / "purple.mp4", [purple] * 9, range(9), Fraction(1, 16), codec="mpeg4")
    ref = VideoRef(sha256="0" * 64, start_s=0, frames=9, fps=16, width=64, height=64, indices=tuple(range(9)))
    as_players, as_written = (
        frames_of(path, ref.model_copy(update={"matrix": matrix})).mean(axis=(0, 1, 2))
        for matrix in (None, "bt601")
    )
    assert np.abs(as_written - (120, 60, 190)).max() < 4
    assert np.abs(as_players - (120, 60, 190)).max() > 8
