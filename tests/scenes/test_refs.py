"""`refs/` beside films: what it may hold, and what is told of anything else."""

import os
from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.scenes.refs import pictures_beside, read_cast
from curate.sources.clips import cast_of


def folder(root: Path, **people: int) -> Path:
    for name, count in people.items():
        (root / "refs" / name).mkdir(parents=True)
        for number in range(count):
            (root / "refs" / name / f"{number}.png").write_bytes(name.encode() + bytes([number]))
    return root


def test_without_refs_there_is_no_cast(tmp_path: Path) -> None:
    assert pictures_beside(tmp_path) == {} and read_cast(tmp_path) == {}
    assert cast_of(tmp_path / "a.mp4", tmp_path / "cache") == {}


def test_pictures_and_the_list_belong_to_every_film_of_their_folder(tmp_path: Path) -> None:
    folder(tmp_path, ada=2, ben=1)
    (tmp_path / "refs" / "ada" / "notes.txt").write_text("hers")
    (tmp_path / "refs" / "cast.json").write_text('{"ada": "a woman with red hair"}')
    assert pictures_beside(tmp_path) == {
        "ada": ["refs/ada/0.png", "refs/ada/1.png"],
        "ben": ["refs/ben/0.png"],
    }
    assert read_cast(tmp_path) == {"ada": "a woman with red hair"}
    found = cast_of(tmp_path / "a.mp4", tmp_path / "cache")
    assert sorted(found) == ["refs/ada/0.png", "refs/ada/1.png", "refs/ben/0.png", "refs/cast.json"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "found a list, wanted an object"), ("{", "cannot be read as JSON"), ('{"ada": 3}', "'ada' is 3, wanted a text"),
        ('{"ada": ""}', "wanted a text"), ('{"ada": "a", "ada": "b"}', "the key 'ada' comes twice"),
        ('{"ada": "two\\nlines"}', "one line"), ('{"ada": "\\"red\\""}', "quotation marks"), ("\xff", "cannot be read"),
    ],
)  # fmt: skip
def test_a_list_that_is_none_is_told_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    folder(tmp_path, ada=1)
    (tmp_path / "refs" / "cast.json").write_text(text, encoding="latin-1")
    with pytest.raises(CurateError, match=told) as why:
        read_cast(tmp_path)
    assert "cast.json" in str(why.value) and "\n" not in str(why.value)


def test_odd_names_no_pictures_and_strangers_are_told(tmp_path: Path) -> None:
    folder(tmp_path, ada=0)
    with pytest.raises(CurateError, match="ada: found 0 pictures, wanted 1 to 16"):
        pictures_beside(tmp_path)
    (tmp_path / "refs" / "ada" / "1.png").write_bytes(b"x")
    (tmp_path / "refs" / "cast.json").write_text('{"ben": "an old man"}')
    with pytest.raises(CurateError, match="names 'ben', found no pictures"):
        cast_of(tmp_path / "a.mp4", tmp_path / "cache")
    (tmp_path / "refs" / "a b").mkdir()
    with pytest.raises(CurateError, match="found a folder 'a b', wanted a name of letters"):
        pictures_beside(tmp_path)


def test_hidden_files_and_folders_are_no_pictures_and_names_are_of_any_script(tmp_path: Path) -> None:
    folder(tmp_path, ada=1, 沈月华=1)
    (tmp_path / "refs" / "ada" / "._0.png").write_bytes(b"x")
    (tmp_path / "refs" / "ada" / "old.png").mkdir()
    assert pictures_beside(tmp_path) == {"ada": ["refs/ada/0.png"], "沈月华": ["refs/沈月华/0.png"]}


def test_names_that_no_ledger_can_hold_are_refused(tmp_path: Path) -> None:
    folder(tmp_path, ada=1)
    for name in (b"\xff.png", b"\x1b[31m.png"):
        path = Path(os.fsdecode(os.fsencode(tmp_path / "refs" / "ada") + b"/" + name))
        path.write_bytes(b"x")
        with pytest.raises(CurateError, match="wanted a name in UTF-8"):
            pictures_beside(tmp_path)
        path.unlink()


def test_a_link_to_another_folder_is_refused(tmp_path: Path) -> None:
    folder(tmp_path / "films", ada=1)
    (tmp_path / "mine.png").write_bytes(b"x")
    (tmp_path / "films" / "refs" / "ada" / "2.png").symlink_to(tmp_path / "mine.png")
    with pytest.raises(CurateError, match="a link to another folder"):
        cast_of(tmp_path / "films" / "a.mp4", tmp_path / "cache")
