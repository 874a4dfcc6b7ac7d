"""`--with-controls` from the command line."""

import json
from pathlib import Path

import pytest

import curate.cli
from curate import controls
from tests.conftest import SMALL

HALF = {**SMALL, "heldout_share": 0.4}  # of the small talking heads: two pairs to train on, three held out

PLAIN = """
from curate.recipe import Recipe
from curate.proof.sketch import Sketch


class Plain(Recipe):
    name, version, strategy, summary = "plain", 1, "text", "no reference at all"
    def plan(self, clips):
        yield from ()
    def make(self, sample):
        raise NotImplementedError
    @property
    def sketch(self):
        return Sketch()

RECIPE = Plain
"""


def test_a_recipe_without_a_reference_has_no_controls(
    heads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "sys.argv", ["curate", "build", "./plain.py", "--source", str(heads), "--with-controls"]
    )
    with pytest.raises(SystemExit) as stop:
        curate.cli.main()
    assert stop.value.code == 2
    assert capfd.readouterr().err == (
        "curate: --with-controls: plain has no reference in its sketch, so there is nothing to control for\n"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["plain.py"]


def test_the_command_builds_and_checks_controls(
    heads: Path,
    shared_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "half.yaml").write_text(json.dumps(HALF))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_CACHE", str(shared_cache))
    asked = [
        "--source",
        str(heads),
        "--config",
        "half.yaml",
        "--engine",
        "serial",
        "--out",
        "helium",
        "--quiet",
    ]
    monkeypatch.setattr(
        "sys.argv", ["curate", "build", "helium-v2", *asked, "--with-controls", "--no-encode"]
    )
    curate.cli.main()
    out = capfd.readouterr().out
    assert [line.split(": ")[1] for line in out.splitlines() if line.startswith("control: ")] == [
        f"helium.{control}" for control in controls.CONTROLS
    ]
    for control in controls.CONTROLS:
        monkeypatch.setattr("sys.argv", ["curate", "check", f"helium.{control}"])
        curate.cli.main()
        assert capfd.readouterr().out.startswith(f"helium.{control}: sound. helium-v2 {control}: ")
