"""The meter of a tone sweep: how high does a generated voice speak, does it speak at all, and is it the tone itself?

A model that copies its reference into its output would pass for one that follows it: a copied tone has the pitch of
the tone. What tells them apart is what a voice cannot do: a tone goes on, unchanged, where speech pauses. So the
tone's partials are looked for in the quiet frames of a span, where they must stand out and hardly waver.

Measured on 30 clips (6 recorded, 24 of the demo source), 4.84 s each, tones as helium makes them, levels in LUFS:
not one false alarm in 390 (as spoken, or moved to the tone's pitch with all, half or none of the melody), nor in 549
of speech and whisper against nine tones. Found: 195 of 195 tones alone; under speech 375 of 375 at -12 dB (180 of
these under speech of the tone's own pitch), 194 of 195 at -18 and 190 of 195 at -24; 195 of 195 under a whisper; 191
of 195 with noise beside it; 186 of 195 that last 2 s, 139 of 195 that last 1.5 s. Another tone, 1 to 24 st away, was
taken for this one in 0 of 2,338 alone and 13 of 2,338 under speech, 11 of them where it was three times as high.

What it misses: after a crude inversion of the 64 mel bands that LTX's vocoder gets (Griffin & Lim), tones above
120 Hz are found as before (37 of 37 at -12 dB), of those below half are (6 of 12): there the bands are wider than
the partials are apart. What it takes for a tone: a voice on one note that never pauses and has no unvoiced sound (7
of 118 with all that cut out and the melody flattened).
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from curate.errors import CurateError, Rejected
from curate.media.audio import SILENCE_LUFS, loudness_lufs
from curate.media.pitch import SEARCH_HZ, Track, Wave, judge_one, judge_two
from curate.media.tone import TONE_LUFS
from curate.records import Record

RATE_HZ = 16_000
LEAST_S = 0.5
AGREED_ST = 1.0  # two judges that are further apart in a frame have not heard the same voice
LEAST_VOICED = 0.1  # of the frames: 390 renders of 30 clips had .25 or more, 31 whispers .002 or less

WINDOW, HOP, BINS = 2048, 320, 8192  # 128 ms every 20 ms: lines 31 Hz wide, and pauses are longer than that
ODD = (1, 3, 5, 7, 9)  # partials looked at: a tone an octave up has no odd ones, a hollow tone hardly others
HIGHEST_HZ, LEAST_PARTIALS = 1800.0, 3
REACH_CENTS = 50.0  # vibrato and jitter of a tone stay within this, see curate.media.tone
SPAN_S, SPAN_STEP_S = 1.5, 0.25  # a reference is two seconds long
QUIET = 0.2  # of a span's frames: in these the speech is silent, or weak where the partial lies
LEAST_STANDS_DB = 4.0
MOST_WAVERS_DB = 5.0
MOST_DB = 25.0  # of one partial: what is louder says no more
FLOOR = 1e-12  # power of digital silence

Array = NDArray[np.float64]


class Heard(Record):
    """What the meter heard in one generated sound."""

    voiced_share: float = Field(
        description="Frames in which both judges hear a pitch, a semitone apart at most."
    )
    pitch_hz: float | None = Field(description="Median over these frames; None where there are too few.")
    leaked: bool = Field(description="The reference tone itself is in the sound, alone or under speech.")
    stands_db: float | None = Field(
        description="How far the tone's partials stand out where speech is quiet; None where nothing is as steady as a tone."
    )

    @property
    def voiced(self) -> bool:
        """There is a voice with a pitch, or a tone: see `leaked`."""
        return self.pitch_hz is not None


def listen(wave: Wave, tone_hz: float) -> Heard:
    """Measure one generated sound against the tone it was given.

    `wave` # (N,) float32 mono at RATE_HZ. Raises CurateError for less than LEAST_S of sound, samples that are not
    finite, or a `tone_hz` outside SEARCH_HZ.
    """
    low_hz, high_hz = SEARCH_HZ
    if not low_hz <= tone_hz <= high_hz:
        raise CurateError(f"a tone of {tone_hz} Hz, wanted {low_hz:g} to {high_hz:g}")
    if wave.ndim != 1 or len(wave) < LEAST_S * RATE_HZ:
        raise CurateError(
            f"sound of shape {wave.shape}, wanted at least {LEAST_S:g} s of mono at {RATE_HZ} Hz"
        )
    if bad := int(np.count_nonzero(~np.isfinite(wave))):
        raise CurateError(f"{bad} of {len(wave)} samples are not finite, wanted a sound")
    wave = _at_one_level(wave)
    share, pitch_hz = voice(wave)
    stands_db, leaked = leak(wave, tone_hz)
    return Heard(voiced_share=share, pitch_hz=pitch_hz, leaked=leaked, stands_db=stands_db)


def _at_one_level(wave: Wave) -> Wave:
    """As loud as what the judges were tried on: 20 dB down judge two hears a fifth less, 40 dB down next to nothing."""
    wave = wave.astype(np.float64)
    wave /= max(1.0, float(np.abs(wave).max()))
    found = loudness_lufs(wave, RATE_HZ)
    gain = 1.0 if found == SILENCE_LUFS else 10 ** ((TONE_LUFS - found) / 20)
    return (gain * wave).astype(np.float32)


def voice(wave: Wave) -> tuple[float, float | None]:
    """Share of the frames in which both judges hear one pitch, and its median in Hz, None below LEAST_VOICED."""
    try:
        first, second = judge_one(wave, RATE_HZ), judge_two(wave, RATE_HZ)
    except Rejected:  # nothing that a judge could call a sound
        return 0.0, None
    agreed = agreed_hz(first, second)
    share = round(len(agreed) / max(len(first.hz), 1), 4)
    return share, round(float(np.median(agreed)), 4) if share >= LEAST_VOICED else None


def agreed_hz(first: Track, second: Track) -> Array:
    """The first judge's pitch where the second hears the same."""
    other_hz = _nearest(second, first.times_s)
    both = (first.hz > 0) & (other_hz > 0)
    hz, other_hz = first.hz[both], other_hz[both]
    return np.asarray(hz[np.abs(12 * np.log2(hz / other_hz)) <= AGREED_ST])


def _nearest(track: Track, times_s: Array) -> Array:
    """The frame nearest to each time; judge two's frames are not STEP_S apart, as `Track.at` takes them to be."""
    if len(track.hz) < 2:
        return np.zeros(len(times_s))
    place = np.interp(times_s, track.times_s, np.arange(len(track.hz)))
    return np.asarray(track.hz[np.round(place).astype(int)])


def leak(wave: Wave, tone_hz: float) -> tuple[float | None, bool]:
    """How far the tone stands out in dB, None where nothing is as steady as a tone, and whether it leaked."""
    line_db, gap_db = levels(wave, tone_hz)
    frames, step = round(SPAN_S * RATE_HZ / HOP), round(SPAN_STEP_S * RATE_HZ / HOP)
    starts = range(0, max(1, len(line_db) - frames + 1), step)
    spans = [_stands(line_db[at : at + frames], gap_db[at : at + frames]) for at in starts]
    steady = [stands_db for stands_db, wavers_db in spans if wavers_db <= MOST_WAVERS_DB]
    stands_db = round(max(steady), 2) if steady else None
    return stands_db, stands_db is not None and stands_db >= LEAST_STANDS_DB


def _stands(line_db: Array, gap_db: Array) -> tuple[float, float]:
    """How far partials stand out of a span's quiet frames, the median partial's; how much their level wavers there."""
    deepest, quiet, less_quiet = np.quantile(line_db, [QUIET / 4, QUIET, QUIET * 3 / 2], axis=0)  # each (K,)
    stands_db = np.clip(quiet - np.quantile(gap_db, QUIET, axis=0), -MOST_DB, MOST_DB)
    wavers_db = np.average(less_quiet - deepest, weights=np.maximum(stands_db, 0.1))
    return float(np.median(stands_db)), float(wavers_db)


def levels(wave: Wave, tone_hz: float) -> tuple[Array, Array]:
    """Level in dB of the tone's odd partials by frame, and of the loudest sound between each and its neighbours.  # (T, K)"""
    frames = np.lib.stride_tricks.sliding_window_view(wave.astype(np.float64), WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), BINS)) ** 2  # (T, BINS / 2 + 1)
    hz = np.fft.rfftfreq(BINS, 1 / RATE_HZ)
    lines: list[Array] = []
    gaps: list[Array] = []
    for number in ODD:
        middle_hz = number * tone_hz
        if middle_hz > HIGHEST_HZ and len(lines) >= LEAST_PARTIALS:
            break
        off = np.abs(hz - middle_hz)
        reach_hz = max(2.0, middle_hz * (2 ** (REACH_CENTS / 1200) - 1))
        lines.append(power[:, off <= reach_hz].max(axis=1))
        gaps.append(power[:, (off > tone_hz / 4) & (off < tone_hz * 3 / 4)].max(axis=1))
    return 10 * np.log10(np.array(lines).T + FLOOR), 10 * np.log10(np.array(gaps).T + FLOOR)
