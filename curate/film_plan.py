"""What recipes of films have in common: targets one after the other in each shot, tried in an order drawn by lot, films with
a person in common on one side of the split."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from curate.errors import Rejected
from curate.media.faces import identity_distance
from curate.media.film import Film
from curate.media.fit import covered_part
from curate.records import Clip, Drop, LedgerRow, Sample, Split, number, rng
from curate.sheets.windows import Window, windows
from curate.split import groups, sides

FPS = 24.0
SAME_MEAN = 0.45  # of two characters' mean identities: one man in two films .2, drawn people from .5 on
MORE = 1.5  # times as many targets are tried as a film may have: some are rejected when they are seen


class Wanted(NamedTuple):
    """What a recipe wants of films."""

    frames: int
    width: int
    height: int
    per_film: int  # targets, at most
    seed: int
    heldout_share: float


class Target(NamedTuple):
    """A part of a film that is to be a sample."""

    clip: Clip
    window: Window
    name: str  # what its id has behind the clip's
    order: int  # in which its film's targets were drawn
    group: str
    split: Split

    @property
    def id(self) -> str:
        """Of the sample."""
        return f"{self.clip.id}-{self.name}"


def planned(
    clips: Sequence[Clip],
    films: Mapping[str, Film],
    wanted: Wanted,
    sample: Callable[[Target], Sample],
    people: Mapping[str, Collection[str]] | None = None,
) -> Iterator[Sample | Drop]:
    """Every target as a sample, or why it is none; `sample` may raise Rejected.

    `films` are by the clips' ids, and so are the names of `people`, where a user told of any: whoever has one name is one.
    """
    told = people or {}

    def same_person(a: Clip, b: Clip) -> bool:
        named = set(told.get(a.id, ())) & set(told.get(b.id, ()))
        return bool(named) or share_a_person(films[a.id], films[b.id])

    group_of = groups(clips, same_person, "film")
    side_of = sides(list(group_of.values()), wanted.seed, wanted.heldout_share)
    for clip in clips:
        group = group_of[clip.id]
        yield from _of_film(clip, films[clip.id], wanted, (group, side_of[group]), sample)


def share_a_person(one: Film, other: Film) -> bool:
    """Whether somebody is seen in both."""
    return any(identity_distance(x, y) <= SAME_MEAN for x in one.identities for y in other.identities)


def drop(clip: Clip, name: str, why: Rejected) -> Drop:
    """The drop of a part of a film."""
    return Drop(
        id=f"{clip.id}-{name}", name=clip.name, reason=why.reason, detail=why.detail, sha256=clip.sha256
    )


def first_of_each(rows: Sequence[LedgerRow], per_film: int) -> dict[str, str | None]:
    """The first so many of each film that stand, in the order of their lot; the others are `surplus`."""
    fates, kept = dict[str, str | None](), dict[str, int]()
    for row in sorted((row for row in rows if row.made), key=lambda row: number(row.attributes, "order")):
        film = row.sources[0]
        kept[film] = kept.get(film, 0) + 1
        fates[row.id] = None if kept[film] <= per_film else "surplus"
    return fates


def _of_film(
    clip: Clip, film: Film, wanted: Wanted, side: tuple[str, Split], sample: Callable[[Target], Sample]
) -> Iterator[Sample | Drop]:
    if not film.shots:
        yield drop(clip, "film", Rejected("short_shot", "no shot lasts a quarter of a second"))
    targets = list[Window]()
    part = covered_part(*film.size, wanted.width, wanted.height)
    for place, (window, why) in enumerate(windows(film, wanted.frames / FPS, part)):
        if window is None:
            yield drop(clip, f"shot-{place}", Rejected("short_shot", why))
        else:
            targets.append(window)
    targets.sort(key=lambda window: rng(wanted.seed, clip.sha256, f"{window.start_s}").random())
    tried = 0
    for window in targets:
        name = f"{round(window.start_s * 1000):07d}"
        try:
            if tried >= MORE * wanted.per_film:
                raise Rejected("surplus", f"not tried: {tried} others of its film are")
            yield sample(Target(clip, window, name, tried, *side))
            tried += 1
        except Rejected as why:
            yield drop(clip, name, why)
