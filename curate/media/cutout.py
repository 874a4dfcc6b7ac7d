"""A person cut out of a frame, onto black.

Where the person is comes from MediaPipe's selfie segmentation (256x256, 250 kB, Apache-2.0), read with OpenCV out of the
wheel of `mediapipe`, which is not imported and of which nothing else is used: 0.10.21 holds it, 1.2.2 holds no models.
Its metadata wants numpy below 2, so that it is installed with --no-deps. Without it OpenCV's GrabCut guesses, which keeps
what is behind the person where that has the person's colours, and loses dark hair: see `has_model`.

The edge is made here: one person (the largest part in the box, small holes filled) is solid inside and nothing outside,
with a soft edge between, moved in by the blur that video has; and its colours come from further in, so that a wall
behind does not stay as a rim.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.media.faces import inside
from curate.media.subject import Box
from curate.media.video import Image

Mask = NDArray[np.float32]

PACKAGE = "mediapipe"
MODEL = "modules/selfie_segmentation/selfie_segmentation.tflite"
MODEL_PX = 256
AROUND = (
    0.4  # of the box's sides: what the model sees on each side of it. With .15 a table became part of a woman
)
SURE = 0.5
BESIDE = 0.15  # of the box's sides: where an arm may reach beyond it, and a neighbour begins
HOLE = 0.01  # of the person's area: smaller holes are filled
EDGE = 0.012  # of the square root of that area: how wide the soft edge is
LEAST_EDGE_PX = 0.8
GRABCUT_PX = 320
ROUNDS = 6
HEAD = (0.7, 0.95)  # half axes of a head with its hair, of a face's box
FACE = (0.4, 0.45)  # and of what is surely skin


def has_model() -> bool:
    """Whether masks come from the model; else from GrabCut."""
    return _model_file() is not None


@lru_cache(maxsize=1)
def version() -> str:
    """Of what makes the masks: the package and 12 hex digits of the model, or GrabCut's OpenCV."""
    file = _model_file()
    if file is None:
        return f"grabcut {cv2.__version__}"
    return f"{PACKAGE} {metadata.version(PACKAGE)} {sha256(file.read_bytes()).hexdigest()[:12]} {cv2.__version__}"


def person_mask(frame: Image, box: Box, face: Box | None = None) -> Mask:
    """How much of each pixel of a (H, W, 3) RGB frame is the person in `box`, 0 to 1.  # (H, W)

    All 0 where nothing is found. Whoever touches the person is part of it, also what stands before it: look at
    `people.shared` first. `face` is only used where there is no model. The same frame gives the same bits on one machine.
    """
    return _mask(
        frame,
        box,
        lambda crop, inner, seen: _by_model(crop) if has_model() else _by_grabcut(crop, inner, seen),
        face,
    )


def object_mask(frame: Image, box: Box) -> Mask:
    """How much of each pixel is the thing in `box`, which should be close around it: GrabCut.  # (H, W)"""
    return _mask(frame, box, lambda crop, inner, _: _by_grabcut(crop, inner, None, fills=True), None)


def _mask(
    frame: Image, box: Box, rough_of: Callable[[Image, Box, Box | None], Mask], face: Box | None
) -> Mask:
    height, width = frame.shape[:2]
    window = _grown(box, AROUND, width, height)
    crop = np.ascontiguousarray(frame[window.top : window.bottom, window.left : window.right])
    inner, seen = _moved(box, window), None if face is None else _moved(face, window)
    with steady():
        rough = rough_of(crop, inner, seen)
        made = _edged(_one(_within(rough, _moved(_grown(box, BESIDE, width, height), window)), inner))
    mask = np.zeros((height, width), np.float32)
    mask[window.top : window.bottom, window.left : window.right] = made
    return mask


def cutout(frame: Image, mask: Mask) -> Image:
    """The frame on black as far as `mask` (H, W) says, without the colours of what is behind.

    Within twice the edge's width of the mask's edge colours are a mean of those further in, weighted by nearness.
    """
    edge = _edge_px(mask)
    core = np.clip(_depth(mask) / edge - 1, 0, 1)  # how much of its own colour a pixel keeps
    weight = core[..., None].astype(np.float32)  # (H, W, 1)
    shown = frame.astype(np.float32)
    with steady():
        spread = _spread(shown, weight, 2 * edge)
    pure = weight * shown + (1 - weight) * spread
    return cast(Image, np.rint(pure * mask[..., None]).clip(0, 255).astype(np.uint8))


@contextmanager
def steady() -> Iterator[None]:
    """Within it OpenCV has one thread: sums split over several may round differently."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _by_model(crop: Image) -> Mask:
    """The mean of what the model says of the picture and of its mirror image."""
    net = _network()
    total = np.zeros((MODEL_PX, MODEL_PX), np.float32)
    for way in (1, -1):
        shown = np.ascontiguousarray(crop[:, ::way])
        net.setInput(cv2.dnn.blobFromImage(shown, 1 / 255, (MODEL_PX, MODEL_PX)))
        total += net.forward().reshape(MODEL_PX, MODEL_PX)[:, ::way]
    size = (crop.shape[1], crop.shape[0])
    return cast(Mask, cv2.resize(total / 2, size, interpolation=cv2.INTER_LINEAR))


def _by_grabcut(crop: Image, box: Box, face: Box | None, fills: bool = False) -> Mask:
    """Rother, Kolmogorov and Blake 2004, from an oval in the box; with a face, from a head and shoulders; of what `fills`
    its box from all of it."""
    factor = min(1.0, GRABCUT_PX / max(crop.shape[:2]))
    size = (max(8, round(crop.shape[1] * factor)), max(8, round(crop.shape[0] * factor)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    state = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    left, top, right, bottom = (round(side * factor) for side in box)
    state[top:bottom, left:right] = cv2.GC_PR_BGD
    if fills:
        state[top:bottom, left:right] = cv2.GC_PR_FGD
    elif face is None:
        _oval(state, Box(left, top, right, bottom), (0.3, 0.45), cv2.GC_PR_FGD)
    else:
        _figure(state, Box(*(round(side * factor) for side in face)), bottom)
    state[:top] = cv2.GC_BGD
    cv2.setRNGSeed(0)  # its colour models start at random
    models = np.zeros((1, 65)), np.zeros((1, 65))
    if (
        np.isin(state, (cv2.GC_BGD, cv2.GC_PR_BGD)).any()
        and np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).any()
    ):
        cv2.grabCut(small[..., ::-1].copy(), state, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    smooth = cv2.GaussianBlur(found, (0, 0), 1.0)
    return cast(Mask, cv2.resize(smooth, (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_LINEAR))


def _figure(state: Image, face: Box, bottom: int) -> None:
    """What is likely a head and shoulders below it, and surely a face."""
    width, height, middle = face.right - face.left, face.bottom - face.top, (face.left + face.right) // 2
    _oval(
        state,
        Box(face.left, face.top - height // 10, face.right, face.bottom - height // 10),
        HEAD,
        cv2.GC_PR_FGD,
    )
    sides = ((0.45, face.bottom), (1.2, face.bottom + 0.9 * height), (1.5, bottom))  # half widths of a torso
    torso = [(middle + half * width, y) for half, y in sides] + [
        (middle - half * width, y) for half, y in sides[::-1]
    ]
    cv2.fillPoly(state, [np.rint(torso).astype(np.int32)], cv2.GC_PR_FGD)
    _oval(state, face, FACE, cv2.GC_FGD)


def _oval(state: Image, box: Box, halves: tuple[float, float], value: int) -> None:
    middle = ((box.left + box.right) // 2, (box.top + box.bottom) // 2)
    sides = (box.right - box.left, box.bottom - box.top)
    axes = tuple(max(1, round(half * side)) for half, side in zip(halves, sides, strict=True))
    cv2.ellipse(state, middle, axes, 0, 0, 360, value, -1)


def _one(rough: Mask, box: Box) -> Image:
    """The part with most pixels in the box, without small holes: 1 where it is.  # (H, W)"""
    found, labels = cv2.connectedComponents((rough >= SURE).astype(np.uint8), connectivity=4)
    inside = np.bincount(labels[box.top : box.bottom, box.left : box.right].ravel(), minlength=found)
    inside[0] = 0
    if not inside.any():
        return np.zeros(rough.shape, np.uint8)
    one = (labels == inside.argmax()).astype(np.uint8)
    _, holes, stats, _ = cv2.connectedComponentsWithStats(1 - one, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= HOLE * one.sum()
    small[0] = False  # the person
    return cast(Image, (one | small[holes]).astype(np.uint8))


def _within(rough: Mask, box: Box) -> Mask:
    kept = np.zeros_like(rough)
    part = slice(box.top, box.bottom), slice(box.left, box.right)
    kept[part] = rough[part]
    return kept


def _edged(one: Image) -> Mask:
    """Solid from one and a half edges inside the person, 0 outside it and half an edge in, soft between."""
    edge = _edge_px(one)
    smooth = cv2.GaussianBlur(one.astype(np.float32), (0, 0), edge)  # steps of the model's pixels
    depth = _depth(smooth)
    return cast(Mask, np.clip(depth / edge - 0.5, 0, 1).astype(np.float32))


def _depth(mask: Mask) -> NDArray[np.float64]:
    """How many pixels a pixel lies inside the mask; what the frame's border cuts off goes on beyond it.

    SciPy's, which is exact: OpenCV's precise one differs in the last bit with the address that an array has (782 of
    262,144 pixels), and with it a mask from call to call.
    """
    from scipy.ndimage import distance_transform_edt

    wide = np.pad(mask >= SURE, 1, mode="edge")
    if wide.all():
        return np.full(mask.shape, np.inf)
    return distance_transform_edt(wide)[1:-1, 1:-1]


def _edge_px(mask: Mask | Image) -> float:
    return max(LEAST_EDGE_PX, EDGE * float(np.sqrt(mask.sum(dtype=np.float64))))


def _spread(shown: NDArray[np.float32], weight: NDArray[np.float32], reach_px: float) -> NDArray[np.float32]:
    """The weighted mean colour around each pixel."""
    colours = cv2.GaussianBlur(shown * weight, (0, 0), reach_px)
    weights = cv2.GaussianBlur(weight, (0, 0), reach_px)[..., None]
    return cast(NDArray[np.float32], colours / np.maximum(weights, 1e-6))


def _grown(box: Box, share: float, width: int, height: int) -> Box:
    across, down = share * (box.right - box.left), share * (box.bottom - box.top)
    return inside(box.left - across, box.top - down, box.right + across, box.bottom + down, width, height)


def _moved(box: Box, window: Box) -> Box:
    """The box in the window's pixels, cut off at its sides."""
    width, height = window.right - window.left, window.bottom - window.top
    across = (min(max(0, side - window.left), width) for side in (box.left, box.right))
    down = (min(max(0, side - window.top), height) for side in (box.top, box.bottom))
    (left, right), (top, bottom) = across, down
    return Box(left, top, right, bottom)


def _model_file() -> Path | None:
    spec = find_spec(PACKAGE)
    file = Path(spec.origin).parent / MODEL if spec and spec.origin else None
    return file if file and file.is_file() else None


@lru_cache(maxsize=1)
def _network() -> Any:
    return cv2.dnn.readNetFromTFLite(str(_model_file()))
