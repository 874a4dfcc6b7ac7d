"""Pictures of a set: written once each, and found out when they are not the ones that were measured."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from curate.media.video import Image
from curate.picture_files import check_pictures, name_of, needs, write_pictures
from curate.recipe import Recipe, configure, find
from curate.records import LedgerRow, Values

PICTURES = [np.full((20, 30, 3), level, np.uint8) for level in (40, 90)]


NOTES = list[str]()


class Judge:
    """Finds on a picture how light it is."""

    def made_with(self) -> dict[str, str]:
        return {"eye": "1"}

    def found_on(self, picture: Image, row: LedgerRow) -> Values:
        return {"light": float(picture.mean())}


def rows() -> list[LedgerRow]:
    return [
        LedgerRow(id=f"s{number}", name="a.mp4", measured={"sheet": name_of(picture), "light": float(picture.mean())})
        for number, picture in enumerate([*PICTURES, PICTURES[0]])
    ]  # fmt: skip


def sheets(pictures: list[Image]) -> list[tuple[str, Image]]:
    return [("sheet", picture) for picture in pictures]


def faults(folder: Path, kept: list[LedgerRow], eye: str = "1") -> list[str]:
    return list(check_pictures(folder, kept, Judge(), {"eye": eye}, NOTES.append))  # type: ignore[arg-type]


def test_each_distinct_sheet_is_one_file_with_its_pixels(tmp_path: Path) -> None:
    write_pictures(tmp_path, sheets([*PICTURES, PICTURES[0]]))
    files = sorted((tmp_path / "sheets").iterdir())
    assert [path.stem for path in files] == sorted(map(name_of, PICTURES)) and faults(tmp_path, rows()) == []
    before = [path.read_bytes() for path in files]
    write_pictures(tmp_path, sheets(PICTURES[::-1]))
    assert [path.read_bytes() for path in files] == before


@pytest.mark.parametrize("how", ["painted", "gone", "broken", "stranger", "recorded"])
def test_a_sheet_that_is_not_the_one_measured_is_named(tmp_path: Path, how: str) -> None:
    write_pictures(tmp_path, sheets(PICTURES))
    path, kept = tmp_path / "sheets" / f"{name_of(PICTURES[0])}.png", rows()
    if how == "painted":
        cv2.imwrite(str(path), np.full((20, 30, 3), 41, np.uint8))
    elif how == "gone":
        path.unlink()
    elif how == "broken":
        path.write_bytes(path.read_bytes()[:40])
    elif how == "stranger":
        kept = kept[1:2]
    else:
        kept[0] = kept[0].model_copy(update={"measured": {**kept[0].measured, "light": 1.0}})
        kept = kept[:2]
    (fault,) = faults(tmp_path, kept)
    assert path.name in fault and "\n" not in fault


def test_every_sample_of_a_picture_is_held_to_it(tmp_path: Path) -> None:
    write_pictures(tmp_path, sheets(PICTURES))
    for place in (0, 2):  # of the same picture
        kept = rows()
        kept[place] = kept[place].model_copy(update={"measured": {**kept[place].measured, "light": 1.0}})
        (fault,) = faults(tmp_path, kept)
        assert f"s{place}: light is recorded as 1.0" in fault


def test_what_another_eye_measured_is_not_judged_and_that_is_said(tmp_path: Path) -> None:
    write_pictures(tmp_path, sheets(PICTURES))
    kept = [row.model_copy(update={"measured": {**row.measured, "light": 1.0}}) for row in rows()]
    assert len(faults(tmp_path, kept)) == 3
    NOTES.clear()
    assert faults(tmp_path, kept, eye="2") == [] and "not measured again; eye changed" in NOTES[0]


def test_a_set_without_sheets_has_none() -> None:
    assert not needs([LedgerRow(id="a", name="a")]) and needs(rows())
    other: Recipe = configure(find("helium-v2"), {})
    assert other.found_on(PICTURES[0], rows()[0]) == {}
