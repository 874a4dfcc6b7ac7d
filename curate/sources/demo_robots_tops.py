"""What the figures of the robots demo have on their heads: antennae, horns, hair. Units: half a head's height.

The crown of the skull is at -1. What is `BEHIND` comes before the ears, what is `ABOVE` before the skull.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from curate.sources.demo_pen import Colour, arc, rounded, shade
from curate.sources.demo_robots_clay import Clay, Paint, mixed, squared, tapered, xy
from curate.sources.demo_robots_look import COLOURS, LIGHTS, Look, paint_of
from curate.sources.demo_robots_skull import DARK, RUBBER, STEEL, Part, half_width


def _rod(clay: Clay, x: float, lean: float, long: float, tip: Paint | None, light: Colour | None) -> None:
    """A thin rod from the crown at `x` with a ball on its end."""
    foot, end = (x, -0.86), (x + lean, -0.95 - long)
    clay.ball(*foot, 0.15, 0.14, STEEL)
    clay.solid(tapered(foot, end, 0.05, 0.035), STEEL, 0.05, shadow=False)
    if light is not None:
        clay.ball(*end, 0.12, 0.12, Paint(light, "lacquer"), shadow=False)
        clay.glow(*end, 0.42, light, 0.5)
    elif tip is not None:
        clay.ball(*end, 0.13, 0.13, tip, shadow=False)


def _antenna(clay: Clay, look: Look) -> None:
    _rod(clay, 0.0, 0.14 if look.from_right else -0.14, 0.62, None, LIGHTS[look.light])


def _two_antennae(clay: Clay, look: Look) -> None:
    for side in (-1, 1):
        _rod(clay, 0.42 * side * half_width(look), 0.3 * side, 0.5, paint_of(look.trim), None)


def _feelers(clay: Clay, look: Look) -> None:
    skin = paint_of(look.shell)
    for side in (-1, 1):
        bend = np.array([[0.3, -0.8], [0.36, -1.25], [0.56, -1.5], [0.84, -1.6]]) * [side, 1]
        for start, end in pairwise(bend):
            clay.solid(tapered(start, end, 0.075, 0.06), skin, 0.07, shadow=False)
        clay.ball(*xy(bend[-1]), 0.14, 0.14, Paint(COLOURS["yellow"], "lacquer"), shadow=False)


def _fin(clay: Clay, look: Look) -> None:
    lean = np.sin(np.radians(look.turn))
    fin = np.array([[-0.12, -0.7], [-0.14, -1.35], [0.0, -1.62], [0.14, -1.35], [0.12, -0.7]])
    wide = np.array([[-0.62, -0.7], [-0.5, -1.2], [0.1, -1.66], [0.4, -1.3], [0.5, -0.7]])
    clay.solid(
        rounded(fin * (1 - abs(lean)) + wide * [np.sign(lean) or 1, 1] * abs(lean)), paint_of(look.trim), 0.14
    )


def _lamp(clay: Clay, look: Look) -> None:
    light = LIGHTS[look.light]
    clay.solid(squared(0.36, 0.2, 4, 0, -1.0), DARK, 0.14)
    clay.solid(squared(0.26, 0.34, 2.6, 0, -1.22), Paint(mixed(light, (255, 255, 255), 0.15), "lacquer"), 0.3)
    clay.glow(0, -1.25, 0.8, light, 0.55)


def _dish(clay: Clay, look: Look) -> None:
    side = 1 if look.from_right else -1
    clay.solid(tapered((0.0, -0.8), (0.1 * side, -1.25), 0.09, 0.06), STEEL, 0.08)
    pen = clay.moved(0.16 * side, -1.42, 0.5 * side)
    pen.ball(0, 0, 0.56, 0.3, paint_of(look.trim))
    pen.ball(0, -0.04, 0.46, 0.2, Paint((120, 124, 132), "matt"), shadow=False)
    pen.solid(tapered((0.0, 0.0), (0.0, -0.42), 0.035, 0.03), STEEL, 0.04, shadow=False)
    pen.ball(0, -0.44, 0.08, 0.08, Paint(LIGHTS[look.light], "lacquer"), shadow=False)


def _coil(clay: Clay, look: Look) -> None:
    clay.solid(tapered((0.0, -0.8), (0.0, -1.6), 0.06, 0.05), STEEL, 0.05)
    for step in range(5):
        clay.ball(0, -1.02 - 0.12 * step, 0.3 - 0.045 * step, 0.075, paint_of(look.trim))
    clay.ball(0, -1.7, 0.14, 0.14, STEEL)


def _plume(clay: Clay, look: Look) -> None:
    hair = Paint(COLOURS["red"] if "red" not in look.shell else COLOURS["white"], "matt")
    side = -1 if look.turn > 0 else 1
    for step in np.linspace(0, 1, 7):
        angle = -np.pi / 2 + side * (step - 0.3) * 1.5
        base = np.array([0.25 * np.cos(angle), -0.6 + 0.4 * np.sin(angle)])
        clay.solid(
            tapered(base, np.array([1.1 * np.cos(angle), -0.5 + 1.15 * np.sin(angle)]), 0.12, 0.2), hair, 0.16
        )


def _horns(clay: Clay, look: Look) -> None:
    bone = Paint((226, 212, 178), "matt") if look.kind == "alien" else paint_of(look.trim)
    for side in (-1, 1):
        horn = [[0.34, -0.62], [0.76, -0.9], [1.0, -1.5], [0.78, -1.12], [0.5, -1.0], [0.3, -0.86]]
        clay.solid(rounded(np.array(horn) * [side * min(1.0, half_width(look)), 1]), bone, 0.16)


def _crest(clay: Clay, look: Look) -> None:
    skin = paint_of(look.shell)
    for step, x in enumerate(np.linspace(-0.5, 0.5, 5)):
        tall = 1.5 - 0.9 * x * x
        spike = np.array([[x - 0.17, -0.6], [x * 1.5, -tall], [x + 0.17, -0.6]])
        clay.solid(rounded(spike), Paint(shade(skin.colour, 0.66 + 0.06 * (step % 2)), "skin"), 0.14)


def _tentacles(clay: Clay, look: Look) -> None:
    skin = Paint(shade(paint_of(look.shell).colour, 0.8), "skin")
    for side in (-1, 1):
        for reach, low in ((1.35, 1.1), (1.15, 1.7), (0.85, 2.0)):
            path = np.array([[0.4, -0.6], [0.9, -0.5], [reach, 0.3], [reach - 0.1, low]]) * [side, 1]
            for start, end, wide in zip(path[:-1], path[1:], (0.24, 0.21, 0.17), strict=True):
                clay.solid(tapered(start, end, wide, wide - 0.05), skin, 0.2)


def _tubes(clay: Clay, look: Look) -> None:
    for side in (-1, 1):
        path = arc(0.5 * side, 0.3, 0.85, 1.15, -np.pi / 2 - 0.2 * side, -np.pi / 2 + 2.3 * side)[::4]
        for start, end in pairwise(path):
            clay.solid(tapered(start, end, 0.13, 0.13), RUBBER, 0.12, shadow=False)


def _mohawk(clay: Clay, look: Look) -> None:
    hair = Paint(LIGHTS[look.light], "matt")
    for x in (-0.14, 0.14, 0.0):
        tuft = np.array([[x - 0.16, -0.8], [x * 1.6, -1.55 - 0.1 * (x == 0)], [x + 0.16, -0.8]])
        clay.solid(rounded(tuft), hair, 0.12)


def _crown(clay: Clay, look: Look) -> None:
    cap = np.concatenate(
        [arc(0, -0.5, 0.9 * half_width(look), 0.68, np.pi, 2 * np.pi), [[0.5, -0.44], [-0.5, -0.44]]]
    )
    clay.solid(cap, paint_of(look.trim), 0.4)


BEHIND: Mapping[str, Part] = {"tentacles": _tentacles, "tubes": _tubes, "plume": _plume}
ABOVE: Mapping[str, Part] = {
    "antenna": _antenna, "two antennae": _two_antennae, "two feelers": _feelers, "fin": _fin, "lamp": _lamp,
    "dish": _dish, "coil": _coil, "horns": _horns, "crest": _crest, "mohawk": _mohawk,
}  # fmt: skip
ON_TOP: Mapping[str, Part] = {"metal crown": _crown}
