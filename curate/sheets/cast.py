"""Who and what is shown on a reference sheet, from which moments of a film: every choice, before a frame is loaded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from curate.errors import Rejected
from curate.media.film import Sighting
from curate.media.layout import Kind
from curate.media.shots import Shot
from curate.sheets.elements import Element
from curate.sheets.known import Known
from curate.sheets.view import IMPORTANCE, View
from curate.sheets.windows import LEAST_PLACE, LEAST_SHOWN, Window, place_seen, plate_times, present, shot_at
from curate.sheets.worth import LEAST_APART, LEAST_FACE_PX, best

TURNED_DEG = 15.0  # from here on a head looks to a side; the estimate is 3 to 6 degrees off
TURNS = ("front", "left", "right")  # of a body, as far as a face tells
NEVER_SEEN = ("back",)  # which without a face nobody can tell from a front


class Cast(NamedTuple):
    """All panels of a sheet, and what is not on it."""

    views: list[View]
    missing: list[str]  # views that the film does not show, as ELEMENT VIEW: "ada right"
    who: dict[str, int]  # by element: number of the character in the film


class Near(NamedTuple):
    """How a moment lies to a target, by which the better of two like views is chosen."""

    window: Window
    shot: Shot

    def rank(self, at_s: float) -> tuple[int, ...]:
        """Outside the window first, then in its shot, where people wear the same, then farther away."""
        apart = self.window.apart(at_s)
        return min(apart, 1), self.shot.start_s <= at_s < self.shot.end_s, apart


def cast(known: Known, window: Window, generated: bool = False) -> Cast:
    """The panels for a window. Raises Rejected where nobody can be shown well."""
    shares, looks = present(known.film, window), sum(map(window.holds, known.film.looked_s))
    if not looks:
        raise Rejected("broken_video", f"no frame that was looked at from {window.start_s:.2f} s on decodes")
    if not shares:
        where = f"the {looks} frames looked at from {window.start_s:.2f} s on"
        raise Rejected("no_character", f"nobody's face in {LEAST_SHOWN:.0%} of {where}")
    views, missing = list[View](), list[str]()
    named = _named(known, shares)
    for element, who in named:
        seen = [each for each in known.film.sightings if each.who == who]
        near = Near(window, shot_at(known.film, window.start_s))
        face = _face(element, seen, near, shares[who])
        bodies = list(_given(element, "body")) or list(_bodies(element, seen, near, face.at_s))
        turns = () if element.images else (*TURNS, *NEVER_SEEN)
        lacking = [turn for turn in turns if turn not in {body.turn for body in bodies}]
        if generated:
            bodies += [_made_up(element, turn) for turn in lacking]
        else:
            missing += [f"{element.id} {turn}" for turn in lacking]
        views += [face, *bodies]
    for prop in known.said.props:
        shown = _prop(prop, known, window)
        views += [shown] if shown else []
        missing += [] if shown else [f"{prop.id} prop"]
    there = {element.id for element, _ in named}
    missing += [f"{each.id} face" for each in known.said.characters if each.id not in there]
    place = _place(known, window)
    views += [place] if place else []
    missing += [] if place else [f"{_location(known).id} place"]
    return Cast(views, missing, {element.id: who for element, who in named})


def _named(known: Known, shares: Mapping[int, float]) -> list[tuple[Element, int]]:
    """The characters of a window with what a user says of them; without, they are named by their number."""
    said = {known.who[each.id]: each for each in known.said.characters if each.id in known.who}
    taken = {each.id for each in known.said.every()}
    return [(said.get(who) or _numbered(who, taken), who) for who in shares]


def _numbered(who: int, taken: set[str]) -> Element:
    name = f"person-{who + 1}"
    while name in taken:
        name += "x"
    return Element(id=name, description="a person")


def _face(element: Element, seen: Sequence[Sighting], near: Near, share: float) -> View:
    shown = best([each for each in seen if each.clear >= LEAST_APART], near.rank)
    if shown is None:
        wanted = f"{LEAST_FACE_PX} px high, whole, sharp, and apart from others"
        raise Rejected("no_clear_face", f"{element.id}: none of {len(seen)} is {wanted}")
    return _cut(element, "face", "", shown, near.window, IMPORTANCE["face"] + share)


def _bodies(element: Element, seen: Sequence[Sighting], near: Near, face_s: float | None) -> Iterator[View]:
    """A body for every way that the character is seen to look; no moment twice."""
    for turn in TURNS:
        ways = [
            each for each in seen if _turn(each) == turn and each.at_s != face_s and each.apart >= LEAST_APART
        ]
        if shown := best(ways, near.rank):
            yield _cut(element, "body", turn, shown, near.window, IMPORTANCE["body"])


def _turn(each: Sighting) -> str:
    yaw_deg = each.yaw_deg or 0.0
    return "front" if abs(yaw_deg) < TURNED_DEG else "left" if yaw_deg < 0 else "right"


def _cut(element: Element, kind: Kind, turn: str, best: Sighting, window: Window, importance: float) -> View:
    return View(
        element=element.id, description=element.description, kind=kind, turn=turn, at_s=best.at_s, box=best.body,
        face=best.face, importance=_weighed(element, importance), same_window=window.holds(best.at_s),
    )  # fmt: skip


def _weighed(element: Element, importance: float) -> float:
    return round(element.weight * importance, 3)


def _made_up(element: Element, turn: str) -> View:
    return View(
        element=element.id, description=element.description, kind="body", turn=turn, generated=True,
        importance=_weighed(element, IMPORTANCE["body"]),
    )  # fmt: skip


def _given(element: Element, kind: Kind) -> Iterator[View]:
    """The user's own images of an element."""
    for number, image in enumerate(element.images, start=1):
        yield View(
            element=element.id, description=element.description, kind=kind, image=image,
            turn=f"view {number}" if kind == "body" else "", importance=_weighed(element, IMPORTANCE[kind]),
        )  # fmt: skip


def _prop(prop: Element, known: Known, window: Window) -> View | None:
    """A prop that the target shows: the user's image of it, else cut out where it is seen best; None for any other.

    Of one with an image and no box nobody can tell whether a target shows it: the user says that it is in the film.
    """
    seen = [each for each in known.things if each.thing == prop.id]
    if prop.images and prop.box is None and not seen:
        return next(_given(prop, "prop"))
    if not any(window.holds(each.at_s) for each in seen):
        return None
    if prop.images:
        return next(_given(prop, "prop"))
    best = max(
        seen, key=lambda each: (window.apart(each.at_s) > 0, each.score, window.apart(each.at_s), -each.at_s)
    )
    return View(
        element=prop.id, description=prop.description, kind="prop", at_s=best.at_s, box=best.box,
        importance=_weighed(prop, IMPORTANCE["prop"]), same_window=window.holds(best.at_s),
    )  # fmt: skip


def _location(known: Known) -> Element:
    taken = {each.id for each in (*known.said.characters, *known.said.props)}
    name = "place" if "place" not in taken else "location"
    return known.said.location or Element(id=name, description="the place of the scene")


def _place(known: Known, window: Window) -> View | None:
    """The panel of the location; None where people hide too much of it."""
    location, times_s = _location(known), plate_times(known.film, window)
    if not location.images and place_seen(known.film, times_s) < LEAST_PLACE:
        return None
    return View(
        element=location.id, description=location.description, kind="location", image=next(iter(location.images), None),
        importance=_weighed(location, IMPORTANCE["location"]),
        same_window=not location.images and any(map(window.holds, times_s)),
    )  # fmt: skip
