"""Who is held out, and who changes places: decided by identity before anything is measured."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet

from curate.records import Clip, Split, rng


def groups(
    clips: Sequence[Clip], same: Callable[[Clip, Clip], bool], label: str = "speaker"
) -> dict[str, str]:
    """Group of every clip id: one label value, or the same footage by `same`, joined transitively.

    A group with labels is named after the first of them, so that it keeps its name (and its side of the split) when
    clips are added; one without is named after its first clip.
    """
    joined = DisjointSet([clip.id for clip in clips])
    first: dict[str, str] = {}
    for clip in clips:
        if label in clip.labels:
            joined.merge(first.setdefault(clip.labels[label], clip.id), clip.id)
    for i, clip in enumerate(clips):
        for other in clips[:i]:
            if not joined.connected(clip.id, other.id) and same(clip, other):
                joined.merge(clip.id, other.id)
    by_id = {clip.id: clip for clip in clips}
    names: dict[str, str] = {}
    for members in joined.subsets():
        labels = sorted(by_id[m].labels[label] for m in members if label in by_id[m].labels)
        name = f"{label}:{labels[0]}" if labels else f"clip:{min(members)}"
        names |= dict.fromkeys(members, name)
    return names


def sides(names: Sequence[str], seed: int, share: float) -> dict[str, Split]:
    """The side of every group: held out with probability `share`, by a lot of its own.

    A group's side does not depend on the others, but for two rules: one group is always trained on, and from five
    groups on one is held out (the group whose lot came nearest).
    """
    lots = {name: float(rng(seed, name, "split").random()) for name in set(names)}
    held = {name for name, lot in lots.items() if lot < share}
    nearest_first = sorted(lots, key=lambda name: (lots[name], name))
    if share > 0 and len(lots) >= 5:
        held |= set(nearest_first[:1])
    held -= set(nearest_first[-1:])
    return {name: "heldout" if name in held else "train" for name in lots}


def derangement(count: int, stream: np.random.Generator) -> NDArray[np.intp]:
    """An order without a fixed point, each equally likely: permutations are drawn until one has none (e on average).

    `count` is 0, or 2 or more.
    """
    while True:
        order = stream.permutation(count)
        if not np.any(order == np.arange(count)):
            return order
