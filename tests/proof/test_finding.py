"""What keeps a set from standing."""

import pytest
from pydantic import ValidationError

from curate.proof.finding import Finding, Verdict, problems


def finding(name: str, verdict: Verdict, split: str = "train") -> Finding:
    return Finding(name=name, split=split, verdict=verdict, says="says", pairs=1)


def test_a_judged_finding_passes_or_fails() -> None:
    for sound, verdict in ((True, "pass"), (False, "fail")):
        assert Finding.judged("a", "train", sound, "", 3, {}, {}).verdict == verdict


def test_too_few_pairs_say_how_many_it_takes() -> None:
    few = Finding.too_few("a", "train", "six pairs", 6, 40)
    assert few.verdict == "not_testable" and few.needed_pairs == 40 and few.says == "six pairs; it takes 40"


def test_a_report_is_no_gate() -> None:
    shown = Finding.reported("a", "all", "median 2", 3, {"median": 2.0})
    assert shown.verdict == "not_applicable" and shown.says.endswith("never a gate") and not shown.bound


def test_problems_are_unexpected_failures_and_controls_that_pass() -> None:
    sound = [finding("a", "pass"), finding("b", "not_testable"), finding("c", "not_applicable")]
    assert problems([*sound, finding("d", "constant")], expected=()) == []
    assert problems([finding("a", "fail", "heldout")], expected=()) == ["a (heldout): says"]
    assert problems([finding("a", "fail")], expected=(), allowed=("a",)) == []
    assert problems([finding("a", "fail")], expected=("a",)) == []
    assert "must fail" in problems([finding("a", "pass")], expected=("a",))[0]
    assert problems([finding("a", "not_testable")], expected=("a",)) == []
    assert len(problems([finding("a", "fail"), finding("b", "fail")], expected=("a",))) == 1


def test_a_number_that_is_none_never_gets_into_a_finding() -> None:
    with pytest.raises(ValidationError):
        Finding(name="a", split="train", verdict="pass", says="", pairs=1, measured={"p": float("nan")})
