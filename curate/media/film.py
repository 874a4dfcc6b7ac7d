"""A film looked through: its shots, and who is seen where and when."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from curate.errors import Rejected
from curate.media.cutout import Mask, person_mask
from curate.media.faces import faces_of, group, identity, identity_distance, inside
from curate.media.panels import LOOSE, around, head_of
from curate.media.people import Person, people_of, shared
from curate.media.plate import fewest_of
from curate.media.shots import Shot, shots_of
from curate.media.subject import Box
from curate.media.video import Image, looks_at
from curate.records import Record, Values, numbers, strings

EVERY_S = 0.5  # between the frames of a shot that are looked at
EDGE_S = 0.001  # before the end of a shot: the time stamps of some files are rounded to it
LOOK_LONG_PX = 960  # of a film's longer side: larger than a sheet, and a look takes half as long as at 1280
NOTHING = -1  # in place of a character: somebody without a face
MOST_LOOKS = (
    3600  # half an hour: an hour and more of one core, and the faces of a longer one do not fit in memory
)
GRID = (14, 24)  # rows and columns


class Sighting(Record):
    """Somebody in a frame, in pixels of the size that the film was looked at in."""

    at_s: float
    who: int  # 0 for the character who is seen most, NOTHING without a face
    body: Box
    face: Box | None
    yaw_deg: float | None
    sharpness: float
    apart: float  # 1: nobody else is in the body's box; 0: somebody fills it
    clear: float  # the same of the head's: of two side by side the heads are apart, and the bodies are not
    whole: float  # how much of the head is inside the frame
    solid: float  # how much of the face's box is in the person's mask: less where that takes hair for a wall
    odd: float = 0.0  # distance of the face's identity from the character's mean: a hand before it, a grimace


class Film(NamedTuple):
    """What is known of a film."""

    size: tuple[int, int]  # width and height in which it was looked at
    shots: list[Shot]
    looked_s: list[float]  # when a frame was looked at
    sightings: list[Sighting]
    identities: list[list[float]]  # of each character, a mean  # (C, 128)
    covered: list[str]  # for each frame looked at: which cells of GRID show people, as hexadecimal digits

    def as_values(self) -> Values:
        """As an annotation of a clip, from which `of` makes the same film."""
        return {
            "size": [float(side) for side in self.size],
            "shots": [edge for shot in self.shots for edge in shot],
            "looked_s": self.looked_s,
            "sightings": [each.model_dump_json() for each in self.sightings],
            "identities": [json.dumps(each) for each in self.identities],
            "covered": self.covered,
        }

    @classmethod
    def of(cls, values: Values) -> "Film":
        """The film of `as_values`; other keys do not matter. Raises KeyError where one is missing."""
        edges = iter(numbers(values["shots"]))
        width, height = numbers(values["size"])
        return cls(
            size=(int(width), int(height)),
            shots=[Shot(*each) for each in zip(edges, edges, strict=True)],
            looked_s=numbers(values["looked_s"]),
            sightings=[Sighting.model_validate_json(each) for each in strings(values["sightings"])],
            identities=[json.loads(each) for each in strings(values["identities"])],
            covered=strings(values["covered"]),
        )


def look_size(width: int, height: int) -> tuple[int, int]:
    """The size a film is looked at in: its longer side LOOK_LONG_PX at most, even sides, never enlarged."""
    factor = min(1.0, LOOK_LONG_PX / max(width, height))
    wide, high = (max(2, min(2 * round(side * factor / 2), side // 2 * 2)) for side in (width, height))
    return wide, high


def look_through(path: str | Path, width: int, height: int) -> Film:
    """Shots, and faces and people in a frame of every shot each half second, grouped into characters.

    `width` and `height` are those of `look_size`; all boxes are in these pixels. A frame that is lost is not looked at.
    Time is linear in the film's length: 0.6 s of one core for each look at 400x300, some 1.7 s at 960x540. Raises Rejected as `shots_of`.
    """
    shots, found = shots_of(path), list[tuple[float, Person, float, float, float]]()
    times_s = [
        round(float(at_s), 4)
        for shot in shots
        for at_s in np.arange(shot.start_s + EVERY_S / 4, shot.end_s - EDGE_S, EVERY_S)
    ]
    if len(times_s) > MOST_LOOKS:
        told = f"{len(times_s)} looks of half a second, wanted at most {MOST_LOOKS}"
        raise Rejected("too_long", f"{told}: cut it into parts")
    looked_s = list[float]()
    identities, covered = list[list[float]](), list[str]()
    for at_s, frame in zip(times_s, looks_at(path, times_s, width, height), strict=True):
        if frame is None:
            continue
        looked_s.append(at_s)
        people = people_of(frame, faces_of(frame))
        masks = [_mask(frame, person) for person in people]
        covered.append(_cells(masks, width, height))
        for person, mask in zip(people, masks, strict=True):
            found.append((at_s, person, _apart(person, people), _clear(person, people), _solid(mask, person)))
            if person.face:
                identities.append(identity(frame, person.face))
    named = iter(group(identities, [at_s for at_s, one, *_ in found if one.face]))
    sightings = [
        Sighting(
            at_s=at_s, who=next(named) if one.face else NOTHING, body=one.box, face=one.face.box if one.face else None,
            yaw_deg=one.yaw_deg, sharpness=one.face.sharpness if one.face else 0.0, apart=apart, clear=clear,
            whole=_whole(one.face.box, width, height) if one.face else 0.0, solid=solid,
        )
        for at_s, one, apart, clear, solid in found
    ]  # fmt: skip
    means, own = _means(sightings, identities), iter(identities)
    sightings = [
        each.model_copy(update={"odd": round(identity_distance(next(own), means[each.who]), 3)})
        if each.face
        else each
        for each in sightings
    ]
    return Film((width, height), shots, looked_s, sightings, means, covered)


def seen_share(film: Film, places: Mapping[float, Sequence[Box]]) -> float:
    """How much of the picture shows nobody in enough of these frames, by cells.

    `places` says by time where else somebody is, whom the look at that time did not find.
    """
    cells = dict(zip(film.looked_s, film.covered, strict=True))
    shown = np.zeros(GRID, int)
    for at_s, boxes in places.items():
        bits = f"{int(cells[at_s], 16):0{GRID[0] * GRID[1]}b}"
        hidden = np.array([bit == "1" for bit in bits]).reshape(GRID)
        for box in boxes:
            hidden[_grid(box, film.size)] = True
        shown += ~hidden
    return float((shown >= fewest_of(len(places))).mean()) if places else 0.0


def _grid(box: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """The cells that a box touches."""
    down, across = GRID[0] / size[1], GRID[1] / size[0]
    rows = slice(int(box.top * down), math.ceil(box.bottom * down))
    return rows, slice(int(box.left * across), math.ceil(box.right * across))


def _mask(frame: Image, person: Person) -> Mask:
    """Where somebody is: by their mask, in a street, where there are many, by their box.  # (H, W)"""
    if person.face:
        return person_mask(frame, person.box, person.face.box)
    mask = np.zeros(frame.shape[:2], np.float32)
    mask[person.box.top : person.box.bottom, person.box.left : person.box.right] = 1
    return mask


def _apart(person: Person, people: Sequence[Person]) -> float:
    others = [_torso(other) for other in people if other is not person]
    return round(1 - max((shared(_torso(person), box) for box in others), default=0.0), 3)


def _torso(person: Person) -> Box:
    """A body as wide as people are: one that is guessed from its face has room for arms, and for a neighbour."""
    if person.face is None:
        return person.box
    face, across = person.face.box, person.face.box.right - person.face.box.left
    left, right = max(person.box.left, face.left - across), min(person.box.right, face.right + across)
    return Box(left, person.box.top, right, person.box.bottom)


def _clear(person: Person, people: Sequence[Person]) -> float:
    """As far as other heads are not in this one's panel; of who has no face the whole body counts as one."""
    if person.face is None:
        return 0.0
    others = [head_of(other.face.box) if other.face else other.box for other in people if other is not person]
    own = around(person.face.box, LOOSE)
    return round(1 - max((shared(own, box) for box in others), default=0.0), 3)


def _solid(mask: Mask, person: Person) -> float:
    if person.face is None:
        return 0.0
    left, top, right, bottom = person.face.box
    return round(float(mask[top:bottom, left:right].mean()), 2)


def _cells(masks: Sequence[Mask], width: int, height: int) -> str:
    """Cells of which a tenth or more is somebody."""
    there = np.max([*masks, np.zeros((height, width), np.float32)], axis=0)
    held = cv2.resize(there, GRID[::-1], interpolation=cv2.INTER_AREA) > 0.1
    return f"{int(''.join('01'[int(cell)] for cell in held.ravel()), 2):0{GRID[0] * GRID[1] // 4}x}"


def _whole(face: Box, width: int, height: int) -> float:
    head = head_of(face)
    held = inside(*head, width, height)
    area = (head.right - head.left) * (head.bottom - head.top)
    return round((held.right - held.left) * (held.bottom - held.top) / area, 3)


def _means(sightings: Sequence[Sighting], identities: Sequence[Sequence[float]]) -> list[list[float]]:
    who = np.array([each.who for each in sightings if each.who != NOTHING], int)
    held = np.array(identities, float).reshape(len(who), -1) if identities else np.empty((0, 0))
    return [
        [round(float(v), 3) for v in held[who == each].mean(axis=0)]
        for each in range(who.max(initial=-1) + 1)
    ]
