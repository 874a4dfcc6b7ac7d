"""Faces in a frame: where they are, which way they look and whose they are; dlib, on this machine; the extra `faces`.

Detector and networks are Davis King's dlib (Boost licence, models CC0). It is a detector of frontal faces: no profile and
no back of a head was found, none tilted by 60 degrees. Found of the same faces in shrunk frames (three webcam films, 25
frames of each, and 33 faces of an animated one; a full-size frame upsampled once tells what is there; any score):

    frames shrunk to    .75     .5      .25
    not upsampled       98      79      6       of 108
    upsampled once      106     108     80
    upsampled twice     107     108     105     four times as slow, and a face in a street that shows none

Upsampled once, and from MIN_SCORE on: of faces 32 pixels wide and more 348 of 353, from 24 to 31 62 of 99, smaller 1 of 178.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from itertools import permutations
from math import atan, degrees
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from curate.errors import CurateError
from curate.media.quality import blur_of
from curate.media.subject import Box
from curate.media.video import Image

UPSAMPLED = 1
MIN_SCORE = 0.2
CLOSE_PX = 200  # a face's box in its close-up, the same for every size of face
MARGIN = 0.5  # of the box, on each side of it
CHIP_PX = 150  # the network's own input
CHIP_PADDING = 0.25
NOSE_DEPTH = 0.535  # of the distance between the outer corners of the eyes: see `_yaw_deg`
# Medians of distances, then the farthest within or the nearest between; 50 frames of each film: a man in two webcam films
# .28 (.49), another man .29 (.49), these two .85 (.76); three animated characters .38 to .43 (.55 to .66), any two of them
# .64 to .78 (.49 to .62). Average linkage parts all five with bounds from .55 to .62, the two filmed men from .45 to .68.
# Faces blurred to 25 pixels are all alike: of 90 people some pairs are within .4.
SAME_PERSON = 0.6
NEVER = 1e9  # a distance, in place of that of two faces in one frame
MODELS = ("shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat")


class Face(NamedTuple):
    """One face of a frame, in the frame's pixels."""

    box: Box  # from the brows to the chin, inside the frame
    # Corners of the eye at the picture's right (outer, inner), of the one at its left (outer, inner), base of the nose.
    points: tuple[tuple[float, float], ...]
    yaw_deg: float  # below 0 it looks to the picture's left
    sharpness: float  # 0 to 1, of the face at CLOSE_PX: a small face is not a sharp one
    score: float  # the detector's: .2 just a face, 1 and more surely one


def is_available() -> bool:
    """Whether the extra `faces` is installed."""
    return find_spec("dlib") is not None and find_spec("face_recognition_models") is not None


@lru_cache(maxsize=1)
def version() -> str:
    """Of all that shapes the numbers: the two packages and 12 hex digits of the models. Raises CurateError without."""
    models = sha256(b"".join(_model(name).read_bytes() for name in MODELS)).hexdigest()
    return f"{metadata.version('dlib-bin')} {metadata.version('face-recognition-models')} {models[:12]}"


def faces_of(frame: Image) -> list[Face]:
    """The faces of a (H, W, 3) uint8 RGB frame with a score of .2 and more, the largest first.

    The wrinkles of an orange suit have .12, and no frame of five films has a false face, down to 0; of an animated
    heroine's 26 faces 5 have less than .2. Raises CurateError without the extra `faces`.
    """
    detect = _detector()  # asks for the extra first
    if not frame.size:
        return []
    found, scores, _ = detect.run(np.ascontiguousarray(frame), UPSAMPLED, MIN_SCORE)
    faces = [_face(frame, each, score) for each, score in zip(found, scores, strict=True)]
    return sorted(faces, key=lambda face: (-_area(face.box), face.box))


def identity(frame: Image, face: Face) -> list[float]:
    """128 numbers, rounded to 5 decimals, that are near those of other pictures of the same person.

    Raises CurateError without the extra `faces`.
    """
    import dlib

    square = _square(face)
    shown, factor, left, top = _close_up(frame, square)
    points = [dlib.point(round((x - left) * factor), round((y - top) * factor)) for x, y in face.points]
    shape = dlib.full_object_detection(_rectangle(square, factor, left, top), points)
    chip = dlib.get_face_chip(shown, shape, size=CHIP_PX, padding=CHIP_PADDING)
    return [round(float(each), 5) for each in _networks()[1].compute_face_descriptor(chip)]


def identity_distance(a: Sequence[float], b: Sequence[float]) -> float:
    """The Euclidean distance of two identities."""
    return float(np.linalg.norm(np.asarray(a, float) - np.asarray(b, float)))


def group(identities: Sequence[Sequence[float]], frames: Sequence[float] = ()) -> list[int]:
    """Which identities are one person: a number for each, 0 for who is seen most; the order given does not matter.

    Average linkage (Sokal and Michener 1958): two groups join while the mean distance of their pairs is within
    SAME_PERSON. `frames` says in which frame each was seen: those of one frame are two people, and never join.
    """
    if not identities:
        return []
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist, squareform

    ordered = sorted({tuple(map(float, each)) for each in identities})  # (M, 128), each once
    number = {each: place for place, each in enumerate(ordered)}
    apart = squareform(pdist(np.array(ordered)))  # (M, M)
    seen_in = defaultdict[float, list[int]](list)
    for frame, each in zip(frames, identities, strict=False):
        seen_in[frame].append(number[tuple(map(float, each))])
    for there in seen_in.values():
        for one, other in permutations(set(there), 2):
            apart[one, other] = NEVER
    joined = fcluster(linkage(squareform(apart), "average"), SAME_PERSON, "distance") if ordered[1:] else [1]
    group_of = dict(zip(ordered, (int(each) for each in joined), strict=True))
    found = [group_of[tuple(map(float, each))] for each in identities]
    seen, first = (
        Counter(found),
        {each: min(k for k in ordered if group_of[k] == each) for each in set(found)},
    )
    ranked = sorted(seen, key=lambda each: (-seen[each], first[each]))
    return [ranked.index(each) for each in found]


def inside(left: float, top: float, right: float, bottom: float, width: int, height: int) -> Box:
    """The part of a box that lies in a frame of that size, in whole pixels; a box beside it becomes its nearest pixel."""
    x, y = min(max(0, round(left)), width - 1), min(max(0, round(top)), height - 1)
    return Box(x, y, max(x + 1, min(width, round(right))), max(y + 1, min(height, round(bottom))))


def _face(frame: Image, found: Any, score: float) -> Face:
    height, width = frame.shape[:2]
    whole = Box(found.left(), found.top(), found.right() + 1, found.bottom() + 1)
    shown, factor, left, top = _close_up(frame, whole)
    parts = _networks()[0](shown, _rectangle(whole, factor, left, top)).parts()
    points = tuple((round(p.x / factor + left, 2), round(p.y / factor + top, 2)) for p in parts)
    inner = round(MARGIN * CLOSE_PX)
    return Face(
        box=inside(*whole, width, height),
        points=points,
        yaw_deg=_yaw_deg(points),
        sharpness=round(1 - blur_of(shown[inner:-inner, inner:-inner]), 4),
        score=round(float(score), 4),
    )


def _yaw_deg(points: tuple[tuple[float, float], ...]) -> float:
    """A coarse yaw: how far along the eyes' line the base of the nose lies from their middle, as the depth turns it.

    With half the outer corners' distance a and a nose d in front of them, a head turned by t shows d sin t over
    2 a cos t; so tan t = offset / NOSE_DEPTH. That depth, and how good this is, were measured against the 468-point mesh
    of MediaPipe, another estimate and no truth: slopes 1.01 to 1.08, correlations .86 (drawn faces) to .99, 3 to 6
    degrees apart; mirrored frames give the opposite yaw within 1 degree. Nobody found there was turned beyond some 30.
    """
    right, _, left, _, nose = np.array(points)  # (5, 2)
    across = right - left
    offset = float((nose - (right + left) / 2) @ across / max(1e-9, across @ across))
    return round(degrees(atan(offset / NOSE_DEPTH)), 1)


def _close_up(frame: Image, square: Box) -> tuple[Image, float, int, int]:
    """A square and a margin around it, the square CLOSE_PX wide; by how much it is scaled, where its left and top lie."""
    side = max(1, square.right - square.left)
    margin = round(MARGIN * side)
    left, top, whole = square.left - margin, square.top - margin, side + 2 * margin
    height, width = frame.shape[:2]
    x, y = (np.arange(start, start + whole).clip(0, end - 1) for start, end in ((left, width), (top, height)))
    size = round(CLOSE_PX * (1 + 2 * MARGIN))
    method = cv2.INTER_AREA if whole > size else cv2.INTER_CUBIC
    shown: Image = cv2.resize(frame[np.ix_(y, x)], (size, size), interpolation=method)
    return shown, size / whole, left, top


def _square(face: Face) -> Box:
    """Around a face's points, as wide as its box: at the frame's edge the box itself is cut off."""
    side = max(face.box.right - face.box.left, face.box.bottom - face.box.top)
    left, top = (round(float(middle)) - side // 2 for middle in np.mean(face.points, axis=0))
    return Box(left, top, left + side, top + side)


def _rectangle(box: Box, factor: float, left: int, top: int) -> Any:
    import dlib

    sides = zip(box, (left, top, left, top), strict=True)
    return dlib.rectangle(*(round((side - start) * factor) for side, start in sides))


def _area(box: Box) -> int:
    return (box.right - box.left) * (box.bottom - box.top)


@lru_cache(maxsize=1)
def _detector() -> Any:
    _wanted()
    import dlib

    return dlib.get_frontal_face_detector()


@lru_cache(maxsize=1)
def _networks() -> tuple[Any, Any]:
    """What finds five points, what tells identities."""
    _wanted()
    import dlib

    points, identities = (str(_model(name)) for name in MODELS)
    return dlib.shape_predictor(points), dlib.face_recognition_model_v1(identities)


def _model(name: str) -> Path:
    """Where a model lies; its package is not imported, which would want pkg_resources."""
    _wanted()
    spec = find_spec("face_recognition_models")
    return Path(str(spec and spec.origin)).parent / "models" / name


def _wanted() -> None:
    if not is_available():
        raise CurateError("faces: wanted the extra `faces` installed (pip install 'ltx-curate[faces]')")
