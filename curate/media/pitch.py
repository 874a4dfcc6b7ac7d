"""Pitch of speech: two judges that share no code, and the shift that keeps the formants.

Judge one is Praat's autocorrelation (Boersma 1993), run twice so that floor and ceiling fit the voice (Hirst 2007).
Judge two is swift-f0, a small convolutional network (MIT). A label is believed only where both agree.
"""

import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError, Rejected

STEP_S = 0.01
JUDGE_TWO_RATE_HZ = 16_000
JUDGE_TWO_CONFIDENCE = 0.6
SEARCH_HZ = (50.0, 700.0)

Wave = NDArray[np.float32]
Array = NDArray[np.float64]
Engine = Literal["praat", "rubberband", "vocoder"]


@dataclass(frozen=True)
class Track:
    """Pitch by frame. `hz` is 0 where unvoiced; times are seconds from the start of the wave."""

    times_s: Array  # (T,)
    hz: Array  # (T,)

    @property
    def voiced_share(self) -> float:
        return float(np.mean(self.hz > 0)) if len(self.hz) else 0.0

    @property
    def median_hz(self) -> float:
        """Median over voiced frames. Raises Rejected where there are fewer than five."""
        voiced = self.hz[self.hz > 0]
        if len(voiced) < 5:
            raise Rejected("no_voice", f"{len(voiced)} voiced frames of {len(self.hz)}, wanted at least 5")
        return float(np.median(voiced))

    def at(self, times_s: Array) -> Array:
        """The frame nearest to each time.  # (len(times_s),)"""
        if not len(self.hz):
            return np.zeros(len(times_s))
        frame = np.round((times_s - self.times_s[0]) / STEP_S).astype(int)
        return np.asarray(self.hz[np.clip(frame, 0, len(self.hz) - 1)])


def _sound(wave: Wave, rate_hz: int) -> Any:
    import parselmouth

    return parselmouth.Sound(wave.astype(np.float64), rate_hz)


def _praat(sound: Any, floor_hz: float, ceiling_hz: float) -> Track:
    import parselmouth

    try:
        pitch = sound.to_pitch_ac(time_step=STEP_S, pitch_floor=floor_hz, pitch_ceiling=ceiling_hz)
    except parselmouth.PraatError as error:  # a wave shorter than three periods of the floor
        raise Rejected("no_voice", str(error).splitlines()[0]) from error
    hz = np.asarray(pitch.selected_array["frequency"], dtype=np.float64)
    return Track(np.asarray(pitch.xs(), dtype=np.float64), hz)


def voice_range(wave: Wave, rate_hz: int) -> tuple[float, float]:
    """Floor and ceiling in Hz that fit this voice: 0.7 and 2 times the quartiles of a first pass."""
    first = _praat(_sound(wave, rate_hz), *SEARCH_HZ)
    voiced = first.hz[first.hz > 0]
    if len(voiced) < 5:
        return 75.0, 500.0
    low, high = np.percentile(voiced, [25, 75])
    return max(45.0, 0.7 * float(low)), min(900.0, 2.0 * float(high))


def judge_one(wave: Wave, rate_hz: int) -> Track:
    """Praat's pitch track, two passes."""
    return _praat(_sound(wave, rate_hz), *voice_range(wave, rate_hz))


@lru_cache(maxsize=1)
def _swift() -> Any:
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1, spin=False)


def judge_two(wave: Wave, rate_hz: int) -> Track:
    """swift-f0's pitch track; frames under 60 % confidence are unvoiced."""
    if rate_hz != JUDGE_TWO_RATE_HZ:
        raise ValueError(f"got {rate_hz} Hz, wanted {JUDGE_TWO_RATE_HZ}")
    found = _swift().detect(np.ascontiguousarray(wave, dtype=np.float32), rate_hz, fmin=50, fmax=900)
    hz = np.asarray(found.pitch_hz, dtype=np.float64)
    sure = (np.asarray(found.confidence) > JUDGE_TWO_CONFIDENCE) & np.isfinite(hz)
    return Track(np.asarray(found.timestamps, dtype=np.float64), np.where(sure, hz, 0.0))


def cents(hz: float, reference_hz: float) -> float:
    """Distance in cents, 1200 log2(hz / reference_hz)."""
    return float(1200 * np.log2(hz / reference_hz))


def octaves(hz: float) -> float:
    """log2 of a pitch, quantised to 0.1 cent: finer digits differ between machines, and lots hang on them."""
    return round(float(np.log2(hz)) * 12_000) / 12_000


def wanted_track(source: Track, target_hz: float, contour: float) -> Array:
    """The pitch a shift aims at, by frame of `source`.  # (T,)

    The contour around the median is raised to the power `contour`: 1 keeps the melody, 0 flattens it.
    """
    wanted = np.zeros(len(source.hz))
    voiced = source.hz > 0
    wanted[voiced] = target_hz * (source.hz[voiced] / source.median_hz) ** contour
    return wanted


def gross_error_share(wanted_hz: Array, source: Track, found: Track) -> float:
    """Share of frames, voiced in both, where `found` is more than a semitone off `wanted_hz`."""
    hz = found.at(source.times_s)
    both = (wanted_hz > 0) & (hz > 0)
    if not both.any():
        return 1.0
    return float(np.mean(np.abs(12 * np.log2(hz[both] / wanted_hz[both])) > 1))


def shift_praat(wave: Wave, rate_hz: int, source_hz: float, target_hz: float, contour: float) -> Wave:
    """PSOLA (Moulines & Charpentier 1990) through Praat's Manipulation: formants and sample count stay."""
    from parselmouth.praat import call

    manipulation = call(_sound(wave, rate_hz), "To Manipulation", STEP_S, *voice_range(wave, rate_hz))
    tier = call(manipulation, "Extract pitch tier")
    call(tier, "Formula", f"{target_hz!r} * (self / {source_hz!r}) ^ {contour!r}")
    call([tier, manipulation], "Replace pitch tier")
    return np.asarray(call(manipulation, "Get resynthesis (overlap-add)").values[0], dtype=np.float32)


def has_rubberband() -> bool:
    """Whether the rubberband program is installed."""
    return shutil.which("rubberband") is not None


@lru_cache(maxsize=1)
def rubberband_version() -> str:
    """Version of the rubberband program. Raises CurateError where there is none."""
    if not has_rubberband():
        raise CurateError(
            "engine=rubberband: the rubberband program is not installed; apt install rubberband-cli, or use engine=praat"
        )
    done = subprocess.run(["rubberband", "--version"], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[-1]


def shift_rubberband(wave: Wave, rate_hz: int, shift_st: float) -> Wave:
    """Rubber Band R3 with formant preservation; the melody is moved whole."""
    import pyrubberband

    arguments = {"--fine": "", "--formant": ""}  # a fresh one every time: pyrubberband writes into it
    shifted = pyrubberband.pitch_shift(wave, rate_hz, shift_st, rbargs=arguments)
    return np.asarray(shifted, dtype=np.float32)


def shift_vocoder(wave: Wave, rate_hz: int, shift_st: float) -> Wave:
    """Phase vocoder: moves the formants along. What helium v1 used; for the known-bad control only."""
    from librosa.effects import pitch_shift

    return np.asarray(pitch_shift(wave, sr=rate_hz, n_steps=shift_st), dtype=np.float32)


def shift(
    wave: Wave, rate_hz: int, source_hz: float, target_hz: float, engine: Engine, contour: float
) -> Wave:
    """Speech moved from median `source_hz` to `target_hz`, same number of samples.  # (N,) float32

    `contour` (see `wanted_track`) is praat's alone: the other engines move the melody whole.
    """
    shift_st = cents(target_hz, source_hz) / 100
    match engine:
        case "praat":
            shifted = shift_praat(wave, rate_hz, source_hz, target_hz, contour)
        case "rubberband":
            shifted = shift_rubberband(wave, rate_hz, shift_st)
        case "vocoder":
            shifted = shift_vocoder(wave, rate_hz, shift_st)
    if len(shifted) != len(wave):
        raise Rejected("length_changed", f"{engine} gave {len(shifted)} samples, wanted {len(wave)}")
    return shifted
