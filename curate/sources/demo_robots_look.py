"""Who is in a picture of the robots demo: every choice by name, and the sentence that tells it truly.

Choices take turns instead of being thrown, so that a few dozen pictures show every kind of head, pose and
ground, and no two of them come near each other.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np

from curate.records import Record, rng
from curate.sources.demo_pen import Colour
from curate.sources.demo_robots_clay import Finish, Paint

Kind = Literal["android", "cyborg", "alien", "armoured figure"]
Framing = Literal["bust", "half", "full"]
Shape = Literal["square", "portrait", "landscape"]
Choice = TypeVar("Choice")

COLOURS: Mapping[str, Colour] = {
    "red": (204, 52, 46), "orange": (232, 126, 40), "yellow": (240, 194, 56), "green": (74, 156, 82),
    "teal": (36, 150, 150), "blue": (52, 106, 198), "violet": (132, 86, 184), "pink": (228, 122, 160),
    "white": (236, 234, 228), "grey": (138, 142, 148), "black": (56, 58, 66), "olive": (132, 136, 66),
}  # fmt: skip
METALS: Mapping[str, Colour] = {
    "chrome": (236, 240, 246), "golden": (255, 204, 104), "copper": (244, 156, 112), "dark steel": (138, 148, 166),
    "bronze": (214, 168, 112), "blue steel": (142, 178, 226),
}  # fmt: skip
SKINS: Mapping[str, Colour] = {
    "pale": (240, 206, 184), "tan": (206, 150, 112), "brown": (142, 94, 66), "dark": (92, 62, 48),
    "green": (126, 180, 92), "blue": (104, 148, 206), "violet": (160, 120, 196), "grey": (168, 172, 180),
    "red": (200, 92, 78), "turquoise": (88, 184, 172), "yellow": (216, 190, 96), "pink": (222, 148, 166),
}  # fmt: skip
LIGHTS: Mapping[str, Colour] = {
    "blue": (80, 170, 255), "red": (255, 64, 52), "green": (90, 240, 120), "amber": (255, 176, 48),
    "white": (235, 245, 255), "violet": (196, 110, 255), "cyan": (70, 236, 236),
}  # fmt: skip
FINISHES: Mapping[str, Finish] = {"glossy": "lacquer", "matt": "matt"}

HEADS: Mapping[Kind, Sequence[str]] = {
    "android": ("round", "boxy", "tall", "domed", "bell-shaped", "six-sided", "wedge-shaped", "flat"),
    "cyborg": ("narrow", "square-jawed", "oval"),
    "alien": ("egg-shaped", "pear-shaped", "flat", "high-domed", "narrow"),
    "armoured figure": ("rounded", "angular", "tall", "six-sided", "domed"),
}
EYES: Mapping[Kind, Sequence[str]] = {
    "android": ("lenses", "lens", "visor", "screen", "slits"),
    "cyborg": ("odd", "visor", "human", "odd"),
    "alien": ("almonds", "three", "human", "one", "stalks"),
    "armoured figure": ("visor", "slits", "cross", "glass"),
}
MOUTHS: Mapping[Kind, Sequence[str]] = {
    "android": ("grille", "slot", "holes", "none", "smile"),
    "cyborg": ("lips", "metal jaw", "lips"),
    "alien": ("small", "smile", "wide"),
    "armoured figure": ("breather", "none", "grille"),
}
TOPS: Mapping[Kind, Sequence[str]] = {
    "android": ("antenna", "fin", "two antennae", "none", "lamp", "dish", "coil"),
    "cyborg": ("metal crown", "mohawk", "none", "tubes"),
    "alien": ("two feelers", "none", "horns", "crest", "tentacles"),
    "armoured figure": ("plume", "horns", "fin", "none", "antenna"),
}
EARS: Mapping[Kind, Sequence[str]] = {
    "android": ("discs", "bolts", "none", "cups", "fins"),
    "cyborg": ("human", "discs"),
    "alien": ("pointed", "none", "none", "fins"),
    "armoured figure": ("discs", "none", "wings"),
}
FIXED: Mapping[str, Mapping[str, str]] = {  # what goes with certain eyes
    "screen": {"mouth": "smile"}, "cross": {"mouth": "none"}, "glass": {"mouth": "none"}, "stalks": {"top": "none"},
}  # fmt: skip
TORSOS: Mapping[Kind, Sequence[str]] = {
    "android": ("barrel", "box", "wedge", "slim"),
    "cyborg": ("wedge", "slim", "wedge"),
    "alien": ("robe", "slim", "wedge", "barrel"),
    "armoured figure": ("wedge", "box", "wedge"),
}
CHESTS: Mapping[Kind, Sequence[str]] = {
    "android": ("lamp", "vents", "hatch", "plain", "ribs"),
    "cyborg": ("ribs", "lamp", "tubes", "plates"),
    "alien": ("plain", "collar", "star", "lamp", "ribs"),
    "armoured figure": ("plates", "star", "lamp", "plates"),
}
POSES: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {  # of either arm: upper, lower; degrees outwards
    "standing": ((10, 4), (10, 4)), "waving": ((12, 4), (118, 172)), "with its hands on its hips": ((48, -34), (48, -34)),
    "with both arms raised": ((128, 160), (128, 160)), "pointing to the side": ((10, 2), (88, 92)),
    "with its arms spread": ((58, 74), (58, 74)), "walking": ((26, 40), (18, -24)),
    "greeting with a bent arm": ((14, 6), (34, 150)),
}  # fmt: skip
GROUNDS: Mapping[str, str] = {  # by name: what the caption says, with the ground's colour
    "plain": "on a {} ground", "rays": "before {} rays", "hexagons": "before a {} wall of hexagons",
    "stars": "before a {} night sky with a planet", "city": "before a {} city at night",
    "desert": "in a {} desert with a large sun", "rings": "before {} rings", "stripes": "before {} slanting stripes",
    "corridor": "in a {} corridor", "arch": "before a {} arch", "dots": "on a {} ground with dots",
    "mountains": "before {} mountains", "pillars": "between {} pillars", "split": "on a ground half {}, half pale",
}  # fmt: skip
GROUND_COLOURS: Mapping[str, Colour] = {
    "dark grey": (52, 55, 62), "light grey": (206, 209, 214), "blue": (62, 104, 168), "dark blue": (28, 42, 82),
    "green": (84, 140, 96), "dark green": (26, 66, 58), "red": (196, 78, 70), "orange": (232, 152, 84),
    "sand-coloured": (228, 202, 158), "violet": (110, 80, 156), "pink": (230, 158, 176), "teal": (58, 142, 146),
    "yellow": (240, 208, 110), "dark red": (92, 28, 36), "sky blue": (148, 196, 226), "cream-coloured": (240, 228, 204),
}  # fmt: skip
SHAPES: Sequence[Shape] = ("square", "portrait", "landscape", "square")
FRAMINGS: Sequence[Framing] = ("bust", "half", "bust", "full", "half", "full", "bust")
NIGHT = ("stars", "city", "corridor")  # grounds that only make sense in dark colours


class Look(Record):
    """One figure before one ground. Places are shares of the picture's shorter side, angles degrees."""

    kind: Kind
    framing: Framing
    shape: Shape
    head: str
    shell: str
    suit: str
    trim: str
    eyes: str
    light: str
    mouth: str
    top: str
    ears: str
    torso: str
    chest: str
    cape: bool
    pose: str
    other_arm: bool
    turn: float
    tilt: float
    x: float
    y: float
    unit: float
    build: float
    ink: float
    from_right: bool
    ground: str | None
    ground_colour: str
    seed: int


def draw_look(seed: int, index: int, wanted: Shape | None = None) -> Look:
    """The look of picture `index`, in the shape that is its turn or a wanted one."""
    kinds: Sequence[Kind] = ("android", "alien", "armoured figure", "android", "cyborg")
    kind = in_turn(seed, "kind", index, kinds)
    draw = rng(seed, str(index), "look")
    nth = index // len(kinds) * kinds.count(kind) + int(draw.integers(kinds.count(kind)))
    parts = {
        name: in_turn(seed, f"{kind} {name}", nth, options[kind])
        for name, options in (
            ("head", HEADS), ("eyes", EYES), ("mouth", MOUTHS), ("top", TOPS), ("ears", EARS),
            ("torso", TORSOS), ("chest", CHESTS),
        )
    }  # fmt: skip
    parts |= FIXED.get(parts["eyes"], {})
    framing = in_turn(seed, "framing", index, FRAMINGS)
    shape: Shape = in_turn(seed, "shape", index, SHAPES) if wanted is None else wanted
    if framing == "full" and shape == "landscape":
        framing = "half"  # a whole figure would be a small one
    shell, suit, trim = _paints(seed, index, kind)
    ground = in_turn(seed, "ground", index, (*GROUNDS, None, None))
    return Look.model_validate({
        "kind": kind, "framing": framing, "shape": shape, **parts, "shell": shell, "suit": suit, "trim": trim,
        "light": in_turn(seed, "light", index, tuple(LIGHTS)),
        "cape": kind != "android" and parts["torso"] != "robe" and bool(draw.random() < 0.35),
        "pose": "standing" if framing == "bust" else in_turn(seed, "pose", index, tuple(POSES)),
        "other_arm": bool(draw.random() < 0.5),
        "turn": _round(draw.uniform(-26, 26)), "tilt": _round(draw.uniform(-9, 9)),
        **_place(draw, framing, shape),
        "build": _round(draw.uniform(0.84, 1.22)),
        "ink": _round(draw.uniform(0.8, 1.7)) if draw.random() < 0.45 else 0.0,
        "from_right": bool(draw.random() < 0.5),
        "ground": ground,
        "ground_colour": _ground_colour(seed, index, ground, shell, suit),
        "seed": int(draw.integers(2**32)),
    })  # fmt: skip


def in_turn(seed: int, what: str, index: int, options: Sequence[Choice]) -> Choice:
    """Option of number `index`: all of them in random order, then all again in another order."""
    again, place = divmod(index, len(options))
    return options[int(rng(seed, what, str(again)).permutation(len(options))[place])]


def _round(value: float) -> float:
    return round(float(value), 3)


def _place(draw: np.random.Generator, framing: Framing, shape: Shape) -> dict[str, float]:
    """Where the middle of the head is, and half its height."""
    tall, wide = (1.5 if shape == "portrait" else 1.0), (1.5 if shape == "landscape" else 1.0)
    if framing == "full":
        unit = tall * draw.uniform(0.09, 0.098)
        x, y = wide / 2 + draw.uniform(-0.16, 0.16) * wide, 2.05 * unit
    elif framing == "half":
        unit = draw.uniform(0.12, 0.15)
        x, y = wide / 2 + draw.uniform(-0.13, 0.13) * wide, tall * draw.uniform(0.3, 0.36)
    else:
        unit = draw.uniform(0.19, 0.26)
        x, y = wide / 2 + draw.uniform(-0.12, 0.12) * wide, tall * draw.uniform(0.4, 0.48)
    return {"unit": _round(unit), "x": _round(x), "y": _round(y)}


def _paints(seed: int, index: int, kind: Kind) -> tuple[str, str, str]:
    """The paints of head, body and details, by name."""
    metal = in_turn(seed, "metal", index, tuple(METALS))
    colour = in_turn(seed, "colour", index, tuple(COLOURS))
    draw = rng(seed, str(index), "paint")
    finish = tuple(FINISHES)[int(draw.random() < 0.3)]
    others = [name for name in COLOURS if name not in (colour, "white", "grey", "olive")]
    trim = f"glossy {others[int(draw.integers(len(others)))]}"
    if kind == "cyborg":
        plates = ("chrome", "dark steel", "blue steel", "golden")  # copper and bronze are too near to skin
        return (
            f"{tuple(SKINS)[int(draw.integers(4))]} skin",
            f"{finish} {colour}",
            in_turn(seed, "plate", index, plates),
        )
    if kind == "alien":
        skins = tuple(SKINS)[4:]
        return f"{in_turn(seed, 'skin', index, skins)} skin", f"{finish} {colour}", trim
    if draw.random() < 0.45:
        return metal, metal if draw.random() < 0.6 else f"{finish} {colour}", trim
    return f"{finish} {colour}", f"{finish} {colour}" if draw.random() < 0.6 else metal, metal


def paint_of(name: str) -> Paint:
    """The paint of that name, such as `chrome`, `glossy red` or `green skin`."""
    if name in METALS:
        return Paint(METALS[name], "metal")
    first, last = name.split(" ")
    return Paint(SKINS[first], "skin") if last == "skin" else Paint(COLOURS[last], FINISHES[first])


def brightness(colour: Colour) -> float:
    """Luma of a colour from 0 to 255 (ITU-R BT.601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _ground_colour(seed: int, index: int, ground: str | None, shell: str, suit: str) -> str:
    """A colour of the ground that figure and ground do not share."""
    figure = [paint_of(shell).colour, paint_of(suit).colour]

    def clear(name: str) -> bool:
        colour = GROUND_COLOURS[name]
        limit = 90 if ground in NIGHT else 190 if ground == "split" else 255
        apart = (sum(abs(a - b) for a, b in zip(colour, other, strict=True)) > 150 for other in figure)
        return brightness(colour) < limit and all(apart)

    options = [name for name in GROUND_COLOURS if clear(name)]
    return in_turn(seed, "ground colour", index, options or ["dark blue"])
