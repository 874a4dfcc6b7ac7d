"""The manifest and the small files around it."""

from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.manifest import content_id, file_cards, load_build, pretty, read_lines, write_lines
from curate.records import Build, Counts, LedgerRow, SourceCard, Verdicts


def manifest_of(folder: Path) -> bytes:
    """A manifest for whatever is in a folder."""
    build = Build(
        curate="0", recipe="helium-v2", recipe_version=1, summary="", strategy="audio_reference", settings={},
        source=SourceCard(kind="demo", files=0, sha256="0" * 64), encoder=None, encoder_sha256=None, private=False, trained=False,
        counts=Counts(files=0, candidates=0, kept=0, train=0, heldout=0, dropped={}),
        audit=Verdicts(passed=[], failed=[], not_testable=[], other=[], expected_failures=[], allowed=[]),
        content_id="0" * 64, platform="x", made_with={}, files=file_cards(folder),
    )  # fmt: skip
    return pretty(build)


def row(name: str, **changes: object) -> LedgerRow:
    return LedgerRow.model_validate({"id": name, "name": f"{name}.mp4", **changes})


def test_lines_come_back_as_they_went(tmp_path: Path) -> None:
    rows = [
        row("a", made=True, kept=True, measured={"x": 0.1, "n": 3, "list": [1.0, 2.5]}),
        row("b", reason="why"),
    ]
    write_lines(tmp_path / "ledger.jsonl", rows)
    assert read_lines(tmp_path / "ledger.jsonl", LedgerRow) == rows


def test_a_bad_line_is_named_with_its_number(tmp_path: Path) -> None:
    write_lines(tmp_path / "ledger.jsonl", [row("a")])
    with (tmp_path / "ledger.jsonl").open("a") as stream:
        stream.write('{"id": 3}\n')
    with pytest.raises(CurateError, match=r"ledger\.jsonl:2: "):
        read_lines(tmp_path / "ledger.jsonl", LedgerRow)


def test_file_cards_cover_everything_but_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "a.tar").write_bytes(b"x")
    (tmp_path / "build.json").write_bytes(manifest_of(tmp_path))
    assert list(file_cards(tmp_path)) == ["shards/a.tar"]
    assert load_build(tmp_path).files == file_cards(tmp_path)


def test_content_is_what_is_kept() -> None:
    kept = row("a", kept=True, made=True, measured={"x": 1.0})
    assert content_id([kept, row("b", reason="why")]) == content_id([kept, row("c", reason="else")])
    assert content_id([kept]) != content_id([kept.model_copy(update={"measured": {"x": 1.1}})])
