"""Lights of the VBVR demo: O-1 (lamps whose colours add up), O-52 (traffic lights)."""

import math

import numpy as np

from curate.sources.demo_pen import Colour
from curate.sources.demo_vbvr_pen import (
    GREEN,
    GREY,
    INK,
    RED,
    WHITE,
    YELLOW,
    Board,
    Drawing,
    Parameters,
    between,
    mixed,
    rgb,
    some,
    whole,
)

CYCLE = ("red", "yellow", "green", "yellow")
PHASE_S = 4
LIGHTS = {"North": (355, 190), "South": (645, 810), "East": (810, 355), "West": (190, 645)}
CROSSING: Colour = (206, 210, 216)
PANEL: Colour = (40, 43, 52)
LAMPS, ZONE = ((215.0, 300.0), (785.0, 300.0)), (390.0, 190.0, 610.0, 410.0)


def traffic(draw: np.random.Generator) -> Parameters:
    """O-52: at least one light changes exactly once, so that the end looks different."""
    names, seconds = some(draw, list(LIGHTS), whole(draw, 3, 4)), whole(draw, 3, 6)
    names = [name for name in LIGHTS if name in names]
    changing = whole(draw, 0, len(names) - 1)
    lights = []
    for number, name in enumerate(names):
        countdown = whole(draw, 1, 4)
        if number == changing:
            countdown = whole(draw, max(1, seconds - 3), min(4, seconds))
        phase = whole(draw, 0, 3)
        ends = (phase + _phases(seconds, countdown)) % 4
        lights.append({
            "name": name, "phase": phase, "color": CYCLE[phase], "countdown": countdown, "end_color": CYCLE[ends],
        })  # fmt: skip
    return {"num_lights": len(names), "phase_seconds": PHASE_S, "seconds": seconds, "lights": lights}


def _phases(elapsed_s: float, countdown: int) -> int:
    """How many changes a light has made."""
    return 0 if elapsed_s < countdown else 1 + int((elapsed_s - countdown) // PHASE_S)


def traffic_caption(chosen: Parameters) -> str:
    """The state of every light before and after."""
    lights, seconds = chosen["lights"], chosen["seconds"]
    starts = ", ".join(
        f"{light['name']} is {light['color']} with {light['countdown']}s left" for light in lights
    )
    ends = ", ".join(f"{light['name']} is {light['end_color']}" for light in lights)
    return (
        f"Seen from above, a crossing has {len(lights)} traffic lights. Each light repeats red, yellow, green, yellow "
        f"(red→yellow→green→yellow→red), {PHASE_S} seconds each, and a number counts down to its next change. At the "
        f"start, {starts}. {seconds} seconds pass, and a light switches at once when its number runs out. At the "
        f"end, {ends}."
    )


def ground_traffic(board: Board, chosen: Parameters) -> None:
    """The crossing with the names of the lights."""
    for box in ((400, 0, 600, 1000), (0, 400, 1000, 600)):
        board.box(*box, CROSSING)
    for start in (*range(30, 380, 80), *range(630, 980, 80)):
        board.line(np.array([[500, start], [500, start + 40]]), 9, WHITE)
        board.line(np.array([[start, 500], [start + 40, 500]]), 9, WHITE)
    board.disc(500, 500, 74, WHITE, GREY)
    for light in chosen["lights"]:
        x, y = LIGHTS[light["name"]]
        board.block((x - 40, y - 112, x + 40, y + 112), INK, corner=22)
        board.text(x, y - 142 if light["name"] != "South" else y + 142, light["name"], 36)


def paint_traffic(board: Board, chosen: Parameters, done: float) -> None:
    """A clock in the middle of the crossing counts the seconds."""
    elapsed_s = min(chosen["seconds"], math.floor(done * chosen["seconds"] + 1e-9))
    board.text(500, 500, f"{elapsed_s} s", 62)
    for light in chosen["lights"]:
        changes = _phases(elapsed_s, light["countdown"])
        left = light["countdown"] - elapsed_s + PHASE_S * changes
        _light(board, light["name"], CYCLE[(light["phase"] + changes) % 4], left)


def _light(board: Board, name: str, lit: str, left: int) -> None:
    """Three lamps, and the countdown beside them."""
    x, y = LIGHTS[name]
    for lamp, down, colour in (("red", -70, RED), ("yellow", 0, YELLOW), ("green", 70, GREEN)):
        board.disc(x, y + down, 29, colour if lamp == lit else mixed(INK, colour, 0.16))
    side = -1 if name in ("North", "West") else 1
    board.text(x + side * 92, y + 10, str(left), 76)


def mixing(draw: np.random.Generator) -> Parameters:
    """O-1: no sum is over 255 by much or too dark to see."""
    while True:
        lights = [[whole(draw, 0, 170) for _ in range(3)] for _ in range(2)]
        total = [min(255, first + second) for first, second in zip(*lights, strict=True)]
        if max(total) >= 150 and all(max(light) >= 90 for light in lights):
            return {"left_rgb": lights[0], "right_rgb": lights[1], "mixed_rgb": total}


def mixing_caption(chosen: Parameters) -> str:
    """All three colours."""
    left, right, total = (
        f"RGB({', '.join(map(str, chosen[key]))})" for key in ("left_rgb", "right_rgb", "mixed_rgb")
    )
    sums = ", ".join(
        f"{name} {first}+{second}→{both}"
        for name, first, second, both in zip("RGB", *chosen.values(), strict=True)
    )
    return (
        f"On a dark panel, a lamp on the left shines {left} and a lamp on the right shines {right}. Between them is "
        "an empty zone with a white border. A beam of light grows from each lamp to the zone, and the two colors "
        f"add up channel by channel, each limited to 255: {sums}. One after the other, the three sums are written "
        f"below. The zone then fills with the sum. At the end, the zone is {total}."
    )


def ground_mixing(board: Board, chosen: Parameters) -> None:
    """The panel with the values of the lamps."""
    board.block((50, 90, 950, 910), PANEL, corner=36)
    for (x, y), key in zip(LAMPS, ("left_rgb", "right_rgb"), strict=True):
        board.text(x, y + 130, ", ".join(map(str, chosen[key])), 44, WHITE)


def paint_mixing(board: Board, chosen: Parameters, done: float) -> None:
    """Beams, then the sums, then the zone."""
    left, right, total = (rgb(chosen[key]) for key in ("left_rgb", "right_rgb", "mixed_rgb"))
    reach = between(done, 0, 0.35)
    for (x, y), colour, edge in ((LAMPS[0], left, ZONE[0]), (LAMPS[1], right, ZONE[2])):
        tip, wide = x + (edge - x) * reach, 40 + 50 * reach
        if reach > 0:
            beam = np.array([[x, y - 40], [tip, y - wide], [tip, y + wide], [x, y + 40]])
            board.fill(beam, mixed(PANEL, colour, 0.55))
        board.disc(x, y, 82, colour, mixed(colour, WHITE, 0.6))
    board.block(ZONE, mixed(PANEL, total, between(done, 0.78, 0.95)), WHITE, corner=6, width=10)
    for row, (name, first, second) in enumerate(zip("RGB", left, right, strict=True)):
        shown = between(done, 0.36 + 0.13 * row, 0.46 + 0.13 * row)
        if shown > 0:
            over = " (255 at most)" if first + second > 255 else ""
            words = f"{name}   {first} + {second} = {first + second}{over}"
            board.text(500, 580 + 100 * row, words, 54, mixed(PANEL, WHITE, shown))


DRAWINGS = {
    "O-1": Drawing(mixing, mixing_caption, ground_mixing, paint_mixing),
    "O-52": Drawing(traffic, traffic_caption, ground_traffic, paint_traffic),
}
