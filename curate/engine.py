"""Who carries the tasks. Every engine gives the same results; they differ in time only.

A task is plain data (a frozen record), the function is named at module level: so any engine can carry both.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import Protocol, Self, TypeVar

from curate.errors import CurateError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """`map` yields results in any order, as they come."""

    def map(self, run: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Serial:
    """One task after the other, in this process."""

    def map(self, run: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        return map(run, items)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Processes:
    """A pool of `count` fresh (spawned) processes, started at the first use and kept for all stages of a build."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def map(self, run: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.count, mp_context=get_context("spawn"), initializer=_settle)
        futures = [self._pool.submit(run, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise CurateError(
                "a worker process died (out of memory?): run again to go on from what is finished, with fewer workers"
            ) from error
        finally:
            for future in futures:
                future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _settle() -> None:
    """Make a fresh worker a good guest of its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops its workers
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # as many workers share the cores
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()


def _leave_with_the_parent() -> None:
    """A parent that was killed cannot say goodbye; its workers would wait for tasks for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def engine(name: str) -> Engine:
    """`serial`, `processes` (one per core) or `processes:N`. Raises CurateError for anything else."""
    kind, _, count = name.partition(":")
    if kind == "serial" and not count:
        return Serial()
    if kind == "processes" and (not count or (count.isdecimal() and int(count) > 0)):
        workers = int(count) if count else usable_cores()
        return Processes(workers) if workers > 1 else Serial()
    raise CurateError(f"engine {name!r} is not known: wanted serial, processes or processes:N")
