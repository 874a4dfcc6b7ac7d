"""Invariants of sets of pictures: no text but what a recipe names, no two copies of one."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from curate.media.quality import are_copies
from curate.proof.finding import Finding
from curate.proof.invariants import nothing
from curate.records import LedgerRow, strings


def only_texts(name: str, kept: Sequence[LedgerRow], allowed: Mapping[str, str]) -> Finding:
    """No sample carries a text beside its caption but those `allowed`: by name, the regular expression of its whole."""
    found = [
        f"{row.id} {key}"
        for row in kept
        for place in (row.choices, row.attributes, row.measured)
        for key, value in place.items()
        for text in strings(value)
        if key not in allowed or not re.fullmatch(allowed[key], text, re.DOTALL)
    ]
    return nothing(name, found, "texts that are neither a caption nor the recipe's own", len(kept))


def no_copies(name: str, kept: Sequence[LedgerRow], most_cosine: float) -> Finding:
    """No two pictures are copies of one: as files (`attributes`), as they are trained on (`measured`), by a model.

    Files and stills by their `hashes`; where a model embedded them, by the cosine to the nearest other.
    """
    near = [
        f"{one.id} and {other.id}"
        for one, other in combinations(kept, 2)
        if any(
            are_copies(strings(mine["hashes"]), strings(theirs["hashes"]))
            for mine, theirs in ((one.attributes, other.attributes), (one.measured, other.measured))
        )
    ]
    cosines = ((row.id, row.attributes.get("nearest_cosine")) for row in kept)
    near += [own for own, cosine in cosines if isinstance(cosine, float) and cosine > most_cosine]
    return nothing(name, near, "pictures that are copies of another", len(kept))
