"""Quotas: exactly so many samples of each kind, the first accepted of an order that was drawn beforehand."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from curate.proof.finding import Finding
from curate.proof.labels import number_in
from curate.proof.sketch import Quota
from curate.records import LedgerRow, Sample, Values

SPARE_SHARE = 0.1  # made at once beyond what lacks, for some will be rejected: fewer rounds, little work lost

SURPLUS = "surplus"
NOT_NEEDED = "not_needed"


def select(quota: Quota, rows: Sequence[LedgerRow]) -> dict[str, str | None]:
    """For every made candidate None when it is kept, or why not: `surplus`, or `same_` as one kept before it.

    What a kind lacks is taken, in turn, from the other kinds of its pool.
    """
    fates = dict[str, str | None]()
    waiting = dict[str, list[str]]()  # by kind: accepted, and beyond its quota
    lacking = Counter[str]()  # by pool
    for kind, mine in _by_kind(quota, rows).items():
        accepted = list[str]()
        seen = set[object]()
        for row in mine:
            alike = row.choices[quota.unlike] if quota.unlike else row.id
            fates[row.id] = f"same_{quota.unlike}" if alike in seen else SURPLUS
            if alike not in seen:
                seen.add(alike)
                accepted.append(row.id)
        count = quota.wanted.get(kind, 0)
        fates |= dict.fromkeys(accepted[:count])
        waiting[kind] = accepted[count:]
    for kind, count in quota.wanted.items():
        if kind in quota.pools:
            lacking[quota.pools[kind]] += count - sum(
                row.made and row.choices[quota.kind] == kind and fates[row.id] is None for row in rows
            )
    for pool, count in lacking.items():
        fates |= dict.fromkeys(
            _in_turn([waiting.get(k, []) for k, p in quota.pools.items() if p == pool], count)
        )
    return fates


def due(quota: Quota, samples: Sequence[Sample], records: Mapping[str, Mapping[str, Any]]) -> list[Sample]:
    """The candidates to make next, given the records of those that were; none when every quota is full or exhausted.

    What was made is always the beginning of each kind's order, so that `select` never misses an earlier one.
    """
    waiting, accepted = dict[str, list[Sample]](), dict[str, set[object]]()
    for sample in sorted(samples, key=lambda s: (number_in(s.choices, quota.order, s.id), s.id)):
        kind = str(sample.choices[quota.kind])
        alike = sample.choices[quota.unlike] if quota.unlike else sample.id
        if sample.id not in records:
            waiting.setdefault(kind, []).append(sample)
        elif "rejected" not in records[sample.id]:
            accepted.setdefault(kind, set()).add(alike)
    lacking = {kind: count - len(accepted.get(kind, ())) for kind, count in quota.wanted.items()}
    for pool in set(quota.pools.values()):
        mine = [kind for kind, of in quota.pools.items() if of == pool and kind in lacking]
        short = sum(lacking[kind] for kind in mine if kind not in waiting or lacking[kind] < 0)
        others = [kind for kind in mine if kind in waiting and lacking[kind] <= 0]
        for kind in others:  # they stand in for those that have no more
            lacking[kind] = math.ceil(short / len(others))
    return [
        sample
        for kind, count in lacking.items()
        if count > 0
        for sample in waiting.get(kind, [])[: count + math.ceil(SPARE_SHARE * count)]
    ]


def finding(quota: Quota, kept: Sequence[LedgerRow]) -> Finding:
    """Every kind has exactly its number of samples; with pools, each pool has, and who stands in for whom is told."""
    found = Counter(str(row.choices[quota.kind]) for row in kept)
    off = {k: found[k] - n for k, n in quota.wanted.items() if found[k] != n}
    off |= {kind: count for kind, count in found.items() if kind not in quota.wanted}
    pooled = Counter[str]()
    for kind, apart in off.items():
        pooled[quota.pools.get(kind, kind)] += apart
    wrong = {pool: apart for pool, apart in pooled.items() if apart}
    says = f"{sum(found.values())} samples of {len(quota.wanted)} kinds, each as many as wanted"
    if off:
        told = ", ".join(f"{k} {found[k]} of {quota.wanted.get(k, 0)}" for k in sorted(off))
        says = told if wrong else f"{told}: stood in for within their pool"
    measured: Values = {"samples": sum(found.values()), **{f"off_{kind}": off[kind] for kind in sorted(off)}}
    return Finding.judged("quota", "all", not wrong, says, len(kept), measured, {"off_of_a_pool": 0})


def alike(quota: Quota, kept: Sequence[LedgerRow]) -> list[str]:
    """Ids of samples that share with an earlier one what no two of a kind may share."""
    seen = set[tuple[object, object]]()
    offenders = []
    for row in sorted(kept, key=lambda row: row.id):
        mark = (row.choices[quota.kind], row.choices[quota.unlike] if quota.unlike else row.id)
        if mark in seen:
            offenders.append(row.id)
        seen.add(mark)
    return offenders


def passed_over(quota: Quota, rows: Sequence[LedgerRow]) -> list[str]:
    """Ids of candidates that nobody made, although a later one of their kind is kept."""
    last = dict[str, float]()
    for row in rows:
        if row.kept:
            kind = str(row.choices[quota.kind])
            last[kind] = max(last.get(kind, -math.inf), number_in(row.choices, quota.order, row.id))
    return [
        row.id
        for row in rows
        if row.reason == NOT_NEEDED
        and number_in(row.choices, quota.order, row.id) < last.get(str(row.choices[quota.kind]), -math.inf)
    ]


def short(quota: Quota, samples: Sequence[Sample]) -> dict[str, int]:
    """How many of each kind, or pool, there are, where these are too few before anything is made or rejected."""
    found = dict[str, set[object]]()
    for sample in samples:
        alike = sample.choices[quota.unlike] if quota.unlike else sample.id
        kind = str(sample.choices[quota.kind])
        found.setdefault(quota.pools.get(kind, kind), set()).add((kind, alike))
    counts = {
        pool: len(found.get(pool, ())) for pool in dict.fromkeys(quota.pools.get(k, k) for k in quota.wanted)
    }
    return {pool: count for pool, count in counts.items() if count < needed(quota, pool)}


def needed(quota: Quota, pool: str) -> int:
    """How many a pool, or a kind of its own, is to have."""
    return sum(count for kind, count in quota.wanted.items() if quota.pools.get(kind, kind) == pool)


def total(key: str, wanted: dict[str, int], kept: Sequence[LedgerRow]) -> Finding:
    """Exactly so many samples have each value of a choice."""
    found = Counter(str(row.choices[key]) for row in kept)
    values = sorted(wanted.keys() | found.keys())
    sound = all(found[value] == wanted.get(value, 0) for value in values)
    says = ", ".join(f"{value} {found[value]} of {wanted.get(value, 0)}" for value in values)
    measured: Values = {value: found[value] for value in values}
    return Finding.judged(f"total_{key}", "all", sound, says, len(kept), measured, dict(wanted))


def _by_kind(quota: Quota, rows: Sequence[LedgerRow]) -> dict[str, list[LedgerRow]]:
    """The made candidates of each kind, in their order."""
    kinds = dict[str, list[LedgerRow]]()
    for row in sorted(
        (r for r in rows if r.made), key=lambda r: (number_in(r.choices, quota.order, r.id), r.id)
    ):
        kinds.setdefault(str(row.choices[quota.kind]), []).append(row)
    return kinds


def _in_turn(lines: Sequence[Sequence[str]], count: int) -> list[str]:
    """The first `count` of several lines, one of each at a time."""
    longest = max(map(len, lines), default=0)
    return [line[i] for i in range(longest) for line in lines if i < len(line)][:count]
