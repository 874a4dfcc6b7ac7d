"""The causal sketch of a recipe, as data: what is decided, what that must drive, and what it must not lean on.

The audit is derived from it (`curate.proof.audit`): a new recipe is audited by writing its sketch. Names are looked up in a
ledger row: among its choices, its measured values (of what was made) and its attributes (of the source). A value that
is a list of numbers is an embedding, and stands for its first principal axes.
"""

from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from curate.records import SPLITS, LedgerRow, Record, Split

RESERVED = (
    "pairs", "positivity", "coverage", "band", "assignment", "groups", "balance", "independence", "quota", "order",
    "reference_parameters", "reference_proxies", "reference_controls",
)  # fmt: skip


class Label(Record):
    """A value that every kept pair must show, as found by one instrument or several."""

    name: str
    found: tuple[str, ...] = Field(min_length=1, description="Measured values, one for each instrument.")
    wanted: str | float = Field(
        default=0.0, description="A number, or the choice or measured value that says it."
    )
    unit: str = Field(description="cents: the error is 1200 log2(found / wanted); otherwise found - wanted.")
    bound: float = Field(default=0.0, description="Of the error.")
    least: float | None = Field(default=None, description="In place of both: no value is below it.")

    @model_validator(mode="after")
    def _of_another(self) -> Self:
        if self.wanted in self.found:
            raise ValueError(f"the label {self.name} compares {self.wanted} with itself")
        return self


class Lot(Record):
    """How the assigned value comes about: every candidate of a clip stands for one stratum, `choices["stratum"]`."""

    edges: tuple[float, ...] = Field(description="Of the strata, ascending.  # (S + 1,)")
    unit: str
    least_eligible_share: float = Field(description="Of the clips, that a band must keep to be wide enough.")
    whole_range: bool = Field(default=False, description="Use every stratum, whoever can take it.")
    drawn: bool = Field(default=True, description="False: nobody drew; a design that follows the source.")
    reaches_by: str = Field(description="The source attribute that decides which targets a clip can take.")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if len(self.edges) < 2 or any(high <= low for low, high in pairwise(self.edges)):
            raise ValueError(f"got the edges {self.edges}, wanted two or more, each above the one before")
        return self

    @property
    def strata(self) -> int:
        """How many strata there are."""
        return len(self.edges) - 1


class Reference(Record):
    """What the reference is made of, and what it may tell of the assigned value."""

    parameters: tuple[str, ...] = Field(description="Of its synthesis: drawn without looking at the value.")
    proxies: tuple[str, ...] = Field(description="Scalars measured on it, which must not tell the value.")
    controls: tuple[str, ...] = Field(description="Vectors measured on it, which must tell the value.")
    most_r: float = Field(description="Bound on |r| of each proxy at 292 pairs.")
    most_told: float = Field(description="Bound on the share of variance that all proxies together explain.")
    least_told: float = Field(description="What each control must explain at least.")

    def owns(self, key: str) -> bool:
        """Whether a measured value is of the reference: a parameter, or named with the first word of its proxies."""
        words = {name.partition("_")[0] for name in (*self.proxies, *self.controls)}
        return key in self.parameters or key.partition("_")[0] in words


class Quota(Record):
    """How many pairs there are of each kind: the first that were accepted, in an order drawn beforehand.

    So the pairs of a smaller quota are among those of a larger one, whatever was rejected.
    """

    kind: str = Field(description="The choice that says of which kind a candidate is.")
    wanted: dict[str, int] = Field(description="Exactly so many pairs of each kind.")
    order: str = Field(description="The choice that is a candidate's place in the order of its kind.")
    unlike: str | None = Field(default=None, description="The choice that no two pairs have in common.")
    pools: dict[str, str] = Field(
        default_factory=dict, description="Kinds of one pool stand in for each other where one runs short."
    )


class Sketch(Record):
    """One recipe's claims about its set."""

    assigned: str | None = Field(default=None, description="What is decided for a pair, in a linear scale.")
    lot: Lot | None = Field(default=None, description="How it is decided, where it is by lot.")
    labels: tuple[Label, ...] = Field(default=(), description="What it must drive in target and reference.")
    constant: dict[str, str | int | float] = Field(
        default_factory=dict, description="What is the same for every pair."
    )
    splits: tuple[Split, ...] = Field(default=SPLITS, description="Without held-out pairs only train.")
    quota: Quota | None = Field(default=None, description="How many pairs of each kind, where it is fixed.")
    totals: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="By a choice and its values: exactly so many pairs have it."
    )
    never: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="By a choice: values that no pair may have."
    )
    disjoint: tuple[str, ...] = Field(
        default=("group", "sources"), description="Identities that are never on both sides of the split."
    )
    balanced: tuple[str, ...] = Field(default=(), description="SOURCE attributes that the lot balances.")
    held_back: tuple[str, ...] = Field(
        default=(),
        description="SOURCE attributes that the lot never sees: only on these is anything inferred.",
    )
    effects: tuple[str, ...] = Field(
        default=(), description="What the treatment changes: reported, never balanced on (a collider)."
    )
    reference: Reference | None = None

    @property
    def reference_labels(self) -> tuple[Label, ...]:
        """The labels that tie the reference to its pair: found on the reference, wanted by what is not of it."""
        owns = self.reference.owns if self.reference else (lambda key: False)
        return tuple(
            label
            for label in self.labels
            if isinstance(label.wanted, str)
            and any(owns(key) for key in label.found)
            and not owns(label.wanted)
        )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        roles = {"balanced": self.balanced, "held back": self.held_back, "an effect": self.effects}
        named = [(key, role) for role, keys in roles.items() for key in keys]
        named += [(self.assigned, "assigned")] if self.assigned else []
        for key, role in named:
            if other := next((r for k, r in named if k == key and r != role), None):
                raise ValueError(f"{key} is both {role} and {other}; wanted one of the two")
        if self.quota and (
            odd := {self.quota.kind, self.quota.order, self.quota.unlike} & LedgerRow.model_fields.keys()
        ):
            raise ValueError(f"{odd.pop()} is what every row has; wanted another name for a choice")
        names = [label.name for label in self.labels] + list(self.constant) + list(self.effects)
        names += [f"same_{self.quota.unlike}"] if self.quota and self.quota.unlike else []
        names += [f"total_{key}" for key in self.totals] + [f"never_{key}" for key in self.never]
        if self.lot and self.quota:
            raise ValueError("a lot and a quota would both choose the pairs; wanted one of the two")
        if twice := next((n for n in names if names.count(n) > 1 or n in RESERVED), None):
            raise ValueError(f"two findings would be named {twice}; wanted a name of its own for each")
        if (self.lot or self.balanced or self.held_back or self.reference) and not self.assigned:
            raise ValueError("a lot, balance, inference and a reference need to know what is assigned")
        return self
