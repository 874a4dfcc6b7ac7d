"""A drawn room, somebody who walks through it, and the room again."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.media import plate
from curate.media.plate import Mask, clean_plate, fewest_of
from curate.media.video import Image

WIDTH, HEIGHT = 192, 112


def room(seed: int, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """A wall with pictures, a floor of boards, a window: things to follow and things that are flat."""
    rng = np.random.default_rng(seed)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = rng.integers(90, 170, 3)
    floor = height * 2 // 3
    picture[floor:] = rng.integers(60, 120, 3)
    picture[floor:, ::12] //= 2
    for _ in range(width * height // 300):
        left, top = int(rng.integers(0, width - 20)), int(rng.integers(0, floor - 14))
        colour = tuple(int(level) for level in rng.integers(30, 220, 3))
        size = int(rng.integers(8, 20)), int(rng.integers(6, 14))
        cv2.rectangle(picture, (left, top), (left + size[0], top + size[1]), colour, -1)
    return picture


def somebody(x: int, width: int = 24, height: int = 70) -> Mask:
    """Head and body, standing at x."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    foot = HEIGHT - 8
    cv2.ellipse(mask, (x, foot - height // 3), (width // 2, height // 3), 0, 0, 360, 1, -1)
    cv2.circle(mask, (x, foot - height + 10), 10, 1, -1)
    return mask > 0


def filmed(places: list[Image], masks: list[Mask], seed: int = 0) -> tuple[Image, Mask]:
    """Each place with somebody in it, in a suit of loud colours."""
    suit = np.random.default_rng(seed).integers(200, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    frames = [np.where(mask[..., None], suit, place) for place, mask in zip(places, masks, strict=True)]
    return np.stack(frames), np.stack(masks)


def error(found: Image, wanted: Image, where: Mask) -> float:
    """Mean levels a pixel is off."""
    return float(np.abs(found.astype(int) - wanted)[where].mean())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, WIDTH), min_size=1, max_size=9))
def test_the_plate_is_the_room_wherever_it_was_seen(seed: int, steps: list[int]) -> None:
    wanted, masks = room(seed), [somebody(x) for x in steps]
    found = clean_plate(*filmed([wanted] * len(steps), masks, seed))
    assert found.frames == len(steps) and found.moved_px < 0.01
    assert error(found.picture, wanted, ~found.never) == 0
    few = fewest_of(len(masks))
    hidden = (~np.array(masks)).sum(axis=0) < few
    assert not (hidden & ~found.never).any() and found.seen == pytest.approx(1 - found.never.mean())
    grown = [cv2.dilate(mask.astype(np.uint8), np.ones((7, 7))).astype(bool) for mask in masks]
    assert not (found.never & ((~np.array(grown)).sum(axis=0) >= few)).any()


def test_what_masks_have_missed_in_a_frame_or_two_is_not_the_place() -> None:
    frames, masks = filmed([room(1)] * 12, [somebody(60)] * 12, 1)
    masks[:2] = False  # the person stands there still
    assert clean_plate(frames, masks).never[somebody(60)].all()
    masks[:3] = False
    assert not clean_plate(frames, masks).never.any()


def test_a_crowd_that_walks_on_leaves_the_whole_room() -> None:
    masks = [somebody(x) | somebody((x + 70) % WIDTH) for x in range(0, WIDTH, 12)]
    found = clean_plate(*filmed([room(3)] * len(masks), masks))
    assert found.seen == 1.0 and error(found.picture, room(3), ~found.never) == 0


def test_grain_is_averaged_away() -> None:
    rng = np.random.default_rng(1)
    places = [(room(2) + rng.normal(0, 6, room(2).shape)).clip(0, 255).astype(np.uint8) for _ in range(15)]
    found = clean_plate(*filmed(places, [somebody(10 * k) for k in range(15)]))
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    assert found.frames == 15
    assert error(found.picture, room(2), everywhere) < error(places[0], room(2), everywhere) / 2


def test_what_nobody_ever_saw_is_filled_in_from_around_it() -> None:
    wall = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    wall[:] = np.linspace(80, 150, WIDTH)[None, :, None]
    found = clean_plate(*filmed([wall] * 4, [somebody(90)] * 4))
    assert 0.85 < found.seen < 0.95
    assert error(found.picture, wall, found.never) < 6
    assert found.picture[found.never].max() < 160  # nothing of the suit


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 14), st.integers(0, 8)), min_size=3, max_size=7)
)
def test_a_hand_held_camera_is_held_still(seed: int, shakes: list[tuple[int, int]]) -> None:
    large = room(seed, WIDTH + 14, HEIGHT + 8)
    places = [large[y : y + HEIGHT, x : x + WIDTH] for x, y in shakes]
    masks = [somebody(20 + 20 * k) for k in range(len(shakes))]
    found = clean_plate(*filmed(places, masks, seed))
    spread = [np.asarray(plate._spread(mask)) for mask in masks]
    chosen = int(np.mean(spread, axis=(1, 2)).argmin())
    true_px = max(max(abs(x - shakes[chosen][0]), abs(y - shakes[chosen][1])) for x, y in shakes)
    assert found.frames == len(shakes) and found.moved_px == pytest.approx(true_px, abs=0.5)
    assert error(found.picture, places[chosen], ~found.never) < 1.0


@pytest.mark.parametrize(("degrees", "zoom"), [(1.5, 1.0), (0.0, 1.04), (-2.0, 0.97)])
def test_a_camera_that_turns_or_zooms_is_held_still(degrees: float, zoom: float) -> None:
    large = room(7, 2 * WIDTH, 2 * HEIGHT)
    places = []
    for k in range(4):
        turn = cv2.getRotationMatrix2D((WIDTH, HEIGHT), degrees * k / 3, 1 + (zoom - 1) * k / 3)
        seen = cv2.warpAffine(large, turn, (2 * WIDTH, 2 * HEIGHT), flags=cv2.INTER_CUBIC)
        places.append(seen[HEIGHT // 2 : HEIGHT // 2 + HEIGHT, WIDTH // 2 : WIDTH // 2 + WIDTH])
    masks = [somebody(x, width=12 if x == 20 else 24) for x in (20, 60, 110, 160)]
    found = clean_plate(*filmed(places, masks))
    assert found.frames == 4 and found.moved_px > 1
    assert error(found.picture, places[0], ~found.never) < error(places[3], places[0], ~found.never) / 2


def test_a_camera_that_sets_its_exposure_leaves_no_seam() -> None:
    places = [room(5), (room(5) * 0.95 + 6).astype(np.uint8), room(5) + np.uint8(9)]
    found = clean_plate(*filmed(places, [somebody(40, width=12), somebody(90), somebody(150)]))
    assert found.frames == 3 and error(found.picture, room(5), ~found.never) < 2


def test_a_frame_of_another_place_is_left_out() -> None:
    masks = [somebody(20, width=12), somebody(60), somebody(100), somebody(140)]
    found = clean_plate(*filmed([room(1), room(1), room(1), room(99)], masks))
    assert found.frames == 3 and error(found.picture, room(1), ~found.never) == 0


def test_of_a_camera_that_travels_the_least_covered_frame_is_left() -> None:
    masks = [somebody(60), somebody(90, width=8), somebody(140)]
    found = clean_plate(*filmed([room(1), room(2), room(3)], masks))
    assert found.frames == 1 and error(found.picture, room(2), ~found.never) == 0


def test_where_all_is_covered_nothing_is_seen() -> None:
    found = clean_plate(np.full((3, 20, 30, 3), 90, np.uint8), np.ones((3, 20, 30), bool))
    assert found.seen == 0.0 and found.never.all() and found.frames == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5)])
def test_any_size_has_a_plate(shape: tuple[int, int]) -> None:
    frames = np.full((3, *shape, 3), 90, np.uint8)
    found = clean_plate(frames, np.zeros((3, *shape), bool))
    assert found.seen == 1.0 and (found.picture == 90).all()


def test_the_plate_does_not_depend_on_how_many_rows_are_sorted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames, masks = filmed([room(4)] * 5, [somebody(30 * k) for k in range(5)])
    whole = clean_plate(frames, masks).picture
    monkeypatch.setattr(plate, "ROWS_BYTES", 1)
    assert (clean_plate(frames, masks).picture == whole).all()
