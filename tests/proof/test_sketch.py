"""A sketch refuses what contradicts itself, and is plain data."""

import pytest
from pydantic import ValidationError

from curate.proof.sketch import Label, Lot, Reference, Sketch

LOT = Lot(edges=(0.0, 1.0, 2.0), unit="s", least_eligible_share=0.5, reaches_by="size")
REFERENCE = Reference(parameters=(), proxies=(), controls=(), most_r=0.2, most_told=0.3, least_told=0.8)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"balanced": ("size",), "held_back": ("size",)}, "size is both balanced and held back"),
        ({"balanced": ("size", "glow"), "effects": ("glow",)}, "glow is both balanced and an effect"),
    ],
)
def test_what_contradicts_itself_is_refused(claims: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Sketch.model_validate({"assigned": "dose", **claims})


@pytest.mark.parametrize(
    "claim", [{"lot": LOT}, {"balanced": ("a",)}, {"held_back": ("a",)}, {"reference": REFERENCE}]
)
def test_whatever_is_about_a_decision_needs_one(claim: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="need to know what is assigned"):
        Sketch.model_validate(claim)
    assert Sketch.model_validate({"assigned": "dose", **claim}).assigned == "dose"


def test_a_misspelt_claim_is_refused() -> None:
    with pytest.raises(ValidationError, match="ballanced"):
        Sketch.model_validate({"assigned": "dose", "ballanced": ("size",)})


def test_a_sketch_travels_as_json() -> None:
    label = Label(name="length", found=("a", "b"), wanted=3, unit="s", bound=0.1)
    named = Label(name="pitch", found=("a",), wanted="target", unit="cents", bound=50)
    sketch = Sketch(assigned="dose", lot=LOT, labels=(label, named), reference=REFERENCE)
    assert Sketch.model_validate_json(sketch.model_dump_json()) == sketch
    assert LOT.strata == 2


def test_a_set_without_any_claim_still_keeps_its_sides_apart() -> None:
    assert Sketch().disjoint == ("group", "sources")
