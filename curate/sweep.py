"""The sweep: one held-out target, many tones. Pitch is swept with the timbre held, then timbre with the pitch held.

A model that follows the pitch of its reference follows the first and not the second. The tones are made, cached and
encoded like any sample, and audited before anybody listens to what a model makes of them.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from curate.errors import CurateError
from curate.proof import invariants
from curate.proof.audit import label
from curate.proof.finding import Finding
from curate.proof.inference import seen_slope
from curate.proof.sketch import Label, Sketch
from curate.recipe import Recipe
from curate.records import LedgerRow, Sample, Values, number, rng

MOST_PAIRS = 12
LEAST_SHARE = 2 / 3  # of the tones of each sweep: a tone whose pitch two judges dispute is left out
MOST_GAP = 1 / 4  # of the range, on a log scale: nine tones leave an eighth, one missing tone a quarter
RESIDUAL_ST = 3.0  # assumed spread of the pitch that a model speaks around what its tone asks for
SWEEPS = ("pitch", "timbre")


def swept_pairs(rows: Sequence[LedgerRow], seed: int) -> list[LedgerRow]:
    """At most MOST_PAIRS of the held-out pairs, by lot, in order of their ids."""
    heldout = [row for row in rows if row.kept and row.split == "heldout"]
    drawn = sorted(heldout, key=lambda row: (rng(seed, row.id, "sweep").random(), row.id))
    return sorted(drawn[:MOST_PAIRS], key=lambda row: row.id)


def tones(recipe: Recipe, rows: Sequence[LedgerRow]) -> Iterator[tuple[LedgerRow, str, Values, Values]]:
    """Pair, id, choices and attributes of every tone to try: the attributes are what the pair's own tone is like.

    Raises CurateError where there is nothing to sweep.
    """
    pairs = swept_pairs(rows, recipe.seed)
    if not pairs:
        raise CurateError("no held-out pairs to try tones on")
    for pair in pairs:
        own = {"pair": pair.id} | {key: pair.measured[key] for key in _pair_keys(recipe.sketch)}
        offered = list(recipe.sweep(pair))
        if not offered:
            raise CurateError(f"{recipe.name} offers no tones to sweep")
        for suffix, choices in offered:
            yield pair, pair.id + suffix, choices, own


def _pair_keys(sketch: Sketch) -> list[str]:
    parameters = sketch.reference.parameters if sketch.reference else ()
    return [*parameters, *sorted({str(entry.wanted) for entry in sketch.reference_labels})]


def planned(recipe: Recipe, rows: Sequence[LedgerRow], samples: Mapping[str, Sample]) -> list[Sample]:
    """The samples of the sweep of a finished ledger, by id."""
    return sorted(
        (
            samples[pair.id].model_copy(update={"id": name, "choices": choices, "attributes": own})
            for pair, name, choices, own in tones(recipe, rows)
        ),
        key=lambda sample: sample.id,
    )


def audit(sketch: Sketch, rows: Sequence[LedgerRow]) -> list[Finding]:
    """What the sweep proves of itself: what is held is held, what is swept is swept, and what it could show."""
    kept = [row for row in rows if row.kept]
    of = {name: [row for row in kept if row.choices.get("sweep") == name] for name in SWEEPS}
    asked = [entry.model_copy(update={"wanted": "tone_hz"}) for entry in sketch.reference_labels]
    held = [entry.model_copy(update={"name": f"{entry.name}_held"}) for entry in sketch.reference_labels]
    return [
        _pairs(rows),
        _complete(rows),
        *(label(entry, kept) for entry in asked),
        _timbre_held(sketch, of["pitch"]),
        _range(sketch, of["pitch"]),
        *(label(entry, of["timbre"]) for entry in held),
        _timbres(sketch, of["timbre"]),
        _power(of["pitch"]),
    ]


def _pairs(rows: Sequence[LedgerRow]) -> Finding:
    odd = [
        row.id
        for row in rows
        if row.split != "heldout" or not row.id.startswith(f"{row.attributes.get('pair')}-")
    ]
    return invariants.nothing("sweep_pairs", odd, "tones that are not of a held-out pair", len(rows))


def _complete(rows: Sequence[LedgerRow]) -> Finding:
    """Enough tones of each sweep of each pair were made."""
    cell_of = {row.id: (str(row.attributes.get("pair")), row.choices.get("sweep")) for row in rows}
    tried, kept = Counter(cell_of.values()), Counter(cell_of[row.id] for row in rows if row.kept)
    cells = [(pair, name) for pair in {pair for pair, _ in tried} for name in SWEEPS]
    least = min((kept[cell] / tried[cell] if tried[cell] else 0.0 for cell in cells), default=0.0)
    says = f"{kept.total()} of {tried.total()} tones were made, at least {least:.0%} of each sweep"
    return Finding.judged(
        "sweep_tones", "all", least >= LEAST_SHARE, says, kept.total(),
        {"made": kept.total(), "tried": tried.total(), "least_share": round(least, 4)},
        {"least_share": round(LEAST_SHARE, 4)},
    )  # fmt: skip


def _timbre_held(sketch: Sketch, pitch: Sequence[LedgerRow]) -> Finding:
    keys = sketch.reference.parameters if sketch.reference else ()
    odd = [row.id for row in pitch if any(row.measured[k] != row.attributes.get(k) for k in keys)]
    return invariants.nothing(
        "sweep_timbre_held", odd, "tones of another timbre than their pair's", len(pitch)
    )


def _range(sketch: Sketch, pitch: Sequence[LedgerRow]) -> Finding:
    """The measured pitches leave no hole in the range of targets, of any pair."""
    edges = sketch.lot.edges if sketch.lot else ()
    found = _first_found(sketch.reference_labels)
    gaps = []
    for pair in sorted({str(row.attributes["pair"]) for row in pitch}):
        heard = [number(row.measured, found) for row in pitch if row.attributes["pair"] == pair]
        marks = sorted(math.log2(hz) for hz in (*heard, *edges[:1], *edges[-1:]))
        reach = math.log2(edges[-1] / edges[0]) if edges else marks[-1] - marks[0]
        gaps.append(max(b - a for a, b in pairwise(marks)) / reach)
    widest, slack = max(gaps, default=1.0), 0.01  # a tone is as near to its pitch as its label says
    says = f"the widest gap between pitches is {widest:.0%} of the range, at most {MOST_GAP:.0%}"
    return Finding.judged(
        "sweep_range", "all", widest <= MOST_GAP + slack, says, len(pitch),
        {"widest_gap": round(widest, 4)}, {"widest_gap": MOST_GAP},
    )  # fmt: skip


def _first_found(labels: Sequence[Label]) -> str:
    return next((entry.found[0] for entry in labels), "tone_hz")


def _timbres(sketch: Sketch, timbre: Sequence[LedgerRow]) -> Finding:
    """No two tones of a pair's timbre sweep are of one timbre."""
    keys = sketch.reference.parameters if sketch.reference else ()
    seen, odd = set[tuple[object, ...]](), []
    for row in sorted(timbre, key=lambda row: row.id):
        sound = (row.attributes.get("pair"), *(row.measured[k] for k in keys))
        if sound in seen:
            odd.append(row.id)
        seen.add(sound)
    return invariants.nothing(
        "sweep_timbres", odd, "tones of a timbre that their pair has twice", len(timbre)
    )


def _power(pitch: Sequence[LedgerRow]) -> Finding:
    """The slope that the pitch sweep would see, by the formula of `seen_slope`: of what was asked for, under an assumption."""
    count = Counter(str(row.attributes.get("pair")) for row in pitch)
    asked_st = [12 * math.log2(number(row.choices, "tone_hz")) for row in pitch]
    tones_each, pairs = min(count.values(), default=0), len(count)
    if tones_each < 2:
        return Finding.too_few("sweep_power", "all", "no line through these tones", len(pitch), 2)
    span_st = max(asked_st) - min(asked_st)
    slope = seen_slope(tones_each, pairs, span_st, RESIDUAL_ST)
    says = f"assuming that speech scatters {RESIDUAL_ST:g} st around its tone, {tones_each} tones over {span_st:.1f} st on {pairs} targets show a slope of {slope:.2f} four times in five"
    measured = {"seen_slope": round(slope, 4), "tones": tones_each, "targets": pairs}
    assumed = {"span_st": round(span_st, 4), "assumed_residual_st": RESIDUAL_ST}
    return Finding.reported("sweep_power", "all", says, len(pitch), measured | assumed)
