"""Where a set goes: nothing of anybody else is removed, and a crash between two renames loses nothing."""

import os
from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.place import Place


def finished_set(folder: Path, mark: str) -> Path:
    """What Place takes for a set: a manifest that names its files."""
    from tests.test_manifest import manifest_of

    folder.mkdir(parents=True)
    (folder / "ledger.jsonl").write_text(mark)
    (folder / "build.json").write_bytes(manifest_of(folder))
    return folder


def put(place: Place, mark: str) -> None:
    with place.draft() as draft:
        (draft / "ledger.jsonl").write_text(mark)
        from tests.test_manifest import manifest_of

        (draft / "build.json").write_bytes(manifest_of(draft))
        place.fill(draft)


def test_a_set_replaces_a_set_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for mark in ("one", "two"):
        put(Place(tmp_path / "helium"), mark)
        assert (tmp_path / "helium" / "ledger.jsonl").read_text() == mark
    assert [p.name for p in tmp_path.iterdir()] == ["helium"]


def test_folders_of_like_names_are_left_alone(tmp_path: Path) -> None:
    for name in ("helium.old", "helium.partial", "helium.failed", ".helium.curate-old2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("x")
    place = Place(tmp_path / "helium")
    put(place, "one")
    with place.draft() as draft, pytest.raises(CurateError, match="in the way"):
        place.keep_failed(draft)
    assert all(
        (tmp_path / n / "mine.txt").exists() for n in ("helium.old", "helium.partial", "helium.failed")
    )


def test_a_draft_that_came_to_nothing_is_gone_and_so_is_a_dead_builds(tmp_path: Path) -> None:
    stale = tmp_path / ".helium.curate-draft-999999999"
    stale.mkdir()
    with pytest.raises(ZeroDivisionError), Place(tmp_path / "helium").draft():
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_kill_between_the_two_renames_is_healed(tmp_path: Path) -> None:
    finished_set(tmp_path / ".helium.curate-old", "one")
    place = Place(tmp_path / "helium")
    assert (tmp_path / "helium" / "ledger.jsonl").read_text() == "one"
    put(place, "two")
    assert (tmp_path / "helium" / "ledger.jsonl").read_text() == "two"


def test_a_move_that_fails_puts_the_old_set_back(tmp_path: Path) -> None:
    put(Place(tmp_path / "helium"), "one")
    place = Place(tmp_path / "helium")
    with pytest.raises(CurateError, match="cannot be put in place"):
        place.fill(tmp_path / "no-such-draft")
    assert (tmp_path / "helium" / "ledger.jsonl").read_text() == "one"


def test_what_a_failed_build_leaves_is_replaced_by_the_next_one(tmp_path: Path) -> None:
    for mark in ("one", "two"):
        place = Place(tmp_path / "helium")
        with place.draft() as draft:
            (draft / "audit.json").write_text(mark)
            assert place.keep_failed(draft) == tmp_path / "helium.failed"
    assert (tmp_path / "helium.failed" / "audit.json").read_text() == "two"


@pytest.mark.parametrize("name", [".", "sub/..", "helium"])
def test_a_place_is_known_by_its_real_name(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "sub").mkdir() if name.startswith("sub") else None
    assert Place(Path(name)).out.name == ("helium" if name == "helium" else "here")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "helium").write_text("x")
    with pytest.raises(CurateError, match="is a file"):
        Place(tmp_path / "helium")
    with (
        pytest.raises(CurateError, match="no set can be made there"),
        Place(tmp_path / "helium" / "in").draft(),
    ):
        pass
    assert os.path.isfile(tmp_path / "helium")
