"""What latents decode to, measured: pitch, lag of sound behind picture, pictures, timbre; and the findings on them.

The bounds come from what the recipes promise of their media. They have yet to meet trained weights.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.errors import Rejected
from curate.proof.finding import Finding
from curate.records import number

RATE_HZ = 16_000
MAX_PITCH_OFF_CENTS = 50.0
MAX_LAG_FRAMES = 0.5
LEAST_ENVELOPE_R = 0.8  # below it there is no telling how far one envelope lags behind the other
LEAST_PSNR_DB = 25.0
SAME_PSNR_DB = 100.0  # of equal frames, where the formula gives infinity

NAMES = ("decoded_pitch", "decoded_offset", "decoded_psnr", "decoded_timbre")
UNTRAINED_SAYS = "the weights are not trained: what they decode says nothing about the data"
ABSENT_SAYS = {
    "decoded_pitch": "no pitch is recorded, or the model has no vocoder",
    "decoded_offset": "no sound with a picture, or the model has no vocoder",
    "decoded_psnr": "no pictures",
    "decoded_timbre": "no sound, or the model has no vocoder",
}
NO_SAMPLE_SAYS = "no sample whose latents have their shapes"

Wave = NDArray[np.float32]
Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Decoded:
    """What one sample's latents decode to, by "SAMPLE ROLE". None: there was nothing to measure it by."""

    size_faults: tuple[str, ...]
    pitch_off_cents: Mapping[str, float | None]
    lag_frames: Mapping[str, float | None]
    psnr_db: Mapping[str, float | None]
    timbre_db: Mapping[str, float | None]


def pitch_off_cents(wave: Wave, recorded_hz: float) -> float | None:
    """How far judge one's median pitch of a decoded wave is off the recorded one; None where it hears no voice."""
    from curate.media.pitch import cents, judge_one

    try:
        return cents(judge_one(wave, RATE_HZ).median_hz, recorded_hz)
    except Rejected:
        return None


def lag_frames(source: Wave, wave: Wave, fps: float) -> float | None:
    """Lag of a decoded wave's envelope behind its source's, in frames; None where the two hardly resemble each other."""
    from curate.media.speech import envelope_match

    length = min(len(source), len(wave))
    likeness, lag_s = envelope_match(source[:length], wave[:length], RATE_HZ)
    return round(lag_s * fps, 6) if likeness >= LEAST_ENVELOPE_R else None


def psnr_db(source: Frames, seen: Frames) -> float:
    """Peak signal-to-noise ratio over all frames, 10 log10(255^2 / mean squared error), at most SAME_PSNR_DB."""
    apart = [np.mean(np.square(a.astype(np.float32) - b)) for a, b in zip(source, seen, strict=True)]
    error = float(np.mean(apart))
    return min(SAME_PSNR_DB, 10 * math.log10(255**2 / error)) if error else SAME_PSNR_DB


def timbre_db(source: Wave, wave: Wave) -> float | None:
    """Distance of a decoded wave's timbre from its source's; None for silence, which has none."""
    from curate.media.speech import timbre_distance_db

    return timbre_distance_db(source, wave, RATE_HZ) if wave.any() and source.any() else None


def findings(decoded: Sequence[Decoded], trained: bool) -> list[Finding]:
    """The findings NAMES: measured where the weights are trained, else not applicable and without a number."""
    pairs = len(decoded)
    if not trained:
        return [_aside(name, UNTRAINED_SAYS, pairs) for name in NAMES]
    pitch = {k: v for d in decoded for k, v in d.pitch_off_cents.items()}
    lag = {k: v for d in decoded for k, v in d.lag_frames.items()}
    psnr = {k: v for d in decoded for k, v in d.psnr_db.items()}
    timbre = {k: v for d in decoded for k, v in d.timbre_db.items()}
    return [
        bounded("decoded_pitch", pitch, MAX_PITCH_OFF_CENTS, "cents off the recorded pitch", pairs),
        bounded("decoded_offset", lag, MAX_LAG_FRAMES, "frames behind the source", pairs),
        bounded("decoded_psnr", psnr, LEAST_PSNR_DB, "dB PSNR", pairs, least=True),
        _reported("decoded_timbre", timbre, "dB from the source's timbre", pairs),
    ]


def _aside(name: str, says: str, pairs: int) -> Finding:
    return Finding(name=name, split="all", verdict="not_applicable", says=says, pairs=pairs)


def none_of(name: str, offenders: Sequence[str], what: str, pairs: int) -> Finding:
    """There are no offenders; not testable where no sample could be judged."""
    if not pairs:
        return Finding.too_few(name, "all", NO_SAMPLE_SAYS, 0, 1)
    says = f"{len(offenders)} {what}" + (f", first {offenders[0]}" if offenders else "")
    measured, bound = {"offenders": len(offenders)}, {"offenders": 0}
    return Finding.judged(name, "all", not offenders, says, pairs, measured, bound)


def bounded(
    name: str,
    found: Mapping[str, float | None],
    bound: float,
    unit: str,
    pairs: int,
    *,
    least: bool = False,
    absent: str = "nothing was encoded",
) -> Finding:
    """No value is beyond its bound, and none is missing: further from zero, or with `least` smaller, than it."""
    if not pairs:
        return Finding.too_few(name, "all", NO_SAMPLE_SAYS, 0, 1)
    if not found:
        return _aside(name, ABSENT_SAYS.get(name, absent), pairs)
    kind = "least" if least else "largest"
    known = {label: value if least else abs(value) for label, value in found.items() if value is not None}
    if missing := sorted(found.keys() - known.keys()):
        says, measured = f"nothing to measure it by in {missing[0]}", {"unmeasured": len(missing)}
        return Finding.judged(name, "all", False, says, pairs, measured, {kind: bound})
    worst = (min if least else max)(known, key=lambda label: known[label])
    value = round(known[worst], 6)
    sound = value >= bound if least else value <= bound
    says = f"{'at least' if least else 'at most'} {value:.4g} {unit} ({worst}), bound {bound:g}"
    return Finding.judged(name, "all", sound, says, pairs, {kind: value}, {kind: bound})


BOUNDS = {
    "decoded_pitch": MAX_PITCH_OFF_CENTS, "decoded_offset": MAX_LAG_FRAMES, "decoded_psnr": LEAST_PSNR_DB,
}  # fmt: skip


def holds(found: Finding) -> bool:
    """Whether what a finding of `none_of` or `bounded` measured keeps its bound, and the bound is ours."""
    if any(bound != BOUNDS.get(found.name, bound) for bound in found.bound.values()):
        return False
    return all(
        key in found.measured
        and (number(found.measured, key) >= bound if key == "least" else number(found.measured, key) <= bound)
        for key, bound in ((key, number(found.bound, key)) for key in found.bound)
    )


def _reported(name: str, found: Mapping[str, float | None], unit: str, pairs: int) -> Finding:
    known = [value for value in found.values() if value is not None]
    if not known:
        return _aside(name, ABSENT_SAYS[name], pairs)
    median, most = float(np.median(known)), max(known)
    measured = {"median": round(median, 4), "largest": round(most, 4)}
    return Finding.reported(name, "all", f"median {median:.2f}, at most {most:.2f} {unit}", pairs, measured)
