"""The reference sheet: panels of different shapes packed on black, each whole, the important ones larger.

A layout is a slicing tree (Otten, "Automatic floorplan design", 1982): two parts side by side have the same height, two
parts one upon the other the same width, so the shapes of the panels decide all sizes. Of each run of neighbours the best
tree of every shape is kept, and those of two runs that meet are joined; best is what uses the area well, and not for one
panel at the cost of the others. Where importance, its shape or the greatest enlargement wants a panel smaller than its
place, it is made smaller there, in the middle.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations, groupby
from typing import Literal, NamedTuple

import cv2
import numpy as np

from curate.errors import CurateError
from curate.media.subject import Box
from curate.media.video import Image

WIDTH, HEIGHT = 768, 448
MARGIN_PX = 12  # around the sheet and between panels
ENLARGED = 3.0  # at most, of a side: beyond that a panel is only a blur
SHAPES = 2  # to an octave of aspect, of which the best tree is kept
FREE = (0.0, -0.35, 0.35, -0.7, 0.7, -1.4, 1.4)  # octaves that a panel's place may be wider than the panel
EVEN = 0.3  # the power of a panel's area in what a tree is worth: with .5, one of two alike was up to seven times the other
MOST_PANELS = 24  # beyond them each is a stamp, and to find their places takes minutes
MANY = 8  # panels: of so many each has its own shape only
ENOUGH = 0.6  # of the sheet: to cover so much, the panels of one element may part
BLACK = 16  # of 255: a codec does not return 0

Kind = Literal["face", "body", "prop", "location"]
Place = tuple[float, float, float, float]  # left, top, width, height


class Panel(NamedTuple):
    """One view of an element."""

    name: str  # of the element, whose panels stand together
    kind: Kind
    picture: Image  # (H, W, 3) uint8 RGB, on black
    importance: float  # a panel of more is never smaller


class _Tree(NamedTuple):
    """Panels that fill a rectangle: grow * its height + more is its width."""

    grow: float
    more: float
    panels: int = 1  # how many
    panel: int = -1  # of a leaf
    parts: tuple["_Tree", ...] = ()
    is_pile: bool = False  # the first part upon the second, else left of it


@dataclass(frozen=True)
class _Sheet:
    """What is to be packed into a rectangle, its margins taken off."""

    sizes: tuple[tuple[int, int], ...]  # width and height of each panel's picture
    ranks: tuple[int, ...]  # 0 for the most important; equal ones share one
    width: int
    height: int
    margin: int


def layout(
    panels: Sequence[Panel], width: int = WIDTH, height: int = HEIGHT, margin: int = MARGIN_PX
) -> list[Box]:
    """A place for each panel, in the order given, on which it does not depend.

    No two are nearer to each other or to the edge than `margin` pixels, shapes are kept to the pixel, no side is more than
    ENLARGED times the picture's, and a panel of more importance has no less area. The panels of one name are neighbours:
    they fill one rectangle, unless less than ENOUGH is covered so, and more otherwise. Raises CurateError where they do not fit.
    """
    if not panels:
        return []
    if len(panels) > MOST_PANELS:
        raise CurateError(f"sheet: found {len(panels)} panels, wanted at most {MOST_PANELS}")
    importances = sorted({panel.importance for panel in panels}, reverse=True)
    sheet = _Sheet(
        sizes=tuple((panel.picture.shape[1], panel.picture.shape[0]) for panel in panels),
        ranks=tuple(importances.index(panel.importance) for panel in panels),
        width=width - 2 * margin,
        height=height - 2 * margin,
        margin=margin,
    )
    blocks = _blocks(panels)
    together = _packed([_joined([_leaves(sheet, k) for k in block], sheet) for block in blocks], sheet)
    apart: list[Box] = []
    if coverage(together, width, height) < ENOUGH:
        apart = _packed([_leaves(sheet, k) for block in blocks for k in block], sheet)
    boxes = apart if coverage(apart, width, height) >= ENOUGH else together or apart
    if not boxes:
        raise CurateError(f"sheet: found {len(panels)} panels, wanted fewer on {width}x{height}")
    return [Box(*(side + margin for side in box)) for box in boxes]


def compose(panels: Sequence[Panel], boxes: Sequence[Box], width: int = WIDTH, height: int = HEIGHT) -> Image:
    """The sheet, (height, width, 3) uint8 RGB: every panel scaled into its box, and black."""
    sheet = np.zeros((height, width, 3), np.uint8)
    for panel, box in zip(panels, boxes, strict=True):
        across, down = box.right - box.left, box.bottom - box.top
        shrinks = across <= panel.picture.shape[1]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        sheet[box.top : box.bottom, box.left : box.right] = cv2.resize(
            panel.picture, (across, down), interpolation=method
        )
    return sheet


def overlaps(boxes: Sequence[Box], margin: int = 0) -> list[tuple[int, int]]:
    """The pairs of boxes that are nearer to each other than `margin` pixels, by their numbers."""
    return [
        (i, j)
        for (i, a), (j, b) in combinations(enumerate(boxes), 2)
        if a.left < b.right + margin
        and b.left < a.right + margin
        and a.top < b.bottom + margin
        and b.top < a.bottom + margin
    ]


def outside_black(sheet: Image, boxes: Sequence[Box], black: int = BLACK) -> float:
    """The share of the pixels outside all boxes that are not black: of which a channel is over `black`; 0 to 1."""
    outside = np.ones(sheet.shape[:2], bool)
    for box in boxes:
        outside[box.top : box.bottom, box.left : box.right] = False
    return float((sheet[outside] > black).any(axis=-1).mean()) if outside.any() else 0.0


def area_order(boxes: Sequence[Box], importances: Sequence[float]) -> list[tuple[int, int]]:
    """The pairs in which the first is more important and yet smaller, by their numbers."""
    areas = [_area(box) for box in boxes]
    numbers = range(len(boxes))
    return [
        (i, j) for i in numbers for j in numbers if importances[i] > importances[j] and areas[i] < areas[j]
    ]


def coverage(boxes: Sequence[Box], width: int = WIDTH, height: int = HEIGHT) -> float:
    """The share of the sheet that is panels, 0 to 1."""
    return sum(_area(box) for box in boxes) / (width * height)


def _area(box: Box) -> int:
    return (box.right - box.left) * (box.bottom - box.top)


def _blocks(panels: Sequence[Panel]) -> list[list[int]]:
    """Numbers of the panels by element, the most important element first, and in it the most important panel."""
    most = {p.name: max(q.importance for q in panels if q.name == p.name) for p in panels}

    def key(number: int) -> tuple[float | str | bytes, ...]:
        one = panels[number]
        return (
            -most[one.name],
            one.name,
            -one.importance,
            one.kind,
            str(one.picture.shape),
            sha256(one.picture.tobytes()).digest(),
        )

    ordered = sorted(range(len(panels)), key=key)
    return [list(numbers) for _, numbers in groupby(ordered, key=lambda number: panels[number].name)]


def _packed(items: Sequence[Sequence[_Tree]], sheet: _Sheet) -> list[Box]:
    """A box for every panel by the best tree over all items; no box where there is no tree."""
    best = max(_joined(items, sheet), key=lambda tree: _worth(tree, sheet), default=None)
    return [] if best is None else _boxes(dict(_fitted(best, sheet)), sheet)


def _leaves(sheet: _Sheet, panel: int) -> list[_Tree]:
    """A panel in places of its own shape, and of wider and narrower ones, in which it leaves some free."""
    width, height = sheet.sizes[panel]
    free = FREE if len(sheet.sizes) <= MANY else (0.0,)
    return [_Tree(width / height * 2**octaves, 0.0, 1, panel) for octaves in free]


def _joined(items: Sequence[Sequence[_Tree]], sheet: _Sheet) -> list[_Tree]:
    """The best tree of every shape over all items, for each of which there is a choice of trees."""
    runs = {(k, k + 1): list(item) for k, item in enumerate(items)}
    for length in range(2, len(items) + 1):
        for start in range(len(items) - length + 1):
            end = start + length
            found = (
                tree
                for middle in range(start + 1, end)
                for one in runs[start, middle]
                for other in runs[middle, end]
                for tree in (_beside(one, other, sheet.margin), _upon(one, other, sheet.margin))
            )
            runs[start, end] = _best_of_each_shape(found, sheet)
    return runs[0, len(items)]


def _beside(one: _Tree, other: _Tree, margin: int) -> _Tree:
    return _Tree(
        one.grow + other.grow, one.more + other.more + margin, one.panels + other.panels, parts=(one, other)
    )


def _upon(one: _Tree, other: _Tree, margin: int) -> _Tree:
    grow = 1 / (1 / one.grow + 1 / other.grow)
    more = grow * (one.more / one.grow + other.more / other.grow - margin)
    return _Tree(grow, more, one.panels + other.panels, parts=(one, other), is_pile=True)


def _best_of_each_shape(trees: Iterator[_Tree], sheet: _Sheet) -> list[_Tree]:
    best: dict[int, tuple[float, _Tree]] = {}
    for tree in trees:
        worth = _worth(tree, sheet)
        shape = round(SHAPES * math.log2(tree.grow))
        if worth > 0 and (shape not in best or worth > best[shape][0]):
            best[shape] = worth, tree
    return [tree for _, (_, tree) in sorted(best.items())]


def _fitted(tree: _Tree, sheet: _Sheet) -> Iterator[tuple[int, Place]]:
    """Every panel's place when the tree is as large as its share of the panels, in the middle of the sheet."""
    height = min(sheet.height, (sheet.width - tree.more) / tree.grow)
    if tree.panels < len(sheet.sizes):  # of the heights h with (grow * h + more) * h = share
        share, half = sheet.width * sheet.height * tree.panels / len(sheet.sizes), tree.more / tree.grow / 2
        height = min(height, math.sqrt(share / tree.grow + half**2) - half)
    width = tree.grow * height + tree.more
    return _places(
        tree, ((sheet.width - width) / 2, (sheet.height - height) / 2, width, height), sheet.margin
    )


def _places(tree: _Tree, place: Place, margin: int) -> Iterator[tuple[int, Place]]:
    if not tree.parts:
        yield tree.panel, place
        return
    left, top, width, height = place
    for part in tree.parts:
        across = width if tree.is_pile else part.grow * height + part.more
        down = (width - part.more) / part.grow if tree.is_pile else height
        yield from _places(part, (left, top, across, down), margin)
        left, top = (left, top + down + margin) if tree.is_pile else (left + across + margin, top)


def _worth(tree: _Tree, sheet: _Sheet) -> float:
    """The sum of the panels' areas to the power EVEN, once each is as small as it must be; 0 where one has no room."""
    places = list(_fitted(tree, sheet))
    total, limit, rank, next_limit = 0.0, math.inf, -1, math.inf
    for number, (_, _, width, height) in sorted(places, key=lambda each: sheet.ranks[each[0]]):
        if min(width, height) < 1:
            return 0.0
        if sheet.ranks[number] != rank:
            rank, limit = sheet.ranks[number], next_limit
        across, down = sheet.sizes[number]
        area = min(min(width / across, height / down, ENLARGED) ** 2 * across * down, limit)
        next_limit = min(next_limit, area)
        total += area**EVEN
    return total


def _boxes(places: dict[int, Place], sheet: _Sheet) -> list[Box]:
    """Whole pixels: the largest of each panel's shape in its place that is not larger than a more important one."""
    boxes: dict[int, Box] = {}
    for number in sorted(places, key=lambda each: sheet.ranks[each]):
        more_important = (_area(box) for k, box in boxes.items() if sheet.ranks[k] < sheet.ranks[number])
        boxes[number] = _box(places[number], sheet.sizes[number], min(more_important, default=math.inf))
    return [boxes[number] for number in range(len(boxes))]


def _box(place: Place, size: tuple[int, int], limit: float) -> Box:
    left, top = math.ceil(place[0] - 1e-6), math.ceil(place[1] - 1e-6)
    room = math.floor(place[0] + place[2] + 1e-6) - left, math.floor(place[1] + place[3] + 1e-6) - top
    across, down = next(
        (across, down)
        for across, down in _scaled(size)
        if (across <= room[0] and down <= room[1] and across * down <= limit) or max(across, down) == 1
    )
    left, top = left + (room[0] - across) // 2, top + (room[1] - down) // 2
    return Box(left, top, left + across, top + down)


def _scaled(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """A size in all scales, from the largest."""
    longer = max(size)
    for side in range(int(ENLARGED * longer), 0, -1):
        yield max(1, round(size[0] * side / longer)), max(1, round(size[1] * side / longer))
