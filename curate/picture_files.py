"""The pictures of a set, `sheets/SHA16.png`, `first_frames/SHA16.png`: written once each, read and measured again by `check`."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError
from curate.files import write_atomic
from curate.recipe import FIRST, PIN, SHEET, Recipe
from curate.records import LedgerRow, Values

FOLDERS = {SHEET: "sheets", FIRST: "first_frames", "single": "first_frames", "swapped": "first_frames"}
PINS = "pins"
PINNED = re.compile(rf"{PIN}[0-9]{{1,4}}")
NAME = re.compile(r"[0-9a-f]{16}")
Picture = NDArray[np.uint8]  # (H, W, 3) RGB


def name_of(picture: Picture) -> str:
    """16 hex digits of its pixels."""
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()[:16]


def place_of(folder: Path, role: str, name: object) -> Path:
    """The file of a picture in a set. Raises CurateError for a name that is none: it may come from a record."""
    if not NAME.fullmatch(str(name)):
        raise CurateError(f"{folder}: found a picture named {str(name)[:40]!a}, wanted 16 hex digits")
    return folder / FOLDERS.get(role, PINS) / f"{name}.png"


def roles_in(measured: Values) -> list[str]:
    """The roles of the pictures that a sample has."""
    return [key for key in sorted(measured) if key in FOLDERS or PINNED.fullmatch(key)]


def pin_frames_in(measured: Values) -> tuple[int, ...]:
    """The frames that a sample has pins for, ascending."""
    return tuple(sorted(int(role.removeprefix(PIN)) for role in roles_in(measured) if role not in FOLDERS))


def write_pictures(folder: Path, pictures: Iterable[tuple[str, Picture]]) -> None:
    """Each distinct one, by its role, as a PNG, without loss; the same picture gives the same bytes."""
    import cv2

    for role, picture in pictures:
        path = place_of(folder, role, name_of(picture))
        if not path.exists():
            _, png = cv2.imencode(".png", picture[..., ::-1])
            write_atomic(path, png.tobytes())


def read_picture(path: Path) -> Picture | None:
    """The pixels of a set's picture; None where they are not those of its name."""
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    shown = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    picture = None if shown is None else np.ascontiguousarray(shown[..., ::-1], np.uint8)
    return picture if picture is not None and name_of(picture) == path.stem else None


def check_pictures(
    folder: Path,
    kept: Sequence[LedgerRow],
    recipe: Recipe,
    made_with: Mapping[str, str],
    note: Callable[[str], None],
) -> Iterator[str]:
    """A line for every picture that is not the one measured: missing, other pixels, or values that are not found again.

    Where what measures is not installed, or of other versions than those that the set was `made_with`, a `note` says so.
    """
    again = _measures(recipe, made_with, lambda why: note(f"{folder}: pictures not measured again; {why}"))
    named = dict[Path, list[tuple[str, LedgerRow]]]()
    for row in kept:
        for role in roles_in(row.measured):
            named.setdefault(place_of(folder, role, row.measured[role]), []).append((role, row))
    files = {path for name in {*FOLDERS.values(), PINS} for path in (folder / name).glob("*.png")}
    for path in sorted(files - named.keys()):
        yield f"{path}: the picture of no kept sample"
    for path in sorted(named):
        picture = read_picture(path)
        if picture is None:
            what = "other pixels, or none" if path.is_file() else "found nothing"
            role, row = named[path][0]
            yield f"{path}: {what}, wanted the {role} of {row.id}"
            continue
        for row in [row for role, row in named[path] if again and role in (SHEET, FIRST)]:
            found = recipe.found_on(picture, row)
            yield from (f"{path}: {row.id}: {fault}" for fault in _otherwise(found, row.measured))


def needs(kept: Sequence[LedgerRow]) -> bool:
    """Whether a set has pictures."""
    return any(roles_in(row.measured) for row in kept)


def _measures(recipe: Recipe, made_with: Mapping[str, str], note: Callable[[str], None]) -> bool:
    """Whether this program would measure as the one did that made the set."""
    try:
        here = recipe.made_with()
    except CurateError as error:  # an extra is not installed
        note(str(error))
        return False
    changed = sorted(name for name in here.keys() | made_with.keys() if here.get(name) != made_with.get(name))
    if changed:
        note(f"{', '.join(changed)} changed since it was made")
    return not changed


def _otherwise(found: Mapping[str, Any], recorded: Mapping[str, Any]) -> Iterator[str]:
    for key, value in sorted(found.items()):
        if value != recorded.get(key):
            yield f"{key} is recorded as {recorded.get(key)}, found again {value}"
