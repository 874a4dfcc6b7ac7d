"""Drawn films, of which all is known: their sheets show who and what was drawn, and traps end as they should."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from curate.errors import Rejected
from curate.media.video import write_video
from curate.recipe import Example, Recipe, configure, find
from curate.records import Clip, Drop, Sample
from curate.sources.demo_films import (
    FilmPlan,
    FilmTruth,
    elements,
    labels,
    truth,
)
from curate.sources.demo_films_stage import drawn_frame
from curate.sources.demo_films_truth import empty_room
from curate.sources.folder import list_folder

pytest.importorskip("dlib")
EVERY = 3  # of a film's frames is drawn, at 8 a second: what moves here moves slowly
FACING_DEG = 35.0


class Filmed(NamedTuple):
    """A drawn film, looked through, with all that its recipe made of it."""

    clip: Clip
    drawn: FilmTruth
    planned: list[Sample | Drop]
    made: dict[str, Example | Rejected]  # by sample

    def frame(self, at_s: float) -> int:
        """The number of the frame of the truth that is on screen."""
        return int(at_s * 24 / EVERY + 0.01) * EVERY

    def reasons(self) -> set[str]:
        """Why there are no sheets."""
        drops = {each.reason for each in self.planned if isinstance(each, Drop)}
        return drops | {each.reason for each in self.made.values() if isinstance(each, Rejected)}


def shortened(plan: FilmPlan, *frames: int) -> FilmPlan:
    """The first frames of its first shots."""
    shots = zip(plan.shots, frames, strict=False)
    return plan.model_copy(update={"shots": tuple(one.model_copy(update={"frames": n}) for one, n in shots)})


def filmed(plan: FilmPlan, folder: Path, most: int = 9, **changes: Any) -> Filmed:
    """Draw a film, look through it, plan its sheets, and make at most so many."""
    pictures = [
        drawn_frame(one, empty, plan.room, plan.cast, plan.props, frame)
        for one in plan.shots
        for empty in [empty_room(plan, one)]
        for frame in range(0, one.frames, EVERY)
    ]
    path = folder / f"{plan.name}.mp4"
    for suffix, told in {".json": labels(plan), ".elements.json": elements(plan)}.items():
        path.with_suffix(suffix).write_text(json.dumps(told), "utf-8")
    write_video(path, np.stack(pictures), 24 // EVERY)
    recipe = configure(find("reference-sheet"), changes)
    (clip,), _ = list_folder(folder, folder / "cache", reads="films")
    clip = clip.model_copy(update={"annotations": recipe.annotate(clip)})
    planned = list(recipe.plan([clip]))
    samples = [each for each in planned if isinstance(each, Sample)]
    return Filmed(clip, truth(plan), planned, {each.id: made(recipe, each) for each in samples[:most]})


def made(recipe: Recipe, sample: Sample) -> Example | Rejected:
    try:
        return recipe.make(sample)
    except Rejected as why:
        return why


def share_inside(box: Any, other: Any) -> float:
    """How much of a box is in another one."""
    across, down = (
        min(box[2], other[2]) - max(box[0], other[0]),
        min(box[3], other[3]) - max(box[1], other[1]),
    )
    return float(max(0, across) * max(0, down) / ((box[2] - box[0]) * (box[3] - box[1])))
