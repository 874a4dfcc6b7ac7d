"""From a probed file to its Clip: the same of every source."""

import os
from pathlib import Path
from typing import Any

from curate.media.video import Probe
from curate.records import Clip


def clip_of(path: Path, name: str, sha256: str, found: Probe, **told: Any) -> Clip:
    """The clip of a file; `told` is what its source says of it: caption, labels, licence, files beside it."""
    return Clip(
        id=sha256[:16],
        name=name,
        sha256=sha256,
        seconds=found.seconds,
        width=found.width,
        height=found.height,
        fps=found.fps,
        sample_rate_hz=found.sample_rate_hz,
        path=os.path.abspath(path),
        **told,
    )
