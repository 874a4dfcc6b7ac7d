"""Reference sheets, stage by stage: seconds, and precision and recall of what is on them against what was drawn.

    python -m benchmarks.sheets [--films 6] [--frames 121] [--cache DIR] [--source FOLDER] [--pictures DIR]

One process, one thread, nothing cached but the drawn films: every film of the demo (or of a folder, then without truth)
is looked through and planned, and all that is planned is made, by the recipe's own functions. What is chosen is scored
for all that is planned and for those that stand; every panel that is wrong or lacking has a line.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from os import getloadavg
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from curate.errors import Rejected
from curate.media import film as films
from curate.recipe import Example, Recipe, configure, find
from curate.records import Clip, Drop, Sample, number, numbers, strings
from curate.sheets import cast, known
from curate.sheets.choices import Choices
from curate.sheets.view import View
from curate.sheets.windows import LEAST_SHOWN, Window
from curate.sources.demo_films import FilmPlan, FilmsDemo, FilmTruth, draw_film, films_plan, truth
from curate.sources.demo_films_truth import CharacterTruth, PropTruth, share_covered
from curate.sources.folder import list_folder

FACING_DEG = 35.0  # a face that the detector finds for sure
FACE_DEG = 40.0  # one that it may find
ERROR_DEG = 6.0  # of a head's turn, as estimated
WHOLE = 0.9  # of a head: then it is seen
PROP_SEEN = 0.8  # of a prop
SAME_PLACE = 0.5  # intersection over union of two boxes of one thing
FAR_LEVELS, FPS = 20, 24.0
FILM, SHEET = "film", "sheet"
Edges = Sequence[float] | NDArray[np.float64]


class Clock:
    """Seconds of each stage, without those of the stages within it."""

    def __init__(self) -> None:
        self.seconds, self.calls = defaultdict[str, float](float), Counter[str]()
        self.of: dict[str, str] = {}  # what a stage is reckoned by
        self.inner_s = [0.0]

    def timed(self, stage: str, of: str, run: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""
        self.of[stage] = of

        @wraps(run)
        def timed(*args: Any, **more: Any) -> Any:
            start_s = time.perf_counter()
            self.inner_s.append(0.0)
            try:
                return run(*args, **more)
            finally:
                whole_s = time.perf_counter() - start_s
                self.seconds[stage] += whole_s - self.inner_s.pop()
                self.calls[stage] += 1
                self.inner_s[-1] += whole_s

        return timed

    def told(self, counts: dict[str, int]) -> Iterator[str]:
        """A row for each stage."""
        yield "| stage | calls | seconds | per |\n|---|---|---|---|"
        for stage, of in self.of.items():
            each_s = self.seconds[stage] / max(1, counts[of])
            yield f"| {stage} | {self.calls[stage]} | {self.seconds[stage]:.1f} | {each_s:.2f} a {of} (n = {counts[of]}) |"
        yield f"| all | | {sum(self.seconds.values()):.1f} | |"


def stages(recipe: ModuleType) -> list[tuple[str, str, Any, str]]:
    """Stage, what it is reckoned by, and the function by the module that calls it and its name there."""
    return [
        ("list", FILM, sys.modules[__name__], "list_folder"),
        ("shots", FILM, films, "shots_of"),
        ("look: decode", FILM, known, "look_through"),  # what is left of it
        ("look: faces", FILM, films, "faces_of"),
        ("look: people", FILM, films, "people_of"),
        ("look: masks", FILM, films, "person_mask"),
        ("look: identities", FILM, films, "identity"),
        ("props, found again", FILM, known, "found_again"),
        ("plan", FILM, recipe, "cast"),
        ("make: the target's frames", SHEET, recipe, "frames_of"),
        ("make: the film's frames", SHEET, recipe, "frames_of_film"),
        ("make: cut out, lay out", SHEET, recipe, "made_sheet"),
        ("make: look at the sheet", SHEET, recipe, "found_on"),
        ("make: beside the target", SHEET, recipe, "compared"),
    ]


@contextmanager
def clocked(recipe: ModuleType) -> Iterator[Clock]:
    """The recipe's own functions on a clock."""
    clock, before = Clock(), list[tuple[Any, str, Any]]()
    for stage, of, module, name in stages(recipe):
        before.append((module, name, getattr(module, name)))
        setattr(module, name, clock.timed(stage, of, getattr(module, name)))
    try:
        yield clock
    finally:
        for module, name, run in before:
            setattr(module, name, run)


class Score:
    """What was found, right or not, of what was to be found."""

    def __init__(self) -> None:
        self.right, self.found, self.wanted = Counter[str](), Counter[str](), Counter[str]()
        self.reached = Counter[str]()
        self.lines = list[str]()

    def add(
        self, what: str, found: Iterable[tuple[str, bool]], wanted: Iterable[str], got: Iterable[str]
    ) -> None:
        """`found` with whether it is right, and what is `wanted`, of which `got` is there."""
        there = set(got)
        for name, right in found:
            self.found[what] += 1
            self.right[what] += right
            self.lines += [] if right else [f"WRONG {what}: {name}"]
        for name in wanted:
            self.wanted[what] += 1
            self.reached[what] += name in there
            self.lines += [] if name in there else [f"LACKING {what}: {name}"]

    def told(self) -> Iterator[str]:
        """A row for each kind."""
        for what in self.found | self.wanted:
            ratios = (
                f"{a[what]}/{b[what]} = {a[what] / b[what]:.3f}" if b[what] else "-"
                for a, b in ((self.right, self.found), (self.reached, self.wanted))
            )
            yield f"| {what} | {' | '.join(ratios)} |"


class Made(NamedTuple):
    """What is planned, made of it where it stands, and what was drawn."""

    sample: Sample
    example: Example | None
    window: Window
    looked: list[int]  # numbers of the film's frames that were looked at
    drawn: FilmTruth

    @property
    def chosen(self) -> Choices:
        return Choices.of(self.sample)

    @property
    def inside(self) -> range:  # numbers of the window's frames
        return range(frame_at(self.drawn, self.window.start_s), frame_at(self.drawn, self.window.end_s))

    def __str__(self) -> str:
        return f"{self.sample.clips[0].name} from {self.window.start_s:.2f} s"


def frame_at(drawn: FilmTruth, at_s: float) -> int:
    """The number of the frame on screen."""
    return int(at_s * drawn.fps + 0.01)


def overlap(one: Edges, other: Edges) -> tuple[float, float]:
    """Intersection over union, and over the first box's area; 0 where a box is NaN."""
    across, down = (
        min(one[2], other[2]) - max(one[0], other[0]),
        min(one[3], other[3]) - max(one[1], other[1]),
    )
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    both = across * down if across > 0 and down > 0 else 0.0
    return (both / (sum(areas) - both), both / areas[0]) if both else (0.0, 0.0)


def who_is(view: View, drawn: FilmTruth) -> CharacterTruth | None:
    """Whose panel it is: whose head is at the face's place, else whose body is at the body's."""
    if view.at_s is None or view.box is None:
        return None
    frame, shares = frame_at(drawn, view.at_s), dict[str, float]()
    for who in drawn.characters:
        on_face = overlap(view.face, who.head[frame])[1] if view.face else 0.0
        shares[who.id] = on_face or overlap(view.box, who.body[frame])[0]
    best = max(drawn.characters, key=lambda who: shares[who.id], default=None)
    return best if best and shares[best.id] > SAME_PLACE / 2 else None


def turn_of(yaw_deg: float) -> str:
    """As the recipe calls it."""
    return "front" if abs(yaw_deg) < cast.TURNED_DEG else "left" if yaw_deg < 0 else "right"


def turns_of(who: CharacterTruth, drawn: FilmTruth, frames: Sequence[int]) -> set[str]:
    """The ways in which a character looks in some of these frames, with a face to be found, and apart from others."""
    apart = np.ones(len(who.visible))
    for other in drawn.characters:
        if other.id != who.id:
            apart = np.minimum(apart, 1 - share_covered(who.body, other.body, 0.0))
    seen = (who.visible >= WHOLE) & (np.abs(who.yaw_deg) <= FACE_DEG) & (apart >= cast.LEAST_APART)
    return {turn_of(float(who.yaw_deg[frame])) for frame in frames if seen[frame]}


def score_characters(made: Made, score: Score) -> None:
    """Who is on the sheet, beside who is in the target, and which panels show who they are said to."""
    facing = {
        who.id: float(((who.visible >= WHOLE) & (np.abs(who.yaw_deg) <= FACING_DEG))[made.inside].mean())
        for who in made.drawn.characters
    }
    wanted = [name for name, share in facing.items() if share >= LEAST_SHOWN]
    views = [view for view in made.chosen.views if view.kind in ("face", "body")]
    shown = {view.element: who_is(view, made.drawn) for view in views if view.kind == "face"}
    score.add(
        "characters",
        [(f"{name}, {who.id if who else 'nobody'}, {made}", bool(who and who.id in wanted)) for name, who in shown.items()],
        [f"{name} in {facing[name]:.0%}, {made}" for name in wanted],
        [f"{who.id} in {facing[who.id]:.0%}, {made}" for who in shown.values() if who],
    )  # fmt: skip
    panels = list[tuple[str, bool]]()
    for view in views:
        who = who_is(view, made.drawn)
        name = f"{view.name} shows {who.id if who else 'nobody'}, {made}"
        panels.append((name, bool(who and who.id == view.element)))
    score.add("panels of the right one", panels, (), ())


def score_turns(made: Made, score: Score) -> None:
    """Which way bodies are said to look, and which ways the film shows; what is missing is said to be."""
    views, drawn = made.chosen.views, made.drawn
    for face in (view for view in views if view.kind == "face"):
        told, name = list[tuple[str, bool]](), face.element
        bodies = [view for view in views if view.element == name and view.kind == "body"]
        for view in bodies:
            who = who_is(view, drawn)
            yaw_deg = float(who.yaw_deg[frame_at(drawn, view.at_s or 0.0)]) if who else np.nan
            near = " (within the error)" if abs(abs(yaw_deg) - cast.TURNED_DEG) < ERROR_DEG else ""
            told.append(
                (f"{view.name} at {yaw_deg:+.0f} degrees{near}, {made}", turn_of(yaw_deg) == view.turn)
            )
        turns = turns_of(who, drawn, made.looked) if (who := who_is(face, drawn)) else set()
        wanted = [f"{name} {turn}, {made}" for turn in sorted(turns)]
        score.add("turns", told, wanted, [f"{view.name}, {made}" for view in bodies])
        missing = {each for each in strings(made.sample.attributes["missing"]) if each.startswith(f"{name} ")}
        lacking = {f"{name} {turn}" for turn in (*cast.TURNS, *cast.NEVER_SEEN)} - {
            view.name for view in bodies
        }
        absent = f"{sorted(missing)}, not {sorted(lacking)}, {made}"
        score.add("missing as said", [(absent, missing == lacking)], (), ())


def score_props(made: Made, score: Score) -> None:
    """Props, by their place in the frame they are cut from."""
    props = {prop.id: prop for prop in made.drawn.props}
    looks = [frame for frame in made.looked if frame in made.inside]

    def is_right(view: View, prop: PropTruth) -> bool:
        return overlap(view.box or (), prop.box[frame_at(made.drawn, view.at_s or 0.0)])[0] >= SAME_PLACE

    views = [view for view in made.chosen.views if view.kind == "prop"]
    score.add(
        "props",
        [(f"{view.name} at {view.at_s} s, {made}", is_right(view, props[view.element])) for view in views],
        [
            f"{name}, {made}"
            for name, prop in props.items()
            if max(prop.visible[looks], default=0) >= PROP_SEEN
        ],
        [f"{view.element}, {made}" for view in views],
    )


def score_windows(made: Made, score: Score) -> None:
    """Whether panels are from the target itself as they are said to be."""
    for view in made.chosen.views:
        times_s = made.chosen.people if view.is_plate else [view.at_s] if view.at_s is not None else []
        inside = any(frame_at(made.drawn, at_s) in made.inside for at_s in times_s)
        score.add("same_window as said", [(f"{view.name}, {made}", inside == view.same_window)], (), ())


def place_told(made: Made, example: Example) -> str | None:
    """How far the place on a sheet is from the empty room, where no prop stands."""
    place = next((n for n, view in enumerate(made.chosen.views) if view.is_plate), None)
    if place is None:
        return None
    left, top, right, bottom = (
        int(edge) for edge in numbers(example.measured["boxes"])[4 * place : 4 * place + 4]
    )
    shot = next(shot for shot in made.drawn.shots if shot.start_s - 0.02 <= made.window.start_s < shot.end_s)
    free = np.ones(shot.empty.shape[:2], np.uint8)
    boxes = [prop.box[frame_at(made.drawn, at_s)] for prop in made.drawn.props for at_s in made.chosen.people]
    for x0, y0, x1, y1 in (np.rint(box).astype(int) for box in boxes if not np.isnan(box).any()):
        free[max(0, y0 - 4) : y1 + 5, max(0, x0 - 4) : x1 + 5] = 0
    size = (right - left, bottom - top)
    room = cv2.resize(shot.empty, size, interpolation=cv2.INTER_AREA).astype(int)
    there = cv2.resize(free, size, interpolation=cv2.INTER_NEAREST) > 0
    apart = np.abs(np.asarray(example.sheet)[top:bottom, left:right] - room)[there]
    far = (apart.max(axis=-1) > FAR_LEVELS).mean()
    inside = sum(map(made.window.holds, made.chosen.people))
    return f"| {made} | {apart.mean():.2f} | {far:.2%} | {there.mean():.0%} | {inside} of {len(made.chosen.people)} |"


def drawn_films(count: int, folder: Path) -> dict[str, FilmPlan]:
    """Plans by the name of their file, which is drawn where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    plans = {f"{plan.name}.mp4": plan for plan in films_plan(FilmsDemo(films=count, seed=0))}
    for name, plan in plans.items():
        if not (folder / name).exists():
            draw_film(plan, folder)
    return plans


def looked_through(recipe: Recipe, clips: Sequence[Clip]) -> Iterator[Clip]:
    """The films with what is known of them; those that cannot be are told."""
    for clip in clips:
        try:
            yield clip.model_copy(update={"annotations": recipe.annotate(clip)})
        except Rejected as why:
            print(f"{clip.name}: {why}")


def made(recipe: Recipe, planned: Sample | Drop, fates: Counter[str]) -> Example | None:
    """The pair of a target; None, and a line with the reason, where there is none."""
    clip = planned.name if isinstance(planned, Drop) else planned.clips[0].name
    fates["targets"] += 1
    fates["planned"] += isinstance(planned, Sample)
    try:
        if isinstance(planned, Drop):
            raise Rejected(planned.reason, planned.detail)
        example = recipe.make(planned)
    except Rejected as why:
        fates[f"{'not made' if isinstance(planned, Sample) else 'not planned'}: {why.reason}"] += 1
        print(f"{clip} {planned.id.partition('-')[2]}: {why}")
        return None
    fates["made"] += 1
    return example


def run(asked: Namespace, cache: Path) -> None:
    """Print the tables."""
    kind = find("reference-sheet")
    recipe = configure(kind, {"frames": asked.frames})
    source = asked.source or cache / "films"
    plans = {} if asked.source else drawn_films(asked.films, source)
    drawn = {name: truth(plan) for name, plan in plans.items()}
    fates, planned, stand, places, load = Counter[str](), Score(), Score(), list[str](), getloadavg()[0]
    with threadpool_limits(1), clocked(sys.modules[kind.__module__]) as clock:
        listed = list_folder(source, cache, reads="films")[0]
        clips = list(looked_through(recipe, [clip for clip in listed if not plans or clip.name in plans]))
        looked = {clip.name: numbers(clip.annotations["looked_s"]) for clip in clips}
        for each in recipe.plan(clips):
            example = made(recipe, each, fates)
            if example and asked.pictures:
                Image.fromarray(np.asarray(example.sheet)).save(asked.pictures / f"{each.id}.png")
            if isinstance(each, Sample) and plans:
                name, start_s = each.clips[0].name, number(each.choices, "start_s")
                frames = [frame_at(drawn[name], at_s) for at_s in looked[name]]
                pair = Made(each, example, Window(start_s, start_s + asked.frames / FPS), frames, drawn[name])
                for judge in (score_characters, score_turns, score_props, score_windows):
                    judge(pair, planned)
                    judge(pair, stand if example else Score())
                places += [told] if example and (told := place_told(pair, example)) else []
    film_s, looks = sum(clip.seconds for clip in clips), sum(map(len, looked.values()))
    print(*planned.lines, sep="\n")
    print(f"\nload {load:.1f} before; {len(clips)} films of {film_s:.0f} s, {looks} looks\n")
    print(*clock.told({FILM: len(clips), SHEET: fates["planned"]}), sep="\n")
    print(f"\n{', '.join(f'{count} {fate}' for fate, count in fates.items())}")
    if plans:
        for what, score in (("planned", planned), ("that stand", stand)):
            print(f"\n| of sheets {what} | right of those found | of those to be found |\n|---|---|---|")
            print(*score.told(), sep="\n")
        print(
            "\n| place | levels from the empty room | pixels over 20 levels | judged | frames of the target |"
        )
        print("|---|---|---|---|---|", *places, sep="\n")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=6)
    parser.add_argument("--frames", type=int, default=121)
    parser.add_argument("--source", type=Path, help="A folder of films; without, they are drawn.")
    parser.add_argument("--cache", type=Path, help="Drawn films stay there.")
    parser.add_argument("--pictures", type=Path, help="An existing folder for the sheets.")
    wanted = parser.parse_args()
    with TemporaryDirectory() as temporary:
        run(wanted, wanted.cache or Path(temporary))
