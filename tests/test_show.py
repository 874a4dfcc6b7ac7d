"""The verdict in one line, for every kind of outcome."""

import pytest

from curate.records import Build, Counts, Verdicts
from curate.show import recipes_table, verdict_line
from tests.ledgers import helium
from tests.test_manifest import manifest_of


def build(tmp_path: object, **audit: list[str]) -> Build:
    from pathlib import Path

    empty = {
        "passed": [],
        "failed": [],
        "not_testable": [],
        "other": [],
        "expected_failures": [],
        "allowed": [],
    }
    manifest = Build.model_validate_json(manifest_of(Path(str(tmp_path))))
    counts = Counts(files=6, candidates=72, kept=5, train=4, heldout=1, dropped={"x": 67})
    return manifest.model_copy(update={"counts": counts, "audit": Verdicts.model_validate(empty | audit)})


@pytest.mark.parametrize(
    ("audit", "says"),
    [
        ({"passed": ["a (all)", "b (train)"]}, "proven: all 2 findings pass"),
        ({"passed": ["a (all)"], "not_testable": ["b (train)"]}, "NOT PROVEN: too small for 1 of 2 findings"),
        (
            {"passed": ["a (all)"], "not_testable": ["b (heldout)"]},
            "proven for training: 1 findings pass; the held-out",
        ),
        ({"failed": ["a (all)"], "allowed": ["a"]}, "NOT SOUND, allowed to fail: a (all)"),
        ({"failed": ["a (all)"], "expected_failures": ["a"]}, "a control that must fail, and does: a (all)"),
    ],
)
def test_the_verdict_says_what_a_set_is_worth(
    tmp_path: object, audit: dict[str, list[str]], says: str
) -> None:
    line = verdict_line(build(tmp_path, **audit))
    assert line.startswith("helium-v2: 5 pairs (4 train, 1 held out) from 6 files; ") and says in line


def test_recipes_are_listed_with_their_settings() -> None:
    shown = recipes_table({"helium-v2": type(helium())})
    assert "helium-v2 (version 1)" in shown and "max_shift_st" in shown and "15.0" in shown
