"""The demo films frame by frame: everybody and everything in its place."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from curate.records import Record, rng
from curate.sources import demo_films_body as bodies
from curate.sources.demo_films_acts import FPS, Part, Shot
from curate.sources.demo_films_body import BODY_PX, LIFTS, PHASES
from curate.sources.demo_films_cloth import Clothes
from curate.sources.demo_films_head import WIDE_PX, Bust, Layers, bust, drawn
from curate.sources.demo_films_interior import REST_Y, RESTS, painted_room
from curate.sources.demo_films_props import HALF, PROP_PX, Prop, drawn_prop
from curate.sources.demo_films_room import FINE, HEIGHT, WIDTH, Room
from curate.sources.demo_films_skull import TOP, UNIT_PX, Face
from curate.sources.demo_pen import Frame

UNIT = 46.0  # pixels of half a head in a shot of the whole room
HEAD_Y = 96.0  # of the middle of a usual head there
HEAD_STEP, BODY_STEP = 4, 8  # degrees between two pictures of a head, a body
STEP_PX = 150.0  # walked in two steps
WALKING_PX_S = 14.0
REST_SCALE = 0.94
PUT_DOWN_S = 0.4
BLINK_FRAMES = 3
HEAD_MIDDLE = WIDE_PX / 2 / UNIT_PX
BEYOND = 110.0  # so far from the edge nobody is seen


class Character(Record):
    """Somebody in a film."""

    id: str
    words: str
    face: Face
    clothes: Clothes
    lower: float  # how much smaller than usual, in pixels of a shot of the whole room


class Pose(NamedTuple):
    """Somebody at a time, as drawn: angles and arms in the steps there are pictures of."""

    x: float
    y: float
    body_deg: int
    head_deg: int
    phase: int | None
    lift: int
    closed: bool


class Standing(NamedTuple):
    """Where a prop stands, in pixels of a shot of the whole room, and how large it is there."""

    x: float
    y: float
    scale: float
    behind: bool  # the body of who holds it
    holder: int | None


def pose(part: Part, who: Character, frame: int) -> Pose:
    """What a character does in a frame of a shot."""
    time_s = frame / FPS
    x, body, head, lift = _between(part, time_s)
    ahead = _between(part, time_s + 0.5 / FPS)[0] - _between(part, time_s - 0.5 / FPS)[0]
    walks = abs(ahead) * FPS > WALKING_PX_S
    phase = int(x / STEP_PX * PHASES) % PHASES if walks else None
    bob = (
        2.2 * abs(np.sin(2 * np.pi * x / STEP_PX))
        if walks
        else 0.5 * np.sin(2.1 * time_s + 2 * part.character)
    )
    blinks = rng(part.character, who.id, "blinks").uniform(1.4, 3.4, 8).cumsum()
    closed = bool(((time_s >= blinks) & (time_s < blinks + BLINK_FRAMES / FPS)).any())
    return Pose(
        x, HEAD_Y + who.lower - float(bob), round(body / BODY_STEP) * BODY_STEP % 360,
        round(head / HEAD_STEP) * HEAD_STEP % 360, phase, round(lift * LIFTS), closed,
    )  # fmt: skip


def _between(part: Part, time_s: float) -> tuple[float, float, float, float]:
    moments = part.moments
    k = max(0, min(sum(moment.at_s <= time_s for moment in moments), len(moments) - 1) - 1)
    before, after = moments[k], moments[k + 1]
    share = min(1.0, max(0.0, (time_s - before.at_s) / max(after.at_s - before.at_s, 1e-6)))
    share = share * share * (3 - 2 * share)
    x, body, head, lift = (
        getattr(before, name) + (getattr(after, name) - getattr(before, name)) * share
        for name in ("x", "body_deg", "head_deg", "lift")
    )
    return x, body, head, lift


def standing(shot: Shot, room: Room, cast: tuple[Character, ...], prop: int, frame: int) -> Standing | None:
    """Where a prop is in a frame of a shot, None when it is not there."""
    for order, part in enumerate(shot.parts):
        if part.holds == prop:
            return _held(part, order, room, cast[part.character], frame)
    if prop in shot.standing:
        return Standing(RESTS[room.kind][shot.standing.index(prop)], REST_Y, REST_SCALE, True, None)
    return None


def _held(part: Part, order: int, room: Room, who: Character, frame: int) -> Standing:
    time_s = frame / FPS
    if part.until_s is None or time_s < part.until_s:
        x, y, behind = _in_hand(part, who, frame)
        return Standing(x, y, 1.0, behind, order)
    x, y, _ = _in_hand(part, who, int(part.until_s * FPS))
    at = min(RESTS[room.kind], key=lambda place: abs(place - x))
    share = min(1.0, (time_s - part.until_s) / PUT_DOWN_S)
    if share == 1:
        return Standing(at, REST_Y, REST_SCALE, True, None)
    share = share * share * (3 - 2 * share)
    scale = 1 + (REST_SCALE - 1) * share
    return Standing(x + (at - x) * share, y + (REST_Y - y) * share, scale, False, order)


def _in_hand(part: Part, who: Character, frame: int) -> tuple[float, float, bool]:
    """Where a held prop is, and whether the body is before it."""
    now = pose(part, who, frame)
    x, y, z = bodies.hand(who.clothes.build, now.body_deg, part.side, now.lift / LIFTS)
    return now.x + UNIT * x, now.y + UNIT * (y + 0.14), z < 0


def drawn_frame(
    shot: Shot, empty: Frame, room: Room, cast: tuple[Character, ...], props: tuple[Prop, ...], frame: int
) -> Frame:
    """One frame of a shot, (HEIGHT, WIDTH, 3) RGB, over the picture of its empty room."""
    image = empty.copy()
    placed = [(prop, standing(shot, room, cast, n, frame)) for n, prop in enumerate(props)]
    for prop, place in placed:
        if place is not None and place.holder is None:
            _show_prop(image, shot, prop, place)
    for order, part in enumerate(shot.parts):
        held = [(prop, place) for prop, place in placed if place is not None and place.holder == order]
        _show_part(image, shot, part, cast[part.character], held, frame)
    return image


def _show_part(
    image: Frame, shot: Shot, part: Part, who: Character, held: list[tuple[Prop, Standing]], frame: int
) -> None:
    now, scale = pose(part, who, frame), UNIT * shot.zoom
    if not -BEYOND < now.x - shot.left < WIDTH / shot.zoom + BEYOND:
        return
    x, y = (now.x - shot.left) * shot.zoom, (now.y - shot.top) * shot.zoom
    head = _head(who.face, now.head_deg, now.closed, scale)
    body = _bodies(who.clothes, who.face.skin, now.body_deg, now.phase, now.lift, part.side)
    _paste(image, head.behind, x - HEAD_MIDDLE * scale, y + TOP * scale, 1.0)
    for prop, place in held:
        if place.behind:
            _show_prop(image, shot, prop, place)
    _paste(image, body, x + bodies.LEFT * scale, y + bodies.TOP * scale, scale / BODY_PX)
    _paste(image, head.front, x - HEAD_MIDDLE * scale, y + TOP * scale, 1.0)
    for prop, place in held:
        if not place.behind:
            _show_prop(image, shot, prop, place)


@lru_cache(maxsize=4)
def busts(face: Face) -> Bust:
    """The head of a character, made once."""
    return bust(face)


@lru_cache(maxsize=256)
def _head(face: Face, head_deg: int, closed: bool, scale: float) -> Layers:
    """A head at the size of a shot; eyes that are not seen need not close."""
    if closed and 100 < head_deg < 260:
        return _head(face, head_deg, False, scale)
    layers = drawn(busts(face), head_deg, closed)
    tall, wide = layers.front.shape[:2]
    size = round(wide * scale / UNIT_PX), round(tall * scale / UNIT_PX)
    front, behind = (cv2.resize(layer, size, interpolation=cv2.INTER_AREA) for layer in layers)
    return Layers(front, behind)


_bodies = lru_cache(maxsize=160)(bodies.drawn_body)


def _show_prop(image: Frame, shot: Shot, prop: Prop, place: Standing) -> None:
    scale = UNIT * shot.zoom * place.scale
    x, y = (place.x - shot.left) * shot.zoom, (place.y - shot.top) * shot.zoom
    _paste(image, drawn_prop(prop), x - HALF * scale, y - 2 * HALF * scale, scale / PROP_PX)


def _paste(image: Frame, layer: Frame, x: float, y: float, scale: float) -> None:
    """Lay a picture with premultiplied alpha over a frame, its upper left corner at (x, y), scaled."""
    tall, wide = image.shape[:2]
    left, top = int(np.floor(x)), int(np.floor(y))
    right, bottom = int(np.ceil(x + layer.shape[1] * scale)) + 1, int(np.ceil(y + layer.shape[0] * scale)) + 1
    left, top, right, bottom = max(0, left), max(0, top), min(wide, right), min(tall, bottom)
    if left >= right or top >= bottom:
        return
    shift = np.array([[scale, 0, x - left + (scale - 1) / 2], [0, scale, y - top + (scale - 1) / 2]])
    moved = cv2.warpAffine(layer, shift, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    part = image[top:bottom, left:right]
    through = 255 - moved[..., 3]
    part[:] = cv2.add(cv2.multiply(part, cv2.merge([through] * 3), scale=1 / 255), moved[..., :3])


def empty_picture(shot: Shot, room: Room) -> Frame:
    """What a shot shows of the room with nobody and nothing added, (HEIGHT, WIDTH, 3) RGB."""
    fine = painted_room(room)
    left, top = round(shot.left * FINE), round(shot.top * FINE)
    wide, tall = round(WIDTH * FINE / shot.zoom), round(HEIGHT * FINE / shot.zoom)
    small: Frame = cv2.resize(
        fine[top : top + tall, left : left + wide], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA
    )
    return small
