"""Things that are moved, in the VBVR demo: G-3, G-11, G-25, G-33 and O-30."""

import numpy as np

from curate.sources.demo_pen import Colour, shade
from curate.sources.demo_vbvr_pen import (
    GREY,
    LOPSIDED,
    PALE,
    PALETTE,
    SHAPES,
    WHITE,
    Board,
    Drawing,
    Parameters,
    a,
    between,
    constant,
    mixed,
    pick,
    placed,
    rgb,
    some,
    steps,
    tint,
    whole,
)

WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
SHELF = 880.0  # where books stand
SLOT = 52.0
LINE = 560.0  # where sorted shapes stand


def reappearance(draw: np.random.Generator) -> Parameters:
    """G-11."""
    return {
        "shape": pick(draw, list(SHAPES)),
        "color": tint(draw, pick(draw, list(PALETTE))),
        "radius": whole(draw, 90, 140),
        "direction": pick(draw, list(WAYS)),
    }


def reappearance_caption(chosen: Parameters) -> str:
    """Only the direction differs."""
    return (
        f"An object rests in the center of a white scene. It moves {chosen['direction']} in a straight line until it "
        "has left the frame, comes back along the same line, and stops in the center. At the end, the object is in "
        "the center again and unchanged."
    )


def nothing(board: Board, _: Parameters) -> None:
    """A white ground."""


def paint_reappearance(board: Board, chosen: Parameters, done: float) -> None:
    """Out and back: the end is the start."""
    way, out = np.array(WAYS[chosen["direction"]]), 540 + 1.2 * chosen["radius"]
    away = out * (between(done, 0, 0.48) - between(done, 0.52, 1))
    x, y = 500 + way * away
    board.shape(chosen["shape"], x, y, chosen["radius"], rgb(chosen["color"]))


def spinning(draw: np.random.Generator) -> Parameters:
    """G-25."""
    count = whole(draw, 2, 5)
    turns = [-135, -90, -60, 60, 90, 135]
    return {
        "num_objects": count,
        "objects": [
            {
                "shape": shape,
                "color": tint(draw, name),
                "turn_degrees": pick(draw, turns),
                "target_degrees": 45 * whole(draw, 0, 7),
            }
            for shape, name in zip(some(draw, LOPSIDED, count), some(draw, list(PALETTE), count), strict=True)
        ],
    }


def spinning_caption(chosen: Parameters) -> str:
    """Only the count differs."""
    return (
        f"On the left side stand {chosen['num_objects']} objects, one below the other, and on the right side, level "
        "with each, a dashed outline of it that is turned. From top to bottom, each object first rotates in place "
        "until it faces the same way as its outline, and then moves straight to the right until it fills the "
        "outline exactly. The dashed outlines do not move. At the end, all objects lie inside their outlines."
    )


def _rows(chosen: Parameters) -> tuple[float, float]:
    """Height of a row, and radius of the objects."""
    row = 900 / chosen["num_objects"]
    return row, min(110.0, row * 0.42)


def ground_spinning(board: Board, chosen: Parameters) -> None:
    """The outlines."""
    row, radius = _rows(chosen)
    for k, thing in enumerate(chosen["objects"]):
        outline = placed(thing["shape"], 780, 50 + row * (k + 0.5), radius + 8, thing["target_degrees"])
        board.dashes(outline, 6, GREY, dash=13)


def paint_spinning(board: Board, chosen: Parameters, done: float) -> None:
    """One object after the other: turn, then move."""
    row, radius = _rows(chosen)
    for k, thing in enumerate(chosen["objects"]):
        own = done * chosen["num_objects"] - k
        turn = thing["target_degrees"] - thing["turn_degrees"] * (1 - between(own, 0, 0.45))
        x = 220 + 560 * between(own, 0.5, 0.95)
        board.shape(thing["shape"], x, 50 + row * (k + 0.5), radius, rgb(thing["color"]), turn)


def jenga(draw: np.random.Generator) -> Parameters:
    """G-33."""
    count = whole(draw, 3, 5)
    return {
        "num_objects": count,
        "objects": [
            {
                "color": tint(draw, name),
                "width": whole(draw, 240, 460),
                "kind": pick(draw, ("box", "stripes", "disc")),
                "side": pick(draw, ("left", "right")),
            }
            for name in some(draw, list(PALETTE), count)
        ],
    }


def ground_jenga(board: Board, _: Parameters) -> None:
    """The table."""
    board.block((130, 900, 870, 930), PALE, GREY, corner=8, width=4)


def paint_jenga(board: Board, chosen: Parameters, done: float) -> None:
    """From the top: a little up, then out of the frame."""
    objects = chosen["objects"]  # from top to bottom
    tall = min(170.0, 700 / len(objects))
    for k, thing in enumerate(objects):
        own = done * len(objects) - k
        x = 500 + WAYS[thing["side"]][0] * 780 * between(own, 0.2, 0.95)
        bottom = 898 - tall * (len(objects) - 1 - k) - 46 * between(own, 0, 0.25)
        _piece(board, thing, (x - thing["width"] / 2, bottom - tall + 4, x + thing["width"] / 2, bottom))


def _piece(board: Board, thing: Parameters, box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    colour = rgb(thing["color"])
    board.block(box, colour, shade(colour, 0.72), corner=16, width=6)
    if thing["kind"] == "stripes":
        for share in (0.25, 0.75):
            x = left + (right - left) * share
            board.box(x - 12, top + 6, x + 12, bottom - 6, shade(colour, 0.85))
    elif thing["kind"] == "disc":
        board.disc((left + right) / 2, (top + bottom) / 2, (bottom - top) * 0.26, mixed(colour, WHITE, 0.45))


def stable_sort(draw: np.random.Generator) -> Parameters:
    """G-3: three sizes of two shapes in two rows; they are sorted into the line between."""
    kinds, names = some(draw, list(SHAPES), 2), some(draw, list(PALETTE), 2)
    seats = [[170 + 330 * column + whole(draw, -40, 40), y] for y in (215, 785) for column in range(3)]
    spots = some(draw, seats, 6)
    colours = [tint(draw, name) for name in names]
    radii = [sorted(some(draw, range(32, 68, 8), 3)) for _ in kinds]
    return {
        "shapes": kinds,
        "colors": colours,
        "objects": [
            {"kind": kind, "radius": radius, "center": spots[3 * kind + k]}
            for kind in (0, 1)
            for k, radius in enumerate(radii[kind])
        ],
    }


def ground_stable_sort(board: Board, _: Parameters) -> None:
    """The line."""
    board.line(np.array([[40, LINE], [960, LINE]]), 6, PALE)


def paint_stable_sort(board: Board, chosen: Parameters, done: float) -> None:
    """In the order in which they will stand."""
    objects = chosen["objects"]
    for thing, end, moved in zip(objects, _line_up(chosen), steps(done, len(objects)), strict=True):
        name, colour = chosen["shapes"][thing["kind"]], rgb(chosen["colors"][thing["kind"]])
        x, y = np.array(thing["center"]) * (1 - moved) + np.array(end) * moved
        board.shape(name, x, y, thing["radius"], colour)


def _line_up(chosen: Parameters) -> list[tuple[float, float]]:
    """Where the objects end, evenly spaced and all standing on the line."""
    shapes = [SHAPES[chosen["shapes"][thing["kind"]]] * thing["radius"] for thing in chosen["objects"]]
    gap = (880 - sum(np.ptp(points[:, 0]) for points in shapes)) / (len(shapes) - 1)
    places, left = list[tuple[float, float]](), 60.0
    for points in shapes:
        places.append((float(left - points[:, 0].min()), float(LINE - 8 - points[:, 1].max())))
        left += np.ptp(points[:, 0]) + gap
    return places


def bookshelf(draw: np.random.Generator) -> Parameters:
    """O-30: heights grow from left to right, so each new book fits into one gap."""
    slots, name = 11, pick(draw, list(PALETTE))
    gaps = [1 + 3 * k + whole(draw, 0, 1) for k in some(draw, range(3), whole(draw, 2, 3))]
    heights = [120 + 24 * k + whole(draw, 0, 15) for k in range(slots)]
    return {
        "color_name": name,
        "new_color": tint(draw, name),
        "heights": heights,
        "gaps": gaps,  # slots, in the order in which their books wait from left to right
        "shades": [whole(draw, 84, 116) for _ in heights],
    }


def bookshelf_caption(chosen: Parameters) -> str:
    """Only the colour differs."""
    name = chosen["color_name"]
    return (
        "Gray books stand on a shelf, ordered by height from left to right, with some gaps between them. A few "
        f"{name} books stand on the right side. One after the other, each {name} book is lifted, moves to the left, "
        "and is lowered into the gap whose neighbors come closest to its own height. At the end, every gap holds "
        f"{a(name)} book, the row of books rises evenly, and the right side is empty."
    )


def ground_bookshelf(board: Board, chosen: Parameters) -> None:
    """The shelf with the books that stay."""
    board.block((40, SHELF, 960, SHELF + 28), PALE, GREY, corner=6, width=4)
    board.block((40, SHELF - 450, 62, SHELF), PALE, GREY, corner=6, width=4)
    for slot, height in enumerate(chosen["heights"]):
        if slot not in chosen["gaps"]:
            lightness = chosen["shades"][slot] / 100
            _book(board, 76 + SLOT * slot, SHELF, height, shade(GREY, lightness))


def paint_bookshelf(board: Board, chosen: Parameters, done: float) -> None:
    """Up, across, down."""
    for k, slot in enumerate(chosen["gaps"]):
        own = done * len(chosen["gaps"]) - k
        start, end = 730 + 78 * k, 76 + SLOT * slot
        x = start + (end - start) * between(own, 0.28, 0.7)
        lift = 415 * (between(own, 0, 0.28) - between(own, 0.7, 0.98))
        _book(board, x, SHELF - lift, chosen["heights"][slot], rgb(chosen["new_color"]))


def _book(board: Board, left: float, bottom: float, height: float, colour: Colour) -> None:
    """Its back, with two bands."""
    right, top = left + SLOT - 6, bottom - height
    board.block((left, top, right, bottom), colour, shade(colour, 0.72), corner=6, width=4)
    for y in (top + 22, bottom - 30):
        board.box(left + 4, y, right - 4, y + 8, mixed(colour, WHITE, 0.6))


DRAWINGS = {
    "G-3": Drawing(
        stable_sort,
        constant(
            "Six shapes of two kinds lie scattered in two rows, three sizes of each kind. One after the other, the "
            "shapes move onto the empty line in the middle: first the three of one kind from the smallest to the "
            "largest, then the three of the other kind from the smallest to the largest, from left to right. No shape "
            "changes its size or color. At the end, all six stand in a single row on the line."
        ),
        ground_stable_sort,
        paint_stable_sort,
        56,
    ),
    "G-11": Drawing(reappearance, reappearance_caption, nothing, paint_reappearance),
    "G-25": Drawing(spinning, spinning_caption, ground_spinning, paint_spinning, 56),
    "G-33": Drawing(
        jenga,
        constant(
            "Several blocks are stacked on a table. The topmost block is lifted a little and slides sideways out of "
            "the frame, then the next one, and so on from top to bottom, one block at a time. The blocks that are "
            "still there do not move. At the end, all blocks are gone and the table is empty."
        ),
        ground_jenga,
        paint_jenga,
        48,
    ),
    "O-30": Drawing(bookshelf, bookshelf_caption, ground_bookshelf, paint_bookshelf, 48),
}
