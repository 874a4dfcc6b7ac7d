"""Patterns of cells in the VBVR demo: G-37 (a mirror image), O-47 (a sliding puzzle)."""

from collections.abc import Sequence

import numpy as np

from curate.sources.demo_pen import shade
from curate.sources.demo_vbvr_grids import beside, centre, lattice, square
from curate.sources.demo_vbvr_pen import (
    GREY,
    PALETTE,
    PAPER,
    WHITE,
    Board,
    Drawing,
    Parameters,
    constant,
    mixed,
    pick,
    rgb,
    some,
    steps,
    tint,
    whole,
)


def symmetry(draw: np.random.Generator) -> Parameters:
    """G-37; the real parameters have these keys."""
    size = pick(draw, (6, 8, 10))
    cells = [[row, column] for row in range(size) for column in range(size // 2)]
    scatter = sorted(some(draw, cells, whole(draw, size // 2 + 1, size + 4)))
    return {
        "color": tint(draw, pick(draw, list(PALETTE))),
        "grid_size": size,
        "scatter_size": len(scatter),
        "initial_scatter": scatter,
    }


def ground_symmetry(board: Board, chosen: Parameters) -> None:
    """The left half."""
    size = chosen["grid_size"]
    layout = (90.0, 90.0, 820 / size)
    lattice(board, layout, size)
    for cell in chosen["initial_scatter"]:
        square(board, cell, layout, rgb(chosen["color"]))
    board.dashes(np.array([[500.0, 56.0], [500.0, 944.0]]), 8, GREY, closed=False)


def paint_symmetry(board: Board, chosen: Parameters, done: float) -> None:
    """Each mirrored cell fades in, those near the axis first."""
    size, colour = chosen["grid_size"], rgb(chosen["color"])
    layout = (90.0, 90.0, 820 / size)
    fading = steps(done, size // 2)
    for row, column in chosen["initial_scatter"]:
        fade = fading[size // 2 - 1 - column]
        square(board, (row, size - 1 - column), layout, mixed(WHITE, colour, fade))


def sliding(draw: np.random.Generator) -> Parameters:
    """O-47. Up to six moves without a step back are a shortest solution: the shortest ring of moves has twelve."""
    size, count = pick(draw, (3, 4)), whole(draw, 3, 6)
    tiles = [*range(1, size * size), 0]
    blank, before, moves = size * size - 1, -1, list[int]()
    for _ in range(count):
        near = [row * size + column for row, column in beside([blank // size, blank % size], size)]
        place = pick(draw, [place for place in near if place != before])
        moves.insert(0, tiles[place])
        tiles[blank], tiles[place] = tiles[place], 0
        blank, before = place, blank
    theme = pick(draw, list(PALETTE))
    return {
        "size": size,
        "solution_length": count,
        "tile_color_theme": theme,
        "tile_color": tint(draw, theme),
        "initial_tiles": tiles,
        "moves": moves,
    }


def sliding_caption(chosen: Parameters) -> str:
    """Several lines, as in the real one; only the number of moves differs."""
    count = chosen["solution_length"]
    return (
        "A square tray holds numbered tiles and one blank space, and some tiles are out of order.\n\n"
        "Rules: A tile may slide only into the blank space beside it. One tile moves at a time.\n\n"
        f"The tray is solved in exactly {count} moves.\n\n"
        "At the end, the numbers run in order from left to right and from top to bottom, and the blank space is in "
        "the bottom right corner. The camera and the tray stay still."
    )


def ground_sliding(board: Board, chosen: Parameters) -> None:
    """The tray, and the tiles that never move."""
    board.block((70, 70, 930, 930), PAPER, GREY, corner=30, width=10)
    for place, tile in enumerate(chosen["initial_tiles"]):
        if tile not in (0, *chosen["moves"]):
            _tile(board, chosen, tile, divmod(place, chosen["size"]))


def _tile(board: Board, chosen: Parameters, tile: int, cell: Sequence[float]) -> None:
    size, colour = chosen["size"], rgb(chosen["tile_color"])
    x, y = centre(cell, (100.0, 100.0, 800 / size))
    half = 400 / size - 8
    board.block((x - half, y - half, x + half, y + half), colour, shade(colour, 0.75), corner=22, width=6)
    board.text(x, y, str(tile), 340 / size, WHITE)


def paint_sliding(board: Board, chosen: Parameters, done: float) -> None:
    """One tile after the other glides into the blank."""
    places = {tile: divmod(place, chosen["size"]) for place, tile in enumerate(chosen["initial_tiles"])}
    now: dict[int, tuple[float, float]] = dict(places)
    for tile, moved in zip(chosen["moves"], steps(done, len(chosen["moves"])), strict=True):
        (row, column), (to_row, to_column) = places[tile], places[0]
        now[tile] = row + (to_row - row) * moved, column + (to_column - column) * moved
        if moved < 1:
            break
        places[tile], places[0] = places[0], places[tile]
    for tile in chosen["moves"]:
        _tile(board, chosen, tile, now[tile])


DRAWINGS = {
    "G-37": Drawing(
        symmetry,
        constant(
            "The left half of a grid holds scattered colored cells, and the right half is empty. A dashed vertical "
            "line marks the middle. For each colored cell, its mirror image across the line fades in on the right "
            "half. At the end, both halves are colored and the pattern is symmetric."
        ),
        ground_symmetry,
        paint_symmetry,
    ),
    "O-47": Drawing(sliding, sliding_caption, ground_sliding, paint_sliding),
}
