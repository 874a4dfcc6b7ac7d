"""From a probed file to its Clip: the same of every source."""

import os
from pathlib import Path
from typing import Any, Literal

from curate.media.picture import Probe as PictureProbe
from curate.media.picture import probe_picture
from curate.media.video import Probe as VideoProbe
from curate.media.video import probe
from curate.records import Clip

Reads = Literal["videos", "pictures"]


def found_in(path: Path, reads: Reads) -> VideoProbe | PictureProbe:
    """What a file holds. Raises Rejected for what is wrong with it."""
    return probe(path) if reads == "videos" else probe_picture(path)


def filled(clip: Clip, caption: str | None, labels: dict[str, str], licence: str | None) -> Clip:
    """The clip with what was told of another file of the same bytes, where nothing was of its own."""
    told = {"caption": clip.caption or caption, "licence": clip.licence or licence}
    return clip.model_copy(update={**told, "labels": {**labels, **clip.labels}})


def clip_of(path: Path, name: str, sha256: str, found: VideoProbe | PictureProbe, **told: Any) -> Clip:
    """The clip of a file; `told` is what its source says of it: caption, labels, licence, files beside it."""
    moving = found if isinstance(found, VideoProbe) else None
    return Clip(
        id=sha256[:16],
        name=name,
        sha256=sha256,
        seconds=moving.seconds if moving else 0.0,
        width=found.width,
        height=found.height,
        fps=moving.fps if moving else 0.0,
        sample_rate_hz=moving.sample_rate_hz if moving else None,
        path=os.path.abspath(path),
        **told,
    )
