"""Bodies of the robots demo: neck, torso, arms and legs in a pose. Units: half a head's height, y down.

The origin is the middle of the head. What lies outside the picture is left out by the pen.
"""

from collections.abc import Mapping

import numpy as np

from curate.sources.demo_pen import Points, arc, rounded, shade
from curate.sources.demo_robots_chest import CHESTS, belt, torso_outline
from curate.sources.demo_robots_clay import Clay, Paint, both, squared, tapered, xy
from curate.sources.demo_robots_look import POSES, Look, paint_of
from curate.sources.demo_robots_skull import DARK, RUBBER, STEEL, no_part

SHOULDER_Y, HIP_Y = 1.85, 4.3
UPPER_ARM, LOWER_ARM, THIGH, SHIN = 1.35, 1.25, 1.55, 1.5
LEGS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {  # degrees outwards: thigh, shin
    "walking": ((16, 26), (14, -14)),
    "with its arms spread": ((14, 10), (14, 10)),
    "with its hands on its hips": ((13, 9), (13, 9)),
}
SOLE = np.array(
    [[-0.24, -0.26], [0.24, -0.26], [0.3, 0.06], [0.74, 0.24], [0.74, 0.42], [-0.34, 0.42], [-0.36, 0.1]]
)
STANCE = ((6, 2), (6, 2))
SHOULDERS: Mapping[str, float] = {"barrel": 1.22, "box": 1.26, "wedge": 1.24, "slim": 0.94, "robe": 0.92}


def shoulder_x(look: Look) -> float:
    """How far the shoulders are from the middle."""
    return SHOULDERS[look.torso] * 1.22 * look.build


def behind(clay: Clay, look: Look) -> None:
    """What hangs behind the figure."""
    if look.cape:
        wide = shoulder_x(look)
        cape = both([[0.5, 1.3], [wide, 1.7], [wide + 0.35, 3.6], [wide + 0.8, 6.6], [0.4, 6.9]])
        cloth = Paint(shade(paint_of(look.trim).colour, 0.8), "matt")
        clay.solid(rounded(cape), cloth, 0.7)
        for x in (-0.75, -0.4, 0.4, 0.75):
            fold = np.array([[x * wide, 2.6], [x * (wide + 0.5), 6.4]])
            clay.line(fold, 0.05, shade(cloth.colour, 0.6))


def body(clay: Clay, look: Look) -> None:
    """All of the figure below its head, from back to front."""
    if look.torso != "robe":
        legs = LEGS.get(look.pose, STANCE)
        for side, angles in zip((-1, 1), legs, strict=True):
            _leg(clay, look, side, angles)
        _pelvis(clay, look)
    _neck(clay, look)
    arms = POSES[look.pose][:: -1 if look.other_arm else 1]
    raised = [side for side, (upper, _) in zip((-1, 1), arms, strict=True) if upper > 80]
    for side, angles in zip((-1, 1), arms, strict=True):
        if side in raised:
            _arm(clay, look, side, angles)
    clay.solid(torso_outline(look), paint_of(look.suit), 0.75)
    CHESTS.get(look.chest, no_part)(clay, look)
    if look.torso in ("wedge", "slim", "robe") and look.chest != "plates":
        belt(clay, look)
    for side, angles in zip((-1, 1), arms, strict=True):
        if side not in raised:
            _arm(clay, look, side, angles)
    for side in (-1, 1):
        _shoulder(clay, look, side)
    _collar(clay, look)


def _neck(clay: Clay, look: Look) -> None:
    if look.kind in ("alien", "cyborg"):
        clay.solid(both([[0.36, 0.6], [0.34, 1.2], [0.5, 1.6]]), paint_of(look.shell), 0.3)
        return
    for y in np.arange(0.8, 1.5, 0.14):
        clay.ball(0, y, 0.36, 0.11, RUBBER if look.kind == "android" else DARK)


def _collar(clay: Clay, look: Look) -> None:
    if look.chest == "collar" or look.torso == "robe":
        high = both([[0.42, 0.98], [0.98, 0.72], [0.86, 1.5], [0.3, 1.86]])
        left, right = high.copy(), high.copy()
        left[:, 0], right[:, 0] = np.minimum(high[:, 0], -0.28), np.maximum(high[:, 0], 0.28)
        for part in (left, right):
            clay.solid(rounded(part), paint_of(look.trim), 0.14)
    else:
        ring = np.concatenate([arc(0, 1.36, 0.6, 0.2, 0, np.pi), arc(0, 1.3, 0.52, 0.14, np.pi, 0)])
        clay.solid(ring, paint_of(look.trim), 0.08)


def _shoulder(clay: Clay, look: Look, side: int) -> None:
    x = side * shoulder_x(look)
    if look.kind == "armoured figure":
        for step in (2, 1, 0):
            plate = np.array(
                [[-0.7, 0.1], [-0.5, -0.5], [0.1, -0.66], [0.56, -0.3], [0.66, 0.2], [0.3, 0.34]]
            )
            paint = paint_of(look.shell if step else look.trim)
            clay.solid(
                rounded(plate * [side, 1]) * (0.8 + 0.1 * step) + [x, SHOULDER_Y + 0.22 * step], paint, 0.22
            )
    elif look.kind == "android":
        clay.ball(x, SHOULDER_Y, 0.44, 0.44, paint_of(look.shell))
        clay.groove(arc(x, SHOULDER_Y, 0.24, 0.24), paint_of(look.shell).colour, 0.03)
    elif look.torso != "robe":
        clay.solid(
            squared(0.42, 0.36, 2.3, x - 0.04 * side, SHOULDER_Y - 0.04),
            paint_of(look.suit),
            0.3,
            shadow=False,
        )


def _reach(start: Points, angle: int, long: float, side: int) -> Points:
    """The end of a limb that leaves `start` at an angle from straight down, outwards."""
    turn = np.radians(angle)
    end: Points = start + long * np.array([side * np.sin(turn), np.cos(turn)])
    return end


def _limb(clay: Clay, look: Look, start: Points, end: Points, first: float, last: float) -> None:
    """An upper limb: a tube of rings, or a sleeve."""
    if look.kind == "android" and look.chest in ("vents", "ribs", "lamp"):
        clay.solid(tapered(start, end, 0.15, 0.15), DARK, 0.14)
        for share in np.linspace(0.12, 0.88, 6):
            x, y = (start + share * (end - start)).tolist()
            clay.ball(x, y, 0.19, 0.19, RUBBER, shadow=False)
    else:
        clay.solid(tapered(start, end, first, last), paint_of(look.suit), 0.3)


def _arm(clay: Clay, look: Look, side: int, angles: tuple[int, int]) -> None:
    shoulder = np.array([side * shoulder_x(look), SHOULDER_Y])
    elbow = _reach(shoulder, angles[0], UPPER_ARM, side)
    hand = _reach(elbow, angles[1], LOWER_ARM, side)
    _limb(clay, look, shoulder, elbow, 0.3, 0.24)
    skin = look.kind in ("alien", "cyborg")
    glove = paint_of(look.shell)
    _hand(clay, look, hand, hand - elbow, side)
    if look.torso == "robe":
        clay.solid(tapered(elbow, elbow + 0.86 * (hand - elbow), 0.27, 0.42), paint_of(look.suit), 0.3)
    else:
        sleeve = paint_of(look.suit) if skin else glove
        clay.solid(
            tapered(elbow, elbow + 0.82 * (hand - elbow), 0.22, 0.32 if not skin else 0.2), sleeve, 0.26
        )
        cuff = elbow + 0.8 * (hand - elbow)
        clay.ball(*xy(cuff), 0.28, 0.24, paint_of(look.trim))
    clay.ball(*xy(elbow), 0.24, 0.24, STEEL if not skin else paint_of(look.suit), shadow=False)


def _hand(clay: Clay, look: Look, place: Points, ahead: Points, side: int) -> None:
    """A palm with fingers that point on from the arm."""
    angle = float(np.arctan2(ahead[1], ahead[0])) - np.pi / 2
    pen = clay.moved(*xy(place), angle)
    paint = paint_of(look.shell)
    thumb = -side
    for x, long in ((-0.17, 0.4), (0.0, 0.46), (0.17, 0.4)):
        pen.solid(tapered((x * 0.8, 0.08), (x * 1.35, long), 0.085, 0.075), paint, 0.08)
    pen.solid(tapered((0.16 * thumb, 0.0), (0.36 * thumb, 0.2), 0.085, 0.075), paint, 0.08)
    pen.solid(squared(0.25, 0.24, 2.6, 0, -0.02), paint, 0.2)


def _leg(clay: Clay, look: Look, side: int, angles: tuple[int, int]) -> None:
    hip = np.array([side * 0.46 * look.build, HIP_Y])
    knee = _reach(hip, angles[0], THIGH, side)
    foot = _reach(knee, angles[1], SHIN, side)
    _limb(clay, look, hip, knee, 0.4, 0.29)
    boot = paint_of(look.shell if look.kind in ("android", "armoured figure") else look.trim)
    clay.solid(rounded(SOLE * [side, 1.0]) + foot, boot, 0.22)
    clay.solid(tapered(knee, foot, 0.29, 0.34), boot, 0.3)
    clay.ball(*xy(knee), 0.3, 0.28, paint_of(look.trim))


def _pelvis(clay: Clay, look: Look) -> None:
    wide = 0.78 * look.build
    clay.solid(
        rounded(both([[wide, 3.8], [wide + 0.1, 4.3], [0.34, 4.86], [0.1, 4.95]])), paint_of(look.suit), 0.3
    )
