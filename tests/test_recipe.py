"""Finding and filling recipes."""

from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.recipe import configure, find, recipes

MINE = """
from collections.abc import Iterator, Sequence
from typing import ClassVar

from curate.audit import Finding
from curate.recipe import Example, Recipe
from curate.records import Clip, Drop, LedgerRow, Sample


class Mine(Recipe):
    name: ClassVar[str] = "mine"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "text_to_video"
    summary: ClassVar[str] = "a recipe of one's own"

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        yield from ()

    def make(self, sample: Sample) -> Example:
        return Example(measured={})

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        return []
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
