"""Heads of the demo films: the shape of a skull, of a face and of hair, as a radius for every direction.

A head is a stack of level slices. `radius[row, column]` is how far its surface lies from the upright axis at one
height and in one direction, in units of half a head (the crown of the skull is at -1, the chin at 1, y down).
Direction 0 is straight ahead, and it grows to the side that is on the right of a picture of a head seen from the
front. Turning a head then moves points along their rows only, which is what `demo_films_head` draws it by.
"""

from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from curate.records import Record
from curate.sources.demo_pen import Colour

Grid = npt.NDArray[Any]  # of float32, or float64 on the way; (ROWS, COLUMNS), (ROWS, 1) or (1, COLUMNS)
Hair = Literal["short", "parted", "buzz", "bob", "long", "bun", "curls", "bald", "scarf", "fringe"]
Beard = Literal["none", "stubble", "moustache", "goatee", "full"]

UNIT_PX = 96  # rows in half a head
TOP, BOTTOM = -1.42, 1.75
ROWS, COLUMNS = round((BOTTOM - TOP) * UNIT_PX), 1024
COVERED_EARS = ("bob", "long", "scarf")
CROWN_Y = -0.2  # where the upper half of the skull begins to close


class Face(Record):
    """What a head looks like. Without another word, 1 is usual and lengths are shares of the usual."""

    width: float
    jaw: float  # how wide the jaw is
    chin: float
    cheeks: float
    eye_gap: float
    eye_size: float
    eye_tilt: float  # 0 is level; outer corners up when above
    brow_size: float
    brow_y: float  # 0 is usual; above it they are lower
    brow_tilt: float
    nose_length: float
    nose_width: float
    nose_y: float  # 0 is usual; above it, it ends lower
    mouth_width: float
    mouth_y: float
    lips: float
    age: float  # 0 smooth, 1 wrinkled
    freckles: float
    glasses: bool
    hair: Hair
    beard: Beard
    skin: Colour
    hair_colour: Colour
    iris: Colour
    lip_colour: Colour
    cover: Colour = (60, 110, 130)  # of a scarf


class Skull(NamedTuple):
    """The shape of a head."""

    radius: Grid  # 0 where there is no surface
    hair: Grid  # 0 skin, 1 hair or what covers it


def nose_tip(face: Face) -> float:
    """The height of the tip of the nose."""
    return 0.34 + face.nose_y


def heights() -> Grid:
    """The height of each row, (ROWS, 1)."""
    return (TOP + (np.arange(ROWS, dtype=np.float32)[:, None] + 0.5) / UNIT_PX).astype(np.float32)


def directions() -> Grid:
    """The direction of each column in radians from -pi to pi, (1, COLUMNS)."""
    return ((np.arange(COLUMNS, dtype=np.float32)[None] + 0.5) / COLUMNS * 2 - 1) * np.float32(np.pi)


def hump(away: Grid, wide: float | Grid) -> Grid:
    """1 at 0, falling to both sides like a bell."""
    bell: Grid = np.exp(-((away / wide) ** 2)).astype(np.float32)
    return bell


def ramp(value: Grid, start: float, end: float) -> Grid:
    """0 up to `start` and 1 from `end` on, smooth in between (Hermite); `start` may be the larger."""
    share = np.clip((value - np.float32(start)) / np.float32(end - start), 0, 1)
    smooth: Grid = share * share * (3 - 2 * share)
    return smooth


def skull(face: Face) -> Skull:
    """The head with its hair."""
    y, turn = heights(), directions()
    bare = _bare(face, y, turn)
    bare = cv2.GaussianBlur(bare, (0, 0), 1.6, borderType=cv2.BORDER_REPLICATE)
    bare = np.where((y > 1.0) | (y < -1.0), 0, bare).astype(np.float32)
    return _with_hair(face, bare, y, turn)


def _bare(face: Face, y: Grid, turn: Grid) -> Grid:
    close = np.sqrt(np.clip(1 - ((y - CROWN_Y) / (1 + CROWN_Y)) ** 2, 0, 1))
    close = np.where(y < CROWN_Y, close, 1)
    jaw, width = face.jaw, face.width
    side = _profile(y, [0.71, 0.70, 0.68, 0.635, 0.575 * jaw, 0.48 * jaw, 0.40 * jaw, 0.29 * jaw, 0.2, 0.1])
    front = _profile(y, [0.80, 0.765, 0.755, 0.765, 0.77, 0.75, 0.74, 0.71, 0.63, 0.42])
    back = _profile(y, [0.92, 0.88, 0.80, 0.66, 0.54, 0.45, 0.38, 0.3, 0.24, 0.12])
    side, front, back = (close * value for value in (side * width, front, back))
    sine, cosine = np.abs(np.sin(turn)), np.cos(turn)
    deep = np.where(cosine > 0, front, back)
    power = 2.25
    inverse = (sine / np.maximum(side, 1e-3)) ** power + (np.abs(cosine) / np.maximum(deep, 1e-3)) ** power
    radius = inverse ** (-1 / power) + _features(face, y, turn) * np.minimum(close, 1)
    head: Grid = radius.astype(np.float32)
    return head


def _profile(y: Grid, values: list[float]) -> Grid:
    """Smoothly through `values` at some heights, (ROWS, 1)."""
    levels = [CROWN_Y, 0.0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.9, 0.96, 1.0]
    line = np.interp(y, levels, values)
    smooth: Grid = cv2.GaussianBlur(line, (1, 0), 1, sigmaY=0.055 * UNIT_PX, borderType=cv2.BORDER_REPLICATE)
    return smooth


def _features(face: Face, y: Grid, turn: Grid) -> Grid:
    """What stands out of a smooth egg or lies deeper than it."""
    aside = np.abs(turn)
    eye = 0.43 * face.eye_gap
    out = 0.045 * hump(aside - 0.36, 0.34) * hump(y + 0.2, 0.085) * face.brow_size  # brow
    out -= 0.075 * hump(aside - eye + 0.04, 0.2) * hump(y + 0.035, 0.115)  # socket
    out += 0.03 * hump(aside - eye, 0.15) * hump(y - 0.0, 0.075) * face.eye_size  # eyeball
    out += 0.06 * face.cheeks * hump(aside - 0.66, 0.24) * hump(y - 0.24, 0.15)
    out -= 0.035 * hump(aside - 0.72, 0.2) * hump(y - 0.56, 0.13)  # hollow below the cheek
    tip, low = nose_tip(face), face.mouth_y
    levels = [-0.2, -0.04, 0.12, tip - 0.06, tip, tip + 0.055, tip + 0.11, tip + 0.15]
    ridge = np.interp(y, levels, [0.0, 0.045, 0.125, 0.215, 0.235, 0.17, 0.035, 0.0]) * face.nose_length
    wide = np.interp(y, levels, [0.1, 0.1, 0.105, 0.13, 0.15, 0.15, 0.15, 0.15]) * face.nose_width
    out += ridge * hump(turn, wide.astype(np.float32))
    out += 0.07 * hump(aside - 0.18 * face.nose_width, 0.075) * hump(y - tip - 0.035, 0.055)  # wings
    mouth = face.mouth_width
    out += 0.03 * hump(turn, 0.4 * mouth) * hump(y - low - 0.6, 0.1)  # teeth below
    out += 0.034 * face.lips * hump(turn, 0.23 * mouth) * hump(y - low - 0.565, 0.028)
    out += 0.042 * face.lips * hump(turn, 0.2 * mouth) * hump(y - low - 0.655, 0.034)
    out -= 0.02 * hump(turn, 0.3 * mouth) * hump(y - low - 0.605, 0.014)
    out -= 0.035 * hump(turn, 0.24) * hump(y - low - 0.745, 0.04)
    out += 0.065 * face.chin * hump(turn, 0.22) * hump(y - 0.875, 0.085)
    features: Grid = out.astype(np.float32)
    return features


def _ears(y: Grid, turn: Grid) -> Grid:
    aside = np.abs(turn)
    lobe = 1 - ((aside - 1.68) / 0.24) ** 2 - ((y - 0.12 + 0.4 * (aside - 1.68)) / 0.27) ** 2
    return (0.15 * ramp(lobe, 0.0, 0.3) - 0.06 * hump(aside - 1.64, 0.07) * hump(y - 0.1, 0.12)).astype(
        np.float32
    )


def _with_hair(face: Face, bare: Grid, y: Grid, turn: Grid) -> Skull:
    if face.hair == "bald":
        return Skull(bare + _ears(y, turn) * (bare > 0), np.zeros_like(bare))
    edge = _hairline(face, turn)
    mask = ramp(y - edge, 0.03, -0.03)  # (ROWS, COLUMNS)
    thick = {"buzz": 0.035, "curls": 0.27, "scarf": 0.09, "bob": 0.14, "long": 0.13}.get(face.hair, 0.11)
    grow = ramp(y - edge, 0.02, -0.22)
    crown = np.sqrt(np.clip(1 - ((y - CROWN_Y) / (1 + CROWN_Y + thick)) ** 2, 0, 1))
    lift = np.where(y < CROWN_Y, crown, 1)
    level = _bare(face, np.full_like(y, CROWN_Y), turn)  # the widest slice
    dome = np.where(y < CROWN_Y, level * lift + thick * lift, bare + thick)
    if face.hair in ("bob", "long", "scarf"):
        end = {"bob": 0.98, "long": 1.62, "scarf": 1.02}[face.hair]
        out = 0.06 * ramp(y, -0.2, 0.7) if face.hair == "bob" else 0.0
        hang = (
            (level + thick + out) * (1 - 0.1 * ramp(y, 0.9, 1.75)) * np.where(np.abs(turn) < 1.5, 0.93, 0.97)
        )
        dome = np.where((y > CROWN_Y) & (y < end), np.maximum(dome, hang), dome)
    if face.hair == "bun":
        ball = 1 - ((np.abs(turn) - np.pi) / 0.5) ** 2 - ((y + 0.5) / 0.4) ** 2
        dome = dome + 0.42 * np.sqrt(np.clip(ball, 0, None))
    if face.hair == "parted":
        dome = dome + 0.08 * ramp(y, -0.3, -0.7) * np.sin(turn + 0.5).clip(0)
    hair = np.where(y < -1.0, 1.0, mask)
    grow = grow * mask
    skin = bare if face.hair in COVERED_EARS else bare + _ears(y, turn) * (bare > 0)
    radius = np.where(y < -1.0, dome * (lift > 0), skin * (1 - grow) + dome * grow)
    radius = np.where(y > 1.0, dome * (mask > 0.5), radius)  # below the chin it hangs free
    texture = _texture(face)
    return Skull((radius + texture * hair * (radius > 0.1)).astype(np.float32), hair.astype(np.float32))


def _hairline(face: Face, turn: Grid) -> Grid:
    """How far down hair reaches in every direction, (1, COLUMNS)."""
    aside = np.abs(turn)
    places = [0.0, 0.4, 0.75, 1.0, 1.2, 1.38, 1.45, 1.75, 1.85, 2.2, 2.6, np.pi]
    falls = {
        "buzz": [-0.66, -0.64, -0.5, -0.3, -0.1, 0.08, -0.1, -0.1, 0.3, 0.52, 0.58, 0.6],
        "bob": [-0.62, -0.5, -0.24, 0.25, 0.78, 0.9, 0.93, 0.95, 0.96, 0.97, 0.97, 0.97],
        "long": [-0.72, -0.6, -0.34, 0.15, 0.9, 1.3, 1.45, 1.55, 1.6, 1.6, 1.6, 1.6],
        "scarf": [-0.56, -0.5, -0.3, 0.2, 0.75, 0.97, 0.99, 1.0, 1.0, 1.0, 1.0, 1.0],
        "curls": [-0.64, -0.6, -0.46, -0.1, 0.2, 0.4, 0.4, 0.4, 0.5, 0.6, 0.66, 0.66],
        "fringe": [-0.34, -0.33, -0.3, -0.1, 0.15, 0.25, 0.2, 0.2, 0.4, 0.6, 0.66, 0.68],
        "bun": [-0.64, -0.6, -0.46, -0.26, -0.05, 0.05, -0.12, -0.12, 0.2, 0.4, 0.48, 0.5],
    }
    usual = [-0.67, -0.64, -0.52, -0.28, 0.0, 0.2, -0.08, -0.08, 0.3, 0.54, 0.6, 0.62]
    line = np.interp(aside, places, falls.get(face.hair, usual))
    if face.hair == "parted":
        line = line + 0.12 * np.sin(2.2 * turn + 0.4) * (aside < 1.0)
    draw = np.random.default_rng(round(face.width * 1e6))
    ragged = cv2.GaussianBlur(draw.standard_normal((1, COLUMNS)).astype(np.float32), (0, 1), 3, sigmaY=1)
    edge: Grid = (line + (0.0 if face.hair == "scarf" else 0.014) * ragged / ragged.std()).astype(np.float32)
    return edge


def _texture(face: Face) -> Grid:
    """Locks and curls, in units of length."""
    draw = np.random.default_rng(round(face.width * 1e6))
    noise = draw.standard_normal((ROWS, COLUMNS)).astype(np.float32)
    if face.hair == "curls":
        lumps = cv2.GaussianBlur(noise, (0, 0), 7)
        curls: Grid = (0.05 * lumps / lumps.std()).clip(-0.09, 0.09)
        return curls
    if face.hair == "buzz":
        return np.zeros_like(noise)
    deep, wide_px, tall_px = (0.008, 9, 26) if face.hair == "scarf" else (0.012, 3.5, 34)
    folds = cv2.GaussianBlur(noise, (0, 0), wide_px, sigmaY=tall_px)
    locks: Grid = deep * folds / folds.std()
    return locks
