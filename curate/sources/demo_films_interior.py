"""Rooms of the demo films: a wall and a floor with furniture, seen straight on, without anybody and without words.

A room is painted once at twice the size of a film; shots show parts of it. Lengths are pixels of a film that shows
the whole room.
"""

from functools import lru_cache

import numpy as np

from curate.sources.demo_films_furniture import PIECES
from curate.sources.demo_films_room import FINE, FLOOR_Y, HEIGHT, WIDTH, Painter, Room, RoomKind
from curate.sources.demo_films_solid import Floats
from curate.sources.demo_pen import Frame, shade


@lru_cache(maxsize=4)
def painted_room(room: Room) -> Frame:
    """The whole room with nobody in it, (FINE * HEIGHT, FINE * WIDTH, 3) RGB. Not to be written to."""
    image = np.empty((HEIGHT * FINE, WIDTH * FINE, 3), np.uint8)
    pen = Painter(image, room)
    _shell(pen)
    for piece, x in LAYOUTS[room.kind]:
        PIECES[piece](pen, x)
    lit: Frame = np.clip(image * _light()[..., None], 0, 255).astype(np.uint8)
    return lit


def _light() -> Floats:
    """How light each place is: most where the light comes in, on the left, less in corners."""
    y, x = np.mgrid[0 : 1 : HEIGHT * FINE * 1j, 0 : 1 : WIDTH * FINE * 1j].astype(np.float32)
    light: Floats = 1.08 - 0.16 * x - 0.1 * (2 * y - 0.7) ** 2 - 0.08 * (2 * x - 1) ** 4
    return light


def _shell(pen: Painter) -> None:
    """Wall, skirting board and floor boards that run towards the viewer."""
    room = pen.room
    pen.face(0, 0, WIDTH, FLOOR_Y, room.wall, 0.2)
    if room.kind in ("hall", "bedroom", "study"):
        pen.face(0, 236, WIDTH, FLOOR_Y, shade(room.wall, 0.84), 0.1)
        pen.face(0, 232, WIDTH, 238, shade(room.wall, 1.12), 0.02)
    pen.face(0, FLOOR_Y, WIDTH, HEIGHT, shade(room.wood, 0.92), 0.1)
    for k in range(-16, 17):
        middle = WIDTH / 2
        near, far = middle + k * 74, middle + k * 46
        pen.line(np.array([[far, FLOOR_Y], [near, HEIGHT]]), 1.2, shade(room.wood, 0.74))
    pen.face(0, FLOOR_Y - 12, WIDTH, FLOOR_Y, shade(room.wall, 1.16), 0.04)
    pen.box(0, FLOOR_Y - 1, WIDTH, FLOOR_Y + 1.5, shade(room.wood, 0.5))


LAYOUTS: dict[RoomKind, tuple[tuple[str, float], ...]] = {
    "kitchen": (("window", 60), ("cupboards", 260), ("fridge", 612), ("counter", 230), ("table", 30)),
    "living room": (
        ("picture", 330), ("curtained window", 60), ("sofa", 232), ("floor lamp", 556), ("sideboard", 590), ("table", 36),
    ),
    "study": (("shelf", 40), ("window", 320), ("small pictures", 560), ("sideboard", 300), ("table", 588)),
    "bedroom": (("curtained window", 76), ("picture", 420), ("bed", 262), ("sideboard", 40), ("table", 592)),
    "workshop": (("pegboard", 60), ("window", 420), ("shelf", 640), ("table", 70), ("sideboard", 420)),
    "hall": (("door", 320), ("hooks", 90), ("small pictures", 520), ("sideboard", 100), ("table", 530), ("plant", 478)),
    "sunroom": (("window", 60), ("window", 300), ("window", 540), ("plant", 300), ("table", 60), ("sideboard", 540)),
    "tea room": (("pendants", 240), ("shelf", 30), ("window", 560), ("fireplace", 302), ("table", 112), ("sideboard", 560)),
}  # fmt: skip
REST_Y = 288  # where things stand on tables, sideboards and counters
RESTS: dict[RoomKind, tuple[float, float]] = {
    "kitchen": (112, 470), "living room": (112, 672), "study": (388, 668), "bedroom": (122, 672), "workshop": (150, 502),
    "hall": (182, 612), "sunroom": (140, 622), "tea room": (192, 642),
}  # fmt: skip
