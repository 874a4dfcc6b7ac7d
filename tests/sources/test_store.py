import os
from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.sources.store import LocalStore, is_safe, licence_of


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "tars").mkdir()
    (tmp_path / "tars" / "a.tar").write_bytes(bytes(range(100)))
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / ".hidden").write_text("not of the source")
    return LocalStore(tmp_path)


def test_a_folder_lists_what_is_not_hidden(store: LocalStore) -> None:
    assert store.paths() == ["b.txt", "tars/a.tar"]
    assert store.fetch("tars/a.tar") == store.root / "tars" / "a.tar"
    assert store.name == str(store.root)


def test_a_stream_begins_at_its_offset(store: LocalStore) -> None:
    with store.stream("tars/a.tar", 90) as stream:
        assert stream.read(4) == bytes(range(90, 94))
        assert stream.read(100) == bytes(range(94, 100))
        assert stream.read(1) == b""
    with store.stream("tars/a.tar", 1000) as stream:
        assert stream.read(1) == b""


def test_an_identity_changes_with_the_file(store: LocalStore) -> None:
    path = store.root / "tars" / "a.tar"
    first = store.identity("tars/a.tar")
    assert first == store.identity("tars/a.tar") != store.identity("b.txt")
    os.utime(path, ns=(1, 1))
    touched = store.identity("tars/a.tar")
    path.write_bytes(b"x")
    os.utime(path, ns=(1, 1))
    assert len({first, touched, store.identity("tars/a.tar")}) == 3


def test_a_file_that_is_not_there_is_named(store: LocalStore) -> None:
    told = f"{store.root}/gone.tar: cannot be read: No such file or directory"
    with pytest.raises(CurateError) as error:
        store.identity("gone.tar")
    assert str(error.value) == told
    with pytest.raises(CurateError) as error, store.stream("gone.tar", 0):
        pass
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# Set\n", "apache-2.0"),
        ("---\r\nlicense: mit\r\n---\r\n", "mit"),
        ("---\nlicense:\n- mit\n- cc-by-4.0\n---\n", "mit, cc-by-4.0"),
        ("---\ntags: [a]\n---\nlicense: mit", None),
        ("---\nlicense: 3\n---\n", None),
        ("---\nlicense: [a\n---\n", None),
        ("---\n- license\n---\n", None),
        ("license: mit\n---\n", None),
        ("", None),
    ],
)
def test_the_licence_is_what_the_card_says(card: str, licence: str | None, store: LocalStore) -> None:
    (store.root / "README.md").write_bytes(card.encode())
    assert licence_of(card) == store.licence == licence


def test_a_card_that_is_no_text_has_no_licence(store: LocalStore) -> None:
    assert store.licence is None
    (store.root / "README.md").write_bytes(b"---\nlicense: \xff\n---")
    assert store.licence is None


@pytest.mark.parametrize("path", ["a", "a/b.c", "ä/→ b", "..a/b..", "a\\b"])
def test_paths_that_stay_below(path: str) -> None:
    assert is_safe(path)


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", ".", "./a", "../a", "a/..", "a\0b", "a\nb", "\ud800"]
)
def test_paths_that_do_not(path: str) -> None:
    assert not is_safe(path)
