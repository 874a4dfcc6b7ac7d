"""Torsos of the robots demo and what is on them. Units: half a head's height; the origin is the head's middle."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from curate.sources.demo_pen import Points, arc, rounded
from curate.sources.demo_robots_clay import Clay, Paint, both, squared, tapered
from curate.sources.demo_robots_look import LIGHTS, Look, paint_of
from curate.sources.demo_robots_skull import HOLE, RUBBER, STEEL, Part

TORSOS: Mapping[str, Points] = {  # for shoulders of width 1, from collar to hips
    "barrel": both([[0.3, 1.3], [0.8, 1.4], [1.06, 2.0], [1.12, 3.0], [0.9, 3.9], [0.5, 4.2]]),
    "box": both([[0.4, 1.32], [0.98, 1.36], [1.06, 1.5], [1.0, 3.8], [0.88, 4.1], [0.4, 4.12]]),
    "wedge": both([[0.3, 1.3], [0.96, 1.46], [1.14, 1.9], [0.92, 2.7], [0.6, 3.7], [0.56, 4.1]]),
    "slim": both([[0.26, 1.28], [0.72, 1.48], [0.84, 1.9], [0.62, 3.0], [0.5, 3.5], [0.68, 4.2]]),
    "robe": both([[0.26, 1.24], [0.7, 1.46], [0.96, 2.0], [0.98, 3.4], [1.3, 5.6], [1.62, 7.74]]),
}


def torso_outline(look: Look) -> Points:
    """The torso in head units."""
    return rounded(TORSOS[look.torso] * [1.22 * look.build, 1.0])


def _lamp(clay: Clay, look: Look) -> None:
    clay.ball(0, 2.3, 0.44, 0.44, STEEL)
    clay.ball(0, 2.3, 0.31, 0.31, Paint(LIGHTS[look.light], "lacquer"), shadow=False)
    clay.glow(0, 2.3, 1.1, LIGHTS[look.light], 0.5)


def _vents(clay: Clay, look: Look) -> None:
    for y in (2.05, 2.3, 2.55, 2.8):
        clay.solid(squared(0.5 * look.build, 0.07, 4, 0, y), HOLE, 0.05)


def _hatch(clay: Clay, look: Look) -> None:
    """A door with a screw in each corner and a knob."""
    clay.solid(squared(0.6 * look.build, 0.56, 5, 0, 2.55), paint_of(look.suit), 0.1)
    for side in (-1, 1):
        for y in (2.16, 2.94):
            clay.ball(0.46 * look.build * side, y, 0.05, 0.05, STEEL)
    clay.ball(0.34 * look.build, 2.55, 0.1, 0.1, paint_of(look.trim))


def _ribs(clay: Clay, look: Look) -> None:
    wide, trim = look.build, paint_of(look.trim)
    clay.solid(squared(0.13, 0.95, 3, 0, 2.65), trim, 0.1)
    rib = np.array([[0.14, 0.0], [0.6 * wide, 0.06], [0.74 * wide, 0.3], [0.5 * wide, 0.2], [0.14, 0.14]])
    for y in (2.0, 2.35, 2.7, 3.05):
        for side in (-1, 1):
            clay.solid(rounded(np.add(rib, (0, y)) * [side, 1]), trim, 0.08, torso_outline(look))


def _plates(clay: Clay, look: Look) -> None:
    """A breastplate, and bands below it."""
    wide, suit, torso = look.build, paint_of(look.suit), torso_outline(look)
    half = [[0.5 * wide, 1.56], [0.84 * wide, 1.8], [0.92 * wide, 2.2], [0.5 * wide, 2.66], [0.0, 2.78]]
    front = rounded(both(half))
    paint = paint_of(look.shell) if look.kind == "armoured figure" else suit
    clay.solid(front, paint, 0.3, torso)
    clay.groove(np.array([[0.0, 1.8], [0.0, 2.66]]), paint.colour, 0.03)
    clay.groove(front[4:-4], paint.colour, 0.03)
    for y in (3.0, 3.3, 3.6):
        clay.solid(squared(0.44 * wide, 0.13, 3.4, 0, y), suit, 0.12, torso)


def _tubes(clay: Clay, look: Look) -> None:
    for side in (-1, 1):
        turn = -np.pi / 2 - side * np.pi
        path = arc(0.72 * look.build * side, 2.9, 0.5 * look.build, 0.8, -np.pi / 2, turn)[::6]
        for start, end in pairwise(path):
            clay.solid(tapered(start, end, 0.12, 0.12), RUBBER, 0.1)


def _star(clay: Clay, look: Look) -> None:
    angle = -np.pi / 2 + np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2, 0.18, 0.44)
    star = np.stack([reach * np.cos(angle), 2.3 + reach * np.sin(angle)], axis=1)
    clay.solid(star, paint_of(look.trim), 0.12)


def belt(clay: Clay, look: Look) -> None:
    """A belt with a buckle."""
    band = np.array([[-2.0, 3.62], [2.0, 3.62], [2.0, 3.92], [-2.0, 3.92]])
    clay.solid(band, paint_of(look.trim), 0.1, torso_outline(look))
    clay.solid(squared(0.24, 0.2, 4, 0, 3.77), STEEL, 0.1)


CHESTS: Mapping[str, Part] = {
    "lamp": _lamp, "vents": _vents, "hatch": _hatch, "ribs": _ribs, "plates": _plates, "tubes": _tubes, "star": _star,
}  # fmt: skip
