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
LOOKS = 12  # are tried, of which in an animated film two or three have all hair in the mask
OPENING_S = 1.0  # of a target: what is shown there is not what a model is to be given


class Look(Record):
    """A moment to cut somebody out of, in the pixels that the film was looked at in."""

    at_s: float
    body: Box
    face: Box
    others: tuple[Box, ...] = ()  # the faces of who else is in the frame
    same_shot: bool = False  # of the target's own shot
    same_window: bool = False  # of the target itself


class View(Record):
    """Somebody to be cut out: of one of a few frames of the film, or of a picture that a user gave."""

    name: str
    who: int
    looks: tuple[
        Look, ...
    ] = ()  # the best first; whether a whole head can be cut out is only seen in the frames
    picture: str | None = None


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
    shown = best_few(_clean(known, who), near.rank, LOOKS)
    if not shown:
        seen = [each for each in known.film.sightings if each.who == who]
        wanted = f"{LEAST_FACE_PX} px high, whole, sharp, and apart from others"
        raise Rejected("no_clear_face", f"{name}: none of {len(seen)} is {wanted}")
    return View(name=name, who=who, looks=tuple(_look(known, each, near) for each in shown))


def able_in(known: Known) -> list[int]:
    """The characters of a film who can be shown: extras in the background are none."""
    everybody = range(len(known.film.identities))
    return [
        who for who in everybody if known.person(who) or best_few(_clean(known, who), lambda at_s: (0,), 1)
    ]


def _clean(known: Known, who: int) -> list[Sighting]:
    return [
        each
        for each in known.film.sightings
        if each.who == who
        and each.clear >= LEAST_CLEAR
        and each.apart >= LEAST_APART
        and not _written_on(known, each)
    ]


def _look(known: Known, shown: Sighting, near: Nearness) -> Look:
    rank = near.rank(shown.at_s)[0]
    there = [each for each in known.film.sightings if each.at_s == shown.at_s and each.who != shown.who]
    others = tuple(each.face for each in there if each.face)
    return Look(
        at_s=shown.at_s, body=shown.body, face=shown.face or shown.body, others=others, same_shot=rank < 3,
        same_window=rank < 2,
    )  # fmt: skip


def _written_on(known: Known, each: Sighting) -> bool:
    """Whether a subtitle is over somebody."""
    lines = known.writing.in_window(each.at_s, each.at_s)
    return any(shared(line.box, each.body) > 0 for line in lines)
