"""Heads of the demo films, drawn from any side: each row of pixels is one slice of the head, turned."""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from curate.sources.demo_films_face import painted
from curate.sources.demo_films_skull import (
    COLUMNS,
    ROWS,
    TOP,
    UNIT_PX,
    Face,
    Grid,
    directions,
    skull,
)
from curate.sources.demo_pen import Frame

HALF_WIDTH = 1.3  # of a picture of a head, in units of half a head
WIDE_PX = round(2 * HALF_WIDTH * UNIT_PX)
GAP_PX = 2  # holes up to so wide are where a surface rises steeply
NOTHING = 0.02  # a radius of nothing
HANGING_ROW = round((0.97 - TOP) * UNIT_PX)  # below the chin there is but hair
KEY = np.array([-0.42, -0.50, 0.757], np.float32)  # towards the light: left, up, to the viewer
FILL = np.array([0.75, -0.1, 0.65], np.float32)
Floats = npt.NDArray[Any]  # of float32


class Bust(NamedTuple):
    """A head ready to be drawn from any side, as N points that lie closer together than pixels."""

    x: Floats  # (N,) of the head that looks ahead, to the right
    z: Floats  # (N,) forward
    places: npt.NDArray[np.int64]  # (N,) which of ROWS x COLUMNS a point is painted as
    normal: Floats  # (ROWS * COLUMNS, 3) right, down and forward
    paint: Floats  # (ROWS * COLUMNS, 3)
    closed: Floats  # the same with the eyes closed
    gloss: Floats  # (ROWS * COLUMNS,)


class Layers(NamedTuple):
    """A drawn head: what is before the neck and what hangs behind it, (H, W, 4) RGB with premultiplied alpha.

    The head's axis lies in the middle of the width, and y = 0 at row `-TOP * UNIT_PX`.
    """

    front: Frame
    behind: Frame


def bust(face: Face) -> Bust:
    """The shape and the colours of a head, its own shade in its folds among them."""
    shape = skull(face)
    own_shade = _folds(shape.radius)[..., None]
    gloss = np.where(shape.hair > 0.5, 0.0 if face.hair in ("scarf", "buzz") else 0.1, 0.07).astype(
        np.float32
    )
    paint, closed = ((whole * own_shade).reshape(-1, 3) for whole in painted(face, shape))
    x, z, places = _points(shape.radius)
    return Bust(x, z, places, _normals(shape.radius).reshape(-1, 3), paint, closed, gloss.ravel())


def _points(radius: Grid) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Points of the surface, with more of them where it rises steeply from one column to the next."""
    turn = np.broadcast_to(directions(), radius.shape)
    following = np.roll(radius, -1, 1)
    rise = np.where((radius > NOTHING) & (following > NOTHING), np.abs(following - radius) * UNIT_PX, 0)
    parts = np.maximum(1, np.ceil(rise / 0.8).astype(np.int64)) * (
        radius > NOTHING
    )  # points from here to the next
    places = np.repeat(np.arange(radius.size), parts.ravel())
    first = np.cumsum(parts.ravel()) - parts.ravel()
    share = ((np.arange(len(places)) - first[places]) / parts.ravel()[places]).astype(np.float32)
    length = radius.ravel()[places] * (1 - share) + following.ravel()[places] * share
    angle = turn.ravel()[places] + share * np.float32(2 * np.pi / COLUMNS)
    return length * np.sin(angle), length * np.cos(angle), places


def _normals(radius: Grid) -> Floats:
    turn = directions()
    x, z = radius * np.sin(turn), radius * np.cos(turn)
    step = np.float32(2 * np.pi / COLUMNS)

    def around(grid: Grid) -> Grid:
        return ((np.roll(grid, -1, 1) - np.roll(grid, 1, 1)) / (2 * step)).astype(np.float32)

    def down(grid: Grid) -> Grid:
        return (np.gradient(grid, axis=0) * UNIT_PX).astype(np.float32)

    xa, za, xd, zd = around(x), around(z), down(x), down(z)
    normal = np.stack([-za, za * xd - xa * zd, xa], axis=-1)  # across x down, with (x, y, z)
    normal[..., 1] = -(xa * zd - za * xd)
    normal /= np.sqrt((normal**2).sum(axis=-1, keepdims=True)) + np.float32(1e-6)
    return normal


def _folds(radius: Grid) -> Grid:
    """1 on smooth parts, less where the surface lies lower than what is around it."""
    wrapped = np.hstack([radius[:, -48:], radius, radius[:, :48]])
    around = cv2.GaussianBlur(wrapped, (0, 0), 15)[:, 48:-48]
    shade: Grid = np.clip(1 - 5.0 * np.clip(around - radius, 0, None), 0.45, 1).astype(np.float32)
    return shade


def drawn(head: Bust, yaw_deg: float, closed: bool = False) -> Layers:
    """The head turned to the right of the picture by `yaw_deg`, seen from the front without perspective."""
    sine, cosine = np.float32(np.sin(np.radians(yaw_deg))), np.float32(np.cos(np.radians(yaw_deg)))
    x, z = head.x * cosine + head.z * sine, head.z * cosine - head.x * sine
    hanging = head.places >= HANGING_ROW * COLUMNS
    layers = (z > -0.3) & ~(hanging & (z < -0.2)), hanging & (z < 0.25)
    front, behind = (_seen(head, (sine, cosine), x, z, np.flatnonzero(layer), closed) for layer in layers)
    return Layers(front, behind)


def _seen(
    head: Bust,
    turn: tuple[np.float32, np.float32],
    x: Floats,
    z: Floats,
    points: npt.NDArray[np.int64],
    closed: bool,
) -> Frame:
    """(ROWS, WIDE_PX, 4) of the nearest of these points in each pixel."""
    image = np.zeros((ROWS, WIDE_PX, 4), np.uint8)
    steps = np.rint((z[points] + 2) * 12_000).astype(np.uint16)  # whole numbers sort much faster
    points = points[np.argsort(steps, kind="stable")]
    column = ((x[points] + HALF_WIDTH) * UNIT_PX).astype(np.int64).clip(0, WIDE_PX - 1)
    index = np.full(ROWS * WIDE_PX, -1, np.int64)
    places = head.places[points]
    index[places // COLUMNS * WIDE_PX + column] = places  # the last, so the nearest, stays
    index = _closed(index.reshape(ROWS, WIDE_PX))
    seen = index >= 0
    image[seen, :3] = _lit(head, turn, index[seen], closed)
    image[seen, 3] = 255
    return image


def sides(head: Bust, yaw_deg: float) -> tuple[float, float, float]:
    """How far the head down to its chin reaches to the left (negative), up (negative) and to the right."""
    sine, cosine = np.float32(np.sin(np.radians(yaw_deg))), np.float32(np.cos(np.radians(yaw_deg)))
    above = slice(
        0, int(np.searchsorted(head.places, HANGING_ROW * COLUMNS)), 4
    )  # every fourth point will do
    x = head.x[above] * cosine + head.z[above] * sine
    return float(x.min()), TOP + int(head.places[0]) // COLUMNS / UNIT_PX, float(x.max())


def _closed(index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Fill narrow gaps in each row with what lies to the left of them."""
    filled = index.copy()
    padded = np.pad(index, ((0, 0), (GAP_PX, GAP_PX)), constant_values=-1)
    wide = index.shape[1]
    right = np.zeros(index.shape, bool)
    for step in range(1, GAP_PX + 1):
        right |= padded[:, GAP_PX + step : GAP_PX + step + wide] >= 0
    for step in range(1, GAP_PX + 1):
        left = padded[:, GAP_PX - step : GAP_PX - step + wide]
        filled = np.where((filled < 0) & right & (left >= 0), left, filled)
    return filled


def _lit(
    head: Bust, turn: tuple[np.float32, np.float32], places: npt.NDArray[np.int64], closed: bool
) -> Frame:
    """Colours of points, (N, 3): a key light from the upper left, a weak one from the right, light all around."""
    sine, cosine = turn
    ahead = head.normal[places]
    normal = np.stack(
        [ahead[:, 0] * cosine + ahead[:, 2] * sine, ahead[:, 1], ahead[:, 2] * cosine - ahead[:, 0] * sine],
        axis=1,
    )
    inner = normal[:, 2] < -0.05  # of hanging hair
    normal[inner] *= (-1, 1, -1)
    paint = (head.closed if closed else head.paint)[places] * np.where(inner, 0.12, 1)[:, None].astype(
        np.float32
    )
    return shaded(paint, normal, head.gloss[places] * ~inner)


def shaded(paint: Floats, normal: Floats, gloss: Floats) -> Frame:
    """(N, 3) colours on a screen of surfaces with these linear colours and normals."""
    towards = normal @ KEY
    key = np.clip((towards + 0.25) / 1.25, 0, None)
    fill = np.clip(normal @ FILL, 0, None)
    sky = 0.5 - 0.5 * normal[:, 1]
    light = (
        key[:, None] * np.array([0.98, 0.93, 0.86], np.float32)
        + fill[:, None] * np.array([0.14, 0.16, 0.2], np.float32)
        + (0.17 + 0.16 * sky)[:, None] * np.array([0.95, 1.0, 1.08], np.float32)
    )
    mirror = 2 * towards * normal[:, 2] - KEY[2]  # how nearly the light is thrown to the viewer
    shine = np.clip(mirror, 0, 1) ** 16 * gloss
    value = paint * light + shine[:, None]
    screen: Frame = np.rint(np.sqrt(np.clip(value, 0, 1)) * 255).astype(np.uint8)
    return screen
