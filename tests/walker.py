"""A short film of a photographed person who walks through a drawn room and out of it: NASA's astronaut, of scikit-image."""

import json
from pathlib import Path

import cv2
import numpy as np
import skimage

from curate.media.picture import read_picture
from curate.media.video import Image, write_video

WIDTH, HEIGHT, FPS = 384, 224, 24.0
PERSON_PX = 200  # of height


def room() -> Image:
    """A wall with pictures on it, and a floor."""
    wall = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    wall[:] = np.linspace((200, 190, 170), (230, 220, 205), HEIGHT)[:, None]
    wall[190:] = (120, 90, 70)
    for left, colour in ((20, (60, 90, 140)), (160, (150, 70, 60)), (300, (70, 120, 80))):
        cv2.rectangle(wall, (left, 30), (left + 50, 80), colour, -1)
        cv2.rectangle(wall, (left, 30), (left + 50, 80), (60, 50, 40), 3)
    return wall


def person() -> tuple[Image, Image]:
    """The astronaut without what is behind her, and where she is.  # (H, W, 3), (H, W)"""
    photo = read_picture(Path(skimage.__file__).parent / "data" / "astronaut.png")[:400, 60:400]
    state = np.full(photo.shape[:2], cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(state, (165, 110), (60, 90), 0, 0, 360, cv2.GC_FGD, -1)
    cv2.ellipse(state, (165, 340), (140, 150), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.ellipse(state, (165, 340), (90, 120), 0, 0, 360, cv2.GC_FGD, -1)
    state[:10] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(
        photo[..., ::-1].copy(), state, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK
    )
    there = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    size = (round(photo.shape[1] * PERSON_PX / photo.shape[0]), PERSON_PX)
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA), cv2.resize(
        there, size, interpolation=cv2.INTER_AREA
    )


def write_film(folder: Path, name: str = "walk", seconds: float = 6.0) -> Path:
    """She comes in from the left, stands still in the middle for a moment, and leaves to the right."""
    shown, alpha = person()
    across = shown.shape[1]
    frames = np.repeat(room()[None], round(seconds * FPS), axis=0)
    places = np.interp(np.linspace(0, 1, len(frames)), (0, 0.4, 0.6, 1), (-across, 100, 140, WIDTH))
    for frame, left in zip(frames, places.round().astype(int), strict=True):
        one, other = max(0, left), min(WIDTH, left + across)
        if other > one:
            part, weight = (
                shown[:, one - left : other - left],
                alpha[:, one - left : other - left, None] / 255,
            )
            under = frame[HEIGHT - PERSON_PX :, one:other]
            frame[HEIGHT - PERSON_PX :, one:other] = np.rint(weight * part + (1 - weight) * under)
    path = folder / f"{name}.mp4"
    write_video(path, frames, FPS)
    told = {"caption": "A woman in an orange suit walks through a room.", "licence": "public domain (NASA)"}
    path.with_suffix(".json").write_text(json.dumps(told))
    return path
