"""Agents that walk on a grid, in the VBVR demo: G-13, G-17 and G-41."""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from curate.sources.demo_pen import Colour, Points, shade
from curate.sources.demo_vbvr_pen import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE,
    RED,
    WHITE,
    YELLOW,
    Board,
    Drawing,
    Parameters,
    constant,
    mixed,
    pick,
    some,
    steps,
    walked,
    whole,
)

Cell = list[int]  # row and column
SIDE = 10
MAZE = (70.3125, 70.3125, 85.9375)  # left, top and width of a cell: 36, 36 and 44 of 512 pixels
INSET = 3.90625  # 2 of 512 pixels: H.264 keeps colours by pairs of pixels, and edges between pairs stay sharp
COSTS = (130.0, 190.0, 185.0)
SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))


def centre(cell: Sequence[float], layout: tuple[float, float, float]) -> tuple[float, float]:
    """The middle of a cell; a layout is left, top and the width of a cell."""
    left, top, width = layout
    return left + (cell[1] + 0.5) * width, top + (cell[0] + 0.5) * width


def lattice(board: Board, layout: tuple[float, float, float], count: int, colour: Colour = PALE) -> None:
    """The lines of a grid."""
    left, top, width = layout
    for k in range(count + 1):
        thick = 6 if k in (0, count) else 3
        board.line(
            np.array([[left, top + k * width], [left + count * width, top + k * width]]), thick, colour
        )
        board.line(
            np.array([[left + k * width, top], [left + k * width, top + count * width]]), thick, colour
        )


def square(board: Board, cell: Sequence[float], layout: tuple[float, float, float], colour: Colour) -> None:
    """Fill a cell but for its rim."""
    x, y = centre(cell, layout)
    half = layout[2] / 2 - INSET
    board.block((x - half, y - half, x + half, y + half), colour, corner=8)


def _trail(board: Board, path: Sequence[Cell], layout: tuple[float, float, float], done: float) -> Points:
    """The walked part of a path as a line; the last of the points is where the agent is."""
    way = walked([centre(cell, layout) for cell in path], done)
    board.line(way, 4 + layout[2] * 0.05, mixed(WHITE, INK, 0.45))
    return way


def number_sequence(draw: np.random.Generator) -> Parameters:
    """G-13: no way between two stops leads over another stop."""
    cells = [[row, column] for row in range(SIDE) for column in range(SIDE)]
    while True:
        start, one, two, three, end = stops = some(draw, cells, 5)
        legs = [_staircase(draw, *leg) for leg in ((start, one), (one, two), (two, three), (three, end))]
        passed = [cell for leg in legs for cell in leg[1:-1]]
        if not any(cell in stops for cell in passed) and len(set(map(tuple, passed))) == len(passed):
            return {"grid_size": SIDE, "start": start, "numbers": [one, two, three], "end": end, "legs": legs}


def _staircase(draw: np.random.Generator, start: Cell, end: Cell) -> list[Cell]:
    """One of the shortest ways: along the rows first or along the columns first."""
    corner = pick(draw, ([start[0], end[1]], [end[0], start[1]]))
    return [start, *_straight(start, corner), *_straight(corner, end)]


def _straight(start: Cell, end: Cell) -> Iterator[Cell]:
    while start != end:
        start = [here + int(np.sign(there - here)) for here, there in zip(start, end, strict=True)]
        yield start


def _maze(board: Board, *coloured: tuple[Cell, Colour]) -> None:
    """The cells, some of them coloured."""
    lattice(board, MAZE, SIDE)
    for cell, colour in coloured:
        square(board, cell, MAZE, colour)


def ground_number_sequence(board: Board, chosen: Parameters) -> None:
    """The cells."""
    _maze(board, (chosen["start"], GREEN), (chosen["end"], RED), *((c, YELLOW) for c in chosen["numbers"]))


def paint_number_sequence(board: Board, chosen: Parameters, done: float) -> None:
    """The agent leaves a line behind."""
    path = [chosen["start"], *(cell for leg in chosen["legs"] for cell in leg[1:])]
    x, y = _trail(board, path, MAZE, done)[-1]
    for number, cell in enumerate(chosen["numbers"], 1):
        board.text(*centre(cell, MAZE), str(number), 54)
    board.disc(x, y, 27, ORANGE, shade(ORANGE, 0.7))


def avoid_red(draw: np.random.Generator) -> Parameters:
    """G-17."""
    while True:
        start, end = [whole(draw, 0, 9), whole(draw, 0, 2)], [whole(draw, 0, 9), whole(draw, 7, 9)]
        free = [
            [r, c] for r in range(SIDE) for c in range(SIDE) if [r, c] not in (start, end)
        ]  # row and column
        blocks = sorted(some(draw, free, whole(draw, 18, 30)))
        path = _shortest(start, end, blocks)
        if len(path) > 1 + abs(start[0] - end[0]) + abs(start[1] - end[1]) or (path and draw.random() < 0.3):
            return {"grid_size": SIDE, "start": start, "end": end, "blocks": blocks, "path": path}


def _shortest(start: Cell, end: Cell, blocks: Sequence[Cell]) -> list[Cell]:
    """The cells of a shortest way around the blocks; none where there is no way."""
    came: dict[tuple[int, ...], Cell | None] = {tuple(start): None}
    queue = [start]
    for here in queue:
        for cell in beside(here, SIDE):
            if tuple(cell) not in came and cell not in blocks:
                came[tuple(cell)] = here
                queue.append(cell)
    path: list[Cell] = []
    back: Cell | None = end if tuple(end) in came else None
    while back is not None:
        path, back = [back, *path], came[tuple(back)]
    return path


def beside(cell: Cell, side: int) -> Iterator[Cell]:
    """The cells that share a side with this one."""
    for down, right in SIDES:
        if 0 <= cell[0] + down < side and 0 <= cell[1] + right < side:
            yield [cell[0] + down, cell[1] + right]


def ground_avoid_red(board: Board, chosen: Parameters) -> None:
    """The cells."""
    _maze(board, (chosen["start"], BLUE), (chosen["end"], GREEN), *((c, RED) for c in chosen["blocks"]))


def paint_avoid_red(board: Board, chosen: Parameters, done: float) -> None:
    """The agent leaves a line behind."""
    x, y = _trail(board, chosen["path"], MAZE, done)[-1]
    board.disc(x, y, 27, YELLOW, shade(YELLOW, 0.7))


def highest_cost(draw: np.random.Generator) -> Parameters:
    """G-41: the best of all ways that enter no cell twice."""
    costs = draw.integers(1, 10, (4, 4))
    sums = np.array([costs.flat[[4 * row + column for row, column in way]].sum() for way in _ways()])
    return {"grid_size": 4, "costs": costs.tolist(), "path": _ways()[int(sums.argmax())]}


@cache
def _ways() -> list[list[Cell]]:
    """All 184 ways through a 4x4 grid from the first cell to the last one."""
    ways, found = [[[0, 0]]], list[list[Cell]]()
    while ways:
        way = ways.pop()
        if way[-1] == [3, 3]:
            found.append(way)
        else:
            ways += [[*way, cell] for cell in beside(way[-1], 4) if cell not in way]
    return found


def ground_highest_cost(board: Board, chosen: Parameters) -> None:
    """The cells."""
    square(board, [0, 0], COSTS, GREEN)
    square(board, [3, 3], COSTS, RED)
    lattice(board, COSTS, chosen["grid_size"])


def paint_highest_cost(board: Board, chosen: Parameters, done: float) -> None:
    """The agent eats its way; the sum of what it has visited stands above."""
    path, costs = chosen["path"], chosen["costs"]
    walk = steps(done, len(path) - 1)
    visited = path[: 1 + sum(step >= 0.5 for step in walk)]
    for cell in visited[1:]:
        if cell != [3, 3]:
            square(board, cell, COSTS, mixed(WHITE, YELLOW, 0.45))
    x, y = _trail(board, path, COSTS, done)[-1]
    for row, column in np.ndindex(4, 4):
        left, top = centre((row, column), COSTS)
        ink = WHITE if [row, column] in ([0, 0], [3, 3]) else INK
        board.text(left + 56, top - 54, str(costs[row][column]), 56, ink)
    board.text(500, 105, f"Sum {sum(costs[row][column] for row, column in visited)}", 72)
    _eater(board, x, y, 46, sum(walk) % 1)


def _eater(board: Board, x: float, y: float, radius: float, bite: float) -> None:
    """A yellow disc whose mouth closes and opens on its way to the next cell."""
    mouth = np.radians(8 + 32 * abs(2 * bite - 1))
    angle = np.linspace(mouth, 2 * np.pi - mouth, 40)
    rim = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    body = np.vstack([[[x, y]], rim])
    board.fill(body, YELLOW)
    board.line(body, 5, shade(YELLOW, 0.65), closed=True)
    board.disc(x + 4, y - radius * 0.52, 6, INK)


DRAWINGS = {
    "G-13": Drawing(
        number_sequence,
        constant(
            "A 10x10 grid has a green start cell, a red end cell and three yellow cells marked 1, 2 and 3. An orange "
            "round agent stands on the green cell. It moves one cell at a time, up, down, left or right: first to "
            "the cell marked 1, then to 2, then to 3, each time by a shortest way, and from there by a shortest way "
            "to the red cell. A line marks the way it has gone. At the end, the agent stands on the red cell and "
            "the line runs through 1, 2 and 3 in this order."
        ),
        ground_number_sequence,
        paint_number_sequence,
        60,
    ),
    "G-17": Drawing(
        avoid_red,
        constant(
            "A 10x10 grid has a blue start cell on the left, a green end cell on the right and many red cells that "
            "block the way. A yellow round agent stands on the blue cell. It moves one cell at a time, up, down, "
            "left or right, never enters a red cell, and takes a shortest way. A line marks the way it has gone. "
            "At the end, the agent stands on the green cell."
        ),
        ground_avoid_red,
        paint_avoid_red,
        48,
    ),
    "G-41": Drawing(
        highest_cost,
        constant(
            "A 4x4 grid shows a number in each cell. A yellow agent with a mouth stands on the green cell at the top "
            "left; the cell at the bottom right is red. The agent moves one cell at a time, up, down, left or right, "
            "enters no cell twice, and takes the way whose numbers have the highest sum. The sum of the visited "
            "cells stands above the grid and grows with each step. At the end, the agent stands on the red cell and "
            "the highest sum is shown."
        ),
        ground_highest_cost,
        paint_highest_cost,
        52,
    ),
}
