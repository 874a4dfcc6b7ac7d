"""A sheet is judged by its picture: a sound one passes, and whatever is painted, pasted or moved on it is found."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest

from curate.errors import Rejected
from curate.media.layout import Panel, compose, layout
from curate.media.subject import Box
from curate.media.video import Image
from curate.records import Values
from curate.sheets.judge import gate
from curate.sheets.make import Sheet
from curate.sheets.measure import Targets, compared, found_on, levels_in_place
from curate.sheets.view import View
from tests import walker

pytest.importorskip("dlib")
NAMES = ["ada face", "ada front", "cup prop", "room place"]
KINDS: list[Any] = ["face", "body", "prop", "location"]
WIDTH, HEIGHT = 384, 224
FACE = Box(52, 14, 112, 90)  # of the astronaut, as walker draws her


@lru_cache
def woman() -> Image:
    shown, alpha = walker.person()
    return np.rint(shown * (alpha[..., None] / 255)).astype(np.uint8)


@lru_cache
def cup() -> Image:
    picture = np.zeros((90, 70, 3), np.uint8)
    cv2.circle(picture, (35, 45), 34, (40, 90, 200), -1)
    return picture


@lru_cache
def sheet() -> tuple[Image, list[Box]]:
    """A head, a woman, a cup, a room."""
    pictures = [woman()[:110, 25:140], woman(), cup(), walker.room()]
    panels = [
        Panel(name.split()[0], kind, picture, weight)
        for name, kind, picture, weight in zip(NAMES, KINDS, pictures, (3.5, 2.0, 1.5, 2.0), strict=True)
    ]
    boxes = layout(panels, WIDTH, HEIGHT)
    return compose(panels, boxes, WIDTH, HEIGHT), boxes


def beside(picture: Image, video: Image | None = None, **changes: Any) -> Values:
    """The sheet compared with a target in which she stands elsewhere."""
    frame = walker.room()
    frame[24:, 200 : 200 + woman().shape[1]] = woman()
    views = [
        View(
            element=name.split()[0], description="", kind=kind, importance=1.0, at_s=None if kind == "location" else 1.0
        )
        for name, kind in zip(NAMES, KINDS, strict=True)
    ]  # fmt: skip
    cut_from = walker.room()
    cut_from[24:, : woman().shape[1]] = woman()
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[60:, 40:120] = 1
    face = Box(FACE.left + 200, FACE.top + 24, FACE.right + 200, FACE.bottom + 24)
    targets = Targets(
        video=frame[None] if video is None else video, frames=[changes.get("frame", frame)],
        faces={"ada": changes.get("faces", [[face]])}, means=changes.get("means", {"ada": [0.0] * 128}),
    )  # fmt: skip
    made = Sheet(picture, views, sheet()[1], [mask, mask, mask, None], 1.0)
    return compared(made, {1.0: cut_from}, targets)


def part(picture: Image, number: int) -> Image:
    box = sheet()[1][number]
    return picture[box.top : box.bottom, box.left : box.right]


def test_a_sound_sheet_passes_and_says_how_it_stands() -> None:
    picture, boxes = sheet()
    found = {**found_on(picture, boxes, NAMES, ["ada front"]), **beside(picture)}
    gate(found)
    assert (found["texts"], found["outside"], found["place_people"]) == (0, 0.0, 0)
    assert found["empty"] == found["uncut"] == found["mistaken"] == []
    assert 0 < float(found["identity"]) < 0.5  # type: ignore[arg-type]
    assert found["own_levels"] == 255.0


def painted(picture: Image) -> None:
    picture[:3] = 200


def lettered(picture: Image) -> None:
    part(picture, 3)[:34] = 255
    cv2.putText(part(picture, 3), "KITCHEN", (4, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (10, 10, 10), 2)


def framed(picture: Image) -> None:
    panel = part(picture, 1)
    panel[(panel <= 16).all(axis=2)] = 255


def blank(picture: Image) -> None:
    part(picture, 2)[:] = 0


def doubled(picture: Image) -> None:
    panel = part(picture, 1)
    panel[:] = cv2.resize(part(picture, 0), panel.shape[1::-1])


def peopled(picture: Image) -> None:
    place = part(picture, 3)
    tall = place.shape[0] - 4
    small = cv2.resize(woman(), (round(woman().shape[1] * tall / woman().shape[0]), tall))
    place[4:, 20 : 20 + small.shape[1]] = small


@pytest.mark.parametrize(
    ("spoil", "key", "reason"),
    [
        (painted, "outside", "not_black"),
        (lettered, "texts", "text"),
        (framed, "uncut", "not_on_black"),
        (doubled, "repeated", "repeated"),
        (blank, "empty", "not_cut_out"),
        (peopled, "place_people", "peopled_place"),
    ],
)
def test_what_is_wrong_with_a_picture_is_found_on_it(
    spoil: Callable[[Image], None], key: str, reason: str
) -> None:
    picture, boxes = sheet()[0].copy(), sheet()[1]
    sound = found_on(picture, boxes, NAMES, ["ada front"])
    spoil(picture)
    found = found_on(picture, boxes, NAMES, ["ada front"])
    assert {name for name in found if found[name] != sound[name]} - {"words"} == {key}
    with pytest.raises(Rejected, match=reason) as caught:
        gate({**beside(sheet()[0]), **found})
    assert "\n" not in str(caught.value)


def test_a_book_that_was_cut_out_may_fill_its_box() -> None:
    picture, boxes = sheet()[0].copy(), sheet()[1]
    part(picture, 2)[:] = (40, 90, 200)
    assert found_on(picture, boxes, NAMES)["uncut"] == []
    assert found_on(picture, boxes, NAMES, ["cup prop"])["uncut"] == ["cup prop"]


def test_a_panel_that_the_target_shows_at_the_same_place_is_a_copy() -> None:
    picture, boxes = sheet()
    video = np.stack([walker.room(), picture])
    assert all(levels_in_place(picture, box, video) == 0 for box in boxes)
    assert all(levels_in_place(picture, box, video[:1]) > 4 for box in boxes)
    with pytest.raises(Rejected, match="copied"):
        gate({**found_on(picture, boxes, NAMES, ["ada front"]), **beside(picture, video)})


def test_a_panel_cut_from_what_the_target_shows_is_a_copy() -> None:
    frame = walker.room()
    frame[24:, : woman().shape[1]] = woman()
    face = Box(FACE.left, FACE.top + 24, FACE.right, FACE.bottom + 24)
    found = beside(sheet()[0], frame=frame, faces=[[face]])
    assert found["levels"] == 0.0
    with pytest.raises(Rejected, match="copied"):
        gate({**found_on(*sheet(), NAMES, ["ada front"]), **found})


def test_a_face_that_is_another_ones_is_found() -> None:
    from curate.media.panels import identity_on

    own = identity_on(part(sheet()[0], 0))
    assert own is not None
    others = {"ada": [each + 0.05 for each in own], "bob": own}
    found = beside(sheet()[0], means=others)
    assert "ada face" in found["mistaken"]  # type: ignore[operator]
    with pytest.raises(Rejected, match="other_person"):
        gate({**found_on(*sheet(), NAMES, ["ada front"]), **found})


@pytest.mark.parametrize("spoilt", ["panel", "target"])
def test_a_face_that_is_not_found_is_lost(spoilt: str) -> None:
    picture = sheet()[0].copy()
    if spoilt == "panel":
        part(picture, 0)[:] = part(picture, 0)[::-1].copy()
    with pytest.raises(Rejected, match="face_lost"):
        beside(picture, **({"frame": walker.room()} if spoilt == "target" else {}))
