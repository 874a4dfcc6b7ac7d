"""Dark clothing: its colour drifts to white unless it is repeated, in capitals, at every garment."""

import re
from collections.abc import Iterator
from typing import Final

from curate.lint.fault import Fault, shortened
from curate.lint.words import (
    CUTS,
    CUTS_ZH,
    DARK,
    DARK_ZH,
    HE,
    LIGHT,
    LIGHT_ZH,
    NO_CLOTHING,
    NO_CLOTHING_ZH,
    ON_BODY,
    ON_BODY_ZH,
    ON_HEAD,
    ON_HEAD_ZH,
    SHE,
    any_of,
    whole,
)  # fmt: skip

CODE: Final = "dark_clothing"
_COLOURS = any_of(*DARK, *LIGHT)
_CUT = (
    rf"(?:{any_of(*CUTS)}|(?![\w-]*\b{any_of(*LIGHT, 'black', 'navy')}\b)\w+-\w+|(?!{_COLOURS}\b)\w{{3,}}ed)"
)
_GARMENT = whole(*(word for word in (*ON_HEAD, *ON_BODY) if word not in NO_CLOTHING), plural=True)
_WORN = rf"(?:{_CUT},?\s+){{0,4}}{_GARMENT}(?:\s+{_GARMENT}){{0,2}}"
_COLOURED = re.compile(rf"(?<![\w-])(?P<colour>{_COLOURS})(?![\w-]),?\s+(?P<worn>{_WORN})", re.IGNORECASE)
_LISTED = re.compile(rf"(?:,\s+{_WORN}){{0,5}},?\s+(?:and|&)\s+{_WORN}", re.IGNORECASE)
_ONE_WORN = re.compile(_WORN, re.IGNORECASE)
_AGAIN = re.compile(rf"\b(?P<whose>the|his|her|their)\s+(?P<worn>{_WORN})", re.IGNORECASE)
_WORD = re.compile(_GARMENT, re.IGNORECASE)
_DARK = re.compile(any_of(*DARK), re.IGNORECASE)
_LOOSE = re.compile(
    rf"\b(?:dressed|clad|clothed)\s+(?:\w+\s+)?in\s+(?P<a>{any_of(*DARK)})(?![\w-])(?!,?\s+{_WORN})"
    rf"|\b(?:wearing|wears|in)\s+(?P<b>{any_of(*DARK)})(?=\s*(?:[.,;]|$))"
    rf"|\b(?P<c>{any_of(*DARK)})-clad\b|{_GARMENT}\s+(?:is|are|was|were)\s+(?P<d>{any_of(*DARK)})(?![\w-])", re.IGNORECASE,
)  # fmt: skip
_HE = re.compile(
    whole("he", "his", *HE) + "|他|男|公子|王爷|王子|太子|皇子|皇帝|将军|父亲|先生|书生", re.IGNORECASE
)
_SHE = re.compile(whole("she", "her", *SHE) + "|她|女|姑娘|小姐|公主|皇后|贵妃|丫鬟|母亲", re.IGNORECASE)
HIS: Final = {"his": "he", "her": "she", "他的": "he", "她的": "she"}

_GARMENT_ZH = any_of(*(word for word in (*ON_HEAD_ZH, *ON_BODY_ZH) if word not in NO_CLOTHING_ZH))
_WORN_ZH = rf"(?:{any_of(*CUTS_ZH)}的?){{0,3}}{_GARMENT_ZH}"
_COLOURED_ZH = re.compile(
    rf"(?P<colour>{any_of(*DARK_ZH)}|{LIGHT_ZH}色?)(?P<of>的?)(?P<worn>{_WORN_ZH})(?P<rest>(?:(?:、|和|与|及|以及|跟){_WORN_ZH})*)"
)
_DARK_ZH = re.compile(any_of(*DARK_ZH))
_WORD_ZH = re.compile(_GARMENT_ZH)
_ONE_WORN_ZH = re.compile(_WORN_ZH)
_AGAIN_ZH = re.compile(rf"(?P<whose>[他她]的|[这那][件顶身条双套])(?P<worn>{_WORN_ZH})")
_LOOSE_ZH = re.compile(
    r"(?:身穿|身着|穿着|一身|穿)(?:一身|一袭)?(?P<a>黑色?|深色|玄色)(?=[，。、；！,.;\s]|的?[男女人]|$)"
)


def dark(text: str) -> Iterator[Fault]:
    """A fault for every dark garment whose colour is not said, or not in capitals."""
    yield from _english(text)
    yield from _chinese(text)
    for kind in (_LOOSE, _LOOSE_ZH):
        for found in kind.finditer(text):
            yield Fault(
                code=CODE, level="warning", span=found.span(),
                message=f"{shortened(found[0])}: glue the colour to every garment, as in 'BLACK coat, BLACK trousers' or 黑色外套、黑色长裤",
            )  # fmt: skip


class _Said:
    """Which colours a text gives to a kind of garment, and who wears it."""

    def __init__(self) -> None:
        self.colours = dict[str, set[str]]()
        self.owners = dict[str, str | None]()

    def add(self, garment: str, colour: str, before: str) -> None:
        self.colours.setdefault(_bare(garment), set()).add(colour)
        self.owners.setdefault(_bare(garment), _owner(before))

    def of(self, garment: str, whose: str) -> str | None:
        """Its one colour, when it can be nobody else's."""
        colours, owner = self.colours.get(_bare(garment), set()), self.owners.get(_bare(garment))
        if len(colours) != 1 or (owner and HIS.get(whose.lower(), owner) != owner):
            return None
        return next(iter(colours))


def _english(text: str) -> Iterator[Fault]:
    said = _Said()
    for found in _COLOURED.finditer(text):
        colour, listed = found["colour"], _LISTED.match(text, found.end())
        for garment in _WORD.findall(found["worn"]):
            said.add(garment, colour.upper(), text[: found.start()])
        if not _DARK.fullmatch(colour):
            continue
        if colour != colour.upper():
            yield _fault(found.span("colour"), found[0], colour.upper())
        for place in _ONE_WORN.finditer(text, listed.start(), listed.end()) if listed else ():
            yield _fault((place.start(), place.start()), place[0], colour.upper() + " ")
    for found in _AGAIN.finditer(text):
        again = said.of(_WORD.findall(found["worn"])[-1], found["whose"])
        if again and _DARK.fullmatch(again):
            yield _fault((found.start("worn"), found.start("worn")), found["worn"], again + " ")


def _chinese(text: str) -> Iterator[Fault]:
    said = _Said()
    for found in _COLOURED_ZH.finditer(text):
        colour = found["colour"] + found["of"]
        said.add(_WORD_ZH.findall(found["worn"])[-1], colour, text[: found.start()])
        for place in (
            _ONE_WORN_ZH.finditer(text, *found.span("rest")) if _DARK_ZH.fullmatch(found["colour"]) else ()
        ):
            yield _fault((place.start(), place.start()), place[0], colour)
    for found in _AGAIN_ZH.finditer(text):
        again = said.of(_WORD_ZH.findall(found["worn"])[-1], found["whose"])
        if again and _DARK_ZH.fullmatch(again.removesuffix("的")):
            yield _fault((found.start("worn"), found.start("worn")), found["worn"], again)


def _fault(span: tuple[int, int], worn: str, fix: str) -> Fault:
    found, wanted = shortened(worn), fix.strip()
    return Fault(code=CODE, level="fixed", message=f"{found}: wanted {wanted} at it", span=span, fix=fix)


def _bare(garment: str) -> str:
    """A garment without case and plural."""
    return garment.lower().removesuffix("s")


def _owner(before: str) -> str | None:
    """The pronoun of whoever was named last."""
    he, she = (max((found.start() for found in kind.finditer(before)), default=-1) for kind in (_HE, _SHE))
    return None if he == she else "he" if he > she else "she"
