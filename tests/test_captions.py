import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.captions import article, lint, normalise

GOOD = (
    "A red ball moves to the right, bounces off the wall, and returns to the center",
    "Water flows from the left container through the connecting tube into the right container until both levels are equal",
)
# Captions of VBVR: the flaw of nearly every sample of O-7, and a sound one of O-8.
O_7 = (
    "The scene shows an analogy A:B :: C:? with two rows of shapes and arrows. On the top row, a unknown rectangle becomes "
    "a steel_blue rectangle; treat this as the color rule from unknown to steel_blue. On the bottom row, the minus starts "
    "with the same source color. Apply the same color change so the answer shape on the right is a steel_blue minus, "
    "keeping its shape, size, and position the same while only the color changes."
)
O_8 = (
    "The image shows a visual analogy A:B :: C:? using simple shapes. A and C are the original shapes, B shows shape A "
    "after a rotation, and ? is the unknown result. Your task is to infer the single rotation that maps A (L_shape) to B, "
    "then apply the same rotation to C (trapezoid) around its geometric center."
)
MESSY = st.text(
    st.sampled_from(
        "ab→✓球é\"' \t\n\r\x00\x1f\x7f\x85\xa0\xad\u200b\u200c\u200d\u200e\u2028\u2060\ufeff\ud800"
    )
)
WORDS = "A red ball moves around the something until a orange None of unknown {x} ends ."
ENGLISH = st.lists(st.sampled_from(WORDS.split()))


def codes(text: str) -> set[str]:
    return {flaw.code for flaw in lint(text)}


@given(st.one_of(st.text(), MESSY))
def test_normalised_once_is_normalised(text):
    once = normalise(text)
    assert normalise(once) == once
    assert len(once) <= len(text)
    assert once == once.strip() and "  " not in once
    assert not any(c != " " and (c.isspace() or unicodedata.category(c) in {"Cc", "Cs"}) for c in once)
    once.encode()


@given(st.one_of(st.text(), MESSY))
def test_what_is_seen_is_kept_in_order(text):
    def seen(of: str) -> list[str]:
        return [c for c in of if not c.isspace() and unicodedata.category(c) not in {"Cc", "Cf", "Cs"}]

    assert seen(normalise(text)) == seen(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"]), min_size=1))
def test_text_on_one_line_is_untouched(text):
    assert normalise(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Complete this puzzle.\n\nRules:\tslide \xa0 one tile.\r\n",
            "Complete this puzzle. Rules: slide one tile.",
        ),
        ("\ufeffOne\u200btwo", "One two"),
        ("a\x00b\x1fc", "a b c"),
        ("soft\xadware", "software"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("a \u200d b\u200c", "a b"),
        ("1→2 ✓ “Ball” 红球 É E\u0301", "1→2 ✓ “Ball” 红球 É E\u0301"),
        (" \u200b\n", ""),
    ],
)
def test_normalise(text, wanted):
    assert normalise(text) == wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \n\u200b", "empty"),
        ("...", "empty"),
        ("The {shape} moves to the left.", "placeholder"),
        ("The {{ shape }} moves to the left.", "placeholder"),
        ("The {shape:.2f} moves to the left.", "placeholder"),
        ("The {} moves to the left.", "placeholder"),
        ("The %s moves to the left.", "placeholder"),
        ("It moves by %.2f and %(name)s.", "placeholder"),
        ("The <object> moves to the left.", "placeholder"),
        ("A None star moves.", "placeholder"),
        ("None becomes a red star.", "placeholder"),
        ("The star turns by nan degrees.", "placeholder"),
        ("The star turns by NaN degrees.", "placeholder"),
        ("The star is null and moves.", "placeholder"),
        ("The star is undefined.", "placeholder"),
        ("TODO write this.", "placeholder"),
        ("a unknown rectangle becomes", "unknown"),
        ("from unknown to unknown", "unknown"),
        ("a steel_blue minus from unknown", "unknown"),
        ("The unknown result is a unknown star.", "unknown"),
        ("unknown star moves", "unknown"),
        (O_7, "unknown"),
    ],
)
def test_errors(text, code):
    assert [flaw.code for flaw in lint(text) if flaw.error] == [code]
    assert any(flaw.error for flaw in lint(text))


@pytest.mark.parametrize(
    "text",
    [
        *GOOD,
        O_8,
        "None of the balls move.",
        "All stop. None are left.",
        "none of it moves",
        "Nonetheless the banana, the naan, the nano car and non-null Hainan move.",
        "It is 50% done, 100 %, at {1, 2, 3} and [51, 46, 4] cm.",
        "The count is 3 < x and y > 2, so a<b and c>d.",
        "An unknown quantity moves; the unknown value x, its unknown weight and two unknowns stay.",
        "A stranger, unknowingly, nullifies the annulled todo list: todo.",
        "display 'Count: N' with k=3.67, RGB(20, 38, 88) and result_R = min(color1_R + color2_R, 255)",
        "✓ 1→2→3",
        "红球向右移动",
    ],
)
def test_look_alikes_are_no_errors(text):
    assert not any(flaw.error for flaw in lint(text))


@pytest.mark.parametrize("text", GOOD)
def test_the_good_examples_of_the_seed(text):
    assert lint(text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a ball bouncing around", {"no_end_state", "vague", "short"}),
        ("fluid pouring", {"no_start_state", "no_end_state", "vague", "short"}),
        ("Push the ball to the left side of it until it stops.", {"no_start_state"}),
        ("A red ball is at the left side of the table until the end.", {"no_action"}),
        ("A red ball rolls slowly to the left side of it.", {"no_end_state"}),
        ("There is a grid. Find the way and move so that all becomes red.", {"no_end_state"}),
        ("There is a grid. Find the way and move until all becomes red.", set()),
        ("A wheel rotates around its center until it stops there.", set()),
        ("A wheel rolls around until it stops at the wall.", {"vague"}),
        ("A red ball moves to some kind of hole and stops there.", {"vague"}),
        ("A wheel is rolling down the long steep hill.", {"no_end_state", "vague"}),
        ("A wheel is rolling down the long steep hill until it stops.", set()),
        ("A ball rolls until it stops.", {"short"}),
        ("A ball rolls until it stops. " + "It is very red. " * 50, {"long"}),
        ("The ball becomes a orange ball, and then it stops.", {"article"}),
        ("The ball becomes an red ball, and then it stops.", {"article"}),
        ("The ball becomes an orange ball in a unit cube for an hour on a 10x10 or an 8x8 grid.", set()),
        ("A is above B. A and B move until A is below B.", set()),
    ],
)
def test_warnings(text, wanted):
    assert codes(text) == wanted
    assert not any(flaw.error for flaw in lint(text))


@given(st.one_of(st.text(), MESSY, ENGLISH.map(" ".join)))
def test_lint_takes_any_text(text):
    flaws = lint(text)
    assert [flaw.error for flaw in flaws] == sorted((flaw.error for flaw in flaws), reverse=True)
    assert lint(normalise(text)) == flaws
    assert all(flaw.says for flaw in flaws)


def test_long_words_do_not_hang():
    for char in "{a", "<a", "a", "unknown", "%", "None ":
        assert isinstance(lint(char * 20_000), list)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("orange umbrella 8 80 11 18 hour honest L-shape L_shape X unknown unimportant x-ray", "an"),
        ("red unit unique uniform one once European user 1 180 110 hexagon T-shape u-turn", "a"),
        ("RGB LED", None),
    ],
)
def test_article(words, wanted):
    assert {article(word) for word in words.split()} == {wanted}
