"""The caption of a scene, held against its rules and mended where that is safe."""

from collections.abc import Sequence
from typing import NamedTuple

from curate.captions import normalise
from curate.errors import Rejected
from curate.lint import fixed, lint

PLACES = {2: ("left", "right"), 3: ("left", "middle", "right")}


class Told(NamedTuple):
    """A caption as it goes into the set."""

    text: str
    mended: bool  # a rule rewrote it
    warnings: list[str]  # codes of what it lacks


def told_of(caption: str | None, cast: Sequence[tuple[str, str]]) -> Told:
    """Of (name, description) of everybody from the left. Where the caption does not say who is on which side, and all are
    described in the cast list, a sentence before it does. Raises Rejected: no_caption, and caption for what no rule can mend.
    """
    if not (scene := normalise(caption or "")):
        raise Rejected("no_caption", "nothing says what happens in it; wanted a caption in its sidecar")
    lacks = {fault.code for fault in lint(scene)}
    if {"sides", "characters"} & lacks and all(description for _, description in cast):
        scene = f"{_sides(cast)} {scene}"
    text = fixed(scene)
    faults = lint(text)
    if wrong := next((fault for fault in faults if fault.level == "error" or fault.fix is not None), None):
        raise Rejected("caption", f"{wrong.code}: {wrong.message}")
    return Told(text, text != scene, sorted({fault.code for fault in faults}))


def _sides(cast: Sequence[tuple[str, str]]) -> str:
    told = [
        f"{'in' if place == 'middle' else 'on'} the {place} {name}, {description}"
        for place, (name, description) in zip(PLACES[len(cast)], cast, strict=True)
    ]
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}."
