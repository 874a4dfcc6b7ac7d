"""What happens in the demo films: who is where in the room, turned how, holding what, at which time.

Places are pixels of a film that shows the whole room, angles are degrees to the right of the picture. A move is told
by moments; between two of them everything changes smoothly.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from curate.records import Record
from curate.sources.demo_films_interior import RESTS
from curate.sources.demo_films_room import WIDTH, RoomKind

Scene = Literal["brings", "meets", "shows", "talks", "comes back", "long meeting", "nobody"]
FPS = 24
CLOSE = 1.55  # how much nearer the second shot is
REACH = 88.0  # how far from a table people stand
OUTSIDE = 78.0  # how far beyond the edge nobody is seen
Beat = tuple[float, float, float, float, float]  # share of the shot, x, body, head, lifted arm


class Moment(Record):
    """Where one is at a time."""

    at_s: float
    x: float
    body_deg: float
    head_deg: float
    lift: float = Field(description="0 is a hanging arm, 1 one that holds something.")


class Part(Record):
    """What one character does in a shot; later parts are nearer to the viewer."""

    character: int
    moments: tuple[Moment, ...]
    side: int = Field(description="Which arm is lifted, -1 is left in the picture of one who looks ahead.")
    holds: int | None = Field(None, description="Which prop.")
    until_s: float | None = Field(None, description="When it is put down; None: never.")


class Shot(Record):
    """One run of frames without a cut."""

    frames: int
    zoom: float
    left: float
    top: float
    parts: tuple[Part, ...]
    standing: tuple[int | None, int | None] = Field(
        description="Which prop stands at each of the room's two places."
    )


def shot(scene: Scene, seconds: float, room: RoomKind, draw: np.random.Generator) -> Shot:
    """A shot of a scene in a room of two tables; what is carried is prop 0."""
    rests = RESTS[room]
    near = 0 if rests[0] + rests[1] > WIDTH or scene != "brings" else 1
    table = rests[near]
    entry = 1 if table < WIDTH / 2 else -1  # the side from which one comes
    frames = round(seconds * FPS)
    if scene == "brings":
        beats = _brings(table, entry)
        part = _part(0, beats, seconds, draw, -entry, 0, 0.6)
        return _wide(frames, (part,), near)
    if scene == "comes back":
        first = [(share * 0.66, *rest) for share, *rest in _brings(table, entry)]
        beats = [(beat[0], beat[1], beat[2], beat[3], beat[4]) for beat in first] + _returns(table, entry)
        return _wide(frames, (_part(0, beats, seconds, draw, -entry, 0, 0.6 * 0.66),), near)
    if scene in ("meets", "long meeting"):
        return _meeting(scene, frames, seconds, draw, near)
    if scene == "shows":
        other = rests[1 - near]
        away = 1 if other < WIDTH / 2 else -1
        beats = _shows(other + 1.1 * REACH * away, away)
        return _near(frames, other + 40 * away, (_part(0, beats, seconds, draw, away),), near)
    if scene == "talks":
        parts = (_part(0, _talks(-1), seconds, draw, -1, 0), _part(1, _talks(1), seconds, draw, 1))
        return _near(frames, WIDTH / 2, parts, None)
    return _wide(frames, (), near)


def _wide(frames: int, parts: tuple[Part, ...], near: int) -> Shot:
    """The whole room, with what is not carried on the other table; `near` is where prop 0 comes to stand."""
    carried = any(part.holds == 0 for part in parts)
    first = None if carried else 0
    return Shot(
        frames=frames,
        zoom=1.0,
        left=0.0,
        top=0.0,
        parts=parts,
        standing=(first, 1) if near == 0 else (1, first),
    )


def _near(frames: int, middle: float, parts: tuple[Part, ...], near: int | None) -> Shot:
    wide = WIDTH / CLOSE
    left = float(np.clip(middle - wide / 2, 0, WIDTH - wide))
    standing = {None: (None, 1), 0: (0, 1), 1: (1, 0)}[near]
    return Shot(frames=frames, zoom=CLOSE, left=left, top=22.0, parts=parts, standing=standing)


def _meeting(scene: Scene, frames: int, seconds: float, draw: np.random.Generator, near: int) -> Shot:
    long = 0.62 if scene == "long meeting" else 1.0
    host: list[Beat] = [(share * long, x, body, head, 1.0) for share, x, body, head in _HOST]
    guest: list[Beat] = [(share * long, x, body, head, 0.0) for share, x, body, head in _GUEST]
    if scene == "long meeting":
        guest += [(0.72, WIDTH + OUTSIDE + 10, -288, -296, 0), (1.0, WIDTH + OUTSIDE + 10, -288, -296, 0)]
        host += [
            (0.68, 210, 60, 48, 1),
            (0.8, 430, 60, 48, 1),
            (0.86, 446, 0, 0, 1),
            (0.93, 446, -30, -45, 1),
        ]
        host += [(1.0, 446, 10, 24, 1)]
    parts = (_part(0, host, seconds, draw, -1, 0), _part(1, guest, seconds, draw, 1))
    return Shot(frames=frames, zoom=1.0, left=0.0, top=0.0, parts=parts, standing=(None, 1))


def _part(
    character: int, beats: list[Beat], seconds: float, draw: np.random.Generator, side: int,
    holds: int | None = None, until: float | None = None,
) -> Part:  # fmt: skip
    """A part of a shot, each time done a little differently."""
    late, lean = draw.uniform(-0.012, 0.012, len(beats)), draw.uniform(-4, 4, len(beats))
    moments = []
    for k, (share, x, body, head, lift) in enumerate(beats):
        inner = 0 < k < len(beats) - 1
        at_s = seconds * (share + (float(late[k]) if inner else 0.0))
        turned = head + (float(lean[k]) if abs(head) < 40 else 0.0)
        moments.append(Moment(at_s=at_s, x=x, body_deg=body, head_deg=turned, lift=lift))
    until_s = None if until is None else until * seconds
    return Part(character=character, moments=tuple(moments), side=side, holds=holds, until_s=until_s)


def _brings(table: float, entry: int) -> list[Beat]:
    """One comes in with a thing, looks around, puts it down, turns the back, and leaves."""
    door = WIDTH - 8 if entry > 0 else 8.0
    place, e = table + REACH * entry, float(entry)
    return [
        (0.0, door, -60 * e, -44 * e, 1), (0.27, place, -60 * e, -44 * e, 1), (0.36, place, 0, 0, 1),
        (0.41, place, 0, 2, 1), (0.46, place, 8, 28, 1), (0.53, place, -8, -27, 1), (0.58, place, -14 * e, -16 * e, 1),
        (0.63, place, -22 * e, -10 * e, 0.6), (0.67, place, 0, 0, 0), (0.70, place, 0, 0, 0),
        (0.78, place + 10 * e, 180 * e, 180 * e, 0), (0.83, place + 10 * e, 180 * e, 180 * e, 0),
        (0.88, place + 14 * e, 72 * e, 64 * e, 0), (1.0, place + 330 * e, 72 * e, 64 * e, 0),
    ]  # fmt: skip


def _returns(table: float, entry: int) -> list[Beat]:
    """After `_brings`: quite out, and back to the middle."""
    e, out = float(entry), WIDTH / 2 + entry * (WIDTH / 2 + OUTSIDE)
    middle = WIDTH / 2 + 30 * e
    return [
        (0.72, out, 72 * e, 64 * e, 0), (0.74, out, -60 * e, -44 * e, 0), (0.76, out, -60 * e, -44 * e, 0),
        (0.89, middle, -60 * e, -44 * e, 0), (0.93, middle, -8 * e, 0, 0), (0.96, middle, 0, 3, 0),
        (1.0, middle, 20 * e, 36 * e, 0),
    ]  # fmt: skip


def _shows(place: float, away: int) -> list[Beat]:
    """One looks from one side to the other, and goes."""
    a = float(away)
    return [
        (0.0, place, -62 * a, -58 * a, 0), (0.14, place, -50 * a, -58 * a, 0), (0.34, place, -8 * a, -6 * a, 0),
        (0.46, place, 0, 4 * a, 0), (0.58, place, 12 * a, 24 * a, 0), (0.72, place, 48 * a, 58 * a, 0),
        (0.80, place + 4 * a, 72 * a, 64 * a, 0), (1.0, place + 235 * a, 72 * a, 64 * a, 0),
    ]  # fmt: skip


def _talks(side: int) -> list[Beat]:
    """Two stand face to face and now and then look to the viewer; the right one turns away at last."""
    s, place = float(side), WIDTH / 2 + side * 112.0
    last = (1.0, place, -30 * s, -38 * s, 1.0) if side < 0 else (1.0, place + 20, 176.0, 180.0, 0.0)
    lift = 1.0 if side < 0 else 0.0
    start = 0.1 if side < 0 else 0.0
    return [
        (0.0, place, -34 * s, -46 * s, lift), (0.16 + start, place, -26 * s, -36 * s, lift),
        (0.28 + start, place, -6 * s, -2 * s, lift), (0.36 + start, place, -4 * s, 6 * s, lift),
        (0.52 + start, place, -28 * s, -42 * s, lift), (0.66 + start, place, 0, 4 * s, lift),
        (0.76 + start, place, -6 * s, -16 * s, lift), last,
    ]  # fmt: skip


_HOST = (
    (0.0, 196, 24, 40), (0.14, 196, 14, 4), (0.22, 196, 8, -6), (0.34, 196, 26, 40), (0.5, 206, 20, 30),
    (0.58, 206, 4, 2), (0.66, 206, 0, -12), (0.78, 206, -34, -56), (0.9, 206, -20, -20), (1.0, 206, -4, 2),
)  # fmt: skip
_GUEST = (
    (0.0, WIDTH - 10, -60, -44), (0.24, 548, -60, -44), (0.34, 548, -16, -4), (0.42, 548, -10, 5),
    (0.54, 548, -26, -40), (0.64, 548, 0, 8), (0.7, 548, -10, -10), (0.8, 556, -176, -180), (0.86, 556, -180, -180),
    (0.91, 560, -288, -296), (1.0, 748, -288, -296),
)  # fmt: skip
