"""`NAME.elements.json` beside a film: who and what is in it, as a user says. It completes and overrides what is found.

    {"characters": [{"id": "ada", "description": "a woman in a red coat", "box": [l, t, r, b], "at_s": 2.5}],
     "props": [{"id": "kettle", "description": "a blue kettle", "images": ["kettle.png"]}],
     "location": {"id": "kitchen", "description": "a small kitchen"}}

A `box` is in pixels of the film and says where the element is `at_s` seconds after its start; `images` are files beside the
elements, cut out already or on black, and stand in place of what the film shows of it; `weight` (1) makes its panels more or
less important than those of others. All lists are optional, and so is
everything of an element but its id and description.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, model_validator

from curate.captions import normalise
from curate.errors import CurateError, Rejected
from curate.records import Record

SUFFIX = ".elements.json"
MOST_BYTES = 1_000_000
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$")]
Edge = Annotated[float, Field(ge=0, le=100_000, strict=True)]
File = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Element(Record):
    """One character, prop or place."""

    id: Id
    description: str = Field(min_length=1, max_length=500)
    box: tuple[Edge, Edge, Edge, Edge] | None = None
    at_s: float | None = Field(default=None, ge=0, le=1_000_000, strict=True)
    weight: float = Field(default=1.0, ge=0.1, le=10)  # of its panels: a heavier one has no less area
    images: tuple[File, ...] = Field(default=(), max_length=16)

    @model_validator(mode="after")
    def _whole(self) -> "Element":
        if (self.box is None) != (self.at_s is None):
            raise ValueError("a box wants its time (at_s), and a time its box")
        if self.box and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError(f"the box {list(self.box)} is empty; wanted left, top, right, bottom")
        for image in self.images:
            if (
                not image.isprintable()
                or "\\" in image
                or Path(image).is_absolute()
                or ".." in Path(image).parts
            ):
                raise ValueError(
                    f"the image {image!a} is not named as a file beside the film, or below its folder"
                )
        if normalise(self.description) != self.description or re.search(r"[;()]", self.description):
            raise ValueError(
                "a description is one line without semicolons and brackets, which part a caption"
            )
        return self

    def fits(self, width: int, height: int, seconds: float) -> None:
        """Raises Rejected for a box that is not in a film of this size and length."""
        if self.box is None or self.at_s is None:
            return
        if self.box[2] > width or self.box[3] > height or self.at_s >= seconds:
            told = f"the box {list(self.box)} at {self.at_s:g} s"
            raise Rejected("elements", f"{self.id}: {told}, the film is {width}x{height} and {seconds:.2f} s")

    def scaled(self, factor: float) -> "Element":
        """With its box in a film of another size."""
        box = self.box and tuple(round(edge * factor, 2) for edge in self.box)
        return self.model_copy(update={"box": box})


class Elements(Record):
    """All that is said of a film."""

    characters: tuple[Element, ...] = ()
    props: tuple[Element, ...] = ()
    location: Element | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "Elements":
        names = [each.id for each in self.every()]
        for each in (*self.props, *([self.location] if self.location else [])):
            if len(each.images) > 1:
                raise ValueError(f"{each.id} has {len(each.images)} images; wanted one of a prop or a place")
        if self.location and self.location.box:
            raise ValueError(f"{self.location.id} has a box; a place is all of the picture")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the id {twice} comes twice")
        return self

    def every(self) -> list[Element]:
        """Characters, props, and the place."""
        return [*self.characters, *self.props, *([self.location] if self.location else [])]

    def images(self) -> list[str]:
        """The files that it names, each once."""
        return sorted({image for each in self.every() for image in each.images})

    def scaled(self, factor: float) -> "Elements":
        """With its boxes in a film of another size."""
        characters, props = (
            tuple(each.scaled(factor) for each in kind) for kind in (self.characters, self.props)
        )
        return self.model_copy(update={"characters": characters, "props": props})


def elements_of(film: Path) -> Path:
    """Where the elements of a film are, if it has any."""
    return film.with_suffix(SUFFIX)


def read_elements(path: Path) -> Elements:
    """What a file says. Raises CurateError in one line for one that says nothing, or something else."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise CurateError(f"{path}: wanted a file of elements, of at most {MOST_BYTES:,} bytes")
        return Elements.model_validate(
            json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        says = first["msg"].removeprefix("Value error, ")
        raise CurateError(f"{path}: {_plain(where) or 'its elements'}: {_plain(says)}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CurateError(f"{path}: cannot be read as JSON: {_plain(str(error))}") from error


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of a key that comes twice nobody knows which is meant."""
    if twice := next((key for key, count in Counter(key for key, _ in pairs).items() if count > 1), None):
        raise ValueError(f"the key {twice!a} comes twice")
    return dict(pairs)


def _plain(text: str) -> str:
    """On one line, without what steers a terminal."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)[:300]
