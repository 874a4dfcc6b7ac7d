"""What a reading says, whatever its case and its punctuation: the same text is read a little differently each time."""

from difflib import SequenceMatcher


def plain(text: str) -> str:
    """Its letters and digits, without case."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def signs(text: str) -> int:
    """Letters and digits; a Chinese one counts for two."""
    return sum(1 + (sign >= "\u2e80") for sign in plain(text))


def likeness(one: str, other: str) -> float:
    """How alike two readings are, 0 to 1, by `difflib`."""
    return SequenceMatcher(None, plain(one), plain(other), autojunk=False).ratio()


def is_alike(one: str, other: str, least: float) -> bool:
    """Whether `likeness` is at least so much; quicker where it is not."""
    matched = SequenceMatcher(None, plain(one), plain(other), autojunk=False)
    return all(each() >= least for each in (matched.real_quick_ratio, matched.quick_ratio, matched.ratio))
