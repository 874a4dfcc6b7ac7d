"""What a whole prompt says besides what happens: who is there and where, how large they are seen, what the camera does."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from curate.lint.fault import Fault
from curate.lint.words import (
    CAMERA,
    CAMERA_ZH,
    DARK,
    HAN,
    HE,
    LIGHT,
    LIGHT_ZH,
    LOOKS,
    LOOKS_ZH,
    NAME,
    ON_BODY,
    ON_BODY_ZH,
    ON_HEAD,
    ON_HEAD_ZH,
    PEOPLE_ZH,
    SHE,
    SIZES,
    SIZES_ZH,
    THEY,
    any_of,
    whole,
)  # fmt: skip

_PERSON = re.compile(
    rf"(?i:{whole(*HE, *SHE, *THEY)})|(?P<name>(?<![.!?:;] )(?<!^){NAME}|\b[A-Z][a-z]+ [A-Z][a-z]+\b)"
)
_WORDS = r"(?:(?!(?:a|an|the|another|one|his|her)\b)[\w-]+,?\s+){0,5}$"
_NEW = re.compile(rf"\b(?:a|an|another|second|other)\s+{_WORDS}", re.IGNORECASE)
_ARTICLE = re.compile(rf"\b(?:a|an|the|another|one|his|her)\s+{_WORDS}", re.IGNORECASE)
_PAIR = re.compile(
    r"\b(?:two|both|a couple of|a pair of|three)\s+(?:[\w-]+,?\s+){0,4}(?:\w+men|men|women|people|persons|\w+s)\b|\bcouple\b|\beach other\b|\bone another\b"
    r"|两人|二人|两个人|双人|两名|两位|一男一女|彼此|对视|三人|三名|三位", re.IGNORECASE,
)  # fmt: skip
_HAN = re.compile(f"[{HAN}]")
_PERSON_ZH = re.compile(any_of(*PEOPLE_ZH))
_LOOKS = re.compile(
    rf"(?i:{whole(*LOOKS, *ON_HEAD, *ON_BODY, *DARK, *LIGHT, plural=True)})|{any_of(*LOOKS_ZH, *ON_HEAD_ZH, *ON_BODY_ZH)}|{LIGHT_ZH}色"
)
_BODY = (
    r"(?:hands?|arms?|eyes?|shoulders?|foot|feet|legs?|sleeves?|ears?|cheeks?|knees?|palms?|wrists?|temple)"
)
_SIDES: Final = {
    side: re.compile(
        rf"\b(?:on|at|to|in|from|of)\s+(?:the|his|her|their|screen|camera|frame|far|centre|center)?\s*(?:far[- ])?{side}\b(?![- ]{_BODY})"
        rf"|(?<!turns )(?<!turn )\b{side}(?:-hand)?[- ](?:side|of|half|third|edge|foreground|frame|one|figure|character|man|woman|person)\b"
        rf"|\b(?:screen|camera|frame|stage)[- ]{side}\b|(?:^|[.;,(]\s*){side}:|{zh}(?:侧|边|方|面|半|首)|画[面中]{zh}|居{zh}|一左一右|分[列坐立]左右",
        re.IGNORECASE,
    )
    for side, zh in (("left", "左"), ("right", "右"))
}  # fmt: skip
_SIZE = re.compile(rf"{whole(*SIZES)}|{any_of(*SIZES_ZH)}", re.IGNORECASE)
_CAMERA = re.compile(rf"{whole(*CAMERA)}|{any_of(*CAMERA_ZH)}", re.IGNORECASE)


def scene(text: str) -> Iterator[Fault]:
    """A warning for everything that a whole prompt would say and this one does not."""
    missing = [side for side, kind in _SIDES.items() if not kind.search(text)]
    if told := _characters(text, both_sides=not missing):
        yield _warning("characters", told, text)
    if missing:
        yield _warning(
            "sides",
            f"nobody is on the {' or '.join(missing)}; wanted who is on the left and who on the right",
            text,
        )
    if not _SIZE.search(text):
        yield _warning(
            "shot_size", "no shot size, wanted such as 'medium two-shot', 'close-up' or 中景", text
        )
    if not _CAMERA.search(text):
        yield _warning(
            "camera", "no camera, wanted such as 'static camera', 'the camera pushes in' or 固定镜头", text
        )


def _warning(code: str, message: str, text: str) -> Fault:
    return Fault(code=code, level="warning", message=message, span=(0, len(text)))


def _characters(text: str, both_sides: bool) -> str | None:
    """What is missing of two described characters."""
    parts = _described(text)
    if len(parts) >= 2:
        bare = [who for who, described in parts.items() if not described]
        return (
            f"{bare[0]!r} is not described; wanted age, hair or clothes"
            if len(parts) - len(bare) < 2
            else None
        )
    # names in Chinese are not found: there, two sides are two characters
    if not _PAIR.search(text) and not (both_sides and (not parts or _HAN.search(text))):
        found = next((f"only {who!r}" for who in parts), "nobody")
        return f"found {found}, wanted two characters, each described"
    if len(_LOOKS.findall(text)) < 2:
        return "two characters, but not what each looks like; wanted age, hair or clothes"
    return None


def _described(text: str) -> dict[str, bool]:
    """Everybody who is named, and whether something is said of how they look."""
    starts = sorted([*_starts(text), *_starts_zh(text)])
    found = dict[str, bool]()
    for (start, who), (end, _) in pairwise([*starts, (len(text), "")]):
        found[who] = found.get(who, False) or bool(_LOOKS.search(text, start, end))
    return found


def _starts(text: str) -> Iterator[tuple[int, str]]:
    """Where the words about a person begin, and who it is; "a man ... another man" are two."""
    seen = set[str]()
    for found in _PERSON.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        article = None if found["name"] else _ARTICLE.search(before)
        start = found.start() - (len(before) - article.start() if article else 0)
        who = found[0] if found["name"] else found[0].lower()
        if who in seen and _NEW.search(before):
            who = f"other {who}"
        seen.add(who)
        yield start, who


def _starts_zh(text: str) -> Iterator[tuple[int, str]]:
    """As `_starts`: what describes somebody stands before, from the last mark or conjunction on."""
    for found in _PERSON_ZH.finditer(text):
        before = text[max(0, found.start() - 16) : found.start()]
        start = found.start() - len(re.split(r"[，。、；：,.;]|和|与|对着|看着", before)[-1])
        yield start, found[0]
