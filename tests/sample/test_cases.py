"""The columns that prompts give a set of sheets."""

from pathlib import Path

import pytest
import torch

from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.sample.cases import Case, cases
from curate.train.config import SampleConfig
from curate.train.data import TrainingSet
from tests.train.sets import SHEETS

SPINS = "Generated video: Somebody spins."
HELD_OUT = ["reference-sheet-heldout-0", "reference-sheet-heldout-1"]


def columns(sets: dict[str, Path], stack: Stack, *prompts: str, count: int = 2) -> list[Case]:
    """The cases of a set of two sheets."""
    dataset = TrainingSet(sets["video_reference"])
    return cases(dataset, SampleConfig(prompts=prompts, cases=count), stack)


def test_a_prompt_has_the_sheet_that_its_first_part_describes(sets: dict[str, Path], stack: Stack) -> None:
    described = SHEETS[1].split("\n")[0]
    ada, bo, asked = columns(sets, stack, f"{described}\n{SPINS}")
    assert [case.caption for case in (ada, bo)] == list(SHEETS)
    assert (asked.caption, asked.label) == (f"{described}\n{SPINS}", f"{HELD_OUT[1]}: {SPINS}")
    reference = [case.sample.latents["reference_video_latents"] for case in (ada, bo, asked)]
    assert torch.equal(reference[1], reference[2]) and not torch.equal(reference[0], reference[2])
    assert (
        asked.identity == bo.identity and asked.beside is bo.beside
    )  # the same noise, beside the same sheet


def test_else_it_has_the_next_sheet_under_that_sheets_own_first_part(
    sets: dict[str, Path], stack: Stack
) -> None:
    prompt = f"Reference sheet: cy, a cat (prop).\n{SPINS}"
    asked = columns(sets, stack, prompt, prompt, prompt)[2:]
    assert [case.sample.record.id for case in asked] == [*HELD_OUT, HELD_OUT[0]]
    assert [case.caption for case in asked] == [
        f"{SHEETS[number].splitlines()[0]}\n{SPINS}" for number in (0, 1, 0)
    ]


def test_a_prompt_of_one_part_is_one_line(sets: dict[str, Path], stack: Stack) -> None:
    line = "sample.prompts: 'She spins' is in one part, wanted two lines as in 'Reference sheet: ada, a woman"
    with pytest.raises(CurateError, match=f"^{line}") as caught:
        columns(sets, stack, "She spins")
    assert "\n" not in str(caught.value)


def test_pinned_frames_have_no_prompts(sets: dict[str, Path], stack: Stack) -> None:
    config = SampleConfig(prompts=("She spins",), cases=1)
    assert len(cases(TrainingSet(sets["first_frame"]), config, stack)) == 1
