"""The pictures of reference sheets in a set, `sheets/SHA16.png`: written once each, read and measured again by `check`."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError
from curate.files import write_atomic
from curate.recipe import Recipe
from curate.records import LedgerRow

FOLDER = "sheets"
MEASURED = "sheet"  # the measured value that names a sample's sheet
Picture = NDArray[np.uint8]  # (H, W, 3) RGB


def name_of(sheet: Picture) -> str:
    """16 hex digits of its pixels."""
    return hashlib.sha256(np.ascontiguousarray(sheet).tobytes()).hexdigest()[:16]


def write_sheets(folder: Path, sheets: Iterable[Picture]) -> None:
    """Each distinct one as a PNG, without loss; the same picture gives the same bytes."""
    import cv2

    for sheet in sheets:
        path = folder / FOLDER / f"{name_of(sheet)}.png"
        if not path.exists():
            _, png = cv2.imencode(".png", sheet[..., ::-1])
            write_atomic(path, png.tobytes())


def check_sheets(
    folder: Path,
    kept: Sequence[LedgerRow],
    recipe: Recipe,
    made_with: Mapping[str, str],
    note: Callable[[str], None],
) -> Iterator[str]:
    """A line for every sheet that is not the one measured: missing, other pixels, or values that are not found again.

    Where what measures is not installed, or of other versions than those that the set was `made_with`, a `note` says so.
    """
    again = _measures(recipe, made_with, lambda why: note(f"{folder / FOLDER}: not measured again; {why}"))
    named = {str(row.measured[MEASURED]): row for row in kept if MEASURED in row.measured}
    files = {path.stem: path for path in (folder / FOLDER).glob("*.png")}
    for name in sorted(files.keys() - named.keys()):
        yield f"{files[name]}: the sheet of no kept sample"
    for name, row in sorted(named.items()):
        path = folder / FOLDER / f"{name}.png"
        picture = _read(path)
        if picture is None or name_of(picture) != name:
            yield f"{path}: {'cannot be read' if picture is None else 'other pixels'}, wanted the sheet of {row.id}"
            continue
        found = recipe.found_on(picture, row) if again else {}
        yield from (f"{path}: {row.id}: {fault}" for fault in _otherwise(found, row.measured))


def needs(kept: Sequence[LedgerRow]) -> bool:
    """Whether a set has sheets."""
    return any(MEASURED in row.measured for row in kept)


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


def _read(path: Path) -> Picture | None:
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    shown = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if shown is None else np.asarray(shown[..., ::-1], np.uint8)
