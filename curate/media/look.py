"""What makes two clips the same footage: perceptual hashes of a few frames, whatever the encoding.

Measured: within how many of 216 bits a quarter of the frames find a partner. 509 of 510 changed copies of
30 clips (recoded, rescaled, brighter, darker, greyed, cropped, stretched, trimmed, shifted by half their
length) do within 40, the last, a shifted hand-held ride, within 46. It takes 66 between different recordings
(3,257 pairs), 50 between drawn heads that differ in nothing but shape and colours (7,140 pairs) and 52
between people of the demo (44,850 pairs). Hashes of brightness alone took 3 in 1,000 of those drawn pairs for the same footage.
tests/media/test_look.py measures a part of it again.
"""

from pathlib import Path

import cv2

from curate.media.video import Image, read_frames

FRAMES = 12
SIDE_PX = 128
SIDES = (12, 6, 6)  # of the hashes of brightness and of the two colour differences: 144 + 36 + 36 bits
NEAR_BITS = 42
SHARE = 4  # a quarter of the frames: clips cut from one recording may overlap in part
FLAT = 4.0  # standard deviation of brightness, of 255, below which a frame (a fade to black) tells nothing


def look_hash(path: str | Path, seconds: float) -> list[str]:
    """Perceptual hashes, 54 hex digits each, of 12 frames spread over the first `seconds`.

    Frames without any contrast are left out. Raises Rejected as `read_frames`.
    """
    step_s = seconds / FRAMES
    frames = read_frames(
        path, start_s=step_s / 2, frames=FRAMES, fps=1 / step_s, width=SIDE_PX, height=SIDE_PX
    )
    pictures = [cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb) for frame in frames]
    return [hash_of(picture) for picture in pictures if picture[:, :, 0].std() > FLAT]


def picture(path: str | Path, at_s: float) -> list[float]:
    """What one frame looks like at its coarsest: mean red, green and blue of 4 by 4 fields, 0 to 255.  # (48,)

    A rough embedding of face, dress, room and light. Raises Rejected as `read_frames`.
    """
    (frame,) = read_frames(path, start_s=at_s, frames=1, fps=1.0, width=SIDE_PX, height=SIDE_PX)
    fields = cv2.resize(frame, (4, 4), interpolation=cv2.INTER_AREA)
    return [round(float(value), 1) for value in fields.ravel()]


def hash_of(picture: Image) -> str:
    """imagehash.phash of each plane of a (H, W, 3) YCrCb picture, one behind the other."""
    import imagehash
    from PIL import Image as Pillow

    planes = zip(cv2.split(picture), SIDES, strict=True)
    return "".join(str(imagehash.phash(Pillow.fromarray(plane), hash_size=side)) for plane, side in planes)


def same_look(a: list[str], b: list[str]) -> bool:
    """Whether a quarter of the frames of each clip has a partner in the other within 42 of 216 bits.

    Symmetrical. Clips of which nothing can be seen (no hashes) are like no other.
    """
    ours, theirs = [int(text, 16) for text in a], [int(text, 16) for text in b]
    near = [[(one ^ other).bit_count() <= NEAR_BITS for other in theirs] for one in ours]
    paired = sum(map(any, near)), sum(map(any, zip(*near, strict=True)))
    return paired[0] * SHARE >= len(a) > 0 and paired[1] * SHARE >= len(b) > 0
