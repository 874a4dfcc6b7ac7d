"""Sheets of any panels: nothing lies on anything, nothing is cut, and what matters more is larger."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.media.layout import (
    ENLARGED,
    HEIGHT,
    MARGIN_PX,
    WIDTH,
    Panel,
    area_order,
    compose,
    coverage,
    layout,
    outside_black,
    overlaps,
)
from curate.media.subject import Box
from curate.media.video import Image


def flat(width: int, height: int, level: int = 200) -> Image:
    return np.full((height, width, 3), level, np.uint8)


@st.composite
def panels_of(draw: st.DrawFn, least: int = 1, most: int = 12) -> list[Panel]:
    """Panels of up to six elements, a third to three times as wide as they are high."""
    panels = []
    for number in range(draw(st.integers(least, most))):
        aspect, side = 2 ** draw(st.floats(-1.58, 1.58)), draw(st.floats(20, 500))
        size = max(1, round(side * aspect**0.5)), max(1, round(side / aspect**0.5))
        name = f"element-{draw(st.integers(0, 5))}"
        panels.append(
            Panel(name, "body", flat(*size, 60 + number), draw(st.sampled_from([1.0, 2.0, 2.5, 7.0])))
        )
    return panels


def size_of(box: Box) -> tuple[int, int]:
    return box.right - box.left, box.bottom - box.top


@settings(max_examples=15, deadline=None)
@given(panels_of())
def test_panels_keep_their_distance_their_shape_and_their_order(panels: list[Panel]) -> None:
    boxes = layout(panels)
    assert len(boxes) == len(panels)
    assert overlaps(boxes, MARGIN_PX) == []
    assert area_order(boxes, [panel.importance for panel in panels]) == []
    for box, panel in zip(boxes, panels, strict=True):
        assert min(box.left, box.top, WIDTH - box.right, HEIGHT - box.bottom) >= MARGIN_PX
        (width, height), (across, down) = (panel.picture.shape[1], panel.picture.shape[0]), size_of(box)
        longer, scale = max(width, height), max(across, down) / max(width, height)
        assert 0 < scale <= ENLARGED and max(across, down) == round(longer * scale)
        assert abs(across - width * scale) <= 0.5 + 1e-9 or across == 1
        assert abs(down - height * scale) <= 0.5 + 1e-9 or down == 1


@settings(max_examples=12, deadline=None)
@given(panels_of(2, 7), st.randoms(use_true_random=False))
def test_the_order_of_the_panels_is_all_the_same(panels: list[Panel], shuffled: object) -> None:
    order = list(range(len(panels)))
    shuffled.shuffle(order)  # type: ignore[attr-defined]
    mixed = [panels[number] for number in order]
    one, other = layout(panels), layout(mixed)
    assert [other[order.index(number)] for number in range(len(panels))] == one == layout(panels)


@settings(max_examples=12, deadline=None)
@given(panels_of(1, 6))
def test_the_composed_sheet_is_black_outside_its_panels_and_whole_inside(panels: list[Panel]) -> None:
    boxes = layout(panels)
    sheet = compose(panels, boxes)
    assert sheet.shape == (HEIGHT, WIDTH, 3) and sheet.dtype == np.uint8
    assert outside_black(sheet, boxes, black=0) == 0.0
    for box, panel in zip(boxes, panels, strict=True):
        assert (sheet[box.top : box.bottom, box.left : box.right] == panel.picture[0, 0, 0]).all()


def typical(characters: int, bodies: int, props: int) -> list[Panel]:
    """As a film would give them: faces, the views of their bodies, props, and the place they are in."""
    panels = []
    for k in range(characters):
        panels.append(Panel(f"person-{k}", "face", flat(300, 360), 5.0 - k))
        panels += [Panel(f"person-{k}", "body", flat(200 + 10 * n, 480), 4.5 - k) for n in range(bodies)]
    panels += [Panel(f"prop-{k}", "prop", flat(260, 200 + 40 * k), 1.0) for k in range(props)]
    return [*panels, Panel("place", "location", flat(768, 448), 2.0)]


@pytest.mark.parametrize(("characters", "bodies", "props"), [(1, 1, 0), (1, 3, 0), (1, 3, 2), (2, 1, 0), (2, 1, 2), (2, 2, 1), (2, 3, 2)])  # fmt: skip
def test_most_of_a_typical_sheet_is_panels(characters: int, bodies: int, props: int) -> None:
    boxes = layout(typical(characters, bodies, props))
    assert coverage(boxes) >= 0.6
    assert min(min(size_of(box)) for box in boxes) >= 48


@pytest.mark.parametrize("props", [0, 1, 2])
def test_a_character_is_seen_in_one_place(props: int) -> None:
    panels = typical(2, 2, props)
    boxes = layout(panels)
    for name in ("person-0", "person-1"):
        own = [box for box, panel in zip(boxes, panels, strict=True) if panel.name == name]
        left, top, right, bottom = zip(*own, strict=True)
        block = Box(min(left), min(top), max(right), max(bottom))
        others = [box for box, panel in zip(boxes, panels, strict=True) if panel.name != name]
        assert not any(overlaps([block, box]) for box in others)


def test_a_panel_is_resized_and_never_cropped() -> None:
    picture = flat(100, 50, 0)
    picture[:, :50], picture[:25, :, 1] = (200, 0, 0), 100  # four quarters
    panel = Panel("sign", "prop", picture, 1.0)
    (box,) = layout([panel])
    assert size_of(box) == (300, 150)
    shown = compose([panel], [box])[box.top : box.bottom, box.left : box.right]
    assert np.abs(cv2.resize(shown, (100, 50), interpolation=cv2.INTER_AREA).astype(int) - picture).max() < 60
    assert (shown[10, 10] == (200, 100, 0)).all() and (shown[-10, -10] == 0).all()


def test_no_panels_are_an_empty_sheet() -> None:
    assert layout([]) == [] and not compose([], []).any()


def test_what_does_not_fit_is_an_error() -> None:
    panels = [Panel(f"prop-{k}", "prop", flat(90, 90, k), 1.0) for k in range(6)]
    with pytest.raises(CurateError, match="found 6 panels, wanted fewer on 50x30"):
        layout(panels, width=50, height=30)


def test_boxes_that_touch_do_not_overlap_but_have_no_margin() -> None:
    boxes = [Box(0, 0, 10, 10), Box(10, 0, 20, 10), Box(19, 9, 30, 30), Box(40, 0, 50, 50)]
    assert overlaps(boxes) == [(1, 2)]
    assert overlaps(boxes, margin=1) == [(0, 1), (1, 2)]
    assert overlaps(boxes, margin=10) == [(0, 1), (0, 2), (1, 2)]
    assert (2, 3) in overlaps(boxes, margin=11)


def test_what_is_outside_the_panels_is_measured() -> None:
    sheet = np.zeros((10, 10, 3), np.uint8)
    sheet[:5] = 255
    assert outside_black(sheet, [Box(0, 0, 10, 5)]) == 0.0
    assert outside_black(sheet, [Box(0, 0, 5, 5)]) == pytest.approx(25 / 75)
    sheet[9, 9, 2] = 17
    assert outside_black(sheet, [Box(0, 0, 10, 5)]) == pytest.approx(1 / 50)
    assert outside_black(sheet, [Box(0, 0, 10, 10)]) == 0.0


def test_a_small_panel_of_more_importance_is_named() -> None:
    boxes = [Box(0, 0, 10, 10), Box(20, 0, 31, 10), Box(40, 0, 50, 10)]
    assert area_order(boxes, [2.0, 1.0, 1.0]) == [(0, 1)]
    assert area_order(boxes, [1.0, 1.0, 1.0]) == []
    assert area_order(boxes, [1.0, 2.0, 3.0]) == [(2, 1)]
