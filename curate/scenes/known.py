"""All that is known of a film before its scenes are planned: who is seen when, what is written, whose pictures were given."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curate.errors import Rejected
from curate.media.faces import SAME_PERSON, identity_distance
from curate.media.film import Film, look_size, look_through
from curate.media.panels import given_panel, identity_on
from curate.media.subtitles import Writing, writing_of
from curate.records import Clip, Record, Values, strings
from curate.scenes.refs import pictures_beside, read_cast

IMAGE_PX = 1280  # of a user's picture, when looking for a face


class Person(Record):
    """Somebody of the cast whom a user gave pictures of."""

    name: str
    who: int  # number of the character in the film
    picture: str  # the one that is most like the film's character
    description: str = ""


class Known(NamedTuple):
    """A film, what is written in it, and its cast as far as a user told of it."""

    film: Film
    writing: Writing
    cast: list[Person]

    def as_values(self) -> Values:
        """As annotations of its clip."""
        cast = [each.model_dump_json() for each in self.cast]
        return {**self.film.as_values(), **self.writing.as_values(), "cast": cast}

    def person(self, who: int) -> Person | None:
        """What a user told of a character."""
        return next((each for each in self.cast if each.who == who), None)


def known_of(clip: Clip) -> Known:
    """From the annotations of a clip."""
    told = clip.annotations
    cast = [Person.model_validate_json(each) for each in strings(told["cast"])]
    return Known(Film.of(told), Writing.of(told), cast)


def look_at(clip: Clip) -> Known:
    """Look through a film, read what is written in it, find its cast. Raises Rejected as `look_through`, and portrait."""
    if clip.width <= clip.height:
        raise Rejected("portrait", f"{clip.width}x{clip.height}, wanted one that is wider than high")
    size = look_size(clip.width, clip.height)
    film = look_through(clip.path, *size)
    return Known(film, writing_of(clip.path, film.shots, *size), _cast(clip, film.identities))


def _cast(clip: Clip, identities: Sequence[Sequence[float]]) -> list[Person]:
    """Whom the pictures show, the nearest first; of two who are meant to be one the nearer."""
    folder = Path(clip.path).parent
    if not clip.beside:
        return []
    near = list[tuple[float, str, int, str]]()
    for name, pictures in pictures_beside(folder).items():
        shown = {picture: _identity(folder / picture) for picture in pictures}
        known = {picture: own for picture, own in shown.items() if own is not None}
        if not known:
            raise Rejected("no_face", f"no face is found on the pictures of {name}")
        mean = np.mean(list(known.values()), axis=0).tolist()
        for who, own in enumerate(identities):
            best = min(known, key=lambda picture: (identity_distance(known[picture], own), picture))
            near.append((identity_distance(mean, own), name, who, best))
    told, cast = read_cast(folder), list[Person]()
    for distance, name, who, picture in sorted(near):
        if distance <= SAME_PERSON and all(name != each.name and who != each.who for each in cast):
            cast.append(Person(name=name, who=who, picture=picture, description=told.get(name, "")))
    return sorted(cast, key=lambda each: each.who)


def _identity(path: Path) -> list[float] | None:
    panel = given_panel(path, IMAGE_PX)
    return None if panel is None else identity_on(panel)
