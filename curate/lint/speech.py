"""Verbs of speech."""

import re
from typing import Final

from curate.lint.words import HAN, any_of

# Each with -s, -ed and -ing.
REGULAR: Final = (
    "whisper", "shout", "murmur", "mutter", "answer", "ask", "warn", "announce", "explain", "insist", "confess", "remark", "add",
    "respond", "yell", "scream", "mumble", "order", "command", "demand", "beg", "plead", "exclaim", "call", "promise", "declare",
    "state", "urge", "repeat", "admit", "reply", "cry", "implore", "remind", "hiss", "tell", "say",
)  # fmt: skip
IRREGULAR: Final = {
    "tell": ("tells", "told", "telling"), "say": ("says", "said", "saying"), "beg": ("begs", "begged", "begging"),
    "admit": ("admits", "admitted", "admitting"), "reply": ("replies", "replied", "replying"), "cry": ("cries", "cried", "crying"),
    "hiss": ("hisses", "hissed", "hissing"),
}  # fmt: skip


def _forms(verb: str) -> tuple[str, str, str]:
    stem = verb.removesuffix("e")
    return IRREGULAR.get(verb, (f"{verb}s", f"{stem}ed", f"{stem}ing"))


FORMS: Final = {form: verb for verb in REGULAR for form in (verb, *_forms(verb))}


def _instead(verb: str, other: str) -> dict[str, str]:
    return dict(zip((verb, *_forms(verb)), (other, *_forms(other)), strict=True))


ASKING: Final = _instead("say", "ask")
TELLING: Final = _instead("say", "tell")
NEEDS_LISTENER: Final = frozenset({"tell", "remind"})  # before "that"
NO_THAT: Final = frozenset({"ask", "order", "command", "urge", "beg", "plead", "demand", "call", "implore"})
ORDERS_TO_NOBODY: Final = frozenset(  # before "to run", of whoever is there
    {"say", "whisper", "shout", "yell", "scream", "murmur", "mutter", "hiss"}
)
ORDERS: Final = ORDERS_TO_NOBODY | {
    "tell",
    "remind",
    "warn",
    "order",
    "command",
    "urge",
    "beg",
    "implore",
    "ask",
    "call",
}
VERBS: Final = any_of(*FORMS)

ADJACENT_ZH: Final = (  # a quotation follows at once
    "说道", "说着", "说", "[问笑答喝喊叫叹怒声冷惊急哭骂劝骂]道", "喊", "大喊", "低语", "耳语", "呢喃", "宣布", "解释", "承认", "答应", "回应", "补充",
)  # fmt: skip
TO_SOMEBODY_ZH: Final = (  # or after the one who listens
    "警告", "告诉", "提醒", "命令", "叮嘱", "嘱咐", "吩咐", "劝告", "劝说", "质问", "追问", "询问", "反问", "回答", "请求", "恳求", "安慰", "问",
)  # fmt: skip
VERBS_ZH: Final = rf"(?:{any_of(*ADJACENT_ZH)}|{any_of(*TO_SOMEBODY_ZH)}(?:道|[{HAN}]{{1,4}}?)?)"
ASKS_ZH: Final = "问"

# What an apostrophe can hardly follow.
AFTER_SPEECH: Final = re.compile(rf"(?:[:：]|(?:(?<!\w){VERBS}|{VERBS_ZH})[,，]?)\s*$", re.IGNORECASE)
