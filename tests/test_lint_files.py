"""`curate lint`: files of every kind, sets, standard input; what it prints and how it exits."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import curate.cli
from curate.errors import CurateError
from curate.lint_files import linted

SOUND = "中景，固定镜头。左侧年轻男子身穿白色长袍，右侧女子身穿红色长裙。"
BLACK = "black fedora and suit"
FLIES = "the fedora flies off"


def run(*words: object, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(curate.cli.cli, ["lint", *map(str, words)], input=given)


def told(place: Path, text: str) -> list[tuple[int, str]]:
    place.write_text(text, encoding="utf-8")
    return [(one.caption.line, one.caption.text) for one in linted(str(place)) if one.caption.text]


def test_every_line_names_file_line_code_and_message(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    place.write_text(f"{SOUND}\n\n{FLIES}\n", encoding="utf-8")
    result = run(place)
    assert result.exit_code == 1
    first, *rest, last = result.output.splitlines()
    assert first.startswith(f"{place}:3: error object_detaches: 'fedora flies off'")
    assert [line.split(": ")[1] for line in rest] == [
        "warning characters", "warning sides", "warning shot_size", "warning camera",
    ]  # fmt: skip
    assert last == f"{place}: 2 captions, 1 errors, 4 warnings"


def test_exit_codes(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    for text, plain, fixing in ((SOUND, 0, 0), ("A man.", 0, 0), (BLACK, 1, 0), (FLIES, 1, 1)):
        place.write_text(text, encoding="utf-8")
        assert (run(place).exit_code, run(place, "--fix").exit_code) == (plain, fixing), text
        assert run(place, "--json").exit_code == plain


def test_fix_prints_captions_line_by_line_and_changes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    place.write_text(f"{BLACK}\n\n{SOUND}\n", encoding="utf-8")
    before = place.read_bytes()
    result = run(place, "--fix")
    assert result.stdout == f"BLACK fedora and BLACK suit\n\n{SOUND}\n"
    assert f"{place}:1: fixed dark_clothing: " in result.stderr
    assert place.read_bytes() == before


def test_json_is_for_scripts(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    place.write_text(f"{BLACK}\n{FLIES}", encoding="utf-8")
    result = json.loads(run(place, "--json", "--fix").stdout)
    assert result["errors"] == 1 and [one["line"] for one in result["captions"]] == [1, 2]
    (first,) = [one for one in result["captions"] if one["line"] == 1]
    assert first["fixed"] == "BLACK fedora and BLACK suit"
    fault = first["faults"][0]
    assert first["caption"][slice(*fault["span"])] == "black" and fault["fix"] == "BLACK"


def test_kinds_of_files(tmp_path: Path) -> None:
    assert told(tmp_path / "a.txt", "one\r\ntwo\n") == [(1, "one"), (2, "two")]
    assert told(tmp_path / "b.txt", "\ufeffone") == [(1, "one")]
    assert told(tmp_path / "c.json", '{\n "licence": "x",\n "caption": "one"\n}') == [(3, "one")]
    assert told(tmp_path / "d.json", '["one",\n {"text": "\\u4e8c\\nthree"}]') == [
        (1, "one"),
        (2, "二 three"),
    ]
    rows = '{"caption": "one", "kept": true}\n\n{"caption": null}\n"two"\n{"caption": "no", "kept": false}\n'
    assert told(tmp_path / "e.jsonl", rows) == [(1, "one"), (4, "two")]
    assert told(tmp_path / "f.txt", "one\u2028two\nthree") == [(1, "one two"), (2, "three")]
    assert run("-", given="\ufefftwo\r\n").output.startswith("-:1: warning characters")


def test_a_caption_of_nothing_in_a_row_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"caption": ""}\n{"caption": "\\ud800"}')
    result = run(tmp_path / "a.jsonl")
    assert result.exit_code == 1 and result.output.count("error empty") == 2


def test_sets_by_ledger_by_plan_and_by_the_rules_of_their_recipe(tmp_path: Path) -> None:
    (tmp_path / "plan.jsonl").write_text(json.dumps({"caption": FLIES}))
    assert f"{tmp_path / 'plan.jsonl'}:1: error object_detaches" in run(tmp_path).output
    (tmp_path / "ledger.jsonl").write_text(json.dumps({"caption": "The {x} moves.", "kept": True}))
    assert f"{tmp_path / 'ledger.jsonl'}:1: warning characters" in run(tmp_path).output
    (tmp_path / "build.json").write_text('{"recipe": "vbvr"}')
    result = run(tmp_path)
    assert result.exit_code == 1 and "ledger.jsonl:1: error placeholder: unresolved '{x}'" in result.output
    assert run(tmp_path, "--fix").stdout == "The {x} moves.\n"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.txt", b"", "found no caption"),
        ("blank.txt", b"\n \n", "found no caption"),
        ("none.jsonl", b'{"name": "x"}', "found no caption"),
        ("picture.txt", b"one\n\x89PNG\r\n\x1a\n", "picture.txt:2: found byte 0x89, wanted UTF-8 text"),
        ("zeros.txt", b"one\x00two", "zeros.txt:1: found byte 0x00, wanted text"),
        ("wide.txt", "one".encode("utf-16"), "wide.txt:1: found byte 0xff"),
        ("broken.json", b'{"caption": ', "found Expecting value"),
        ("broken.jsonl", b'"one"\n{', "broken.jsonl:2: found Expecting property name"),
        ("number.jsonl", b'{"caption": 3}', "number.jsonl:1: found int '3', wanted the text of a caption"),
        ("deep.json", b"[" * 100_000, "deep.json: found JSON that cannot be read"),
    ],
)
def test_what_is_no_caption_is_one_line(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    result = run(tmp_path / name)
    assert isinstance(result.exception, CurateError)
    assert says in str(result.exception) and str(tmp_path / name) in str(result.exception)
    assert "\n" not in str(result.exception)


def test_what_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (tmp_path / "missing.txt", tmp_path, "/dev/null"):
        monkeypatch.setattr(sys, "argv", ["curate", "lint", str(place)])
        with pytest.raises(SystemExit) as stop:
            curate.cli.main()
        said = capsys.readouterr().err
        assert stop.value.code == 1 and said.count("\n") == 1 and str(place) in said and "wanted" in said


def test_five_megabytes_of_captions_and_of_one(tmp_path: Path) -> None:
    place = tmp_path / "long.txt"
    place.write_text((SOUND + "\n") * 50_000, encoding="utf-8")
    assert place.stat().st_size > 4_500_000
    assert run(place).output == f"{place}: 50000 captions, no faults\n"
    place.write_text("'a black coat " * 400_000)
    result = run(place)
    assert result.exit_code == 1 and "5,599,999 characters, wanted 5,000 or fewer" in result.output
