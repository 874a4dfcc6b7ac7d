"""Which picture of everybody a first frame is made of: every choice, before a frame is loaded."""

from typing import NamedTuple, Self

from curate.errors import Rejected
from curate.media.film import Sighting
from curate.media.people import shared
from curate.media.shots import Shot
from curate.media.subject import Box
from curate.records import Record
from curate.scenes.known import Known
from curate.sheets.windows import Window, shot_at
from curate.sheets.worth import LEAST_APART as LEAST_CLEAR
from curate.sheets.worth import LEAST_FACE_PX, Rank, best_few

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
    """Somebody to be cut out: of the pictures that a user gave, else of one of a few frames of the film."""

    name: str
    who: int
    looks: tuple[
        Look, ...
    ] = ()  # the best first; whether a whole head can be cut out is only seen in the frames
    pictures: tuple[str, ...] = ()  # the most alike first


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


class Shown(NamedTuple):
    """A film, and the sightings of everybody that are clean enough to be cut out."""

    known: Known
    clean: dict[int, list[Sighting]]

    @classmethod
    def of(cls, known: Known) -> Self:
        """Looked through once for all targets of the film."""
        found = dict[int, list[Sighting]]()
        for each in known.film.sightings:
            if each.clear >= LEAST_CLEAR and each.apart >= LEAST_APART and not _written_on(known, each):
                found.setdefault(each.who, []).append(each)
        return cls(known, found)

    def able(self) -> list[int]:
        """The characters who can be shown: extras in the background are none."""
        everybody = range(len(self.known.film.identities))
        return [who for who in everybody if self.known.person(who) or self._best(who, lambda at_s: (0,), 1)]

    def view(self, window: Window, who: int) -> View:
        """The clean view of a character. Raises Rejected: no_clear_face."""
        if told := self.known.person(who):
            return View(name=told.name, who=who, pictures=told.pictures)
        near, name = Nearness(window, shot_at(self.known.film, window.start_s)), self._name(who)
        shown = self._best(who, near.rank, LOOKS)
        if not shown:
            seen = sum(each.who == who for each in self.known.film.sightings)
            wanted = f"{LEAST_FACE_PX} px high, whole, sharp, and apart from others"
            raise Rejected("no_clear_face", f"{name}: none of {seen} is {wanted}")
        return View(name=name, who=who, looks=tuple(_look(self.known, each, near) for each in shown))

    def _best(self, who: int, rank: Rank, count: int) -> list[Sighting]:
        return best_few(self.clean.get(who, []), rank, count)

    def _name(self, who: int) -> str:
        name, taken = f"person-{who + 1}", {each.name for each in self.known.cast}
        while name in taken:
            name += "x"
        return name


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
