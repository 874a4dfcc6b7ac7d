"""What may cut a run short, in a form that a person can use: Ctrl-C, and memory that runs out."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from curate.encode import out_of_memory
from curate.errors import CurateError
from curate.train.config import TrainConfig

SAME_S = 1.0  # a terminal and a launcher both pass on one Ctrl-C


class Stop:
    """Whether somebody asked to stop. Asking again, more than a second later, stops at once."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note, self._asked_at = note, float("inf")

    @property
    def asked(self) -> bool:
        """It was asked for."""
        return self._asked_at < float("inf")

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal handler. Raises KeyboardInterrupt when asked again."""
        if time.monotonic() - self._asked_at > SAME_S:
            raise KeyboardInterrupt
        if not self.asked:
            self._asked_at = time.monotonic()
            self._note("stopping after this step (again: at once)")


@contextmanager
def stoppable(note: Callable[[str], None]) -> Iterator[Stop]:
    """Within it Ctrl-C, or a polite kill, only sets `asked`, so that a step can end and be saved."""
    stop = Stop(note)
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def naming_memory(when: str, ways: Sequence[str]) -> Iterator[None]:
    """Within it running out of memory becomes a CurateError that says which ways there are to need less."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if out_of_memory(error):
            raise CurateError(f"{when}: out of memory; lower it with {', '.join(ways)}") from error
        raise


def training_ways(config: TrainConfig) -> list[str]:
    """What makes training need less memory and is not done yet."""
    ways = {
        "--set precision=bf16": config.precision != "bf16",
        "--set gradient_checkpointing=true": not config.gradient_checkpointing,
        "--set quantize=int8": config.quantize is None,
        "--set optimizer=adamw8bit": config.optimizer != "adamw8bit",
        f"a smaller --set rank (now {config.rank})": True,
        "or fewer frames or pixels in the set": True,
    }
    return [way for way, helps in ways.items() if helps]
