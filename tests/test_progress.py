"""Progress is plain lines without a terminal, and nothing when quiet."""

import time

import pytest

from curate.progress import Reporter


def test_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    assert list(reporter.track("make", iter([1, 2, 3]), 3)) == [1, 2, 3]
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("make: 3 of 3 done")


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(quiet=True)
    list(reporter.track("make", [1], 1))
    with reporter.step("audit"):
        pass
    reporter.note("hello [not markup]")
    assert capsys.readouterr() == ("", "")


def test_a_step_speaks_when_it_took_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    with reporter.step("short"):
        pass
    with reporter.step("long"):
        time.sleep(1.05)
    assert capsys.readouterr().err.startswith("long: done, 1.")
