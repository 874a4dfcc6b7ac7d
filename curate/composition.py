"""What a set is composed of, as data: tiers of groups of generators, and what a model card claims of the numbers.

A card's claims are kept word for word beside what its own counts add up to. Every difference has to be declared:
a number that nobody can explain stops the plan, instead of ending up in a set.
"""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from curate.errors import CurateError
from curate.records import Record

Policy = Literal["per_generator", "tier_totals", "scale_to_total"]
VIDEOS = "videos"  # the claim of all together


SPEC_COLUMNS = ("tier", "group", "generator", "card", "full scale", "wanted", "candidates", "")
CLAIM_COLUMNS = ("of", "claimed", "computed", "difference", "the card says")


class Group(Record):
    """Generators that have the same number of samples each."""

    name: str
    per_generator: int = Field(ge=0)
    generators: tuple[str, ...] = Field(min_length=1, description="By their ids.")


class Tier(Record):
    """Groups that the card counts together."""

    name: str
    groups: tuple[Group, ...] = Field(min_length=1)


class Claim(Record):
    """One number of the card: of all videos, of a tier, of each generator in a group, or a tier's share."""

    of: str
    number: float
    says: str = Field(description="The card, word for word.")


class Place(NamedTuple):
    """Where a generator stands."""

    tier: str
    group: str


class Compared(NamedTuple):
    """A claim beside what was computed."""

    claim: Claim
    computed: float
    declared: float  # difference

    @property
    def difference(self) -> float:
        """Computed minus claimed; shares to a thousandth."""
        return round(self.computed - self.claim.number, 3)


class Composition(Record):
    """One profile of a recipe."""

    frames: int
    fps: float
    inferred: str | None = Field(default=None, description="Why the card does not say so itself.")
    tiers: tuple[Tier, ...]
    claimed: tuple[Claim, ...]
    differences: dict[Policy, dict[str, float]]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [each for group in self.groups for each in group.generators]
        names += [group.name for group in self.groups] + [tier.name for tier in self.tiers]
        if twice := [name for name, times in Counter(names).items() if times > 1]:
            raise ValueError(f"{twice[0]} is there twice; wanted every generator, group and tier once")
        return self

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, in order."""
        return tuple(group for tier in self.tiers for group in tier.groups)

    @property
    def places(self) -> dict[str, Place]:
        """Tier and group of each generator."""
        return {each: Place(t.name, g.name) for t in self.tiers for g in t.groups for each in g.generators}

    def claim(self, of: str) -> int:
        """The number of samples that the card claims. Raises CurateError where it claims none."""
        for claim in self.claimed:
            if claim.of == of:
                return round(claim.number)
        raise CurateError(f"the card claims no number for {of}, which this policy needs")

    def counts(self, policy: Policy) -> dict[str, int]:
        """Samples of each generator: as listed, or apportioned to what the card claims for the tiers, or for all."""
        listed = {each: group.per_generator for group in self.groups for each in group.generators}
        if policy == "scale_to_total":
            return apportion(self.claim(VIDEOS), listed)
        if policy == "tier_totals":
            places = self.places
            parts = {
                t.name: {k: n for k, n in listed.items() if places[k].tier == t.name} for t in self.tiers
            }
            return {
                k: n for name, part in parts.items() for k, n in apportion(self.claim(name), part).items()
            }
        return listed

    def compared(self, policy: Policy) -> list[Compared]:
        """Every claim beside what this policy gives."""
        counts, declared = self.counts(policy), self.differences.get(policy, {})
        return [
            Compared(claim, self._computed(claim.of, counts), declared.get(claim.of, 0.0))
            for claim in self.claimed
        ]

    def undeclared(self, policy: Policy) -> list[str]:
        """The differences that are not declared as they are, a line each."""
        known = {claim.of for claim in self.claimed}
        lines = [
            f"differences.{policy} declares {of}, which the card does not claim"
            for of in self.differences.get(policy, {})
            if of not in known
        ]
        for each in self.compared(policy):
            if each.difference != each.declared:
                claim = each.claim
                lines.append(
                    f"the card claims {claim.number:g} for {claim.of} ({claim.says!r}), {policy} gives {each.computed:g}: "
                    f"a difference of {each.difference:+g}, declared is {each.declared:+g}"
                )
        return lines

    def spec_rows(
        self, policy: Policy, counts: Mapping[str, int], found: Mapping[str, int], names: Mapping[str, str]
    ) -> list[tuple[str, ...]]:
        """A row for each generator in `counts`, as SPEC_COLUMNS; `found` is how many candidates there are of it."""
        full, rows = self.counts(policy), list[tuple[str, ...]]()
        listed = {each: group.per_generator for group in self.groups for each in group.generators}
        for each, count in counts.items():
            numbers = (listed[each], full[each], count, found.get(each, 0))
            lacking = count - found.get(each, 0)
            says = f"{lacking} too few" if lacking > 0 else ""
            rows.append((*self.places[each], names.get(each, each), *map(str, numbers), says))
        sums = (sum(full[each] for each in counts), sum(counts.values()), sum(found.values()))
        return [*rows, ("all", "", f"{len(counts)} generators", "", *map(str, sums), "")]

    def claim_rows(self, policy: Policy) -> list[tuple[str, ...]]:
        """A row for each claim of the card, as CLAIM_COLUMNS."""
        return [
            (
                each.claim.of,
                f"{each.claim.number:g}",
                f"{each.computed:g}",
                f"{each.difference:+g}",
                each.claim.says,
            )
            for each in self.compared(policy)
        ]

    def _computed(self, of: str, counts: Mapping[str, int]) -> float:
        total = sum(counts.values())
        for tier in self.tiers:
            mine = sum(counts[each] for group in tier.groups for each in group.generators)
            if of == tier.name:
                return mine
            if of == f"{tier.name} share":
                return round(mine / total, 3) if total else 0.0
        for group in self.groups:
            if of == group.name:
                return round(sum(counts[each] for each in group.generators) / len(group.generators), 3)
        if of == VIDEOS:
            return total
        raise CurateError(
            f"the card is said to claim a number of {of!r}, which is no tier, group, share or {VIDEOS!r}"
        )


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`total` divided in proportion to the weights, by largest remainder (Hamilton); the earlier wins a tie."""
    whole = sum(weights.values())
    if not whole:
        return dict.fromkeys(weights, 0)
    shares = {key: Fraction(total * weight, whole) for key, weight in weights.items()}
    counts = {key: int(share) for key, share in shares.items()}
    rest = sorted(weights, key=lambda key: counts[key] - shares[key])  # sorted is stable
    for key in rest[: total - sum(counts.values())]:
        counts[key] += 1
    return counts


def narrowed(counts: Mapping[str, int], only: Sequence[str], scale: float) -> dict[str, int]:
    """The counts of some generators, scaled in proportion. Raises CurateError for one that is not there, and for none."""
    for each in only:
        if each not in counts:
            near = difflib.get_close_matches(each, counts, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise CurateError(f"only={each}: not in this profile{hint} (it has {', '.join(counts)})")
    chosen = {each: count for each, count in counts.items() if not only or each in only}
    scaled = apportion(round(sum(chosen.values()) * scale), chosen)
    if not any(scaled.values()):
        raise CurateError(f"scale={scale:g} leaves no sample of {sum(chosen.values())}; wanted a larger one")
    return scaled


def read_compositions(path: Path) -> dict[str, Composition]:
    """The profiles in a YAML file. Raises CurateError naming file and field."""
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: Composition.model_validate(each) for name, each in held.items()}
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CurateError(f"{path.name}: {where} is {first['input']!r}; {first['msg'].lower()}") from error
    except (OSError, AttributeError, UnicodeDecodeError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise CurateError(f"{path.name}: cannot be read as profiles: {told}") from error
