"""What rooms of the demo films are painted with. Lengths are pixels of a film that shows the whole room."""

from typing import Literal

import cv2
import numpy as np

from curate.records import Record
from curate.sources.demo_pen import Colour, Frame, Pen, shade

RoomKind = Literal["kitchen", "living room", "study", "bedroom", "workshop", "hall", "sunroom", "tea room"]
WIDTH, HEIGHT = 768, 448
FINE = 2  # pixels of a painted room in one of a film
FLOOR_Y = 338


class Room(Record):
    """A room: its kind, colours, and the seed of its small things."""

    kind: RoomKind
    seed: int
    wall: Colour
    wood: Colour
    cloth: Colour
    accent: Colour


class Painter(Pen):
    """A pen for furniture: faces with light on them, and shadows on the wall behind."""

    def __init__(self, image: Frame, room: Room) -> None:
        super().__init__(image, FINE)
        self.room, self.draw = room, np.random.default_rng(room.seed)

    def face(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, fall: float = 0.16
    ) -> None:
        """A flat front, lighter at the top left, darker by `fall` at the bottom right."""
        tall, wide = self.image.shape[:2]
        columns = slice(max(0, round(left * FINE)), min(wide, max(0, round(right * FINE))))
        rows = slice(max(0, round(top * FINE)), min(tall, max(0, round(bottom * FINE))))
        part = self.image[rows, columns]
        if not part.size:
            return
        down = np.linspace(0, 1, part.shape[0])[:, None]
        along = np.linspace(0, 1, part.shape[1])[None]
        light = 1 + fall * (0.35 - 0.7 * down - 0.3 * along)  # (H, W)
        part[:] = np.clip(light[..., None] * np.asarray(colour), 0, 255).astype(np.uint8)

    def block(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, lip: float = 4
    ) -> None:
        """A box with a light upper edge, and its shadow."""
        self.shadow(left, top, right, bottom)
        self.face(left, top, right, bottom, colour)
        self.face(left, top, right, top + lip, shade(colour, 1.22), 0.04)
        self.box(right - 1.5, top, right, bottom, shade(colour, 0.72))

    def shadow(self, left: float, top: float, right: float, bottom: float, reach: float = 9) -> None:
        """Soft and to the lower right."""
        pad = round(3 * reach * FINE)
        tall, wide = self.image.shape[:2]
        x0, y0 = max(0, round(left * FINE) - pad), max(0, round(top * FINE) - pad)
        x1, y1 = (
            min(wide, round((right + reach) * FINE) + pad),
            min(tall, round((bottom + reach) * FINE) + pad),
        )
        if x0 >= x1 or y0 >= y1:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        shift = round(0.7 * reach * FINE)
        first = round(left * FINE) - x0 + shift, round(top * FINE) - y0 + shift
        cv2.rectangle(
            mask, first, (round(right * FINE) - x0 + shift, round(bottom * FINE) - y0 + shift), 90, -1
        )
        mask = 255 - cv2.GaussianBlur(mask, (0, 0), reach * FINE / 2)
        part = self.image[y0:y1, x0:x1]
        part[:] = cv2.multiply(part, cv2.merge([mask] * 3), scale=1 / 255)
