"""Where quotation marks are, of any script, and what is an apostrophe or a measure of inches instead."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from curate.lint.speech import AFTER_SPEECH
from curate.lint.words import HAN

# Each family opens with any of its first marks and closes with any of its second.
DOUBLE: Final = '"“”„‟＂〝〞〟❝❞'
FAMILIES: Final = (
    (DOUBLE, DOUBLE),
    ("«", "»"), ("»", "«"), ("‹", "›"), ("›", "‹"),
    ("「｢﹁", "」｣﹂"), ("『﹃", "』﹄"),
)  # fmt: skip
CLOSING_ONLY: Final = "」｣﹂』﹄"
CLOSES: Final = {mark: closing for opening, closing in FAMILIES for mark in opening} | dict.fromkeys(
    CLOSING_ONLY, ""
)
SINGLE: Final = "'‘‚＇❛"
SINGLE_CLOSES: Final = "'’＇❜"
MARKS: Final = "".join(CLOSES) + SINGLE + "❜"
_MARK = re.compile(f"[{re.escape(MARKS)}]")
_ELISION = re.compile(
    r".(?:tis|twas|twere|twill|em|til|till|cause|cos|n|round|bout|neath|gainst|kay|sup|ere|\d\ds?)(?![^\W_])", re.IGNORECASE
)  # fmt: skip
_HAN = re.compile(f"[{HAN}]")
_NO_LETTER = rf"(?!(?![{HAN}])[^\W_])"
_STRAIGHT_CLOSE = re.compile(rf"(?<!\s)[{SINGLE_CLOSES}]{_NO_LETTER}")
_CURLY_CLOSE = re.compile(rf"[{SINGLE_CLOSES}]{_NO_LETTER}")
_LOW_CLOSE = re.compile(rf"[{SINGLE_CLOSES}‘]{_NO_LETTER}")


class Quote(NamedTuple):
    """text[start:end] with its marks; `inside` is what they enclose, None where the other mark is missing."""

    start: int
    end: int
    inside: str | None


def quotes(text: str) -> Iterator[Quote]:
    """The quotations of a text from left to right; what is quoted within one is part of it."""
    place = 0
    while found := _MARK.search(text, place):
        start = found.start()
        if found[0] in SINGLE + "❜":
            end = _single_end(text, start)
        elif _inches(text, start):
            end = None
        else:
            end = _next_of(text, CLOSES[found[0]], start + 1) or start
        if end is None:
            place = start + 1
            continue
        yield Quote(start, end + 1, text[start + 1 : end] if end > start else None)
        place = end + 1


def _next_of(text: str, marks: str, place: int) -> int | None:
    places = [at for mark in marks if (at := text.find(mark, place)) >= 0]
    return min(places, default=None)


def _inches(text: str, place: int) -> bool:
    """A mark after a number, such as 5'10", before which nothing was opened."""
    if text[place] not in '"”＂' or not text[place - 1 : place].isdigit():
        return False
    return not _lettered(text[place + 1 : place + 2])


def _lettered(char: str) -> bool:
    """A letter or digit of a script that parts its words by spaces, so that an apostrophe may stand beside it."""
    return char.isalnum() and not _HAN.match(char)


def _single_end(text: str, place: int) -> int | None:
    """Where a quotation in single marks ends; the place itself for a mark without its other; None: an apostrophe."""
    after = text[place + 1 : place + 2]
    if _lettered(text[place - 1 : place] if place else ""):
        return None
    if _ELISION.match(text, place) and not AFTER_SPEECH.search(text[max(0, place - 40) : place]):
        return None
    if text[place] in "❜":
        return place
    straight = text[place] in "'＇"
    if straight and (not after or after.isspace()):
        return None
    kind = _STRAIGHT_CLOSE if straight else _LOW_CLOSE if text[place] == "‚" else _CURLY_CLOSE
    possessive = None
    for found in kind.finditer(text, place + 1):
        end = found.start()
        if text[end - 1] not in "sS" or text[end + 1 : end + 2] != " ":
            return end
        possessive = possessive or end  # perhaps the dogs' bowls
    return possessive or (None if straight else place)
