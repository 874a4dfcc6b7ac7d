"""From a probed file to its Clip: the same of every source."""

import os
from pathlib import Path
from typing import Any, Literal

from curate.errors import Rejected
from curate.media.picture import Probe as PictureProbe
from curate.media.picture import probe_picture
from curate.media.video import Probe as VideoProbe
from curate.media.video import probe
from curate.records import Clip
from curate.sheets.elements import elements_of, read_elements
from curate.sources.files import file_sha256
from curate.sources.sidecars import Note

Reads = Literal["videos", "pictures"]


class Clips:
    """The clips of a source, all bytes once: of several files the first has its name, and what is told of any."""

    def __init__(self) -> None:
        self.by_sha256: dict[str, Clip] = {}
        self.first: dict[str, str] = {}  # name by sha256, also of what was found wrong

    def add(self, path: Path, name: str, sha256: str, reads: Reads, note: Note) -> None:
        """Raises Rejected: same_file, and for what is wrong with the file."""
        if sha256 in self.first:
            if clip := self.by_sha256.get(sha256):
                told = {"caption": clip.caption or note.caption, "licence": clip.licence or note.licence}
                labels = {**note.labels, **clip.labels}
                self.by_sha256[sha256] = clip.model_copy(update={**told, "labels": labels})
            raise Rejected("same_file", f"the same bytes as {self.first[sha256]}")
        self.first[sha256] = name
        found = probe(path) if reads == "videos" else probe_picture(path)
        self.by_sha256[sha256] = clip_of(path, name, sha256, found, **vars(note))


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


def beside_of(path: Path, cache: Path) -> dict[str, str]:
    """The files that belong to a film, by their name in its folder: its elements, and the images that these name.

    Raises CurateError for elements that are none.
    """
    file = elements_of(path)
    if not file.exists():
        return {}
    names = [file.name, *read_elements(file).images()]
    return {name: file_sha256(path.parent / name, cache) for name in names}
