"""Things that the people of the demo films carry and leave standing."""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np

from curate.records import Record
from curate.sources.demo_films_face import linear
from curate.sources.demo_films_skull import ramp
from curate.sources.demo_films_solid import Floats, Solids, turned
from curate.sources.demo_pen import Colour, Frame, shade

PropKind = Literal["kettle", "ball", "lamp", "vase", "mug", "watering can", "lantern", "drum"]
HALF = 1.0  # of a picture of a thing, in units of half a head
PROP_PX = 84
COLOURS: dict[str, Colour] = {
    "red": (200, 44, 38), "blue": (46, 92, 196), "yellow": (236, 186, 40), "green": (58, 140, 76),
    "orange": (232, 122, 34), "purple": (124, 70, 158), "turquoise": (40, 160, 164), "pink": (226, 118, 150),
}  # fmt: skip
METAL: Colour = (150, 152, 158)


class Prop(Record):
    """A thing with a colour of its own."""

    kind: PropKind
    colour: str

    @property
    def id(self) -> str:
        """Such as `red-kettle`."""
        return f"{self.colour}-{self.kind.replace(' ', '-')}"

    @property
    def words(self) -> str:
        """Such as `a red kettle`."""
        article = "an" if self.colour[0] in "aeiou" else "a"
        return f"{article} {self.colour} {self.kind}"


@lru_cache(maxsize=64)
def drawn_prop(prop: Prop) -> Frame:
    """The thing standing on y = 0, (H, W, 4): it reaches from 2 * HALF above to 0.1 below, x = 0 in the middle."""
    solids = Solids(-HALF, -2 * HALF, HALF, 0.1, PROP_PX)
    DRAWINGS[prop.kind](solids, COLOURS[prop.colour])
    return solids.picture()


def top_of(prop: Prop) -> tuple[float, float, float]:
    """How far a thing reaches to the left, up and to the right of where it stands."""
    rows, columns = np.nonzero(drawn_prop(prop)[..., 3] > 127)
    left, right = HALF - columns.min() / PROP_PX, (columns.max() + 1) / PROP_PX - HALF
    return float(left), float(2 * HALF - rows.min() / PROP_PX), float(right)


def _arch(
    solids: Solids, points: list[tuple[float, float]], radius: float, colour: Colour, z: float = 0.0
) -> None:
    for (x, y), (right, down) in pairwise(points):
        solids.limb((x, y, z), (right, down, z), radius, radius, colour, 0.15)


def _bow(x: float, y: float, across: float, up: float, start: float, end: float) -> list[tuple[float, float]]:
    """Points on an ellipse; 0 points right, quarter turns go up."""
    angles = np.linspace(start, end, 14)
    return [(float(x + across * np.cos(angle)), float(y - up * np.sin(angle))) for angle in angles]


def _kettle(solids: Solids, colour: Colour) -> None:
    body = [
        (-1.12, 0.2, 0.2),
        (-1.05, 0.36, 0.36),
        (-0.85, 0.5, 0.5),
        (-0.4, 0.6, 0.6),
        (-0.1, 0.58, 0.58),
        (0, 0.5, 0.5),
    ]
    solids.lathe(body, colour, gloss=0.35)
    solids.lathe([(-1.22, 0.1, 0.1), (-1.16, 0.26, 0.26), (-1.08, 0.3, 0.3)], shade(colour, 0.7), gloss=0.3)
    solids.ball((0, -1.26, 0), 0.08, (34, 32, 34), 0.3)
    solids.limb((0.48, -0.42, 0), (0.86, -0.95, 0), 0.13, 0.075, colour, 0.3)
    _arch(solids, _bow(0, -0.95, 0.5, 0.62, 0.25, np.pi - 0.25), 0.06, (36, 34, 36))


def _ball(solids: Solids, colour: Colour) -> None:
    base, white = linear(colour), linear((240, 236, 226))

    def paint(turn: Floats, y: Floats) -> Floats:
        band = ramp(np.abs(y + 0.62 + 0.12 * np.sin(turn * 2)), 0.16, 0.14)[..., None]
        painted: Floats = base * (1 - band) + white * band
        return painted

    y = np.linspace(-1.24, 0, 40)
    across = np.sqrt(np.clip(0.62**2 - (y + 0.62) ** 2, 1e-5, None))
    profile = [(float(a), float(b), float(b)) for a, b in zip(y, across, strict=True)]
    solids.lathe(profile, paint, turned(30), gloss=0.35)


def _lamp(solids: Solids, colour: Colour) -> None:
    solids.lathe([(-0.14, 0.2, 0.2), (-0.06, 0.42, 0.42), (0.0, 0.45, 0.45)], (66, 60, 58), gloss=0.25)
    solids.lathe(
        [(-0.8, 0.07, 0.07), (-0.5, 0.2, 0.2), (-0.2, 0.16, 0.16), (-0.1, 0.1, 0.1)], (92, 82, 74), gloss=0.3
    )
    solids.lathe([(-1.72, 0.34, 0.34), (-0.78, 0.72, 0.72)], colour)
    solids.lathe([(-0.86, 0.712, 0.712), (-0.78, 0.73, 0.73)], shade(colour, 0.7))


def _vase(solids: Solids, colour: Colour) -> None:
    base, light = linear(colour), linear((238, 232, 218))

    def paint(turn: Floats, y: Floats) -> Floats:
        zigzag = np.abs(y + 0.62 + 0.06 * np.abs(np.mod(turn * 2.4, 2) - 1))
        band = np.maximum(ramp(zigzag, 0.075, 0.055), ramp(np.abs(y + 1.05) + 0 * turn, 0.035, 0.02))[
            ..., None
        ]
        painted: Floats = base * (1 - band) + light * band
        return painted

    body = [
        (-1.5, 0.32, 0.32),
        (-1.4, 0.25, 0.25),
        (-1.15, 0.22, 0.22),
        (-0.8, 0.5, 0.5),
        (-0.5, 0.56, 0.56),
        (0, 0.3, 0.3),
    ]
    solids.lathe(body, paint, gloss=0.3)


def _mug(solids: Solids, colour: Colour) -> None:
    _arch(solids, _bow(0.42, -0.45, 0.3, 0.28, -1.5, 1.5), 0.075, colour)
    solids.lathe([(-0.9, 0.46, 0.46), (-0.1, 0.45, 0.45), (0, 0.38, 0.38)], colour, gloss=0.3)
    solids.lathe([(-0.96, 0.44, 0.44), (-0.88, 0.465, 0.465)], (240, 236, 228), gloss=0.3)


def _can(solids: Solids, colour: Colour) -> None:
    solids.limb((0.3, -0.2, 0), (0.85, -0.98, 0), 0.09, 0.06, colour, 0.2)
    solids.limb((0.78, -1.0, 0), (0.94, -0.94, 0), 0.15, 0.15, shade(colour, 0.75), 0.2)
    _arch(solids, _bow(-0.36, -0.6, 0.42, 0.42, 0.5 * np.pi, 1.5 * np.pi), 0.06, shade(colour, 0.75))
    solids.lathe([(-0.96, 0.4, 0.4), (-0.9, 0.46, 0.46), (0, 0.52, 0.52)], colour, gloss=0.25)
    for height in (-0.82, -0.08):
        solids.lathe(
            [(height - 0.05, 0.5, 0.5), (height + 0.03, 0.53, 0.53)], shade(colour, 0.75), gloss=0.25
        )


def _lantern(solids: Solids, colour: Colour) -> None:
    _arch(solids, _bow(0, -1.3, 0.3, 0.36, 0.0, np.pi), 0.04, METAL)
    solids.lathe([(-1.34, 0.12, 0.12), (-1.02, 0.46, 0.46)], colour, gloss=0.25)
    solids.lathe([(-1.02, 0.34, 0.34), (-0.2, 0.34, 0.34)], (255, 236, 178), gloss=0.2)
    for x in (-0.34, 0.0, 0.34):
        solids.limb((x, -1.02, 0.36 - abs(x)), (x, -0.2, 0.36 - abs(x)), 0.035, 0.035, shade(colour, 0.6))
    solids.lathe([(-0.22, 0.42, 0.42), (0, 0.46, 0.46)], colour, gloss=0.25)


def _drum(solids: Solids, colour: Colour) -> None:
    base, light = linear(colour), linear((240, 228, 200))

    def paint(turn: Floats, y: Floats) -> Floats:
        wave = np.abs(np.mod(turn * 1.9, 2) - 1) * 0.66 + 0.12
        cord = ramp(np.abs(-y - wave), 0.045, 0.025)[..., None]
        painted: Floats = base * (1 - cord) + light * cord
        return painted

    solids.lathe([(-0.86, 0.66, 0.66), (0, 0.66, 0.66)], paint, turned(20))
    for height in (-0.9, -0.1):
        solids.lathe([(height, 0.69, 0.69), (height + 0.1, 0.69, 0.69)], light_wood(), gloss=0.1)


def light_wood() -> Colour:
    """The colour of hoops."""
    return 214, 178, 122


DRAWINGS: dict[PropKind, Callable[[Solids, Colour], None]] = {
    "kettle": _kettle, "ball": _ball, "lamp": _lamp, "vase": _vase, "mug": _mug, "watering can": _can,
    "lantern": _lantern, "drum": _drum,
}  # fmt: skip
