import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from curate.errors import CurateError
from curate.progress import Reporter
from curate.records import sha256_of
from curate.train import objective
from curate.train.config import fixed, read_config
from curate.train.start import train
from curate.train.state import checkpoints
from curate.train.strategy import STRATEGIES
from tests.train.runs import QUICK, Interrupting, asked, begin, command_line, result, rows, run

STEPS = 4
# each with its own order of samples, sizes large enough for eight bits, and two samples a step
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adamw": {"accumulation": 2, "checkpoint_every": 2},
    "adamw8bit": {"accumulation": 2, "optimizer": "adamw8bit", "rank": 16, "alpha": 16, "targets": "video"},
}


@pytest.fixture(scope="module")
def through(
    sets: dict[str, Path], shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Runs that nothing interrupted."""
    base = tmp_path_factory.mktemp("through")
    for name, changes in OPTIMIZERS.items():
        run(sets["audio_reference"], base / name, shared_cache, **changes)
    return {name: base / name for name in OPTIMIZERS}


@pytest.mark.parametrize(
    ("name", "step"), [("adamw", 1), ("adamw", 2), ("adamw8bit", 2)]
)  # due anyway, and not
def test_stopped_and_gone_on_is_never_having_stopped(
    sets: dict[str, Path], shared_cache: Path, through: dict[str, Path], tmp_path: Path, name: str, step: int
) -> None:
    out, folder = tmp_path / "run", sets["audio_reference"]
    stopped = train(asked(folder, out, shared_cache, **OPTIMIZERS[name]), Interrupting(step))
    assert (stopped.steps, stopped.wanted) == (step + 1, STEPS)
    assert checkpoints(out / "checkpoints")[-1] == step + 1 and stopped.lora.is_file()
    done = run(folder, out, shared_cache, resume=True)
    assert done.steps == STEPS
    assert result(out, STEPS) == result(through[name], STEPS)
    order = [row["samples"] for row in rows(out) if "samples" in row]
    assert len(order) == STEPS and all(len(samples) == 2 for samples in order)
    assert len({sample for samples in order[:2] for sample in samples}) == 4  # the whole set once, then again


def test_killed_at_any_moment_and_gone_on_is_never_having_stopped(
    sets: dict[str, Path], shared_cache: Path, through: dict[str, Path], tmp_path: Path
) -> None:
    out, folder = tmp_path / "run", sets["audio_reference"]
    command = ["train", str(folder), "--out", str(out), "--quiet"]
    command += [
        f"--set={key}={'null' if value is None else value}"
        for key, value in (QUICK | OPTIMIZERS["adamw"]).items()
    ]
    dice = random.Random()
    for _ in range(2):
        process = begin(command_line, command, tmp_path / "words", {"CURATE_CACHE": str(shared_cache)})
        until = time.monotonic() + 120
        while not (out / "metrics.jsonl").is_file() and process.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 1.5))
        process.kill()
        process.join()
        assert (out / "run.json").is_file(), (tmp_path / "words").read_text()
        command = ["train", str(folder), "--out", str(out), "--resume", "--quiet"]
    if checkpoints(out / "checkpoints")[-1:] != [STEPS]:  # it may have been faster than the kill
        run(folder, out, shared_cache, resume=True)
    assert result(out, STEPS) == result(through["adamw"], STEPS)


def test_ctrl_c_on_the_command_line_saves_and_exits_with_130(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    out, words = tmp_path / "run", tmp_path / "words"
    command = [
        "train",
        str(sets["images"]),
        "--out",
        str(out),
        "--set=steps=100000",
        "--set=checkpoint_every=100000",
    ]
    process = begin(command_line, command, words, {"CURATE_CACHE": str(shared_cache)})
    until = time.monotonic() + 120
    while time.monotonic() < until and not ((out / "metrics.jsonl").is_file() and len(rows(out)) > 3):
        time.sleep(0.05)
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(timeout=60)
    assert process.exitcode == 130, words.read_text()
    (step,) = checkpoints(out / "checkpoints")
    assert rows(out)[-1]["step"] == step >= 3
    said = words.read_text().splitlines()
    assert [line for line in said if not line.startswith("note: ")] == [
        "stopping after this step (again: at once)",
        f"stopped after {step} of 100000 steps; go on with --resume",
        str(out / "lora" / f"human-step-{step:05d}.safetensors"),
    ]


def test_two_processes_do_what_one_does_with_twice_the_accumulation(
    sets: dict[str, Path], shared_cache: Path, through: dict[str, Path], tmp_path: Path
) -> None:
    """To the last bit: halving is exact, and so is the sum of two."""
    out = tmp_path / "run"
    settings = [
        f"--set={key}={'null' if value is None else value}"
        for key, value in (QUICK | {"checkpoint_every": 2}).items()
    ]
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "accelerate.commands.launch",
                "--multi_gpu",
                "--num_processes=2",
                "--num_machines=1",
            ),
            *("--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0", "-m", "curate.cli"),
            *("train", str(sets["audio_reference"]), "--out", str(out), *settings),
        ],
        env={**os.environ, "CURATE_CACHE": str(shared_cache), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    card = json.loads((out / "run.json").read_text())
    assert card["processes"] == 2
    assert result(out, STEPS) == result(through["adamw"], STEPS)
    assert "arning" not in done.stderr
    assert done.stderr.count("note: the base is a miniature") == 1


@pytest.mark.parametrize("kind", STRATEGIES)
def test_training_lowers_the_loss_at_fixed_noise(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path, kind: str
) -> None:
    done = run(sets[kind], tmp_path / "run", shared_cache)
    first, last = (row["fixed_noise"]["train"] for row in rows(tmp_path / "run") if "fixed_noise" in row)
    assert last < 0.995 * first
    with safe_open(done.lora, "pt") as file:
        said = file.metadata()
    assert (said["step"], said["strategy"]) == ("4", kind)
    assert said.get("reference_downscale_factor") == ("1" if "reference" in kind else None)


def test_a_loss_that_is_no_number_stops_and_leaves_the_last_checkpoint(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    out, folder = tmp_path / "run", sets["images"]
    train(asked(folder, out, shared_cache), Interrupting(1))
    good = (out / "checkpoints" / "step-00002" / "state.safetensors").read_bytes()
    config, told = out / "config.yaml", out / "run.json"

    def retold(was: str, now: str) -> None:
        """As if the run had begun so."""
        config.write_text(config.read_text().replace(f"learning_rate: {was}", f"learning_rate: {now}"))
        settings = sha256_of(fixed(read_config(config.read_text(), "config", {})))
        told.write_text(json.dumps(json.loads(told.read_text()) | {"settings_sha256": settings}))

    retold("0.005", "1.0e+30")
    with pytest.raises(
        CurateError, match=r"^step [34]: .* is no longer a number, at sample human-train-\d"
    ) as caught:
        run(folder, out, shared_cache, resume=True)
    assert "lower learning_rate (1e+30)" in str(caught.value) and "\n" not in str(caught.value)
    assert checkpoints(out / "checkpoints") == [2]
    assert (out / "checkpoints" / "step-00002" / "state.safetensors").read_bytes() == good
    retold("1.0e+30", "0.005")
    assert run(folder, out, shared_cache, resume=True).steps == STEPS


def test_what_a_ruinous_step_leaves_is_not_saved_even_when_a_checkpoint_is_due(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        CurateError, match=r"^step 1: the (adapter|loss at fixed noise) is no longer a number"
    ):
        run(sets["images"], tmp_path / "run", shared_cache, learning_rate=1e30, checkpoint_every=1)
    assert not (tmp_path / "run" / "lora").exists()
    assert checkpoints(tmp_path / "run" / "checkpoints") == []


def test_memory_that_runs_out_in_a_step_says_what_to_lower(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The allocator itself gives up, in the middle of the first step: only the size is made up."""
    real = objective.loss

    def greedy(transformer: Any, *rest: Any) -> Any:
        if transformer.training:
            torch.empty(2**55)
        return real(transformer, *rest)

    monkeypatch.setattr(objective, "loss", greedy)
    with pytest.raises(
        CurateError,
        match=r"^step 1: out of memory; lower it with --set precision=bf16, --set gradient_checkpointing=true",
    ):
        run(sets["images"], tmp_path / "run", shared_cache)


def test_what_is_shown_while_training_changes_nothing(
    sets: dict[str, Path], shared_cache: Path, through: dict[str, Path], tmp_path: Path
) -> None:
    shown = list[tuple[int, str]]()

    def sampler(*_: Any) -> Callable[[int, Any, Path], None]:
        def show(step: int, transformer: Any, lora: Path) -> None:
            assert lora.is_file()
            shown.append((step, lora.name))
            transformer.eval()
            torch.rand(step)

        return show

    out = tmp_path / "run"
    request = asked(sets["audio_reference"], out, shared_cache, sample_every=3, **OPTIMIZERS["adamw"])
    train(request, Reporter(quiet=True), sampler)
    assert shown == [(3, "helium-v2-step-00003.safetensors")]
    assert checkpoints(out / "checkpoints") == [2, 4]  # none for what is only shown
    assert result(out, STEPS) == result(through["adamw"], STEPS)


def test_the_rate_of_every_step_is_in_the_metrics(
    sets: dict[str, Path], shared_cache: Path, tmp_path: Path
) -> None:
    two_stage = {
        "schedule": "two-stage",
        "first_stage_steps": 2,
        "learning_rate": 1.3e-4,
        "checkpoint_every": 4,
    }
    run(sets["images"], tmp_path / "run", shared_cache, **two_stage)
    rates = [row["learning_rate"] for row in rows(tmp_path / "run") if "learning_rate" in row]
    assert rates == pytest.approx([1.3e-4, 1.3e-4 * 0.55, 1.3e-5, 1.3e-5])


def test_int8_trains_every_tensor(
    sets: dict[str, Path], shared_cache: Path, through: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = run(sets["audio_reference"], out, shared_cache, quantize="int8", steps=2)
    plain, first, last = (
        row["fixed_noise"]["train"] for row in (rows(through["adamw"])[0], rows(out)[0], rows(out)[-1])
    )
    assert plain != first == pytest.approx(plain, rel=0.02)  # the base in eight bits is nearly the base
    assert last < first
    tensors = load_file(done.lora)
    assert set(tensors) == set(load_file(next((through["adamw"] / "lora").iterdir()))) and len(tensors) == 40
    assert all(value.abs().sum() > 0 for value in tensors.values())


def test_silent_and_sounding_samples_share_a_row() -> None:
    from curate.train.objective import Turn
    from curate.train.trainer import _row

    told = _row([Turn("a", 0.5, 1.0, None), Turn("b", 0.5, 2.0, 4.0)])
    assert (told["loss"], told["video_loss"], told["audio_loss"]) == (3.5, 1.5, 4.0)
    assert _row([Turn("a", 0.5, 1.0, None)])["audio_loss"] is None
