"""Drawing for the demo source: filled shapes and lines at subpixel places. Colours are RGB."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
Frame = npt.NDArray[np.uint8]  # (H, W, C)
Points = npt.NDArray[np.float64]  # (N, 2), x to the right and y down
SUBPIXEL_BITS = 4


class Pen:
    """Draws on an image of 3 or 4 channels in units of its own.

    One unit is `unit_px` pixels, the origin lies at `centre_px`, and the axes are turned clockwise by `roll`
    radians. On 4 channels what is drawn is opaque, so that the image is one with premultiplied alpha.
    """

    def __init__(
        self, image: Frame, unit_px: float, centre_px: tuple[float, float] = (0.0, 0.0), roll: float = 0.0
    ) -> None:
        self.image = image
        self.unit_px = unit_px
        self.centre_px = np.asarray(centre_px)
        self.axes = unit_px * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])

    def fill(self, points: Points, colour: Colour) -> None:
        """The polygon through `points`."""
        cv2.fillPoly(self.image, [self._pixels(points)], self._ink(colour), cv2.LINE_AA, SUBPIXEL_BITS)

    def oval(self, x: float, y: float, across: float, down: float, colour: Colour) -> None:
        """An ellipse around (x, y) with these half axes."""
        self.fill(arc(x, y, across, down), colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A rectangle."""
        self.fill(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), colour)

    def line(self, points: Points, width: float, colour: Colour, closed: bool = False) -> None:
        """A line through `points`, at least one pixel wide."""
        thickness = max(1, round(width * self.unit_px))
        ink = self._ink(colour)
        cv2.polylines(self.image, [self._pixels(points)], closed, ink, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def _pixels(self, points: Points) -> npt.NDArray[np.int32]:
        pixels = points @ self.axes + self.centre_px
        fixed: npt.NDArray[np.int32] = np.round(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
        return fixed

    def _ink(self, colour: Colour) -> Sequence[int]:
        return (*colour, 255)[: self.image.shape[2]]


def arc(x: float, y: float, across: float, down: float, start: float = 0.0, end: float = 2 * np.pi) -> Points:
    """Points on an ellipse from angle `start` to `end`; 0 points right, growing clockwise (y is down)."""
    angle = np.linspace(start, end, 49)
    return np.stack([x + across * np.cos(angle), y + down * np.sin(angle)], axis=1)


def rounded(points: Points) -> Points:
    """The polygon with its corners cut twice (Chaikin 1974)."""
    for _ in range(2):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1).reshape(
            -1, 2
        )
    return points


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor < 1) or lighter (> 1)."""
    red, green, blue = (min(255, max(0, round(channel * factor))) for channel in colour)
    return red, green, blue
