"""Who and what is shown on a reference sheet, from which moments of a film: every choice, before a frame is loaded."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from curate.errors import Rejected
from curate.media.faces import SAME_PERSON
from curate.media.film import NOTHING, Film, Sighting, seen_share
from curate.media.subject import Box
from curate.records import Record
from curate.sheets.elements import Element, Elements

Kind = Literal["face", "body", "prop", "location"]
TURNED_DEG = 15.0  # from here on a head looks to a side; the estimate is 3 to 6 degrees off
TURNS = (
    "front",
    "left",
    "right",
)  # of a body, as far as a face tells; nobody's back can be told from a front
NEVER_SEEN = ("back",)
LEAST_FACE_PX = 40  # of height: smaller ones are enlarged beyond what they hold
LEAST_APART = 0.7  # of a body's box: what else is in it is cut out with it
LEAST_SEEN = 0.25  # of a window's frames, for a character to be of it
LEAST_SIGHTINGS = 2
PLATE_FRAMES = 24
TARGET_FRAMES = 8
LEAST_PLACE = 0.8  # of a location that is seen without people
# A panel of more has no less area; of characters by how much of the target shows them.
IMPORTANCE = {"face": 3.0, "body": 2.0, "prop": 2.0, "location": 2.0}


class Window(NamedTuple):
    """What of a film is a target, in seconds from its start."""

    start_s: float
    end_s: float

    def holds(self, at_s: float) -> bool:
        return self.start_s <= at_s < self.end_s


class View(Record):
    """One panel of a sheet, still a choice."""

    element: str
    description: str
    kind: Kind
    turn: str = ""  # of a body
    at_s: float | None = (
        None  # of the frame it is cut from; None for an image that was given, and for a place
    )
    box: Box | None = None  # of the person or thing in that frame
    face: Box | None = None
    image: str | None = None  # a file beside the film
    importance: float
    same_window: bool = False
    generated: bool = False

    @property
    def told(self) -> str:
        """As the caption calls it: face, front, left, prop, place."""
        return self.turn or {"face": "face", "body": "body", "prop": "prop", "location": "place"}[self.kind]


class Cast(NamedTuple):
    """All panels of a sheet, and the views that the film does not show."""

    views: list[View]
    missing: list[str]  # "ada right"
    who: dict[str, int]  # by element: number of the character in the film


def windows(film: Film, seconds: float) -> Iterator[tuple[Window | None, str]]:
    """The targets that a film has room for, one after the other in each shot, and why a shot has none."""
    for shot in film.shots:
        length_s = shot.end_s - shot.start_s
        count = int((length_s + 1e-3) // seconds)
        if not count:
            yield None, f"a shot of {length_s:.2f} s at {shot.start_s:.2f} s, wanted {seconds:.2f} s"
        for number in range(count):
            start_s = round(shot.start_s + number * seconds, 3)
            yield Window(start_s, start_s + seconds), ""


def cast(film: Film, elements: Elements, window: Window, generated: bool = False) -> Cast:
    """The panels for a window. Raises Rejected where nobody can be shown well."""
    present = _present(film, window)
    if not present:
        raise Rejected(
            "no_character", f"nobody's face in {LEAST_SEEN:.0%} of the frames from {window.start_s:.2f} s"
        )
    named = _named(film, elements, present)
    views, missing = list[View](), list[str]()
    for element, who in named:
        share = present[who]
        seen = [each for each in film.sightings if each.who == who]
        face = _face(element, seen, window, share)
        views.append(face)
        others = [each for each in seen if each.at_s != face.at_s]  # no view twice
        bodies = list(_bodies(element, others, window, share))
        turns = {body.turn for body in bodies}
        lacking = [turn for turn in TURNS if turn not in turns]
        if generated:
            bodies += [_made_up(element, turn, share) for turn in (*lacking, *NEVER_SEEN)]
        else:
            missing += [f"{element.id} {turn}" for turn in (*lacking, *NEVER_SEEN)]
        views += [*bodies, *_given(element, "body", share)]
    for prop in elements.props:
        views += _prop(prop, window)
    return Cast(views, missing, {element.id: who for element, who in named})


def place(film: Film, elements: Elements, window: Window) -> View | None:
    """The panel of the location; None where people hide too much of it."""
    known = elements.location or Element(id="place", description="the place of the scene")
    at = {at_s: cells for at_s, cells in zip(film.looked_s, film.covered, strict=True)}
    if not known.images and seen_share([at[at_s] for at_s in plate_times(film, window)]) < LEAST_PLACE:
        return None
    return View(
        element=known.id, description=known.description, kind="location", importance=IMPORTANCE["location"],
        image=next(iter(known.images), None),
    )  # fmt: skip


def plate_times(film: Film, window: Window) -> list[float]:
    """Frames of the window's shot to see the place in, those outside the window first, at most PLATE_FRAMES."""
    shot = next(each for each in film.shots if each.start_s - 1e-3 <= window.start_s < each.end_s)
    inside = [at_s for at_s in film.looked_s if shot.start_s <= at_s < shot.end_s]
    outside = [at_s for at_s in inside if not window.holds(at_s)]
    chosen = outside if len(outside) >= PLATE_FRAMES // 2 else inside
    step = max(1, math.ceil(len(chosen) / PLATE_FRAMES))
    return chosen[::step]


class Place(NamedTuple):
    """Where somebody is in a frame."""

    box: Box
    is_seen: bool  # else between where they were seen before and after: who turns away has no face, and is still there


def people_at(film: Film, at_s: float) -> list[Place]:
    """Where everybody is at a time of a film, as far as one can tell from its shot."""
    shot = next(each for each in film.shots if each.start_s - 1e-3 <= at_s < each.end_s)
    places = list[Place]()
    for who in range(len(film.identities)):
        seen = [s for s in film.sightings if s.who == who and shot.start_s <= s.at_s < shot.end_s]
        before = max((s for s in seen if s.at_s <= at_s), key=lambda s: s.at_s, default=None)
        after = min((s for s in seen if s.at_s >= at_s), key=lambda s: s.at_s, default=None)
        known = [s for s in (before, after) if s]
        if known:
            one, other = known[0], known[-1]
            share = (at_s - one.at_s) / (other.at_s - one.at_s) if other.at_s > one.at_s else 0.0
            box = Box(*(round(a + (b - a) * share) for a, b in zip(one.body, other.body, strict=True)))
            places.append(Place(box, one.at_s == at_s))
    return places + [Place(s.body, True) for s in film.sightings if s.who == NOTHING and s.at_s == at_s]


def target_times(film: Film, window: Window) -> list[float]:
    """Frames of the window that its panels are compared with, at most TARGET_FRAMES."""
    looked = [at_s for at_s in film.looked_s if window.holds(at_s)]
    return looked[:: max(1, math.ceil(len(looked) / TARGET_FRAMES))]


def _present(film: Film, window: Window) -> dict[int, float]:
    """The share of a window's frames that each of its characters is seen in, most first."""
    looked = sum(window.holds(at_s) for at_s in film.looked_s)
    counts = dict[int, int]()
    for each in film.sightings:
        if each.who != NOTHING and window.holds(each.at_s):
            counts[each.who] = counts.get(each.who, 0) + 1
    often = {who for who in counts if sum(s.who == who for s in film.sightings) >= LEAST_SIGHTINGS}
    shares = {who: counts[who] / looked for who in often if counts[who] >= LEAST_SEEN * looked}
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def _named(film: Film, elements: Elements, present: dict[int, float]) -> list[tuple[Element, int]]:
    """The characters of a window with what a user says of them; without, they are named by their number."""
    said = dict[int, Element]()
    for element in elements.characters:
        who = _pointed_at(film, element)
        if who is None and len(elements.characters) == 1 and len(film.identities) == 1:
            who = 0
        if who is not None and who not in said:
            said[who] = element
    numbered = (Element(id=f"person-{who + 1}", description="a person") for who in present)
    return [(said.get(who, plain), who) for who, plain in zip(present, numbered, strict=True)]


def _pointed_at(film: Film, element: Element) -> int | None:
    """The character whose face is in the box that the user drew, at the time nearest to it."""
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


def _worth(each: Sighting) -> float:
    """How good a face is to show: sharp, large, looking this way, nobody and no hand before it."""
    height = each.face.bottom - each.face.top if each.face else 0
    frontal = math.cos(math.radians(each.yaw_deg or 0.0))
    return (
        each.sharpness
        * min(1.0, height / 120)
        * frontal
        * each.apart
        * each.whole
        * max(0.0, 1 - each.odd / SAME_PERSON)
    )


def _best(seen: Sequence[Sighting], window: Window) -> Sighting | None:
    """The best one from outside the window, else from inside it."""
    usable = [
        each for each in seen
        if each.face and each.face.bottom - each.face.top >= LEAST_FACE_PX and each.apart >= LEAST_APART
    ]  # fmt: skip
    return max(usable, key=lambda each: (not window.holds(each.at_s), _worth(each), -each.at_s), default=None)


def _face(element: Element, seen: Sequence[Sighting], window: Window, share: float) -> View:
    best = _best(seen, window)
    if best is None:
        raise Rejected(
            "no_clear_face",
            f"{element.id}: none of {len(seen)} is {LEAST_FACE_PX} px high and apart from others",
        )
    return _cut(element, "face", "", best, window, share)


def _bodies(element: Element, seen: Sequence[Sighting], window: Window, share: float) -> Iterator[View]:
    """A body for every way that the character is seen to look."""
    for turn in TURNS:
        if best := _best([each for each in seen if _turn(each) == turn], window):
            yield _cut(element, "body", turn, best, window, share)


def _turn(each: Sighting) -> str:
    yaw_deg = each.yaw_deg or 0.0
    return "front" if abs(yaw_deg) < TURNED_DEG else "left" if yaw_deg < 0 else "right"


def _cut(element: Element, kind: Kind, turn: str, best: Sighting, window: Window, share: float) -> View:
    return View(
        element=element.id, description=element.description, kind=kind, turn=turn, at_s=best.at_s, box=best.body,
        face=best.face, importance=round(IMPORTANCE[kind] + (share if kind == "face" else 0.0), 3), same_window=window.holds(best.at_s),
    )  # fmt: skip


def _made_up(element: Element, turn: str, share: float) -> View:
    return View(
        element=element.id, description=element.description, kind="body", turn=turn, generated=True,
        importance=IMPORTANCE["body"],
    )  # fmt: skip


def _given(element: Element, kind: Kind, share: float) -> Iterator[View]:
    for number, image in enumerate(element.images, start=1):
        yield View(
            element=element.id, description=element.description, kind=kind, image=image,
            turn=f"view {number}" if kind == "body" else "", importance=round(IMPORTANCE[kind] + (share if kind == "face" else 0.0), 3),
        )  # fmt: skip


def _prop(prop: Element, window: Window) -> list[View]:
    """A prop's images, else the place where the user saw it; nothing where neither is said."""
    if prop.images:
        return list(_given(prop, "prop", 0.0))[:1]
    if prop.box is None or prop.at_s is None:
        return []
    left, top, right, bottom = (round(edge) for edge in prop.box)
    return [
        View(
            element=prop.id, description=prop.description, kind="prop", at_s=prop.at_s, importance=IMPORTANCE["prop"],
            box=Box(left, top, right, bottom), same_window=window.holds(prop.at_s),
        )
    ]  # fmt: skip
