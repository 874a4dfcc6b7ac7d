"""Analogies A:B :: C:? of the VBVR demo (O-7, O-8, O-13, O-14): the last shape does what the first one did."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from curate.sources.demo_pen import Colour
from curate.sources.demo_vbvr_pen import (
    GREY,
    INK,
    PALE,
    PALETTE,
    PAPER,
    SHAPES,
    Board,
    Drawing,
    Parameters,
    a,
    between,
    mixed,
    name_of,
    pick,
    rgb,
    some,
    tint,
)

ROWS = (275.0, 725.0)
TWO, THREE = (260.0, 740.0), (180.0, 500.0, 820.0)
MOVES = {"slightly up": -45, "far up": -90, "slightly down": 45, "far down": 90}  # units
SCALES = {"to half its size": 0.5, "to three quarters of its size": 0.75, "to 1.4 times its size": 1.4}


def _stage(board: Board, columns: tuple[float, ...], gap: float) -> None:
    """Two panels with arrows from column to column."""
    for y in ROWS:
        board.block((50, y - 190, 950, y + 190), PAPER, PALE, corner=24, width=4)
        for left, right in pairwise(columns):
            board.arrow((left + gap, y), (right - gap, y), GREY, width=9, head=34)


def _question(board: Board, x: float, left: float) -> None:
    """A question mark that fades as `left` goes from 1 to 0."""
    board.text(x, ROWS[1], "?", 150, mixed(PAPER, INK, left))


def colour_change(draw: np.random.Generator) -> Parameters:
    """O-7; the real parameters have these keys and no others."""
    shapes, names = some(draw, list(SHAPES), 2), some(draw, list(PALETTE), 2)
    return {
        "from_color": tint(draw, names[0]),
        "to_color": tint(draw, names[1]),
        "example_shape": shapes[0],
        "question_shape": shapes[1],
    }


def colour_change_caption(chosen: Parameters) -> str:
    """With the names of the colours."""
    return _colour_rule(chosen, name_of(chosen["from_color"]), name_of(chosen["to_color"]))


def nameless_caption(chosen: Parameters) -> str:
    """The defect that most captions of the real O-7 have: no name was found for the colours."""
    return _colour_rule(chosen, "unknown", "unknown")


def _colour_rule(chosen: Parameters, old: str, new: str) -> str:
    example, question = chosen["example_shape"], chosen["question_shape"]
    return (
        f"Two rows of shapes form an analogy with one empty place. In the top row, {a(old)} {example} becomes "
        f"{a(new)} {example}: the rule changes the color from {old} to {new}. In the bottom row stands {a(old)} "
        f"{question} with a question mark to its right. A copy of the {question} moves into the empty place and "
        f"changes its color there. At the end, {a(new)} {question} stands where the question mark was, with its "
        "shape and size unchanged."
    )


def ground_colour_change(board: Board, chosen: Parameters) -> None:
    """The example."""
    _stage(board, TWO, 155)
    board.shape(chosen["example_shape"], TWO[0], ROWS[0], 110, rgb(chosen["from_color"]))
    board.shape(chosen["example_shape"], TWO[1], ROWS[0], 110, rgb(chosen["to_color"]))


def paint_colour_change(board: Board, chosen: Parameters, done: float) -> None:
    """A copy moves over, then it changes its colour."""
    old, new = rgb(chosen["from_color"]), rgb(chosen["to_color"])
    moved = between(done, 0, 0.45)
    _question(board, TWO[1], 1 - between(done, 0.15, 0.4))
    colour = mixed(old, new, between(done, 0.55, 0.95))
    if moved > 0:
        board.shape(chosen["question_shape"], TWO[0] + moved * (TWO[1] - TWO[0]), ROWS[1], 110, colour)
    board.shape(chosen["question_shape"], TWO[0], ROWS[1], 110, old)


def _two(draw: np.random.Generator) -> Parameters:
    """An example and a question, of different shapes and colours."""
    shapes, names = some(draw, list(SHAPES), 2), some(draw, list(PALETTE), 2)
    return {
        "example_shape": shapes[0],
        "question_shape": shapes[1],
        "example_color": tint(draw, names[0]),
        "question_color": tint(draw, names[1]),
    }


def rotation(draw: np.random.Generator) -> Parameters:
    """O-8."""
    return {
        **_two(draw),
        "angle_degrees": pick(draw, (45, 60, 90, 120, 135, 180)),
        "clockwise": bool(draw.integers(2)),
    }


def rotation_caption(chosen: Parameters) -> str:
    """Shapes, angle and direction."""
    turn = f"{chosen['angle_degrees']} degrees {'clockwise' if chosen['clockwise'] else 'counterclockwise'}"
    example = f"{name_of(chosen['example_color'])} {chosen['example_shape']}"
    question = f"{name_of(chosen['question_color'])} {chosen['question_shape']}"
    return (
        "Two rows of shapes form an analogy with one empty place, and a black dot on each shape marks which way "
        f"it faces. In the top row, {a(example)} stands beside the same {example} turned by {turn}. In the bottom "
        f"row stands {a(question)} with a question mark to its right. A copy of the {question} moves into the "
        f"empty place and rotates by {turn} about its center. At the end, the turned {question} stands where the "
        "question mark was, and its size and color are the same as before."
    )


def _signed(chosen: Parameters) -> float:
    """The turn in degrees, clockwise."""
    return float(chosen["angle_degrees"] * (1 if chosen["clockwise"] else -1))


def ground_rotation(board: Board, chosen: Parameters) -> None:
    """The example."""
    _stage(board, TWO, 155)
    for x, turn in ((TWO[0], 0.0), (TWO[1], _signed(chosen))):
        _marked(board, chosen["example_shape"], x, ROWS[0], rgb(chosen["example_color"]), turn)


def paint_rotation(board: Board, chosen: Parameters, done: float) -> None:
    """A copy moves over, then it turns."""
    question, turn = rgb(chosen["question_color"]), _signed(chosen)
    moved = between(done, 0, 0.4)
    _question(board, TWO[1], 1 - between(done, 0.1, 0.35))
    if moved > 0:
        x = TWO[0] + moved * (TWO[1] - TWO[0])
        _marked(board, chosen["question_shape"], x, ROWS[1], question, turn * between(done, 0.5, 1))
    _marked(board, chosen["question_shape"], TWO[0], ROWS[1], question, 0)


def _marked(board: Board, name: str, x: float, y: float, colour: Colour, turn: float) -> None:
    """A shape with a dot near the top that it has unturned."""
    board.shape(name, x, y, 115, colour, turn)
    angle, (right, down) = np.radians(turn), _marker(name)
    across, below = np.cos(angle) * right - np.sin(angle) * down, np.sin(angle) * right + np.cos(angle) * down
    board.disc(x + 115 * across, y + 115 * below, 14, INK)


@cache
def _marker(name: str) -> tuple[float, float]:
    """The highest place in a shape of radius 1 that has room for a dot."""
    outline = SHAPES[name].astype(np.float32)
    places = [(x / 20, y / 20) for y in range(-24, 25) for x in sorted(range(-20, 21), key=abs)]
    return next(place for place in places if cv2.pointPolygonTest(outline, place, True) > 0.22)


def outline_then_move(draw: np.random.Generator) -> Parameters:
    """O-13."""
    return {
        **_two(draw),
        "move": pick(draw, list(MOVES)),
    }


def outline_then_move_caption(chosen: Parameters) -> str:
    """Shapes and the move."""
    example, question, move = chosen["example_shape"], chosen["question_shape"], chosen["move"]
    return (
        "Two rows of shapes form an analogy A→B→C :: D→?→? with two empty places. In the top row, a filled "
        f"{example} first becomes an outline, and then the outline moves {move} from the dashed line. In the "
        f"bottom row, a filled {question} does the same: step 1, its copy moves to the first question mark and "
        f"becomes an outline; step 2, a copy of the outline goes on to the second question mark and moves {move}. "
        f"At the end, the bottom row shows the filled {question}, its outline, and its outline moved {move}."
    )


def ground_outline_then_move(board: Board, chosen: Parameters) -> None:
    """The example, and the lines from which the last ones move away."""
    example, colour = chosen["example_shape"], rgb(chosen["example_color"])
    _stage(board, THREE, 112)
    for y in ROWS:
        board.dashes(np.array([[THREE[2] - 95, y], [THREE[2] + 95, y]]), 4, GREY, closed=False, dash=14)
    board.shape(example, THREE[0], ROWS[0], 78, colour)
    board.shape(example, THREE[1], ROWS[0], 78, colour, filled=0)
    board.shape(example, THREE[2], ROWS[0] + MOVES[chosen["move"]], 78, colour, filled=0)


def paint_outline_then_move(board: Board, chosen: Parameters, done: float) -> None:
    """Two copies move over, one after the other; the first loses its filling, the second leaves the line."""
    colour, shift = rgb(chosen["question_color"]), MOVES[chosen["move"]]
    _two_steps(board, chosen["question_shape"], colour, done, (78, 1.0), shift, outline_first=True)


def scale_then_outline(draw: np.random.Generator) -> Parameters:
    """O-14."""
    return {
        **_two(draw),
        "scale": pick(draw, list(SCALES.values())),
    }


def scale_then_outline_caption(chosen: Parameters) -> str:
    """As short as the real ones, and of three kinds."""
    change = next(words for words, scale in SCALES.items() if scale == chosen["scale"])
    return (
        f"In the top row, a filled shape changes {change} and then becomes an outline. The shape in the bottom row "
        "takes the same two steps, and both question marks end up replaced by its results."
    )


def _sizes(chosen: Parameters) -> tuple[float, float]:
    """The radius before and after."""
    radius = 64.0 if chosen["scale"] > 1 else 92.0
    return radius, radius * chosen["scale"]


def ground_scale_then_outline(board: Board, chosen: Parameters) -> None:
    """The example."""
    example, colour, (before, after) = chosen["example_shape"], rgb(chosen["example_color"]), _sizes(chosen)
    _stage(board, THREE, 122)
    board.shape(example, THREE[0], ROWS[0], before, colour)
    board.shape(example, THREE[1], ROWS[0], after, colour)
    board.shape(example, THREE[2], ROWS[0], after, colour, filled=0)


def paint_scale_then_outline(board: Board, chosen: Parameters, done: float) -> None:
    """Two copies move over, one after the other; the first changes its size, the second loses its filling."""
    sizes = (_sizes(chosen)[0], chosen["scale"])
    colour = rgb(chosen["question_color"])
    _two_steps(board, chosen["question_shape"], colour, done, sizes, 0.0, outline_first=False)


def _two_steps(
    board: Board,
    name: str,
    colour: Colour,
    done: float,
    sizes: tuple[float, float],
    shift: float,
    outline_first: bool,
) -> None:
    """The bottom row of three: a copy to the second place and its change, a copy of it to the third and its own.

    `sizes` are the radius before and the scale of the first change, `shift` is the move down in the second.
    """
    _question(board, THREE[1], 1 - between(done, 0.05, 0.18))
    _question(board, THREE[2], 1 - between(done, 0.55, 0.68))
    radius, across = sizes[0], THREE[1] - THREE[0]
    change, last = between(done, 0.25, 0.48), between(done, 0.75, 0.98)
    size, filling = radius * (1 + (sizes[1] - 1) * change), 1 - change if outline_first else 1.0
    if done > 0.5:
        x = THREE[1] + across * between(done, 0.5, 0.72)
        filled = 0.0 if outline_first else 1 - last
        board.shape(name, x, ROWS[1] + shift * last, size, colour, filled=filled)
    if done > 0:
        x = THREE[0] + across * between(done, 0, 0.22)
        board.shape(name, x, ROWS[1], size, colour, filled=filling)
    board.shape(name, THREE[0], ROWS[1], radius, colour)


DRAWINGS = {
    "O-7": Drawing(colour_change, colour_change_caption, ground_colour_change, paint_colour_change),
    "O-8": Drawing(rotation, rotation_caption, ground_rotation, paint_rotation),
    "O-13": Drawing(
        outline_then_move, outline_then_move_caption, ground_outline_then_move, paint_outline_then_move, 52
    ),
    "O-14": Drawing(
        scale_then_outline,
        scale_then_outline_caption,
        ground_scale_then_outline,
        paint_scale_then_outline,
        52,
    ),
}
