"""Liquids of the VBVR demo: O-75 (levels equalise), O-87 (ink spreads)."""

import math
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from curate.sources.demo_pen import Colour, Points, shade
from curate.sources.demo_vbvr_pen import (
    GREY,
    WHITE,
    Board,
    Drawing,
    Parameters,
    between,
    constant,
    mixed,
    pick,
    rgb,
    tint,
    whole,
)

LIQUIDS = {"water": ("blue", 5.0), "oil": ("yellow", 4.0), "honey": ("orange", 3.0), "syrup": ("brown", 2.2)}
"""Its colour, and how many times the difference of levels falls by e."""
BASE, UNITS_PER_CM, TUBE = 810.0, 10.0, 110.0
BEAKER = (270.0, 330.0, 730.0, 880.0)  # the water
CELLS = 64
WATER: Colour = (226, 240, 250)


def vessels(draw: np.random.Generator) -> Parameters:
    """O-75: levels whose mean is a whole number that none of them is near to."""
    liquid, count = pick(draw, list(LIQUIDS)), whole(draw, 2, 5)
    while True:
        levels = [whole(draw, 4, 60) for _ in range(count)]
        if sum(levels) % count == 0 and max(levels) - min(levels) >= 20:
            break
    return {
        "liquid": liquid,
        "color_name": LIQUIDS[liquid][0],
        "color": tint(draw, LIQUIDS[liquid][0]),
        "levels_cm": levels,
        "final_level_cm": sum(levels) // count,
    }


def vessels_caption(chosen: Parameters) -> str:
    """Liquid and levels."""
    levels, end = chosen["levels_cm"], chosen["final_level_cm"]
    rises = "; ".join(
        f"in tube {k} it {'rises' if level < end else 'sinks' if level > end else 'stays'}"
        + (f" from {level} cm to {end} cm" if level != end else f" at {end} cm")
        for k, level in enumerate(levels, 1)
    )
    return (
        f"{len(levels)} upright glass tubes of the same width stand side by side and are joined at the bottom by a "
        f"channel. They hold {chosen['color_name']} {chosen['liquid']}. At the start, the levels from left to right "
        f"are {levels} cm, so the pressure at the bottom differs from tube to tube. The liquid flows through the "
        "channel from the tubes with a high level to the tubes with a low level, fast at first and then more and "
        f"more slowly: {rises}. No liquid is lost. At the end, the flow has stopped and all {len(levels)} tubes "
        f"show the same level of {end} cm, the mean of the levels at the start."
    )


def paint_vessels(board: Board, chosen: Parameters, done: float) -> None:
    """Differences from the mean shrink exponentially, scaled so that they end at nothing."""
    levels, end, colour = chosen["levels_cm"], chosen["final_level_cm"], rgb(chosen["color"])
    decay = LIQUIDS[chosen["liquid"]][1]
    left = (math.exp(-decay * done) - math.exp(-decay)) / (1 - math.exp(-decay))
    gap = 780 / len(levels)
    xs = [140 + gap * (k + 0.5) for k in range(len(levels))]
    board.block((xs[0] - TUBE / 2, BASE, xs[-1] + TUBE / 2, BASE + 60), colour, corner=4)
    for x, level in zip(xs, levels, strict=True):
        now = end + (level - end) * left
        top = BASE - UNITS_PER_CM * now
        board.box(x - TUBE / 2, top, x + TUBE / 2, BASE + 4, colour)
        board.line(np.array([[x - TUBE / 2, top], [x + TUBE / 2, top]]), 6, shade(colour, 0.7))
        board.text(x, BASE + 122, f"{now:.0f} cm", 42)
    _glass(board, xs)


def _glass(board: Board, xs: list[float]) -> None:
    """One line around tubes and channel, open at the tops."""
    top, half, bottom = BASE - 670, TUBE / 2 + 4, BASE + 64
    outer = np.array(
        [[xs[0] - half, top], [xs[0] - half, bottom], [xs[-1] + half, bottom], [xs[-1] + half, top]]
    )
    board.line(outer, 9, GREY)
    for x, following in pairwise(xs):
        inner = [[x + half, top], [x + half, BASE - 4], [following - half, BASE - 4], [following - half, top]]
        board.line(np.array(inner), 9, GREY)


def ground_vessels(board: Board, _: Parameters) -> None:
    """A ruler."""
    board.line(np.array([[100, BASE - 620], [100, BASE]]), 5, GREY)
    for cm in range(0, 61, 10):
        y = BASE - UNITS_PER_CM * cm
        board.line(np.array([[86, y], [114, y]]), 5, GREY)
        board.text(54, y, str(cm), 34, GREY)


def ink(draw: np.random.Generator) -> Parameters:
    """O-87: where every tendril goes, so that the same parameters give the same picture."""
    name = pick(draw, ("blue", "purple", "red", "teal", "green"))
    tendrils = [
        {
            "depth": round(float(draw.uniform(0.45, 0.92)), 3),  # shares of the water's height or width
            "drift": round(float(draw.normal(0, 0.17)), 3),
            "swirl": round(float(draw.uniform(0.02, 0.07)), 3),
            "phase": round(float(draw.uniform(0, 2 * math.pi)), 3),
        }
        for _ in range(whole(draw, 5, 8))
    ]
    return {"ink_name": name, "ink_color": tint(draw, name), "tendrils": tendrils}


def ground_ink(board: Board, _: Parameters) -> None:
    """The beaker."""
    left, top, right, bottom = BEAKER
    wall = [
        [left - 26, 215],
        [left - 7, 235],
        [left - 7, bottom + 7],
        [right + 7, bottom + 7],
        [right + 7, 235],
    ]
    board.box(left, top, right, bottom, WATER)
    board.line(np.array([*wall, [right + 26, 215]]), 12, GREY)
    board.line(np.array([[left, top], [right, top]]), 5, mixed(WATER, GREY, 0.6))
    for k in range(1, 5):
        y = bottom - k * (bottom - top) / 5
        board.line(np.array([[right - 46, y], [right - 8, y]]), 4, mixed(WHITE, GREY, 0.8))


def paint_ink(board: Board, chosen: Parameters, done: float) -> None:
    """A drop falls, sinks in tendrils and spreads until the water has one colour."""
    colour, fallen = rgb(chosen["ink_color"]), min(1.0, done / 0.12)
    if fallen < 1:
        _drop(board, 130 + (BEAKER[1] - 130) * fallen**2, colour)
    else:
        _dye(board, _density(chosen["tendrils"], (done - 0.12) / 0.88), colour)


def _drop(board: Board, y: float, colour: Colour) -> None:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    narrow = np.where(np.sin(angle) < 0, np.cos(angle) * (1 + np.sin(angle)), np.cos(angle))
    drop = np.stack([500 + 30 * narrow, y + np.where(np.sin(angle) < 0, 62, 30) * np.sin(angle)], axis=1)
    board.fill(drop, colour)
    board.line(drop, 4, shade(colour, 0.75), closed=True)


def _density(tendrils: list[dict[str, float]], time: float) -> npt.NDArray[np.float64]:
    """How much ink is in each cell of the water, (CELLS, CELLS) from 0 to 1; `time` from 0 to 1."""
    sunk, spread = between(time, -0.35, 0.7), 0.022 + 0.34 * time**2
    beads = np.linspace(0.03, 1, 20)  # along each tendril
    xs, ys, mass = [], [], []
    for tendril in tendrils:
        depth = tendril["depth"] * sunk * beads
        swirl = tendril["swirl"] * np.sin(9 * depth + tendril["phase"] + 4 * time)
        xs.append(0.5 + (tendril["drift"] * beads + swirl) * sunk)
        ys.append(depth)
        mass.append(0.35 + beads**2)
    x, y, amount = np.concatenate(xs), np.concatenate(ys), np.concatenate(mass)
    cells = (np.arange(CELLS) + 0.5) / CELLS
    across = sum(
        _bell(cells, side * np.clip(x, 0, 1) + shift, spread) for side, shift in ((1, 0), (-1, 0), (-1, 2))
    )
    down = sum(
        _bell(cells, side * np.clip(y, 0, 1) + shift, spread) for side, shift in ((1, 0), (-1, 0), (-1, 2))
    )
    cloud = (down * amount) @ np.transpose(across) / amount.sum()  # (CELLS, CELLS), its mean is about 1
    even = between(time, 0.55, 1)
    density: npt.NDArray[np.float64] = (1 - np.exp(-0.55 * cloud)) * (1 - even) + 0.45 * even
    return density


def _bell(cells: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], spread: float) -> Points:
    """Gaussian bells of area 1 over the cells, (CELLS, N); with images behind the walls none of the ink gets out."""
    bells: Points = np.exp(-0.5 * ((cells[:, None] - centres) / spread) ** 2) / (
        spread * math.sqrt(2 * math.pi)
    )
    return bells


def _dye(board: Board, density: npt.NDArray[np.float64], colour: Colour) -> None:
    """Colours the water; lines that are darker stay."""
    left, top, right, bottom = (round(edge * board.unit_px) for edge in BEAKER)
    clear = np.array(WATER)
    dyed = np.rint(clear + density[:, :, None] * (np.array(colour) - clear)).astype(np.uint8)
    dyed = cv2.resize(dyed, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC)
    water = board.image[top:bottom, left:right]
    np.minimum(water, dyed, out=water)


DRAWINGS = {
    "O-75": Drawing(vessels, vessels_caption, ground_vessels, paint_vessels, 48),
    "O-87": Drawing(
        ink,
        constant(
            "A glass beaker holds clear water, and a drop of ink hangs above the middle of it. The drop falls into the "
            "water. The ink sinks in irregular tendrils that bend and widen on their way down, and then spreads to "
            "the sides in ever paler clouds. At the end, the ink is spread evenly and all the water in the beaker "
            "has the same color."
        ),
        ground_ink,
        paint_ink,
        56,
    ),
}
