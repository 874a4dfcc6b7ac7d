"""Eligibility first, then assignment by stratified rerandomisation.

As in a clinical trial: a clip enters when it could take ANY of the treatments, and only then is it given one by lot.
Rerandomisation (Morgan & Rubin 2012) takes only draws whose source attributes are balanced within a bound fixed
beforehand, so that small sets are balanced too, and what was not measured stays independent by the lot. Draws get
there by switching pairs at random (Zhu & Liu 2023), some thousand times faster than by drawing afresh. The accepted
draws that follow the first one are the null of every test: what the same procedure could as well have done.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BALANCE_BOUND = 0.02  # rms |r| and rms |rho| over the attributes at REFERENCE_PAIRS pairs and above
REFERENCE_PAIRS = 292  # the seed's set
LEAST_BALANCED = 40  # below this many pairs there is no room to choose among draws: plain randomisation
CHAINS = 250  # draws that are balanced side by side
MAX_SWITCHES = 5_000  # tried on each before it is taken as it is
NEARLY = 0.9  # of the bound is aimed at: values are kept up to date nearly, and judged exactly
COLDNESS = 10.0  # a switch for the worse is made with chance (before / after) ** COLDNESS, as Zhu & Liu do

Array = NDArray[np.float64]
Strata = NDArray[np.intp]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """Eligible clips, one row each."""

    targets: Array  # (N, S) what the clip would get from each stratum, in a linear scale (log2 Hz)
    attributes: Array  # (N, K) of the SOURCE; never of what a treatment made
    groups: NDArray[np.intp]  # (N,) speakers or whatever else clusters the clips


def widest_band(passed: Booleans, least_share: float) -> range:
    """The longest run of strata that at least `least_share` of the clips pass from end to end.

    `passed` is # (N, S). Empty where no stratum reaches the share. Of runs of one length the one with more clips
    wins, then the lower one.
    """
    clips, strata = passed.shape
    for length in range(strata, 0, -1) if clips else ():
        shares = [passed[:, i : i + length].all(axis=1).mean() for i in range(strata - length + 1)]
        best = int(np.argmax(shares))
        if shares[best] >= least_share:
            return range(best, best + length)
    return range(0)


def balance_bound(pairs: int) -> float:
    """The bound at this many pairs: chance correlations grow as 1/sqrt(n), and so does what a draw can reach."""
    return BALANCE_BOUND * max(1.0, float(np.sqrt(REFERENCE_PAIRS / pairs)))


def standardise(values: Array) -> Array:
    """Zero mean and unit norm along the last axis; constant rows become zero."""
    centred = values - values.mean(axis=-1, keepdims=True)
    norm = np.sqrt(np.sum(centred**2, axis=-1, keepdims=True))
    return np.asarray(np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 1e-12))


def ranks(values: Array) -> Array:
    """Ranks along the last axis, ties in order of appearance (measured values rarely tie)."""
    order = np.argsort(np.argsort(values, axis=-1, kind="stable"), axis=-1, kind="stable")
    return np.asarray(order, dtype=np.float64)


def imbalance(targets: Array, attributes: Array) -> tuple[Array, Array]:
    """Root mean square over attributes of Pearson's r and of Spearman's rho.

    `targets` # (D, N), `attributes` # (N, K) -> # (D,), (D,)
    """
    plain = standardise(targets) @ standardise(attributes.T).T  # (D, K)
    ranked = standardise(ranks(targets)) @ standardise(ranks(attributes.T)).T
    return np.sqrt(np.mean(plain**2, axis=1)), np.sqrt(np.mean(ranked**2, axis=1))


def group_share(targets: Array, groups: NDArray[np.intp]) -> Array:
    """Share of the targets' variance that lies between groups (eta squared).  # (D, N), (N,) -> (D,)"""
    member = np.eye(int(groups.max()) + 1)[groups]  # (N, G)
    sums = standardise(targets) @ member
    return np.asarray(np.sum(sums**2 / np.maximum(member.sum(axis=0), 1), axis=1))


def group_share_by_chance(groups: Strata) -> float:
    """What `group_share` is on average when groups do not matter; 1 where no group repeats, and nothing can be said."""
    pairs, count = len(groups), len(np.unique(groups))
    return (count - 1) / (pairs - 1) if 1 < count < pairs else 1.0 + 1e-6  # beyond what rounding makes of 1


def _balanced(pool: Pool, targets: Array) -> Booleans:
    """Which of the drawn `targets` # (D, N) meet the bounds."""
    bound = balance_bound(len(pool.groups))
    plain, ranked = imbalance(targets, pool.attributes)
    between = group_share(targets, pool.groups)
    return np.asarray((plain <= bound) & (ranked <= bound) & (between <= group_share_by_chance(pool.groups)))


class _Sums:
    """What the bounds are about, kept up to date while clips switch strata: a switch costs a few additions.

    Targets count as values and as ranks among all cells, which is nearly Spearman's rho; whoever gets near is
    judged exactly.
    """

    def __init__(self, pool: Pool, drawn: Strata) -> None:
        self.cells = np.stack([pool.targets, ranks(pool.targets.ravel()).reshape(pool.targets.shape)])
        self.cells -= self.cells.mean(axis=(1, 2), keepdims=True)  # (2, N, S)
        columns = np.stack([pool.attributes.T, ranks(pool.attributes.T)])
        self.columns = np.moveaxis(standardise(columns), 1, 2)  # (2, N, K)
        self.groups, self.sizes = pool.groups, np.maximum(np.bincount(pool.groups), 1)
        targets = self.cells[:, np.arange(drawn.shape[1]), drawn]  # (2, D, N)
        spread = np.sqrt(np.mean(np.sum(targets**2, axis=2), axis=1))  # (2,): strata only move about
        bound = NEARLY * balance_bound(drawn.shape[1])
        self.cells /= (spread * bound)[:, None, None]
        self.products = targets @ self.columns / (spread * bound)[:, None, None]  # (2, D, K)
        self.of_group = targets[0] @ np.eye(len(self.sizes))[pool.groups] / (spread[0] * bound)  # (D, G)
        self.most_between = group_share_by_chance(pool.groups) / bound**2

    def excess(self, products: Array, of_group: Array) -> Array:
        """How many times the bound each draw is off, at its worst.  # (2, D, K), (D, G) -> (D,)"""
        apart = np.sqrt(np.mean(products**2, axis=2)).max(axis=0)
        between = np.einsum("dg,dg,g->d", of_group, of_group, 1 / self.sizes)
        return np.asarray(np.maximum(apart, np.sqrt(between / self.most_between)))

    def moved(self, draws: Strata, clips: Strata, before: Strata, after: Strata) -> tuple[Array, Array]:
        """The sums of these draws if in each two clips # (2, D) went from their stratum to the other's."""
        gain = self.cells[:, clips, after] - self.cells[:, clips, before]  # (2, 2, D)
        products = self.products[:, draws] + np.einsum("scd,scdk->sdk", gain, self.columns[:, clips])
        of_group = self.of_group[draws]
        for clip, by in zip(clips, gain[0], strict=True):
            of_group[np.arange(len(draws)), self.groups[clip]] += by
        return products, of_group


def _switch(pool: Pool, drawn: Strata, rng: np.random.Generator) -> None:
    """Switch the strata of two clips at a time, in place, until every draw # (D, N) is balanced, or out of patience."""
    sums, todo = _Sums(pool, drawn), np.arange(len(drawn))
    excess = sums.excess(sums.products, sums.of_group)  # (D,)
    moved = np.ones(len(drawn), dtype=bool)
    for _ in range(MAX_SWITCHES):
        near = todo[(excess[todo] <= 1) & moved[todo]]
        if len(near):
            sound = _balanced(pool, pool.targets[np.arange(drawn.shape[1]), drawn[near]])
            todo = np.setdiff1d(todo, near[sound])
            if not len(todo):
                return
        clips = rng.integers(0, drawn.shape[1], (2, len(todo)))
        strata = drawn[todo, clips]
        products, of_group = sums.moved(todo, clips, strata, strata[::-1])
        after = sums.excess(products, of_group)
        chance = (np.maximum(excess[todo], 1) / np.maximum(after, 1)) ** COLDNESS
        made = (rng.random(len(todo)) < chance) & (strata[0] != strata[1])
        moved[todo] = made
        draws = todo[made]
        sums.products[:, draws], sums.of_group[draws] = products[:, made], of_group[made]
        excess[draws] = after[made]
        drawn[draws, clips[:, made]] = strata[::-1, made]


def assignments(pool: Pool, rng: np.random.Generator) -> Iterator[Strata]:
    """Endless accepted draws, each a stratum for every clip.  # (N,)

    Strata are used equally often (±1, the extras by lot). The first draw is the assignment, the rest its null. Where
    there is nothing to choose among (few pairs, one stratum), or MAX_SWITCHES do not meet the bound, a draw is
    accepted as it is; the finding `balance` says what came of it.
    """
    pairs, strata = pool.targets.shape
    whole, extra = divmod(pairs, strata)
    while True:
        deck = np.tile(np.repeat(np.arange(strata), whole), (CHAINS, 1))
        if extra:
            lot = rng.permuted(np.tile(np.arange(strata), (CHAINS, 1)), axis=1)[:, :extra]
            deck = np.concatenate([deck, lot], axis=1)
        drawn = rng.permuted(deck, axis=1)  # (D, N)
        if pairs >= LEAST_BALANCED and strata > 1:
            _switch(pool, drawn, rng)
        yield from drawn
