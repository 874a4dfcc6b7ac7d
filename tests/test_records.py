"""Canonical bytes, identity streams, records that refuse what they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.records import Clip, canonical, number, rng, sha256_of

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), PLAIN))
def test_one_spelling_whatever_the_order(value: dict[str, object]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"x", np.float64("nan")])
def test_what_json_cannot_spell_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        sha256_of({"x": value})


@given(st.integers(0, 99), st.text(), st.text())
def test_a_stream_belongs_to_its_identity(seed: int, one: str, two: str) -> None:
    assert rng(seed, one).random() == rng(seed, one).random()
    if one != two:
        assert rng(seed, one, "p").random() != rng(seed, two, "p").random()


def test_a_path_is_never_written() -> None:
    clip = Clip(
        id="0" * 16, name="a.mp4", sha256="0" * 64, seconds=1, width=1, height=1, fps=1, sample_rate_hz=None,
        path="/secret/a.mp4",
    )  # fmt: skip
    assert "secret" not in clip.model_dump_json() and clip.path == "/secret/a.mp4"


def test_records_are_strict() -> None:
    with pytest.raises(ValidationError):
        Clip.model_validate({"id": "x", "surprise": 1})
    with pytest.raises(TypeError, match="wanted a number"):
        number({"x": "1"}, "x")
