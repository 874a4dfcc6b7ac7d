"""Heads of the demo films: what is painted on them, as a colour for every direction and height.

Colours are linear light from 0 to 1. Places are those of `demo_films_skull`; the face is painted on a part of
the head around direction 0, in lengths along its surface.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curate.sources.demo_films_skull import (
    COLUMNS,
    ROWS,
    TOP,
    UNIT_PX,
    Face,
    Grid,
    Skull,
    directions,
    heights,
    hump,
    nose_tip,
    ramp,
)
from curate.sources.demo_pen import Colour

Paint = npt.NDArray[Any]  # (ROWS, COLUMNS, 3)
DEPTH = 0.77  # of the face before the axis: radians times this are lengths


def linear(colour: Colour) -> npt.NDArray[Any]:
    """(3,) linear light of a colour, for a screen that squares."""
    light: npt.NDArray[Any] = (np.asarray(colour, np.float32) / 255) ** 2
    return light


def painted(face: Face, skull: Skull) -> tuple[Paint, Paint]:
    """The colours of a head, with its eyes open and with them closed."""
    y, turn = heights(), directions()
    paint = _skin(face, y, turn)
    part = np.s_[round((-0.9 - TOP) * UNIT_PX) : round((1.05 - TOP) * UNIT_PX), COLUMNS // 4 : -COLUMNS // 4]
    y_part, across = y[part[0]], (turn[:, part[1]] * DEPTH).astype(np.float32)
    front = paint[part]
    for side in (-1.0, 1.0):
        _brow(front, face, (across - side * 0.40 * DEPTH * face.eye_gap) * side, y_part)
    _nostrils(front, face, across, y_part)
    _mouth(front, face, across, y_part)
    _beard(front, face, across, y_part)
    both = (paint, paint.copy())
    for whole, closed in zip(both, (False, True), strict=True):
        for side in (-1.0, 1.0):
            x = (across - side * 0.43 * DEPTH * face.eye_gap) * side
            _eye(whole[part], face, x, y_part, side, closed)
        if face.glasses:
            _glasses(whole[part], face, across, y_part)
    if face.hair != "bald":
        body, cover = _hair(face, skull)
        for whole in both:
            _dim(whole, ramp(cover, 0.02, 0.5) * ramp(cover, 1.0, 0.6), 0.4)
            _blend(whole, cover, body)
    return both


def _blend(paint: Paint, mask: Grid, colour: npt.ArrayLike) -> None:
    paint += mask[..., None] * (np.asarray(colour, np.float32) - paint)


def _dim(paint: Paint, mask: Grid, share: float, tint: tuple[float, float, float] = (1, 1, 1)) -> None:
    """Darken by `share` where the mask is 1, some channels more than others."""
    paint *= 1 - np.minimum(mask[..., None] * share * np.asarray(tint, np.float32), 0.97)


def _noise(seed: float, blur_px: float, blur_y_px: float = 0.0) -> Grid:
    draw = np.random.default_rng(round(seed * 1e6))
    small = draw.standard_normal((ROWS, COLUMNS), np.float32)
    soft = cv2.GaussianBlur(small, (0, 0), blur_px, sigmaY=blur_y_px or blur_px)
    level: Grid = soft / soft.std()
    return level


def _skin(face: Face, y: Grid, turn: Grid) -> Paint:
    paint = np.broadcast_to(linear(face.skin), (ROWS, COLUMNS, 3)).copy()
    paint *= 1 + 0.035 * _noise(face.width, 9)[..., None]
    aside = np.abs(turn)
    red = (0.15, 0.75, 0.7)
    _dim(paint, hump(aside - 0.52, 0.22) * hump(y - 0.3, 0.15), 0.2, red)  # cheeks
    _dim(paint, hump(turn, 0.2) * hump(y - nose_tip(face), 0.1), 0.2, red)  # nose
    _dim(paint, hump(aside - 1.65, 0.16) * hump(y - 0.12, 0.3), 0.22, red)  # ears
    _dim(paint, hump(aside - 0.4 * face.eye_gap, 0.2) * hump(y - 0.02, 0.1), 0.2)
    _dim(paint, hump(aside - 1.62, 0.05) * hump(y - 0.1, 0.14), 0.35)
    if face.freckles > 0:
        dots = ramp(_noise(face.width + 1, 1.6), 1.5, 2.0)
        _dim(paint, dots * hump(aside - 0.38, 0.4) * hump(y - 0.24, 0.16), 0.55 * face.freckles, (0.6, 1, 1))
    if face.age > 0:
        _wrinkles(paint, face.age, y, turn)
    return paint


def _wrinkles(paint: Paint, age: float, y: Grid, turn: Grid) -> None:
    aside = np.abs(turn)
    fold = aside - (0.24 + 0.32 * ((y - 0.36) / 0.3))  # from the nose past the mouth
    _dim(paint, hump(fold, 0.03) * ramp(y, 0.34, 0.42) * ramp(y, 0.72, 0.56), 0.5 * age)
    _dim(paint, hump(fold, 0.09) * ramp(y, 0.34, 0.42) * ramp(y, 0.72, 0.56), 0.22 * age)
    for height in (-0.5, -0.42, -0.34):
        line = y - height - 0.02 * np.cos(turn * 5)
        _dim(paint, hump(line, 0.011) * ramp(aside, 0.62, 0.4), 0.3 * age)
    _dim(paint, hump(y - 0.14 + 0.1 * (aside - 0.42) ** 2, 0.02) * hump(aside - 0.4, 0.15), 0.45 * age)
    for spread in (-0.05, 0.0, 0.05):  # outside the eyes
        line = y - spread * (aside - 0.5) * 6
        _dim(paint, hump(line, 0.01) * ramp(aside, 0.64, 0.68) * ramp(aside, 0.84, 0.76), 0.4 * age)


def _eye(paint: Paint, face: Face, x: Grid, y: Grid, side: float, closed: bool) -> None:
    """One eye; x grows outwards from its middle."""
    half = 0.155 * face.eye_size
    y = y + face.eye_tilt * x
    share = np.clip(x / half, -1.3, 1.3)
    arch = np.clip(1 - share**2, 0, None) ** 0.8
    upper = -0.088 * face.eye_size * arch
    lower = 0.052 * face.eye_size * arch
    if closed:
        upper = 0.75 * lower
    inside = (
        ramp(y - upper, -0.006, 0.006) * ramp(lower - y, -0.006, 0.006) * ramp(1 - np.abs(share), 0.0, 0.06)
    )
    shadow = 1 - 0.5 * ramp(y - upper, 0.045, 0.0)
    _blend(paint, inside * 1.0, np.asarray([0.78, 0.75, 0.72], np.float32) * shadow[..., None])
    gaze = x * side
    far = np.sqrt(gaze**2 + (y + 0.012) ** 2)
    round_px = 0.076 * (0.6 + 0.4 * face.eye_size)
    iris = linear(face.iris)
    _blend(
        paint,
        inside * ramp(far, round_px, round_px - 0.012),
        iris * (0.55 + 0.6 * ramp(y, -0.05, 0.05)[..., None]),
    )
    _blend(paint, inside * hump(far - round_px + 0.006, 0.008), iris * 0.2)
    _blend(paint, inside * ramp(far, 0.038, 0.03), [0.004, 0.004, 0.005])
    spark = np.sqrt((gaze + 0.028) ** 2 + (y + 0.042) ** 2)
    _blend(paint, inside * ramp(spark, 0.021, 0.012), [1.6, 1.6, 1.6])
    lash = hump(y - upper + 0.006, 0.0155) * ramp(1.1 - np.abs(share), 0.0, 0.12)
    _dim(paint, lash, 0.93)
    _dim(paint, hump(y - lower - 0.004, 0.01) * ramp(1.05 - np.abs(share), 0.0, 0.2), 0.45)
    crease = hump(y - upper * 1.15 + 0.055, 0.014) * ramp(1.15 - np.abs(share), 0.0, 0.3)
    _dim(paint, crease, 0.42)
    _dim(paint, hump(x + half * 1.02, 0.02) * hump(y - 0.012, 0.018), 0.4, (0.4, 1, 1))


def _brow(paint: Paint, face: Face, x: Grid, y: Grid) -> None:
    share = x / 0.215
    line = -0.235 + 0.05 * face.brow_y - 0.075 * (1 - (share - 0.25) ** 2) + 0.05 - face.brow_tilt * x
    thick = 0.038 * face.brow_size * (1 - 0.45 * np.clip(share, -0.5, 1.2))
    body = ramp(np.abs(y - line) / thick, 1.25, 0.6) * ramp(1 - np.abs(share - 0.02), 0.0, 0.2)
    hairs = 0.88 + 0.16 * np.sin(170 * (x - 0.5 * y))
    _blend(paint, np.clip(body * hairs, 0, 1) * 0.93, linear(face.hair_colour) * 0.45)


def _nostrils(paint: Paint, face: Face, x: Grid, y: Grid) -> None:
    tip = nose_tip(face)
    hole = hump(np.abs(x) - 0.075 * face.nose_width, 0.036 * face.nose_width) * hump(y - tip - 0.075, 0.02)
    _dim(paint, np.clip(1.3 * hole, 0, 1), 0.86)
    _dim(paint, hump(x, 0.15 * face.nose_width) * hump(y - tip - 0.105, 0.035), 0.4)
    wing = hump(np.sqrt((np.abs(x) - 0.12 * face.nose_width) ** 2 + (y - tip - 0.03) ** 2) - 0.066, 0.016)
    _dim(paint, wing * ramp(np.abs(x), 0.12 * face.nose_width, 0.17 * face.nose_width), 0.4)
    side = hump(np.abs(x) - 0.1 * face.nose_width, 0.045) * ramp(y, -0.12, 0.0) * ramp(y, tip, tip - 0.12)
    _dim(paint, side, 0.17)


def _mouth(paint: Paint, face: Face, x: Grid, y: Grid) -> None:
    y = y - np.float32(face.mouth_y)
    half = 0.235 * face.mouth_width
    share = np.clip(np.abs(x) / half, 0, 1.3)
    middle = 0.605 - 0.022 * share**2
    taper = np.clip(1 - share**2, 0, 1)
    bow = 0.014 * hump(x, 0.035)
    upper = middle - 0.058 * face.lips * taper**0.8 + bow * face.lips
    lower = middle + 0.082 * face.lips * taper**0.6
    there = ramp(1 - share, 0, 0.08)
    red = ramp(y - upper, -0.008, 0.01) * ramp(lower - y, -0.012, 0.012) * there
    shade = 1 - 0.3 * ramp(middle - y, -0.01, 0.01)
    _blend(paint, 0.8 * red, linear(face.lip_colour) * shade[..., None])
    _dim(paint, hump(y - middle, 0.013) * ramp(1.08 - share, 0.0, 0.1), 0.84)
    _dim(paint, hump(np.abs(x) - half, 0.022) * hump(y - middle, 0.022), 0.45)
    _dim(paint, hump(x, 0.15) * hump(y - 0.745, 0.028), 0.24)
    _dim(paint, hump(x, 0.02) * hump(y - 0.49, 0.03), 0.14)


def _beard(paint: Paint, face: Face, x: Grid, y: Grid) -> None:
    if face.beard == "none":
        return
    hair = linear(face.hair_colour) * 0.7
    y = y - np.float32(face.mouth_y)
    lips = hump(x, 0.17 * face.mouth_width) * hump(y - 0.615, 0.05)
    above = ramp(y, 0.46, 0.5) * ramp(y, 0.6, 0.57) * ramp(np.abs(x), 0.3, 0.22)
    chin = ramp(y, 0.66, 0.72) * ramp(np.abs(x), 0.24, 0.16)
    sides = hump(np.abs(x) - 0.235, 0.045) * ramp(y, 0.5, 0.56)
    jaw = (
        ramp(y - 0.62 + 0.75 * (np.abs(x) - 0.1), -0.06, 0.1) * ramp(np.abs(x), 1.24, 1.1) * ramp(y, 0.1, 0.3)
    )
    parts = {"moustache": above, "goatee": np.maximum(np.maximum(above, chin), sides)}
    full = np.maximum(jaw, np.maximum(above, sides))
    mask = parts.get(face.beard, full) * (1 - np.clip(1.5 * lips, 0, 1)) * ramp(y, 0.0, 0.2)
    grain = _noise(face.width + 3, 1.0, 2.0)[: len(y), : x.shape[1]].clip(-1.5, 1.5)
    cover = 0.34 if face.beard == "stubble" else 0.93
    _blend(paint, np.clip(mask * (cover + 0.1 * grain), 0, 1), hair)


def _hair(face: Face, skull: Skull) -> tuple[Paint, Grid]:
    """The colours of hair, and how much of the skin it covers."""
    colour = linear(face.cover if face.hair == "scarf" else face.hair_colour)
    if face.hair == "curls":
        streaks = 1 + 0.3 * _noise(face.width + 4, 3.5)
    elif face.hair == "scarf":
        streaks = 1 + 0.08 * _noise(face.width + 4, 6, 30)
    else:
        streaks = 1 + 0.2 * _noise(face.width + 4, 1.5, 26) + 0.12 * _noise(face.width + 5, 5, 34)
    cover = np.clip(skull.hair, 0, 1)
    if face.hair == "buzz":
        cover = cover * (0.8 + 0.1 * _noise(face.width + 6, 1.0)).clip(0, 1)
    return (colour * np.clip(streaks, 0.4, 1.8)[..., None]).astype(np.float32), cover


def _glasses(paint: Paint, face: Face, x: Grid, y: Grid) -> None:
    side = 0.43 * DEPTH * face.eye_gap
    wide, tall = 0.235, 0.165
    power = 3.2
    far = ((np.abs(np.abs(x) - side) / wide) ** power + (np.abs(y - 0.015) / tall) ** power) ** (1 / power)
    rim = hump(far - 1, 0.085)
    bridge = hump(y + 0.045, 0.016) * ramp(np.abs(x), side - wide + 0.03, side - wide)
    arm = (
        hump(y + 0.04, 0.02) * ramp(np.abs(x), side + wide - 0.02, side + wide) * ramp(np.abs(x), 1.24, 1.16)
    )
    _blend(paint, np.clip(np.maximum(np.maximum(rim, bridge), arm) * 1.25, 0, 1), [0.012, 0.011, 0.012])
