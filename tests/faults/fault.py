"""A fault: one way to spoil a set, with a dose. What the audit must see, and from which dose on, is fixed beforehand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from curate.ledger import selected
from curate.proof.finding import Finding
from curate.recipe import Recipe
from curate.records import LedgerRow

Damage = Callable[[Recipe, list[LedgerRow], float], tuple[Recipe, list[LedgerRow]]]


@dataclass(frozen=True)
class Fault:
    """`damage` takes a recipe and the ledger before selection, and gives back who judges and a finished ledger."""

    name: str
    says: str
    damage: Damage
    unit: str
    doses: tuple[float, ...]  # ascending in harm
    trips: frozenset[str]  # the findings that are there to see it

    def judged(self, recipe: Recipe, rows: Sequence[LedgerRow], dose: float) -> list[Finding]:
        """What the audit says of the damaged set."""
        with threadpool_limits(1):  # as a build does; and many threads on small matrices only get in the way
            judge, spoilt = self.damage(recipe, list(rows), dose)
            return judge.audit(sorted(spoilt, key=lambda row: row.id))


def fault(says: str, unit: str, doses: tuple[float, ...], trips: Sequence[str]) -> Callable[[Damage], Fault]:
    """Declare a function to be a fault."""
    return lambda damage: Fault(damage.__name__, says, damage, unit, doses, frozenset(trips))


def finished(recipe: Recipe, rows: list[LedgerRow]) -> list[LedgerRow]:
    """The undamaged set."""
    return selected(rows, recipe.select(rows))


def caught(findings: Sequence[Finding], names: frozenset[str]) -> bool:
    """Whether one of the findings that must see a fault fails."""
    return any(f.verdict == "fail" and f.name in names for f in findings)
