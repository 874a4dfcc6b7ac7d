"""The pictures that a set has put in place of its videos' first frames, each to be pinned before the same noise.

Two characters side by side, as the sample has them; the first of them alone; and both with sides swapped. Who reads from
the picture where everybody is shows them swapped too.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from curate.encode.stack import Stack
from curate.encode.video import SIZE_STEP, encode_video
from curate.errors import CurateError
from curate.picture_files import place_of, read_picture
from curate.recipe import FIRST
from curate.train.data import LatentSample

Picture = NDArray[np.uint8]  # (H, W, 3)
VARIANTS = {FIRST: "composite", "single": "single", "swapped": "swapped"}  # by the picture's role in the set


def first_frames(folder: Path, sample: LatentSample) -> dict[str, Picture]:
    """The pictures that a sample names, by variant; its own comes first. None where its first frame is the clip's own.

    Raises CurateError for a picture that is missing, is not the one that was named, or is of another size.
    """
    named = sample.record.measured
    if named.get(FIRST) is None:
        return {}
    return {
        variant: _read(place_of(folder, role, named[role]), sample)
        for role, variant in VARIANTS.items()
        if named.get(role) is not None
    }


def starting_with(sample: LatentSample, picture: Picture, stack: Stack) -> LatentSample:
    """The sample with another picture in place of its first frame."""
    own = sample.latents["video_latents"]
    latents = torch.cat([encode_video(stack, picture[None]).to(own.dtype), own[:, 1:]], dim=1)
    return LatentSample(sample.record, {**sample.latents, "video_latents": latents})


def _read(path: Path, sample: LatentSample) -> Picture:
    picture = read_picture(path)
    if picture is None:
        found = "other pixels, or none" if path.is_file() else "found nothing"
        raise CurateError(f"{path}: {found}, wanted the picture that {sample.record.id} names")
    height, width = (SIZE_STEP * side for side in sample.latents["video_latents"].shape[2:])
    if picture.shape[:2] != (height, width):
        found = f"{picture.shape[1]}x{picture.shape[0]}"
        raise CurateError(f"{path}: is {found}, wanted {width}x{height}, the size of {sample.record.id}")
    return picture
