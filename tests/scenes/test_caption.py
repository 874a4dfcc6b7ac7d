"""Captions of scenes: mended where a rule can, refused where none can, with the sides where the cast is described."""

import pytest

from curate.errors import Rejected
from curate.lint import lint
from curate.scenes.caption import told_of

CAST = [("ada", "a woman with red hair in a GREEN coat"), ("ben", "an old man in a GREY suit")]
BARE = [("person-1", ""), ("person-2", "")]
WHOLE = "Medium two-shot, static camera. On the left a woman with red hair in a green coat talks; on the right an old man in a grey suit nods."


def test_a_whole_caption_stays_as_it_is() -> None:
    told = told_of(WHOLE, CAST)
    assert told == (WHOLE, False, True, [])


def test_quotes_and_dark_clothes_are_mended() -> None:
    told = told_of(
        'Medium two-shot, static camera. On the left a man in a black suit says "Run!"; on the right a woman in a red dress looks up.',
        BARE,
    )
    assert told.mended and '"' not in told.text and "BLACK suit" in told.text
    assert all(fault.level == "warning" for fault in lint(told.text))


def test_who_is_where_is_told_where_the_cast_is_described() -> None:
    told = told_of("They quarrel. Medium shot, static camera.", CAST)
    assert told.text.startswith(
        "On the left ada, a woman with red hair in a GREEN coat; on the right ben, an old man"
    )
    assert "sides" not in told.warnings and told.mended and not told.names_sides
    assert {"sides", "characters"} <= set(told_of("They quarrel. Medium shot, static camera.", BARE).warnings)
    three = told_of("They quarrel.", [*CAST, ("cleo", "a girl in a YELLOW dress")]).text
    assert "in the middle ben" in three and "on the right cleo" in three


def test_sides_that_are_told_are_told_once_and_in_the_captions_language() -> None:
    bare = "On the right somebody talks; on the left somebody nods."
    assert told_of(bare, CAST).text == bare  # who they are is lacking, and not where
    told = told_of(
        "中景双人镜头,固定机位。两人低声说话。", [("沈月华", "一位红衣女子"), ("萧云霄", "一位灰衣男子")]
    )
    assert told.text.startswith("左边是沈月华，一位红衣女子；右边是萧云霄，一位灰衣男子。")


def test_what_no_rule_can_mend_is_refused() -> None:
    for caption in ("", "  ", None):
        with pytest.raises(Rejected, match="no_caption"):
            told_of(caption, CAST)
    with pytest.raises(Rejected, match="caption: object_detaches"):
        told_of(f"{WHOLE} His hat flies off mid-spin and tumbles to the floor.", CAST)
