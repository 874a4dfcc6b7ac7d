"""The reference tone: a voiced sound with a known pitch and a timbre that is drawn without looking at it.

An additive source-filter tone. Each partial carries the energy that a spectral envelope fixed in absolute Hz has
around it, so that centroid and tilt belong to the envelope and hardly to the pitch; the envelope falls away below
LOW_CUT_HZ, or else the first partial would collect all that lies under it. How much that matters is measured in
benchmarks/tone.py: where partials merely sample the envelope, five scalars explain two thirds of log pitch.
"""

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from curate.media.audio import loudness_lufs, normalise_loudness
from curate.media.pitch import judge_one, judge_two

TONE_RATE_HZ = 16_000  # the LTX audio VAE's own rate: what is measured is what gets encoded
TOP_HZ = 7_600.0
BOTTOM_HZ = 60.0
LOW_CUT_HZ = 250.0
OCTAVES_HZ = (500.0, 1000.0, 2000.0, 4000.0, TOP_HZ)
TONE_LUFS = -26.0
MEL = {"n_fft": 1024, "hop_length": 160, "n_mels": 64, "power": 1}  # as the LTX audio VAE hears

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Timbre:
    """Everything about a tone but its pitch and loudness."""

    tilt_db_per_octave: float
    even_gain: float  # of harmonics 2, 4, …: 1 is a full series, 0 a hollow one
    resonance_hz: tuple[float, float, float]
    resonance_db: tuple[float, float, float]
    resonance_width_hz: tuple[float, float, float]
    vibrato_hz: float
    vibrato_cents: float
    jitter_cents: float
    breath_db: float
    attack_s: float

    def numbers(self) -> dict[str, float]:
        """The parameters by name, `timbre_` before each: what must not depend on the pitch."""
        flat: dict[str, float] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            several = value if isinstance(value, tuple) else (value,)
            names = [f"{part.name}_{i}" for i in range(1, 4)] if isinstance(value, tuple) else [part.name]
            flat |= {f"timbre_{name}": round(float(v), 4) for name, v in zip(names, several, strict=True)}
        return flat


def draw_timbre(rng: np.random.Generator) -> Timbre:
    """One timbre, drawn without looking at any pitch."""
    return Timbre(
        tilt_db_per_octave=rng.uniform(-12, -3),
        even_gain=rng.uniform(0.15, 1),
        resonance_hz=(rng.uniform(300, 900), rng.uniform(950, 2400), rng.uniform(2400, 3600)),
        resonance_db=tuple(rng.uniform(3, 14, 3)),
        resonance_width_hz=tuple(rng.uniform(80, 300, 3)),
        vibrato_hz=rng.uniform(4, 7),
        vibrato_cents=rng.choice([0.0, rng.uniform(5, 40)]),
        jitter_cents=rng.uniform(0, 8),
        breath_db=rng.uniform(-45, -25),
        attack_s=rng.uniform(0.02, 0.12),
    )


_GRID_HZ = np.geomspace(BOTTOM_HZ, TOP_HZ, 1024)


def _envelope_energy(timbre: Timbre) -> Array:
    """Cumulated power of the envelope over `_GRID_HZ`.  # (1024,)"""
    level_db = timbre.tilt_db_per_octave * np.log2(_GRID_HZ / 200)
    for hz, db, width in zip(
        timbre.resonance_hz, timbre.resonance_db, timbre.resonance_width_hz, strict=True
    ):
        level_db = level_db + db / (1 + ((_GRID_HZ - hz) / width) ** 2)
    level_db = level_db - 10 * np.log10(1 + (LOW_CUT_HZ / _GRID_HZ) ** 4)
    power = 10 ** (level_db / 10)
    steps = (power[1:] + power[:-1]) / 2 * np.diff(_GRID_HZ)
    return np.concatenate([[0.0], np.cumsum(steps)])


def partial_powers(timbre: Timbre, pitch_hz: float) -> tuple[Array, Array]:
    """Frequencies in Hz and powers (sum 1) of the partials.  # (K,), (K,)

    A partial gets the envelope's energy between the midpoints to its neighbours; the first one also everything below.
    """
    count = int(TOP_HZ / (pitch_hz * 1.05))  # 1.05: vibrato must not push the last one past TOP_HZ
    number = np.arange(1, count + 1)
    edges_hz = np.concatenate([[BOTTOM_HZ], (number[:-1] + 0.5) * pitch_hz, [TOP_HZ]])
    power = np.diff(np.interp(edges_hz, _GRID_HZ, _envelope_energy(timbre)))
    power[1::2] *= timbre.even_gain**2
    return np.asarray(number * pitch_hz), np.asarray(power / power.sum())


def proxies(hz: Array, power: Array) -> dict[str, float]:
    """Scalar descriptions of a spectrum that a model could read instead of the pitch.

    Centroid (log2 Hz); tilt (dB per octave through four octave bands, which start above any pitch: a line through
    finer bands would see the gap below the first partial, and that is the pitch itself); share above 1 kHz (dB).
    """
    inside = (hz > BOTTOM_HZ) & (hz < TOP_HZ)
    hz, power = hz[inside], power[inside] / power[inside].sum()
    bands_db = [
        10 * np.log10(power[(hz >= low) & (hz < high)].sum() + 1e-9) for low, high in pairwise(OCTAVES_HZ)
    ]
    return {
        "centroid_oct": float(np.log2(np.sum(hz * power))),
        "tilt_db": float(np.polyfit(np.arange(len(bands_db)), bands_db, 1)[0]),
        "high_share_db": float(10 * np.log10(power[hz > 1000].sum() + 1e-9)),
    }


def _cents(timbre: Timbre, rng: np.random.Generator, count: int) -> Array:
    """Vibrato and jitter around the pitch, zero on average.  # (N,)"""
    seconds = np.arange(count) / TONE_RATE_HZ
    phase = 2 * np.pi * (timbre.vibrato_hz * seconds + rng.uniform())
    jitter = lfilter([0.006], [1, -0.994], rng.standard_normal(count))
    cents = timbre.vibrato_cents * np.sin(phase) + timbre.jitter_cents * jitter / jitter.std()
    return np.asarray(cents - cents.mean())


def render_tone(
    timbre: Timbre, pitch_hz: float, seconds: float, gain_db: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """The tone at TONE_RATE_HZ, `gain_db` above TONE_LUFS.  # (N,) float32

    `rng` draws phases, jitter and breath noise.
    """
    count = round(seconds * TONE_RATE_HZ)
    hz, power = partial_powers(timbre, pitch_hz)
    phase = 2 * np.pi * np.cumsum(pitch_hz * 2 ** (_cents(timbre, rng, count) / 1200)) / TONE_RATE_HZ
    start = np.sqrt(2 * power) * np.exp(1j * rng.uniform(0, 2 * np.pi, len(hz)))  # (K,)
    turn = np.exp(1j * phase)
    partial, wave = np.ones(count, dtype=complex), np.zeros(count)
    for amplitude in start:
        partial *= turn  # one multiplication instead of a sine for each partial
        wave += (amplitude * partial).imag
    wave += rng.standard_normal(count) * 10 ** (timbre.breath_db / 20)
    ramp = round(timbre.attack_s * TONE_RATE_HZ)
    fade = 0.5 - 0.5 * np.cos(np.pi * np.arange(ramp) / ramp)
    wave[:ramp] *= fade
    wave[-ramp:] *= fade[::-1]
    return normalise_loudness(wave.astype(np.float32), TONE_RATE_HZ, TONE_LUFS + gain_db)


def mel_levels(wave: NDArray[np.float32]) -> list[float]:
    """Mean log level of each mel band. It resolves harmonics, so whatever reads pitch must find it here.  # (64,)"""
    import librosa

    mel = librosa.feature.melspectrogram(y=wave, sr=TONE_RATE_HZ, **MEL)
    return [round(float(level), 2) for level in np.log(mel.mean(axis=1) + 1e-5)]


def describe_tone(wave: NDArray[np.float32]) -> dict[str, float | list[float]]:
    """What a tone measures as: its pitch by both judges, by-products that must not tell it, mel bands that must."""
    power = np.abs(np.fft.rfft(wave.astype(np.float64))) ** 2
    hz = np.asarray(np.fft.rfftfreq(len(wave), 1 / TONE_RATE_HZ))
    return {
        "tone_hz": round(judge_one(wave, TONE_RATE_HZ).median_hz, 4),
        "tone_judge_two_hz": round(judge_two(wave, TONE_RATE_HZ).median_hz, 4),
        **{f"tone_{name}": round(value, 4) for name, value in proxies(hz, np.asarray(power)).items()},
        "tone_rms_db": round(float(10 * np.log10(np.mean(wave.astype(np.float64) ** 2))), 3),
        "tone_lufs": round(loudness_lufs(wave, TONE_RATE_HZ), 3),
        "tone_mel": mel_levels(wave),
    }
