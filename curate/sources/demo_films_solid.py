"""Solid bodies for the demo films: limbs and turned shapes, seen from the front without perspective, nearest first.

Lengths are in units of half a head, x to the right, y down, z to the viewer. A shape turned by a yaw shows more of
what was on its left, as the heads do.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from curate.sources.demo_films_face import linear
from curate.sources.demo_films_head import shaded
from curate.sources.demo_films_skull import UNIT_PX
from curate.sources.demo_pen import Colour, Frame

Floats = npt.NDArray[Any]  # of float32, or float64 on the way
Place = tuple[float, float, float]
Painter = Callable[
    [Floats, Floats], npt.NDArray[np.float32]
]  # directions (H, W), heights (H, 1) -> (H, W, 3)
EDGE_PX = 0.75
FAR = np.float32(-1e6)


class Turn(NamedTuple):
    """Around the upright axis."""

    sine: float
    cosine: float

    def place(self, place: Place) -> Place:
        """Where a place of the body lies for the viewer."""
        x, y, z = place
        return x * self.cosine + z * self.sine, y, z * self.cosine - x * self.sine


AHEAD = Turn(0.0, 1.0)


def turned(yaw_deg: float) -> Turn:
    """To the right of the picture."""
    return Turn(float(np.sin(np.radians(yaw_deg))), float(np.cos(np.radians(yaw_deg))))


class Solids:
    """What is seen of solid bodies in a picture from `left`, `top` to `right`, `bottom`."""

    def __init__(
        self, left: float, top: float, right: float, bottom: float, unit_px: float = UNIT_PX
    ) -> None:
        self.unit_px, self.left, self.top = unit_px, left, top
        self.shape = round((bottom - top) * unit_px), round((right - left) * unit_px)
        self.depth = np.full(self.shape, FAR, np.float32)
        self.normal = np.zeros((*self.shape, 3), np.float32)
        self.paint = np.zeros((*self.shape, 3), np.float32)
        self.gloss = np.zeros(self.shape, np.float32)

    def _window(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        rows = (top - self.top) * self.unit_px, (bottom - self.top) * self.unit_px
        columns = (left - self.left) * self.unit_px, (right - self.left) * self.unit_px
        tall, wide = self.shape
        return (
            slice(min(max(0, int(rows[0])), tall), min(max(0, int(rows[1]) + 2), tall)),
            slice(min(max(0, int(columns[0])), wide), min(max(0, int(columns[1]) + 2), wide)),
        )

    def _axes(self, part: tuple[slice, slice]) -> tuple[Floats, Floats]:
        """Heights (H, 1) and places along x (1, W) of the pixels of a part."""
        rows, columns = part
        y = self.top + (np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5) / self.unit_px
        x = self.left + (np.arange(columns.start, columns.stop, dtype=np.float32)[None] + 0.5) / self.unit_px
        return y.astype(np.float32), x.astype(np.float32)

    def limb(
        self, start: Place, end: Place, first: float, last: float, colour: Colour, gloss: float = 0.03
    ) -> None:
        """A rounded rod between two places with a radius at each (the round cone of I. Quilez, rays along z)."""
        ends, radii = np.array([start, end]), np.array([[first], [last]])
        low, high = (ends - radii).min(axis=0).tolist(), (ends + radii).max(axis=0).tolist()
        part = self._window(low[0], low[1], high[0], high[1])
        y, x = self._axes(part)
        x, y = x - np.float32(start[0]), y - np.float32(start[1])
        ax, ay, az = (ends[1] - ends[0]).tolist()
        z, normal = _caps(x, y, (start[2], end[2]), (ax, ay), (first, last))
        square, taper = ax * ax + ay * ay + az * az, first - last
        slant = square - taper * taper
        if slant - az * az > 1e-4:
            along = x * ax + y * ay - start[2] * az
            k1 = slant * start[2] + along * az - az * taper * first
            far = x * x + y * y + start[2] ** 2
            k0 = slant * far - along**2 + along * (taper * first * 2) - square * first**2
            left_over = k1 * k1 - k0 * (slant - az * az)
            t = (np.sqrt(np.clip(left_over, 0, None)) + k1) / (az * az - slant)
            place = along - first * taper - t * az
            side = (left_over > 0) & (place > 0) & (place < slant)
            touched = slant * x - ax * place, slant * y - ay * place, -slant * (start[2] + t) - az * place
            length = np.sqrt(touched[0] ** 2 + touched[1] ** 2 + touched[2] ** 2) + 1e-6
            z = np.where(side, -t, z)
            normal = [np.where(side, new / length, old) for new, old in zip(touched, normal, strict=True)]
        self._put(part, z > self.depth[part], z, np.stack(normal, axis=-1), linear(colour), gloss)

    def ball(self, centre: Place, radius: float, colour: Colour, gloss: float = 0.03) -> None:
        """A sphere."""
        cx, cy, cz = centre
        part = self._window(cx - radius, cy - radius, cx + radius, cy + radius)
        y, x = self._axes(part)
        right, down = (x - cx) / radius, (y - cy) / radius
        ahead = 1 - right * right - down * down
        z = np.sqrt(np.clip(ahead, 0, None))
        near = (ahead > 0) & (cz + z * radius > self.depth[part])
        normal = np.stack(np.broadcast_arrays(right, down, z), axis=-1)
        self._put(part, near, cz + z * radius, normal, linear(colour), gloss)

    def lathe(
        self,
        profile: Sequence[tuple[float, float, float]],  # (height, half width, half depth) downwards
        paint: Painter | Colour,
        turn: Turn = AHEAD,
        centre: Place = (0.0, 0.0, 0.0),
        gloss: float = 0.03,
    ) -> None:
        """Level ellipses on top of each other, on the axis through `centre`, turned."""
        cx, cy, cz = turn.place(centre)
        heights, across, deep = np.array(profile).T
        reach = float(max(across.max(), deep.max()))
        part = self._window(cx - reach, heights[0] + cy, cx + reach, heights[-1] + cy)
        y, x = self._axes(part)
        y, x = y - np.float32(cy), x - np.float32(cx)
        half, depth = (_smooth(y, heights, values, self.unit_px) for values in (across, deep))
        s, c = np.float32(turn.sine), np.float32(turn.cosine)
        narrow, shallow = 1 / half**2, 1 / depth**2
        square, middle = s * s * narrow + c * c * shallow, x * s * c * (shallow - narrow)
        left_over = middle**2 - square * (x * x * (c * c * narrow + s * s * shallow) - 1)
        inside = (left_over > 0) & (y >= heights[0]) & (y <= heights[-1])
        z = (np.sqrt(np.clip(left_over, 0, None)) - middle) / square
        near = inside & (z + cz > self.depth[part])
        own_x, own_z = x * c - z * s, x * s + z * c  # of the shape before it was turned
        slope, slope_deep = _slope(half, self.unit_px), _slope(depth, self.unit_px)
        nx, nz = own_x * narrow, own_z * shallow
        ny = -(slope * own_x**2 * narrow / half + slope_deep * own_z**2 * shallow / depth)
        normal = np.stack([nx * c + nz * s, ny, nz * c - nx * s], axis=-1)
        normal /= np.sqrt((normal**2).sum(axis=-1, keepdims=True)) + 1e-6
        colours = paint(np.arctan2(own_x, own_z), y) if callable(paint) else linear(paint)
        self._put(part, near, z + cz, normal, colours, gloss)

    def _put(
        self,
        part: tuple[slice, slice],
        near: npt.NDArray[np.bool_],
        z: Floats,
        normal: Floats,
        paint: Floats,
        gloss: float,
    ) -> None:
        near3 = near[..., None]
        np.copyto(self.depth[part], z, where=near, casting="same_kind")
        np.copyto(self.normal[part], normal, where=near3, casting="same_kind")
        np.copyto(self.paint[part], paint, where=near3, casting="same_kind")
        self.gloss[part][near] = gloss

    def picture(self) -> Frame:
        """What is seen, (H, W, 4) RGB with premultiplied alpha."""
        seen = self.depth > FAR
        image = np.zeros((*self.shape, 4), np.uint8)
        if seen.any():
            shade = _own_shade(self.depth, seen, self.unit_px)[seen][:, None]
            image[seen, :3] = shaded(self.paint[seen] * shade, self.normal[seen], self.gloss[seen])
            image[seen, 3] = 255
        soft: Frame = cv2.GaussianBlur(image, (0, 0), EDGE_PX)  # soft edges
        return soft


def _caps(
    x: Floats, y: Floats, z: tuple[float, float], end: tuple[float, float], radii: tuple[float, float]
) -> tuple[Floats, list[Floats]]:
    """How near the nearer of two balls is, (H, W), FAR where there is none, and its normal there."""
    shape = len(y), x.shape[1]
    hit, normal = np.full(shape, FAR, np.float32), [np.zeros(shape, np.float32)] * 3
    for right, down, middle, radius in ((x, y, z[0], radii[0]), (x - end[0], y - end[1], z[1], radii[1])):
        left_over = radius * radius - right * right - down * down
        up = np.sqrt(np.clip(left_over, 0, None))
        near = (left_over > 0) & (up + middle > hit)
        hit = np.where(near, up + middle, hit)
        normal = [
            np.where(near, new / radius, old) for new, old in zip((right, down, up), normal, strict=True)
        ]
    return hit, normal


def _smooth(
    y: Floats, heights: npt.NDArray[np.float64], values: npt.NDArray[np.float64], unit_px: float
) -> Floats:
    line: Floats = np.interp(y, heights, values).astype(np.float32)
    soft = cv2.GaussianBlur(line, (1, 0), 1, sigmaY=0.05 * unit_px, borderType=cv2.BORDER_REPLICATE)
    line = np.maximum(soft, 1e-3)
    return line


def _slope(line: Floats, unit_px: float) -> Floats:
    slope: Floats = (np.gradient(line, axis=0) if len(line) > 1 else np.zeros_like(line)).astype(np.float32)
    return slope * np.float32(unit_px)


def _own_shade(depth: Floats, seen: npt.NDArray[np.bool_], unit_px: float) -> Floats:
    """1 in the open, less where something near stands before it."""
    lowest = depth[seen].min()
    flat = np.where(seen, depth, lowest)
    size = max(3, round(0.5 * unit_px) | 1)
    around = cv2.blur(flat, (size, size))
    shade: Floats = np.clip(1 - 0.5 * np.clip(around - flat - 0.04, 0, None), 0.5, 1)
    return shade
