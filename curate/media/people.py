"""People in a frame: whole bodies by OpenCV's HOG detector (Dalal and Triggs 2005), others by their faces.

HOG finds upright people who are seen whole, from any side, 80 to 250 pixels tall; from a face only a guess is made, wide
enough for what a mask then cuts out.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from curate.media.faces import Face, inside
from curate.media.one_thread import one_thread
from curate.media.subject import Box
from curate.media.video import Image

ENLARGED = 1.5  # the detector's own window is 128 pixels tall
STRIDE_PX = 8
STEP = 1.05  # from one scale to the next
MIN_WEIGHT = 1.4  # of 232 windows above 1.2 in a street the three that hold no person are below it
# Of the detector's window, what is around a person in it, on each side.
SPARE = (0.16, 0.1)
# Of a face's box to the left and right, above, below: arms and shoulders, hair, a standing body.
BODY = (2.0, 0.9, 6.5)
LEAST_HEADS = 4  # how many times a face's height a standing person is
IN_PART = 0.3  # of a body: how much of it lies in another one that is the same


class Person(NamedTuple):
    """One person of a frame, in the frame's pixels."""

    box: Box  # the body, as far as it is inside the frame; from a face it is a guess that holds it
    face: Face | None
    score: float  # the detector's that found the person

    @property
    def yaw_deg(self) -> float | None:
        """Which way the person looks: the face's; None where none is seen, which is no view from behind yet."""
        return None if self.face is None else self.face.yaw_deg


def people_of(frame: Image, faces: Sequence[Face] = ()) -> list[Person]:
    """Everybody in a (H, W, 3) uint8 RGB frame, those with faces first; `faces` are those of the frame.

    A whole body with a face at its top is one person with it; any other one that lies in a face's body is not one: in
    close-ups HOG takes ears and candles for people.
    """
    height, width = frame.shape[:2]
    bodies = _bodies(frame)
    people, taken = [], set[Box]()
    for face in faces:
        own = next((box for box, _ in bodies if box not in taken and _is_head(face.box, box)), None)
        taken |= {own} if own else set()
        people.append(Person(own or _body(face.box, width, height), face, face.score))
    others = [(box, weight) for box, weight in bodies if box not in taken]
    people += [
        Person(box, None, weight)
        for box, weight in others
        if not any(shared(box, person.box) > IN_PART for person in people[: len(faces)])
    ]
    return people


def shared(box: Box, other: Box) -> float:
    """How much of a box lies in another one, 0 to 1: people who share much are cut out together."""
    across = min(box.right, other.right) - max(box.left, other.left)
    down = min(box.bottom, other.bottom) - max(box.top, other.top)
    return max(0, across) * max(0, down) / ((box.right - box.left) * (box.bottom - box.top))


def _bodies(frame: Image) -> list[tuple[Box, float]]:
    """The largest first."""
    height, width = frame.shape[:2]
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    large = cv2.resize(grey, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_LINEAR)
    if large.shape[0] < 128 or large.shape[1] < 64:
        return []
    with one_thread():  # several threads give their findings in any order
        found, weights = _detector().detectMultiScale(
            large,
            hitThreshold=0,
            winStride=(STRIDE_PX, STRIDE_PX),
            padding=(8, 8),
            scale=STEP,
            groupThreshold=2,
        )
    sure = [
        (_trimmed(each / ENLARGED, width, height), round(float(weight), 4))
        for each, weight in zip(np.asarray(found, float).reshape(-1, 4), np.ravel(weights), strict=True)
        if weight >= MIN_WEIGHT
    ]
    return sorted(sure, key=lambda one: (-(one[0].bottom - one[0].top), one[0]))


def _trimmed(found: Any, width: int, height: int) -> Box:
    """A window (left, top, width, height) without what is around the person in it."""
    left, top, across, down = found
    aside, above = SPARE[0] * across, SPARE[1] * down
    return inside(left + aside, top + above, left + across - aside, top + down - above, width, height)


def _body(face: Box, width: int, height: int) -> Box:
    aside, above, below = BODY
    across, down = face.right - face.left, face.bottom - face.top
    return inside(
        face.left - aside * across, face.top - above * down,
        face.right + aside * across, face.bottom + below * down,
        width, height,
    )  # fmt: skip


def _is_head(face: Box, body: Box) -> bool:
    """Whether a face lies in the upper third of a body that is large enough for it."""
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    tall = body.bottom - body.top
    fits = LEAST_HEADS * (face.bottom - face.top) <= tall
    return fits and body.left <= x < body.right and body.top - 0.1 * tall <= y < body.top + tall / 3


@lru_cache(maxsize=1)
def _detector() -> Any:
    detector = cv2.HOGDescriptor()
    detector.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())
    return detector
