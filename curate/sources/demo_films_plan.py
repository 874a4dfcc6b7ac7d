"""Which films there are: who is in them, with what, where, and what happens."""

from typing import Literal, get_args

from pydantic import Field

from curate.records import Record, rng
from curate.sources.demo_films_acts import Scene, Shot, shot
from curate.sources.demo_films_cast import CLOTHS, PEOPLE, character
from curate.sources.demo_films_interior import LAYOUTS
from curate.sources.demo_films_props import COLOURS, DRAWINGS, Prop
from curate.sources.demo_films_room import Room
from curate.sources.demo_films_stage import Character
from curate.sources.demo_pen import Colour

Trap = Literal["short shots", "nobody", "writing", "look-alikes"]

TWO_SHOTS_S = ((6.6, 7.4), (5.2, 5.6))
ONE_SHOT_S = (11.8, 12.8)
SHORT_S = (2.2, 4.6)  # fewer than 121 frames
SCENES: tuple[tuple[Scene, ...], ...] = (
    ("brings", "shows"), ("meets", "talks"), ("comes back",), ("meets", "talks"), ("brings", "shows"), ("long meeting",),
    ("brings", "shows"), ("long meeting",),
)  # fmt: skip
WORDS_ON_THE_WALL = ("EXIT 24", "ROOM 12 B")
WALLS: tuple[Colour, ...] = (
    (226, 218, 200), (206, 214, 216), (200, 208, 190), (226, 208, 202), (216, 206, 220), (232, 222, 184),
)  # fmt: skip
WOODS: tuple[Colour, ...] = ((150, 104, 66), (168, 124, 84), (124, 84, 56), (190, 150, 108))
ROOM_WORDS = {
    "kitchen": "a kitchen with green hills in the window, wall cupboards, a counter and a fridge",
    "living room": "a living room with a curtained window, a sofa, a picture and a floor lamp",
    "study": "a study with a tall bookshelf, a window and small pictures",
    "bedroom": "a bedroom with a curtained window, a bed and a picture",
    "workshop": "a workshop with tools on a board, a window and shelves",
    "hall": "a hall with a wooden door, coats on hooks, small pictures and a plant",
    "sunroom": "a sunroom with three windows and a plant",
    "tea room": "a tea room with pendant lamps, a fireplace, a bookshelf and a window",
}


class FilmsDemo(Record):
    """The config of the source."""

    films: int = Field(
        6, ge=1, le=len(SCENES), description="How many films to make; nobody is in two of them."
    )
    seed: int = Field(0, ge=0, description="Another seed is other clothes, rooms, things and pairs.")


class FilmPlan(Record):
    """One film with every choice made and nothing drawn."""

    name: str
    cast: tuple[Character, ...]
    props: tuple[Prop, ...]
    room: Room
    shots: tuple[Shot, ...]
    writing: tuple[str, ...] = Field(default=(), description="Words on the wall.")

    @property
    def frames(self) -> int:
        """Of all shots."""
        return sum(one.frames for one in self.shots)


def films_plan(config: FilmsDemo) -> list[FilmPlan]:
    """All films of a demo; the first of them do not depend on how many there are."""
    waiting = [_of_kind(config.seed, "woman"), _of_kind(config.seed, "man")]
    plans: list[FilmPlan] = []
    for number, scenes in enumerate(SCENES[: config.films]):
        first = int(rng(config.seed, str(number), "first").integers(2))
        if {"meets", "long meeting"} & set(scenes):
            people = [waiting[first].pop(), waiting[1 - first].pop()]
        else:  # the longer queue, so that both last for as long
            people = [max(waiting[first], waiting[1 - first], key=len).pop()]
        cast = tuple(character(config.seed, person) for person in people)
        plans.append(_plan(config.seed, f"film-{number:04d}", number, scenes, cast))
    return plans


def _of_kind(seed: int, kind: str) -> list[int]:
    """The women or the men of the cast in an order of the seed's."""
    people = [number for number, row in enumerate(PEOPLE) if row[0] == kind]
    return [people[k] for k in rng(seed, kind, "cast").permutation(len(people)).tolist()]


def trap_plan(trap: Trap, seed: int = 0) -> FilmPlan:
    """A film to go wrong with: shots that are too short, nobody there, words on the wall, or two who look alike."""
    name, number = f"trap-{trap.replace(' ', '-')}", get_args(Trap).index(trap)
    people = rng(seed, "traps").permutation(len(PEOPLE)).tolist()
    if trap == "nobody":
        return _plan(seed, name, number, ("nobody",), ())
    if trap == "short shots":
        return _plan(
            seed, name, number, ("brings", "shows", "brings"), (character(seed, people[0]),), SHORT_S
        )
    if trap == "writing":
        plan = _plan(seed, name, number, ("brings", "shows"), (character(seed, people[1]),))
        return plan.model_copy(update={"writing": WORDS_ON_THE_WALL})
    one = character(seed, people[2])
    looks = one.face.model_copy(update={"eye_size": one.face.eye_size * 0.97, "jaw": one.face.jaw * 1.02})
    two = character(seed + 1, people[2]).model_copy(update={"id": "twin-of-" + one.id, "face": looks})
    two = two.model_copy(
        update={"clothes": two.clothes.model_copy(update={"colour": _unlike(one.clothes.colour)})}
    )
    return _plan(seed, name, number, ("meets", "talks"), (one, two))


def _unlike(colour: Colour) -> Colour:
    return max(
        CLOTHS.values(), key=lambda other: sum((a - b) ** 2 for a, b in zip(colour, other, strict=True))
    )


def _plan(
    seed: int, name: str, number: int, scenes: tuple[Scene, ...], cast: tuple[Character, ...],
    lengths_s: tuple[float, float] | None = None,
) -> FilmPlan:  # fmt: skip
    draw = rng(seed, name, "film")
    kinds = list(LAYOUTS)
    kind = kinds[int(rng(seed, "rooms").permutation(len(kinds))[number % len(kinds)])]
    colours = list(COLOURS.values())
    tones = draw.permutation(len(colours)).tolist()
    room = Room(
        kind=kind,
        seed=int(draw.integers(2**32)),
        wall=WALLS[int(draw.integers(len(WALLS)))],
        wood=WOODS[int(draw.integers(len(WOODS)))],
        cloth=_muted(colours[tones[0]]),
        accent=_muted(colours[tones[1]]),
    )
    things, hues = list(DRAWINGS), list(COLOURS)
    order, shades = rng(seed, "props").permutation(len(things)).tolist(), draw.permutation(len(hues)).tolist()
    props = tuple(
        Prop(kind=things[order[(2 * number + k) % len(things)]], colour=hues[shades[k]]) for k in range(2)
    )
    spans = (
        [lengths_s] * len(scenes) if lengths_s else [ONE_SHOT_S] if len(scenes) == 1 else list(TWO_SHOTS_S)
    )
    shots = tuple(
        shot(scene, float(draw.uniform(*span)), kind, draw) for scene, span in zip(scenes, spans, strict=True)
    )
    return FilmPlan(name=name, cast=cast, props=props, room=room, shots=shots)


def _muted(colour: Colour) -> Colour:
    """Half way to a grey: furniture is less bright than what is carried."""
    red, green, blue = (
        round(0.5 * channel + 0.5 * middle) for channel, middle in zip(colour, (104, 106, 110), strict=True)
    )
    return red, green, blue
