"""Solid bodies for the robots demo: an outline becomes a rounded, lit body of metal, lacquer, skin or glass.

Everything is drawn at FINENESS times the wanted size on an image with premultiplied alpha. Light is computed in
whole numbers or in operations that IEEE 754 rounds exactly, so that every machine gets the same picture.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, Self

import cv2
import numpy as np
import numpy.typing as npt

from curate.sources.demo_pen import SUBPIXEL_BITS, Colour, Frame, Pen, Points, arc, shade

Finish = Literal["lacquer", "matt", "metal", "skin", "glass"]
FINENESS = 2
HEIGHT = 4096.0  # of the highest point of a body, in steps that 16 bits hold
LIGHT = (-0.45, -0.60, 0.66)  # from the upper left, or right where a pen is `mirrored`
INK_SHADE = 0.22

SKY: tuple[tuple[float, Colour], ...] = (  # what polished metal mirrors, from straight down to straight up
    (0.00, (98, 98, 104)), (0.16, (150, 146, 142)), (0.34, (96, 96, 100)), (0.42, (52, 54, 60)),
    (0.50, (132, 138, 144)), (0.57, (222, 226, 230)), (0.72, (172, 184, 198)), (0.88, (214, 224, 236)),
    (1.00, (255, 255, 255)),
)  # fmt: skip


class Paint(NamedTuple):
    """A finish in a colour."""

    colour: Colour
    finish: Finish


class Clay(Pen):
    """A pen that also models solid bodies. `mirrored` has the light from the right."""

    mirrored = False
    ink = 0.0  # width of outlines, in pixels

    def moved(self, x: float, y: float, roll: float = 0.0, scale: float = 1.0) -> Self:
        """The same image with the origin at (x, y), turned clockwise by `roll` radians and scaled."""
        other = type(self)(self.image, self.unit_px * scale)
        other.centre_px = np.array([x, y]) @ self.axes + self.centre_px
        turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
        other.axes = scale * turn @ self.axes
        other.mirrored, other.ink = self.mirrored, self.ink
        return other

    def solid(
        self,
        outline: Points,
        paint: Paint,
        bevel: float = 0.4,
        within: Points | None = None,
        shadow: bool = True,
    ) -> None:
        """A body whose edge is rounded over `bevel` units; only what lies `within` another outline is there."""
        pixels = self._pixels(outline)
        reach = max(2.0, bevel * self.unit_px)
        box = self._box(pixels, margin=3)
        if box is None:
            return
        rows, columns = box
        origin = np.array([columns.start, rows.start]) << SUBPIXEL_BITS
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        cv2.fillPoly(mask, [pixels - origin], 255, cv2.LINE_8, SUBPIXEL_BITS)
        if within is not None:
            allowed = np.zeros_like(mask)
            cv2.fillPoly(allowed, [self._pixels(within) - origin], 255, cv2.LINE_8, SUBPIXEL_BITS)
            cv2.bitwise_and(mask, allowed, mask)
        if shadow:
            self._cast(mask, rows.start, columns.start, reach)
        light = lit(mask, reach, paint.finish == "metal", self.mirrored)
        inks = ramp(paint)[light]  # (H, W) uint32
        np.copyto(self.image[rows, columns].view(np.uint32)[..., 0], inks, where=mask > 0)
        edge = max(1, round(self.ink)) if self.ink else 1
        if within is None:
            dark = shade(paint.colour, INK_SHADE if self.ink else 0.5)
            cv2.polylines(self.image, [pixels], True, self._ink(dark), edge, cv2.LINE_AA, SUBPIXEL_BITS)

    def ball(self, x: float, y: float, across: float, down: float, paint: Paint, shadow: bool = True) -> None:
        """A solid ellipse around (x, y)."""
        self.solid(arc(x, y, across, down), paint, min(across, down), shadow=shadow)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float = 0.8) -> None:
        """Light around (x, y), added to what is there and to what will be behind."""
        centre = np.array([[x, y]]) @ self.axes + self.centre_px
        reach_px = radius * self.unit_px
        corners = np.concatenate([centre - reach_px, centre + reach_px]) * (1 << SUBPIXEL_BITS)
        box = self._box(np.round(corners).astype(np.int32), margin=1)
        if box is None:
            return
        rows, columns = box
        down = (np.arange(rows.start, rows.stop) - centre[0, 1]) / reach_px
        along = (np.arange(columns.start, columns.stop) - centre[0, 0]) / reach_px
        near = np.clip(1 - down[:, None] ** 2 - along[None] ** 2, 0, 1) ** 3 * strength  # (H, W)
        light = (near[..., None] * np.array([*colour, 0])).astype(np.uint8)
        part = self.image[rows, columns]
        part[:] = cv2.add(part, light)

    def groove(self, points: Points, colour: Colour, width: float = 0.02) -> None:
        """A line cut into a body: dark, with a light edge on its far side."""
        pixel = FINENESS / self.unit_px
        self.line(points + 0.6 * pixel, width, shade(colour, 1.35))
        self.line(points, width, shade(colour, 0.32))

    def _box(self, pixels: npt.NDArray[np.int32], margin: int) -> tuple[slice, slice] | None:
        """Rows and columns of the image around these places, None when all lie outside."""
        flat = pixels.reshape(-1, 2) >> SUBPIXEL_BITS
        left, top = flat.min(axis=0).tolist()
        right, bottom = flat.max(axis=0).tolist()
        tall, wide = self.image.shape[:2]
        rows = slice(max(0, top - margin), min(tall, bottom + margin + 1))
        columns = slice(max(0, left - margin), min(wide, right + margin + 1))
        return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None

    def _cast(self, mask: Frame, top: int, left: int, reach: float) -> None:
        """Darken what lies below the body and a little further down."""
        step = max(2, min(8, int(reach / 8)))
        far = max(2, min(round(reach * 0.35), round(0.16 * self.unit_px)))
        grown = cv2.copyMakeBorder(mask, far, far, far, far, cv2.BORDER_CONSTANT)
        tall, wide = grown.shape
        small = cv2.resize(grown, (-(-wide // step), -(-tall // step)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), max(0.8, far / step / 2))
        dark = cv2.resize(small, (wide, tall), interpolation=cv2.INTER_LINEAR_EXACT)
        side = -far // 2 if self.mirrored else far // 2
        y, x = top - far + far, left - far + side  # it falls down by `far`
        rows = slice(max(0, y), min(self.image.shape[0], y + tall))
        columns = slice(max(0, x), min(self.image.shape[1], x + wide))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        part = self.image[rows, columns]
        kept = 255 - (dark[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x] >> 1)
        full = np.full_like(kept, 255)
        part[:] = cv2.multiply(part, cv2.merge([kept, kept, kept, full]), scale=1 / 255)


def lit(mask: Frame, reach_px: float, mirror: bool, mirrored: bool) -> Frame:
    """How light each pixel of a body is, (H, W) from 0 to 255; of a mirror, how far up it looks.

    The body's height rises from its edge as a quarter circle of `reach_px`.
    """
    step = max(1, min(4, int(reach_px / 10)))
    tall, wide = mask.shape
    small = cv2.resize(mask, (-(-wide // step), -(-tall // step)), interpolation=cv2.INTER_AREA)
    reach = reach_px / step
    away = cv2.distanceTransform((small > 127).astype(np.uint8), cv2.DIST_L2, 5)
    inward = np.minimum(np.rint(away * 16) / np.float32(16 * reach), 1)
    height = np.rint(np.sqrt(inward * (2 - inward)) * HEIGHT).astype(np.uint16)
    height = cv2.GaussianBlur(height, (0, 0), max(0.7, (0.34 if mirror else 0.24) * reach))
    slope = np.float32(reach / HEIGHT / 8)
    right = cv2.Sobel(height, cv2.CV_32F, 1, 0) * -slope
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1) * -slope
    front = 1 / np.sqrt(right * right + down * down + 1)  # the normal is (right, down, 1) * front
    if mirrored:
        right = -right
    fall = np.linspace(1, -1, len(small), dtype=np.float32)[:, None]  # flat sides get darker downwards
    if mirror:
        value = 0.66 - front * front * (0.98 * down + 0.3 * right) + 0.1 * fall
    else:
        towards = front * (right * LIGHT[0] + down * LIGHT[1] + LIGHT[2])
        value = 0.5 + 0.5 * towards + 0.05 * fall
    level = np.rint(np.clip(value, 0, 1) * 255).astype(np.uint8)
    whole: Frame = cv2.resize(level, (wide, tall), interpolation=cv2.INTER_LINEAR_EXACT)
    return whole


@lru_cache(maxsize=256)
def ramp(paint: Paint) -> npt.NDArray[np.uint32]:
    """The ink for each of the 256 levels of light, RGBA in the order of bytes of an image."""
    stops = SKY if paint.finish == "metal" else _stops(paint)
    places, colours = [stop for stop, _ in stops], np.array([colour for _, colour in stops], np.float64)
    levels = np.arange(256) / 255
    rgb = np.stack([np.interp(levels, places, colours[:, channel]) for channel in range(3)], axis=1)
    if paint.finish == "metal":
        tint = np.array(paint.colour) / 255
        gloss = np.clip((levels[:, None] - 0.8) / 0.2, 0, 1)
        rgb *= tint * (1 - 0.7 * gloss) + 0.7 * gloss  # the lightest reflections lose the metal's colour
    inks = np.full((256, 4), 255, np.uint8)
    inks[:, :3] = np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)
    return inks.view(np.uint32)[:, 0]


def _stops(paint: Paint) -> Sequence[tuple[float, Colour]]:
    """Shadow with some light from below, the colour itself, and a highlight that tells how smooth it is."""
    base = paint.colour
    cool = mixed(shade(base, 0.42), (52, 60, 104), 0.25)
    bounce = mixed(shade(base, 0.62), (104, 116, 150), 0.2)
    body = [(0.0, bounce), (0.28, cool), (0.58, shade(base, 0.74)), (0.8, base)]
    if paint.finish == "lacquer":
        shine = [
            (0.9, mixed(base, WHITE, 0.22)),
            (0.945, mixed(base, WHITE, 0.34)),
            (0.965, mixed(base, WHITE, 0.9)),
        ]
        return [*body, *shine, (1.0, WHITE)]
    if paint.finish == "skin":
        warm = mixed(shade(base, 0.5), (96, 40, 60), 0.3)
        soft = [(0.0, mixed(bounce, warm, 0.5)), (0.3, warm), (0.62, shade(base, 0.86)), (0.82, base)]
        return [*soft, (0.97, mixed(base, WHITE, 0.22)), (1.0, mixed(base, WHITE, 0.42))]
    if paint.finish == "glass":
        deep = [
            (0.0, mixed(base, WHITE, 0.3)),
            (0.2, base),
            (0.5, shade(base, 0.55)),
            (0.84, shade(base, 0.8)),
        ]
        return [*deep, (0.93, mixed(base, WHITE, 0.25)), (0.95, mixed(base, WHITE, 0.85)), (1.0, WHITE)]
    return [*body, (1.0, mixed(base, WHITE, 0.3))]


WHITE: Colour = (255, 255, 255)


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """The colour between two, at `share` of the way."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def both(half: Sequence[Sequence[float]]) -> Points:
    """The outline whose right half is given from top to bottom."""
    right = np.asarray(half, np.float64)
    return np.concatenate([right, right[::-1] * [-1, 1]])


def tapered(start: npt.ArrayLike, end: npt.ArrayLike, first: float, last: float) -> Points:
    """The outline of a limb between two places with these radii."""
    foot, tip = np.asarray(start, np.float64), np.asarray(end, np.float64)
    along = tip - foot
    length = float(np.sqrt(along @ along)) or 1.0
    ahead = along / length
    aside = np.array([-ahead[1], ahead[0]])
    turn = np.linspace(-np.pi / 2, np.pi / 2, 13)[:, None]
    round_end = tip + last * (np.cos(turn) * ahead + np.sin(turn) * aside)
    round_start = foot - first * (np.cos(turn) * ahead + np.sin(turn) * aside)
    outline: Points = np.concatenate([round_end, round_start])
    return outline


def xy(place: Points) -> tuple[float, float]:
    """A place as two numbers."""
    x, y = place.tolist()
    return x, y


def squared(across: float, down: float, power: float, x: float = 0.0, y: float = 0.0) -> Points:
    """A superellipse: an ellipse for power 2, nearer a box the larger it is."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    right = np.sign(cosine) * np.abs(cosine) ** (2 / power)
    below = np.sign(sine) * np.abs(sine) ** (2 / power)
    return np.stack([x + across * right, y + down * below], axis=1)
