"""What a pair has as a vector: an embedding stands for its axes, and the reference's parameters are tested with them."""

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from curate.errors import CurateError
from curate.proof import audit
from curate.proof.sketch import Reference, Sketch
from curate.records import LedgerRow, Values
from tests.proof.test_audit import rows_of, verdicts


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As in a build. Many small products on several threads each take a hundred times as long."""
    with threadpool_limits(1):
        yield


# --- embeddings

PICTURED = Sketch(assigned="dose", held_back=("picture",))


def pictured(pictures: np.ndarray, doses: np.ndarray | None = None) -> list[LedgerRow]:
    doses = np.random.default_rng(5).uniform(size=len(pictures)) if doses is None else doses
    return [
        row.model_copy(update={"attributes": {"picture": list(map(float, picture))}})
        for row, picture in zip(rows_of(*({"dose": float(d)} for d in doses)), pictures, strict=True)
    ]


def axes(pictures: np.ndarray) -> dict[str, np.ndarray]:
    (family,) = audit.Side(PICTURED, "train", pictured(pictures), 0, None).families()
    return dict(family.columns)


def scattered(pairs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(pairs, 5)) * [9, 4, 1, 0.5, 0.1]


def test_an_embedding_stands_for_its_two_widest_directions() -> None:
    pictures = scattered(300)
    found = axes(pictures + 100)
    assert found.keys() == {"picture_1", "picture_2"}
    for place, axis in enumerate(found.values()):
        assert abs(np.corrcoef(axis, pictures[:, place])[0, 1]) > 0.99
        assert axis.std() == pytest.approx(pictures[:, place].std(), rel=0.02)


def test_axes_have_a_sign_of_their_own_and_follow_their_pairs() -> None:
    pictures, order = scattered(40), np.random.default_rng(1).permutation(40)
    one, turned, moved = axes(pictures), axes(-pictures), axes(pictures[order])
    for name, axis in one.items():
        assert axis[np.abs(axis).argmax()] > 0
        assert np.allclose(axis, turned[name]) and np.allclose(axis[order], moved[name])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_confound_on_one_axis_of_a_picture_alone_is_found(axis: int) -> None:
    pictures = scattered(60)
    doses = pictures[:, axis] / pictures[:, axis].std() + np.random.default_rng(2).normal(size=60)
    findings = {f.name: f for f in audit.audit(PICTURED, pictured(pictures, doses), 0)}
    assert findings["independence"].verdict == "fail"
    assert f"picture_{axis + 1}" in findings["independence"].says


@pytest.mark.parametrize("value", [0.0, 0.1, 255.0])
def test_pictures_that_are_all_the_same_are_constant(value: float) -> None:
    findings = {f.name: f for f in audit.audit(PICTURED, pictured(np.full((40, 5), value)), 0)}
    assert findings["independence"].verdict == "constant"


def test_pictures_that_differ_in_one_way_only_have_one_axis_that_counts() -> None:
    pictures = np.outer(np.random.default_rng(0).normal(size=40), [1.0, 2, 3, 4, 5])
    findings = {f.name: f for f in audit.audit(PICTURED, pictured(pictures), 0)}
    held = {k for k in findings["independence"].measured if k.startswith("p_")}
    assert held == {"p_picture_1"}


def test_a_name_that_no_row_has_is_refused_not_taken_for_a_constant() -> None:
    typo = Sketch(assigned="dose", held_back=("pictur",))
    with pytest.raises(CurateError, match="names pictur, which 40 of 40 pairs do not have"):
        audit.audit(typo, pictured(np.ones((40, 3))), 0)


@pytest.mark.parametrize("value", [1e308, 1e101])
def test_numbers_that_no_square_can_hold_are_refused(value: float) -> None:
    pictures = np.random.default_rng(0).choice([-value, value], (40, 3))
    with pytest.raises(CurateError, match="picture, whose lists are empty or hold numbers beyond"):
        audit.audit(PICTURED, pictured(pictures), 0)


# --- what the reference tells

REFERENCE = Reference(
    parameters=(), proxies=("rms", "lufs"), controls=("mel",), most_r=0.2, most_told=0.35, least_told=0.8
)


def noisy(pairs: int) -> tuple[np.ndarray, list[Values], np.ndarray]:
    draw = np.random.default_rng(3)
    target = draw.uniform(size=pairs)
    mel = np.exp(-((np.linspace(0, 1, 12) - target[:, None]) ** 2) * 9)
    rows: list[Values] = [
        {"rms": float(a), "lufs": float(b), "mel": m.tolist()}
        for a, b, m in zip(draw.normal(size=pairs), draw.normal(size=pairs), mel, strict=True)
    ]
    return target, rows, draw.normal(size=pairs)


def test_parameters_of_the_reference_are_tested_beside_what_was_held_back() -> None:
    target, rows, _ = noisy(160)
    drawn = Sketch(assigned="dose", reference=REFERENCE.model_copy(update={"parameters": ("breath",)}))
    for breath, verdict in ((target, "fail"), (np.random.default_rng(0).normal(size=160), "pass")):
        measured = [
            {**row, "dose": float(t), "breath": float(b)}
            for row, t, b in zip(rows, target, breath, strict=True)
        ]
        found = verdicts(audit.audit(drawn, rows_of(*measured), 0))
        assert found["reference_parameters", "train"] == verdict
