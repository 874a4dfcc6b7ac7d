"""The two parts of a caption: what is on the sheet, and what happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.sheets.view import View, caption_of, named_in


@given(
    st.lists(st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True), min_size=1, max_size=6, unique=True),
    st.data(),
)
def test_a_caption_names_its_panels_and_can_be_read_again(names: list[str], data: st.DataObject) -> None:
    views = [
        View(element=name, description="a thing, blue", kind=kind, turn=turn, importance=1.0)
        for name in names
        for kind, turn in data.draw(st.sampled_from([[("face", ""), ("body", "front")], [("prop", "")], [("location", "")]]))
    ]  # fmt: skip
    caption = caption_of(views, "She waves; he (Bob) nods.")
    assert named_in(caption) == [f"{view.element} {view.told}" for view in views]
    assert caption.startswith("Reference sheet: ") and caption.count("\nGenerated video: ") == 1


@pytest.mark.parametrize(
    "caption",
    [
        "She waves.",
        "Reference sheet: a.\nGenerated video: b",
        "Reference sheet: ada, x (face).\nGenerated video: ",
    ],
)
def test_a_caption_of_another_form_is_found(caption: str) -> None:
    with pytest.raises(ValueError, match="is not in two parts"):
        named_in(caption)
