"""Labels: what every pair must show. One rule, for the gate of a single sample and for the audit of a set.

The gate once compared rounded errors and the audit exact ones; one render in 6,000 lay between, and stopped every
tenth lot.
"""

import math
from collections.abc import Mapping, Sequence

from curate.errors import CurateError, Rejected
from curate.proof.sketch import Label
from curate.records import Values


def number_in(values: Mapping[str, object], key: str, whose: str) -> float:
    """A number that the sketch names. Raises CurateError where it is missing or something else."""
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        known = ", ".join(sorted(values)) or "nothing"
        raise CurateError(
            f"{whose}: the sketch names {key}, which is {value!r}, wanted a number; there are: {known}"
        )
    return float(value)


def errors_of(entry: Label, wanted: float, measured: Values, whose: str) -> list[float]:
    """How far each instrument is off what was wanted, in the label's unit. Raises CurateError for cents of nothing."""
    errors = []
    for instrument in entry.found:
        found = number_in(measured, instrument, whose)
        if entry.unit == "cents" and min(found, wanted) <= 0:
            raise CurateError(f"{whose}: {entry.name} is {found:g} against {wanted:g}, wanted both above 0")
        errors.append(1200 * math.log2(found / wanted) if entry.unit == "cents" else found - wanted)
    return errors


def gate(labels: Sequence[Label], choices: Values, measured: Values, whose: str) -> None:
    """Raise Rejected, with the label's name, for a sample that does not show what its set will be held to."""
    for entry in labels:
        if entry.least is not None:
            _gate_least(entry, entry.least, measured, whose)
            continue
        wanted = entry.wanted
        if isinstance(wanted, str):
            wanted = number_in({**measured, **choices}, wanted, whose)
        for error in errors_of(entry, wanted, measured, whose):
            if abs(error) > entry.bound:
                raise Rejected(entry.name, f"{error:+.4g} {entry.unit}, wanted at most {entry.bound:g}")


def _gate_least(entry: Label, least: float, measured: Values, whose: str) -> None:
    for instrument in entry.found:
        if (found := number_in(measured, instrument, whose)) < least:
            raise Rejected(entry.name, f"{found:.4g} {entry.unit}, wanted at least {least:g}")
