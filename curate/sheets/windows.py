"""What of a film is a target, and which of its moments are looked at for it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from curate.media.film import NOTHING, Film, seen_share
from curate.media.shots import Shot
from curate.media.subject import Box

SLACK_S = 1e-3
BESIDE_S = 1.0  # nearer to a target, a moment is much like it
LEAST_SEEN = 0.25  # of a window's frames, for a character to be of it
LEAST_SIGHTINGS = 2
PLATE_FRAMES = 24
LEAST_PLATE_FRAMES = 3
LEAST_PLACE = 0.8  # of a location that is seen without people
TARGET_FRAMES = 8


class Window(NamedTuple):
    """A target, in seconds from the film's start."""

    start_s: float
    end_s: float

    def holds(self, at_s: float) -> bool:
        return self.start_s <= at_s < self.end_s

    def apart(self, at_s: float) -> int:
        """0 for a moment inside, 1 for one beside the window, 2 for one that is BESIDE_S and more away."""
        far = not self.start_s - BESIDE_S < at_s < self.end_s + BESIDE_S
        return 2 if far else int(not self.holds(at_s))


class Whereabouts(NamedTuple):
    """Where somebody is in a frame."""

    box: Box
    is_seen: bool  # else between where they were seen before and after: who turns away has no face, and is still there


def windows(film: Film, seconds: float) -> Iterator[tuple[Window | None, str]]:
    """The targets that a film has room for, one after the other in each shot, and why a shot has none."""
    for shot in film.shots:
        length_s = shot.end_s - shot.start_s
        count = int((length_s + SLACK_S) // seconds)
        if not count:
            yield None, f"a shot of {length_s:.2f} s at {shot.start_s:.2f} s, wanted {seconds:.2f} s"
        for number in range(count):
            start_s = round(shot.start_s + number * seconds, 3)
            yield Window(start_s, start_s + seconds), ""


def shot_at(film: Film, at_s: float) -> Shot:
    """The shot of a moment."""
    return next(each for each in film.shots if each.start_s - SLACK_S <= at_s < each.end_s)


def present(film: Film, window: Window) -> dict[int, float]:
    """The share of a window's frames that each of its characters is seen in, most first."""
    looked = sum(window.holds(at_s) for at_s in film.looked_s)
    counts = dict[int, int]()
    for each in film.sightings:
        if each.who != NOTHING and window.holds(each.at_s):
            counts[each.who] = counts.get(each.who, 0) + 1
    often = {who for who in counts if sum(s.who == who for s in film.sightings) >= LEAST_SIGHTINGS}
    shares = {who: counts[who] / looked for who in often if counts[who] >= LEAST_SEEN * looked}
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def plate_times(film: Film, window: Window) -> list[float]:
    """Frames of the window's shot to see the place in, at most PLATE_FRAMES: from outside the window if these show enough."""
    shot = shot_at(film, window.start_s)
    cells = dict(zip(film.looked_s, film.covered, strict=True))
    inside = [at_s for at_s in film.looked_s if shot.start_s <= at_s < shot.end_s]
    outside = [at_s for at_s in inside if not window.holds(at_s)]
    enough = len(outside) >= LEAST_PLATE_FRAMES and seen_share([cells[t] for t in outside]) >= LEAST_PLACE
    return spread(outside if enough else inside, PLATE_FRAMES)


def target_times(film: Film, window: Window) -> list[float]:
    """Frames of the window that its panels are compared with: TARGET_FRAMES, and two that each character is seen in."""
    looked = [at_s for at_s in film.looked_s if window.holds(at_s)]
    chosen = set(spread(looked, TARGET_FRAMES))
    for who in present(film, window):
        chosen |= set(spread([s.at_s for s in film.sightings if s.who == who and window.holds(s.at_s)], 2))
    return sorted(chosen)


def people_at(film: Film, at_s: float) -> list[Whereabouts]:
    """Where everybody is at a time of a film, as far as one can tell from its shot."""
    shot = shot_at(film, at_s)
    found = list[Whereabouts]()
    for who in range(len(film.identities)):
        seen = [s for s in film.sightings if s.who == who and shot.start_s <= s.at_s < shot.end_s]
        before = max((s for s in seen if s.at_s <= at_s), key=lambda s: s.at_s, default=None)
        after = min((s for s in seen if s.at_s >= at_s), key=lambda s: s.at_s, default=None)
        if known := [s for s in (before, after) if s]:
            one, other = known[0], known[-1]
            share = (at_s - one.at_s) / (other.at_s - one.at_s) if other.at_s > one.at_s else 0.0
            box = Box(*(round(a + (b - a) * share) for a, b in zip(one.body, other.body, strict=True)))
            found.append(Whereabouts(box, one.at_s == at_s))
    return found + [Whereabouts(s.body, True) for s in film.sightings if s.who == NOTHING and s.at_s == at_s]


def spread(times_s: list[float], most: int) -> list[float]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(times_s) <= most:
        return times_s
    return [times_s[int(place)] for place in np.linspace(0, len(times_s) - 1, most).round()]
