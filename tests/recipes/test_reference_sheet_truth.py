"""Drawn films, of which all is known: their sheets show who and what was drawn, and traps end as they should."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from curate.errors import Rejected
from curate.media.video import write_video
from curate.recipe import Example, Recipe, configure, find
from curate.records import Clip, Drop, Sample, number, numbers, strings
from curate.sheets.cast import NEVER_SEEN, TURNS
from curate.sheets.choices import Choices
from curate.sheets.known import known_of
from curate.sheets.view import View
from curate.sources.demo_films import FilmPlan, FilmsDemo, elements, films_plan, labels, trap_plan, truth
from curate.sources.demo_films_stage import drawn_frame
from curate.sources.demo_films_truth import FilmTruth, empty_room
from curate.sources.folder import list_folder

pytest.importorskip("dlib")
EVERY = 3  # of a film's frames one is drawn, so it has 8 a second
FRAMES = 41
WHOLE, FACING_DEG = 0.9, 50.0  # who shows less of the head, or looks farther away, has no face to find


class Filmed(NamedTuple):
    """A drawn film, looked through, and what its recipe made of it."""

    clip: Clip
    drawn: FilmTruth
    planned: list[Sample | Drop]
    made: list[tuple[Sample, Example | Rejected]]

    @property
    def samples(self) -> list[Sample]:
        return [each for each in self.planned if isinstance(each, Sample)]

    @property
    def reasons(self) -> list[str]:
        """Why there are no sheets."""
        return [each.reason for each in self.planned if isinstance(each, Drop)] + [
            each.reason for _, each in self.made if isinstance(each, Rejected)
        ]

    def looks(self, sample: Sample) -> list[int]:
        """Frames of a target that were looked at."""
        start_s = number(sample.choices, "start_s")
        looked_s = numbers(self.clip.annotations["looked_s"])
        return [at(t) for t in looked_s if start_s <= t < start_s + FRAMES / 24]


def at(at_s: float) -> int:
    """The number that a frame has in the truth."""
    return int(at_s * 24 / EVERY + 0.01) * EVERY


def shortened(plan: FilmPlan, *frames: int) -> FilmPlan:
    """The first frames of its first shots."""
    shots = zip(plan.shots, frames, strict=False)
    return plan.model_copy(update={"shots": tuple(one.model_copy(update={"frames": n}) for one, n in shots)})


def filmed(plan: FilmPlan, folder: Path, most: int, **changes: Any) -> Filmed:
    """Draw a film, look through it, plan its sheets, and make so many at most."""
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
    recipe = configure(find("reference-sheet"), {"frames": FRAMES, **changes})
    (clip,), _ = list_folder(folder, folder / "cache", reads="films")
    clip = clip.model_copy(update={"annotations": recipe.annotate(clip)})
    found = Filmed(clip, truth(plan), list(recipe.plan([clip])), [])
    return found._replace(made=[(each, made(recipe, each)) for each in found.samples[:most]])


def made(recipe: Recipe, sample: Sample) -> Example | Rejected:
    try:
        return recipe.make(sample)
    except Rejected as why:
        return why


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    """One who comes, looks around, puts something down and goes, in one shot."""
    plan = films_plan(FilmsDemo(films=3, seed=0))[2]
    return filmed(shortened(plan, 9 * 24), tmp_path_factory.mktemp("film"), 1)


def inside(box: Any, other: Any) -> float:
    """How much of a box is in another one."""
    across, down = (
        min(box[2], other[2]) - max(box[0], other[0]),
        min(box[3], other[3]) - max(box[1], other[1]),
    )
    return float(max(0, across) * max(0, down) / ((box[2] - box[0]) * (box[3] - box[1])))


def panels(film: Filmed, *kinds: str) -> list[tuple[Sample, View]]:
    return [(each, view) for each in film.samples for view in Choices.of(each).views if view.kind in kinds]


def test_who_is_in_a_target_is_on_its_sheet_and_nobody_else(film: Filmed) -> None:
    assert len(film.samples) >= 3
    (who,) = film.drawn.characters
    facing = (who.visible >= WHOLE) & (np.abs(who.yaw_deg) <= FACING_DEG)
    for sample in film.samples:
        start = at(number(sample.choices, "start_s"))
        assert {view.element for view in Choices.of(sample).views if view.kind == "face"} == {who.id}
        assert facing[start : start + FRAMES].any()
    for drop in (each for each in film.planned if isinstance(each, Drop)):
        assert drop.reason == "no_character"
        start = round(int(drop.id.rpartition("-")[2]) * 0.024)
        assert facing[start : start + FRAMES].mean() < 0.5
    shown = panels(film, "face", "body")
    heads = [inside(view.face, who.head[at(view.at_s or 0)]) for _, view in shown]
    assert len(shown) >= 8 and min(heads) > 0.8


def test_bodies_look_the_way_that_is_said(film: Filmed) -> None:
    """The estimate of a drawn head's turn is about half of it, so the bound of a front is wide here."""
    (who,) = film.drawn.characters
    yaws = [(view.turn, who.yaw_deg[at(view.at_s or 0)]) for _, view in panels(film, "body")]
    assert {turn for turn, _ in yaws} >= {"front", "left"}
    for turn, yaw_deg in yaws:
        assert {"front": abs(yaw_deg) < 30, "left": yaw_deg < -15, "right": yaw_deg > 15}[turn], (
            turn,
            yaw_deg,
        )


def test_what_is_missing_is_what_is_not_there(film: Filmed) -> None:
    (who,) = film.drawn.characters
    for sample in film.samples:
        views = {view.name for view in Choices.of(sample).views}
        wanted = {f"{who.id} {turn}" for turn in (*TURNS, *NEVER_SEEN)} | {
            f"{p.id} prop" for p in film.drawn.props
        }
        assert {
            name for name in strings(sample.attributes["missing"]) if "place" not in name
        } == wanted - views


def test_props_of_a_target_are_on_its_sheet_where_they_are(film: Filmed) -> None:
    props = {prop.id: prop for prop in film.drawn.props}
    shown = panels(film, "prop")
    places = [(view.box, props[view.element].box[at(view.at_s or 0)]) for _, view in shown]
    assert len(places) >= 4
    assert min(min(inside(one, other), inside(other, one)) for one, other in places) > 0.6
    there = {(sample.id, view.element) for sample, view in shown}
    wanted = {
        (sample.id, name)
        for sample in film.samples
        for name, prop in props.items()
        if (prop.visible * ~prop.held)[film.looks(sample)].max() >= 0.95
    }
    assert len(wanted & there) >= 0.9 * len(wanted)
    for sample, view in shown:
        assert props[view.element].visible[film.looks(sample)].max() > 0.3


def test_panels_from_the_target_itself_are_said_to_be(film: Filmed) -> None:
    for sample in film.samples:
        start, own = at(number(sample.choices, "start_s")), strings(sample.attributes["same_window"])
        for view in Choices.of(sample).views:
            if view.at_s is not None:
                assert (start <= at(view.at_s) < start + FRAMES - EVERY) <= (view.name in own)
                assert (start - EVERY <= at(view.at_s) < start + FRAMES) >= (view.name in own)


def test_the_place_is_the_empty_room(film: Filmed) -> None:
    """Up to what stands in it."""
    made = [each for _, each in film.made if isinstance(each, Example)]
    assert made, film.reasons
    for example in made:
        names, edges = strings(example.measured["panels"]), numbers(example.measured["boxes"])
        place = next(n for n, name in enumerate(names) if name.endswith(" place"))
        left, top, right, bottom = (int(edge) for edge in edges[4 * place : 4 * place + 4])
        room = cv2.resize(
            film.drawn.shots[0].empty, (right - left, bottom - top), interpolation=cv2.INTER_AREA
        )
        apart = np.abs(np.asarray(example.pictures["sheet"])[top:bottom, left:right].astype(int) - room)
        assert apart.mean() < 6 and (apart.max(axis=-1) > 20).mean() < 0.08
        assert np.abs(room[:, ::-1].astype(int) - room).mean() > 12  # as another room would be


def test_two_who_look_alike_are_two(tmp_path: Path) -> None:
    film = filmed(shortened(trap_plan("look-alikes"), 48), tmp_path, 0, frames=25)
    who = known_of(film.clip).who
    assert len(who) == len(set(who.values())) == 2
    assert {sample.attributes["characters"] for sample in film.samples} <= {1, 2}


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (shortened(trap_plan("nobody"), 27), "no_character"),
        (shortened(trap_plan("short shots"), 24, 12), "short_shot"),
        (shortened(trap_plan("writing"), 75), "text"),
    ],
)
def test_traps_end_with_their_reason(plan: FilmPlan, reason: str, tmp_path: Path) -> None:
    film = filmed(plan, tmp_path, 1, frames=25 if reason != "short_shot" else FRAMES, max_same_window=1.0)
    assert reason in film.reasons and not any(isinstance(each, Example) for _, each in film.made)
