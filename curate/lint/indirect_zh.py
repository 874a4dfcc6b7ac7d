"""Direct Chinese speech told indirectly: without marks, I and you as oneself and the other."""

import re
from typing import Final

from curate.lint.speech import ASKS_ZH
from curate.lint.words import HAN, any_of

# 我 is who speaks, 你 the other of the two.
OTHERS: Final = (
    (r"(?:我们|咱们|咱俩|我俩|你们|您们)", "他们"),
    (r"(?<!自)(?:我|本王|本宫|本座|朕|臣妾|微臣|奴婢|老夫|在下)", "自己"),
    (r"(?:你|您|阁下)", "对方"),
)  # fmt: skip
UNSAFE: Final = re.compile(
    r"你好|您好|再见|谢谢|多谢|对不起|早安|晚安|哈哈|呵呵|他们自己|咱们仨"
    rf"|^{any_of('啊', '喂', '唉', '嗯', '哎', '哦', '不', '好', '是', '对', '哼', '呀', '嘿')}(?:[，,！!]|$)"
)
PARTICLES: Final = re.compile(r"(?:吧|啊|呀|哦|啦|嘛|呢|哟|哇)+$")
ASKED: Final = re.compile(rf"^(?P<who>自己|对方|他们|他|她|它)(?P<rest>[{HAN}]+?)[吗么]$")
QUESTION_WORDS: Final = re.compile(r"谁|什么|哪|何|怎|几|多少|多久|为啥|是否|能否|可否")
NO_SPEECH: Final = re.compile(r"[。！？!?.；;：:…—~～\n]")
MOST: Final = 60  # characters that are still one sentence


def reported(verb: str, inside: str) -> str | None:
    """`verb` and what was said, as 警告她茶水有毒; None where no rule tells it well."""
    body = inside.strip()
    asks = body.endswith(("?", "？"))
    body = body.rstrip("。！？!?.…~～ ")
    if (
        NO_SPEECH.search(body)
        or UNSAFE.search(body)
        or not 2 <= len(body) <= MOST
        or re.search(r"[^\W\d_]", re.sub(f"[{HAN}]", "", body))
    ):
        return None
    for pattern, other in OTHERS:
        body = re.sub(pattern, other, body)
    if not asks:
        return verb + (PARTICLES.sub("", body) or body)
    body = re.sub(r"[呢啊呀]+$", "", body)
    if yes_or_no := ASKED.match(body):
        body = f"{yes_or_no['who']}是否{yes_or_no['rest']}"
    elif not QUESTION_WORDS.search(body):
        return None
    verb = re.sub(r"(?:大喊|[喊叫喝答笑说问]道|说着|说|喊)$", ASKS_ZH, verb)
    return verb + body if ASKS_ZH in verb else None
