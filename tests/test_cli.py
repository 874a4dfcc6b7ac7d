"""The command line as people use it: verdict first, one line for what is wrong, the right exit code."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import curate.cli
from curate.build import build
from curate.engine import Serial
from curate.pipeline import Request
from curate.progress import Reporter
from tests.conftest import SMALL

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], shared_cache: Path, tmp_path: Path
) -> Run:
    """Run `curate …` in this process, in an empty folder: exit code, stdout, stderr."""
    monkeypatch.setenv("CURATE_CACHE", str(shared_cache))
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curate", *map(str, words)])
        code = 0
        try:
            curate.cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return call


def one_line(text: str) -> bool:
    return text.startswith("curate: ") and text.count("\n") == 1 and "Traceback" not in text


def test_build_check_plan(run: Run, heads: Path, settings_file: Path, tmp_path: Path) -> None:
    asked = ("helium-v2", "--source", heads, "--config", settings_file, "--engine", "serial")
    code, out, _ = run("plan", *asked, "--quiet")
    assert code == 0 and "candidates of 8 clips, 2 of 10 files dropped" in out and "no_voice" in out
    code, out, err = run("build", *asked)
    assert code == 0, err
    assert out.startswith("helium-v2: ") and "NOT PROVEN" in out.splitlines()[0]
    assert "RANDOM WEIGHTS" in out and (tmp_path / "sets" / "helium-v2" / "build.json").is_file()
    code, out, _ = run("check", "sets/helium-v2")
    assert code == 0 and "sound" in out
    with (tmp_path / "sets" / "helium-v2" / "audit.json").open("a") as stream:
        stream.write(" ")
    code, out, _ = run("check", "sets/helium-v2")
    assert code == 1 and "audit.json" in out.splitlines()[0] and "1 faults" in out


def test_json_is_for_scripts(run: Run, heads: Path, settings_file: Path) -> None:
    asked = (
        "helium-v2",
        "--source",
        heads,
        "--config",
        settings_file,
        "--engine",
        "serial",
        "--json",
        "--quiet",
    )
    code, out, _ = run("build", *asked, "--no-encode", "--out", "set")
    told = json.loads(out)
    assert code == 0 and told["build"]["counts"]["files"] == 10 and told["findings"]
    assert json.loads(run("plan", *asked)[1])["samples"]
    assert json.loads(run("check", "set", "--json")[1]) == {"set": "set", "faults": []}
    assert {r["name"] for r in json.loads(run("recipes", "--json")[1])} >= {"helium-v1", "helium-v2"}
    assert {s["name"] for s in json.loads(run("doctor", "--json")[1])} >= {"torch", "rubberband", "disk"}


def test_set_wins_over_config_and_seed_is_a_setting(run: Run, heads: Path, settings_file: Path) -> None:
    asked = (
        "helium-v2",
        "--source",
        heads,
        "--config",
        settings_file,
        "--engine",
        "serial",
        "--json",
        "--quiet",
    )
    code, out, err = run("build", *asked, "--no-encode", "--set", "contour=0.25", "--seed", 3)
    assert code == 0, err
    told = json.loads(out)["build"]["settings"]
    assert (told["contour"], told["seed"], told["frames"]) == (0.25, 3, 41)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["build"], "Missing argument 'RECIPE'"),
        (["biuld"], "No such command 'biuld'"),
        (["build", "heliun-v2"], "did you mean 'helium-v2'"),
        (["build", "helium-v2", "--set", "stratas=3"], "did you mean 'strata'"),
        (["build", "helium-v2", "--set", "strata"], "not of the form key=value"),
        (["build", "helium-v2", "--set", "strata=[3"], "cannot be read"),
        (["build", "helium-v2", "--set", "frames=120"], "8k+1"),
        (["build", "helium-v2", "--set", "seed=-1"], "seed is -1"),
        (["build", "helium-v2", "--set", "demo.clip=3"], "demo.clips"),
        (["build", "helium-v2", "--engine", "spark"], "wanted serial"),
        (["build", "helium-v2", "--source", "nowhere"], "no such folder"),
        (["build", "helium-v2", "--source", "hub:nothing"], "wanted hub:OWNER/NAME"),
        (["build", "helium-v2", "--config", "none.yaml"], "none.yaml"),
        (["build", "./none.py"], "no such recipe file"),
        (["plan", "helium-v2", "--source", "nowhere"], "no such folder"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_code_2(run: Run, words: list[str], says: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "") and one_line(err) and says in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "nowhere"], "no such folder"),
        (["check", "."], "no build.json"),
        (["build", "helium-v2", "--source", "."], "none a video"),
        (["build", "helium-v2", "--model", "./nothing-here", "--set", "demo.clips=1", "--set", "demo.size=64"], "nothing-here"),
    ],
)  # fmt: skip
def test_wrong_data_is_one_line_and_code_1(run: Run, words: list[str], says: str) -> None:
    code, out, err = run(*words, *(["--quiet", "--engine", "serial"] if words[0] == "build" else []))
    assert (code, out) == (1, "") and one_line(err) and says in err


def test_a_folder_of_broken_media_ends_in_a_ledger_not_a_traceback(
    run: Run, heads: Path, settings_file: Path, tmp_path: Path
) -> None:
    from curate.media.video import write_video
    from tests.media.test_pitch import RATE, spoken

    clips = shutil.copytree(heads, tmp_path / "clips")
    some = min(clips.glob("*.mp4"))
    (clips / "text.mp4").write_text("this is not a video")
    (clips / "empty.mov").write_bytes(b"")
    (clips / "cut.mp4").write_bytes(some.read_bytes()[: some.stat().st_size // 2])
    (clips / "again.MP4").write_bytes(some.read_bytes())
    import numpy as np

    write_video(clips / "mute.mp4", np.zeros((60, 64, 64, 3), np.uint8), 25, None, RATE)
    write_video(
        clips / "short.mp4", np.zeros((20, 64, 64, 3), np.uint8), 25, spoken()[: 20 * RATE // 25], RATE
    )
    code, out, err = run(
        "build", "helium-v2", "--source", clips, "--config", settings_file, "--no-encode", "--json", "--quiet"
    )
    assert code == 0, err
    told = json.loads(out)["build"]
    rows = [json.loads(line) for line in (tmp_path / "sets/helium-v2/ledger.jsonl").read_text().splitlines()]
    why = {row["name"]: row["reason"] for row in rows if not row["clip"]}
    assert (
        why["text.mp4"] == "not_media" and why["empty.mov"] == "empty_file" and why["mute.mp4"] == "no_audio"
    )
    assert why["short.mp4"] == "too_short" and "same_file" in why.values() and "cut.mp4" in why
    assert told["counts"]["kept"] + sum(told["counts"]["dropped"].values()) == len(rows)


def test_a_killed_program_leaves_no_half_set_and_goes_on(
    heads: Path, settings_file: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """SIGKILL in the middle, for real; then the same command again, against an undisturbed run on other threads."""
    threads = "2" if os.environ.get("OMP_NUM_THREADS") == "1" else "1"
    environment = os.environ | {"CURATE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}  # fmt: skip
    command = [sys.executable, "-m", "curate.cli", "build", "helium-v2", "--source", str(heads), "--config", str(settings_file), "--engine", "serial", "--no-encode", "--out", "one"]  # fmt: skip
    killed = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    made = tmp_path / "cache" / "examples"
    while killed.poll() is None and len(list(made.rglob("*.json"))) < 5:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "one").exists()
    done = subprocess.run(
        [*command, "--quiet"], cwd=tmp_path, capture_output=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    request = Request("helium-v2", str(heads), SMALL, {}, "tiny", shared_cache)
    two = build(request, tmp_path / "two", Serial(), Reporter(quiet=True), encode=False).folder
    assert (tmp_path / "one" / "build.json").read_bytes() == (two / "build.json").read_bytes()


@pytest.mark.skipif(os.name != "posix" or not shutil.which("mount"), reason="needs a small file system")
def test_a_full_disk_is_one_line_and_keeps_the_finished_set(
    heads: Path, settings_file: Path, shared_cache: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(small)], capture_output=True, check=False
    ).returncode:
        pytest.skip("not allowed to mount a small file system")
    try:
        command = [sys.executable, "-m", "curate.cli", "build", "helium-v2", "--source", str(heads), "--config", str(settings_file), "--engine", "serial", "--no-encode", "--quiet"]  # fmt: skip
        (small / "cache").mkdir()
        (small / "cache" / "annotations").symlink_to(shared_cache / "annotations")  # there is room for them
        environment = os.environ | {"CURATE_CACHE": str(small / "cache")}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1 and one_line(done.stderr) and "disk full while writing" in done.stderr
        assert not (tmp_path / "sets" / "helium-v2").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_help_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0 and all(f"  {name} " in out for name in curate.cli.cli.commands)
