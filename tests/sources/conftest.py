"""Shared by the tests of listing VBVR."""

from pathlib import Path

import pytest

from tests.vbvr_folders import BALL, GRID, MAZE, make_vbvr


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three generators of eight, seven and six samples; not to be written to."""
    path = tmp_path_factory.mktemp("vbvr")
    make_vbvr(path, {BALL: 8, GRID: 7, MAZE: 6})
    return path
