from pathlib import Path

import pytest

from curate.encode.stack import Stack, load


@pytest.fixture(scope="session")
def cache_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def stack(cache_root: Path) -> Stack:
    return load("tiny", cache_root)
