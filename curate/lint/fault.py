"""One thing that is wrong with a caption."""

from typing import Literal

from curate.records import Record

Level = Literal["error", "warning", "fixed"]
MOST_SHOWN = 60  # characters of a caption in a message


class Fault(Record):
    """What is wrong, where, and what would mend it.

    `span` counts characters of the caption from 0, its end excluded; `fix` is what to put in its place, and is there
    for the level `fixed` only.
    """

    code: str
    level: Level
    message: str
    span: tuple[int, int]
    fix: str | None = None


def shortened(text: str) -> str:
    """`text` in quotes and on one line, for a message."""
    return repr(text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "...")
