"""Tasks with dots and lines of the VBVR demo: G-31 (arrows to follow), G-44 (a tree), O-34 (dots to connect)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from curate.sources.demo_pen import Points, arc, shade
from curate.sources.demo_vbvr_pen import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PALETTE,
    RED,
    WHITE,
    YELLOW,
    Board,
    Drawing,
    Parameters,
    constant,
    mixed,
    name_of,
    pick,
    rgb,
    some,
    steps,
    tint,
    walked,
    whole,
)

NODE = 46.0  # radius
PATH = mixed(WHITE, BLUE, 0.55)


def directed(draw: np.random.Generator) -> Parameters:
    """G-31: nodes in three rows of four, arrows between neighbours, and only one shortest way."""
    while True:
        nodes = [
            [130 + 247 * column + whole(draw, -38, 38), 190 + 310 * row + whole(draw, -55, 55)]
            for row in range(3)
            for column in range(4)
        ]
        edges = _arrows(draw)
        start, end = 4 * whole(draw, 0, 2), 4 * whole(draw, 0, 2) + 3
        paths = _shortest_paths(edges, start, end)
        if len(paths) == 1 and {node for edge in edges for node in edge} == set(range(12)):
            return {"nodes": nodes, "edges": edges, "start": start, "end": end, "path": paths[0]}


def _arrows(draw: np.random.Generator) -> list[list[int]]:
    """Pairs of neighbours in random direction; of the two diagonals of a square at most one."""
    pairs = [(k, k + 1) for k in range(12) if k % 4 < 3] + [(k, k + 4) for k in range(8)]
    for k in (0, 1, 2, 4, 5, 6):
        pairs.append(pick(draw, ((k, k + 5), (k + 1, k + 4))))
    kept = [pair for pair in pairs if draw.random() < 0.72]
    return [list(pair) if draw.random() < 0.62 else list(pair[::-1]) for pair in kept]


def _shortest_paths(edges: Sequence[Sequence[int]], start: int, end: int) -> list[list[int]]:
    """All ways with the fewest steps."""
    ways, seen = [[start]], {start}
    while ways and not any(way[-1] == end for way in ways):
        ways = [
            [*way, there] for way in ways for here, there in edges if here == way[-1] and there not in seen
        ]
        seen |= {way[-1] for way in ways}
    return [way for way in ways if way[-1] == end]


def ground_directed(board: Board, chosen: Parameters) -> None:
    """The arrows."""
    nodes = np.array(chosen["nodes"], np.float64)
    for here, there in chosen["edges"]:
        start, end = _shortened(nodes[here], nodes[there], NODE + 6)
        board.arrow(start, end, GREY, width=7, head=34)


def paint_directed(board: Board, chosen: Parameters, done: float) -> None:
    """The walked arrows turn blue behind the agent."""
    nodes = np.array(chosen["nodes"], np.float64)
    way = walked(nodes[chosen["path"]].tolist(), done)
    if done > 0:
        board.line(way, 16, PATH)
    for number, (x, y) in enumerate(nodes):
        colour = GREEN if number == chosen["start"] else RED if number == chosen["end"] else WHITE
        board.disc(x, y, NODE, colour, INK if colour == WHITE else shade(colour, 0.7))
    corners = way[-1] + [[0, -32], [28, 22], [-28, 22]]
    board.fill(corners, BLUE)
    board.line(corners, 6, shade(BLUE, 0.6), closed=True)


def _shortened(start: Points, end: Points, margin: float) -> tuple[Points, Points]:
    """The part of a line that leaves `margin` free at both ends."""
    ahead = (end - start) / np.linalg.norm(end - start) * margin
    return start + ahead, end - ahead


def tree(draw: np.random.Generator) -> Parameters:
    """G-44: four levels, at most six leaves; the end is on the lowest one."""
    while True:
        children: list[list[int]] = [[]]
        level = [0]
        for depth in range(3):
            below = []
            for node in level:
                for _ in range(whole(draw, 2, 3) if depth == 0 else whole(draw, 0 if depth == 2 else 1, 2)):
                    children[node].append(len(children))
                    below.append(len(children))
                    children.append([])
            level = below
        leaves = sum(not nodes for nodes in children)
        if level and 4 <= leaves <= 6:
            end = pick(draw, level)
            return {"children": children, "end": end, "path": _down(children, end)}


def _down(children: Sequence[Sequence[int]], node: int) -> list[int]:
    """The nodes from the root to this one."""
    above = [parent for parent, nodes in enumerate(children) if node in nodes]
    return [*_down(children, above[0]), node] if above else [node]


def _tree_places(children: Sequence[Sequence[int]]) -> dict[int, tuple[float, float]]:
    """Leaves evenly from left to right, all others above the middle of their children."""
    leaves = _leaves(children, 0)
    gap = 800 / (len(leaves) - 1)
    places: dict[int, tuple[float, float]] = {}
    for node in reversed(range(len(children))):
        inner = [places[child][0] for child in children[node]]
        x = sum(inner) / len(inner) if inner else 100 + gap * leaves.index(node)
        places[node] = x, 130 + 245 * (len(_down(children, node)) - 1)
    return places


def _leaves(children: Sequence[Sequence[int]], node: int) -> list[int]:
    """From left to right."""
    below = children[node]
    return [leaf for child in below for leaf in _leaves(children, child)] if below else [node]


def ground_tree(board: Board, chosen: Parameters) -> None:
    """The branches."""
    places = _tree_places(chosen["children"])
    for node, below in enumerate(chosen["children"]):
        for child in below:
            board.line(np.array([places[node], places[child]]), 8, GREY)


def paint_tree(board: Board, chosen: Parameters, done: float) -> None:
    """The agent goes down; its way turns blue."""
    places = _tree_places(chosen["children"])
    way = walked([places[node] for node in chosen["path"]], done)
    if done > 0:
        board.line(way, 16, PATH)
    for node, (x, y) in places.items():
        colour = GREEN if node == 0 else RED if node == chosen["end"] else WHITE
        board.disc(x, y, 58, colour, INK if colour == WHITE else shade(colour, 0.7))
    _smiley(board, *way[-1])


def _smiley(board: Board, x: float, y: float) -> None:
    board.disc(x, y, 42, YELLOW, shade(YELLOW, 0.65))
    for side in (-15, 15):
        board.disc(x + side, y - 11, 6, INK)
    board.line(arc(x, y + 2, 22, 20, 0.15 * np.pi, 0.85 * np.pi), 6, INK)


def dots(draw: np.random.Generator) -> Parameters:
    """O-34: no line touches a dot that it does not connect."""
    count = whole(draw, 4, 8)
    cells = [(150 + 233 * column, 150 + 233 * row) for row in range(4) for column in range(4)]
    while True:
        places = [[x + whole(draw, -50, 50), y + whole(draw, -50, 50)] for x, y in some(draw, cells, count)]
        if _clear(np.array(places, np.float64), 85):
            break
    names = [pick(draw, [name for name in PALETTE if name != "red"]) for _ in places]
    return {
        "num_dots": count,
        "connection_type": "sequential",
        "line_color": tint(draw, "red"),
        "objects": [
            {"number": number, "center": place, "color": tint(draw, name)}
            for number, (place, name) in enumerate(zip(places, names, strict=True), 1)
        ],
    }


def _clear(places: Points, margin: float) -> bool:
    """Whether every line from a dot to the next stays away from all other dots."""
    for k, (start, end) in enumerate(pairwise(places)):
        others = np.delete(places, [k, k + 1], axis=0)
        share = np.clip((others - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
        nearest = start + share[:, None] * (end - start)
        if (np.linalg.norm(others - nearest, axis=1) < margin).any():
            return False
    return True


def dots_caption(chosen: Parameters) -> str:
    """Only the number of dots differs."""
    count, colour = chosen["num_dots"], name_of(chosen["line_color"])
    order = "→".join(str(number) for number in range(1, count + 1))
    return (
        f"There are {count} dots numbered 1 to {count} on a white ground, and no lines. One after the other, straight "
        f"{colour} lines are drawn from dot to dot in the order {order}. At the end, {count - 1} {colour} lines "
        f"connect all dots in this order, and no dot has moved."
    )


def ground_dots(board: Board, chosen: Parameters) -> None:
    """The dots."""
    for dot in chosen["objects"]:
        (x, y), fill = dot["center"], rgb(dot["color"])
        board.disc(x, y, 46, mixed(WHITE, fill, 0.75), shade(fill, 0.7))
        board.text(x, y, str(dot["number"]), 58)


def paint_dots(board: Board, chosen: Parameters, done: float) -> None:
    """Lines from rim to rim."""
    dots, colour = chosen["objects"], rgb(chosen["line_color"])
    for start, end, drawn in zip(dots, dots[1:], steps(done, len(dots) - 1), strict=False):
        tail, tip = _shortened(np.array(start["center"]), np.array(end["center"]), 54)
        if drawn > 0:
            board.line(np.stack([tail, tail + (tip - tail) * drawn]), 13, colour)


DRAWINGS = {
    "G-31": Drawing(
        directed,
        constant(
            "Round nodes are connected by arrows. One node is green, one is red, and a blue triangular agent stands "
            "on the green one. The agent moves from node to node, only in the direction of the arrows, and takes "
            "the way with the fewest steps to the red node. The way behind it turns light blue. At the end, the "
            "agent stands on the red node."
        ),
        ground_directed,
        paint_directed,
    ),
    "G-44": Drawing(
        tree,
        constant(
            "A tree of round nodes branches from a green node at the top; one node on the lowest level is red. A "
            "yellow smiley agent stands on the green node. It moves down along the branches, one node per step, on "
            "the only way that leads to the red node. The way behind it turns light blue. At the end, the smiley "
            "stands on the red node."
        ),
        ground_tree,
        paint_tree,
    ),
    "O-34": Drawing(dots, dots_caption, ground_dots, paint_dots),
}
