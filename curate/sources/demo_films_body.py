"""Bodies of the demo films: clothes, arms and legs, turned to any side, walking and holding something."""

import numpy as np

from curate.sources.demo_films_cloth import PAINTERS, Clothes
from curate.sources.demo_films_face import linear
from curate.sources.demo_films_skull import ramp
from curate.sources.demo_films_solid import Floats, Painter, Place, Solids, Turn, turned
from curate.sources.demo_pen import Colour, Frame

LEFT, RIGHT, TOP, BOTTOM = -2.1, 2.1, 0.45, 8.0
BODY_PX = 64  # in half a head: cloth is smoother than a face
STRIDE = 0.62
PHASES = 12  # pictures of a step
LIFTS = 4  # from a hanging arm to a holding one


def drawn_body(
    clothes: Clothes, skin: Colour, yaw_deg: float, phase: int | None, lift: int, side: int
) -> Frame:
    """A body without its head, (H, W, 4), the axis of the head in the middle of the width, TOP at row 0.

    `phase` is how far a step is, None for standing. The arm on `side` (-1 is left in a picture from the front) is
    lifted by `lift` of LIFTS.
    """
    solids, turn = Solids(LEFT, TOP, RIGHT, BOTTOM, BODY_PX), turned(yaw_deg)
    swing = 0.0 if phase is None else float(np.sin(2 * np.pi * phase / PHASES))
    _torso(solids, clothes, skin, turn)
    _legs(solids, clothes, turn, swing)
    for arm in (-1, 1):
        _arm(solids, clothes, skin, turn, arm, -swing * arm * 0.6, lift / LIFTS if arm == side else 0.0)
    return solids.picture()


def reach(clothes: Clothes, yaw_deg: float, phase: int | None, lift: int, side: int) -> tuple[float, float]:
    """How far a body reaches to the left and right of its axis (the left is negative)."""
    turn, build = turned(yaw_deg), clothes.build
    swing = 0.0 if phase is None else float(np.sin(2 * np.pi * phase / PHASES))
    across, deep = (1.4, 1.08) if clothes.skirt else (1.06, 0.67)
    half = build * float(np.hypot(across * turn.cosine, deep * turn.sine))
    middle = turn.place((0, 0, -0.08))[0]
    edges = [middle - half, middle + half]
    for arm in (-1, 1):
        raised = lift / LIFTS if arm == side else 0.0
        for (x, _, _), radius in _arm_joints(build, turn, arm, -swing * arm * 0.6, raised):
            edges += [x - radius, x + radius]
        if not clothes.skirt:
            ahead = STRIDE * swing * arm
            for (x, _, _), radius in _leg_joints(build, turn, arm, ahead):
                edges += [x - radius, x + radius]
    return min(edges), max(edges)


def hand(build: float, yaw_deg: float, side: int, lift: float) -> Place:
    """Where the hand on `side` is for the viewer; `lift` from 0 to 1."""
    return turned(yaw_deg).place(_hand(build, side, 0.0, lift))


def _hand(build: float, side: int, swing: float, lift: float) -> Place:
    x, y, z = (1.22 + 0.1 * build) * build * side, 4.35, 0.1 + 0.7 * swing
    return x + (0.8 * side - x) * lift, y + (2.95 - y) * lift - 0.1 * abs(swing), z + (1.05 - z) * lift


def _torso(solids: Solids, clothes: Clothes, skin: Colour, turn: Turn) -> None:
    neck = linear(skin)

    def shadowed(_: Floats, y: Floats) -> Floats:
        return (neck * (0.5 + 0.5 * ramp(y, 0.85, 1.3))[..., None] * np.ones((1, 1, 3), np.float32)).astype(
            np.float32
        )

    if clothes.scarf is None:
        solids.lathe(
            [(0.5, 0.36, 0.36), (1.0, 0.36, 0.37), (1.45, 0.48, 0.45)], _wide(shadowed), turn, (0, 0, -0.1)
        )
    else:
        wrap = [(0.45, 0.5, 0.5), (0.9, 0.62, 0.62), (1.2, 0.75, 0.66), (1.6, 0.8, 0.6)]
        solids.lathe(wrap, clothes.scarf, turn, (0, 0, -0.06))
    build, waist = clothes.build, 0.84 if clothes.skirt else 0.95
    profile = [
        (1.14, 0.44, 0.42), (1.24, 0.62, 0.46), (1.4, 0.88, 0.5), (1.62, 1.03, 0.56), (2.2, 1.06, 0.68),
        (3.0, waist, 0.6), (3.5, waist + 0.03, 0.6), (4.2, 1.03, 0.66), (4.8, 1.07, 0.66),
    ]  # fmt: skip
    shape = [(y, across * build, deep * build) for y, across, deep in profile]
    solids.lathe(shape, PAINTERS[clothes.top](clothes, skin), turn, (0, 0, -0.08))


def _wide(paint: Painter) -> Painter:
    """A painter by height alone, for every direction."""

    def wide(turn: Floats, y: Floats) -> Floats:
        return np.broadcast_to(paint(turn, y), (*turn.shape, 3))

    return wide


def _legs(solids: Solids, clothes: Clothes, turn: Turn, swing: float) -> None:
    build = clothes.build
    if clothes.skirt:
        cloth = clothes.colour if clothes.top == "dress" else clothes.legs
        sway = 0.12 * abs(swing)
        skirt = [(4.3, 1.05, 0.7), (5.0, 1.16, 0.86), (6.2, 1.3, 1.0 + sway), (7.3, 1.42, 1.1 + 2 * sway)]
        solids.lathe(
            [(y, across * build, deep * build) for y, across, deep in skirt], cloth, turn, (0, 0, -0.08)
        )
    for side in (-1, 1):
        (hip, wide), (knee, middle), (foot, thin) = _leg_joints(build, turn, side, STRIDE * swing * side)
        solids.limb(hip, knee, wide, middle, clothes.legs)
        solids.limb(knee, foot, middle, thin, clothes.legs)


def _leg_joints(build: float, turn: Turn, side: int, ahead: float) -> list[tuple[Place, float]]:
    """Hip, knee and foot for the viewer, each with the radius there."""
    return [
        (turn.place((0.5 * build * side, 5.05, -0.12)), 0.5 * build),
        (turn.place((0.48 * build * side, 6.6, 0.9 * ahead)), 0.4 * build),
        (turn.place((0.46 * build * side, 8.7, 1.5 * ahead - 0.3 * abs(ahead))), 0.32 * build),
    ]


def _arm(
    solids: Solids, clothes: Clothes, skin: Colour, turn: Turn, side: int, swing: float, lift: float
) -> None:
    sleeve = clothes.second if clothes.top in ("waistcoat", "apron") else clothes.colour
    joints = _arm_joints(clothes.build, turn, side, swing, lift)
    for (start, first), (end, last), colour in zip(joints, joints[1:], (sleeve, sleeve, skin), strict=False):
        solids.limb(start, end, min(first, 0.15) if colour is skin else first, last, colour)


def _arm_joints(build: float, turn: Turn, side: int, swing: float, lift: float) -> list[tuple[Place, float]]:
    """Shoulder, elbow, wrist and palm for the viewer, each with the radius there."""
    shoulder = (1.0 * build * side, 1.7, -0.08)
    elbow = ((1.25 + 0.08 * lift) * build * side, 3.02 - 0.1 * lift, 0.3 * swing - 0.12 * lift - 0.1)
    palm = _hand(build, side, swing, lift)
    x, y, z = (e + (h - e) * 0.86 for e, h in zip(elbow, palm, strict=True))
    radii = (0.35 * build, 0.26 * build, 0.2 * build, 0.21)
    return [
        (turn.place(place), radius)
        for place, radius in zip((shoulder, elbow, (x, y, z), palm), radii, strict=True)
    ]
