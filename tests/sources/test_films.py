"""Films of a folder come with what their elements say; a wrong word of these is one line, and no other recipe reads them."""

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from curate.errors import CurateError
from curate.media.video import write_video
from curate.sources.files import file_sha256
from curate.sources.folder import list_folder

ADA = {"id": "ada", "description": "a woman in a red coat"}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    write_video(folder / "a.mp4", np.zeros((8, 32, 32, 3), np.uint8), 25)
    cv2.imwrite(str(folder / "ada.png"), np.full((40, 40, 3), 90, np.uint8))
    return folder


def said(folder: Path, **elements: Any) -> None:
    (folder / "a.elements.json").write_text(json.dumps(elements))


def test_elements_and_their_images_belong_to_the_film(films: Path, tmp_path: Path) -> None:
    said(films, characters=[{**ADA, "images": ["ada.png"]}])
    (clip,), drops = list_folder(films, tmp_path, reads="films")
    wanted = {name: file_sha256(films / name, tmp_path) for name in ("a.elements.json", "ada.png")}
    assert clip.beside == wanted and not drops
    (films / "ada.png").write_bytes(b"another")
    assert list_folder(films, tmp_path, reads="films")[0][0].beside["ada.png"] != wanted["ada.png"]


def test_a_recipe_of_videos_does_not_read_elements(films: Path, tmp_path: Path) -> None:
    (films / "a.elements.json").write_text("{")
    (clip,), _ = list_folder(films, tmp_path)
    assert not clip.beside
    with pytest.raises(CurateError, match=r"a\.elements\.json: cannot be read as JSON"):
        list_folder(films, tmp_path, reads="films")


@pytest.mark.parametrize(
    "image", ["nothing.png", "../secret.png", "/etc/hostname", "x/../../secret.png", "link.png"]
)
def test_an_image_that_is_not_beside_the_film_is_refused(films: Path, tmp_path: Path, image: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"mine")
    os.symlink(tmp_path / "secret.png", films / "link.png")
    said(films, characters=[{**ADA, "images": [image]}])
    with pytest.raises(CurateError, match=r"a\.elements\.json: ") as caught:
        list_folder(films, tmp_path, reads="films")
    assert "\n" not in str(caught.value)


def test_a_folder_without_films_says_so(tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="an empty folder, none a film"):
        list_folder(tmp_path, tmp_path, reads="films")
