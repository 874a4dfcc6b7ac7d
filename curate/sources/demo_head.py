"""The people of the demo source: a drawn head whose mouth follows the loudness of the speech.

Drawn in head units: the origin lies between nose and eyes, x to the right, y down, one unit from the origin
to the crown. What stands still (room, body, hair behind) and what moves as one (head, ears, hair) are painted
once per clip at twice the size; each frame then moves the head and adds eyes and mouth. Colours are RGB.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import cv2
import numpy as np

from curate.records import Record
from curate.sources.demo_pen import Colour, Frame, Pen, Points, arc, rounded, shade
from curate.sources.demo_room import OVERSAMPLE, Room, draw_room

Hair = Literal["bald", "short", "parted", "curly", "bun", "bob", "long", "cap", "scarf"]
Collar = Literal["crew", "v", "turtle", "jacket"]

BROW_Y, EYE_Y, MOUTH_Y = -0.3, -0.06, 0.52
TOP_HALF = (np.pi, 2 * np.pi)
TEETH: Colour = (240, 236, 226)
MOUTH_INSIDE: Colour = (74, 24, 30)
TONGUE: Colour = (176, 82, 84)
EYE_WHITE: Colour = (246, 244, 240)
SMILE = 0.05
PUPIL: Colour = (20, 16, 16)


class Look(Record):
    """One person in one room. Lengths are in head units, or a share of the frame where they say so."""

    room: Room
    x_share: float
    y_share: float
    head_share: float
    skin: Colour
    hair: Hair
    hair_colour: Colour
    cover: Colour
    width: float
    jaw: float
    eye_gap: float
    eye_size: float
    iris: Colour
    brow: float
    nose: float
    lip_width: float
    lip: Colour
    beard: bool
    glasses: bool
    shoulders: float
    collar: Collar
    shirt: Colour


class Pose(NamedTuple):
    """One frame: the head's place (head units, radians), where it looks, lids and lips (0 shut, 1 open)."""

    x: float
    y: float
    roll: float
    gaze: float
    lids: float
    lips: float


def draw_frames(look: Look, poses: Iterable[Pose], size: int) -> Frame:
    """All frames of a clip, (F, size, size, 3) RGB."""
    still, head = draw_room(look.room, size), draw_head(look, size)
    still = over(still, draw_body(look, size))
    return np.stack([draw_frame(look, pose, still, head) for pose in poses])


def draw_frame(look: Look, pose: Pose, still: Frame, head: Frame) -> Frame:
    """The head (H, W, 4), moved and given eyes and mouth, before what stands still (H, W, 3)."""
    size = len(still)
    unit_px = look.head_share * size
    x_px, y_px = look.x_share * size, look.y_share * size
    matrix = cv2.getRotationMatrix2D((x_px, y_px), -np.degrees(pose.roll), 1.0)
    matrix[:, 2] += pose.x * unit_px, pose.y * unit_px
    frame = over(still, cv2.warpAffine(head, matrix, (size, size)))
    pen = Pen(frame, unit_px, (x_px + pose.x * unit_px, y_px + pose.y * unit_px), pose.roll)
    for side in (-1, 1):
        _draw_eye(pen, look, pose, side)
    _draw_mouth(pen, look, pose.lips)
    return frame


def over(below: Frame, above: Frame) -> Frame:
    """Put `above`, (H, W, 4) with premultiplied alpha, over `below`, (H, W, 3)."""
    hidden = cv2.merge([above[..., 3]] * 3)
    kept = cv2.multiply(below, cv2.bitwise_not(hidden), scale=1 / 255)
    frame: Frame = cv2.add(kept, cv2.cvtColor(above, cv2.COLOR_RGBA2RGB))
    return frame


def _canvas(look: Look, size: int) -> Pen:
    side = size * OVERSAMPLE
    image = np.zeros((side, side, 4), np.uint8)
    return Pen(image, look.head_share * side, (look.x_share * side, look.y_share * side))


def _finish(pen: Pen, size: int) -> Frame:
    small: Frame = cv2.resize(pen.image, (size, size), interpolation=cv2.INTER_AREA)
    return small


def draw_body(look: Look, size: int) -> Frame:
    """Hair behind, neck and shoulders, (size, size, 4)."""
    pen = _canvas(look, size)
    back = shade(look.hair_colour, 0.75)
    if look.hair in ("long", "bob"):
        crown = arc(0, -0.1, look.width + 0.25, 1.05, *TOP_HALF)
        pen.fill(np.concatenate([crown, _tips(look, 1.7 if look.hair == "long" else 0.85)]), back)
    if look.hair == "scarf":
        pen.oval(0, 0.25, look.width + 0.3, 1.35, shade(look.cover, 0.75))
    wide = look.shoulders
    neck = 0.34 + 0.1 * (look.width - 0.7)
    x = [-neck - 0.06, -0.55 * wide, -0.9 * wide, -wide, -wide - 0.1]
    left = np.stack([x, [1.12, 1.32, 1.55, 2.0, 5.0]], axis=1)
    pen.fill(rounded(np.concatenate([left, left[::-1] * [-1, 1]])), look.shirt)
    _draw_collar(pen, look, neck)
    return _finish(pen, size)


def _tips(look: Look, y: float) -> Points:
    return np.array([[look.width + 0.28, y - 0.1], [0.5, y], [-0.5, y], [-look.width - 0.28, y - 0.1]])


def _draw_collar(pen: Pen, look: Look, neck: float) -> None:
    skin, shadow = look.skin, shade(look.skin, 0.78)
    top, dark = shade(look.shirt, 1.12), shade(look.shirt, 0.7)
    if look.collar == "jacket":
        pen.fill(np.array([[-0.42, 1.16], [0.42, 1.16], [0.12, 2.6], [-0.12, 2.6]]), (238, 238, 234))
    pen.box(-neck, 0.5, neck, 1.2, skin)
    pen.fill(arc(0, 0.62, neck, 0.5, 0, np.pi), shadow)  # the chin's shadow on the neck
    if look.collar == "v":
        pen.fill(np.array([[-neck, 1.15], [neck, 1.15], [0, 1.75]]), skin)
        pen.line(np.array([[-neck, 1.15], [0, 1.75], [neck, 1.15]]), 0.05, dark)
    if look.collar == "crew":
        pen.fill(arc(0, 1.17, neck + 0.02, 0.2, 0, np.pi), skin)
        pen.line(arc(0, 1.17, neck + 0.03, 0.2, 0, np.pi), 0.07, top)
    if look.collar == "turtle":
        pen.box(-neck - 0.04, 0.93, neck + 0.04, 1.35, top)
        pen.line(np.array([[-neck, 1.2], [neck, 1.2]]), 0.03, dark)
    if look.collar == "jacket":
        pen.fill(arc(0, 1.16, neck, 0.14, 0, np.pi), skin)
        for side in (-1, 1):
            lapel = np.array([[neck + 0.02, 1.1], [neck + 0.3, 1.35], [0.34, 1.75], [0.08, 2.6]]) * [side, 1]
            pen.fill(lapel, dark)


def outline(look: Look, grow: float = 1.0, start: float = 0.0, end: float = 2 * np.pi) -> Points:
    """The face's edge: an ellipse that narrows towards the chin."""
    x, y = arc(0, 0, 1, 1, start, end).T
    taper = 1 - look.jaw * np.clip(y, 0, None) ** 2
    return np.stack([x * taper * look.width, y], axis=1) * grow


def draw_head(look: Look, size: int) -> Frame:
    """The face without eyes and mouth, with ears and hair, (size, size, 4)."""
    pen = _canvas(look, size)
    blush = shade(look.skin, 0.9)
    if look.hair not in ("scarf", "bob", "long"):
        for side in (-1, 1):
            pen.oval(side * look.width, 0.05, 0.12, 0.2, look.skin)
            pen.oval(side * (look.width + 0.02), 0.06, 0.06, 0.12, blush)
    pen.fill(outline(look), look.skin)
    _shade_face(pen, look)
    if look.beard:
        jaw, cheeks = outline(look, 1.02, 0.15, np.pi - 0.15), arc(0, 0.4, look.width * 0.62, 0.1, *TOP_HALF)
        pen.fill(np.concatenate([jaw, cheeks]), look.hair_colour)
    x = look.nose * np.array([-0.2, 0.7, 1.0, 0.0, -0.5])
    pen.fill(np.stack([x, [-0.02, 0.2, 0.27, 0.32, 0.27]], axis=1), shade(look.skin, 0.86))
    _draw_hair(pen, look)
    if look.glasses:
        rim = shade(look.hair_colour, 0.4)
        for side in (-1, 1):
            pen.line(arc(side * look.eye_gap, EYE_Y, 0.23, 0.2), 0.04, rim, closed=True)
        pen.line(arc(0, EYE_Y, look.eye_gap - 0.22, 0.06, *TOP_HALF), 0.04, rim)
    return _finish(pen, size)


def _shade_face(pen: Pen, look: Look) -> None:
    """Light from one side: darken the face towards the other, softly."""
    side = pen.image.shape[0]
    x = (np.arange(side) - pen.centre_px[0]) / pen.unit_px
    light = np.clip(1.0 - 0.22 * np.clip(x / look.width, 0, 1) ** 2, 0, 1)
    pen.image[..., :3] = (pen.image[..., :3] * light[None, :, None]).astype(np.uint8)


def _draw_hair(pen: Pen, look: Look) -> None:
    colour = look.cover if look.hair in ("cap", "scarf") else look.hair_colour
    if look.hair == "bald":
        return
    if look.hair == "scarf":
        ring = np.concatenate([outline(look, 1.22), outline(look, 0.93)[::-1]])
        pen.fill(ring, colour)
        return
    if look.hair == "curly":
        for angle in np.linspace(np.pi * 0.98, np.pi * 2.02, 13):
            pen.oval(look.width * np.cos(angle), 0.95 * np.sin(angle) - 0.02, 0.24, 0.24, colour)
    if look.hair == "bun":
        pen.oval(0.05, -1.22, 0.36, 0.32, colour)
    below_ears = -0.03 if look.hair in ("bob", "long") else 0.04
    start, end = np.pi * (1 + below_ears), np.pi * (2 - below_ears)
    outer = outline(look, 1.1, start, end)
    line = arc(0.0, outer[-1][1], look.width * 0.93, 0.42, start, end)
    line[:, 1] += (0.18 if look.hair == "parted" else 0.0) * line[:, 0] - 0.1
    line[[0, -1]] = outer[[0, -1]]
    pen.fill(np.concatenate([outer, line[::-1]]), colour)
    if look.hair == "cap":
        across = look.width * 1.12
        brim = np.concatenate([arc(0, -0.42, across, 0.28, *TOP_HALF), arc(0, -0.42, across, 0.1, 0, np.pi)])
        pen.fill(brim, shade(colour, 0.75))


def _draw_eye(pen: Pen, look: Look, pose: Pose, side: int) -> None:
    x, across, down = side * look.eye_gap, look.eye_size, look.eye_size * 0.58 * pose.lids
    brow = arc(x, BROW_Y + 0.06 - 0.05 * pose.lips, across * 1.25, 0.12, np.pi * 1.12, np.pi * 1.88)
    pen.line(brow, look.brow, shade(look.hair_colour, 0.6))
    pen.oval(x, EYE_Y, across, max(down, 0.012), EYE_WHITE if pose.lids > 0.2 else shade(look.skin, 0.6))
    if pose.lids > 0.2:
        iris = min(look.eye_size * 0.5, down)
        pen.oval(x + pose.gaze * 0.05, EYE_Y, look.eye_size * 0.5, iris, look.iris)
        pen.oval(x + pose.gaze * 0.05, EYE_Y, look.eye_size * 0.24, min(look.eye_size * 0.24, down), PUPIL)
    pen.line(arc(x, EYE_Y, across, down, *TOP_HALF), 0.035, shade(look.skin, 0.45))


def _draw_mouth(pen: Pen, look: Look, lips: float) -> None:
    """Lips, and between them the dark inside with teeth and tongue."""
    across = look.lip_width * (1 - 0.18 * lips)
    up, down = 0.05 * lips, 0.3 * lips
    pen.fill(_lens(across + 0.03, up + 0.055, down + 0.075), look.lip)
    pen.fill(_lens(across, max(up, 0.006), max(down, 0.008)), MOUTH_INSIDE)
    if lips > 0.15:
        pen.fill(_lens(across * 0.78, up * 0.9, -up * 0.1 + 0.035), TEETH)
    if lips > 0.3:
        pen.fill(arc(0, MOUTH_Y + down * 0.86, across * 0.5, down * 0.3, *TOP_HALF), TONGUE)


def _lens(across: float, up: float, down: float) -> Points:
    """A mouth's shape, its corners a little raised."""
    upper = arc(0, MOUTH_Y, across, up, *TOP_HALF)
    shape = np.concatenate([upper, arc(0, MOUTH_Y, across, down, 0, np.pi)])
    return shape - SMILE * np.stack([0 * shape[:, 0], (shape[:, 0] / across) ** 2], axis=1)
