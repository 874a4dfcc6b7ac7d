"""The caption of a scene, held against its rules and mended where that is safe."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from curate.captions import normalise
from curate.errors import Rejected
from curate.lint import fixed, lint

HAN = re.compile(r"[\u4e00-\u9fff]")
PLACES_ZH = {2: ("左边", "右边"), 3: ("左边", "中间", "右边")}
PLACES = {2: ("left", "right"), 3: ("left", "middle", "right")}


class Told(NamedTuple):
    """A caption as it goes into the set."""

    text: str
    mended: bool  # a rule rewrote it
    names_sides: bool  # of itself
    warnings: list[str]  # codes of what it lacks


def told_of(caption: str | None, cast: Sequence[tuple[str, str]]) -> Told:
    """Of (name, description) of everybody from the left. Where the caption does not say who is on which side, and all are
    described in the cast list, a sentence before it does. Raises Rejected: no_caption, and caption for what no rule can mend.
    """
    if not (scene := normalise(caption or "")):
        raise Rejected("no_caption", "nothing says what happens in it; wanted a caption in its sidecar")
    lacks = {fault.code for fault in lint(scene)}
    own = scene
    if "sides" in lacks and all(description for _, description in cast):
        scene = f"{_sides(cast, bool(HAN.search(scene)))} {scene}"
    text = fixed(scene)
    faults = lint(text)
    if wrong := next((fault for fault in faults if fault.level == "error" or fault.fix is not None), None):
        raise Rejected("caption", f"{wrong.code}: {wrong.message}")
    return Told(text, text != own, "sides" not in lacks, sorted({fault.code for fault in faults}))


def _sides(cast: Sequence[tuple[str, str]], in_chinese: bool) -> str:
    if in_chinese:
        places = zip(PLACES_ZH[len(cast)], cast, strict=True)
        return "；".join(f"{place}是{name}，{description}" for place, (name, description) in places) + "。"
    told = [
        f"{'in' if place == 'middle' else 'on'} the {place} {name}, {description}"
        for place, (name, description) in zip(PLACES[len(cast)], cast, strict=True)
    ]
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}."
