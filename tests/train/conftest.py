from pathlib import Path
from typing import Any

import pytest
import torch

from curate.encode.stack import Stack, load
from curate.train.strategy import Rope
from tests.train.sets import KINDS, make_set


@pytest.fixture(scope="session")
def stack(shared_cache: Path) -> Stack:
    """The miniature, its transformer too."""
    torch.set_num_threads(1)
    return load("tiny", shared_cache, generating=True)


@pytest.fixture(scope="session")
def sets(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small finished set of each kind. They are shared: copy one before changing it."""
    base = tmp_path_factory.mktemp("sets")
    return {kind: make_set(base / kind, kind, stack) for kind in KINDS}


@pytest.fixture(scope="session")
def pipeline(stack: Stack) -> Any:
    """diffusers' own text-to-video pipeline of the miniature: the oracle. Shared: change nothing in it."""
    from diffusers import LTX2Pipeline

    return LTX2Pipeline.from_pretrained(stack.folder)


@pytest.fixture(scope="session")
def rope(pipeline: Any) -> Rope:
    return Rope(pipeline.transformer)
