"""`refs/` beside films: pictures of their cast, and the cast list.

    refs/ada/front.png, refs/ada/2.jpg   pictures of ada: cut out, on black, or photographs
    refs/ben/1.png
    refs/cast.json                       {"ada": "a woman with red hair in a GREEN coat", "ben": "an old man in a BLACK suit"}

Who of a film is ada is found by the faces. The list is optional, and so is everybody in it; who is in it has pictures.
"""

import json
import re
from pathlib import Path

from curate.captions import normalise
from curate.errors import CurateError
from curate.lint.quotes import quotes
from curate.sheets.elements import MOST_BYTES, once

FOLDER, LIST = "refs", "refs/cast.json"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MOST_PICTURES = 16  # of a person
MOST_DESCRIBED = 300  # characters
NAME = re.compile(r"\w[\w-]{0,60}")  # letters of any script


def pictures_beside(folder: Path) -> dict[str, list[str]]:
    """By name of a person their pictures, as `refs/NAME/FILE`. Raises CurateError for a name that is none, too many, or none."""
    root, found = folder / FOLDER, dict[str, list[str]]()
    for place in sorted(root.iterdir()) if root.is_dir() else ():
        if not place.is_dir() or place.name.startswith("."):
            continue
        _named(place)
        files = sorted(
            file.name
            for file in place.iterdir()
            if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and not file.is_dir()
        )
        if not files or len(files) > MOST_PICTURES:
            raise CurateError(
                f"{place}: found {len(files)} pictures, wanted 1 to {MOST_PICTURES} ({' '.join(SUFFIXES)})"
            )
        if odd := next((name for name in files if not name.isprintable()), None):
            raise CurateError(
                f"{place}: found a file {odd!a:.80}, wanted a name in UTF-8 without control characters"
            )
        found[place.name] = [f"{FOLDER}/{place.name}/{name}" for name in files]
    return found


def read_cast(folder: Path) -> dict[str, str]:
    """What people look like, by name; nothing without a list. Raises CurateError in one line for a list that is none."""
    path = folder / LIST
    if not path.exists():
        return {}
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise CurateError(f"{path}: wanted a file of at most {MOST_BYTES:,} bytes")
        told = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except (OSError, ValueError, RecursionError) as error:
        raise CurateError(f"{path}: cannot be read as JSON: {str(error)[:100]!a}") from error
    if not isinstance(told, dict):
        raise CurateError(
            f'{path}: found a {type(told).__name__}, wanted an object, {{"name": "description"}}'
        )
    for name, description in told.items():
        if not isinstance(description, str) or not 0 < len(description) <= MOST_DESCRIBED:
            found = f"{description!a:.60}"
            raise CurateError(
                f"{path}: {name!a:.40} is {found}, wanted a text of at most {MOST_DESCRIBED} characters"
            )
        if normalise(description) != description or any(quotes(description)):
            raise CurateError(f"{path}: {name!a:.40}: wanted one line of text without quotation marks")
    return told


def _named(place: Path) -> None:
    if not NAME.fullmatch(place.name):
        raise CurateError(
            f"{place.parent}: found a folder {place.name!a:.80}, wanted a name of letters, digits, _ and -"
        )
