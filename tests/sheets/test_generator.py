"""A user's function draws what a film does not show; whatever else it does is a reason, never a traceback."""

import sys
from pathlib import Path

import numpy as np
import pytest

from curate.errors import CurateError, Rejected
from curate.sheets.generator import fingerprint, generated, load_generator

BLACK = np.zeros((40, 30, 3), np.uint8)
SOURCE = """
import numpy as np

def flipped(element, description, turn, panels):
    panels[0][:] = 9  # its own copy
    return panels[0][:, ::-1].copy()

def nothing(element, description, turn, panels):
    return None

def wrong(element, description, turn, panels):
    return np.zeros((4, 4))

def broken(element, description, turn, panels):
    raise RuntimeError("no GPU")

def leaves(element, description, turn, panels):
    raise SystemExit(0)

number = 3
"""
ITSELF = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Model:
    size: int = 3

    def __call__(self, element, description, turn, panels):
        return panels[0]

draw = Model()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (path := tmp_path / "own_model.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_model", raising=False)
    return path


def test_a_function_draws_from_copies_of_the_panels(module: Path) -> None:
    panel = BLACK.copy()
    made = generated(load_generator("own_model:flipped"), "ada", "a woman", "back", [panel])
    assert made.shape == panel.shape and made.min() == 9 and panel.max() == 0
    assert len(fingerprint("own_model:flipped")) == 16


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing", "gave nothing"),
        ("wrong", r"float64 \(4, 4\), wanted uint8"),
        ("broken", "RuntimeError: no GPU"),
        ("leaves", "SystemExit: 0"),
    ],
)
def test_whatever_else_it_gives_is_a_reason(module: Path, name: str, says: str) -> None:
    with pytest.raises(Rejected, match=says) as caught:
        generated(load_generator(f"own_model:{name}"), "ada", "a woman", "back", [BLACK])
    assert caught.value.reason == "not_generated"


@pytest.mark.parametrize("reference", ["own_model:absent", "no_such_module:draw", "own_model:number"])
def test_what_is_no_function_is_refused_in_one_line(module: Path, reference: str) -> None:
    with pytest.raises(CurateError, match=f"generator {reference}: ") as caught:
        load_generator(reference)
    assert "\n" not in str(caught.value)


def test_a_file_is_a_generator_too_and_its_bytes_are_its_fingerprint(tmp_path: Path) -> None:
    (path := tmp_path / "mine.py").write_text(ITSELF)
    reference = f"{path}:draw"
    assert generated(load_generator(reference), "ada", "a woman", "back", [BLACK]) is not BLACK
    before = fingerprint(reference)
    path.write_text(ITSELF.replace("3", "4"))
    assert fingerprint(reference) != before
    (tmp_path / "exits.py").write_text("raise SystemExit(0)")
    for wrong in (f"{tmp_path}/absent.py:draw", f"{path}:absent", f"{tmp_path}/exits.py:draw"):
        with pytest.raises(CurateError, match="generator ") as caught:
            fingerprint(wrong)
        assert "\n" not in str(caught.value)
