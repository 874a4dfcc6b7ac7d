"""One panel of a reference sheet as it is chosen, before a frame is loaded, and how a caption tells of it."""

import re
from collections.abc import Sequence

from curate.media.layout import Kind
from curate.media.subject import Box
from curate.records import Record

# Bigger panels carry over better: one of more importance has no less area.
IMPORTANCE: dict[Kind, float] = {"face": 3.0, "body": 2.0, "location": 2.0, "prop": 1.5}
HEADS = ("Reference sheet: ", "Generated video: ")
ITEM = re.compile(r"(?P<element>[\w-]+), (?P<description>[^;()]+) \((?P<views>[^;()]+)\)")


class View(Record):
    """One panel, still a choice."""

    element: str
    description: str
    kind: Kind
    turn: str = ""  # of a body
    at_s: float | None = None  # of the frame it is cut from; None for an image, and for a place
    box: Box | None = None  # of the person or thing in that frame
    face: Box | None = None
    image: str | None = None  # a file beside the film
    importance: float
    same_window: bool = False  # cut from the target itself
    generated: bool = False

    @property
    def told(self) -> str:
        """As the caption calls it: face, front, left, prop, place."""
        return self.turn or {"face": "face", "body": "body", "prop": "prop", "location": "place"}[self.kind]

    @property
    def is_plate(self) -> bool:
        """Whether it is made of several frames of the film, those that show the place."""
        return self.kind == "location" and self.image is None

    @property
    def name(self) -> str:
        """Element and view."""
        return f"{self.element} {self.told}"


def caption_of(views: Sequence[View], scene: str) -> str:
    """The two parts of a pair's caption: what is on the sheet, and what happens in the video."""
    told = dict[str, list[View]]()
    for view in views:
        told.setdefault(view.element, []).append(view)
    items = [f"{name}, {its[0].description} ({', '.join(v.told for v in its)})" for name, its in told.items()]
    return f"{HEADS[0]}{'; '.join(items)}.\n{HEADS[1]}{scene}"


def named_in(caption: str) -> list[str]:
    """The panels that a caption names, as ELEMENT VIEW. Raises ValueError for a caption of another form."""
    found = re.fullmatch(rf"{HEADS[0]}(?P<items>.+)\.\n{HEADS[1]}(?P<scene>\S.*)", caption)
    items = [ITEM.fullmatch(item) for item in found["items"].split("; ")] if found else [None]
    if not all(items):
        raise ValueError(f"{caption[:60]!r} is not in two parts, each element with its views")
    return [f"{item['element']} {view}" for item in items if item for view in item["views"].split(", ")]
