"""Quotations in any script are found, apostrophes and inches are not; what is told indirectly is grammatical."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.lint import fixed, lint
from curate.lint.quotes import MARKS, quotes

PAIRS = ("\"\"", "“”", "„“", "””", "＂＂", "〝〞", "❝❞", "「」", "『』", "｢｣", "«»", "»«", "‹›", "‘’", "''", "‚‘", "＇＇", "﹁﹂", "﹃﹄")  # fmt: skip
INSIDE = st.text(min_size=1).filter(lambda text: text == text.strip() and not set(text) & {*MARKS, "’"})


def errors(text: str) -> list[str]:
    return [
        fault.message for fault in lint(text) if fault.code == "quoted_dialogue" and fault.level == "error"
    ]


def found(text: str) -> list[str | None]:
    return [quote.inside for quote in quotes(text)]


@given(st.sampled_from(PAIRS), st.sampled_from(("She says ", "她说：", "says, ", "Then: ", "他问")), INSIDE)
def test_any_text_in_any_marks_is_found(pair: str, before: str, inside: str) -> None:
    text = f"{before}{pair[0]}{inside}{pair[1]} now"
    assert found(text) == [inside]
    assert "quoted_dialogue" in {fault.code for fault in lint(text)}


@given(st.sampled_from(PAIRS[:9]), INSIDE, INSIDE)
def test_a_mark_without_its_other_is_an_error(pair: str, one: str, other: str) -> None:
    text = f"a {one}x {pair[0]}y{other}"
    assert len(errors(text)) == 1 and fixed(text).count(pair[0]) == 1


@pytest.mark.parametrize("text", [
    "it's", "the dogs' bowls", "the dogs’ bowls", "It’s O’Brien’s and isn't", "5'10\"", "a 5'10\" man and a 6'2” woman",
    "a 6' tall man, 5' wide, a 12\" blade.", "rock 'n' roll", "'tis the dogs' day", "’90s and '90s music", "‘Tis true",
    "fish 'n' chips for the boys'", "《玉佩定情》", "don't can't won't", "the '80s dogs' bowls", "a -> b, x < y >> z",
])  # fmt: skip
def test_apostrophes_and_inches_are_no_quotations(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("He says 'the dogs' bowls are mine.'", ["the dogs' bowls are mine."]),
        ("He says 'it's late' now", ["it's late"]),
        ("He whispers ''Tis true.'", ["'Tis true."]),
        ('a 5\'10" man says "I am 6\'" tall', ["I am 6'"]),
        ("「他说『好』」", ["他说『好』"]),
        ('"a" and “b”', ["a", "b"]),
        ('""', [""]),
        ('a "b', [None]),
        ("b」", [None]),
        ("‘b", [None]),
    ],
)
def test_what_is_inside(text: str, inside: list[str | None]) -> None:
    assert found(text) == inside


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('She warns him: "The tea is poisoned!"', "She warns him that the tea is poisoned."),
        ("She warns him: «The tea is poisoned!»", "She warns him that the tea is poisoned."),
        ("She warns him: 'The tea is poisoned!'", "She warns him that the tea is poisoned."),
        ("She warns him, ‘The tea is poisoned’ and leaves.", "She warns him that the tea is poisoned and leaves."),
        ('She warns him: "Do not drink this tea!" He stops.', "She warns him not to drink this tea. He stops."),
        ('She warns him: "Don’t drink my tea!"', "She warns him not to drink her tea."),
        ('The woman says to him, "I love you."', "The woman says to him that she loves him."),
        ('The woman turns to the man and says "I\'m lost."', "The woman turns to the man and says that she is lost."),
        ('He asks her "Where are you going?"', "He asks her where she is going."),
        ('He says to her "Do you love me?"', "He asks her whether she loves him."),
        ('He says to her "Come with me!"', "He tells her to come with him."),
        ('She whispers softly: "We have always known it."', "She whispers softly that they have always known it."),
        ('She whispers in his ear, "Run!"', "She whispers in his ear to run."),
        ('"The tea is poisoned," she warns him.', "She warns him that the tea is poisoned."),
        ('“I have lost your ring,” he says to her.', "He says to her that he has lost her ring."),
        ("低声警告 「此茶不可饮!」", "低声警告此茶不可饮。"),
        ("她低声警告他：“此茶不可饮！”他放下茶杯。", "她低声警告他此茶不可饮。他放下茶杯。"),
        ("他对她说：「我爱你。」", "他对她说自己爱对方。"),
        ("他问道：『你是谁？』", "他问对方是谁。"),
        ("他说“你来吗？”", "他问对方是否来。"),
        ("「此茶不可饮」她低声警告。", "她低声警告此茶不可饮。"),
        ("本王说道“本王不信”，转身离去。", "本王说道自己不信，转身离去。"),
        ("她提醒沈月华：'快走吧'", "她提醒沈月华快走"),
    ],
)  # fmt: skip
def test_told_indirectly(text: str, wanted: str) -> None:
    assert fixed(text) == wanted
    assert not errors(text) and not errors(wanted)


@pytest.mark.parametrize("text", [
    'A man says "Hello there."',  # nothing to tell
    'He says "I love you."',  # nobody is there to be "you"
    'He tells him "I love you."',  # who loves whom?
    'A sign says "The shop is closed."',
    "A door with 'OPEN' on it.",
    'She says "Run! The tea is poisoned!"',
    'He asks "Help me."',
    'He shouts: "Help!"',
    'A man watches her. He, who says "I am here", leaves. "',
    'The man waits as the woman and the guard talk and says "I am late."',
    "Er sagt: „Nein“.",
    "「好きだ」と言う",
    "他说：“你好！”",
    "她说：“不，我不去。”",
    "他说：“快走。茶水有毒。”",
    "他说：“走吗？”",
    "招牌上写着「悦来客栈」",
    "他说完离开「悦来客栈」",
    "她说道『你说「好」』",
    "She says 「此茶不可饮」",
    'a "magic" mirror',
])  # fmt: skip
def test_what_no_rule_tells_well_is_an_error_and_stays(text: str) -> None:
    assert errors(text)
    assert fixed(text) == text


def test_the_message_says_what_was_found_and_wanted() -> None:
    (message,) = errors('a "magic" mirror')
    assert '"magic"' in message and "warns her that the tea is poisoned" in message
