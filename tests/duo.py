"""A short film of two: NASA's astronaut, of scikit-image, and somebody made of her photograph by bending the chin.

Two shots of both, in the second with sides changed, and one into which the second person comes late.
"""

from pathlib import Path

import cv2
import numpy as np
import skimage

from curate.media.picture import read_picture
from curate.media.video import Image, write_video

WIDTH, HEIGHT, FPS = 512, 288, 24.0
CAPTION = (
    "Medium two-shot, static camera. A woman with brown hair in an ORANGE suit and another woman with a long chin in a "
    "GREEN suit talk, one on the left, one on the right."
)


def photograph() -> Image:
    """Her head and shoulders.  # (H, W, 3)"""
    photo: Image = read_picture(Path(skimage.__file__).parent / "data" / "astronaut.png")[:330, 60:380]
    return photo


def other() -> Image:
    """Somebody else, to faces: a distance of .69 from her. The chin is drawn larger, the eyes smaller, the suit is green."""
    bent = _bulged(_bulged(photograph(), 160, 145, 60, 0.7), 160, 100, 45, -0.5)
    suit = bent[190:].copy()
    bent[190:] = suit[..., [1, 0, 2]]
    return np.asarray(bent, np.uint8)


def _bulged(picture: Image, x: int, y: int, radius: int, share: float) -> Image:
    down, across = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    far = np.hypot(across - x, down - y) / radius
    factor = np.where(far < 1, 1 - share * (1 - far) ** 2, 1).astype(np.float32)
    bent = cv2.remap(picture, x + (across - x) * factor, y + (down - y) * factor, cv2.INTER_CUBIC)
    return np.asarray(bent, np.uint8)


def _half(person: Image, frames: int, away: float) -> Image:
    """A half of the frame, in which a person sways a little.  # (F, H, W / 2, 3)"""
    scale = HEIGHT / person.shape[0]
    made = []
    for number in range(frames):
        sway = 6 * np.sin(number / 7 + away)
        turn = np.array(
            [[scale, 0, (WIDTH / 2 - person.shape[1] * scale) / 2 + sway], [0, scale, 2 + sway / 3]]
        )
        made.append(cv2.warpAffine(person, turn, (WIDTH // 2, HEIGHT), borderMode=cv2.BORDER_REFLECT))
    return np.stack(made).astype(np.uint8)


def _wall(frames: int) -> Image:
    """Where nobody is yet."""
    wall = np.empty((HEIGHT, WIDTH // 2, 3), np.uint8)
    wall[:] = np.linspace((150, 160, 150), (190, 200, 190), HEIGHT)[:, None]
    wall += (np.indices(wall.shape[:2]).sum(axis=0)[..., None] // 24 % 2 * 9).astype(np.uint8)
    return np.repeat(wall[None], frames, axis=0)


def _comes(wall: Image, there: Image) -> Image:
    """From frame 12 to 30 somebody comes in from the right: a half that changes at once would be a cut."""
    for number, frame in enumerate(wall):
        shown = int(np.clip((number - 12) / 18, 0, 1) * frame.shape[1])
        if shown:
            frame[:, -shown:] = there[number][:, :shown]
    return wall


def write_film(folder: Path, name: str = "duo", late: bool = True) -> Path:
    """The film and its caption."""
    one, two = photograph(), other()
    shots = [(_half(one, 60, 0), _half(two, 60, 1)), (_half(two, 60, 2), _half(one, 60, 3))]
    if late:
        shots.append((_half(one, 56, 5), _comes(_wall(56), _half(two, 56, 4))))
    light = (1.0, 0.6, 1.0)  # so that nobody misses the cuts
    frames = np.concatenate(
        [
            (np.concatenate(halves, axis=2) * level).astype(np.uint8)
            for halves, level in zip(shots, light, strict=False)
        ]
    )
    path = folder / f"{name}.mp4"
    write_video(path, frames, FPS)
    path.with_suffix(".txt").write_text(CAPTION)
    return path
