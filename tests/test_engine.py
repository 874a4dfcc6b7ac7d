"""Engines: same results, any order, errors that reach the user."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curate.engine import Processes, Serial, engine
from curate.errors import CurateError, Rejected


def double(number: int) -> int:
    return 2 * number


def reject(number: int) -> int:
    raise Rejected("odd", f"{number} is odd")


def die(_: int) -> int:
    os._exit(9)


@pytest.mark.parametrize("name", ["serial", "processes:2"])
def test_every_engine_gives_the_same_results(name: str) -> None:
    with engine(name) as carrier:
        assert sorted(carrier.map(double, range(20))) == list(range(0, 40, 2))
        assert sorted(carrier.map(double, [1])) == [2]  # the pool serves the next stage too


def test_an_error_in_a_worker_comes_back_whole() -> None:
    with Processes(2) as pool, pytest.raises(Rejected, match="3 is odd") as caught:
        list(pool.map(reject, [3]))
    assert caught.value.reason == "odd"


def test_a_worker_that_dies_is_one_line_not_a_hang() -> None:
    with Processes(2) as pool, pytest.raises(CurateError, match="a worker process died"):
        list(pool.map(die, [1, 2, 3]))


@pytest.mark.parametrize("name", ["procesess", "processes:0", "processes:x", "serial:2", ""])
def test_unknown_engines_are_named(name: str) -> None:
    with pytest.raises(CurateError, match="wanted serial, processes or processes:N"):
        engine(name)


def test_one_process_is_no_pool() -> None:
    assert isinstance(engine("processes:1"), Serial)


def report_and_wait(_: int) -> int:
    os.write(1, f"{os.getpid()}\n".encode())  # in one piece, as two workers share the pipe
    time.sleep(60)
    return 0


def is_alive(process: int) -> bool:
    """Running, and not a zombie that nobody has collected yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to look for processes")
def test_workers_do_not_outlive_a_killed_parent() -> None:
    code = "from curate.engine import Processes; from tests.test_engine import report_and_wait\nif __name__ == '__main__':\n with Processes(2) as p: list(p.map(report_and_wait, [1, 2]))"
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as out:
        workers = [int(out.readline()) for _ in range(2)]
        assert all(map(is_alive, workers))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        give_up = time.monotonic() + 10
        while any(map(is_alive, workers)) and time.monotonic() < give_up:
            time.sleep(0.05)
    assert not any(map(is_alive, workers))
