"""Progress that a person can read: bars on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Item = TypeVar("Item")

LINE_EVERY_S = 15.0


class Reporter:
    """Follows stages of work on stderr, so that stdout holds results only."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    def note(self, line: str) -> None:
        """One line of news."""
        self._console.print(line, markup=False, soft_wrap=True)

    def track(
        self, label: str, items: Iterable[Item], total: int, said: Callable[[], str] = str
    ) -> Iterator[Item]:
        """Yield `items`, showing how far they are, and what `said` says of the last one."""
        shown = self._bar if self._console.is_terminal else self._lines
        yield from shown(label, items, total, said)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Work in one piece: a spinner on a terminal, elsewhere a line when it took over a second."""
        started = time.monotonic()
        with self._console.status(label) if self._console.is_terminal else nullcontext():
            yield
        if (seconds := time.monotonic() - started) > 1:
            self.note(f"{label}: done, {seconds:.1f} s")

    def _bar(self, label: str, items: Iterable[Item], total: int, said: Callable[[], str]) -> Iterator[Item]:
        columns = (
            TextColumn("{task.description:>10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}", markup=False),
        )
        with Progress(*columns, console=self._console) as bars:
            task = bars.add_task(label, total=total, said="")
            for item in items:
                bars.update(task, advance=1, said=said())
                yield item

    def _lines(
        self, label: str, items: Iterable[Item], total: int, said: Callable[[], str]
    ) -> Iterator[Item]:
        started = last = time.monotonic()
        done = 0
        for item in items:
            done += 1
            now = time.monotonic()
            if now - last > LINE_EVERY_S and done < total:
                last = now
                self.note(_joined(f"{label}: {done} of {total}, {now - started:.0f} s", said()))
            yield item
        self.note(_joined(f"{label}: {done} of {total} done, {time.monotonic() - started:.1f} s", said()))


def _joined(line: str, news: str) -> str:
    return f"{line}, {news}" if news else line
