"""An engine for tests of whole builds."""

from collections.abc import Callable, Iterator, Sequence

from curate.engine import Item, Processes, Result


class Backwards(Processes):
    """One process that gets the last task first: a process more would import the encoder once more, ten seconds.

    That two at once agree is shown where helium is built with fresh caches, and of the encoder in tests/encode.
    """

    def __init__(self) -> None:
        super().__init__(1)

    def map(self, run: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        return super().map(run, items[::-1])
