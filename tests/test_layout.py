"""The package is one package: the top-level folders are links in it, and cannot be imported by themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("link", "target"), [("recipes", "../recipes"), ("schemas", "../schemas"), ("cli.py", "../cli.py")]
)
def test_links_are_committed_as_links(link: str, target: str) -> None:
    path = ROOT / "curate" / link
    assert path.is_symlink() and path.readlink().as_posix() == target


@pytest.mark.parametrize("name", ["recipes", "schemas"])
def test_a_top_level_folder_refuses_to_be_its_own_package(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode and f"import curate.{name}, not {name}" in done.stderr


def test_python_files_are_short_enough_to_read() -> None:
    for folder in ("curate", "recipes"):
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 400, path
