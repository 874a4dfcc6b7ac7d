"""What a user says of a film is read, or refused in one line."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from curate.errors import CurateError
from curate.sheets.elements import elements_of, read_elements

ADA = {"id": "ada", "description": "a woman in a red coat"}


def written(folder: Path, content: Any) -> Path:
    path = elements_of(folder / "film.mp4")
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_all_of_it_is_read_and_its_images_named(tmp_path: Path) -> None:
    path = written(tmp_path, {
        "characters": [{**ADA, "box": [1, 2, 30, 40], "at_s": 2.5, "images": ["b.png"]}],
        "props": [{"id": "kettle", "description": "a kettle", "images": ["kettle.png"]}],
        "location": {"id": "kitchen", "description": "a kitchen"},
    })  # fmt: skip
    found = read_elements(path)
    assert path.name == "film.elements.json" and found.images() == ["b.png", "kettle.png"]
    assert found.characters[0].box == (1, 2, 30, 40) and found.location is not None
    assert read_elements(written(tmp_path, {})).images() == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "cannot be read as JSON"),
        ([], "its elements: "),
        ({"actors": []}, "actors: extra inputs are not permitted"),
        ({"characters": [{"id": "a b", "description": "x"}]}, "characters.0.id: "),
        ({"characters": [{**ADA, "box": [1, 2, 3, 4]}]}, "a box wants its time"),
        ({"characters": [{**ADA, "box": [5, 2, 3, 4], "at_s": 1}]}, "is empty"),
        ({"characters": [{**ADA, "box": [float("nan"), 2, 3, 4], "at_s": 1}]}, "characters.0.box.0"),
        ({"characters": [ADA], "props": [ADA]}, "the id ada comes twice"),
        ({"props": [{**ADA, "images": ["a.png", "b.png"]}]}, "ada has 2 images"),
        ({"location": {**ADA, "box": [1, 2, 3, 4], "at_s": 1}}, "a place is all of the picture"),
        ({"props": [{**ADA, "images": ["../a.png"]}]}, "is not named as a file beside the film"),
        ({"props": [{**ADA, "images": ["no\nsuch.png"]}]}, "is not named as a file beside the film"),
        ({"a\nb\u001b[31m": 1}, "a\\nb\\x1b[31m: extra inputs"),
        ({"characters": [{**ADA, "box": [True, 2, 3, 4], "at_s": 1}]}, "characters.0.box.0"),
        ('{"props": [], "props": []}', "the key 'props' comes twice"),
        ({"props": [{**ADA, "weight": 0}]}, "props.0.weight"),
        ({"characters": [{"id": "ada", "description": "a woman; in red"}]}, "without semicolons"),
        ({"characters": [{"id": "ada", "description": "a woman\nin red"}]}, "one line"),
    ],
)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, content: Any, says: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(CurateError, match=r".*") as caught:
        read_elements(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert says.lower() in str(caught.value).lower()


def test_a_pipe_is_no_file_of_elements(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.elements.json")
    with pytest.raises(CurateError, match="wanted a file of elements"):
        read_elements(tmp_path / "film.elements.json")
