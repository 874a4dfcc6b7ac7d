"""Faces of the robots demo: eyes and mouths on a head that may be turned."""

from collections.abc import Mapping

import numpy as np

from curate.sources.demo_pen import Colour, Points, arc, rounded, shade
from curate.sources.demo_robots_clay import Clay, Paint, both, mixed, squared, tapered, xy
from curate.sources.demo_robots_look import LIGHTS, Look, paint_of
from curate.sources.demo_robots_skull import (
    DARK,
    HOLE,
    RUBBER,
    SKULLS,
    STEEL,
    Part,
    faced,
    half_width,
    no_part,
)

WHITE: Colour = (255, 255, 255)
NIGHT = Paint((22, 24, 32), "glass")


def face(clay: Clay, look: Look) -> None:
    """Eyes, nose and mouth."""
    if look.kind == "cyborg":
        nose = np.array(
            [[0.03, -0.12], [0.16, 0.26], [0.1, 0.34], [-0.1, 0.34], [-0.12, 0.26], [-0.03, -0.12]]
        )
        clay.solid(faced(look, rounded(nose)), Paint(shade(paint_of(look.shell).colour, 0.97), "skin"), 0.1)
    if look.eyes == "screen":  # the mouth is on it too
        EYES[look.eyes](clay, look)
        MOUTHS[look.mouth](clay, look)
    else:
        MOUTHS[look.mouth](clay, look)
        EYES[look.eyes](clay, look)


def _spread(look: Look) -> float:
    """How far the eyes are from the middle."""
    return 0.44 * min(1.15, half_width(look, -0.12) + 0.08)


def _on(look: Look, x: float, y: float, across: float, down: float) -> Points:
    return faced(look, arc(x, y, across, down))


def _middle(points: Points) -> tuple[float, float]:
    x, y = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return x, y


def _lens(clay: Clay, look: Look, x: float, y: float, radius: float) -> None:
    """A camera: a rim, dark glass and a lit ring in it."""
    light = LIGHTS[look.light]
    clay.solid(_on(look, x, y, radius, radius), STEEL if look.shell != "chrome" else DARK, 0.35 * radius)
    clay.solid(_on(look, x, y, 0.76 * radius, 0.76 * radius), NIGHT, 0.5 * radius, shadow=False)
    iris = _on(look, x, y, 0.46 * radius, 0.46 * radius)
    clay.solid(iris, Paint(light, "lacquer"), 0.4 * radius, shadow=False)
    clay.solid(_on(look, x, y, 0.18 * radius, 0.18 * radius), HOLE, 0.1, shadow=False)
    clay.glow(*_middle(iris), 1.5 * radius, light, 0.5)
    _gleam(clay, look, x - 0.2 * radius, y - 0.24 * radius, 0.1 * radius)


def _gleam(clay: Clay, look: Look, x: float, y: float, radius: float) -> None:
    clay.solid(_on(look, x, y, radius, radius), Paint(WHITE, "matt"), 0.1, shadow=False)


def _lenses(clay: Clay, look: Look) -> None:
    for side in (-1, 1):
        _lens(clay, look, side * _spread(look), -0.12, 0.33)


def _single_lens(clay: Clay, look: Look) -> None:
    _lens(clay, look, 0.0, -0.1, 0.5)


def _visor(clay: Clay, look: Look) -> None:
    """A dark band across the face with a streak of light."""
    width, light = half_width(look), LIGHTS[look.light]
    band = faced(look, squared(0.86 * width, 0.25, 4.5, 0, -0.12))
    clay.solid(band, NIGHT, 0.2)
    streak = faced(look, squared(0.62 * width, 0.06, 3, 0, -0.1))
    clay.solid(streak, Paint(mixed(light, WHITE, 0.35), "matt"), 0.05, shadow=False)
    for x in (-0.4, 0.0, 0.4):
        (place,) = faced(look, np.array([[x * width, -0.1]]))
        clay.glow(*xy(place), 0.55, light, 0.32)


def _screen(clay: Clay, look: Look) -> None:
    """A dark plate for a face, with eyes of light on it."""
    width, light = half_width(look), LIGHTS[look.light]
    plate = faced(look, squared(0.8 * width, 0.58, 3.6, 0, 0.04))
    clay.solid(plate, NIGHT, 0.3)
    for side in (-1, 1):
        eye = faced(look, squared(0.11, 0.2, 2.6, side * 0.42 * width, -0.08))
        clay.solid(eye, Paint(mixed(light, WHITE, 0.3), "matt"), 0.05, shadow=False)
        clay.glow(*_middle(eye), 0.5, light, 0.5)


def _slits(clay: Clay, look: Look) -> None:
    light = LIGHTS[look.light]
    slant = np.array([[-0.3, 0.06], [0.28, -0.2], [0.3, -0.06], [-0.2, 0.16]])
    for side in (-1, 1):
        place = np.array([side * _spread(look), -0.12])
        hole = rounded(slant * [1.0, 1.3] + [0, 0.03]) * [side, 1] + place
        lit = faced(look, rounded(0.74 * slant) * [side, 1] + place)
        clay.solid(faced(look, hole), HOLE, 0.08)
        clay.solid(lit, Paint(mixed(light, WHITE, 0.3), "matt"), 0.05, shadow=False)
        clay.glow(*_middle(lit), 0.5, light, 0.45)


def _cross(clay: Clay, look: Look) -> None:
    """The opening of an old helmet: a slit for the eyes and one down to the chin."""
    width, light = half_width(look), LIGHTS[look.light]
    opening = both([[0.74 * width, -0.24], [0.78 * width, -0.02], [0.2, 0.06], [0.12, 0.86]])
    clay.solid(faced(look, opening), HOLE, 0.1)
    for side in (-1, 1):
        eye = _on(look, side * 0.4 * width, -0.11, 0.12, 0.055)
        clay.solid(eye, Paint(mixed(light, WHITE, 0.4), "matt"), 0.05, shadow=False)
        clay.glow(*_middle(eye), 0.36, light, 0.5)


def _glass(clay: Clay, look: Look) -> None:
    """A large pane that mirrors its surroundings, as of an astronaut."""
    width = half_width(look)
    pane = squared(0.74 * width, 0.56, 2.7, 0, -0.02)
    clay.solid(faced(look, pane * 1.1), paint_of(look.trim), 0.12)
    clay.solid(faced(look, pane), Paint(shade(LIGHTS[look.light], 0.5), "glass"), 0.5, shadow=False)
    gleam = np.array([[-0.42, -0.3], [-0.2, -0.42], [-0.32, 0.1], [-0.44, 0.16]]) * [width, 1]
    side = -1 if look.from_right else 1
    clay.solid(faced(look, rounded(gleam * [side, 1])), Paint((226, 236, 246), "matt"), 0.05, shadow=False)


def _eyeball(clay: Clay, look: Look, x: float, y: float, radius: float, lid: bool = True) -> None:
    white = _on(look, x, y, radius, 0.8 * radius if lid else radius)
    clay.solid(white, Paint((240, 238, 230), "lacquer"), 0.9 * radius)
    gaze = 0.14 * radius * np.sign(look.turn)
    iris = Paint(shade(LIGHTS[look.light], 0.62), "matt")
    clay.solid(_on(look, x + gaze, y, 0.52 * radius, 0.52 * radius), iris, 0.3 * radius, white, shadow=False)
    clay.solid(_on(look, x + gaze, y, 0.26 * radius, 0.26 * radius), HOLE, 0.1, shadow=False)
    _gleam(clay, look, x + gaze - 0.2 * radius, y - 0.22 * radius, 0.12 * radius)
    if lid:
        skin = Paint(shade(paint_of(look.shell).colour, 0.86), "skin")
        upper = arc(x, y, 1.12 * radius, 0.95 * radius, np.pi, 2 * np.pi)
        lower = arc(x, y - 0.16 * radius, 1.1 * radius, 0.28 * radius, 2 * np.pi, np.pi)
        clay.solid(faced(look, np.concatenate([upper, lower])), skin, 0.2 * radius)


def _human(clay: Clay, look: Look) -> None:
    for side in (-1, 1):
        _eyeball(clay, look, side * _spread(look), -0.12, 0.25)


def _odd(clay: Clay, look: Look) -> None:
    """One eye that was born and one that was made, on the side of the plate."""
    made = -1 if look.turn > 0 else 1
    _eyeball(clay, look, -made * _spread(look), -0.12, 0.24)
    _lens(clay, look, made * _spread(look), -0.12, 0.29)


def _almonds(clay: Clay, look: Look) -> None:
    for side in (-1, 1):
        angle = arc(0, 0, 0.42, 0.25)
        turn = np.radians(-26 * side)
        tilted = angle @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        clay.solid(faced(look, np.add(tilted, (side * 0.47 * half_width(look), 0.0))), NIGHT, 0.28)


def _three(clay: Clay, look: Look) -> None:
    for x, y in ((-0.46, 0.0), (0.46, 0.0), (0.0, -0.42)):
        _eyeball(clay, look, x * min(1.0, half_width(look)), y, 0.22, lid=False)


def _one(clay: Clay, look: Look) -> None:
    _eyeball(clay, look, 0.0, -0.1, 0.46)


def _stalks(clay: Clay, look: Look) -> None:
    skin = paint_of(look.shell)
    for side in (-1, 1):
        foot, end = (0.34 * side, -0.5), (0.62 * side, -1.26)
        clay.solid(tapered(foot, end, 0.16, 0.12), skin, 0.14)
        clay.ball(*end, 0.27, 0.27, Paint((240, 238, 230), "lacquer"))
        x = end[0] + 0.006 * look.turn
        clay.ball(x, end[1] + 0.02, 0.14, 0.14, Paint(shade(LIGHTS[look.light], 0.62), "matt"), shadow=False)
        clay.ball(x, end[1] + 0.02, 0.07, 0.07, HOLE, shadow=False)


def _grille(clay: Clay, look: Look) -> None:
    wide = 0.36 * min(1.1, half_width(look))
    clay.solid(faced(look, squared(wide, 0.17, 4, 0, 0.58)), HOLE, 0.1)
    for x in np.linspace(-0.75, 0.75, 5) * wide:
        bar = np.array([[x - 0.022, 0.44], [x + 0.022, 0.44], [x + 0.022, 0.72], [x - 0.022, 0.72]])
        clay.solid(faced(look, bar), STEEL, 0.03, shadow=False)


def _slot(clay: Clay, look: Look) -> None:
    clay.solid(faced(look, squared(0.3, 0.055, 4, 0, 0.58)), HOLE, 0.05)


def _holes(clay: Clay, look: Look) -> None:
    for x in (-0.27, -0.09, 0.09, 0.27):
        for y in (0.5, 0.66):
            clay.solid(_on(look, x, y, 0.05, 0.05), HOLE, 0.04, shadow=False)


def _smile(clay: Clay, look: Look) -> None:
    curve = faced(look, arc(0, 0.42, 0.36, 0.24, 0.35, np.pi - 0.35))
    dark = shade(paint_of(look.shell).colour, 0.25)
    glowing = look.eyes == "screen"
    clay.line(curve, 0.06, mixed(LIGHTS[look.light], WHITE, 0.3) if glowing else dark)


def _lips(clay: Clay, look: Look) -> None:
    skin = paint_of(look.shell).colour
    lip = Paint(mixed(shade(skin, 0.74), (150, 50, 60), 0.4), "skin")
    upper = both([[0.0, 0.56], [0.08, 0.53], [0.28, 0.62], [0.0, 0.64]])
    lower = both([[0.0, 0.63], [0.26, 0.62], [0.1, 0.72], [0.0, 0.73]])
    clay.solid(faced(look, lower), lip, 0.06)
    clay.solid(faced(look, upper), Paint(shade(lip.colour, 0.85), "skin"), 0.06, shadow=False)


def _jaw(clay: Clay, look: Look) -> None:
    """The lower face replaced by metal."""
    width = half_width(look)
    jaw = np.array([[-1.2, 0.3], [-0.4, 0.44], [0.4, 0.44], [1.2, 0.3], [1.2, 1.5], [-1.2, 1.5]]) * [width, 1]
    clay.solid(jaw, paint_of(look.trim), 0.3, SKULLS[look.head])
    _grille(clay.moved(0, 0.1), look)


def _small(clay: Clay, look: Look) -> None:
    curve = faced(look, arc(0, 0.66, 0.15, 0.05, np.pi + 0.2, 2 * np.pi - 0.2))
    clay.line(curve, 0.04, shade(paint_of(look.shell).colour, 0.35))
    for side in (-1, 1):
        clay.solid(_on(look, 0.06 * side, 0.38, 0.025, 0.04), HOLE, 0.03, shadow=False)


def _wide(clay: Clay, look: Look) -> None:
    """An open mouth with teeth."""
    outline = faced(look, both([[0.0, 0.46], [0.4, 0.42], [0.34, 0.7], [0.0, 0.82]]))
    clay.solid(rounded(outline), Paint((92, 26, 38), "matt"), 0.1)
    for x in np.linspace(-0.26, 0.26, 5):
        tooth = np.array([[x - 0.055, 0.45], [x + 0.055, 0.45], [x, 0.58]])
        clay.solid(faced(look, tooth), Paint((244, 240, 226), "matt"), 0.03, shadow=False)


def _breather(clay: Clay, look: Look) -> None:
    snout = both([[0.2, 0.34], [0.36, 0.5], [0.3, 0.92], [0.14, 1.0]])
    clay.solid(faced(look, rounded(snout)), RUBBER, 0.2)
    for side in (-1, 1):
        disc = _on(look, 0.36 * side, 0.76, 0.17, 0.17)
        clay.solid(disc, STEEL, 0.08)
        clay.solid(_on(look, 0.36 * side, 0.76, 0.1, 0.1), HOLE, 0.06, shadow=False)


EYES: Mapping[str, Part] = {
    "lenses": _lenses, "lens": _single_lens, "visor": _visor, "screen": _screen, "slits": _slits, "cross": _cross,
    "glass": _glass, "human": _human, "odd": _odd, "almonds": _almonds, "three": _three, "one": _one,
    "stalks": _stalks,
}  # fmt: skip
MOUTHS: Mapping[str, Part] = {
    "none": no_part, "grille": _grille, "slot": _slot, "holes": _holes, "smile": _smile, "lips": _lips,
    "metal jaw": _jaw, "small": _small, "wide": _wide, "breather": _breather,
}  # fmt: skip
