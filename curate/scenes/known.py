"""All that is known of a film before its scenes are planned: who is seen when, what is written, whose pictures were given."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curate.errors import Rejected
from curate.media.faces import SAME_PERSON, identity_distance
from curate.media.film import Film, look_size, look_through
from curate.media.panels import given_panel, identity_on
from curate.media.shots import Shot
from curate.media.subtitles import Writing, writing_of
from curate.records import Clip, Record, Values, strings
from curate.scenes.refs import pictures_beside, read_cast

IMAGE_PX = 1280  # of a user's picture, when looking for a face


class Person(Record):
    """Somebody of the cast whom a user gave pictures of."""

    name: str
    who: int  # number of the character in the film
    pictures: tuple[str, ...]  # those that are most like the film's character first
    description: str = ""


class Known(NamedTuple):
    """A film, what is written in it, and its cast as far as a user told of it."""

    film: Film
    writing: Writing
    cast: list[Person]
    absent: list[str]  # of whom a user gave pictures, and whom the film does not show

    def as_values(self) -> Values:
        """As annotations of its clip."""
        cast = [each.model_dump_json() for each in self.cast]
        return {**self.film.as_values(), **self.writing.as_values(), "cast": cast, "absent": self.absent}

    def person(self, who: int) -> Person | None:
        """What a user told of a character."""
        return next((each for each in self.cast if each.who == who), None)


def known_of(clip: Clip) -> Known:
    """From the annotations of a clip."""
    told = clip.annotations
    cast = [Person.model_validate_json(each) for each in strings(told["cast"])]
    return Known(Film.of(told), Writing.of(told), cast, strings(told["absent"]))


def look_at(clip: Clip) -> Known:
    """Look through a film, read what is written in it, find its cast. Raises Rejected as `look_through`, and portrait."""
    if clip.width <= clip.height:
        raise Rejected("portrait", f"{clip.width}x{clip.height}, wanted one that is wider than high")
    size = look_size(clip.width, clip.height)
    film = look_through(clip.path, *size)
    cast = _cast(clip, film.identities)
    given = pictures_beside(Path(clip.path).parent) if clip.beside else {}
    absent = sorted(given.keys() - {each.name for each in cast})
    return Known(film, writing_of(clip.path, film.shots, *size), cast, absent)


def _cast(clip: Clip, identities: Sequence[Sequence[float]]) -> list[Person]:
    """Whom the pictures show, the nearest first; of two who are meant to be one the nearer."""
    folder = Path(clip.path).parent
    if not clip.beside:
        return []
    near = list[tuple[float, str, int, tuple[str, ...]]]()
    for name, pictures in pictures_beside(folder).items():
        shown = {picture: _identity(folder / picture) for picture in pictures}
        known = {picture: own for picture, own in shown.items() if own is not None}
        if not known:
            raise Rejected("no_face", f"no face is found on {', '.join(pictures)}")
        mean = np.mean(list(known.values()), axis=0).tolist()
        for who, own in enumerate(identities):
            alike = sorted(known, key=lambda picture: (identity_distance(known[picture], own), picture))
            near.append((identity_distance(mean, own), name, who, tuple(alike)))
    told, cast = read_cast(folder), list[Person]()
    for distance, name, who, shown_as in sorted(near):
        if distance <= SAME_PERSON and all(name != each.name and who != each.who for each in cast):
            cast.append(Person(name=name, who=who, pictures=shown_as, description=told.get(name, "")))
    return sorted(cast, key=lambda each: each.who)


def _identity(path: Path) -> list[float] | None:
    panel = given_panel(path, IMAGE_PX)
    return None if panel is None else identity_on(panel)


def without_tails(film: Film, tail_s: float) -> Film:
    """A film whose shots end so much sooner; what is seen in the tails, where generated clips smear, is not looked at."""
    shots = [Shot(start_s, end_s - tail_s) for start_s, end_s in film.shots if end_s - start_s > tail_s]

    def is_in(at_s: float) -> bool:
        return any(start_s <= at_s < end_s for start_s, end_s in shots)

    looks = [(at_s, cells) for at_s, cells in zip(film.looked_s, film.covered, strict=True) if is_in(at_s)]
    return film._replace(
        shots=shots,
        looked_s=[at_s for at_s, _ in looks],
        covered=[cells for _, cells in looks],
        sightings=[each for each in film.sightings if is_in(each.at_s)],
    )
