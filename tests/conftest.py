"""Shared by all tests: a cache that workers share, and a folder of small talking heads."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import curate  # noqa: F401  before any test imports transformers: its guard lets torchvision be

REAL_CLIPS = Path(__file__).parents[1] / "../shared/data/talking-heads"
SMALL = {"frames": 41, "size": 64, "strata": 4, "low_hz": 90.0, "high_hz": 280.0}

# Files whose tests go to one worker of `--dist loadgroup`, because they share what is slow to make or to import.
TOGETHER = {
    "heads": ("tests/test_build.py", "tests/test_check.py", "tests/test_cli.py", "tests/test_controls_built.py", "tests/test_controls_command.py", "tests/test_docs.py", "tests/test_roundtrip.py", "tests/diff/test_show.py"),
    "stack": ("tests/train/", "tests/encode/", "tests/sample/test_gallery.py", "tests/sample/test_generate.py", "tests/sample/test_pinned.py", "tests/sample/test_sweep.py"),
    "clip": ("tests/media/test_likeness.py", "tests/media/test_things.py", "tests/sheets/test_known_by_words.py", "tests/recipes/test_human_build.py"),
    **{path: (path,) for path in (
        "tests/recipes/test_reference_sheet_truth.py", "tests/recipes/test_dual_character_built.py", "tests/test_controls.py", "tests/test_guard.py", "tests/test_sweep.py", "tests/recipes/test_helium_made.py",
        "tests/recipes/test_vbvr_build.py", "tests/media/test_look.py", "tests/media/test_quality.py", "tests/media/test_video.py",
        "tests/sources/test_demo.py", "tests/sources/test_demo_robots.py", "tests/sources/test_demo_vbvr.py", "tests/sources/test_hub.py", "tests/sources/test_hub_rows.py",
    )},
}  # fmt: skip


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """As loadgroup, by TOGETHER and not by marks: xdist 3.8 writes those into a name that pytest 9.2 does not read."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((group for group, files in TOGETHER.items() if nodeid.startswith(files)), nodeid)

    return ByFile(config, log)


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session, also across xdist workers: its entries are keyed by content and appear whole."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "cache"


@pytest.fixture(scope="session")
def heads(shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten drawn talking heads of 64 pixels with sidecars; one of them is silent, as one in a dozen is flawed."""
    from curate.engine import Serial
    from curate.progress import Reporter
    from curate.sources.listing import list_source

    settings = {"demo.clips": 10, "demo.size": 64}
    listing = list_source("demo", settings, shared_cache, Serial(), Reporter(quiet=True))
    folder = tmp_path_factory.mktemp("heads")
    for clip in listing.clips:
        for path in Path(clip.path).parent.glob(f"{Path(clip.path).stem}.*"):
            shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="session")
def trained_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a small CLIP that learned colours and shapes; tests with it are of one group of TOGETHER, so it is trained once."""
    from tests.media import clip_models

    return clip_models.trained(tmp_path_factory.mktemp("clip") / "learned")


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """SMALL as a --config file: sets that a test can make in seconds."""
    path = tmp_path / "small.yaml"
    path.write_text(json.dumps(SMALL))
    return path
