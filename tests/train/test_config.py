"""The training tables against the cards of the seeds, and what a person may get wrong in one."""

import re
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.train.config import (
    FREE_ON_RESUME,
    PRESETS,
    TrainConfig,
    changed,
    differing,
    learning_rate,
    preset,
    read_config,
)

ONE_VALUE = "reference_audio_positions"  # nothing else to choose yet
NAMES = sorted(path.stem for path in PRESETS.glob("*.yaml"))
CARDS: dict[str, dict[str, Any]] = {  # what the seeds' cards say, and nothing else
    "human": {
        "base_model": "Lightricks/LTX-2.3",
        "rank": 16,
        "alpha": 16,
        "steps": 1000,
        "learning_rate": 1e-4,
        "optimizer": "adamw8bit",
        "precision": "bf16",
        "checkpoint_every": 200,
        "sample_every": 200,
        "sample.prompts": [
            "human portrait, cinematic close up",
            "human child",
            "old human",
            "human civilization",
            "human in nature",
        ],
    },
    "vbvr": {
        "base_model": "Lightricks/LTX-2.3",
        "rank": 32,
        "learning_rate": 1e-4,
        "optimizer": "adamw8bit",
        "sample.prompts": [
            "A red ball moves to the right, bounces off the wall, and returns to the center",
            "Water flows from the left container through the connecting tube into the right container until both levels are equal",
        ],
    },
    "reference-sheet": {
        "base_model": "Lightricks/LTX-2.3",
        "rank": 128,
        "alpha": 128,
        "targets": "video",
        "steps": 12000,
        "learning_rate": 1.3e-4,
        "schedule": "two-stage",
        "first_stage_steps": 6000,
        "optimizer": "adamw8bit",
        "precision": "bf16",
        "gradient_checkpointing": True,
        "accumulation": 1,
        "max_grad_norm": 1.0,
        "seed": 42,
        "first_frame_p": 0.0,
        "sample.negative_prompt": "worst quality, inconsistent motion, blurry, jittery, distorted",
        "sample.inference_steps": 30,
        "sample.guidance_scale": 4.0,
        "sample.stg_scale": 1.0,  # its stg_v, block 29
        "sample.stg_blocks": [29],
        "sample.strength": 1.4,
    },
    "dual-character": {
        "base_model": "Lightricks/LTX-2.3",
        "sample.inference_steps": 8,
        "sample.strength": 0.8,  # of its 0.7-0.9, and in its example
        "sample.pin_strength": 0.9,  # of its 0.85-0.95, and in its example
    },
    "helium": {
        "base_model": "Lightricks/LTX-2.3",
        "rank": 32,
        "alpha": 32,
        "targets": "audio",
        "steps": 2000,
        "learning_rate": 2e-4,
        "schedule": "linear",
        "optimizer": "adamw8bit",
        "precision": "bf16",
        "quantize": "int8",
        "gradient_checkpointing": True,
        "accumulation": 1,
        "reference_audio_positions": "negative",
        "first_frame_p": 0.0,
        "sample.strength": 0.5,  # the upper end of its 0.3-0.5, and where it says to start
    },
}


def test_every_seed_has_a_table() -> None:
    assert sorted(CARDS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_table_has_the_values_of_its_card_and_marks_all_others(name: str) -> None:
    found = dict(flat(yaml.safe_load(preset(name))))
    assert {key: found.get(key) for key in CARDS[name]} == CARDS[name]
    marked = {key for key, line in lines(preset(name)).items() if "# inferred" in line}
    assert set(found) - marked == set(
        CARDS[name]
    )  # neither an invented value unmarked, nor a card's value disowned


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_read_as_it_is_written(name: str) -> None:
    config = read_config(preset(name), name, {})
    read = dict(flat(config.model_dump(mode="json")))
    assert {key: read[key] for key, _ in flat(yaml.safe_load(preset(name)))} == dict(
        flat(yaml.safe_load(preset(name)))
    )


def test_helium_sweeps_the_band_of_its_card() -> None:
    tones = read_config(preset("helium"), "helium", {}).sample.tones
    assert (tones[0], tones[-1]) == (76, 353)  # Hz
    ratios = [above / below for below, above in pairwise(tones)]
    assert max(ratios) / min(ratios) < 1.02  # equal steps on a log scale, whole Hz


def test_prompts_of_sheets_are_in_the_two_parts_that_captions_have() -> None:
    from curate.sheets.view import named_in

    prompts = read_config(preset("reference-sheet"), "sheets", {}).sample.prompts
    views = [named_in(prompt) for prompt in prompts]
    assert len(views) == 3 and {view.split()[-1] for found in views for view in found} == {
        "face", "front", "left", "prop", "place",
    }  # fmt: skip
    with pytest.raises(ValueError, match="is not in two parts"):
        named_in(prompts[0].replace("\n", " "))


def test_an_unknown_table_names_those_there_are() -> None:
    with pytest.raises(
        CurateError, match=r"^no training table 'helum'; wanted one of dual-character, helium, human"
    ):
        preset("helum")


# --- learning rates


def test_two_stages_meet_at_the_rate_of_the_card() -> None:
    config = read_config(preset("reference-sheet"), "sheets", {})
    assert learning_rate(config, 0) == 1.3e-4
    assert [learning_rate(config, step) for step in (6000, 6001, 11999)] == [1.3e-5] * 3
    falling = [learning_rate(config, step) for step in range(0, 6001, 1000)]
    drops = [before - after for before, after in pairwise(falling)]
    assert drops == pytest.approx([1.95e-5] * 6)


@given(st.integers(1, 20_000), st.floats(1e-6, 1e-2))
def test_linear_ends_at_a_tenth_and_constant_stays(steps: int, peak: float) -> None:
    linear = TrainConfig(steps=steps, learning_rate=peak, schedule="linear")
    assert learning_rate(linear, 0) == peak
    assert learning_rate(linear, steps) == pytest.approx(peak / 10, rel=1e-12)
    assert learning_rate(linear, steps // 2) == pytest.approx(
        peak * (1 - 0.9 * (steps // 2) / steps), rel=1e-12
    )
    constant = TrainConfig(steps=steps, learning_rate=peak)
    assert {learning_rate(constant, step) for step in (0, steps // 2, steps)} == {peak}


def test_linear_is_the_scheduler_of_the_official_trainer() -> None:
    import torch

    config = TrainConfig(steps=40, learning_rate=2e-4, schedule="linear")
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=2e-4)
    official = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=40)
    for step in range(41):
        assert learning_rate(config, step) == pytest.approx(official.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        official.step()


# --- what a person asks for


def test_changes_are_laid_over_the_table_and_reach_into_its_samples() -> None:
    text = "rank: 8\nalpha: 8\nsample:\n  prompts: [a, b]\n  strength: 0.5\n"
    config = read_config(text, "t.yaml", {"rank": 4, "sample.prompts": ["c"], "sample.frames": 25})
    assert (config.rank, config.alpha) == (4, 8)
    assert (config.sample.prompts, config.sample.frames, config.sample.strength) == (("c",), 25, 0.5)
    assert read_config("rank: 8\n", "t.yaml", {"sample.seed": 3}).sample.seed == 3
    again = changed(config, {"sample.seed": 7, "steps": 9}, "run")
    assert (again.sample.seed, again.sample.frames, again.steps, again.rank) == (7, 25, 9, 4)
    assert (config.sample.seed, config.steps) == (0, 2000)


def test_targets_may_be_modules() -> None:
    assert read_config("targets: [attn1.to_q, ff.net.2]\n", "t.yaml", {}).targets == (
        "attn1.to_q",
        "ff.net.2",
    )


@pytest.mark.parametrize(
    ("text", "changes", "says"),
    [
        ("rnak: 4\n", {}, "there is no training setting 'rnak'; did you mean 'rank'?"),
        ("sample: {promts: [a]}\n", {}, "there is no training setting 'sample.promts'; did you mean 'sample.prompts'?"),
        ("", {}, "found nothing, wanted keys and values"),
        ("rank: 4\n", {"sample.sead": 1}, "there is no training setting 'sample.sead'; did you mean 'sample.seed'?"),
        ("rank: 4\n", {"zzzz": 1}, "there is no training setting 'zzzz'; it has accumulation, alpha, "),
        ("- rank\n", {}, "found list, wanted keys and values"),
        ("rank: [\n", {}, "cannot be read as YAML: line 2: expected the node content, but found"),
        ("rank: \0\n", {}, "cannot be read as YAML: unacceptable character"),
        ("1: 2\n", {}, "1 is 1: keys should be strings"),
        ("rank: 0\n", {}, "rank is 0: input should be greater than or equal to 1"),
        ("learning_rate: fast\n", {}, "learning_rate is 'fast': input should be a valid number"),
        ("alpha: .inf\n", {}, "alpha is inf: input should be a finite number"),
        ("targets: audi\n", {}, "targets is 'audi': input should be 'audio', 'audio+bridge', 'video' or"),
        ("trackers: [tensorbord]\n", {}, "trackers.0 is 'tensorbord': input should be 'tensorboard' or 'wandb'"),
        ("sample: 5\n", {"sample.seed": 1}, "sample is 5: input should be a valid dictionary"),
        ("sample: {prompts: [1]}\n", {}, "sample.prompts.0 is 1: input should be a valid string"),
        ("sample: {tones: [76, -3]}\n", {}, "sample.tones.1 is -3: input should be greater than or equal to 50"),
        ("sample: {frames: 24}\n", {}, "sample.frames is 24: wanted 8k+1, such as 1, 25 or 121"),
        ("sample: {pin_strength: 1.1}\n", {}, "sample.pin_strength is 1.1: input should be less than or equal to 1"),
        ("sample: {stg_scale: 1}\n", {}, "sample.stg_blocks is (): stg_scale is 1, wanted blocks for it, such as [29]"),
        ("sample: {stg_blocks: [-1]}\n", {}, "sample.stg_blocks.0 is -1: input should be greater than or equal to 0"),
        ("sample: {stg_blocks: 29}\n", {}, "sample.stg_blocks is 29: input should be a valid tuple"),
        ("schedule: two-stage\n", {}, "schedule two-stage and first_stage_steps go together"),
        ("first_stage_steps: 5\n", {}, "schedule two-stage and first_stage_steps go together"),
        ("schedule: two-stage\nsteps: 5\nfirst_stage_steps: 6\n", {}, "first_stage_steps 6 of 5 steps"),
        ("reference_audio_positions: positive\n", {}, "reference_audio_positions is 'positive': input should be"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_line_that_names_the_file(
    text: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(CurateError, match=f"^t.yaml: {re.escape(says)}") as caught:
        read_config(text, "t.yaml", changes)
    assert "\n" not in str(caught.value)


def test_a_table_cannot_make_the_program_run_anything() -> None:
    with pytest.raises(CurateError, match="could not determine a constructor"):
        read_config("rank: !!python/object/apply:os.getpid []\n", "t.yaml", {})


# --- going on


def test_what_differs_is_named_with_both_values() -> None:
    was = read_config(preset("helium"), "helium", {})
    now = changed(was, {"rank": 16, "learning_rate": 1e-3, "targets": "audio+bridge"}, "helium")
    assert differing(was, now) == [
        "rank: 32 -> 16",
        "targets: audio -> audio+bridge",
        "learning_rate: 0.0002 -> 0.001",
    ]
    assert differing(was, was) == []


def test_what_does_not_shape_the_weights_may_differ() -> None:
    free = {
        "model": "/elsewhere",  # its weights are compared by themselves
        "checkpoint_every": 7,
        "keep_checkpoints": 9,
        "sample_every": 3,
        "trackers": ["wandb"],
        "sample": {"seed": 3},
    }
    assert set(free) == FREE_ON_RESUME
    assert differing(TrainConfig(), changed(TrainConfig(), free, "run")) == []


@pytest.mark.parametrize("key", sorted(set(TrainConfig.model_fields) - FREE_ON_RESUME - {ONE_VALUE}))
def test_whatever_shapes_the_weights_may_not(key: str) -> None:
    other = {
        "targets": "audio", "schedule": "linear", "optimizer": "adamw8bit", "precision": "fp32", "quantize": "int8",
        "sigma": "high-sigma-mixture", "base_model": "another", "gradient_checkpointing": True, "first_frame_p": 0.5,
        "first_stage_steps": 5,
    }  # fmt: skip
    was = TrainConfig()
    now = was.model_copy(update={key: other.get(key, 7)})
    (told,) = differing(was, now)
    assert told.startswith(f"{key}: ") and " -> " in told


def flat(table: dict[str, Any]) -> list[tuple[str, Any]]:
    """Key and value of every setting, those of the samples as `sample.key`."""
    inner = table.get("sample", {})
    return [
        *((key, value) for key, value in table.items() if key != "sample"),
        *((f"sample.{key}", value) for key, value in inner.items()),
    ]


def lines(text: str) -> dict[str, str]:
    """The line of every setting."""
    found, part = dict[str, str](), ""
    for line in text.splitlines():
        if match := re.match(r"( *)(\w+):", line):
            part = part if match[1] else ("sample." if match[2] == "sample" else "")
            found[part * bool(match[1]) + match[2]] = line
    return {key: line for key, line in found.items() if key != "sample"}
