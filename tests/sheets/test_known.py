"""What is known of a film: who its user means, and where the props are that the user boxed."""

import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from curate.errors import Rejected
from curate.media.film import Film
from curate.media.video import probe
from curate.records import Clip
from curate.sheets.known import Known, known_of, look_at
from curate.sources.folder import list_folder
from tests import walker

pytest.importorskip("dlib")
PICTURE = [20, 30, 70, 80]  # on the wall, at the left
WALL = [90, 100, 130, 130]  # nothing of any detail


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds in which she stands still most of the time."""
    place = tmp_path_factory.mktemp("films")
    walker.write_film(place, seconds=3.0)
    shown, _ = walker.person()
    cv2.imwrite(str(place / "her.png"), cv2.resize(shown, None, fx=2, fy=2)[..., ::-1])
    cv2.imwrite(str(place / "room.png"), walker.room()[..., ::-1])
    return place


def clip_of(folder: Path, cache: Path, **elements: Any) -> Clip:
    (folder / "walk.elements.json").write_text(json.dumps(elements))
    ((clip,), _) = list_folder(folder, cache, reads="films")
    return clip


@pytest.fixture(scope="module")
def seen(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Known:
    characters = [
        {"id": "ada", "description": "an astronaut", "images": ["room.png", "her.png"]},
        {"id": "bob", "description": "a man", "box": [0, 0, 5, 5], "at_s": 1.5},
        {"id": "eve", "description": "a woman", "images": ["room.png"]},
    ]
    props = [
        {"id": "print", "description": "a blue picture", "box": PICTURE, "at_s": 0.1},
        {"id": "nothing", "description": "a plain wall", "box": WALL, "at_s": 0.1},
        {"id": "hat", "description": "a hat"},
    ]
    clip = clip_of(folder, tmp_path_factory.mktemp("cache"), characters=characters, props=props)
    return look_at(clip, None)


def test_a_character_is_who_is_on_the_users_image(seen: Known) -> None:
    assert len(seen.film.identities) == 1 and seen.who == {"ada": 0}


def test_a_prop_is_seen_where_nobody_stands_before_it(seen: Known) -> None:
    assert {each.thing for each in seen.things} == {"print"}
    assert all(abs(a - b) <= 3 for each in seen.things for a, b in zip(each.box, PICTURE, strict=True))
    assert 0 < len(seen.things) <= len(seen.film.looked_s) + 1


def test_what_is_known_is_kept_as_annotations(seen: Known, folder: Path, tmp_path: Path) -> None:
    clip = clip_of(folder, tmp_path).model_copy(update={"annotations": seen.as_values()})
    assert known_of(clip) == seen and isinstance(seen.film, Film)


def test_the_only_character_is_the_one_who_is_described(folder: Path, tmp_path: Path) -> None:
    found = look_at(
        clip_of(folder, tmp_path, characters=[{"id": "ada", "description": "an astronaut"}]), None
    )
    assert found.who == {"ada": 0} and found.things == []


@pytest.mark.parametrize(("box", "at_s"), [([10, 10, 999, 50], 1.0), ([10, 10, 50, 50], 99.0)])
def test_a_box_that_is_not_in_the_film_is_one_line(
    folder: Path, tmp_path: Path, box: list[int], at_s: float
) -> None:
    clip = clip_of(folder, tmp_path, props=[{"id": "cup", "description": "a cup", "box": box, "at_s": at_s}])
    with pytest.raises(Rejected, match=r"elements: cup: the box .* the film is 384x224 and 3\.00 s"):
        look_at(clip, None)
    assert probe(folder / "walk.mp4").width == 384
