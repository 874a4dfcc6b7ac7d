"""Grounds of the robots demo: what is behind a figure, in one named colour. Units: the shorter side, y down."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from curate.records import rng
from curate.sources.demo_pen import Colour, Frame, Pen, Points, arc, shade
from curate.sources.demo_robots_clay import mixed, xy
from curate.sources.demo_robots_look import GROUND_COLOURS, Look

PALE: Colour = (242, 236, 222)
SOFTNESS = 0.0035  # a little out of focus, as behind a person


def ground(look: Look, wide_px: int, tall_px: int) -> Frame:
    """The picture without its figure, (H, W, 3) RGB."""
    unit_px = min(wide_px, tall_px)
    colour, draw = GROUND_COLOURS[look.ground_colour], rng(look.seed, "ground")
    image = _wash(look, wide_px, tall_px, colour)
    pen = Pen(image, unit_px)
    GROUNDS[str(look.ground)](pen, look, (wide_px / unit_px, tall_px / unit_px), draw)
    if look.framing == "full":
        image = _floor_shadow(image, look, unit_px)
    soft: Frame = cv2.GaussianBlur(image, (0, 0), max(0.6, SOFTNESS * unit_px))
    return soft


def _floor_shadow(image: Frame, look: Look, unit_px: int) -> Frame:
    """What the feet stand on is darker, away from the light."""
    y, reach = look.y + 8.05 * look.unit, look.unit
    x = look.x + (0.6 if not look.from_right else -0.6) * reach
    dark = np.zeros(image.shape[:2], np.uint8)
    pen = Pen(dark[..., None], unit_px)
    pen.oval(x, y - 0.3 * reach, 2.3 * reach, 0.36 * reach, (130, 130, 130))
    dark = cv2.GaussianBlur(dark, (0, 0), 0.2 * reach * unit_px)
    shaded: Frame = cv2.multiply(image, cv2.merge([255 - dark] * 3), scale=1 / 255)
    return shaded


def _wash(look: Look, wide_px: int, tall_px: int, colour: Colour) -> Frame:
    """The colour, lighter around a spot behind the head and darker in the corners."""
    unit_px = np.float32(min(wide_px, tall_px))
    side = -0.25 if not look.from_right else 0.25
    x = (np.arange(wide_px, dtype=np.float32) / unit_px - np.float32(look.x + side)) ** 2
    y = (np.arange(tall_px, dtype=np.float32) / unit_px - np.float32(look.y - 0.1)) ** 2
    far = np.minimum((x[None] + y[:, None]) / np.float32(1.3), 1)[..., None]  # (H, W, 1)
    near_colour = np.array(mixed(colour, (255, 255, 255), 0.16), np.float32)
    far_colour = np.array(shade(colour, 0.62), np.float32)
    image: Frame = np.rint(near_colour + far * (far_colour - near_colour)).astype(np.uint8)
    return image


def _tone(look: Look, far: float) -> Colour:
    """The ground's colour made lighter (far > 0) or darker; what is dark becomes lighter first."""
    colour = GROUND_COLOURS[look.ground_colour]
    return mixed(colour, (255, 255, 255), far) if far > 0 else shade(colour, 1 + far)


Size = tuple[float, float]  # width and height
Painter = Callable[[Pen, Look, Size, np.random.Generator], None]


def _plain(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    """Where wall and floor meet, or nothing at all."""
    if draw.random() < 0.5:
        y = size[1] * draw.uniform(0.66, 0.84)
        pen.box(-0.1, y, size[0] + 0.1, size[1] + 0.1, _tone(look, -0.3))


def _rays(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    count, first = int(draw.integers(7, 15)), draw.uniform(0, 2 * np.pi)
    centre = np.array([draw.uniform(0.2, 0.8) * size[0], draw.uniform(0.3, 0.9) * size[1]])
    for number in range(count):
        angles = first + (number + np.array([0.0, 0.5])) * 2 * np.pi / count
        ends = centre + 2.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        pen.fill(np.vstack([centre, ends]), _tone(look, 0.34))


def _hexagons(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    side = draw.uniform(0.09, 0.17)
    angle = np.arange(6) * np.pi / 3 + np.pi / 6
    cell = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for row in range(int(size[1] / side / 1.5) + 2):
        for column in range(int(size[0] / side / 1.7) + 2):
            place = np.array([(column + 0.5 * (row % 2)) * 1.732 * side, row * 1.5 * side])
            pen.fill(
                place + 0.93 * side * cell, _tone(look, float(draw.choice([-0.45, -0.25, 0.0, 0.2, 0.4])))
            )


def _stars(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    for _ in range(90):
        x, y = draw.uniform(0, 1, 2) * size
        radius = 0.0015 + 0.004 * draw.random() ** 3
        pen.oval(x, y, radius, radius, (255, 250, 236))
    left = look.x > size[0] / 2
    x, y = (0.2 if left else 0.8) * size[0] + draw.uniform(-0.1, 0.1), draw.uniform(0.15, 0.6) * size[1]
    radius = draw.uniform(0.2, 0.36)
    light = mixed(_tone(look, 0.5), (255, 214, 170), draw.uniform(0.2, 0.8))
    pen.oval(x, y, radius, radius, light)
    shadow = np.concatenate(
        [
            arc(x, y, radius, radius, -1.1, 2.04),
            arc(x - 0.3 * radius, y - 0.3 * radius, radius, radius, 1.6, -0.7),
        ]
    )
    pen.fill(shadow, shade(light, 0.42))
    if draw.random() < 0.6:
        pen.line(arc(x, y, 1.7 * radius, 0.36 * radius, 0.1, np.pi - 0.1), 0.02, mixed(light, PALE, 0.5))


def _city(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    pen.oval(draw.uniform(0.1, 0.9) * size[0], draw.uniform(0.1, 0.25) * size[1], 0.09, 0.09, PALE)
    for layer, tone in enumerate((0.16, -0.4)):
        x = -0.1
        while x < size[0]:
            wide, top = draw.uniform(0.1, 0.24), size[1] * draw.uniform(0.2 + 0.22 * layer, 0.72)
            pen.box(x, top, x + wide, size[1] + 0.1, _tone(look, tone))
            for row in np.arange(top + 0.03, size[1], 0.06):
                for column in np.arange(x + 0.02, x + wide - 0.03, 0.045):
                    if draw.random() < (0.2, 0.4)[layer]:
                        pen.box(column, row, column + 0.02, row + 0.03, (250, 216, 140))
            x += wide + draw.uniform(0.0, 0.1)


def _desert(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    radius = draw.uniform(0.16, 0.34)
    pen.oval(
        draw.uniform(0.1, 0.9) * size[0],
        draw.uniform(0.12, 0.4) * size[1],
        radius,
        radius,
        mixed(_tone(look, 0.4), (255, 240, 190), 0.8),
    )
    x = np.linspace(-0.05, size[0] + 0.05, 60)
    for layer in range(3):
        ridge = size[1] * (0.5 + 0.16 * layer) + draw.uniform(0.03, 0.08) * np.sin(
            x * draw.uniform(2, 6) + draw.uniform(0, 6)
        )
        slope = np.stack([x, ridge + draw.uniform(-0.15, 0.15) * (x - 0.5)], axis=1)
        pen.fill(
            np.concatenate([slope, [[size[0] + 0.1, size[1] + 0.1], [-0.1, size[1] + 0.1]]]),
            _tone(look, -0.1 - 0.2 * layer),
        )


def _rings(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    x, y = draw.uniform(0.15, 0.85) * size[0], draw.uniform(0.15, 0.75) * size[1]
    step = draw.uniform(0.1, 0.2)
    for number in range(int(1.8 / step), 0, -1):
        pen.oval(x, y, number * step, number * step, _tone(look, 0.38 if number % 2 else -0.22))


def _stripes(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    slope, place = float(draw.choice([-1.0, 1.0])) * draw.uniform(0.4, 1.3), -2.0
    while place < size[0] + 2:
        wide = draw.uniform(0.1, 0.34)
        strip = np.array(
            [
                [place, -0.1],
                [place + wide, -0.1],
                [place + wide + slope * 1.7, 1.6],
                [place + slope * 1.7, 1.6],
            ]
        )
        pen.fill(strip, _tone(look, float(draw.choice([-0.36, 0.3, 0.46]))))
        place += wide + draw.uniform(0.06, 0.26)


def _corridor(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    """A passage that gets narrower, with lit panels on its sides."""
    wide, tall = size
    far = np.array([draw.uniform(0.3, 0.7) * wide, draw.uniform(0.35, 0.6) * tall])
    corners = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]])
    sides = list(zip(corners, np.roll(corners, -1, axis=0), strict=True))
    for share in (1.0, 0.74, 0.52, 0.36, 0.24):
        for number, (one, two) in enumerate(sides):
            near = np.array([one, two])
            edge = far + share * 1.25 * (near - far)
            inner = far + share * 0.94 * (near - far)
            tone = (-0.1, 0.1, -0.45, 0.16)[number] + 0.3 * (1 - share)
            pen.fill(np.vstack([edge, inner[::-1]]), _tone(look, tone))
            lit = np.stack([edge, inner]).mean(axis=0)
            middle = lit[0] + np.array([[0.3], [0.7]]) * (lit[1] - lit[0])
            if number != 2:
                pen.line(middle, 0.035 * share, mixed(_tone(look, 0.6), PALE, 0.6))
    left_top, right_bottom = 0.78 * far, 0.78 * far + 0.22 * np.array(size)
    pen.box(*xy(left_top), *xy(right_bottom), _tone(look, 0.55))


def _arch(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    x, wide, top = (
        look.x + draw.uniform(-0.3, 0.3),
        draw.uniform(0.36, 0.56),
        draw.uniform(0.36, 0.5) * size[1],
    )
    for grow, tone in ((0.1, -0.4), (0.05, 0.15), (0.0, 0.55)):
        round_top = arc(x, top, wide + grow, wide * 0.8 + grow, np.pi, 2 * np.pi)
        foot = np.array([[x + wide + grow, size[1] + 0.1], [x - wide - grow, size[1] + 0.1]])
        pen.fill(np.concatenate([round_top, foot]), _tone(look, tone))


def _dots(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    step = draw.uniform(0.14, 0.24)
    for row in range(int(size[1] / step) + 2):
        for column in range(int(size[0] / step) + 2):
            x, y = (column + 0.5 * (row % 2)) * step, row * step * 0.87
            radius = step * (0.12 + 0.3 * y / size[1])
            pen.oval(x, y, radius, radius, _tone(look, 0.42))


def _mountains(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    pen.box(-0.1, -0.1, size[0] + 0.1, size[1] * 0.7, mixed(_tone(look, 0.55), PALE, 0.4))
    for layer in range(3):
        count = 4 + layer
        x = np.linspace(-0.2, size[0] + 0.2, 2 * count + 1)
        peaks = (
            np.where(
                np.arange(len(x)) % 2, draw.uniform(0.16, 0.42, len(x)), draw.uniform(0.48, 0.66, len(x))
            )
            + 0.15 * layer
        )
        ridge: Points = np.stack([x, peaks * size[1]], axis=1)
        pen.fill(
            np.concatenate([ridge, [[size[0] + 0.3, size[1] + 0.1], [-0.3, size[1] + 0.1]]]),
            _tone(look, 0.24 - 0.3 * layer),
        )


def _pillars(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    x = draw.uniform(-0.1, 0.1)
    while x < size[0]:
        wide = draw.uniform(0.12, 0.22)
        for share in np.linspace(0, 1, 9)[:-1]:
            tone = 0.45 - 1.5 * (share - 0.35) ** 2
            pen.box(
                x + share * wide, -0.1, x + (share + 0.13) * wide, size[1] + 0.1, _tone(look, min(0.5, tone))
            )
        pen.box(x - 0.03, -0.1, x + wide + 0.03, 0.07, _tone(look, 0.3))
        x += wide + draw.uniform(0.16, 0.4)
    pen.box(-0.1, size[1] * 0.86, size[0] + 0.1, size[1] + 0.1, _tone(look, -0.4))


def _split(pen: Pen, look: Look, size: Size, draw: np.random.Generator) -> None:
    top, bottom = (np.array([0.5, 0.5]) + draw.uniform(-0.35, 0.35, 2)) * size[0]
    right = draw.random() < 0.5
    edge = size[0] + 0.1 if right else -0.1
    far = np.array([[top, -0.1], [edge, -0.1], [edge, size[1] + 0.1], [bottom, size[1] + 0.1]])
    pen.fill(far, PALE)


GROUNDS: Mapping[str, Painter] = {
    "plain": _plain, "rays": _rays, "hexagons": _hexagons, "stars": _stars, "city": _city, "desert": _desert,
    "rings": _rings, "stripes": _stripes, "corridor": _corridor, "arch": _arch, "dots": _dots,
    "mountains": _mountains, "pillars": _pillars, "split": _split,
}  # fmt: skip
