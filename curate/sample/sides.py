"""Whether those who are seen stand on the sides that they have on the picture given: in a swapped one they must swap."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from curate.media.faces import SAME_PERSON, faces_of, identity, identity_distance, is_available
from curate.records import Record

FRAMES = 9  # looked at, spread evenly
Picture = NDArray[np.uint8]  # (H, W, 3)
Identity = list[float]  # 128 numbers


class Sides(Record):
    """What became of those on the picture given."""

    why: str | None = Field(default=None, description="Why there is nothing to tell.")
    frames: int = Field(default=0, description="Looked at.")
    known: int = Field(default=0, description="Of these, with two or more of those on the picture given.")
    as_given: int = Field(default=0, description="Of these, where they stand as on it.")

    @property
    def share(self) -> float | None:
        """Of the frames with two, those where they stand as given."""
        return round(self.as_given / self.known, 4) if self.known else None

    @property
    def said(self) -> dict[str, float | int | str | None]:
        """As a row keeps it: the share, what it is of, and the words for a sheet."""
        return {"sides": self.share, **self.model_dump(exclude={"why"}), "words": self.words}

    @property
    def words(self) -> str:
        """In few words, for a contact sheet."""
        if not self.known:
            return f"sides not told: {self.why}"
        others = self.frames - self.known
        without = f", {others} without both" if others else ""
        return f"sides as given {self.as_given} of {self.known} frames{without}"


def sides(frames: Sequence[Picture], given: Picture) -> Sides:
    """Who stands where in some frames of a video, against the picture that was given.

    A face is that of the nearest identity on the picture, within SAME_PERSON; whoever is there twice, as when both
    become one person, is counted once. Only frontal faces are found.
    """
    if not is_available():
        return Sides(why="wanted the extra `faces`")
    people = _from_left_to_right(given)
    if len(people) < 2:
        return Sides(why=f"{len(people) or 'no'} face{'s' * (not people)} on the picture given")
    if min(identity_distance(one, other) for one, other in combinations(people, 2)) <= SAME_PERSON:
        return Sides(why="those on the picture given look alike")
    places = np.linspace(0, len(frames) - 1, min(FRAMES, len(frames))).round().astype(int)
    seen = [_from_left_to_right(frames[place]) for place in places]
    orders = [_recognised(identities, people) for identities in seen]
    known = [order for order in orders if len(order) > 1]
    return Sides(
        why=None if known else "never both recognised" if any(seen) else "no faces found",
        frames=len(seen),
        known=len(known),
        as_given=sum(order == sorted(order) for order in known),
    )


def _from_left_to_right(frame: Picture) -> list[Identity]:
    """Whose faces a frame shows."""
    found = sorted(faces_of(frame), key=lambda face: face.box.left + face.box.right)
    return [identity(frame, face) for face in found]


def _recognised(seen: Sequence[Identity], people: Sequence[Identity]) -> list[int]:
    """Which of the people are seen, in the order of who is seen, each once: where they are most alike."""
    best = dict[int, tuple[float, int]]()  # by person: how far, and where
    for place, each in enumerate(seen):
        apart, who = min((identity_distance(each, known), who) for who, known in enumerate(people))
        if apart <= SAME_PERSON:
            best[who] = min(best.get(who, (apart, place)), (apart, place))
    return sorted(best, key=lambda who: best[who][1])
