"""Direct English speech told indirectly, where a rule gives good grammar; None where none does."""

import re
from typing import Final, Literal, NamedTuple

from curate.lint.speech import ASKING, FORMS, NEEDS_LISTENER, NO_THAT, ORDERS, ORDERS_TO_NOBODY, TELLING
from curate.lint.words import any_of

Pronoun = Literal["he", "she", "they"]

OBJECT: Final[dict[Pronoun, str]] = {"he": "him", "she": "her", "they": "them"}
OWN: Final[dict[Pronoun, str]] = {"he": "his", "she": "her", "they": "their"}
SELF: Final[dict[Pronoun, str]] = {"he": "himself", "she": "herself", "they": "themselves"}
FIRST: Final = frozenset({"i", "me", "my", "myself"})
PLURAL: Final = {"we": "they", "us": "them", "our": "their", "ourselves": "themselves"}
SECOND: Final = frozenset({"you", "your", "yourself"})
UNCLEAR: Final = frozenset({"mine", "yours", "ours", "yourselves", "let's", "ma'am", "sir"})

SHORT: Final = {
    "i'm": "i am", "i've": "i have", "i'll": "i will", "you're": "you are", "you've": "you have", "you'll": "you will",
    "we're": "we are", "we've": "we have", "we'll": "we will", "they're": "they are", "they've": "they have",
    "it's": "it is", "that's": "that is", "there's": "there is", "don't": "do not", "doesn't": "does not", "didn't": "did not",
    "can't": "cannot", "won't": "will not", "isn't": "is not", "aren't": "are not", "wasn't": "was not", "haven't": "have not",
    "hasn't": "has not", "mustn't": "must not", "shouldn't": "should not", "couldn't": "could not", "wouldn't": "would not",
}  # fmt: skip


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MODALS: Final = _set("will can cannot must should would could may might shall did had")
AUXILIARIES: Final = MODALS | _set("is are was were am has have do does")
SINGULAR: Final = {
    "am": "is",
    "are": "is",
    "were": "was",
    "have": "has",
    "do": "does",
    "is": "is",
    "was": "was",
}
BASES: Final = _set(
    "love know want need think believe see hear understand trust hate miss remember swear promise hope fear wish feel live come"
    " go give take bring keep serve protect forgive owe mean beg thank"
)
PAST: Final = _set(
    "saw knew came went told said made took found lost gave heard thought felt left kept brought saved loved wanted"
)
ADVERBS: Final = _set("never always still just already also really only truly not")
IMPERATIVES: Final = _set(
    "run go come stop wait leave look listen drink eat take give tell follow stay sit stand hide help be get put hold open close"
    " trust watch touch move hurry forget remember promise bring keep read drop"
)
DETERMINERS: Final = _set(
    "the this that these those a an no every all my your our his her their it he she they there"
)
QUESTIONS: Final = _set("who what where when why how")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'-]*|\d+")


class Scene(NamedTuple):
    """Who speaks to whom, by pronoun; None where nothing tells."""

    speaker: Pronoun | None
    listener: Pronoun | None


class Lead(NamedTuple):
    """What stands before or after the words of somebody: says | softly | to the king | in a low voice."""

    verb: str
    how: str = ""
    to: str = ""
    more: str = ""


def reported(lead: Lead, inside: str, scene: Scene) -> str | None:
    """The lead and what was said, as in "warns her that the tea is poisoned"."""
    body = inside.strip().replace("’", "'")
    words = _words(body.rstrip(".!?… "))
    if not words or any(word.lower() in UNCLEAR for word in words):
        return None
    base, bare = FORMS[lead.verb], lead.to.removeprefix("to ")
    if body.endswith("?"):
        verb = lead.verb if base in ("ask", "demand") else ASKING.get(lead.verb)
        clause = _question(words, scene)
        return _joined(verb, bare, lead.how, lead.more, clause) if verb and clause else None
    if order := _order(words, scene):
        if base not in (ORDERS if lead.to else ORDERS_TO_NOBODY):
            return None
        if base == "say" and lead.to:
            return _joined(TELLING[lead.verb], bare, lead.how, lead.more, order)
        return _joined(*lead, order)
    if base in NO_THAT or (base in NEEDS_LISTENER and not lead.to):
        return None
    clause = _statement(words, scene)
    return _joined(*lead, "that", clause) if clause else None


def _joined(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _words(body: str) -> list[str] | None:
    """The words of one plain sentence, short forms written out; None for more than one, or for what has marks within."""
    found = [word for part in body.split() for word in _expanded(part)]
    return found if all(_WORD.fullmatch(word) for word in found) else None


def _expanded(part: str) -> list[str]:
    long = SHORT.get(part.lower())
    return long.split() if long else [part]


def _order(words: list[str], scene: Scene) -> str | None:
    """ "to run", "not to drink this tea"."""
    rest = words[1:] if words[0].lower() == "please" else words
    low = [word.lower() for word in rest]
    if low[:2] == ["do", "not"] and len(low) > 2:
        told, rest = "not to", rest[2:]
    elif low[:1] == ["never"] and len(low) > 1 and low[1] in BASES | IMPERATIVES:
        told, rest = "never to", rest[1:]
    elif low and low[0] in IMPERATIVES and low != ["help"]:  # a cry, and no order
        told = "to"
    else:
        return None
    shifted = _shifted([rest[0].lower(), *rest[1:]], scene)
    return f"{told} {' '.join(shifted)}" if shifted else None


def _question(words: list[str], scene: Scene) -> str | None:
    """ "where she is going", "whether he loves her"."""
    low = [word.lower() for word in words]
    lead = low[:1] if low[0] in QUESTIONS else ["whether"]
    rest = words[1:] if low[0] in QUESTIONS else words
    if (
        len(rest) < 2
        or rest[0].lower() not in AUXILIARIES - {"did", "does"}
        or rest[1].lower() not in FIRST | SECOND | set(PLURAL)
    ):
        return None
    turned = [rest[1], *([] if rest[0].lower() == "do" else [rest[0].lower()]), *rest[2:]]
    shifted = _shifted(turned, scene) if len(turned) > 1 else None
    return " ".join([*lead, *shifted]) if shifted else None


def _statement(words: list[str], scene: Scene) -> str | None:
    """A sentence with a subject and a verb, for after "that"."""
    first = words[0].lower()
    verbs = AUXILIARIES | PAST | BASES | {_third(base) for base in BASES}
    if first not in FIRST | SECOND | set(PLURAL) | DETERMINERS or not any(
        word.lower() in verbs for word in words[1:]
    ):
        return None
    shifted = _shifted([first, *words[1:]], scene)
    return " ".join(shifted) if shifted else None


def _shifted(words: list[str], scene: Scene) -> list[str] | None:
    """The words with I and you as he, she or they, and the verbs after them in their form."""
    low = [word.lower() for word in words]
    personal = any(word in FIRST | SECOND for word in low)
    if personal and scene.speaker is not None and scene.speaker == scene.listener:
        return None  # he tells him that he is late: who is?
    told, subject = list[str](), None
    for place, word in enumerate(low):
        who = scene.speaker if word in FIRST else scene.listener if word in SECOND else None
        if word in FIRST | SECOND:
            if who is None:
                return None
            is_subject = word == "i" or (word == "you" and _before_a_verb(low[place + 1 :]))
            told.append(_form(word, who, is_subject))
            subject = who if is_subject else None
        elif word in PLURAL:
            told.append(PLURAL[word])
            subject = "they" if word == "we" else None
        elif subject is None or word in ADVERBS:
            told.append(words[place])
        else:
            agreed = _agreed(word, subject)
            if agreed is None:
                return None
            told.append(agreed)
            subject = None
    return told


def _before_a_verb(rest: list[str]) -> bool:
    verbs = [word for word in rest if word not in ADVERBS][:1]
    return bool(verbs) and verbs[0] in AUXILIARIES | BASES | PAST


def _form(word: str, who: Pronoun, is_subject: bool) -> str:
    if word.endswith("self"):
        return SELF[who]
    if word in ("my", "your"):
        return OWN[who]
    return who if is_subject else OBJECT[who]


def _agreed(verb: str, subject: str) -> str | None:
    if subject == "they":
        return "are" if verb == "am" else "were" if verb == "was" else verb
    if verb in SINGULAR:
        return SINGULAR[verb]
    if verb in MODALS or verb in PAST:
        return verb
    return _third(verb) if verb in BASES else None


def _third(verb: str) -> str:
    return verb + ("es" if re.search(any_of("s", "sh", "ch", "x", "o") + "$", verb) else "s")
