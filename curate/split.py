"""Who is held out, and who changes places: decided by identity before anything is measured."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet

from curate.errors import CurateError
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


def shuffled_texts(texts: Mapping[str, str], stream: np.random.Generator) -> dict[str, str]:
    """Everyone's text to somebody whose own is another one: each text as often as before, none where it was.

    Equal texts stand together in an order drawn, and the row is turned by as many places as the commonest has: that
    leads out of every run of equal ones. Raises CurateError when one text is more than half of them.
    """
    runs = dict[str, list[str]]()
    for name in sorted(texts):
        runs.setdefault(texts[name], []).append(name)
    longest = max(map(len, runs.values()), default=0)
    if longest * 2 > len(texts):
        said = max(runs, key=lambda text: (len(runs[text]), text))
        raise CurateError(
            f"{longest} of {len(texts)} texts are {said[:40]!r}; more than half cannot change places"
        )
    drawn = [sorted(runs)[place] for place in stream.permutation(len(runs))]
    names = [runs[text][place] for text in drawn for place in stream.permutation(len(runs[text]))]
    return {name: texts[names[place - longest]] for place, name in enumerate(names)}
