"""Eligibility first, then assignment by stratified rerandomisation.

As in a clinical trial: a clip enters when it could take ANY of the treatments, and only then is it given one by lot.
Rerandomisation (Morgan & Rubin 2012) keeps drawing until the source attributes are balanced within a bound fixed
beforehand, so that small sets are balanced too, and what was not measured stays independent by the lot. The accepted
draws that follow the first one are the null of every test: what the same procedure could as well have done.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BALANCE_BOUND = 0.02  # rms |r| and rms |rho| over the attributes at REFERENCE_PAIRS pairs and above
REFERENCE_PAIRS = 292  # the seed's set
LEAST_BALANCED = 40  # below this many pairs there is no room to choose among draws: plain randomisation
CHUNK_DRAWS = 512
MAX_DRAWS = 50_000

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
    return (count - 1) / (pairs - 1) if 1 < count < pairs else 1.0


def _balanced(pool: Pool, targets: Array) -> Booleans:
    """Which of the drawn `targets` # (D, N) meet the bounds."""
    pairs = len(pool.groups)
    bound = balance_bound(pairs)
    # r without standardising every draw: the attributes are centred. Rejects nearly all, so it must be cheap.
    spread = np.einsum("dn,dn->d", targets, targets) - pairs * targets.mean(axis=1) ** 2
    plain = targets @ standardise(pool.attributes.T).T  # (D, K)
    meets = np.mean(plain**2, axis=1) <= bound**2 * spread
    chosen = np.flatnonzero(meets)
    if len(chosen):
        ranked = imbalance(targets[chosen], pool.attributes)[1] <= bound
        meets[chosen] = ranked & (
            group_share(targets[chosen], pool.groups) <= group_share_by_chance(pool.groups)
        )
    return np.asarray(meets)


def assignments(pool: Pool, rng: np.random.Generator) -> Iterator[Strata]:
    """Endless accepted draws, each a stratum for every clip.  # (N,)

    Strata are used equally often (±1, the extras by lot). The first draw is the assignment, the rest its null. Where
    there is nothing to choose among (few pairs, one stratum), or MAX_DRAWS in a row miss the bound, any draw is
    accepted from then on; the finding `balance` says what came of it.
    """
    pairs, strata = pool.targets.shape
    rows = np.arange(pairs)
    balancing, missed = pairs >= LEAST_BALANCED and strata > 1, 0
    while True:
        whole, extra = divmod(pairs, strata)
        deck = np.tile(np.repeat(np.arange(strata), whole), (CHUNK_DRAWS, 1))
        if extra:
            lot = rng.permuted(np.tile(np.arange(strata), (CHUNK_DRAWS, 1)), axis=1)[:, :extra]
            deck = np.concatenate([deck, lot], axis=1)
        drawn = rng.permuted(deck, axis=1)  # (D, N)
        accepted = np.ones(CHUNK_DRAWS, dtype=bool)
        if balancing:
            accepted = _balanced(pool, pool.targets[rows, drawn])
            missed = 0 if accepted.any() else missed + CHUNK_DRAWS
            balancing = missed < MAX_DRAWS
        yield from drawn[accepted]
