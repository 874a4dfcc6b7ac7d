"""The same footage is found again after what people do to videos; other footage is not taken for it."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curate.errors import Rejected
from curate.media.look import NEAR_BITS, look_hash, picture, same_look
from curate.media.video import read_frames, write_video
from curate.sources.demo_cast import speaker
from curate.sources.demo_head import Pose, draw_frames

Picture = NDArray[np.uint8]

HEADS = Path(__file__).parents[2] / "../shared/data/talking-heads"
FRAMES, FPS = 50, 10

CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "half the size": lambda f: np.stack([cv2.resize(p, None, fx=0.5, fy=0.5) for p in f]),
    "larger": lambda f: np.stack([cv2.resize(p, None, fx=1.5, fy=1.5) for p in f]),
    "brighter": lambda f: np.clip(f.astype(int) + 30, 0, 255).astype(np.uint8),
    "darker": lambda f: (f * 0.7).astype(np.uint8),
    "gamma": lambda f: (255 * (f / 255.0) ** 0.7).astype(np.uint8),
    "contrast": lambda f: np.clip((f.astype(float) - 128) * 1.3 + 128, 0, 255).astype(np.uint8),
    "noisy": lambda f: np.clip(f + np.random.default_rng(0).normal(0, 12, f.shape), 0, 255).astype(np.uint8),
    "start cut off": lambda f: f[4:],
    "shifted by half": lambda f: np.concatenate([f[25:], f[:25][::-1]]),
    "a slightly smaller part": lambda f: f[:, 4:-4, 4:-4],
}


def drawn(seed: int, size: int = 96) -> Picture:
    """A head that sways before a wall of its own."""
    rng = np.random.default_rng(seed)
    wall = cv2.resize(
        rng.integers(0, 255, (5, 5, 3), dtype=np.uint8), (size, size), interpolation=cv2.INTER_CUBIC
    )
    skin, shirt = (tuple(int(c) for c in rng.integers(0, 255, 3)) for _ in range(2))
    across, down = (int(size * s) for s in rng.uniform(0.12, 0.22, 2))
    frames = []
    for k in range(FRAMES):
        frame = wall.copy()
        x, y = int(size / 2 + 0.03 * size * np.sin(k / 7)), int(size * 0.45)
        cv2.ellipse(frame, (x, size), (int(size * 0.35), size // 3), 0, 0, 360, shirt, -1)
        cv2.ellipse(frame, (x, y), (across, down), 0, 0, 360, skin, -1)
        cv2.ellipse(frame, (x, y + down // 2), (across // 3, 1 + k % 4), 0, 0, 360, (40, 10, 10), -1)
        frames.append(frame)
    return np.stack(frames)


@pytest.fixture(scope="session")
def footage() -> dict[str, Picture]:
    found = {f"drawn {seed}": drawn(seed) for seed in range(3)}
    if HEADS.is_dir():
        head = HEADS / "00_ami_MEO069.mp4"
        found["a webcam"] = read_frames(head, start_s=0, frames=FRAMES, fps=FPS, width=160, height=120)
    return found


@pytest.fixture(scope="session")
def hashes(footage: dict[str, Picture], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("look")
    return {name: hash_of(frames, folder / f"{name}.mp4") for name, frames in footage.items()}


def hash_of(frames: Picture, path: Path) -> list[str]:
    write_video(path, frames[:, : frames.shape[1] // 2 * 2, : frames.shape[2] // 2 * 2], FPS)
    return look_hash(path, len(frames) / FPS)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_the_same_footage(
    change: str, footage: dict[str, Picture], hashes: dict[str, list[str]], tmp_path: Path
) -> None:
    for name, frames in footage.items():
        changed = hash_of(CHANGES[change](frames), tmp_path / f"{name}.mp4")
        assert same_look(hashes[name], changed), name
        assert [other for other in hashes if same_look(hashes[other], changed)] == [name]


def test_heads_that_differ_in_shape_and_colours_alone(tmp_path: Path) -> None:
    many = [hash_of(drawn(seed, 64)[::5], tmp_path / "one.mp4") for seed in range(50)]
    assert [pair for pair in combinations(range(50), 2) if same_look(many[pair[0]], many[pair[1]])] == []


def test_forty_people_of_the_demo_are_forty(tmp_path: Path) -> None:
    hashes = []
    for number in range(40):
        sways = np.random.default_rng(number).uniform(-0.06, 0.06, (4, 3))
        poses = [
            Pose(*sway.tolist(), 0.0, 1.0, lips)
            for sway, lips in zip(sways, (0.0, 0.3, 0.6, 1.0), strict=True)
        ]
        frames = draw_frames(speaker(3, number).look, poses, 96)
        hashes.append(hash_of(np.repeat(frames, 2, axis=0), tmp_path / "one.mp4"))
    assert [pair for pair in combinations(range(40), 2) if same_look(hashes[pair[0]], hashes[pair[1]])] == []


@pytest.mark.skipif(not HEADS.is_dir(), reason="no shared data here")
def test_the_six_talking_heads_come_from_two_recordings() -> None:
    found = {path.name[:2]: look_hash(path, 5.0) for path in HEADS.glob("*.mp4")}
    groups = {frozenset(b for b in found if same_look(found[a], found[b])) for a in found}
    assert groups == {frozenset({"00", "01", "02"}), frozenset({"03", "04", "05"})}


def test_what_shows_nothing_is_like_nothing(tmp_path: Path) -> None:
    black = hash_of(np.zeros((FRAMES, 64, 64, 3), np.uint8), tmp_path / "black.mp4")
    assert black == []
    assert not same_look(black, black)
    faded = drawn(1)
    faded[:20] = 0
    other = drawn(2)
    other[:20] = 0
    pair = hash_of(faded, tmp_path / "a.mp4"), hash_of(other, tmp_path / "b.mp4")
    assert [len(hashes) for hashes in pair] == [7, 7]  # of 12: the five black ones say nothing
    assert not same_look(*pair)


def test_a_clip_that_is_too_short_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "short.mp4", drawn(0)[:20], FPS)
    with pytest.raises(Rejected) as found:
        look_hash(tmp_path / "short.mp4", 5.0)
    assert found.value.reason == "too_short"


one_hash = st.integers(0, 2**216 - 1).map(lambda bits: f"{bits:054x}")


@given(a=st.lists(one_hash, max_size=12), b=st.lists(one_hash, max_size=12), shared=st.integers(0, 4))
def test_likeness_is_symmetrical_and_needs_a_quarter(a: list[str], b: list[str], shared: int) -> None:
    assert same_look(a, b) == same_look(b, a)
    assert same_look(a, a) == bool(a)
    both = [f"{2**210 + 7**n:054x}" for n in range(shared)]
    if a and b and not same_look(a, b):
        likely = shared * 4 >= len(a + both) and shared * 4 >= len(b + both)
        assert same_look(a + both, b + both) or not likely


def test_the_bound_counts_bits() -> None:
    near, far = f"{2**NEAR_BITS - 1:054x}", f"{2 ** (NEAR_BITS + 1) - 1:054x}"
    assert same_look(["0" * 54], [near])
    assert not same_look(["0" * 54], [far])


def halves(left: tuple[int, int, int], right: tuple[int, int, int], path: Path) -> list[float]:
    """The picture of a clip whose second half shows two plain colours side by side."""
    frames = np.zeros((10, 64, 64, 3), np.uint8)
    frames[5:, :, :32], frames[5:, :, 32:] = left, right
    write_video(path, frames, FPS)
    return picture(path, 0.75)


def test_a_picture_says_where_which_colour_is(tmp_path: Path) -> None:
    red, blue = (200, 30, 30), (30, 30, 200)
    found = np.array(halves(red, blue, tmp_path / "a.mp4")).reshape(4, 4, 3)
    assert np.abs(found[:, :2] - red).max() < 12 and np.abs(found[:, 2:] - blue).max() < 12
    turned = np.array(halves(blue, red, tmp_path / "b.mp4")).reshape(4, 4, 3)
    assert np.abs(found[:, ::-1] - turned).max() < 12 and np.abs(found - turned).max() > 150


def test_a_picture_is_of_its_time_and_hardly_of_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "one.mp4"
    second = halves((200, 30, 30), (30, 30, 200), path)
    assert len(second) == 48 and np.abs(picture(path, 0.2)).max() < 8 < min(max(second), 255)
    small = tmp_path / "small.mp4"
    frames = drawn(3, 128)
    write_video(path, frames, FPS)
    write_video(small, CHANGES["half the size"](frames), FPS)
    assert np.abs(np.array(picture(path, 1)) - picture(small, 1)).max() < 10


def test_no_frame_at_that_time_is_a_rejection(tmp_path: Path) -> None:
    halves((1, 1, 1), (2, 2, 2), tmp_path / "one.mp4")
    with pytest.raises(Rejected) as found:
        picture(tmp_path / "one.mp4", 5.0)
    assert found.value.reason == "too_short"
