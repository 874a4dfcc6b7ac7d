"""All rules together, and the mending of what can be mended."""

from typing import Final

from curate.lint.clothing import dark
from curate.lint.dialogue import quoted
from curate.lint.fault import Fault
from curate.lint.scene import scene
from curate.lint.things import detached

MOST_CHARACTERS: Final = 5000  # LTX-2.3 reads 1,024 tokens
MOST_ROUNDS: Final = 20
RANK: Final = {"error": 0, "fixed": 1, "warning": 2}


def lint(caption: str) -> list[Fault]:
    """What is wrong with a caption, errors first, then what `fixed` mends, each in the order of the text."""
    whole = (0, len(caption))
    if not any(char.isalnum() for char in caption):
        return [Fault(code="empty", level="error", message="the caption is empty", span=whole)]
    if len(caption) > MOST_CHARACTERS:
        message = f"{len(caption):,} characters, wanted {MOST_CHARACTERS:,} or fewer"
        return [Fault(code="too_long", level="error", message=message, span=whole)]
    faults = [*quoted(caption), *dark(caption), *detached(caption), *scene(caption)]
    return sorted(faults, key=lambda fault: (RANK[fault.level], fault.span))


def fixed(caption: str) -> str:
    """The caption with all fixes put in, until there are none; a caption without any is returned as it is."""
    for _ in range(MOST_ROUNDS):  # a fix can show another: a garment that now has a colour
        mended = _once(caption)
        if mended == caption:
            break
        caption = mended
    return caption


def _once(caption: str) -> str:
    """The fixes of one round, those that overlap left for the next."""
    end = len(caption) + 1
    for fault in sorted((f for f in lint(caption) if f.fix is not None), key=lambda f: f.span, reverse=True):
        if fault.span[1] <= end and (fault.span[1] < end or fault.span[0] < end):
            caption = caption[: fault.span[0]] + (fault.fix or "") + caption[fault.span[1] :]
            end = fault.span[0]
    return caption
