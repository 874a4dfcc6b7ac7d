"""Compositions add up, or say where they do not: largest remainders, declared differences, narrowing."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.composition import Composition, apportion, narrowed, read_compositions
from curate.errors import CurateError

WEIGHTS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4), st.integers(0, 500), min_size=1, max_size=20
)
TABLE = {
    "frames": 81, "fps": 16,
    "tiers": [
        {"name": "one", "groups": [{"name": "x", "per_generator": 30, "generators": ["A", "B"]}]},
        {"name": "two", "groups": [{"name": "y", "per_generator": 20, "generators": ["C"]}]},
    ],
    "claimed": [{"of": "videos", "number": 90, "says": "90 videos"}, {"of": "one", "number": 60, "says": "60 in one"}],
    "differences": {"per_generator": {"videos": -10}},
}  # fmt: skip


@given(weights=WEIGHTS, total=st.integers(0, 10_000))
def test_apportioning_adds_up_and_is_off_by_less_than_one(weights: dict[str, int], total: int) -> None:
    found = apportion(total, weights)
    whole = sum(weights.values())
    assert found.keys() == weights.keys() and sum(found.values()) == (total if whole else 0)
    assert all(abs(found[k] * whole - total * w) < whole for k, w in weights.items() if whole)


def test_the_largest_remainders_win_and_the_earlier_of_two_equal_ones() -> None:
    assert apportion(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert apportion(4800, {"core": 2100, "other": 2720}) == {"core": 2091, "other": 2709}


def test_a_difference_must_be_declared_exactly() -> None:
    sound = Composition.model_validate(TABLE)
    assert sound.undeclared("per_generator") == []
    for differences in ({}, {"per_generator": {"videos": -9}}, {"per_generator": {"videos": -10, "one": 5}}):
        lines = Composition.model_validate({**TABLE, "differences": differences}).undeclared("per_generator")
        assert len(lines) == 1 and "declared is" in lines[0]
    odd = Composition.model_validate({**TABLE, "differences": {"per_generator": {"videos": -10, "three": 1}}})
    assert odd.undeclared("per_generator") == [
        "differences.per_generator declares three, which the card does not claim"
    ]


def test_nothing_is_there_twice() -> None:
    for name, other in (("C", "A"), ("y", "x"), ("two", "one")):
        twice = json.loads(json.dumps(TABLE).replace(f'"{name}"', f'"{other}"'))
        with pytest.raises(ValidationError, match=f"{other} is there twice"):
            Composition.model_validate(twice)


def test_policies_keep_what_they_are_named_for() -> None:
    held = Composition.model_validate(TABLE)
    assert held.counts("per_generator") == {"A": 30, "B": 30, "C": 20}
    assert held.counts("scale_to_total") == {"A": 34, "B": 34, "C": 22}
    with pytest.raises(CurateError, match="claims no number for two"):
        held.counts("tier_totals")


def test_narrowing_keeps_proportions_and_names_what_it_does_not_know() -> None:
    counts = {"O-47": 100, "O-30": 250, "O-7": 50}
    assert narrowed(counts, ["O-47", "O-30"], 1.0) == {"O-47": 100, "O-30": 250}
    assert narrowed(counts, [], 0.01) == {"O-47": 1, "O-30": 3, "O-7": 0}
    with pytest.raises(CurateError, match="only=O-3: not in this profile; did you mean O-30"):
        narrowed(counts, ["O-3"], 1.0)
    with pytest.raises(CurateError, match=r"scale=0\.0001 leaves no sample of 400"):
        narrowed(counts, [], 0.0001)


@pytest.mark.parametrize("text", ["v1: {frames: x}", "[1, 2]", "v1: [", "\x00"])
def test_a_broken_file_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(CurateError, match=r"^spec\.yaml: ") as caught:
        read_compositions(path)
    assert "\n" not in str(caught.value)


def test_a_claim_of_nothing_known_is_refused() -> None:
    held = Composition.model_validate({**TABLE, "claimed": [{"of": "three", "number": 1, "says": "?"}]})
    with pytest.raises(CurateError, match="'three', which is no tier"):
        held.compared("per_generator")


def test_it_is_yaml_that_people_write(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump({"mine": TABLE}))
    assert read_compositions(path)["mine"].places == {"A": ("one", "x"), "B": ("one", "x"), "C": ("two", "y")}
