"""Engines: same results, any order, errors that reach the user."""

import os

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
