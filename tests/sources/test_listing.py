"""From what the user names to clips."""

from pathlib import Path

import pytest

from curate.engine import Serial
from curate.errors import CurateError
from curate.progress import Reporter
from curate.sources.listing import demo_config, list_source

QUIET = Reporter(quiet=True)


def test_the_demo_is_made_once_and_is_the_same_again(tmp_path: Path) -> None:
    settings = {"demo.clips": 2, "demo.size": 64}
    first = list_source("demo", settings, tmp_path, Serial(), QUIET)
    again = list_source("demo", settings, tmp_path, Serial(), QUIET)
    assert first == again and len(first.clips) == 2 and first.card.kind == "demo"
    Path(first.clips[0].path).unlink()
    assert list_source("demo", settings, tmp_path, Serial(), QUIET) == first  # a lost one is drawn again


def test_a_folder_has_a_card_without_its_path(heads: Path, tmp_path: Path) -> None:
    listing = list_source(str(heads), {}, tmp_path, Serial(), QUIET)
    assert listing.card.kind == "folder" and listing.card.files == 10
    assert str(heads) not in listing.card.model_dump_json()
    assert {clip.labels.get("speaker") for clip in listing.clips} != {None}


def test_settings_of_the_demo_are_checked_by_name() -> None:
    assert demo_config("talking-heads", {"demo.clips": 3}).clips == 3
    with pytest.raises(CurateError, match=r"no setting 'demo\.clip'; it has demo\.clips"):
        demo_config("talking-heads", {"demo.clip": 3})
    with pytest.raises(CurateError, match=r"demo\.clips is 0"):
        demo_config("talking-heads", {"demo.clips": 0})


def test_settings_of_the_demo_do_not_fit_a_folder(heads: Path, tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="goes with --source demo"):
        list_source(str(heads), {"demo.clips": 3}, tmp_path, Serial(), QUIET)
