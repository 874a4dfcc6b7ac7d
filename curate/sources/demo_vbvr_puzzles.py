"""Puzzles of the VBVR demo: O-21 (the piece that fits), O-33 (how many), O-83 (a grid in perspective)."""

from collections.abc import Sequence

import cv2
import numpy as np

from curate.sources.demo_pen import Colour, Points, shade
from curate.sources.demo_vbvr_pen import (
    BLUE,
    INK,
    ORANGE,
    PALE,
    PALETTE,
    PAPER,
    RED,
    SHAPES,
    WHITE,
    Board,
    Drawing,
    Parameters,
    between,
    constant,
    eased,
    mixed,
    pick,
    placed,
    rgb,
    some,
    tint,
    whole,
)

PIECES = {
    "I": ((0, 0), (0, 1), (0, 2), (0, 3)), "O": ((0, 0), (0, 1), (1, 0), (1, 1)),
    "T": ((0, 0), (0, 1), (0, 2), (1, 1)), "L": ((0, 0), (1, 0), (1, 1), (1, 2)),
    "J": ((0, 2), (1, 0), (1, 1), (1, 2)), "S": ((0, 1), (0, 2), (1, 0), (1, 1)),
    "Z": ((0, 0), (0, 1), (1, 1), (1, 2)), "U": ((0, 0), (0, 2), (1, 0), (1, 1), (1, 2)),
}  # fmt: skip
"""Rows and columns of their cells."""
WALL, BRICK, SMALL = (
    (185.0, 80.0),
    90.0,
    42.0,
)  # left and top; sides of a cell in the wall and among the candidates
WALL_ROWS, WALL_COLUMNS = 5, 7
TRAYS = tuple((60.0 + 225 * k, 640.0, 265.0 + 225 * k, 840.0) for k in range(4))


def blueprint(draw: np.random.Generator) -> Parameters:
    """O-21."""
    candidates = some(draw, list(PIECES), 4)
    answer = whole(draw, 1, 3)
    rows, columns = _extent(candidates[answer])
    hole = [whole(draw, 1, WALL_ROWS - 1 - rows), whole(draw, 1, WALL_COLUMNS - 1 - columns)]
    names = some(draw, [name for name in PALETTE if name not in ("red", "green")], 2)
    return {
        "candidates": candidates,
        "answer": answer,
        "hole": hole,
        "wall_color": tint(draw, names[0]),
        "piece_color": tint(draw, names[1]),
    }


def _extent(piece: str) -> tuple[int, int]:
    """Its rows and columns."""
    rows, columns = zip(*PIECES[piece], strict=True)
    return max(rows) + 1, max(columns) + 1


def _hole(chosen: Parameters) -> set[tuple[int, int]]:
    """The missing cells of the wall."""
    down, right = chosen["hole"]
    return {(row + down, column + right) for row, column in PIECES[chosen["candidates"][chosen["answer"]]]}


def ground_blueprint(board: Board, chosen: Parameters) -> None:
    """The wall."""
    bricks = [cell for cell in np.ndindex(WALL_ROWS, WALL_COLUMNS) if cell not in _hole(chosen)]
    _cells(board, bricks, WALL, BRICK, rgb(chosen["wall_color"]))


def paint_blueprint(board: Board, chosen: Parameters, done: float) -> None:
    """Candidate after candidate is framed, tried and marked; the one that fits moves into the wall."""
    answer, colour = chosen["answer"], rgb(chosen["piece_color"])
    checks = [min(1.0, max(0.0, min(1.0, done / 0.75) * (answer + 1) - k)) for k in range(4)]
    gap = (WALL[0] + BRICK * chosen["hole"][1], WALL[1] + BRICK * chosen["hole"][0])
    for k, (name, checked) in enumerate(zip(chosen["candidates"], checks, strict=True)):
        trying = 0.15 < checked < 0.85
        _tray(board, k, k == answer, checked)
        if k != answer or done < 0.78:
            _cells(board, PIECES[name], _tray_place(name, k), SMALL, colour)
        if trying:
            _cells(board, PIECES[name], gap, BRICK, mixed(WHITE, colour, 0.45))
    if done < 1:
        _dashed_cells(board, _hole(chosen))
    if done >= 0.78:
        moved = between(done, 0.78, 0.99)
        start = np.array(_tray_place(chosen["candidates"][answer], answer))
        place = start + (np.array(gap) - start) * moved
        _cells(
            board,
            PIECES[chosen["candidates"][answer]],
            place.tolist(),
            SMALL + (BRICK - SMALL) * moved,
            colour,
        )


def _tray(board: Board, k: int, fits: bool, checked: float) -> None:
    """A candidate's place with its frame while it is checked and its mark afterwards."""
    now = 0 < checked < 1
    board.block(TRAYS[k], PAPER, ORANGE if now else PALE, corner=18, width=12 if now else 5)
    left, _, right, bottom = TRAYS[k]
    if checked > 0.7:
        (board.tick if fits else board.cross)((left + right) / 2, bottom + 62, 60)


def _tray_place(name: str, k: int) -> tuple[float, float]:
    """Left and top of a piece in the middle of its tray."""
    rows, columns = _extent(name)
    left, top, right, bottom = TRAYS[k]
    return (left + right - SMALL * columns) / 2, (top + bottom - SMALL * rows) / 2


def _cells(
    board: Board, cells: Sequence[Sequence[int]], place: Sequence[float], side: float, colour: Colour
) -> None:
    for row, column in cells:
        left, top = place[0] + side * column, place[1] + side * row
        board.block(
            (left + 2, top + 2, left + side - 2, top + side - 2), colour, shade(colour, 0.78), side / 9, 5
        )


def _dashed_cells(board: Board, hole: set[tuple[int, int]]) -> None:
    """The outline of the missing cells."""
    for row, column in hole:
        left, top = WALL[0] + BRICK * column, WALL[1] + BRICK * row
        right, bottom = left + BRICK, top + BRICK
        for beside, ends in (
            ((row - 1, column), [[left, top], [right, top]]),
            ((row + 1, column), [[left, bottom], [right, bottom]]),
            ((row, column - 1), [[left, top], [left, bottom]]),
            ((row, column + 1), [[right, top], [right, bottom]]),
        ):
            if beside not in hole:
                board.dashes(np.array(ends), 6, INK, closed=False, dash=11)


def counting(draw: np.random.Generator) -> Parameters:
    """O-33: the middle stays free for the answer."""
    cells = [(140 + 240 * column, y) for y in (130, 305, 695, 870) for column in range(4)]
    count = whole(draw, 5, 12)
    return {
        "count": count,
        "objects": [
            {
                "shape": pick(draw, list(SHAPES)),
                "color": tint(draw, pick(draw, list(PALETTE))),
                "center": [x + whole(draw, -32, 32), y + whole(draw, -10, 10)],
                "radius": whole(draw, 52, 66),
                "turn_degrees": whole(draw, -30, 30),
            }
            for x, y in sorted(some(draw, cells, count), key=lambda cell: (cell[1], cell[0]))
        ],
    }


def _outline(thing: Parameters) -> Points:
    x, y = thing["center"]
    return placed(thing["shape"], x, y, thing["radius"], thing["turn_degrees"])


def ground_counting(board: Board, chosen: Parameters) -> None:
    """All objects before they are counted."""
    for thing in chosen["objects"]:
        board.fill(_outline(thing), rgb(thing["color"]))
        board.line(_outline(thing), 7, INK, closed=True)


def paint_counting(board: Board, chosen: Parameters, done: float) -> None:
    """Each object gets a thick border when it is counted; the answer comes last."""
    counted = min(1.0, done / 0.85) * chosen["count"]
    for k, thing in enumerate(chosen["objects"]):
        points, mark = _outline(thing), eased((counted - k) / 0.6)
        if mark > 0:
            board.line(points, 10 + 22 * mark, ORANGE, closed=True)
            board.fill(points, rgb(thing["color"]))
            board.line(points, 7, INK, closed=True)
    shown = between(done, 0.88, 0.99)
    if shown > 0:
        board.text(500, 500, f"Count: {chosen['count']}", 100, mixed(WHITE, INK, shown))


def warp(draw: np.random.Generator) -> Parameters:
    """O-83: the red outline is a square of which each corner was moved, without a dent."""
    corners = [[590, 330], [890, 330], [890, 670], [590, 670]]
    while True:
        outline = [[x + whole(draw, -60, 60), y + whole(draw, -110, 110)] for x, y in corners]
        if (_bends(outline) > 0.5).all():
            break
    around = [(x, y) for y in (90, 910) for x in range(110, 900, 130)]
    spots = some(draw, around, 8)
    return {
        "grid_lines": whole(draw, 4, 7),
        "quadrilateral": outline,
        "patches": [[*spot, whole(draw, 50, 80), whole(draw, 40, 70)] for spot in spots[:3]],
        "dots": [[*spot, tint(draw, pick(draw, list(PALETTE)))] for spot in spots[3:]],
    }


def _bends(outline: list[list[int]]) -> Points:
    """The sine of the turn at each corner: 1 for a square's, 0 and below for no corner and a dent."""
    corners = np.array(outline, np.float64)
    before, after = corners - np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0) - corners
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    bends: Points = cross / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
    return bends


def ground_warp(board: Board, chosen: Parameters) -> None:
    """Everything but the grid."""
    for x, y, wide, tall in chosen["patches"]:
        board.block((x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2), PALE, corner=6)
    for x, y, colour in chosen["dots"]:
        board.disc(x, y, 20, rgb(colour))
    board.line(np.array(chosen["quadrilateral"]), 14, RED, closed=True)


def paint_warp(board: Board, chosen: Parameters, done: float) -> None:
    """The corners move in straight lines; all other points follow by the homography of the corners."""
    start = np.array([[110, 340], [430, 340], [430, 660], [110, 660]], np.float64)
    target = np.array(chosen["quadrilateral"], np.float64)
    now = start + (target - start) * eased(done)
    for x, y in now:
        board.disc(x, y, 13, BLUE)
    count = chosen["grid_lines"]
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(square, now.astype(np.float32))
    for k in range(count + 1):
        for ends in ([[k / count, 0], [k / count, 1]], [[0, k / count], [1, k / count]]):
            board.line(_warped(np.array(ends), matrix), 8 if k in (0, count) else 5, BLUE)


def _warped(points: Points, matrix: Points) -> Points:
    spread = np.hstack([points, np.ones((len(points), 1))]) @ matrix.T  # (N, 3)
    flat: Points = spread[:, :2] / spread[:, 2:]
    return flat


DRAWINGS = {
    "O-21": Drawing(
        blueprint,
        constant(
            "A wall of square bricks has a gap with a dashed outline, and four candidate pieces lie in trays below it. "
            "From left to right, each candidate is framed in orange, shown as a pale preview in the gap, and marked: "
            "✗ if its shape does not match, ✓ if it does. The first piece that matches moves up into the gap. At the "
            "end, the wall is complete and the tray of the matching piece is empty."
        ),
        ground_blueprint,
        paint_blueprint,
        60,
    ),
    "O-33": Drawing(
        counting,
        constant(
            "Filled shapes with black outlines lie apart from each other on a white ground, and the middle is empty. "
            "The shapes are counted row by row from left to right, each exactly once: when it is counted, its border "
            "turns thick and orange and stays so. At the end, all borders are orange and the words Count: N stand in "
            "the middle, where N is the number of shapes."
        ),
        ground_counting,
        paint_counting,
        52,
    ),
    "O-83": Drawing(
        warp,
        constant(
            "A square blue grid stands on the left and a red quadrilateral outline on the right, with colored dots and "
            "gray patches above and below. The four corners of the grid move in straight lines to the four corners "
            "of the red outline, and its lines follow in perspective. The dots, the patches and the outline do not "
            "move. At the end, the grid fills the red outline exactly, corner on corner."
        ),
        ground_warp,
        paint_warp,
    ),
}
