"""Conservation: what goes in is kept or dropped, once, with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.ledger import count, drop_rows, selected, unselected
from curate.records import Drop, LedgerRow


def row(name: str, **changes: object) -> LedgerRow:
    return LedgerRow.model_validate({"id": name, "name": f"{name}.mp4", **changes})


@given(st.lists(st.sampled_from(["kept", "made", "rejected"]), max_size=30))
def test_every_candidate_is_counted_once(fates: list[str]) -> None:
    rows = [
        row(str(i), made=fate != "rejected", reason="gate" if fate == "rejected" else None)
        for i, fate in enumerate(fates)
    ]
    after = selected(
        rows,
        {
            str(i): None if fate == "kept" else "not_assigned"
            for i, fate in enumerate(fates)
            if fate != "rejected"
        },
    )
    counts = count(after, files=len(fates))
    assert counts.kept == fates.count("kept")
    assert counts.kept + sum(counts.dropped.values()) == counts.candidates == len(fates)
    assert unselected(after) == rows


@pytest.mark.parametrize("fates", [{}, {"a": None, "b": None}, {"b": None}])
def test_a_selection_that_forgets_or_invents_is_an_error(fates: dict[str, str | None]) -> None:
    with pytest.raises(CurateError, match="select decided on other candidates"):
        selected([row("a", made=True)], fates)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row("a", made=True, kept=True, reason="why")], "kept with reason"),
        ([row("a", kept=True)], "kept, although it was never made"),
        ([row("a")], "dropped with reason None"),
        ([row("a", reason="x"), row("a", reason="y")], "more than one row"),
    ],
)
def test_a_ledger_that_does_not_add_up_is_an_error(rows: list[LedgerRow], says: str) -> None:
    with pytest.raises(CurateError, match=says):
        count(rows, files=1)


def test_a_dropped_file_keeps_its_reason() -> None:
    (found,) = drop_rows([Drop(id="x", name="a.mp4", reason="empty_file", detail="0 bytes", sha256="0" * 64)])
    assert (found.reason, found.detail, found.kept, found.sources) == (
        "empty_file",
        "0 bytes",
        False,
        ("0" * 64,),
    )
