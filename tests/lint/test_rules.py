"""The model card's own examples, what holds of any caption, and each rule of the scene tripping and not."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.lint import Fault, fixed, lint
from curate.lint.quotes import MARKS

# The card's examples, verbatim: what it calls bad and good, by tip.
COLOUR_BAD = "black fedora and black suit"
COLOUR_GOOD = (
    "BLACK fedora, white shirt, BLACK suit jacket, BLACK trousers,\n... BLACK suit, BLACK trousers throughout"
)
QUOTE_BAD = "低声警告 「此茶不可饮!」"
QUOTE_GOOD = "低声急切警告她茶水有毒"
DETACH_BAD = "fedora flies off mid-spin and tumbles to the floor"
DETACH_GOOD = "the fedora STAYS ON his head throughout the spin"

WHOLE = {"characters", "sides", "shot_size", "camera"}  # what a part of a prompt lacks
SOUND = (
    "Medium two-shot, static camera. Left: a tall man in a BLACK suit. Right: a young woman in a red dress. She tells him that it is late.",
    "中景，固定镜头。左侧年轻男子身穿黑色长袍，右侧女子身穿红色长裙，她低声警告他茶水有毒。",
    "Shen Yuehua in a white robe on the left looks at Xiao Yunxiao in a blue robe on the right. Close-up, the camera pushes in.",
    "双人镜头，镜头缓缓推近。左边的沈月华一袭白衣，右边的萧云霄身着青衣。",
)
WORDS = (
    "black", "BLACK", "dark blue", "suit", "and", ",", "fedora", "his", "the", "white", "shirt", "She", "says", "to him", ".", '"', "'",
    "“", "”", "‘", "’", "I love you", "The tea is poisoned!", "「", "」", "『", "』", "她说", "：", "我爱你", "。", "你是谁？", "黑色", "长袍",
    "和", "西装", "他的", "man", "woman", "left", "flies off", "«", "»", "asks", "Do you know me?", "don't", "5'10\"", "\n", "警告她",
)  # fmt: skip
MESSY = st.one_of(
    st.text(),
    st.text(st.sampled_from("aB5 .,:!?\n" + MARKS + "’`´黑色衣和说我你")),
    st.lists(st.sampled_from(WORDS)).map(" ".join),
    st.lists(st.sampled_from(WORDS)).map("".join),
)


def told(text: str, *levels: str) -> set[str]:
    return {fault.code for fault in lint(text) if not levels or fault.level in levels}


def bad(text: str) -> list[Fault]:
    return [fault for fault in lint(text) if fault.level != "warning"]


@pytest.mark.parametrize("text", [COLOUR_GOOD, QUOTE_GOOD, DETACH_GOOD])
def test_good_examples_of_the_card_have_no_fault_and_stay(text: str) -> None:
    assert told(text) <= WHOLE
    assert fixed(text) == text


def test_bad_examples_of_the_card_come_out_right() -> None:
    assert [(fault.code, fault.level) for fault in bad(COLOUR_BAD)] == [("dark_clothing", "fixed")] * 2
    assert fixed(COLOUR_BAD) == "BLACK fedora and BLACK suit"
    assert [(fault.code, fault.level) for fault in bad(QUOTE_BAD)] == [("quoted_dialogue", "fixed")]
    assert fixed(QUOTE_BAD) == "低声警告此茶不可饮。"
    assert {(fault.code, fault.level) for fault in bad(DETACH_BAD)} == {("object_detaches", "error")}
    assert "the fedora STAYS ON the head" in bad(DETACH_BAD)[0].message
    assert fixed(DETACH_BAD) == DETACH_BAD


@given(MESSY)
@example('He says "The man says 「我爱你」"')
@example("the black suit and the suit and hat, his hat")
def test_mended_once_is_mended(text: str) -> None:
    mended = fixed(text)
    assert fixed(mended) == mended
    faults = lint(mended)
    assert not any(fault.level == "fixed" for fault in faults)
    if set('"“”«»「」『』') & set(mended.replace("5'10\"", "")) and not any(c.isdigit() for c in mended):
        assert {"quoted_dialogue", "empty"} & {fault.code for fault in faults if fault.level == "error"}


@given(MESSY)
def test_spans_and_fixes_are_what_they_say(text: str) -> None:
    faults = lint(text)
    if not any(fault.level == "fixed" for fault in faults):
        assert fixed(text) == text
    for fault in faults:
        assert 0 <= fault.span[0] <= fault.span[1] <= len(text)
        assert (fault.fix is not None) == (fault.level == "fixed")
        assert fault.message and "\n" not in fault.message and "\r" not in fault.message


@pytest.mark.parametrize("text", SOUND)
def test_a_whole_prompt_has_no_fault(text: str) -> None:
    assert lint(text) == []
    assert fixed(text) == text


@pytest.mark.parametrize("text", ["", " \n", "...", "「」", "!？"])
def test_nothing_is_an_error(text: str) -> None:
    assert [(fault.code, fault.level) for fault in lint(text)] == [("empty", "error")]


def test_what_no_model_reads_is_an_error_and_not_looked_at() -> None:
    assert told('"a"' * 3000) == {"too_long"}
    assert told("a" * 5000) == WHOLE
    assert fixed("black suit " * 1000) == "black suit " * 1000


@pytest.mark.parametrize(
    "text", [" 'a", "'", '"', "black ", "a man ", "黑色西装和", "the suit black suit ", "says ", "「", "hat "]
)
def test_what_repeats_does_not_hang(text: str) -> None:
    assert lint((text * 5000)[:5000])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("On the left, a tall man in a red coat; on the right, a wall. Close-up, static camera.", "characters"),
        ("On the left a man, on the right a young woman in red. Close-up, static camera.", "characters"),
        ("Two men talk, one on the left, one on the right. Close-up, static camera.", "characters"),
        ("中景，固定镜头。左侧年轻男子身穿白袍，右侧女子。", "characters"),
        ("中景，固定镜头。左侧和右侧的两人交谈。", "characters"),
        ("A tall man and a young woman in red talk. Close-up, static camera.", "sides"),
        ("A tall man on the left and a young woman in red talk. Close-up, static camera.", "sides"),
        ("A tall man lifts his left hand, a young woman in red is right. Close-up, static camera.", "sides"),
        ("中景，固定镜头。年轻男子抬起左手，右手牵着红衣女子。", "sides"),
        ("On the left a tall man, on the right a young woman in red. Static camera.", "shot_size"),
        ("固定镜头。左侧年轻男子，右侧红衣女子。", "shot_size"),
        ("Close-up. On the left a tall man, on the right a young woman in red.", "camera"),
        ("Close-up. On the left a tall man looks at the camera, on the right a young woman in red.", "camera"),
        ("中景。左侧年轻男子，右侧红衣女子。", "camera"),
    ],
)  # fmt: skip
def test_what_a_whole_prompt_lacks(text: str, code: str) -> None:
    assert told(text) == {code}
    assert told(text, "warning") == {code}


@pytest.mark.parametrize("text", [
    "Close-up, static camera. A tall man on the left talks to another man with a beard on the right.",
    "Wide shot; the camera slowly dollies in. Frame left: an old king in a golden robe. Frame right: a young general.",
    "Over-the-shoulder, handheld. Left: a bald detective. Right: a woman with long hair.",
    "全景，镜头缓缓推进。一男一女，男子身穿青衫，女子长发，一左一右。",
    "近景，跟拍。画面左侧的红衣少女与画面右侧的白发老者对视。",
])  # fmt: skip
def test_whole_prompts_in_other_words(text: str) -> None:
    assert lint(text) == []


def test_the_document_names_every_code_and_its_examples_are_true() -> None:
    text = (Path(__file__).parents[2] / "docs" / "lint.md").read_text(encoding="utf-8")
    seen = [COLOUR_BAD, QUOTE_BAD, DETACH_BAD, "he removes his hat", "", "a" * 6000]
    assert {fault.code for one in seen for fault in lint(one)} == set(
        re.findall(r"`(\w+)`", re.sub(r"(?m)^(?!\| `).*$", "", text))
    )
    told = re.findall(r"^\| (.+) \| (.+) \|$", text.partition("| quoted | told |")[2], re.MULTILINE)
    assert len(told) == 5 and all(fixed(quoted) == indirect for quoted, indirect in told)
