"""Which picture of everybody a first frame is made of: every choice, before a frame is loaded."""

from typing import NamedTuple

from curate.errors import Rejected
from curate.media.film import Sighting
from curate.media.people import shared
from curate.media.shots import Shot
from curate.media.subject import Box
from curate.records import Record
from curate.scenes.known import Known
from curate.sheets.windows import Window, shot_at
from curate.sheets.worth import LEAST_APART as LEAST_CLEAR
from curate.sheets.worth import LEAST_FACE_PX, best_few

LEAST_APART = (
    0.35  # of a body's box: neighbours are parted between their heads, unless one stands before the other
)
LOOKS = 6
OPENING_S = 1.0  # of a target: what is shown there is not what a model is to be given


class Look(Record):
    """A moment to cut somebody out of, in the pixels that the film was looked at in."""

    at_s: float
    body: Box
    face: Box
    others: tuple[Box, ...] = ()  # the faces of who else is in the frame


class View(Record):
    """Somebody to be cut out: of one of a few frames of the film, or of a picture that a user gave."""

    name: str
    who: int
    looks: tuple[
        Look, ...
    ] = ()  # the best first; whose neighbours can be left out best is only seen in the frames
    picture: str | None = None
    same_shot: bool = False  # of the target's own shot
    same_window: bool = False  # of the target itself


class Nearness(NamedTuple):
    """How a moment lies to a target: the more it is another picture, the better."""

    window: Window
    shot: Shot

    def rank(self, at_s: float) -> tuple[int, ...]:
        """Another shot, then another part of its own, then the target but for its opening."""
        if not self.shot.start_s <= at_s < self.shot.end_s:
            return (3,)
        if not self.window.holds(at_s):
            return (2,)
        return (1,) if at_s >= self.window.start_s + OPENING_S else (0,)


def view_of(known: Known, window: Window, who: int) -> View:
    """The clean view of a character. Raises Rejected: no_clear_face."""
    told = known.person(who)
    name = told.name if told else f"person-{who + 1}"
    if told:
        return View(name=name, who=who, picture=told.picture)
    near = Nearness(window, shot_at(known.film, window.start_s))
    seen = [each for each in known.film.sightings if each.who == who]
    clean = [
        each
        for each in seen
        if each.clear >= LEAST_CLEAR and each.apart >= LEAST_APART and not _written_on(known, each)
    ]
    shown = best_few(clean, near.rank, LOOKS)
    if not shown:
        wanted = f"{LEAST_FACE_PX} px high, whole, sharp, and apart from others"
        raise Rejected("no_clear_face", f"{name}: none of {len(seen)} is {wanted}")
    rank = near.rank(shown[0].at_s)[0]
    looks = tuple(_look(known, each) for each in shown)
    return View(name=name, who=who, looks=looks, same_shot=rank < 3, same_window=rank < 2)


def _look(known: Known, shown: Sighting) -> Look:
    there = [each for each in known.film.sightings if each.at_s == shown.at_s and each.who != shown.who]
    others = tuple(each.face for each in there if each.face)
    return Look(at_s=shown.at_s, body=shown.body, face=shown.face or shown.body, others=others)


def _written_on(known: Known, each: Sighting) -> bool:
    """Whether a subtitle is over somebody."""
    lines = known.writing.in_window(each.at_s, each.at_s)
    return any(shared(line.box, each.body) > 0 for line in lines)
