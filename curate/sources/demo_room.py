"""Where the people of the demo source sit.

Clips that look alike are grouped by a hash of their coarse brightness layout, so rooms differ in that, not
only in colour: in kind, in where their large shapes lie and in which of them are light and dark.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal, get_args

import cv2
import numpy as np

from curate.records import Record
from curate.sources.demo_pen import Colour, Frame, Pen, arc, shade

RoomKind = Literal["window", "shelves", "stripes", "hills", "panels", "lights", "skyline", "sweep"]
OVERSAMPLE = 2
HAZE_SHARE = 0.006  # backdrops are a little out of focus, as behind a person


class Room(Record):
    """A backdrop: its kind, its wall from top to bottom and its shapes; `seed` places them."""

    kind: RoomKind
    seed: int
    wall: tuple[Colour, Colour]
    shapes: tuple[Colour, Colour, Colour]


def draw_room(room: Room, size: int) -> Frame:
    """The backdrop, (size, size, 3) RGB."""
    side = OVERSAMPLE * size
    image = wall(room, side)
    PAINTERS[room.kind](Pen(image, side), room, np.random.default_rng(room.seed))
    image = cv2.GaussianBlur(image, (0, 0), HAZE_SHARE * side)
    small: Frame = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return small


def wall(room: Room, side: int) -> Frame:
    """A gradient between the two colours of the wall, in a direction of its own."""
    angle = np.random.default_rng((room.seed, 1)).uniform(0, 2 * np.pi)
    y, x = np.mgrid[-0.5 : 0.5 : side * 1j, -0.5 : 0.5 : side * 1j]
    mix = np.clip(0.5 + np.cos(angle) * x + np.sin(angle) * y, 0, 1)[..., None]  # (H, W, 1)
    first, last = np.asarray(room.wall, float)
    image: Frame = (first * (1 - mix) + last * mix).astype(np.uint8)
    return image


def _window(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    frame, sky, curtain = room.shapes
    width, height = rng.uniform(0.3, 0.5), rng.uniform(0.4, 0.65)
    left, top = rng.choice([rng.uniform(-0.1, 0.08), rng.uniform(0.92, 1.1) - width]), rng.uniform(0.02, 0.2)
    pen.box(left - 0.03, top - 0.03, left + width + 0.03, top + height + 0.03, frame)
    pen.box(left, top, left + width, top + height, sky)
    pen.box(left + width / 2 - 0.012, top, left + width / 2 + 0.012, top + height, frame)
    pen.box(left, top + height * 0.45, left + width, top + height * 0.45 + 0.02, frame)
    side = rng.choice([left - 0.1, left + width - 0.08])
    pen.box(side, top - 0.06, side + 0.18, 1.0, curtain)
    for fold in np.arange(0.03, 0.18, 0.05):
        pen.box(side + fold, top - 0.06, side + fold + 0.015, 1.0, shade(curtain, 0.85))


def _shelves(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    board = shade(room.wall[0], 0.6)
    step = rng.uniform(0.2, 0.34)
    for top in np.arange(rng.uniform(-0.2, 0.0), 1.0, step):
        x = rng.uniform(-0.1, 0.3)
        while x < 1:
            width, height = rng.uniform(0.03, 0.09), step * rng.uniform(0.5, 0.85)
            if rng.random() < 0.78:
                colour = shade(room.shapes[rng.integers(3)], rng.uniform(0.6, 1.2))
                pen.box(x, top + step - height, x + width, top + step, colour)
            else:
                x += rng.uniform(0.05, 0.25)
            x += width + 0.006
        pen.box(0, top + step - 0.012, 1, top + step + 0.012, board)


def _stripes(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    angle, centre = rng.uniform(0, np.pi), np.array([0.5, 0.5])
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    place = -0.8
    while place < 0.8:
        width = rng.uniform(0.07, 0.28)
        near, far = centre + place * across, centre + (place + width) * across
        corners = np.stack([near - along, near + along, far + along, far - along])
        pen.fill(corners, room.shapes[rng.integers(3)])
        place += width + rng.uniform(0.03, 0.25)


def _hills(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    radius = rng.uniform(0.06, 0.16)
    pen.oval(rng.uniform(0.05, 0.95), rng.uniform(0.05, 0.3), radius, radius, (255, 240, 200))
    x = np.linspace(-0.05, 1.05, 60)
    for layer, colour in enumerate(room.shapes):
        height = 0.3 + 0.2 * layer + rng.uniform(-0.1, 0.1)
        waves = rng.uniform(0.03, 0.12) * np.sin(2 * np.pi * (rng.uniform(0.5, 1.8) * x + rng.random()))
        ridge = np.stack([x, height + waves + rng.uniform(-0.25, 0.25) * (x - 0.5)], axis=1)
        pen.fill(np.concatenate([ridge, [[1.05, 1.05], [-0.05, 1.05]]]), colour)


def _panels(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    columns = np.concatenate([[0.0], np.sort(rng.uniform(0.1, 0.9, rng.integers(1, 4))), [1.0]])
    for left, right in pairwise(columns):
        rows = np.concatenate([[0.0], np.sort(rng.uniform(0.1, 0.9, rng.integers(1, 4))), [1.0]])
        for top, bottom in pairwise(rows):
            colour = shade((*room.shapes, *room.wall)[rng.integers(5)], rng.uniform(0.8, 1.1))
            pen.box(left + 0.008, top + 0.008, right - 0.008, bottom - 0.008, colour)


def _lights(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(7, 16)):
        x, y, radius = rng.uniform(0, 1), rng.uniform(0, 0.9), rng.uniform(0.04, 0.17)
        colour = shade(room.shapes[rng.integers(3)], rng.uniform(0.6, 1.2))
        pen.oval(x, y, radius, radius, colour)
        pen.line(arc(x, y, radius, radius), 0.006, shade(colour, 1.15), closed=True)


def _skyline(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    x = -0.05
    while x < 1:
        width, top = rng.uniform(0.12, 0.28), rng.uniform(0.08, 0.75)
        colour = room.shapes[rng.integers(2)]
        pen.box(x, top, x + width, 1.0, shade(colour, rng.uniform(0.6, 1.1)))
        for row in np.arange(top + 0.04, 1.0, 0.08):
            for column in np.arange(x + 0.02, x + width - 0.03, 0.055):
                if rng.random() < 0.55:
                    pen.box(column, row, column + 0.028, row + 0.04, room.shapes[2])
        x += width + rng.uniform(0.0, 0.06)


def _sweep(pen: Pen, room: Room, rng: np.random.Generator) -> None:
    for colour in room.shapes:
        radius = rng.uniform(0.18, 0.5)
        pen.oval(
            rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 0.9), radius, radius * rng.uniform(0.6, 1.3), colour
        )


PAINTERS: dict[RoomKind, Callable[[Pen, Room, np.random.Generator], None]] = {
    "window": _window,
    "shelves": _shelves,
    "stripes": _stripes,
    "hills": _hills,
    "panels": _panels,
    "lights": _lights,
    "skyline": _skyline,
    "sweep": _sweep,
}
ROOM_KINDS: tuple[RoomKind, ...] = get_args(RoomKind)
