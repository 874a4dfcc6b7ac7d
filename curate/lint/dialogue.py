"""Quoted dialogue: a model that was trained on burned-in subtitles draws them for whatever is in quotation marks."""

import re
from collections.abc import Iterator
from typing import Final

from curate.lint import indirect, indirect_zh
from curate.lint.fault import Fault, shortened
from curate.lint.indirect import Lead, Pronoun, Scene
from curate.lint.quotes import MARKS, Quote, quotes
from curate.lint.speech import VERBS, VERBS_ZH
from curate.lint.words import HAN, HE, NAME, SHE, THEY, any_of, whole

CODE: Final = "quoted_dialogue"
WANTED: Final = "the model draws it as subtitles; tell it indirectly, as in 'warns her that the tea is poisoned' or 低声急切警告她茶水有毒"
PRONOUNS: Final[dict[str, Pronoun]] = {"him": "he", "her": "she", "them": "they"}
LOOK_BACK: Final = 120  # characters before a quotation in which its verb is

_PERSON: Final = rf"(?:him|her|them|(?:the|his|her) {any_of(*HE, *SHE, *THEY)}|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
_LEAD = re.compile(
    rf"(?<![\w-])(?P<verb>{VERBS})(?P<how>(?: (?:\w+ly|back|out))?)(?: (?P<to>(?:to )?{_PERSON}))?"
    rf"(?P<more>(?: \w+ly)?(?: in (?:a|an|his|her) (?:\w+ )?(?:voice|ear|tone|whisper))?)\s*[,:]?\s*$"
)
_TAIL = re.compile(
    rf"[,.]?\s*(?P<who>[Hh]e|[Ss]he|[Tt]hey|[Tt]he \w+) (?P<verb>{VERBS})(?: (?P<to>(?:to )?{_PERSON}))?(?=\s*(?:[.;]|$))"
)
_LEAD_ZH = re.compile(rf"(?P<verb>{VERBS_ZH})(?:[：:，,]|\s)*$")
_TAIL_ZH = re.compile(rf"[，,]?\s*(?P<who>[{HAN}]{{1,8}}?)(?P<verb>{VERBS_ZH})(?=\s*(?:[。；！]|$))")
_SIGNS = re.compile(
    r"\b(?:sign|banner|text|title|label|screen|letter|note|poster|caption|subtitle|board|card|words?|message)\b[^.!?]*$|"
    r"(?:招牌|牌匾|字幕|标语|横幅|信上|写着|标题|文字|屏幕)[^。！？]*$", re.IGNORECASE,
)  # fmt: skip
_HE, _SHE = re.compile(whole("he", *HE), re.IGNORECASE), re.compile(whole("she", *SHE), re.IGNORECASE)
_MENTION = re.compile(rf"(?i:{whole('he', 'she', *HE, *SHE, *THEY, plural=True)})|{NAME}")
_CLAUSE = re.compile(r"\b(?:while|as|when|who|whom|after|before|until|that)\b|;")
_HAN_LETTER = re.compile(f"[{HAN}]")


def quoted(text: str) -> Iterator[Fault]:
    """A fault for every quotation and every mark that has no other."""
    found = list(quotes(text))
    paired = all(quote.inside is not None for quote in found)
    end = 0
    for quote in found:
        if quote.inside is None:
            mark = text[quote.start : quote.end]
            yield Fault(
                code=CODE, level="error", message=f"{mark} without its other mark; {WANTED}", span=(quote.start, quote.end)
            )  # fmt: skip
            continue
        told = _told(text, quote, end) if paired else None
        shown = shortened(text[quote.start : quote.end])
        if told is None:
            yield Fault(code=CODE, level="error", message=f"{shown}: {WANTED}", span=(quote.start, quote.end))
            continue
        start, end, fix = told
        yield Fault(code=CODE, level="fixed", message=f"{shown} told indirectly", span=(start, end), fix=fix)


def _told(text: str, quote: Quote, least: int) -> tuple[int, int, str] | None:
    """Start and end of what to replace, and by what; `least` is where the last replacement ended."""
    inside = quote.inside or ""
    start = max(least, quote.start - LOOK_BACK)
    before, after = text[start : quote.start], text[quote.end :]
    if (
        quote.start < least
        or any(mark in inside for mark in MARKS if mark not in "'’")
        or _SIGNS.search(before)
    ):
        return None
    told = _told_after if not before.strip() or before.rstrip()[-1] in ".!?。！？" else _told_before
    if not (found := told(before, inside, after, text[: quote.start])):
        return None
    first, last, fix = found
    return start + first if told is _told_before else quote.start, quote.end + last, fix


def _told_before(before: str, inside: str, after: str, earlier: str) -> tuple[int, int, str] | None:
    """She warns him: "The tea is poisoned." """
    if _HAN_LETTER.search(inside):
        lead = _LEAD_ZH.search(before)
        fix = indirect_zh.reported(lead["verb"], inside) if lead else None
    elif lead := _LEAD.search(before):
        words = Lead(*(lead[name] or "" for name in ("verb", "how", "to", "more")))
        fix = indirect.reported(words, inside, _scene(before[: lead.start()], words.to, earlier))
    else:
        fix = None
    return (lead.start(), 0, fix + _stop(inside, after)) if lead and fix else None


def _told_after(_: str, inside: str, after: str, earlier: str) -> tuple[int, int, str] | None:
    """ "The tea is poisoned," she warns him."""
    if _HAN_LETTER.search(inside):
        if not (tail := _TAIL_ZH.match(after)):
            return None
        fix = indirect_zh.reported(tail["verb"], inside)
        return (0, tail.end(), tail["who"] + fix) if fix else None
    if not (tail := _TAIL.match(after)) or _SIGNS.search(tail["who"]):
        return None
    who, to = tail["who"], tail["to"] or ""
    fix = indirect.reported(
        Lead(tail["verb"], to=to), inside.strip().removesuffix(","), _scene(who, to, earlier)
    )
    return (0, tail.end(), f"{who[0].upper()}{who[1:]} {fix}") if fix else None


def _scene(before: str, to: str, earlier: str) -> Scene:
    """Who speaks in the sentence that ends with `before`, and who listens: the one addressed, or the other of two."""
    speaker = _speaker(re.split(r"[.!?]", before)[-1])
    if to:
        bare = to.removeprefix("to ")
        return Scene(speaker, PRONOUNS[bare] if bare in PRONOUNS else _kind(bare.split()[-1]))
    both = {_kind(found[0]) for found in _MENTION.finditer(earlier)} | {speaker} >= {"he", "she"}
    return Scene(speaker, ("she" if speaker == "he" else "he") if both and speaker in ("he", "she") else None)


def _speaker(sentence: str) -> Pronoun | None:
    """Whoever stands just before the verb; of a sentence without clauses its subject; None where it is not certain."""
    found = list(_MENTION.finditer(sentence))
    if not found or re.search(r"\b(?:who|which|that)\s*$", sentence):
        return None
    kinds = [_kind(mention[0]) for mention in found]
    if re.fullmatch(r"(?: \w+ly)?\s*", sentence[found[-1].end() :]):
        return kinds[-1]
    if len(set(kinds)) == 1 or (re.search(r"\band\s*$", sentence) and not _CLAUSE.search(sentence)):
        return kinds[0]
    return None


def _kind(word: str) -> Pronoun | None:
    return "he" if _HE.fullmatch(word) else "she" if _SHE.fullmatch(word) else None


def _stop(inside: str, after: str) -> str:
    """The full stop that the quotation brought along, where the sentence ends with it."""
    rest = after.lstrip()
    if not inside.rstrip().endswith(tuple(".!?。！？")) or rest[:1] in tuple(".!?,;:。！？，；："):
        return ""
    if _HAN_LETTER.search(inside):
        return "。"
    return "." if not rest or rest[0].isupper() else ""
