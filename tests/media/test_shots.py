"""Cuts of films that were put together here, frame by frame."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.media.shots import SHORTEST_S, Shot, shots_of
from curate.media.video import read_frames
from tests.footage import Picture, encode

SCENES = ((200, 60, 40), (40, 160, 220), (20, 90, 30), (230, 230, 200), (30, 30, 110), (160, 160, 160))


def scene(number: int, frame: int, width: int = 64, height: int = 48) -> Picture:
    """A wall of one colour and a ball that rolls by, with some grain."""
    rng = np.random.default_rng(100 * number + frame)
    picture = np.full((height, width, 3), SCENES[number % len(SCENES)], np.int16)
    picture[height // 2 : height // 2 + 8, (2 * frame) % width : (2 * frame) % width + 8] = 250
    return (picture + rng.integers(-6, 7, picture.shape)).clip(0, 255).astype(np.uint8)


def film(path: Path, lengths: list[int], ticks: list[int] | None = None, rate: int = 25) -> Path:
    """Shots of so many frames each, at 25 frames a second or at these ticks."""
    pictures = [scene(number, frame) for number, frames in enumerate(lengths) for frame in range(frames)]
    return encode(path, pictures, ticks or range(len(pictures)), Fraction(1, rate))


def starts_and_ends(shots: list[Shot], fps: int = 25) -> list[tuple[int, int]]:
    return [(round(shot.start_s * fps), round(shot.end_s * fps)) for shot in shots]


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(8, 30), min_size=1, max_size=6))
def test_every_hard_cut_is_found_to_the_frame(
    lengths: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = film(tmp_path_factory.mktemp("film") / "film.mp4", lengths)
    ends = np.cumsum(lengths).tolist()
    assert starts_and_ends(shots_of(path)) == list(zip([0, *ends], ends, strict=False))


def test_what_is_too_short_for_a_shot_belongs_to_none(tmp_path: Path) -> None:
    assert 6 / 25 < SHORTEST_S < 7 / 25
    path = film(tmp_path / "flash.mp4", [1, 20, 2, 7, 6])
    assert starts_and_ends(shots_of(path)) == [(1, 21), (23, 30)]


def test_a_film_of_flashes_has_no_shot(tmp_path: Path) -> None:
    assert shots_of(film(tmp_path / "flashes.mp4", [3, 3, 3])) == []


def test_a_cut_is_where_the_time_stamps_say_also_at_a_varying_rate(tmp_path: Path) -> None:
    ticks = [*range(0, 400, 40), *range(400, 1000, 100), *range(1000, 2000, 20)]
    shots = shots_of(film(tmp_path / "varying.mkv", [10, 26, 30], ticks, rate=1000))
    assert [shot.start_s for shot in shots] == pytest.approx([0.0, 0.4, 1.4])
    assert shots[-1].end_s == pytest.approx(2.0, abs=0.03)  # how long the last frame lasts is made up


def test_a_shot_names_times_at_which_only_its_own_frames_are_read(tmp_path: Path) -> None:
    path = film(tmp_path / "two.mp4", [20, 30])
    for number, shot in enumerate(shots_of(path)):
        fps = 24.0
        frames = int((shot.end_s - shot.start_s) * fps)
        seen = read_frames(path, start_s=shot.start_s, frames=frames, fps=fps, width=64, height=48)
        corner = seen[:, :16].mean(axis=(1, 2))  # (F, 3): above the ball
        assert np.abs(corner - SCENES[number]).max() < 12


def test_a_broadcast_that_changes_its_size_is_read_through(tmp_path: Path) -> None:
    small, large = ([scene(n, k, *size) for k in range(25)] for n, size in ((0, (64, 48)), (1, (128, 64))))
    parts = [
        encode(tmp_path / f"{number}.ts", pictures, range(25 * number, 25 * number + 25), Fraction(1, 25))
        for number, pictures in enumerate((small, large))
    ]
    whole = tmp_path / "whole.ts"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    shots = shots_of(whole)
    assert len(shots) == 2 and shots[0].end_s == shots[1].start_s == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("size", [(2, 2), (16, 900), (900, 16)])
def test_any_shape_has_a_shot(size: tuple[int, int], tmp_path: Path) -> None:
    pictures = [np.full((size[1], size[0], 3), 90, np.uint8)] * 10
    path = encode(tmp_path / "thin.mkv", pictures, range(10), Fraction(1, 25), codec="ffv1")
    assert starts_and_ends(shots_of(path)) == [(0, 10)]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty_file"), (b"no film at all" * 99, "not_media"), (None, "unreadable")]
)
def test_what_is_no_film_is_rejected(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Rejected) as caught:
        shots_of(path)
    assert caught.value.reason == reason


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_damaged_film_is_read_or_rejected(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = film(folder / "film.mp4", [12, 13])
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for place in rng.integers(0, len(content), rng.integers(1, 60)):
        content[place] = rng.integers(256)
    path.write_bytes(content[: rng.integers(1, len(content) + 1)])
    try:
        found = shots_of(path)
    except Rejected as rejected:
        assert rejected.reason
    else:
        assert all(shot.end_s - shot.start_s >= SHORTEST_S for shot in found)


def test_looking_for_cuts_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shots_of(film(tmp_path / "film.mp4", [20, 20]))
    assert capfd.readouterr() == ("", "")
