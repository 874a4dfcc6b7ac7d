"""A clean plate: what a place looks like without the people who were filmed in it.

Each pixel is the median of the frames in which nobody covers it, after every frame was laid over the one that is covered
least; what no frame shows is filled in from around it. The median over time with the foreground left out is that of
Gloyer et al., "Video-based freeway monitoring system using recursive vehicle tracking", 1995.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.media.video import Image

SPREAD = 0.02  # of the shorter side, by which a mask grows: hair, soft edges, shadows at the feet
ROWS_BYTES = 1 << 25  # of frames, sorted at a time
FEWEST = 3  # frames that a pixel must be seen in, where there are enough: what one mask has missed is in one or two
POINTS = 400  # at most, to follow from frame to frame
LEAST_POINTS, TURN_POINTS = 5, 12  # that tell of a shift, and of a turn or a zoom
BACK_PX = 0.5  # a point followed there and back again must be where it was
NEAR_PX = 0.6  # a point that goes along with a motion
NEARLY = 0.9  # as many points, for a simpler motion
STILL_PX = 0.5  # what a corner may move before a frame is moved back: less would only blur it
ALIKE = 24  # levels, of blurred pictures
LEAST_ALIKE = 0.85  # of what two frames both show

Mask = NDArray[np.bool_]
Motion = NDArray[np.float64]


class Plate(NamedTuple):
    """A place without people."""

    picture: Image  # (H, W, 3) uint8 RGB
    never: Mask  # (H, W): covered in all frames but a few, so filled in
    seen: float  # the share of the picture that is not `never`
    frames: int  # of which it is made; one, where the others show something else
    moved_px: float  # as far as a corner of these frames lay from where it is in the plate


def clean_plate(frames: Image, masks: Mask) -> Plate:
    """The place of (N, H, W, 3) uint8 RGB frames of one shot, with masks (N, H, W) true where somebody is.

    A frame that cannot be laid over the least covered one by a turn, a zoom and a shift is left out, so of a camera that
    travels there may be one left. Takes the memory of the frames once more.
    """
    covered = np.stack([_spread(mask) for mask in masks])
    chosen = int(covered.mean(axis=(1, 2)).argmin())
    base, base_covered = frames[chosen], covered[chosen]
    used = [(base, base_covered, 0.0)]
    for number in range(len(frames)):
        laid = None if number == chosen else _laid(base, base_covered, frames[number], covered[number])
        used += [] if laid is None else [laid]
    picture, never = _median([one for one, _, _ in used], np.stack([mask for _, mask, _ in used]))
    return Plate(
        picture=_filled(picture, never),
        never=never,
        seen=1 - float(never.mean()),
        frames=len(used),
        moved_px=max(moved_px for _, _, moved_px in used),
    )


def _spread(mask: Mask) -> Mask:
    radius = max(1, round(SPREAD * min(mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc), bool)


def _laid(base: Image, base_covered: Mask, frame: Image, covered: Mask) -> tuple[Image, Mask, float] | None:
    """The frame as `base` sees it, what it does not show, how far a corner moved; None where that cannot be had."""
    motion = _motion(base, base_covered, frame, covered)
    height, width = covered.shape
    corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)], float)
    moved_px = float(np.abs(corners @ motion.T - corners[:, :2]).max())
    if moved_px > STILL_PX:
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        frame = cv2.warpAffine(frame, motion, (width, height), flags=how)
        gone = cv2.warpAffine(
            covered.astype(np.uint8) * 255, motion, (width, height), flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=255
        )  # fmt: skip
        covered = gone > 0
    both = ~(base_covered | covered)
    if not both.any():
        return None
    apart = np.median(
        base[both].astype(np.int16) - frame[both], axis=0
    )  # (3,): a camera that sets its exposure
    frame = (frame + apart).round().clip(0, 255).astype(np.uint8)
    apart_now = np.abs(_blurred(base) - _blurred(frame)).max(axis=-1)
    alike = float((apart_now[both] <= ALIKE).mean())
    return (frame, covered, moved_px) if alike >= LEAST_ALIKE else None


def _motion(base: Image, base_covered: Mask, frame: Image, covered: Mask) -> Motion:
    """Where points of `base` lie in `frame`, (2, 3): unmoved, else shifted, else turned, zoomed and shifted.

    It is the simplest of the three that nearly as many points go along with as with the best: those that can be followed
    are often in one corner, and what turns there is far off in the others.
    """
    here, there = _followed(base, base_covered, frame, covered)  # (P, 2)
    unmoved = np.eye(2, 3)
    if len(here) < LEAST_POINTS:
        return unmoved
    shifted = np.column_stack([np.eye(2), np.median(there - here, axis=0)])
    motions = [unmoved, shifted]
    if len(here) >= TURN_POINTS:
        turned, _ = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=NEAR_PX)
        motions += [] if turned is None else [np.asarray(turned, np.float64)]
    counts = [_along(motion, here, there) for motion in motions]
    return next(
        motion for motion, count in zip(motions, counts, strict=True) if count >= NEARLY * max(counts)
    )


def _followed(
    base: Image, base_covered: Mask, frame: Image, covered: Mask
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points of the place in both, (P, 2) x and y: those that are found there, and from there back again."""
    one, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (base, frame))
    free = np.where(base_covered, 0, 255).astype(np.uint8)
    points = cv2.goodFeaturesToTrack(one, POINTS, 0.01, 8, mask=free)
    if points is None:
        return np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
    there, found, _ = cv2.calcOpticalFlowPyrLK(one, other, points, None, maxLevel=4)
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(other, one, there, None, maxLevel=4)
    height, width = covered.shape
    x, y = (there[:, 0].round().astype(int).clip(0, (width - 1, height - 1))).T
    kept = (found & found_back).ravel().astype(bool) & ~covered[y, x]
    kept &= np.abs(back - points).max(axis=(1, 2)) < BACK_PX
    return points[kept, 0], there[kept, 0]


def _along(motion: Motion, here: NDArray[np.float32], there: NDArray[np.float32]) -> int:
    """How many points go along with a motion."""
    missed = here @ motion[:, :2].T + motion[:, 2] - there
    return int((np.hypot(*missed.T) < NEAR_PX).sum())


def _blurred(picture: Image) -> NDArray[np.int16]:
    return np.asarray(cv2.GaussianBlur(picture, (5, 5), 0), np.int16)


def _median(frames: Sequence[Image], covered: Mask) -> tuple[Image, Mask]:
    """Per pixel over the frames in which it is not covered, and where there is none (then 0)."""
    count = (~covered).sum(axis=0)  # (H, W)
    rank = np.maximum(count - 1, 0) // 2  # of an even number the lower one, which was seen, not a mean of two
    picture = np.zeros(frames[0].shape, np.uint8)
    rows = max(1, ROWS_BYTES // (len(frames) * frames[0][0].nbytes))
    for top in range(0, len(picture), rows):
        part = slice(top, top + rows)
        values = np.stack([frame[part] for frame in frames])  # (N, rows, W, 3)
        values[covered[:, part]] = 255  # to the end, where no rank leads
        values = np.sort(values, axis=0, kind="stable")  # of bytes, that is a radix sort
        picture[part] = np.take_along_axis(values, rank[None, part, :, None], 0)[0]
    never = count < fewest_of(len(frames))
    picture[never] = 0
    return picture, never


def fewest_of(frames: int) -> int:
    """In how many of so many frames a pixel must be seen: 3 of 12 and more, of fewer a quarter."""
    return max(1, min(FEWEST, frames // 4))


def _filled(picture: Image, never: Mask) -> Image:
    filled: Image = cv2.inpaint(picture, never.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    return filled
