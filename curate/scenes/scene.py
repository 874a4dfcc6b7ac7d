"""A film as scenes are planned in it: what is known once, for all of its targets."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from curate.errors import Rejected
from curate.film_plan import FPS, Wanted
from curate.media.film import Film
from curate.media.fit import covered_part
from curate.scenes.known import Known
from curate.scenes.standing import from_left
from curate.scenes.view import Shown
from curate.sheets.windows import Window, windows


class Scene(NamedTuple):
    """What is known, who can be shown, and how its people stand first."""

    known: Known
    shown: Shown
    able: list[int]
    first: list[int]  # from the left, in the first target that shows two; none where there is no such

    @classmethod
    def of(cls, known: Known, wanted: Wanted) -> Self:
        """Looked through once."""
        shown = Shown.of(known)
        able = shown.able()
        return cls(known, shown, able, _first(known.film, able, wanted))

    @property
    def film(self) -> Film:
        """That it is of."""
        return self.known.film

    def description(self, who: int) -> str:
        """Of the cast list; "" for none."""
        told = self.known.person(who)
        return told.description if told else ""

    def is_turned(self, order: Sequence[int]) -> bool:
        """Whether the people that a film begins with stand in another order: its caption tells of the first."""
        return sorted(order) == sorted(self.first) and list(order) != self.first

    def shot(self, window: Window) -> int:
        """The number of a window's shot."""
        return max(
            place for place, shot in enumerate(self.film.shots) if shot.start_s <= window.start_s + 1e-3
        )


def _first(film: Film, able: Sequence[int], wanted: Wanted) -> list[int]:
    part = covered_part(*film.size, wanted.width, wanted.height)
    for window, _ in windows(film, wanted.frames / FPS, part):
        try:
            if window:
                return from_left(film, window, able, 3, True)
        except Rejected:
            continue
    return []
