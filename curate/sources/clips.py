"""From a probed file to its Clip: the same of every source."""

import os
from pathlib import Path
from typing import Any, Literal

from curate.errors import CurateError, Rejected
from curate.media.picture import Probe as PictureProbe
from curate.media.picture import probe_picture
from curate.media.video import Probe as VideoProbe
from curate.media.video import probe
from curate.records import Clip
from curate.scenes.refs import FOLDER, LIST, pictures_beside, read_cast
from curate.sheets.elements import elements_of, read_elements
from curate.sources.files import file_sha256, shown
from curate.sources.sidecars import Note

# films: videos, with what `NAME.elements.json` says of each; scenes: videos, with pictures of their cast in `refs/`
Reads = Literal["videos", "pictures", "films", "scenes"]


class Clips:
    """The clips of a source, all bytes once: of several files the first has its name, and what is told of any."""

    def __init__(self, reads: Reads, cache: Path) -> None:
        self.reads, self.cache = reads, cache
        self.by_sha256: dict[str, Clip] = {}
        self.first: dict[str, str] = {}  # name by sha256, also of what was found wrong

    def add(self, path: Path, name: str, sha256: str, note: Note) -> None:
        """Raises Rejected: same_file, and for what is wrong with the file; CurateError for elements that are none."""
        if sha256 in self.first:
            if clip := self.by_sha256.get(sha256):
                told = {"caption": clip.caption or note.caption, "licence": clip.licence or note.licence}
                labels = {**note.labels, **clip.labels}
                self.by_sha256[sha256] = clip.model_copy(update={**told, "labels": labels})
            more = self._not_read(path, self.by_sha256.get(sha256))
            unread = f"; {more} is not read" if more else ""
            raise Rejected("same_file", f"the same bytes as {self.first[sha256]}{unread}")
        self.first[sha256] = name
        found = probe_picture(path) if self.reads == "pictures" else probe(path)
        beside = BESIDE[self.reads](path, self.cache) if self.reads in BESIDE else {}
        self.by_sha256[sha256] = clip_of(path, name, sha256, found, beside=beside, **vars(note))

    def _not_read(self, path: Path, first: Clip | None) -> str:
        """What lies beside the second file of the same bytes and is not read, since the first one counts."""
        if self.reads == "films":
            return elements_of(path).name if _is_there(elements_of(path)) else ""
        elsewhere = first is None or Path(first.path).parent != Path(os.path.abspath(path)).parent
        return FOLDER if self.reads == "scenes" and elsewhere and _is_there(path.parent / FOLDER) else ""


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

    Raises CurateError for elements that are none, and for an image that is not there, or is elsewhere.
    """
    file, folder = elements_of(path), path.parent
    if not _is_there(file):
        return {}
    return _hashed(folder, [file.name, *read_elements(file).images()], file, cache)


def cast_of(path: Path, cache: Path) -> dict[str, str]:
    """The pictures of a film's cast, and the cast list, by their name in its folder. Raises CurateError as `scenes.refs`."""
    folder = path.parent
    pictures, told = pictures_beside(folder), read_cast(folder)
    if bare := sorted(told.keys() - pictures.keys()):
        raise CurateError(f"{shown(folder / LIST)}: names {bare[0]!a:.40}, found no pictures in {FOLDER}/")
    names = [name for held in pictures.values() for name in held]
    return _hashed(folder, [*names, *([LIST] if told else [])], folder / FOLDER, cache)


BESIDE = {"films": beside_of, "scenes": cast_of}


def _hashed(folder: Path, names: list[str], where: Path, cache: Path) -> dict[str, str]:
    for name in names:
        if found := _not_beside(folder, name):
            raise CurateError(
                f"{shown(where)}: {shown(Path(name))}: found {found}, wanted a file beside the film"
            )
    return {name: file_sha256(folder / name, cache) for name in names}


def _is_there(file: Path) -> bool:
    """Also a link to nothing; not a name that is too long to be one."""
    try:
        file.lstat()
    except OSError:
        return False
    return True


def _not_beside(folder: Path, name: str) -> str:
    """What a name is, if it is no file of this folder."""
    try:
        file = (folder / name).resolve()
        if file.is_file() and not file.is_relative_to(folder.resolve()):
            return "a link to another folder"
        return "" if file.is_file() else "something else" if file.exists() else "nothing"
    except (OSError, RuntimeError) as error:  # too long a name, a link to itself
        return f"no file ({str(error).splitlines()[0].split(':')[0]})"
