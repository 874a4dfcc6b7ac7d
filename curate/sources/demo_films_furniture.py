"""Furniture of the demo films, painted in front of a wall."""

from collections.abc import Callable

import numpy as np

from curate.sources.demo_films_room import FLOOR_Y, Painter
from curate.sources.demo_pen import Colour, Points, arc, shade

SKY: tuple[Colour, Colour] = ((148, 190, 226), (226, 236, 240))


def _window(pen: Painter, x: float) -> None:
    left, top, right, bottom = x, 40, x + 150, 210
    pen.block(left - 8, top - 8, right + 8, bottom + 8, (238, 236, 230))
    for k in range(34):
        share = k / 33
        colour = tuple(round(a + (b - a) * share) for a, b in zip(*SKY, strict=True))
        pen.box(
            left,
            top + share * 150,
            right,
            min(bottom, top + share * 150 + 6),
            (colour[0], colour[1], colour[2]),
        )
    hill = np.linspace(0, 1, 30)
    for base, colour in ((168, (150, 178, 140)), (184, (112, 150, 104))):
        ridge = np.stack([left + hill * 150, base - 9 * np.sin(hill * 7 + base)], axis=1)
        pen.fill(np.concatenate([ridge, [[right, bottom], [left, bottom]]]), colour)
    for place in (left + 73, left + 75):
        pen.box(place, top, place + 4, bottom, (238, 236, 230))
    pen.box(left, top + 62, right, top + 67, (232, 230, 224))
    pen.face(left - 14, bottom + 6, right + 14, bottom + 16, (246, 244, 238), 0.06)


def _curtained(pen: Painter, x: float) -> None:
    _window(pen, x)
    pen.face(x - 46, 22, x + 196, 28, shade(pen.room.wood, 0.6), 0.02)
    for left in (x - 42, x + 138):
        pen.shadow(left, 26, left + 54, 300)
        for fold in range(9):
            tone = 1 + 0.13 * np.sin(fold * 2.3)
            pen.face(left + fold * 6, 26, left + fold * 6 + 6, 304, shade(pen.room.cloth, float(tone)), 0.1)


def _picture(pen: Painter, x: float) -> None:
    pen.block(x, 62, x + 92, 158, shade(pen.room.wood, 0.6), 3)
    pen.face(x + 7, 69, x + 85, 151, (240, 234, 220), 0.04)
    pen.fill(
        np.array([[x + 14, 140], [x + 40, 92], [x + 60, 120], [x + 68, 108], [x + 79, 140]]), pen.room.accent
    )
    pen.oval(x + 64, 90, 8, 8, shade(pen.room.cloth, 1.1))


def _small_pictures(pen: Painter, x: float) -> None:
    for dx, y, wide, tall in ((0, 70, 46, 58), (58, 58, 60, 44), (58, 114, 38, 46), (4, 138, 42, 34)):
        pen.block(x + dx, y, x + dx + wide, y + tall, shade(pen.room.wood, 0.55), 2)
        pen.face(
            x + dx + 5, y + 5, x + dx + wide - 5, y + tall - 5, shade(pen.room.accent, 0.8 + dx / 120), 0.3
        )
        pen.oval(x + dx + wide / 2, y + tall / 2, wide / 5, tall / 5, (240, 232, 214))


def _shelf(pen: Painter, x: float) -> None:
    wide, wood = 168, shade(pen.room.wood, 0.78)
    pen.block(x, 66, x + wide, FLOOR_Y, wood)
    for top in (74, 138, 202, 266):
        pen.face(x + 7, top, x + wide - 7, top + 56, shade(wood, 0.5), 0.2)
        place = x + 10.0
        while place < x + wide - 24:
            book, tall = float(pen.draw.uniform(7, 14)), float(pen.draw.uniform(30, 50))
            if pen.draw.random() < 0.8:
                tone = (pen.room.accent, pen.room.cloth, (206, 196, 172), (92, 84, 92))[pen.draw.integers(4)]
                pen.face(
                    place,
                    top + 56 - tall,
                    place + book,
                    top + 56,
                    shade(tone, float(pen.draw.uniform(0.7, 1.1))),
                )
            else:
                book = 22
                pen.oval(place + 11, top + 42, 9, 14, shade(pen.room.cloth, 0.9))
            place += book + 1


def _table(pen: Painter, x: float) -> None:
    wood = shade(pen.room.wood, 0.86)
    for leg in (x + 8, x + 138):
        pen.face(leg, 290, leg + 12, 392, shade(wood, 0.7))
    pen.shadow(x, 285, x + 160, 296)
    pen.face(x - 4, 282, x + 162, 288, shade(wood, 1.28), 0.04)
    pen.face(x - 4, 288, x + 162, 300, wood)


def _sideboard(pen: Painter, x: float) -> None:
    wood = shade(pen.room.wood, 0.82)
    pen.block(x, 286, x + 166, 378, wood, 5)
    for left in (x + 8, x + 86):
        pen.face(left, 298, left + 72, 368, shade(wood, 0.88))
        pen.face(left + 2, 300, left + 70, 366, shade(wood, 1.04))
        pen.oval(left + 36, 306, 4, 4, (206, 190, 150))


def _counter(pen: Painter, x: float) -> None:
    end = x + 330
    pen.shadow(x, 284, end, 380)
    for row in range(4):
        for k in range(12):
            left, top = x + k * 27.5, 210 + row * 19
            pen.face(
                left + 1,
                top + 1,
                left + 26.5,
                top + 18,
                shade((236, 232, 222), 0.97 + 0.03 * ((k + row) % 3)),
            )
    pen.face(x - 6, 284, end + 6, 296, (226, 222, 214), 0.05)
    for k in range(4):
        pen.face(x + k * 82.5, 296, x + k * 82.5 + 81, 384, pen.room.cloth)
        pen.face(x + k * 82.5 + 6, 303, x + k * 82.5 + 75, 378, shade(pen.room.cloth, 1.08))
        pen.face(x + k * 82.5 + 30, 308, x + k * 82.5 + 52, 312, (208, 204, 196))


def _cupboards(pen: Painter, x: float) -> None:
    pen.shadow(x, 40, x + 248, 140)
    for k in range(3):
        left = x + k * 83
        pen.face(left, 40, left + 81, 140, pen.room.cloth)
        pen.face(left + 6, 47, left + 75, 133, shade(pen.room.cloth, 1.08))
        pen.oval(left + 68, 122, 3.5, 3.5, (214, 208, 198))


def _fridge(pen: Painter, x: float) -> None:
    pen.block(x, 96, x + 104, 380, (222, 224, 226))
    pen.box(x, 190, x + 104, 193, (160, 164, 168))
    for top in (150, 204):
        pen.face(x + 10, top, x + 15, top + 30, (150, 154, 160))


def _sofa(pen: Painter, x: float) -> None:
    cloth = pen.room.cloth
    pen.shadow(x, 240, x + 270, 378)
    pen.fill(_rounded(x + 14, 232, x + 256, 330, 16), shade(cloth, 0.92))
    for left in (x + 26, x + 136):
        pen.fill(_rounded(left, 242, left + 106, 318, 12), cloth)
        pen.fill(_rounded(left - 2, 306, left + 109, 344, 10), shade(cloth, 1.08))
    pen.fill(_rounded(x + 18, 336, x + 252, 378, 6), shade(cloth, 0.8))
    for left in (x, x + 236):
        pen.fill(_rounded(left, 274, left + 34, 382, 14), shade(cloth, 0.98))
    pen.fill(_rounded(x + 40, 268, x + 84, 312, 10), pen.room.accent)


def _bed(pen: Painter, x: float) -> None:
    wood = shade(pen.room.wood, 0.8)
    pen.block(x, 206, x + 22, 390, wood)
    pen.shadow(x + 20, 300, x + 300, 380)
    pen.face(x + 20, 322, x + 300, 384, wood)
    pen.fill(_rounded(x + 18, 284, x + 300, 352, 14), (240, 236, 228))
    pen.fill(_rounded(x + 110, 280, x + 304, 366, 14), pen.room.cloth)
    pen.fill(_rounded(x + 28, 262, x + 104, 298, 14), (250, 248, 242))


def _plant(pen: Painter, x: float) -> None:
    for k in range(11):
        angle = np.pi * (0.12 + 0.76 * k / 10) + float(pen.draw.uniform(-0.06, 0.06))
        length = float(pen.draw.uniform(80, 128))
        tip = np.array([x + length * 0.6 * np.cos(angle), 316 - length * np.sin(angle)])
        foot = np.array([x, 320.0])
        aside = np.array([np.sin(angle), np.cos(angle)]) * 11
        middle = (foot + tip) / 2 + [0, -6]
        leaf = np.array([foot, middle + aside, tip, middle - aside])
        pen.fill(leaf, shade((62, 120, 66), float(pen.draw.uniform(0.75, 1.2))))
        pen.line(np.array([foot, tip]), 1, (52, 96, 54))
    pen.fill(np.array([[x - 26, 312], [x + 26, 312], [x + 19, 376], [x - 19, 376]]), pen.room.accent)
    pen.face(x - 29, 306, x + 29, 318, shade(pen.room.accent, 1.12))


def _floor_lamp(pen: Painter, x: float) -> None:
    pen.box(x - 2, 150, x + 2, 372, (62, 58, 58))
    pen.oval(x, 374, 26, 6, (62, 58, 58))
    pen.fill(np.array([[x - 24, 96], [x + 24, 96], [x + 40, 156], [x - 40, 156]]), (246, 228, 186))
    pen.fill(np.array([[x - 24, 96], [x - 6, 96], [x - 12, 156], [x - 40, 156]]), (252, 240, 208))


def _door(pen: Painter, x: float) -> None:
    pen.block(x - 8, 62, x + 112, FLOOR_Y, (236, 232, 224))
    colour = shade(pen.room.wood, 0.9)
    pen.face(x, 70, x + 104, FLOOR_Y, colour)
    for top, bottom in ((84, 186), (204, 322)):
        for left in (x + 12, x + 58):
            pen.face(left, top, left + 34, bottom, shade(colour, 0.82))
            pen.face(left + 3, top + 3, left + 34, bottom, shade(colour, 1.04))
    pen.oval(x + 94, 206, 5, 5, (214, 184, 110))


def _pegboard(pen: Painter, x: float) -> None:
    pen.block(x, 60, x + 230, 196, (206, 178, 138))
    steel, grip = (136, 140, 148), pen.room.accent
    for k in range(7):
        left = x + 20 + k * 30
        pen.face(left, 84, left + 6, 140, steel)
        pen.fill(_rounded(left - 4, 136, left + 10, 176, 4), shade(grip, 0.8 + 0.07 * k))
        pen.fill(_rounded(left - 9, 78, left + 15, 92, 3), steel)


def _hooks(pen: Painter, x: float) -> None:
    pen.block(x, 92, x + 170, 104, shade(pen.room.wood, 0.75))
    for k, colour in enumerate((pen.room.cloth, pen.room.accent, (120, 116, 112))):
        left = x + 12 + k * 52
        pen.shadow(left, 110, left + 40, 236)
        pen.fill(
            np.array([[left + 12, 104], [left + 30, 104], [left + 44, 238 - 12 * k], [left, 238 - 12 * k]]),
            colour,
        )
        pen.line(np.array([[left + 21, 112], [left + 22, 230 - 12 * k]]), 1.5, shade(colour, 0.7))


def _pendants(pen: Painter, x: float) -> None:
    for k in range(3):
        middle = x + k * 120
        pen.box(middle - 1, 0, middle + 1, 34, (60, 58, 56))
        pen.fill(arc(middle, 52, 30, 24, np.pi, 2 * np.pi), pen.room.accent)
        pen.oval(middle, 53, 12, 5, (255, 244, 206))


def _fireplace(pen: Painter, x: float) -> None:
    pen.block(x, 218, x + 180, 372, (226, 220, 210))
    pen.face(x - 10, 208, x + 190, 222, (240, 234, 226), 0.05)
    pen.face(x + 36, 254, x + 144, 372, (58, 50, 48))
    for k in range(3):
        pen.fill(
            _rounded(x + 52 + 20 * k, 346 - 8 * (k == 1), x + 92 + 14 * k, 362, 6), shade(pen.room.wood, 0.5)
        )


def _rounded(left: float, top: float, right: float, bottom: float, radius: float) -> Points:
    corners = [(right - radius, top + radius, -0.5), (right - radius, bottom - radius, 0.0),
               (left + radius, bottom - radius, 0.5), (left + radius, top + radius, 1.0)]  # fmt: skip
    return np.concatenate([arc(x, y, radius, radius, np.pi * k, np.pi * (k + 0.5)) for x, y, k in corners])


PIECES: dict[str, Callable[[Painter, float], None]] = {
    "window": _window, "curtained window": _curtained, "picture": _picture, "small pictures": _small_pictures,
    "shelf": _shelf, "table": _table, "sideboard": _sideboard, "counter": _counter, "cupboards": _cupboards,
    "fridge": _fridge, "sofa": _sofa, "bed": _bed, "plant": _plant, "floor lamp": _floor_lamp, "door": _door,
    "pegboard": _pegboard, "hooks": _hooks, "pendants": _pendants, "fireplace": _fireplace,
}  # fmt: skip
