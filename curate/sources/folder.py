"""The source that is a folder: every video (or picture) below it ends as a Clip or as a Drop with its reason."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from curate.errors import CurateError, Rejected
from curate.media.picture import SUFFIXES as PICTURES
from curate.media.picture import probe_picture
from curate.media.video import Probe as VideoProbe
from curate.media.video import probe
from curate.records import Clip, Drop, sha256_of
from curate.sources.files import file_sha256, files_under, shown
from curate.sources.sidecars import Note, read_notes

Reads = Literal["videos", "pictures"]

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts")


def list_folder(
    root: Path, cache: Path, follow: Callable[[list[Path]], Iterable[Path]] = iter, reads: Reads = "videos"
) -> tuple[list[Clip], list[Drop]]:
    """The videos, or the pictures, below a folder, sorted by name, with what their sidecars say. Nothing there is written to.

    `cache` remembers the hashes of files; `follow` passes the videos on while it shows how far they are.
    Files are dropped as `same_file` (the bytes of an earlier one), `unreadable`, `unreadable_name`, or for
    what `probe` or `probe_picture` finds. Raises CurateError for a folder without any and for sidecars that are malformed,
    ambiguous or name a file that is missing.
    """
    files = _files(root)
    suffixes = SUFFIXES if reads == "videos" else PICTURES
    videos = [path for path in files if path.suffix.lower() in suffixes]
    if not videos:
        found = f"{_what_is_there(files)}, none a {reads[:-1]}"
        raise CurateError(f"{shown(root)}: {found} ({' '.join(suffixes)})")
    notes = read_notes(files, videos)
    clips: list[Clip] = []
    drops: list[Drop] = []
    first: dict[str, str] = {}  # sha256 -> name
    for path in follow(videos):
        name = path.relative_to(root).as_posix()
        sha256: str | None = None
        try:
            if (spelled := name.encode("utf-8", "backslashreplace").decode()) != name:
                name = spelled
                raise Rejected("unreadable_name", "wanted a file name in UTF-8")
            sha256 = file_sha256(path, cache)
            if sha256 in first:
                raise Rejected("same_file", f"the same bytes as {first[sha256]}")
            first[sha256] = name
            clips.append(clip_of(path, name, sha256, notes[path], reads))
        except Rejected as why:
            # one id per row of the ledger: the second file of a pair cannot have that of its bytes
            own = sha256 if sha256 is not None and first[sha256] == name else sha256_of([name])
            drops.append(Drop(id=own[:16], name=name, reason=why.reason, detail=why.detail, sha256=sha256))
    return clips, drops


def _files(root: Path) -> list[Path]:
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing"
        raise CurateError(f"{shown(root)}: found {found}, wanted a folder of videos")
    if shown(root.absolute()) != str(root.absolute()):
        raise CurateError(f"{shown(root)}: found a path of odd characters, wanted UTF-8 without line breaks")
    return files_under(root)


def _what_is_there(files: list[Path]) -> str:
    kinds = Counter(path.suffix.lower() or "without suffix" for path in files)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
    return f"{len(files)} file{'s' * (len(files) != 1)} ({told})" if files else "an empty folder"


def clip_of(path: Path, name: str, sha256: str, note: Note, reads: Reads) -> Clip:
    """The clip of a file. Raises Rejected for what is wrong with it."""
    found = probe(path) if reads == "videos" else probe_picture(path)
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
        caption=note.caption,
        labels=note.labels,
        licence=note.licence,
        path=os.path.abspath(path),
    )
