"""All that is known of a film before its sheets are planned: who is seen when, what its user says, where that is found."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from curate.media.cutout import object_mask
from curate.media.faces import SAME_PERSON, identity_distance, inside
from curate.media.film import Film, look_size, look_through
from curate.media.likeness import load_clip
from curate.media.panels import given_panel, identity_on
from curate.media.subject import Box
from curate.media.things import Seen, found_again, found_by_words
from curate.media.video import Image, frames_at
from curate.records import Clip, Values, strings
from curate.sheets.elements import Element, Elements, elements_of, read_elements
from curate.sheets.windows import spread

IMAGE_PX = 1280  # of a user's image, when looking for a face
LEAST_CUT = 0.25  # of a prop's box: less is its label, or nothing
WORD_LOOKS = 16  # frames in which a prop is looked for by words: a large CLIP takes half a minute for each


class Known(NamedTuple):
    """A film, what is said of it, and where that was found."""

    film: Film
    said: Elements
    who: dict[str, int]  # by id of a user's character: its number in the film
    things: list[Seen]  # where props are seen

    def as_values(self) -> Values:
        """As annotations of its clip."""
        return {
            **self.film.as_values(),
            "elements": self.said.model_dump_json(),
            "who": [f"{name} {number}" for name, number in self.who.items()],
            "things": [each.model_dump_json() for each in self.things],
        }


def known_of(clip: Clip) -> Known:
    """From the annotations of a clip."""
    told = clip.annotations
    who = (each.rpartition(" ") for each in strings(told["who"]))
    return Known(
        Film.of(told),
        Elements.model_validate_json(str(told["elements"])),
        {name: int(number) for name, _, number in who},
        [Seen.model_validate_json(each) for each in strings(told["things"])],
    )


def look_at(clip: Clip, model: str | None) -> Known:
    """Look through a film, and for what its user names; `model` is an open_clip one, to find props that have no box.

    Raises Rejected as `look_through`, and `elements` for a box that is not in the film.
    """
    width, height = look_size(clip.width, clip.height)
    said = read_elements(elements_of(Path(clip.path))) if clip.beside else Elements()
    for element in said.every():
        element.fits(clip.width, clip.height, clip.seconds)
    said = said.scaled(width / clip.width)
    film = look_through(clip.path, width, height)
    who = dict[str, int]()
    for each in said.characters:
        number = _who(each, said, film, clip)
        if number is not None and number not in who.values():  # of two who are meant to be one the first
            who[each.id] = number
    return Known(
        film, said, who, sorted(_things(said, film, clip, model), key=lambda seen: (seen.thing, seen.at_s))
    )


def _who(element: Element, said: Elements, film: Film, clip: Clip) -> int | None:
    """The character that a user means: in the box, else of the face on an image, else the only one there is."""
    if element.box is not None:
        return _pointed_at(film, element)
    if near := _pictured(film, element, Path(clip.path).parent):
        distance, who = min(near)
        return who if distance <= SAME_PERSON else None
    return 0 if len(said.characters) == 1 and len(film.identities) == 1 else None


def _pointed_at(film: Film, element: Element) -> int | None:
    """The character whose face is in the box that the user drew, within a second of its time."""
    if element.box is None or element.at_s is None:
        return None
    left, top, right, bottom = element.box
    inside = [
        each for each in film.sightings
        if each.face and left <= (each.face.left + each.face.right) / 2 <= right
        and top <= (each.face.top + each.face.bottom) / 2 <= bottom
    ]  # fmt: skip
    at_s = element.at_s
    nearest = min(inside, key=lambda each: (abs(each.at_s - at_s), each.who), default=None)
    return nearest.who if nearest and abs(nearest.at_s - at_s) <= 1.0 else None


def _pictured(film: Film, element: Element, folder: Path) -> list[tuple[float, int]]:
    """How far the faces on the user's images are from each character; nothing where no image shows a face."""
    near = list[tuple[float, int]]()
    for image in element.images:
        panel = given_panel(folder / image, IMAGE_PX)
        own = None if panel is None else identity_on(panel)
        near += [(identity_distance(own, mean), who) for who, mean in enumerate(film.identities) if own]
    return near


def _things(said: Elements, film: Film, clip: Clip, model: str | None) -> Iterator[Seen]:
    """Where the props are seen, by what is in their box; where they have none, by what reads most like their description."""
    boxed = [prop for prop in said.props if prop.box is not None]
    worded = [prop for prop in said.props if prop.box is None and not prop.images]
    places = {
        prop.id: (float(prop.at_s or 0), Box(*(round(edge) for edge in prop.box or ()))) for prop in boxed
    }
    for prop in worded if model else ():
        others = [each.description for each in said.every() if each.id != prop.id]
        looks = _frames(clip, spread(film.looked_s, WORD_LOOKS))
        read = found_by_words(load_clip(str(model)), prop.description, others, looks, prop.id)
        if best := max(read, key=lambda each: (each.score, -each.at_s), default=None):
            places[prop.id] = best.at_s, best.box
    moments = sorted({at_s for at_s, _ in places.values()})
    first = dict(_frames(clip, moments))
    patterns = {name: _pattern(first[at_s], box) for name, (at_s, box) in places.items()}
    for at_s, frame in _frames(clip, sorted({*film.looked_s, *moments}) if places else []):
        for name, pattern in patterns.items():
            yield from [] if pattern is None else found_again(pattern, [(at_s, frame)], name)


def _pattern(frame: Image, box: Box) -> Image | None:
    """What a box shows; None where it is no thing that can be cut out of it."""
    left, top, right, bottom = inside(*box, frame.shape[1], frame.shape[0])
    cut = object_mask(frame, Box(left, top, right, bottom))[top:bottom, left:right]
    return frame[top:bottom, left:right] if cut.mean() >= LEAST_CUT else None


def _frames(clip: Clip, times_s: list[float]) -> Iterator[tuple[float, Image]]:
    width, height = look_size(clip.width, clip.height)
    return zip(times_s, frames_at(clip.path, times_s, width=width, height=height), strict=True)
