"""How good a moment is to show somebody in, and the best one of many."""

import math
from collections.abc import Callable, Sequence

from curate.media.faces import SAME_PERSON
from curate.media.film import Sighting

LEAST_FACE_PX = 40  # of height: smaller ones are enlarged beyond what they hold
CLOSE_FACE_PX = 120  # of height, as large as it is shown
LEAST_APART = 0.7  # of a body's box, or of a head's: what else is in it is cut out with it
LEAST_SHARP = 0.28  # people in focus have .29 and more, one in an animated film who is out of it .22 to .26
LEAST_SOLID = 0.6  # of a face's box in the person's mask: .8 of a webcam's, .7 of a candle before it, 0 where it is lost
LEAST_WHOLE = 0.9  # of a head: what is cut off at the frame's edge is cut off on the sheet
FRONTAL = 6  # the power: half the worth at 27 degrees
AS_GOOD = 1 / 3  # of the best one's worth, for another that lies better to the target

Rank = Callable[[float], tuple[int, ...]]  # how a moment, in seconds, lies to a target: higher is better


def best(seen: Sequence[Sighting], rank: Rank) -> Sighting | None:
    """The best one: of those that are nearly as good the one that lies best to the target."""
    return next(iter(best_few(seen, rank, 1)), None)


def best_few(seen: Sequence[Sighting], rank: Rank, count: int) -> list[Sighting]:
    """So many of those that are nearly as good as any, who lie best to the target first."""
    worth = {each: _worth(each) for each in seen if _usable(each)}
    least = AS_GOOD * max(worth.values(), default=0.0)
    good = [each for each in worth if 0 < worth[each] >= least]
    return sorted(good, key=lambda each: (*rank(each.at_s), worth[each], -each.at_s), reverse=True)[:count]


def _usable(each: Sighting) -> bool:
    return (
        each.face is not None
        and each.face.bottom - each.face.top >= LEAST_FACE_PX
        and each.whole >= LEAST_WHOLE
        and each.sharpness >= LEAST_SHARP
        and each.solid >= LEAST_SOLID
    )


def _worth(each: Sighting) -> float:
    """How good a face is to show: sharp, large, looking this way, nobody and no hand before it. Rounded, so that the last
    bits of a network do not choose."""
    height = each.face.bottom - each.face.top if each.face else 0
    large = min(1.0, height / CLOSE_FACE_PX)
    frontal = math.cos(math.radians(each.yaw_deg or 0.0)) ** FRONTAL
    plain = max(0.0, 1 - each.odd / SAME_PERSON)
    return round(each.sharpness * large * frontal * each.clear * each.whole * plain, 2)
