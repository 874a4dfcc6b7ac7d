"""`curate diff` as people and scripts use it, on a built set and on made-up ones."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import curate.cli
from curate.build import build
from curate.diff.bump import reasons
from curate.diff.compare import difference
from curate.diff.contents import read
from curate.diff.show import diff_json, diff_text
from curate.engine import Serial
from curate.pipeline import Request
from curate.progress import Reporter
from tests.conftest import SMALL
from tests.diff.test_compare import PAIR, contents, finding, folder_of, sample

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `curate diff …` in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curate", "diff", *map(str, words)])
        code = 0
        try:
            curate.cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return call


def test_two_splits_of_a_real_set(run: Run, heads: Path, shared_cache: Path, tmp_path: Path) -> None:
    for name, share in (("a", 0.2), ("b", 0.4)):
        request = Request("helium-v2", str(heads), SMALL | {"heldout_share": share}, {}, "tiny", shared_cache)
        build(request, tmp_path / name, Serial(), Reporter(quiet=True), encode=False)
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    assert run("a", "copy") == (0, "a -> copy: identical, every file has the same sha256 (curate check reads the files themselves); version bump: none\n", "")  # fmt: skip
    code, out, err = run("a", "b")
    assert (code, err) == (1, "") and out.startswith("a -> b: they differ; suggested version bump: m")
    assert "settings    heldout_share" in out
    told = json.loads(run("a", "b", "--json")[1])
    kept = {name: {row.id: row for row in read(tmp_path / name).rows if row.kept} for name in ("a", "b")}
    assert set(told["added"]) == kept["b"].keys() - kept["a"].keys()
    assert set(told["removed"]) == kept["a"].keys() - kept["b"].keys()
    sides = {name: {row.clip: row.split for row in rows.values()} for name, rows in kept.items()}
    moved = {clip for clip, side in sides["a"].items() if sides["b"].get(clip, side) != side}
    assert {crossing["sha256"][:16] for crossing in told["crossed"]} == moved
    assert told["bump"] == "major" or not moved
    assert told["settings"] == [{"name": "heldout_share", "before": 0.2, "after": 0.4}]


def test_the_exit_code_is_0_for_other_metadata(run: Run, tmp_path: Path) -> None:
    folder_of(tmp_path / "a", PAIR)
    folder_of(tmp_path / "b", [sample("a", licence=None), PAIR[1]])
    code, out, _ = run("a", "b")
    assert code == 0 and out.startswith("a -> b: same content, other metadata; suggested version bump: patch")
    assert run("a", "b", "--json")[0] == 0


def test_bad_input_is_one_line(run: Run, tmp_path: Path) -> None:
    folder_of(tmp_path / "a", PAIR)
    (tmp_path / "b.failed").mkdir()
    for words, code in ((("a", "b.failed"), 1), (("nowhere", "a"), 1), (("a",), 2), (("a", "a", "a"), 2)):
        found, out, err = run(*words)
        assert (found, out) == (code, "") and err.startswith("curate: ") and err.count("\n") == 1


def test_every_kind_of_difference_is_shown() -> None:
    other = [sample("a", "heldout", 99.0, caption="other"), sample("c")]
    pair = (
        contents(PAIR, [finding(r=0.1)]),
        contents(other, [finding("balance", "fail", r=0.25)], recipe="y"),
    )
    found = difference(*pair)
    text = diff_text("a", "b", found, reasons(found))
    for line in (
        "a -> b: they differ; suggested version bump: major",
        "  major: recipe: someone-elses -> y",
        "  major: finding balance (train) became worse: pass -> fail",
        "recipe      recipe",
        "kept       0 alike, 1 changed",
        "only in A  b",
        "only in B  c",
        "a               caption, measured.pitch_hz, split",
        "a.mp4        train  heldout",
        "other              0  1",
        "measured.pitch_hz  120",
        "balance (train)  pass  fail  r 0.1 -> 0.25",
    ):
        assert line in text, line


def test_long_lists_say_how_much_is_left_out() -> None:
    found = difference(
        contents(()), contents([sample(f"{i:02d}", caption=f"caption {i}") for i in range(30)])
    )
    text = diff_text("a", "b", found, reasons(found))
    assert "… and 22 more (--json has all)" in text and len(text.splitlines()) < 60
    assert len(diff_json("a", "b", found, reasons(found))["captions"]) == 30


def test_captions_are_text_not_markup() -> None:
    found = difference(contents(PAIR), contents([sample("a", caption="[/red] of [bold]x\ny"), PAIR[1]]))
    assert "[/red] of [bold]x y" in diff_text("[/a]", "b", found, reasons(found))
