"""A sheet is made of what can be cut out; what cannot is a reason."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from curate.errors import Rejected
from curate.media.cutout import has_model, person_mask
from curate.media.panels import VISIBLE
from curate.media.subject import Box
from curate.media.video import Image
from curate.sheets.make import left_behind, made_sheet
from curate.sheets.view import View
from curate.sheets.windows import Whereabouts
from tests import walker

SIZE = (384, 224)
STANDS = Box(120, 24, 280, 224)
needs_model = pytest.mark.skipif(not has_model(), reason="mediapipe 0.10.21 is not installed")


@lru_cache
def with_her(left: int = 120) -> Image:
    frame, (shown, alpha) = walker.room(), walker.person()
    weight = alpha[..., None] / 255
    part = frame[walker.HEIGHT - walker.PERSON_PX :, left : left + shown.shape[1]]
    part[:] = np.rint(weight * shown + (1 - weight) * part)
    return frame


def view(kind: Any, **changes: Any) -> View:
    values = {"element": "ada", "description": "an astronaut", "kind": kind, "importance": 1.0}
    return View(**values | changes)


def made(views: list[View], folder: Path, **changes: Any) -> Any:
    frames = {0.0: with_her(), 1.0: walker.room(), 2.0: with_her(10)}
    people = {0.0: [Whereabouts(STANDS, True)], 2.0: [Whereabouts(Box(10, 24, 180, 224), True)]}
    return made_sheet(folder, frames, views, changes.get("people", people), SIZE, changes.get("generator"))


@needs_model
def test_a_sheet_has_every_panel_and_says_what_it_was_cut_from(tmp_path: Path) -> None:
    body = view("body", turn="front", at_s=0.0, box=STANDS)
    place = view("location", element="room")
    sheet = made([body, place], tmp_path)
    assert sheet.picture.shape == (224, 384, 3) and len(sheet.boxes) == 2
    assert sheet.masks[0] is not None and sheet.masks[1] is None and 0.75 <= sheet.place_seen < 1
    room = sheet.boxes[1]
    shown = cv2.resize(sheet.picture[room.top : room.bottom, room.left : room.right], SIZE)
    assert np.abs(shown.astype(int) - walker.room()).mean() < 10


@needs_model
def test_who_is_still_in_the_place_is_a_ghost() -> None:
    pixels = float((person_mask(with_her(), STANDS) > VISIBLE).sum())
    assert (
        left_behind(with_her(), [(STANDS, pixels)]) == 1
        and left_behind(walker.room(), [(STANDS, pixels)]) == 0
    )


def test_a_place_that_people_hide_is_a_reason(tmp_path: Path) -> None:
    everywhere = {at_s: [Whereabouts(Box(0, 0, 384, 224), False)] for at_s in (0.0, 2.0)}
    with pytest.raises(Rejected, match="place_hidden"):
        made([view("location")], tmp_path, people=everywhere)


def test_what_leaves_nothing_on_black_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="not_cut_out: ada prop"):
        made([view("prop", at_s=1.0, box=Box(90, 100, 95, 105))], tmp_path)


def test_more_panels_than_fit_are_a_reason(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((50, 50, 3), 90, np.uint8))
    many = [view("body", turn=f"view {n}", image="a.png") for n in range(25)]
    with pytest.raises(Rejected, match="does_not_fit"):
        made(many, tmp_path)


def test_a_generator_is_given_the_other_panels_and_fills_in(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((50, 50, 3), 90, np.uint8))
    asked = list[tuple[str, str, int]]()

    def draw(element: str, description: str, turn: str, panels: list[Image]) -> Image | None:
        asked.append((element, turn, len(panels)))
        return None if turn == "left" else panels[0][::-1]

    given, back = view("face", image="a.png"), view("body", turn="back", generated=True)
    sheet = made([given, back], tmp_path, generator=draw)
    assert asked == [("ada", "back", 1)] and len(sheet.boxes) == 2
    with pytest.raises(Rejected, match="not_generated"):
        made([given, view("body", turn="left", generated=True)], tmp_path, generator=draw)
