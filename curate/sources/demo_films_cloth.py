"""Clothes of the demo films: what they are made of, and what is painted on them from any side."""

from typing import Literal

import numpy as np

from curate.records import Record
from curate.sources.demo_films_face import linear
from curate.sources.demo_films_skull import ramp
from curate.sources.demo_films_solid import Floats, Painter
from curate.sources.demo_pen import Colour

Top = Literal["jumper", "shirt", "jacket", "striped", "dress", "waistcoat", "apron", "coat"]


class Clothes(Record):
    """What a body wears."""

    top: Top
    colour: Colour
    second: Colour  # of what is seen below a jacket, of stripes, of an apron
    legs: Colour
    skirt: bool
    build: float  # 1 is usual, above it is broader
    scarf: Colour | None = None  # around the neck


def _cloth(colour: Colour, turn: Floats) -> Floats:
    return np.broadcast_to(linear(colour), (*turn.shape, 3)).copy()


def _blend(paint: Floats, mask: Floats, colour: Colour, share: float = 1.0) -> None:
    paint += mask[..., None] * (linear(colour) * np.float32(share) - paint)


def _collar(paint: Floats, turn: Floats, y: Floats, colour: Colour, share: float = 0.75) -> None:
    _blend(paint, ramp(y + 0 * turn, 1.3, 1.27), colour, share)


def _jumper(clothes: Clothes, skin: Colour) -> Painter:
    def paint(turn: Floats, y: Floats) -> Floats:
        cloth = _cloth(clothes.colour, turn)
        cloth *= (1 + 0.05 * np.sin(turn * 60))[..., None] if clothes.top == "jumper" else 1
        _collar(cloth, turn, y, clothes.colour, 0.6)
        _blend(cloth, ramp(y + 0 * turn, 4.42, 4.46), clothes.colour, 0.6)
        return cloth

    return paint


def _striped(clothes: Clothes, skin: Colour) -> Painter:
    def paint(turn: Floats, y: Floats) -> Floats:
        cloth = _cloth(clothes.colour, turn)
        _blend(cloth, ramp(np.sin(y * 13.5) + 0 * turn, 0.25, 0.4), clothes.second)
        _collar(cloth, turn, y, clothes.second, 0.9)
        return cloth

    return paint


def _shirt(clothes: Clothes, skin: Colour) -> Painter:
    def paint(turn: Floats, y: Floats) -> Floats:
        cloth = _cloth(clothes.colour, turn)
        across = np.abs(turn)
        _blend(cloth, ramp(0.42 - (y - 1.1) * 0.62 - across, 0.0, 0.03), skin, 0.8)
        collar = ramp(0.78 - (y - 1.1) * 0.95 - across, 0.0, 0.03) * ramp(
            across - 0.42 + (y - 1.1) * 0.62, -0.02, 0.02
        )
        _blend(cloth, collar * ramp(y, 1.75, 1.7), clothes.colour, 1.25)
        seam = ramp(np.abs(across - 0.085), 0.016, 0.006) * ramp(y, 1.7, 1.75)
        _blend(cloth, seam, clothes.colour, 0.55)
        button = ((turn * 0.66) ** 2 + (np.mod(y - 1.75, 0.48) - 0.24) ** 2) < 0.0016
        _blend(cloth, (button & (y > 1.75)).astype(np.float32), clothes.second)
        _blend(cloth, ramp(y + 0 * turn, 4.28, 4.3), clothes.legs, 0.55)
        return cloth

    return paint


def _jacket(clothes: Clothes, skin: Colour) -> Painter:
    def paint(turn: Floats, y: Floats) -> Floats:
        cloth = _cloth(clothes.colour, turn)
        across = np.abs(turn)
        opening = (
            0.44
            - 0.1 * np.clip(y - 1.1, 0, 4)
            + (0.16 * np.clip(y - 2.9, 0, 2) if clothes.top == "jacket" else 0)
        )
        inside = ramp(opening - across, -0.015, 0.015)
        _blend(cloth, inside, clothes.second)
        _blend(cloth, inside * ramp(0.3 - (y - 1.1) * 0.5 - across, 0.0, 0.04), skin, 0.8)
        lapel = ramp(0.3 - np.abs(y - 1.75) * 0.55 - (across - opening), 0.0, 0.02) * (1 - inside)
        _blend(cloth, lapel * ramp(y, 2.4, 2.2), clothes.colour, 1.3)
        _blend(cloth, ramp(np.abs(across - opening), 0.025, 0.008), clothes.colour, 0.5)
        pocket = ramp(np.abs(across - 0.85), 0.3, 0.28) * ramp(np.abs(y - 3.65), 0.05, 0.03)
        _blend(cloth, pocket, clothes.colour, 0.6)
        return cloth

    return paint


def _apron(clothes: Clothes, skin: Colour) -> Painter:
    def paint(turn: Floats, y: Floats) -> Floats:
        cloth = _cloth(clothes.second, turn)
        across = np.abs(turn)
        bib = ramp(0.62 + 0.5 * ramp(y, 2.9, 3.1) - across, 0.0, 0.03) * ramp(y, 1.95, 1.98)
        straps = ramp(np.abs(across - 0.5), 0.08, 0.06) * ramp(y, 2.0, 1.95)
        _blend(cloth, np.maximum(bib, straps), clothes.colour)
        _blend(cloth, ramp(np.abs(y - 3.05) + 0 * turn, 0.08, 0.06), clothes.colour, 0.7)
        pocket = ramp(np.abs(np.maximum(across / 0.4, np.abs(y - 3.8) / 0.32) - 1), 0.05, 0.03) * bib
        _blend(cloth, pocket, clothes.colour, 0.6)
        _collar(cloth, turn, y, clothes.second, 0.8)
        return cloth

    return paint


def _dress(clothes: Clothes, skin: Colour) -> Painter:
    def paint(turn: Floats, y: Floats) -> Floats:
        cloth = _cloth(clothes.colour, turn)
        neckline = ramp(1.62 - 0.5 * np.clip(np.abs(turn), 0, 1.5) - y, 0.0, 0.03)
        _blend(cloth, neckline, skin, 0.85)
        _blend(cloth, ramp(np.abs(y - 3.15) + 0 * turn, 0.12, 0.1), clothes.second)
        return cloth

    return paint


PAINTERS = {
    "jumper": _jumper, "shirt": _shirt, "jacket": _jacket, "striped": _striped, "dress": _dress,
    "waistcoat": _jacket, "apron": _apron, "coat": _jacket,
}  # fmt: skip
