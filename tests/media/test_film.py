"""A film looked through, kept as an annotation and had back; the size it is looked at in."""

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.media.film import (
    EVERY_S,
    GRID,
    LOOK_LONG_PX,
    NOTHING,
    Film,
    Sighting,
    look_size,
    look_through,
    seen_share,
)
from curate.media.shots import Shot
from curate.media.subject import Box
from curate.records import Clip
from tests.footage import Picture, encode
from tests.walker import HEIGHT, WIDTH, write_film

SIDES = st.integers(1, 9000)


@given(SIDES, SIDES)
def test_a_film_is_looked_at_in_even_pixels_and_never_enlarged(width: int, height: int) -> None:
    found = look_size(width, height)
    for side, had in zip(found, (width, height), strict=True):
        assert side % 2 == 0 and 2 <= side <= LOOK_LONG_PX
        assert side <= had or had == 1
    factor = min(1.0, LOOK_LONG_PX / max(width, height))
    for side, had in zip(found, (width, height), strict=True):
        assert abs(side - max(2.0, had * factor)) <= 1
    assert look_size(height, width) == found[::-1] and look_size(*found) == found


@pytest.mark.parametrize(
    ("film", "wanted"),
    [
        ((1920, 1080), (960, 540)),
        ((1080, 1920), (540, 960)),
        ((640, 360), (640, 360)),
        ((961, 719), (960, 718)),
    ],
)
def test_the_sizes_of_common_films(film: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert look_size(*film) == wanted


TIMES = st.floats(0, 1e5)
ANY = st.floats(-1e6, 1e6)
BOXES = st.builds(Box, *(4 * [st.integers(-10, 5000)]))
SIGHTINGS = st.builds(
    Sighting, at_s=TIMES, who=st.integers(NOTHING, 40), body=BOXES, face=st.none() | BOXES, yaw_deg=st.none() | ANY,
    sharpness=ANY, apart=ANY, whole=ANY, clear=ANY, solid=ANY, odd=ANY,
)  # fmt: skip
FILMS = st.builds(
    Film,
    size=st.tuples(st.integers(1, 960), st.integers(1, 960)),
    shots=st.lists(st.builds(Shot, TIMES, TIMES), max_size=4),
    looked_s=st.lists(TIMES, max_size=6),
    sightings=st.lists(SIGHTINGS, max_size=4),
    identities=st.lists(st.lists(ANY, min_size=1, max_size=5), max_size=3),
    covered=st.lists(st.text("0123456789abcdef", min_size=1, max_size=9), max_size=4),
)


@given(FILMS)
def test_a_film_is_had_back_exactly_from_an_annotation_also_through_json(film: Film) -> None:
    values = film.as_values()
    assert set(values) == {"size", "shots", "looked_s", "sightings", "identities", "covered"}
    assert Film.of(values) == film
    clip = Clip(
        id="a", name="a.mp4", sha256="0" * 64, seconds=1, width=2, height=2, fps=24, sample_rate_hz=None,
        annotations={**values, "elements": "{}"},
    )  # fmt: skip
    assert Film.of(Clip.model_validate_json(clip.model_dump_json()).annotations) == film


def test_an_annotation_without_all_of_it_is_no_film() -> None:
    values = dict(Film((2, 2), [], [], [], [], []).as_values())
    del values["covered"]
    with pytest.raises(KeyError, match="covered"):
        Film.of(values)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("walk"), seconds=3.0)


@pytest.fixture(scope="module")
def looked(walk: Path) -> Film:
    pytest.importorskip("dlib")
    pytest.importorskip("scenedetect")
    return look_through(walk, WIDTH, HEIGHT)


def test_a_walk_is_one_shot_and_one_character(looked: Film) -> None:
    assert looked.shots == [Shot(0.0, 3.0)]
    assert looked.looked_s == pytest.approx([EVERY_S / 4 + k * EVERY_S for k in range(6)])
    faces = [each for each in looked.sightings if each.face]
    assert len(looked.identities) == 1 and {each.who for each in faces} == {0}
    assert len(faces) >= 2 and {each.at_s for each in looked.sightings} <= set(looked.looked_s)
    for each in faces:
        assert each.face and 0 <= each.face.left < each.face.right <= WIDTH
        assert math.isclose(each.odd, 0, abs_tol=0.4) and 0 < each.whole <= 1 == each.apart
    seen = [any(s.at_s == at_s for s in looked.sightings) for at_s in looked.looked_s]
    assert [int(cells, 16) > 0 for cells in looked.covered] == seen
    assert {len(cells) for cells in looked.covered} == {GRID[0] * GRID[1] // 4}


def test_a_lost_frame_was_not_looked_at_and_the_others_are_as_ever(
    looked: Film, walk: Path, tmp_path: Path
) -> None:
    data = bytearray(walk.read_bytes())
    with av.open(str(walk)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        late = min(packets, key=lambda packet: abs(float((packet.pts or 0) * packet.time_base) - 1.5))
        assert sum(packet.is_keyframe for packet in packets) == 1
        place = late.pos or 0
        data[place : place + late.size] = bytes(late.size)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    film = look_through(path, WIDTH, HEIGHT)
    count = len(film.looked_s)
    assert 2 <= count <= 3 and film.looked_s == looked.looked_s[:count]
    assert film.covered == looked.covered[:count]
    places = [(each.at_s, each.body, each.face) for each in looked.sightings]
    assert [(each.at_s, each.body, each.face) for each in film.sightings] == [
        place for place in places if place[0] <= film.looked_s[-1]
    ]


def walls(*lengths: int) -> list[Picture]:
    """So many pictures of one grey each."""
    return [
        np.full((48, 64, 3), 40 + 90 * (n % 2), np.uint8)
        for n, length in enumerate(lengths)
        for _ in range(length)
    ]


def test_every_shot_is_looked_at_anew_and_a_flash_is_not(tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    path = encode(tmp_path / "flash.mp4", walls(30, 3, 31), range(64), Fraction(1, 25))
    film = look_through(path, 64, 48)
    assert film.shots == [Shot(0.0, 1.2), Shot(1.32, 2.56)]
    assert film.looked_s == pytest.approx([0.125, 0.625, 1.125, 1.445, 1.945, 2.445])
    assert (film.sightings, film.identities) == ([], []) and {int(each, 16) for each in film.covered} == {0}


def test_a_long_film_is_looked_at_as_often_as_a_short_one(tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    path = encode(tmp_path / "long.mp4", walls(200), range(200), Fraction(1, 2))
    assert np.diff(look_through(path, 64, 48).looked_s) == pytest.approx([EVERY_S] * 199)


def test_what_is_too_short_for_a_shot_is_not_looked_at(tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    path = encode(tmp_path / "moment.mp4", walls(1), range(1), Fraction(1, 25))
    assert look_through(path, 64, 48) == Film((64, 48), [], [], [], [], [])


def test_a_place_is_seen_where_enough_frames_show_nobody() -> None:
    cells = GRID[0] * GRID[1]
    empty, full = "0" * (cells // 4), "f" * (cells // 4)
    film = Film((480, 280), [], [float(n) for n in range(12)], [], [], [full] * 10 + [empty] * 2)
    assert (
        seen_share(film, {at_s: [] for at_s in film.looked_s}) == 0.0
    )  # in two of twelve: a mask may have missed
    half = film._replace(covered=[full] * 9 + [empty] * 3)
    assert seen_share(half, {at_s: [] for at_s in half.looked_s}) == 1.0
    there = {at_s: [Box(0, 0, 240, 280)] for at_s in half.looked_s}
    assert seen_share(half, there) == pytest.approx(0.5) and seen_share(half, {}) == 0.0
