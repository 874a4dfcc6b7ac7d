"""Contact sheets: what was put in is where its labels say, at the size that a person can see."""

import itertools
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from curate.sample.sheet import MISSING, PAPER, SPECTRUM_HZ, contact_sheet, save_sheet, strip, with_spectrum


def plain(colour: tuple[int, int, int], height: int = 64, width: int = 96) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(8, 300), st.integers(8, 300))
def test_each_cell_shows_its_picture(columns: int, rows: int, height: int, width: int) -> None:
    colours = {(f"row {y}", f"column {x}"): (40 * y, 40 * x, 90) for y in range(rows) for x in range(columns)}
    sheet = contact_sheet(
        [f"column {x}" for x in range(columns)],
        [f"row {y}" for y in range(rows)],
        {place: plain(colour, height, width) for place, colour in colours.items()},
        "title",
    )
    red, green, blue = np.moveaxis(np.asarray(sheet), 2, 0)
    places = [np.argwhere((red == r) & (green == g) & (blue == b)) for r, g, b in colours.values()]
    shares = [len(place) for place in places]
    assert min(shares) > 0.9 * max(shares)  # all of one size
    found = [place.mean(axis=0) for place in places]
    by_row = [[found[y * columns + x] for x in range(columns)] for y in range(rows)]
    assert all(a[1] < b[1] for row in by_row for a, b in itertools.pairwise(row))
    assert all(a[0][0] < b[0][0] for a, b in itertools.pairwise(by_row))


def test_a_missing_cell_is_grey_and_long_labels_are_cut() -> None:
    long = "water flows from the left container through the connecting tube into the right one " * 3
    sheet = contact_sheet([long, "b"], ["base"], {("base", "b"): plain((1, 2, 3))}, "title")
    pixels = np.asarray(sheet).reshape(-1, 3)
    assert (pixels == MISSING).all(axis=1).any() and (pixels == (1, 2, 3)).all(axis=1).any()
    assert sheet.height < 400
    assert (np.asarray(sheet)[-1] == PAPER).all()


def test_a_note_stands_below_its_cell() -> None:
    cells = {(row, "a"): plain((1, 2, 3)) for row in ("one", "two")}
    bare, noted = (
        np.asarray(contact_sheet(["a"], ["one", "two"], cells, "title", notes))
        for notes in (None, {("one", "a"): "sides as given 8 of 9 frames"})
    )
    assert noted.shape[0] == bare.shape[0] + 2 * 19  # every row has a line for notes
    shown = [(sheet == (1, 2, 3)).all(axis=2) for sheet in (bare, noted)]
    assert shown[0].sum() == shown[1].sum()  # which hides nothing
    rows = np.flatnonzero(shown[1].any(axis=1))
    below = int(rows[np.flatnonzero(np.diff(rows) > 1)[0]]) + 1  # the first cell
    assert noted[below : below + 19].min() < 60 and noted[rows.max() + 1 :].min() > 200


def test_a_strip_shows_first_middle_and_last() -> None:
    frames = [plain((k, 0, 0)) for k in range(17)]
    seen = strip(frames)
    assert [int(seen[0, x, 0]) for x in (0, seen.shape[1] // 2, -1)] == [0, 8, 16]
    assert strip(frames[:1]) is frames[0]


def test_a_tone_is_a_line_at_its_height() -> None:
    seconds = np.arange(16000) / 16000
    seen = with_spectrum(plain((9, 9, 9)), np.sin(2 * np.pi * 500 * seconds).astype(np.float32), 16000)
    below = seen[64:, 48, 0].astype(int)
    assert abs(int(below.argmax()) / len(below) - (1 - 500 / SPECTRUM_HZ)) < 0.06
    assert below.max() > 150 and np.median(below) == 0


def test_a_sheet_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sheet.png"
    save_sheet(path, contact_sheet(["a"], ["base"], {}, "nothing yet"))
    with Image.open(path) as image:
        assert image.format == "PNG"
