"""Who is in a part of a film, and on which side: what a first frame must show."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import mean

from curate.errors import Rejected
from curate.media.film import Film, Sighting
from curate.media.fit import covered_part
from curate.media.panels import head_of
from curate.media.people import shared
from curate.media.subject import Box
from curate.media.subtitles import Writing
from curate.sheets.windows import LEAST_SHOWN, Window, present, strangers

MOST_STRANGERS = 0.2  # of a window's looks: somebody else, or without a face
SAME_SIDES = 0.8  # of the looks that show two of them
LEAST_LEFT = 0.6  # of a frame's height, beside a band of subtitles
YAW_DEG, OFF_MIDDLE = 10.0, 0.1  # as telling as each other: a head's yaw, and how far off the middle it is
LEAST_TURNED = 0.5
WHOLE_HEAD = 0.95  # of it, inside of what is left


def from_left(film: Film, window: Window, able: Sequence[int], most: int, reverse_angles: bool) -> list[int]:
    """The characters of a window, from left to right: two, or as many as three where `most` is 3. `able` are those of the
    film who can be shown; extras, who are never seen well, are strangers.

    With `reverse_angles`, where one is seen of the only two who are able, the other is on the side that the first turns to.
    Raises Rejected: no_character, one_character, too_many, strangers, never_together, sides_change, side_unknown.
    """
    shown = [who for who in present(film, window) if who in able]
    where = f"from {window.start_s:.2f} s on"
    if reverse_angles and len(shown) == 1 and len(able) == 2:
        return _reverse_angle(film, window, shown[0], sum(able) - shown[0])
    if len(shown) < 2:
        reason = "one_character" if shown else "no_character"
        told = f"{len(shown)} {'face is' if shown else 'faces are'} seen well, in {LEAST_SHOWN:.0%} of it {where}"
        raise Rejected(reason, f"{told}, wanted two")
    if len(shown) > most:
        raise Rejected(
            "too_many", f"{len(shown)} people {where}, wanted {'two' if most == 2 else 'two or three'}"
        )
    if (share := strangers(film, window, shown)) > MOST_STRANGERS:
        raise Rejected("strangers", f"somebody else in {share:.0%} of it {where}")
    seen = {who: [each for each in film.sightings if each.who == who and window.shows(each)] for who in shown}
    ordered = sorted(shown, key=lambda who: (mean(map(_x, seen[who])), who))
    for left, right in pairwise(ordered):
        _same_sides(seen[left], seen[right], where)
    return ordered


def cropped(film: Film, writing: Writing, window: Window, size: tuple[int, int]) -> Box | None:
    """What is used of the film's frames beside the subtitles of a window, of the shape of the target's `size`, with the heads
    in its middle as far as that is possible; None for all. Raises Rejected: subtitles, where too little is left, or a head
    would be cut off.
    """
    band = writing.band(window.start_s, window.end_s)
    if band is None:
        return None
    width, height = film.size
    above, below = band[0], height - band[1]
    left = Box(0, 0, width, band[0]) if above >= below else Box(0, band[1], width, height)
    if max(above, below) < LEAST_LEFT * height:
        raise Rejected("subtitles", f"{max(above, below) / height:.0%} of the height is free of them")
    heads = [head_of(each.face) for each in film.sightings if each.face and window.holds(each.at_s)]
    shown = _around(heads, left, size)
    if any(shared(head, shown) < WHOLE_HEAD for head in heads):
        raise Rejected("subtitles", "without their band a head would be cut off")
    return shown


def _around(heads: Sequence[Box], part: Box, size: tuple[int, int]) -> Box:
    """The largest box of the shape of `size` in a part of a frame, as near to the middle of the heads as it can be."""
    inner = covered_part(part.right - part.left, part.bottom - part.top, *size)
    across, down = inner[2] - inner[0], inner[3] - inner[1]
    x = mean([(head.left + head.right) / 2 for head in heads] or [(part.left + part.right) / 2])
    y = mean([(head.top + head.bottom) / 2 for head in heads] or [(part.top + part.bottom) / 2])
    left = min(max(part.left, round(x - across / 2)), part.right - across)
    top = min(max(part.top, round(y - down / 2)), part.bottom - down)
    return Box(left, top, left + across, top + down)


def first_seen_s(film: Film, window: Window, who: int) -> tuple[float, float]:
    """When somebody is seen first in a window, and the look before it, in seconds from its start; 0 for none before."""
    looks = [at_s for at_s in film.looked_s if window.holds(at_s)]
    seen_s = min(each.at_s for each in film.sightings if each.who == who and window.holds(each.at_s))
    before_s = max((at_s for at_s in looks if at_s < seen_s), default=window.start_s)
    return seen_s - window.start_s, before_s - window.start_s


def turned(yaw_deg: float, x: float) -> float:
    """How much somebody is turned to a partner who is not seen: above 0 to the right; `x` is where the face is, 0 to 1.

    Who looks to the right, or stands left of the middle, has somebody at their right.
    """
    return yaw_deg / YAW_DEG + (0.5 - x) / OFF_MIDDLE


def _reverse_angle(film: Film, window: Window, seen: int, other: int) -> list[int]:
    there = [each for each in film.sightings if each.who == seen and window.shows(each)]
    if (share := strangers(film, window, [seen])) > MOST_STRANGERS:
        raise Rejected("strangers", f"somebody else in {share:.0%} of it from {window.start_s:.2f} s on")
    way = mean(turned(each.yaw_deg or 0.0, _x(each) / film.size[0]) for each in there)
    if abs(way) < LEAST_TURNED:
        told = f"who is seen from {window.start_s:.2f} s on looks ahead from the middle"
        raise Rejected("side_unknown", f"{told}, so that nobody can tell where the other is")
    return [seen, other] if way > 0 else [other, seen]


def _same_sides(left: Sequence[Sighting], right: Sequence[Sighting], where: str) -> None:
    """Raises Rejected where two are not seen together, or change sides."""
    other = {each.at_s: each for each in right}
    both = [(each, other[each.at_s]) for each in left if each.at_s in other]
    if not both:
        raise Rejected("never_together", f"no frame looked at {where} shows both")
    kept = sum(_x(one) < _x(two) for one, two in both)
    if kept < SAME_SIDES * len(both):
        raise Rejected("sides_change", f"one is left of the other in {kept} of {len(both)} frames {where}")


def _x(each: Sighting) -> float:
    box = each.face or each.body
    return (box.left + box.right) / 2
