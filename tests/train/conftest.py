from pathlib import Path

import pytest

from curate.encode.stack import Stack, load
from tests.train.sets import KINDS, make_set


@pytest.fixture(scope="session")
def stack(shared_cache: Path) -> Stack:
    """The miniature, its transformer too."""
    return load("tiny", shared_cache, generating=True)


@pytest.fixture(scope="session")
def sets(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small finished set of each kind. They are shared: copy one before changing it."""
    base = tmp_path_factory.mktemp("sets")
    return {kind: make_set(base / kind, kind, stack) for kind in KINDS}
