"""Every fault of helium is seen by the finding that is there for it, and the undamaged set is not stopped."""

import pytest
from threadpoolctl import threadpool_limits

from curate.proof import audit
from curate.proof.finding import problems
from tests.faults.fault import Fault, caught, finished
from tests.faults.helium import FAULTS
from tests.ledgers import helium, pool

RECIPE = helium()
ROWS = pool(RECIPE, 500, seed=3, max_shift_st=19)


@pytest.fixture(autouse=True)
def few_redraws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to reject at ALPHA, and five times as fast; benchmarks/proof.py runs the whole instrument."""
    monkeypatch.setattr(audit, "REDRAWS", 199)


def test_the_undamaged_set_stands() -> None:
    with threadpool_limits(1):
        assert problems(RECIPE.audit(finished(RECIPE, ROWS)), expected=()) == []


@pytest.mark.parametrize("spoilt", FAULTS, ids=lambda f: f.name)
def test_the_largest_dose_is_stopped_for_its_own_reason(spoilt: Fault) -> None:
    assert caught(spoilt.judged(RECIPE, ROWS, spoilt.doses[-1]), spoilt.trips)
