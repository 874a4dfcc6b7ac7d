"""Things that leave the one who wears or holds them: in fast motion the model loses them."""

import re
from collections.abc import Iterator
from typing import Final

from curate.lint.fault import Fault, shortened
from curate.lint.words import (
    HAN,
    IN_HAND,
    IN_HAND_ZH,
    ON_BODY,
    ON_BODY_ZH,
    ON_HEAD,
    ON_HEAD_ZH,
    any_of,
    whole,
)  # fmt: skip

_THING = rf"(?P<thing>{whole(*ON_HEAD, *ON_BODY, *IN_HAND, plural=True)})"
_LEAVES = any_of(
    r"(?:fl(?:y|ies|ew|ying)|falls?|fell|falling|comes?|came|coming|slips?|slipped|slipping|pops?|popped|drops?|dropped|slides?|slid"
    r"|sliding|tumbles?|tumbled|tumbling|blows?|blew|blown|blowing|knocked|ripped|torn|thrown|whips?|whipped|shoots?|bounces?) (?:right |clean )?"
    r"(?:off|away|loose)",
    r"(?:fl(?:y|ies|ew|ying)|sails?|sailing|spins?|tumbles?|tumbling|soars?|hurtles?) (?:off |away )?through the air",
    r"(?:falls?|fell|falling|drops?|dropped|dropping|tumbles?|tumbled|tumbling|clatters?|crash(?:es)?|lands?|landed|landing|rolls?|rolling|"
    r"shatters?) (?:down )?(?:to|on|onto|across|against|into) the (?:\w+ )?(?:floor|ground|table|water|dust|mud|grass|snow|street)",
    r"(?:slips?|slipped|slipping|falls?|fell|falling|flies|flew|flying|drops?|dropped|is knocked|is torn|is ripped|tumbles?) "
    r"(?:from|out of) (?:his|her|their|the) (?:\w+ )?(?:hands?|grasp|fingers|grip|head|shoulders?|face|belt|waist)",
    "detach(?:es|ed|ing)?", r"falls? apart", r"dematerialis(?:es|ed)|dematerializ(?:es|ed)",
)  # fmt: skip
_BETWEEN = r"(?:\s+(?:suddenly|then|almost|nearly|is|are|was|gets|goes|will|would|may|might|can|\w+ly|that|which)){0,3}"
_LEAVING = re.compile(rf"{_THING}{_BETWEEN}\s+(?P<how>{_LEAVES})(?!\w)", re.IGNORECASE)
_WITH = re.compile(
    r"\b(?:in|with|wearing|holding|carrying|under|of|over|behind)\s+(?:(?:a|an|the|his|her|their)\s+)?(?:[\w-]+\s+){0,3}$", re.IGNORECASE
)  # fmt: skip
_NOT = re.compile(r"(?:\b(?:not|never|without|nor|cannot)|n['’]t)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_OF = r"(?:(?:the|his|her|their|a|an|its)\s+)?(?:[\w-]+\s+){0,3}?"
_TAKEN = re.compile(
    rf"\b(?P<how>knock(?:s|ed|ing)?|blow(?:s|n)?|rip(?:s|ped)?|tear(?:s)?|kick(?:s|ed)?|strik(?:es|ing)|yank(?:s|ed)?|sweep(?:s)?|snatch(?:es|ed)?)"
    rf"\s+{_OF}{_THING}\s+(?:\w+\s+)?(?:off|away|from|out of)(?!\w)", re.IGNORECASE,
)  # fmt: skip
_PUT_AWAY = re.compile(
    rf"\b(?P<how>(?:takes?|took|taking|pulls?|pulled|pulling) off|removes?|removed|removing|drops?|dropped|dropping|throws?|threw|throwing|"
    rf"toss(?:es|ed|ing)?|hurls?|hurled|hurling|flings?|flung|flinging|discards?|discarded|sheds?|lets? go of|takes?|took)"
    rf"(?: away| down| aside)?\s+{_OF}{_THING}(?P<off>\s+off(?!\w))?", re.IGNORECASE,
)  # fmt: skip
_TAKES = re.compile(r"take|took", re.IGNORECASE)
_ACTION = re.compile(
    whole(
        "spin", "spins", "spinning", "mid-spin", "twirl", "twirls", "twirling", "jump", "jumps", "jumping", "leap", "leaps", "leaping",
        "run", "runs", "running", "fight", "fights", "fighting", "duel", "dance", "dances", "dancing", "punch", "punches", "kick", "kicks",
        "kicking", "chase", "chases", "chasing", "sprint", "sprints", "flip", "flips", "somersault", "dives", "rolls", "charges", "attack",
        "attacks", "slash", "slashes", "lunges", "dodges", "wrestle", "falls", "stumbles", "whirls", "whirling", "struggle", "struggles",
    ), re.IGNORECASE,
)  # fmt: skip

_THING_ZH = rf"(?P<thing>{any_of(*ON_HEAD_ZH, *ON_BODY_ZH, *IN_HAND_ZH)})"
_LEAVES_ZH = r"(?:飞|掉|跌|滑|甩|脱|震|坠|摔|弹|打)(?:落|出|走|下|掉|离|飞|脱|到|在)(?:去|来|地)?|落到?地|落在地|被[^，。；]{0,6}?(?:打飞|击飞|打掉|击落|吹走|吹飞|踢飞|扯掉)"
_LEAVING_ZH = re.compile(
    rf"{_THING_ZH}(?:突然|忽然|随即|瞬间|猛地|竟|也|都|便|就){{0,2}}(?:从[{HAN}]{{1,6}}?)?(?P<how>{_LEAVES_ZH})"
)
_TAKEN_ZH = re.compile(
    rf"(?P<how>打飞|打掉|打落|击落|击飞|踢飞|吹走|吹飞|扯掉|扯下|甩飞|甩掉|撞飞|震飞)了?(?:[他她]的?|对方的?)?[{HAN}]{{0,4}}?{_THING_ZH}"
)
_PUT_AWAY_ZH = re.compile(
    rf"(?P<how>摘下|摘掉|脱下|脱掉|脱去|扔掉|扔下|扔出|丢掉|丢下|抛出|抛下|抛开|放开|松开|掷出)了?(?:[他她]的?|自己的?|手中的?)?[{HAN}]{{0,4}}?{_THING_ZH}"
)
_NOT_ZH = re.compile(r"(?:不|没有|没|未|不会|从不|从未|绝不|并未)$")
_ACTION_ZH = re.compile(
    r"旋转|转身|跳|跃|奔跑|跑|打斗|搏斗|格斗|挥剑|舞剑|追|冲|翻滚|翻身|踢|挥拳|厮杀|交手|跌倒|摔倒|腾空|疾驰|狂奔|舞"
)


def detached(text: str) -> Iterator[Fault]:
    """An error for every thing that leaves its place in action, a warning for one that is put away at rest."""
    for kind in (_LEAVING, _TAKEN, _LEAVING_ZH, _TAKEN_ZH):
        for found in kind.finditer(text):
            before = text[max(0, found.start() - 60) : found.start()]
            negated = _denied(text, found)
            if not negated and not (kind is _LEAVING and _WITH.search(before)):
                yield _fault(found, text, True)
    in_action = bool(_ACTION.search(text) or _ACTION_ZH.search(text))
    for kind in (_PUT_AWAY, _PUT_AWAY_ZH):
        for found in kind.finditer(text):
            only_takes = kind is _PUT_AWAY and _TAKES.fullmatch(found["how"].rstrip("s")) and not found["off"]
            if not only_takes and not _denied(text, found):
                yield _fault(found, text, in_action)


def _denied(text: str, found: re.Match[str]) -> bool:
    """Said not to happen."""
    return any(
        kind.search(text[max(0, start - 24) : start])
        for kind in (_NOT, _NOT_ZH)
        for start in {found.start(), found.start("how")}
    )


def _fault(found: re.Match[str], text: str, error: bool) -> Fault:
    thing = found["thing"]
    return Fault(
        code="object_detaches" if error else "object_put_away",
        level="error" if error else "warning",
        message=f"{shortened(found[0])}: the model loses what leaves its place; write {_stays(thing)}, or make two clips of it",
        span=found.span(),
    )


def _stays(thing: str) -> str:
    """The wording that keeps a thing where it is."""
    chinese = any(thing in group for group in (ON_HEAD_ZH, ON_BODY_ZH, IN_HAND_ZH))
    if chinese:
        place = "戴在头上" if thing in ON_HEAD_ZH else "穿在身上" if thing in ON_BODY_ZH else "握在手中"
        return f"{thing}始终{place}"
    low = thing.lower()
    bare = next((form for form in (low, low[:-1], low[:-2]) if form in ALL), low)
    place = "IN the hand" if bare in IN_HAND else "ON the head" if bare in ON_HEAD else "ON the body"
    return f"'the {low} {'STAY' if re.search('[^s]s$', low) else 'STAYS'} {place} throughout'"


ALL: Final = (*ON_HEAD, *ON_BODY, *IN_HAND)
