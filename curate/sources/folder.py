"""The source that is a folder: every video (or picture) below it ends as a Clip or as a Drop with its reason."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from curate.errors import CurateError, Rejected
from curate.media.picture import SUFFIXES as PICTURES
from curate.records import Clip, Drop, sha256_of
from curate.sources.clips import Clips, Reads
from curate.sources.files import file_sha256, files_under, shown
from curate.sources.sidecars import read_notes

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts")


def list_folder(
    root: Path, cache: Path, follow: Callable[[list[Path]], Iterable[Path]] = iter, reads: Reads = "videos"
) -> tuple[list[Clip], list[Drop]]:
    """The videos, or pictures, below a folder, by name, with what their sidecars say. Nothing there is written to.

    `cache` remembers the hashes of files; `follow` passes the videos on while it shows how far they are.
    Files are dropped as `same_file` (the bytes of an earlier one), `unreadable`, `unreadable_name`, or for
    what `probe` or `probe_picture` finds. Raises CurateError for a folder without any and for sidecars that are
    malformed, ambiguous or name a file that is missing, elements among them.
    """
    files = _files(root, reads)
    suffixes = PICTURES if reads == "pictures" else SUFFIXES
    videos = [path for path in files if path.suffix.lower() in suffixes]
    if not videos:
        found = f"{_what_is_there(files)}, none a {reads[:-1]}"
        raise CurateError(f"{shown(root)}: {found} ({' '.join(suffixes)})")
    notes = read_notes(files, videos)
    clips, drops = Clips(reads, cache), list[Drop]()
    for path in follow(videos):
        name = path.relative_to(root).as_posix()
        sha256: str | None = None
        try:
            if (spelled := name.encode("utf-8", "backslashreplace").decode()) != name:
                name = spelled
                raise Rejected("unreadable_name", "wanted a file name in UTF-8")
            sha256 = file_sha256(path, cache)
            clips.add(path, name, sha256, notes[path])
        except Rejected as why:
            # one id per row of the ledger: the second file of a pair cannot have that of its bytes
            own = sha256 if sha256 is not None and clips.first[sha256] == name else sha256_of([name])
            drops.append(Drop(id=own[:16], name=name, reason=why.reason, detail=why.detail, sha256=sha256))
    return list(clips.by_sha256.values()), drops


def _files(root: Path, reads: Reads) -> list[Path]:
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing"
        raise CurateError(f"{shown(root)}: found {found}, wanted a folder of {reads}")
    if shown(root.absolute()) != str(root.absolute()):
        raise CurateError(f"{shown(root)}: found a path of odd characters, wanted UTF-8 without line breaks")
    return files_under(root)


def _what_is_there(files: list[Path]) -> str:
    kinds = Counter(path.suffix.lower() or "without suffix" for path in files)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
    return f"{len(files)} file{'s' * (len(files) != 1)} ({told})" if files else "an empty folder"
