"""Balls and dominoes of the VBVR demo: G-35 (bounces), O-24 (a chain), O-29 (clusters)."""

import math

import numpy as np

from curate.sources.demo_pen import Colour, Points, arc, shade
from curate.sources.demo_vbvr_pen import (
    GREEN,
    GREY,
    INK,
    PALE,
    PALETTE,
    PAPER,
    RED,
    WHITE,
    Board,
    Drawing,
    Parameters,
    between,
    constant,
    eased,
    mixed,
    pick,
    rgb,
    some,
    tint,
    whole,
)

ROOM = (60.0, 100.0, 940.0, 900.0)  # inner sides of the walls
BALL = 42.0
DOMINO_WIDE, DOMINO_TALL, DOMINO_STEP, DOMINO_GAP, FLOOR = 26.0, 170.0, 74.0, 236.0, 640.0
CLUSTERS = ((500, 540), (185, 270), (815, 270), (185, 820), (815, 820))  # the first is A's


def bounce(draw: np.random.Generator) -> Parameters:
    """G-35: the targets stand in five places on the right; the angle is the one that leads to one of them."""
    targets = sorted(some(draw, [180, 340, 500, 660, 820], whole(draw, 3, 5)))
    start, end = [140, whole(draw, 330, 670)], pick(draw, targets)
    return {
        "ball_color": tint(draw, pick(draw, list(PALETTE))),
        "start": start,
        "targets": [[860, y] for y in targets],
        "target": targets.index(end),
        "bounces": whole(draw, 1, 3),
        "first_bounce": pick(draw, ("top", "bottom")),
    }


def _flight(chosen: Parameters) -> Points:
    """Start, every bounce and the target, (N, 2), unfolded along mirror images of the room (law of reflection)."""
    top, bottom = ROOM[1] + BALL, ROOM[3] - BALL
    (x, y), (end_x, end_y) = chosen["start"], chosen["targets"][chosen["target"]]
    walls = [top, bottom] if chosen["first_bounce"] == "top" else [bottom, top]
    corners = [float(y), *(walls[k % 2] for k in range(chosen["bounces"])), float(end_y)]
    down = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(corners)))])
    return np.stack([x + (end_x - x) * down / down[-1], corners], axis=1)


def ground_bounce(board: Board, chosen: Parameters) -> None:
    """Walls and targets."""
    left, top, right, bottom = ROOM
    board.block((left - 14, top - 14, right + 14, bottom + 14), WHITE, INK, corner=8, width=28)
    for x, y in chosen["targets"]:
        board.ring(x, y, BALL + 7, 8, GREY)


def paint_bounce(board: Board, chosen: Parameters, done: float) -> None:
    """At the same speed all the way; a light line shows where it went."""
    flight, colour = _flight(chosen), rgb(chosen["ball_color"])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(flight, axis=0), axis=1))])
    now = along[-1] * done
    behind = [*(point for point, place in zip(flight, along, strict=True) if place < now)]
    x, y = (float(np.interp(now, along, flight[:, axis])) for axis in (0, 1))
    if behind:
        board.dashes(np.array([*behind, [x, y]]), 7, mixed(WHITE, colour, 0.5), closed=False, dash=12)
    if done == 0:
        ahead = (flight[1] - flight[0]) / np.linalg.norm(flight[1] - flight[0])
        board.arrow(flight[0] + ahead * BALL, flight[0] + ahead * (BALL + 110), INK, width=10, head=36)
    board.disc(x, y, BALL, colour, shade(colour, 0.7))


def dominoes(draw: np.random.Generator) -> Parameters:
    """O-24."""
    count = whole(draw, 6, 9)
    gap_after = whole(draw, 2, count - 2)
    width = DOMINO_STEP * (count - 2) + DOMINO_GAP
    start = round(500 - width / 2)
    xs = [start + DOMINO_STEP * k + (DOMINO_GAP - DOMINO_STEP) * (k >= gap_after) for k in range(count)]
    return {
        "num_dominoes": count,
        "gap_after": gap_after,
        "last_fallen": gap_after,
        "positions": xs,
        "standing_color": tint(draw, pick(draw, ("blue", "teal", "purple"))),
        "fallen_color": tint(draw, "red"),
    }


def _leans(count: int, time: float) -> list[float]:
    """Degrees from upright of dominoes that fall in a row, `time` from 0 to 1; the last one falls flat."""
    onset, fall = 0.43, 1 / (1 + 0.43 * (count - 1))  # each starts when the one before touches it
    angles: list[float] = []
    rest = math.inf
    for k in reversed(range(count)):
        free = 90 * min(1.0, max(0.0, time / fall - onset * k)) ** 2
        angles.insert(0, min(free, rest))
        rest = _contact(angles[0])
    return angles


def _contact(next_degrees: float) -> float:
    """How far a domino leans when it touches the next one, which leans by `next_degrees`.

    Either its upper right corner lies on the left face of the next, or its right face on the lower left corner.
    """
    angle = math.radians(next_degrees)
    across = (DOMINO_STEP * math.cos(angle) - DOMINO_WIDE) / DOMINO_TALL
    on_face = angle + math.asin(max(-1.0, min(1.0, across)))
    on_corner = math.atan2(DOMINO_STEP - DOMINO_WIDE * math.cos(angle), DOMINO_WIDE * math.sin(angle))
    return math.degrees(min(on_face, on_corner))


def ground_dominoes(board: Board, chosen: Parameters) -> None:
    """The floor, the numbers, and what stands behind the gap."""
    board.block((60, FLOOR, 940, FLOOR + 26), PALE, GREY, corner=6, width=4)
    for number, x in enumerate(chosen["positions"], 1):
        board.text(x, FLOOR + 70, str(number), 40)
        if number > chosen["gap_after"]:
            _domino(board, _standing(x, 0), rgb(chosen["standing_color"]))


def paint_dominoes(board: Board, chosen: Parameters, done: float) -> None:
    """The chain falls up to the gap; then the last fallen one is circled and the gap is named."""
    xs, fallen = chosen["positions"], chosen["gap_after"]
    standing, red = rgb(chosen["standing_color"]), rgb(chosen["fallen_color"])
    leans = _leans(fallen, min(1.0, done / 0.75))
    _push(board, xs[0], done)
    for x, lean in zip(xs, leans, strict=False):
        _domino(board, _standing(x, lean), mixed(standing, red, eased(lean / 30)))
    shown = between(done, 0.82, 0.95)
    if shown > 0:
        x, y = _standing(xs[fallen - 1], leans[fallen - 1]).mean(axis=0)
        board.line(arc(x, y, 112, 52), 10, mixed(WHITE, GREEN, shown), closed=True)
        left, right = xs[fallen - 1] + DOMINO_WIDE, xs[fallen] - DOMINO_WIDE
        bracket = np.array([[left, 480], [left, 455], [right, 455], [right, 480]])
        board.line(bracket, 7, mixed(WHITE, INK, shown))
        board.text((left + right) / 2, 415, "TOO FAR", 44, mixed(WHITE, INK, shown))


def _push(board: Board, x: float, done: float) -> None:
    """The arrow that pushes the first domino."""
    fade = 1 - between(done, 0.05, 0.2)
    if fade > 0:
        top = FLOOR - DOMINO_TALL + 25
        board.arrow((x - 100, top), (x - 24, top), mixed(WHITE, INK, fade), width=10, head=34)


def _domino(board: Board, corners: Points, colour: Colour) -> None:
    board.fill(corners, colour)
    board.line(corners, 5, shade(colour, 0.7), closed=True)


def _standing(x: float, lean: float) -> Points:
    """Corners of a domino that stands at x and leans to the right, turned about its lower right corner."""
    angle = np.radians(lean)
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    box = np.array([[0, 0], [0, -DOMINO_TALL], [-DOMINO_WIDE, -DOMINO_TALL], [-DOMINO_WIDE, 0]])
    points: Points = box @ axes + (x + DOMINO_WIDE / 2, FLOOR)
    return points


def clusters(draw: np.random.Generator) -> Parameters:
    """O-29: in order of size each cluster is smaller than what A has become by then."""
    red, others = whole(draw, 3, 9), whole(draw, 1, 3)
    sizes: list[int] = []
    for _ in range(others):
        least = max([0, *sizes]) + 1
        sizes.append(whole(draw, least, max(least, min(9, red + sum(sizes) - 1))))
    names = some(draw, [name for name in PALETTE if name not in ("red", "pink", "orange")], others)
    return {
        "red_count": red,
        "clusters": [{"count": size, "color": tint(draw, name), "name": name} for size, name in zip(sizes, names, strict=True)],
        "total": red + sum(sizes),
        "places": some(draw, [1, 2, 3, 4], others),
    }  # fmt: skip


def clusters_caption(chosen: Parameters) -> str:
    """All counts."""
    sizes = [cluster["count"] for cluster in chosen["clusters"]]
    listed = ", then ".join(
        f"the {cluster['name']} cluster of {cluster['count']}" for cluster in chosen["clusters"]
    )
    return (
        f"The scene shows {len(sizes) + 1} clusters of balls. The red cluster A has {chosen['red_count']} balls and "
        f"the other clusters are smaller than A when their turn comes; a label shows TOTAL {chosen['total']}. "
        f"Cluster A absorbs {listed}: the balls move into A and turn red, and the number of A grows. At the end, "
        f"all {chosen['total']} balls are red and lie together in A, and the other places are empty."
    )


def ground_clusters(board: Board, chosen: Parameters) -> None:
    """The places."""
    board.text(500, 60, f"TOTAL {chosen['total']}", 64)
    (x, y), pitch = CLUSTERS[0], _pitch(chosen["total"])
    board.disc(x, y, _reach(chosen["total"], pitch), mixed(WHITE, RED, 0.08), mixed(WHITE, RED, 0.5))
    for (x, y), cluster in zip(_homes(chosen), chosen["clusters"], strict=True):
        board.disc(x, y, _reach(cluster["count"], pitch), PAPER, PALE)


def _homes(chosen: Parameters) -> list[tuple[int, int]]:
    return [CLUSTERS[place] for place in chosen["places"]]


def paint_clusters(board: Board, chosen: Parameters, done: float) -> None:
    """Each cluster in turn flies into A, all its balls at once."""
    inside, (x, y), pitch = chosen["red_count"], CLUSTERS[0], _pitch(chosen["total"])
    absorbed = inside
    moved = [between(share, 0.1, 0.9) for share in _linear_steps(done, len(chosen["clusters"]))]
    for k in range(inside):
        _ball(board, _seat(CLUSTERS[0], k, pitch), pitch, RED)
    for home, cluster, share, letter in zip(_homes(chosen), chosen["clusters"], moved, "BCD", strict=False):
        size, colour = cluster["count"], mixed(rgb(cluster["color"]), RED, between(share, 0.7, 1))
        for k in range(size):
            start, end = _seat(home, k, pitch), _seat(CLUSTERS[0], inside + k, pitch)
            _ball(board, start + (end - start) * share, pitch, colour)
        inside, absorbed = inside + size, absorbed + size * (share == 1)
        board.text(home[0], home[1] - _reach(size, pitch) - 32, f"{letter} {size * (share == 0)}", 46)
    board.text(x, y + _reach(chosen["total"], pitch) + 38, f"A {absorbed}", 54, RED)


def _linear_steps(done: float, count: int) -> list[float]:
    return [min(1.0, max(0.0, done * count - step)) for step in range(count)]


def _pitch(total: int) -> float:
    """How far apart balls lie: all of them fill A's place."""
    return min(50.0, 190 / math.sqrt(total + 1))


def _reach(count: int, pitch: float) -> float:
    return pitch * (math.sqrt(count + 1) + 0.2)


def _seat(home: tuple[int, int], k: int, pitch: float) -> Points:
    """Place of the ball number k: a sunflower's seeds (Vogel 1979) lie apart and close to the middle."""
    angle, radius = k * math.pi * (3 - math.sqrt(5)), pitch * math.sqrt(k + 0.4)
    return np.array([home[0] + radius * math.cos(angle), home[1] + radius * math.sin(angle)])


def _ball(board: Board, place: Points, pitch: float, colour: Colour) -> None:
    board.disc(place[0], place[1], pitch * 0.7, colour, shade(colour, 0.72))


DRAWINGS = {
    "G-35": Drawing(
        bounce,
        constant(
            "A room with dark walls holds one ball on the left and several hollow target circles on the right. An "
            "arrow shows the direction in which the ball starts. The ball moves in straight lines at constant speed "
            "and bounces off the top and bottom walls so that the angle of reflection equals the angle of incidence, "
            "and a dashed line marks its way. At the end, the ball lies exactly inside one of the target circles and "
            "stops."
        ),
        ground_bounce,
        paint_bounce,
    ),
    "O-24": Drawing(
        dominoes,
        constant(
            "Numbered dominoes stand in a row, and one gap between them is clearly wider than the others. The first "
            "domino is pushed. One after the other, the dominoes fall against the next one and turn red, until the "
            "last one before the wide gap falls flat without reaching the next. At the end, the gap is marked TOO FAR, "
            "a green circle marks the last fallen domino, and all dominoes behind the gap still stand."
        ),
        ground_dominoes,
        paint_dominoes,
    ),
    "O-29": Drawing(clusters, clusters_caption, ground_clusters, paint_clusters, 48),
}
