"""Captions of a task video: made one line, and held against the rules of the seed (literal; start, action, end).

| code | flaw | trips on |
|---|---|---|
| `empty` | error | no letter and no digit |
| `placeholder` | error | a hole that a template left open: `{x}`, `{{x}}`, `%s`, `<x>`, a lone None, nan, null, undefined, TODO |
| `unknown` | error | a "unknown" in the place of a value: "a unknown star", "from unknown to red" |
| `no_start_state` | warning | nothing says what is there at first |
| `no_action` | warning | no verb of motion or change |
| `no_end_state` | warning | no words of an end, or a puzzle (find, infer, calculate ...) whose result is not told |
| `vague` | warning | around, somehow, something ...; or a pouring, flowing, bouncing that never ends |
| `short` | warning | fewer than 8 words |
| `long` | warning | more than 200 words |
| `article` | warning | "a orange", "an red" |

A caption with an error must not be trained on. Warnings read English only, by lists of words, and can be wrong.
"""

import re
import unicodedata
from collections.abc import Callable
from re import Pattern
from typing import Final

from curate.records import Record

LEAST_WORDS: Final = 8
MOST_WORDS: Final = 200

# Words as regular expressions; a trailing \w* takes every ending of a verb.
STARTS: Final = (
    r"scene (?:shows|has|displays|contains)", r"there (?:is|are)", r"(?:is|are) shown", r"in the scene", r"initial\w*",
    r"at (?:first|the start|the beginning)", r"start(?:s|ing)?", r"begin\w*", r"from (?:the|a|an|its|their)", r"shows",
)  # fmt: skip
SUBJECTS: Final = r"(?:a|an|the|this|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|each|every|all|both|\d+) "
ACTIONS: Final = (
    "absorb", "align", "appear", "appl(?:y|ies)", "arrang", "becom", "bounc", "chang", "check", "collid",
    "connect", "convert", "cross", "disappear", "drag", "draw", "drop", "evolv", "expand", "fade", "fall", "fell",
    "fill", "flow", "fly", "flies", "follow", "grow", "highlight", "insert", "join", "jump", "lift", "mark",
    "merg", "mirror", "mix", "mov", "open", "pass", "plac", "pour", "pull", "push", "reach", "remov", "return", "rise",
    "roll", "rotat", "scal", "settl", "shrink", "slid", "sort", "spin", "split", "spread", "stack", "swap", "switch",
    "swing", "travel", "turn", "visit", "walk",
)  # fmt: skip
RESULTS: Final = (  # the end is told, and not only asked for
    r"until", r"at the end", r"in the end", r"ends", r"ended", r"finally", r"eventually", r"come\w* to rest",
)  # fmt: skip
ENDS: Final = (
    *RESULTS, r"stop(?:s|ped)?", r"becom\w*", r"reach\w*", r"return\w*", r"so (?:that|the)", r"the goal is", r"to complete",
    r"creating", r"forming", r"leaving", r"making", r"turns? (?:red|green|blue|yellow|white|black|gray|grey)",
)  # fmt: skip
PUZZLES: Final = (
    r"infer", r"find", r"analy[sz]e", r"calculate", r"determine", r"identify", r"predict", r"deduce", r"figure out",
    r"decide", r"solve", r"simulate", r"(?<!the )count",
)  # fmt: skip
VAGUE: Final = (
    r"around(?! (?:the|its|their|his|her|a|an|it|this|that|each|both|\d))", r"somehow", r"something", r"somewhere",
    r"some (?:kind|sort|way)", r"stuff", r"etc", r"and so on", r"maybe", r"perhaps", r"possibly", r"whatever",
)  # fmt: skip
ENDLESS: Final = (
    r"(?:pour|flow|bounc|mov|spin|rotat|roll|float|drift|swirl|wobbl|danc|sway|fly|spread)\w*ing",
)
HOLES: Final = (
    r"\{\{?\s*(?:[A-Za-z_][\w.]*(?:[:!][^{}]*)?|\d?)\s*\}?\}",  # {x}, {{ x }}, {x:.2f}, {}, {0}
    r"(?<![\d%])%(?:\(\w+\))?(?:\.\d+)?[sdifr](?!\w)",
    r"(?<!\w)<[A-Za-z_][\w-]*>",
    r"(?<![\w-])(?:nan|NaN|NAN|null|NULL|undefined|TODO)(?![\w-])",
    r"(?<!\w)None(?! of\b)(?!\w)",
)
NONE_IN_ENGLISH: Final = (
    r"(?:^|[.!?] )None(?= (?:are|is|was|were|remains?|can|will|may|has|have|but|other)\b)"
)
# "? is the unknown result" (O-8) and "an unknown quantity" are English; "a unknown star" and "from unknown to red" (O-7) are not.
BEFORE_AN_UNKNOWN: Final = ("the", "an", "this", "that", "its", "their", "one", "each", "every", "any")
SOUNDS_LIKE_A: Final = r"uni(?:t|q|f|on|v|c|l)|us[aeiu]|uti|ura|ubi|eu|ewe|one\b|once\b|u\b"
SOUNDS_LIKE_AN: Final = r"[aeiou]|8|11(?!\d)|18(?!\d)|hour|honest|honou?r|heir"
LETTERS_WITH_AN: Final = "AEFHILMNORSX"
NO_NOUN: Final = (  # after a letter that is a name, as in "A is above B"
    "is", "and", "or", "are", "in", "on", "at", "as", "of", "if", "after", "until", "onto", "under", "into", "over",
)  # fmt: skip


class Flaw(Record):
    """One thing that is wrong with a caption; with `error` it must not be trained on."""

    code: str
    error: bool
    says: str


class _Blanks(dict[int, str]):
    """What each character becomes: words stay, what separates them is a space, what is invisible is nothing."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind = unicodedata.category(char)
        if char.isspace() or kind in {"Cc", "Cs", "Zl", "Zp"} or char in "\u200b\ufeff":
            self[code] = " "
        else:
            self[code] = "" if kind == "Cf" and char not in "\u200c\u200d" else char
        return self[code]


_BLANKS = _Blanks()


def normalise(text: str) -> str:
    """`text` on one line: every run of spaces, newlines, control characters and lone surrogates is one space.

    A zero-width space or a byte order mark separates words and counts as a space; soft hyphens, word joiners and marks
    of direction, which stand inside words, are removed; the joiners U+200C and U+200D stay between two visible
    characters, where Persian, Hindi and emoji are spelt with them. Nothing else changes: no case, quote or form.
    """
    text = text.translate(_BLANKS)
    return re.sub(
        r"[\u200c\u200d]*(?: [\u200c\u200d]*)+|^[\u200c\u200d]+|[\u200c\u200d]+$", " ", text
    ).strip()


def article(word: str) -> str | None:
    """ "a" or "an", by how the word begins to sound; None for what could be spelt out or read, such as RGB."""
    if len(word) == 1 or word[1:2] in ("-", "_"):
        return "an" if word[0] in LETTERS_WITH_AN + "aefhilmnorsx8" else "a"
    if word[:2].isupper():
        return None
    sounds_like_an = re.match(SOUNDS_LIKE_AN, word, re.IGNORECASE) and not re.match(
        SOUNDS_LIKE_A, word, re.IGNORECASE
    )
    return "an" if sounds_like_an else "a"


def lint(text: str) -> list[Flaw]:
    """What is wrong with a caption, errors first; the table above has the codes."""
    text = normalise(text)
    if not any(char.isalnum() for char in text):
        return [Flaw(code="empty", error=True, says="the caption is empty")]
    found = ((code, error, check(text)) for code, error, check in _CHECKS)
    return [Flaw(code=code, error=error, says=says) for code, error, says in found if says]


def _any(*words: str) -> Pattern[str]:
    """Any of the words, as whole words."""
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)


_STARTS, _RESULTS, _ENDS, _PUZZLES = _any(*STARTS), _any(*RESULTS), _any(*ENDS), _any(*PUZZLES)
_VAGUE, _ENDLESS = _any(*VAGUE), _any(*ENDLESS)
_ACTIONS = _any(*(rf"{stem}\w*" for stem in ACTIONS))
_SUBJECT = re.compile(SUBJECTS, re.IGNORECASE)
_HOLES, _NONE_IN_ENGLISH = re.compile("|".join(HOLES)), re.compile(NONE_IN_ENGLISH)
_UNKNOWN = re.compile(
    r"(?:(?<!\w)\w+ )?"
    + "".join(rf"(?<!\b(?i:{word}) )" for word in BEFORE_AN_UNKNOWN)
    + r"(?<!\w)unknown(?!\w)(?: \w+)?"
)
_ARTICLE = re.compile(r"(?<![\w.])(a|an|(?:(?<=^)|(?<=[.!?] ))(?:A|An)) ([^\W_][\w-]*)")


def _placeholder(text: str) -> str | None:
    hole = _HOLES.search(_NONE_IN_ENGLISH.sub("", text))
    return f"unresolved {hole.group()!r}" if hole else None


def _unknown(text: str) -> str | None:
    found = _UNKNOWN.search(text)
    return f"{found.group()!r}: a value that was never filled in" if found else None


def _no_start_state(text: str) -> str | None:
    known = _SUBJECT.match(text) or _STARTS.search(text)
    return None if known else "nothing says what is there at first"


def _no_action(text: str) -> str | None:
    return None if _ACTIONS.search(text) else "no verb says what moves or changes"


def _no_end_state(text: str) -> str | None:
    if not _ENDS.search(text):
        return "nothing says how it ends"
    puzzle = _PUZZLES.search(text)
    return f"{puzzle.group()!r} without the result" if puzzle and not _RESULTS.search(text) else None


def _vague(text: str) -> str | None:
    if found := _VAGUE.search(text):
        return f"{found.group()!r} is vague"
    endless = _ENDLESS.search(text)
    return f"{endless.group()!r} has no end" if endless and not _ENDS.search(text) else None


def _short(text: str) -> str | None:
    words = len(text.split())
    return f"{words} words, wanted {LEAST_WORDS} or more" if words < LEAST_WORDS else None


def _long(text: str) -> str | None:
    words = len(text.split())
    return f"{words} words, wanted {MOST_WORDS} or fewer" if words > MOST_WORDS else None


def _article(text: str) -> str | None:
    for found in _ARTICLE.finditer(text):
        wanted = article(found[2])
        if wanted and found[1].lower() != wanted and found[2] not in NO_NOUN and found[2][0] not in "hH":
            return f"{found.group()!r}, wanted {wanted!r}"
    return None


_CHECKS: tuple[tuple[str, bool, Callable[[str], str | None]], ...] = (
    ("placeholder", True, _placeholder),
    ("unknown", True, _unknown),
    ("no_start_state", False, _no_start_state),
    ("no_action", False, _no_action),
    ("no_end_state", False, _no_end_state),
    ("vague", False, _vague),
    ("short", False, _short),
    ("long", False, _long),
    ("article", False, _article),
)
