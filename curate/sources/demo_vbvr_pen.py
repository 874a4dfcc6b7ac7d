"""Drawing for the VBVR demo: a white board of 1000 by 1000 units, its colours, its shapes and its clock."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from curate.sources.demo_pen import SUBPIXEL_BITS, Colour, Pen, Points, arc, shade

Parameters = dict[str, Any]  # what JSON can spell: everything a drawing and its caption depend on
Choice = TypeVar("Choice")

UNITS = 1000.0
FINENESS = 2  # round lines of short pieces look bumpy with the anti-aliasing of OpenCV alone
WHITE: Colour = (255, 255, 255)
PAPER: Colour = (244, 245, 247)  # panels on the white ground
PALE: Colour = (208, 212, 218)  # lines of grids, places that wait for something
GREY: Colour = (150, 155, 164)
INK: Colour = (46, 50, 60)
RED: Colour = (214, 66, 58)
GREEN: Colour = (64, 164, 98)
YELLOW: Colour = (244, 200, 66)
BLUE: Colour = (58, 118, 200)
ORANGE: Colour = (238, 138, 48)

PALETTE: Mapping[str, Colour] = {
    "red": RED, "orange": ORANGE, "yellow": YELLOW, "green": GREEN, "teal": (46, 164, 170),
    "blue": BLUE, "purple": (134, 88, 184), "pink": (232, 128, 172), "brown": (142, 96, 62),
}  # fmt: skip
TINT_SPREAD = 9  # how far a channel may be from the palette's: small enough that the name stays true


class Drawing(NamedTuple):
    """One generator: its choices, its caption from them, and how they are drawn."""

    choose: Callable[[np.random.Generator], Parameters]
    caption: Callable[[Parameters], str]
    ground: Callable[["Board", Parameters], None]  # what never changes, drawn once
    paint: Callable[
        ["Board", Parameters, float], None
    ]  # on top of it, the rest when `done` of the action is over
    least_frames: int = 40


class Board(Pen):
    """A white square in units of a thousandth of its side, drawn at FINENESS times the wanted size."""

    def __init__(self, size: int) -> None:
        fine = FINENESS * size
        super().__init__(np.full((fine, fine, 3), 255, np.uint8), fine / UNITS)
        self.ground = self.image.copy()

    def keep(self) -> None:
        """What is drawn so far is the ground from now on."""
        self.ground[:] = self.image

    def wipe(self) -> None:
        """Take away all but the ground."""
        self.image[:] = self.ground

    def show(self, picture: npt.NDArray[np.uint8]) -> None:
        """Put what is drawn into a picture of the wanted size, (size, size, 3) RGB."""
        cv2.resize(self.image, picture.shape[:2], picture, interpolation=cv2.INTER_AREA)

    def disc(self, x: float, y: float, radius: float, colour: Colour, edge: Colour | None = None) -> None:
        """A filled circle, with a thin edge if it has a colour."""
        if edge is not None:
            self._circle(x, y, radius + 2.5, edge, cv2.FILLED)
            radius -= 2.5
        self._circle(x, y, radius, colour, cv2.FILLED)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        """A circle that is empty inside."""
        self._circle(x, y, radius, colour, self._thickness(width))

    def block(
        self,
        box: Sequence[float],
        colour: Colour,
        edge: Colour | None = None,
        corner: float = 10,
        width: float = 5,
    ) -> None:
        """A rectangle (left, top, right, bottom) with rounded corners, with an edge if it has a colour."""
        outline = rounded_box(box, corner)
        self.fill(outline, colour)
        if edge is not None:
            self.line(outline, width, edge, closed=True)

    def shape(
        self, name: str, x: float, y: float, radius: float, colour: Colour, turn: float = 0, filled: float = 1
    ) -> None:
        """One of SHAPES turned clockwise by `turn` degrees; `filled` 0 leaves its outline on a panel."""
        points = placed(name, x, y, radius, turn)
        self.fill(points, mixed(PAPER, colour, filled))
        edge = mixed(colour, shade(colour, 0.75), filled)
        self.line(points, 10 - 4 * filled, edge, closed=True)

    def dashes(
        self, points: Points, width: float, colour: Colour, closed: bool = True, dash: float = 22
    ) -> None:
        """A line of dashes through `points`."""
        corners = np.vstack([points, points[:1]]) if closed else points
        lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(lengths)])
        count = max(2, round(along[-1] / (2 * dash)))
        stops = (np.arange(count)[:, None] + np.linspace(0, 0.5, 5)) * along[-1] / count  # (count, 5)
        bent = np.stack([np.interp(stops, along, corners[:, axis]) for axis in (0, 1)], axis=2)
        lines = list(self._pixels(bent))
        cv2.polylines(self.image, lines, False, colour, self._thickness(width), cv2.LINE_AA, SUBPIXEL_BITS)

    def arrow(
        self, start: npt.ArrayLike, end: npt.ArrayLike, colour: Colour, width: float = 8, head: float = 30
    ) -> None:
        """A straight arrow whose tip is at `end`."""
        tail, tip = np.asarray(start, float), np.asarray(end, float)
        ahead = (tip - tail) / np.linalg.norm(tip - tail)
        aside = np.array([-ahead[1], ahead[0]]) * head * 0.5
        base = tip - ahead * head
        self.line(np.stack([tail, base + ahead * width / 2]), width, colour)
        self.fill(np.stack([tip, base + aside, base - aside]), colour)

    def text(
        self, x: float, y: float, words: str, height: float, colour: Colour = INK, bold: bool = True
    ) -> None:
        """Words whose box is centred on (x, y); `height` is the size of the font."""
        mask = _lettering(words, max(7, round(height * self.unit_px)), bold)  # (H, W) from 0 to 1
        tall, wide = mask.shape
        left, top = round(x * self.unit_px - wide / 2), round(y * self.unit_px - tall / 2)
        rows, columns = _visible(top, tall, self.image.shape[0]), _visible(left, wide, self.image.shape[1])
        part = mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left, None]
        under = self.image[rows, columns]
        self.image[rows, columns] = np.rint(under + part * (np.array(colour, np.float32) - under)).astype(
            np.uint8
        )

    def tick(self, x: float, y: float, size: float, colour: Colour = GREEN) -> None:
        """A check mark."""
        marks = np.array([[-0.5, 0.0], [-0.12, 0.4], [0.55, -0.45]]) * size + (x, y)
        self.line(marks, size * 0.26, colour)

    def cross(self, x: float, y: float, size: float, colour: Colour = RED) -> None:
        """A mark that says no."""
        for slant in (-1, 1):
            stroke = np.array([[-0.42, -0.42 * slant], [0.42, 0.42 * slant]]) * size + (x, y)
            self.line(stroke, size * 0.26, colour)

    def _circle(self, x: float, y: float, radius: float, colour: Colour, thickness: int) -> None:
        fixed = 1 << SUBPIXEL_BITS
        centre = (round(x * self.unit_px * fixed), round(y * self.unit_px * fixed))
        reach = max(1, round(radius * self.unit_px * fixed))
        cv2.circle(self.image, centre, reach, colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def _thickness(self, width: float) -> int:
        return max(1, round(width * self.unit_px))


@lru_cache(maxsize=512)
def _lettering(words: str, size_px: int, bold: bool) -> npt.NDArray[np.float32]:
    """How much ink the words leave in each pixel of their box, (H, W)."""
    font = ImageFont.load_default(size_px)
    stroke = size_px / 28 if bold else 0
    left, top, right, bottom = (round(edge) for edge in font.getbbox(words, stroke_width=stroke))
    sheet = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(sheet).text((2 - left, 2 - top), words, 255, font, stroke_width=stroke)
    box = sheet.getbbox() or (0, 0, 1, 1)
    ink = np.asarray(sheet.crop(box)).astype(np.float32)
    ink /= 255
    return ink


def _visible(start: int, length: int, limit: int) -> slice:
    return slice(min(limit, max(0, start)), max(0, min(limit, start + length)))


def _regular(corners: int, turn: float = -90) -> Points:
    angles = np.radians(turn + 360 / corners * np.arange(corners))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star() -> Points:
    spokes = _regular(10)
    spokes[1::2] *= 0.45
    return spokes


def _heart() -> Points:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    across = 16 * np.sin(angle) ** 3
    up = 13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle)
    return np.stack([across, -up], axis=1)


def _even(points: Points | list[list[float]]) -> Points:
    """Around its centre of mass, with about the area of a disc of radius 0.85 and no point far beyond 1.1."""
    points = np.asarray(points, np.float64)
    following = np.roll(points, -1, axis=0)
    cross = points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]
    area = cross.sum() / 2
    points = points - ((points + following) * cross[:, None]).sum(axis=0) / (6 * area)
    reach = float(np.linalg.norm(points, axis=1).max())
    even: Points = points * min(np.sqrt(np.pi) * 0.85 / np.sqrt(abs(area)), 1.12 / reach)
    return even


SHAPES: Mapping[str, Points] = {
    "circle": _even(_regular(48)),
    "square": _even(_regular(4, -45)),
    "triangle": _even(_regular(3)),
    "diamond": _even([[0, -1.3], [0.85, 0], [0, 1.3], [-0.85, 0]]),
    "pentagon": _even(_regular(5)),
    "hexagon": _even(_regular(6, 0)),
    "octagon": _even(_regular(8, 22.5)),
    "star": _even(_star()),
    "heart": _even(_heart()),
    "arrow": _even([[-4, -1.5], [0, -1.5], [0, -3.4], [4, 0], [0, 3.4], [0, 1.5], [-4, 1.5]]),
    "plus": _even(
        [
            [-1, -3],
            [1, -3],
            [1, -1],
            [3, -1],
            [3, 1],
            [1, 1],
            [1, 3],
            [-1, 3],
            [-1, 1],
            [-3, 1],
            [-3, -1],
            [-1, -1],
        ]
    ),
    "trapezoid": _even([[-1.1, -1], [1.1, -1], [2, 1], [-2, 1]]),
    "semicircle": _even(arc(0, 0, 1, 1, np.pi, 2 * np.pi)),
    "L shape": _even([[-2, -3], [0, -3], [0, 1], [2.4, 1], [2.4, 3], [-2, 3]]),
    "T shape": _even([[-3, -3], [3, -3], [3, -1], [1, -1], [1, 3], [-1, 3], [-1, -1], [-3, -1]]),
}
ROUND = arc(0, 0, 1, 1)[
    np.r_[0:13:3, 12:25:3, 24:37:3, 36:49:3]
]  # a circle, twice where a straight side is put in
QUADRANTS = np.repeat(np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]), 5, axis=0)
LOPSIDED = ("triangle", "heart", "arrow", "trapezoid", "semicircle", "L shape", "T shape", "pentagon")
"""Shapes that look different after a turn."""


def placed(name: str, x: float, y: float, radius: float, turn: float = 0) -> Points:
    """The corners of a shape on the board; `turn` is in degrees, clockwise."""
    angle = np.radians(turn)
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points: Points = radius * SHAPES[name] @ axes + (x, y)
    return points


def rounded_box(box: Sequence[float], corner: float) -> Points:
    """The outline of a rectangle (left, top, right, bottom) with rounded corners."""
    left, top, right, bottom = box
    corner = max(0.1, min(corner, (right - left) / 2, (bottom - top) / 2))
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    inner = np.array([(right - left) / 2 - corner, (bottom - top) / 2 - corner])
    outline: Points = middle + QUADRANTS * inner + corner * ROUND
    return outline


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """The colour between two, at `share` of the way."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def rgb(channels: Sequence[int]) -> Colour:
    """A colour that came as a list from parameters."""
    red, green, blue = channels
    return red, green, blue


def tint(draw: np.random.Generator, name: str) -> list[int]:
    """A colour near the one of that name, as parameters spell it."""
    return [
        int(np.clip(channel + draw.integers(-TINT_SPREAD, TINT_SPREAD + 1), 0, 255))
        for channel in PALETTE[name]
    ]


def name_of(channels: Sequence[int]) -> str:
    """The name in the palette of the nearest colour."""
    return min(
        PALETTE, key=lambda name: sum((a - b) ** 2 for a, b in zip(PALETTE[name], channels, strict=True))
    )


def pick(draw: np.random.Generator, options: Sequence[Choice]) -> Choice:
    """One of the options."""
    return options[int(draw.integers(len(options)))]


def some(draw: np.random.Generator, options: Sequence[Choice], count: int) -> list[Choice]:
    """Different ones of the options, in random order."""
    return [options[place] for place in draw.permutation(len(options))[:count].tolist()]


def whole(draw: np.random.Generator, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both among them."""
    return int(draw.integers(low, high + 1))


def eased(share: float) -> float:
    """From 0 to 1 with a gentle start and stop; what lies outside stays at the ends."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def between(done: float, start: float, end: float) -> float:
    """How much of the time from `start` to `end` is over, eased."""
    return eased((done - start) / (end - start))


def steps(done: float, count: int) -> list[float]:
    """How much of each of `count` steps, one after the other, is over, eased."""
    return [eased(done * count - step) for step in range(count)]


def walked(places: Sequence[Sequence[float]], done: float) -> Points:
    """The way behind someone who walks from place to place with a short stop at each: (N, 2), the last is now."""
    walk = steps(done, len(places) - 1)
    now, behind = sum(walk), sum(step >= 1 for step in walk)
    corners = np.asarray(places, np.float64)
    here = [np.interp(now, np.arange(len(corners)), corners[:, axis]) for axis in (0, 1)]
    return np.vstack([corners[: behind + 1], [here]])


def a(noun: str) -> str:
    """The noun with its article, as in "an orange star"."""
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def constant(text: str) -> Callable[[Parameters], str]:
    """A caption that says the same of every sample."""
    return lambda _: text
