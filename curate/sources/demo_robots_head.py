"""Heads of the robots demo: skull, ears and plates. Units: half a head's height, y down."""

import numpy as np

from curate.records import rng
from curate.sources.demo_pen import Points, arc, rounded, shade
from curate.sources.demo_robots_clay import Clay, Paint, both, squared, tapered, xy
from curate.sources.demo_robots_look import Look, paint_of
from curate.sources.demo_robots_skull import DARK, RUBBER, SKULLS, STEEL, faced, half_width, no_part
from curate.sources.demo_robots_tops import ABOVE, BEHIND, ON_TOP


def skull(clay: Clay, look: Look) -> None:
    """The head without a face, with what belongs behind it and beside it."""
    paint, width = paint_of(look.shell), half_width(look)
    outline = SKULLS[look.head]
    crown = clay.moved(0, float(outline[:, 1].min()) + 1)
    BEHIND.get(look.top, no_part)(crown, look)
    far = 1 if look.turn > 0 else -1
    _ear(clay, look, far, far * width * 0.98)
    ABOVE.get(look.top, no_part)(crown, look)
    clay.solid(outline, paint, 0.85 if look.kind != "android" else 0.6)
    _panels(clay, look, outline, paint)
    ON_TOP.get(look.top, no_part)(clay, look)
    _ear(clay, look, -far, -far * width * (1.0 - abs(look.turn) / 110))


def _panels(clay: Clay, look: Look, outline: Points, paint: Paint) -> None:
    """Seams, plates and spots that make the head a made or a grown one."""
    width, draw = half_width(look), rng(look.seed, "spots")
    if look.kind == "alien":
        for _ in range(int(draw.integers(5, 11))):
            angle, far = draw.uniform(np.pi, 2 * np.pi), draw.uniform(0.55, 0.86)
            spot = arc(far * width * np.cos(angle), 0.95 * far * np.sin(angle), *draw.uniform(0.03, 0.1, 2))
            clay.solid(spot, Paint(shade(paint.colour, 0.72), "skin"), 0.05, outline, shadow=False)
    elif look.kind == "cyborg":
        side = -1 if look.turn > 0 else 1
        plate = np.array([[0.06, -1.6], [1.6, -1.6], [1.6, 0.5], [0.62, 0.34], [0.5, -0.02], [0.1, -0.12]])
        clay.solid(rounded(plate * [side, 1]), paint_of(look.trim), 0.3, outline)
    else:
        wide = half_width(look, -0.5)
        line = np.linspace(-0.9, 0.9, 25)
        brow = faced(look, np.stack([line * wide, 0.08 * line**2 - 0.5], axis=1), wide)
        clay.groove(brow, paint.colour, 0.025)
        for x in (-0.62, -0.2, 0.2, 0.62):
            (place,) = faced(look, np.array([[x * wide, -0.6 + 0.08 * x * x]]), wide)
            clay.ball(*xy(place), 0.05, 0.05, paint, shadow=False)
        if look.kind == "armoured figure":
            ridge = faced(look, both([[0.06, -1.0], [0.1, -0.5], [0.03, -0.3]]))
            clay.solid(ridge, paint_of(look.trim), 0.08)


def _ear(clay: Clay, look: Look, side: int, x: float) -> None:
    trim, shell, place = paint_of(look.trim), paint_of(look.shell), np.array([x, 0.0])
    if look.ears == "discs":
        clay.ball(x, 0.05, 0.2, 0.34, trim)
        clay.ball(x + 0.04 * side, 0.05, 0.1, 0.18, DARK, shadow=False)
    elif look.ears == "bolts":
        clay.solid(tapered((x, 0.05), (x + 0.3 * side, 0.05), 0.13, 0.1), STEEL, 0.12)
        clay.ball(x + 0.36 * side, 0.05, 0.15, 0.2, trim)
    elif look.ears == "cups":
        clay.solid(squared(0.24, 0.44, 3.2, x, 0.08), trim, 0.2)
        clay.solid(squared(0.12, 0.26, 3.0, x + 0.05 * side, 0.08), RUBBER, 0.1, shadow=False)
    elif look.ears in ("fins", "wings"):
        up = 1.25 if look.ears == "wings" else 0.6
        fin = np.array([[-0.1, 0.3], [-0.08, -0.2], [0.5, -up], [0.32, -0.1], [0.12, 0.36]]) * [side, 1]
        clay.solid(rounded(fin + place), trim, 0.14)
    elif look.ears == "pointed":
        ear = np.array([[-0.12, 0.3], [-0.1, -0.24], [0.62, -0.62], [0.4, -0.04], [0.14, 0.34]]) * [side, 1]
        clay.solid(rounded(ear + place), shell, 0.2)
        clay.solid(rounded(ear * 0.55 + place), Paint(shade(shell.colour, 0.7), "skin"), 0.1)
    elif look.ears == "human":
        clay.ball(x, 0.08, 0.13, 0.26, shell)
