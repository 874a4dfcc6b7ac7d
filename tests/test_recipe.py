"""Finding and filling recipes."""

from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.recipe import configure, find, recipes
from curate.records import LedgerRow

MINE = """
from collections.abc import Iterator, Sequence
from typing import ClassVar

from curate.recipe import Example, Recipe
from curate.records import Clip, Drop, Sample
from curate.proof.sketch import Sketch


class Mine(Recipe):
    name: ClassVar[str] = "mine"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "text_to_video"
    summary: ClassVar[str] = "a recipe of one's own"

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        yield from ()

    def make(self, sample: Sample) -> Example:
        return Example(measured={})

    @property
    def sketch(self) -> Sketch:
        return Sketch(constant={"caption": "a street"})
"""


def test_bundled_recipes_are_found_by_name() -> None:
    assert {"helium-v1", "helium-v2"} <= recipes().keys()
    assert find("helium-v2").name == "helium-v2"


def test_an_unknown_recipe_is_met_with_the_nearest_name() -> None:
    with pytest.raises(CurateError, match="no recipe 'heliun-v2'; did you mean 'helium-v2'"):
        find("heliun-v2")


def test_a_file_is_a_recipe_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE + "\n\nRECIPE = Mine\n")
    assert find(str(path)).name == "mine"


def test_a_recipe_without_a_lot_keeps_what_was_made_and_is_audited_by_its_sketch(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE + "\n\nRECIPE = Mine\n")
    mine = configure(find(str(path)), {})
    rows = [
        LedgerRow(id=f"{n}", name="", caption=caption, split="train", group=f"{n}", made=n < 2)
        for n, caption in enumerate(("a street", "a road", "a field"))
    ]
    assert mine.select(rows) == {"0": None, "1": None}
    kept = [row.model_copy(update={"kept": True}) for row in rows[:2]]
    assert {f.name: f.verdict for f in mine.audit(kept) if f.split == "all"} == {
        "caption": "fail",
        "groups": "pass",
    }
    assert {f.verdict for f in mine.audit(kept[:1]) if f.split == "all"} == {"pass"}


@pytest.mark.parametrize("function", ["plan", "make", "sketch"])
def test_a_recipe_that_lacks_a_function_is_told_which(tmp_path: Path, function: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE.replace(f"def {function}(", "def another(") + "\n\nRECIPE = Mine\n")
    with pytest.raises(CurateError, match=rf"mine\.py: Mine .*{function}"):
        configure(find(str(path)), {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINE, "no recipe file"),
        (MINE + "\nRECIPE = 3\n", "no recipe file|subclass"),
        ("def broken(:", "cannot be imported"),
        ("import nothing_like_this", "cannot be imported"),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text.replace("RECIPE = 3", "RECIPES = (3,)"))
    with pytest.raises(CurateError, match=says):
        find(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="no such recipe file"):
        find(str(tmp_path / "none.py"))


def test_two_recipes_in_a_file_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    other = 'class Other(Mine):\n    name: ClassVar[str] = "other"\n\n\nRECIPES = (Mine, Other)\n'
    path.write_text(MINE + "\n\n" + other)
    assert find(f"{path}:other").name == "other"
    with pytest.raises(CurateError, match=r"say .*two\.py:NAME"):
        find(str(path))


def test_settings_fill_fields_and_unknown_ones_get_the_nearest_name() -> None:
    kind = find("helium-v2")
    assert configure(kind, {"strata": 8, "seed": 3}).model_dump()["strata"] == 8
    with pytest.raises(CurateError, match="no setting 'stratas'; did you mean 'strata'"):
        configure(kind, {"stratas": 8})
    with pytest.raises(CurateError, match="strata is 'many'"):
        configure(kind, {"strata": "many"})
    with pytest.raises(CurateError, match=r"frames is 120; .*8k\+1"):
        configure(kind, {"frames": 120})
