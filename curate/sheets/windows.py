"""What of a film is a target, and which of its moments are looked at for it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from curate.media.film import NOTHING, Film, Sighting, seen_share
from curate.media.people import shared
from curate.media.shots import Shot
from curate.media.subject import Box

SLACK_S = 1e-3
MOSTLY = 0.8
BESIDE_S = 1.0  # nearer to a target, a moment is much like it
LEAST_SHOWN = 0.25  # of a window's frames, for a character to be of it
LEAST_SIGHTINGS = 2
PLATE_FRAMES = 24
LEAST_PLATE_FRAMES = 3
LEAST_PLACE = 0.8  # of a location that is seen without people
STAYS_S = 1.5  # who was seen, and is not
TARGET_FRAMES = 8
LAST_S = 0.05  # before a window's end, to be in it


class Window(NamedTuple):
    """A target, in seconds from the film's start."""

    start_s: float
    end_s: float
    part: Box | None = None  # of the film's frames that it shows; None for all of them

    def holds(self, at_s: float) -> bool:
        return self.start_s - SLACK_S <= at_s < self.end_s

    def shows(self, each: Sighting) -> bool:
        """Whether somebody is in it, in time and in what its shape leaves of the film: by most of the face, or of the body."""
        return self.holds(each.at_s) and (
            self.part is None or shared(each.face or each.body, self.part) > MOSTLY
        )

    def apart(self, at_s: float) -> int:
        """0 for a moment inside, 1 for one beside the window, 2 for one that is BESIDE_S and more away."""
        far = not self.start_s - BESIDE_S < at_s < self.end_s + BESIDE_S
        return 2 if far else int(not self.holds(at_s))


class Whereabouts(NamedTuple):
    """Where somebody is in a frame."""

    box: Box
    is_seen: bool  # else between where they were seen before and after: who turns away has no face, and is still there
    face: Box | None = None


def windows(
    film: Film, seconds: float, part: Sequence[int] | None = None
) -> Iterator[tuple[Window | None, str]]:
    """The targets that a film has room for, one after the other in each shot, and why a shot has none."""
    for shot in film.shots:
        length_s = shot.end_s - shot.start_s
        count = int((length_s + SLACK_S) // seconds)
        if not count:
            yield None, f"a shot of {length_s:.2f} s at {shot.start_s:.2f} s, wanted {seconds:.2f} s"
        for number in range(count):
            # rounded up: a moment before its shot is a frame of the last one
            start_s = math.ceil((shot.start_s + number * seconds) * 1000 - 1e-6) / 1000
            yield Window(start_s, start_s + seconds, Box(*part) if part else None), ""


def shot_at(film: Film, at_s: float) -> Shot:
    """The shot of a moment."""
    return max((each for each in film.shots if each.start_s <= at_s), default=film.shots[0])


def present(film: Film, window: Window) -> dict[int, float]:
    """The share of a window's frames that each of its characters is seen in, most first."""
    looked = sum(window.holds(at_s) for at_s in film.looked_s)
    counts = dict[int, int]()
    for each in film.sightings:
        if each.who != NOTHING and window.shows(each):
            counts[each.who] = counts.get(each.who, 0) + 1
    often = {who for who in counts if sum(s.who == who for s in film.sightings) >= LEAST_SIGHTINGS}
    shares = {who: counts[who] / looked for who in often if counts[who] >= LEAST_SHOWN * looked}
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def strangers(film: Film, window: Window, shown: Iterable[int]) -> float:
    """The share of a window's frames that show somebody who is none of these characters, or has no face."""
    cast = set(shown)
    looked = [at_s for at_s in film.looked_s if window.holds(at_s)]
    others = {each.at_s for each in film.sightings if window.shows(each) and each.who not in cast}
    return round(len(others) / max(1, len(looked)), 3)


def plate_times(film: Film, window: Window) -> list[float]:
    """Frames of the window's shot to see the place in, at most PLATE_FRAMES: from outside the window if these show enough."""
    shot = shot_at(film, window.start_s)
    inside = [at_s for at_s in film.looked_s if shot.start_s <= at_s < shot.end_s]
    outside = [at_s for at_s in inside if not window.holds(at_s)]
    apart = spread(outside, PLATE_FRAMES)
    enough = len(apart) >= LEAST_PLATE_FRAMES and place_seen(film, apart) >= LEAST_PLACE
    return apart if enough else spread(inside, PLATE_FRAMES)


def place_seen(film: Film, times_s: Iterable[float]) -> float:
    """How much of a place these frames show without people, 0 to 1."""
    unseen = {at_s: [each.box for each in people_at(film, at_s) if not each.is_seen] for at_s in times_s}
    return seen_share(film, unseen)


def target_times(film: Film, window: Window) -> list[float]:
    """Frames of the window that its panels are compared with: TARGET_FRAMES, two that each character is seen in, and the
    first and the last, which are most like what is shown beside it."""
    looked = [at_s for at_s in film.looked_s if window.holds(at_s)]
    chosen = set(spread(looked, TARGET_FRAMES))
    for who in present(film, window):
        chosen |= set(spread([s.at_s for s in film.sightings if s.who == who and window.shows(s)], 2))
    return sorted(chosen | {window.start_s, round(window.end_s - LAST_S, 4)})


def people_at(film: Film, at_s: float) -> list[Whereabouts]:
    """Where everybody is at a time of a film, as far as one can tell from its shot.

    Between two moments somebody is there; before the first and after the last for STAYS_S at most.
    """
    shot = shot_at(film, at_s)
    found = list[Whereabouts]()
    for who in range(len(film.identities)):
        seen = [s for s in film.sightings if s.who == who and shot.start_s <= s.at_s < shot.end_s]
        before = max((s for s in seen if s.at_s <= at_s), key=lambda s: s.at_s, default=None)
        after = min((s for s in seen if s.at_s >= at_s), key=lambda s: s.at_s, default=None)
        known = [s for s in (before, after) if s]
        if len(known) == 2 or (known and abs(known[0].at_s - at_s) <= STAYS_S):
            one, other = known[0], known[-1]
            share = (at_s - one.at_s) / (other.at_s - one.at_s) if other.at_s > one.at_s else 0.0
            box = Box(*(round(a + (b - a) * share) for a, b in zip(one.body, other.body, strict=True)))
            found.append(Whereabouts(box, one.at_s == at_s, one.face if one.at_s == at_s else None))
    return found + [Whereabouts(s.body, True) for s in film.sightings if s.who == NOTHING and s.at_s == at_s]


def spread(times_s: list[float], most: int) -> list[float]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(times_s) <= most:
        return times_s
    return [times_s[int(place)] for place in np.linspace(0, len(times_s) - 1, most).round()]
