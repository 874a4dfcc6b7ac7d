"""What a stretch of speech is like besides its pitch: the source attributes that a set must not lean on."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from curate.media.audio import loudness_lufs
from curate.media.pitch import (
    STEP_S,
    Track,
    Wave,
    cents,
    gross_error_share,
    judge_one,
    judge_two,
    octaves,
)

FORMANT_CEILING_HZ = 5500.0  # one for all voices: a ceiling chosen by pitch would make formants follow pitch
ENVELOPE_STEP_S = 0.005

Array = NDArray[np.float64]


def describe(wave: Wave, rate_hz: int) -> dict[str, float | bool | list[float]]:
    """Source attributes of a wave: natural pitch by both judges, loudness, brightness, formants, melody, voice.

    `brightness_oct` is log2 of the spectral centroid in Hz, formants are Burg medians, both over voiced frames.
    `melody_st` is the interquartile range of the pitch. `natural_even_oct` and `natural_odd_oct` come from every
    other voiced frame of judge two. `voice` is the long-term mel cepstrum, a rough embedding.  # (12,)
    Raises Rejected("no_voice") where a judge hears no voice.
    """
    track, second = judge_one(wave, rate_hz), judge_two(wave, rate_hz)
    natural_hz = track.median_hz
    voiced_s = track.times_s[track.hz > 0]
    formants = _formants(wave, rate_hz, voiced_s)
    second_hz = second.hz[second.hz > 0]
    low_st, high_st = np.percentile(12 * np.log2(track.hz[track.hz > 0]), [25, 75])
    return {
        "natural_hz": round(natural_hz, 3),
        "natural_oct": octaves(natural_hz),
        "natural_judge_two_hz": round(second.median_hz, 3),
        "natural_judge_two_oct": octaves(second.median_hz),
        "natural_even_oct": octaves(float(np.median(second_hz[::2]))),
        "natural_odd_oct": octaves(float(np.median(second_hz[1::2]))),
        "melody_st": round(float(high_st - low_st), 3),
        "voiced_share": round(track.voiced_share, 4),
        "two_registers": two_registers(track),
        "loudness_lufs": round(loudness_lufs(wave, rate_hz), 3),
        "brightness_oct": round(_brightness(wave, rate_hz, voiced_s), 4),
        **{f"formant_{n}_hz": round(hz, 1) for n, hz in enumerate(formants, start=1)},
        "voice": [round(float(c), 3) for c in cepstrum(wave, rate_hz)[:12]],
    }


def _brightness(wave: Wave, rate_hz: int, times_s: Array) -> float:
    import librosa

    hop = round(rate_hz * STEP_S)
    centroid_hz = librosa.feature.spectral_centroid(y=wave, sr=rate_hz, n_fft=1024, hop_length=hop)[0]
    frame = np.clip(np.round(times_s / STEP_S).astype(int), 0, len(centroid_hz) - 1)
    return float(np.median(np.log2(np.maximum(centroid_hz[frame], 1.0))))


def _formants(wave: Wave, rate_hz: int, times_s: Array) -> list[float]:
    import parselmouth

    sound = parselmouth.Sound(wave.astype(np.float64), rate_hz)
    burg = sound.to_formant_burg(time_step=STEP_S, maximum_formant=FORMANT_CEILING_HZ)
    tracks = np.array([[burg.get_value_at_time(n, t) for n in (1, 2, 3)] for t in times_s])  # (T, 3)
    return [float(np.nanmedian(column)) if np.isfinite(column).any() else 0.0 for column in tracks.T]


def two_registers(track: Track, apart_st: float = 7.0, least_share: float = 0.2) -> bool:
    """Whether the voiced frames fall into two clumps at least `apart_st` apart with little between them.

    Otsu's split of log pitch (1979). Two speakers taking turns look like this, and so does a tracker that keeps
    jumping an octave; neither has one natural pitch.
    """
    pitch_st = np.sort(12 * np.log2(track.hz[track.hz > 0]))
    count = len(pitch_st)
    if count < 20:
        return False
    cuts = np.arange(1, count)
    sums = np.cumsum(pitch_st)
    low = sums[:-1] / cuts
    high = (sums[-1] - sums[:-1]) / (count - cuts)
    between = cuts * (count - cuts) * (high - low) ** 2 / count**2
    best = int(np.argmax(between))
    share = min(cuts[best], count - cuts[best]) / count
    return bool(
        high[best] - low[best] >= apart_st
        and share >= least_share
        and between[best] >= 0.8 * np.var(pitch_st)
    )


def envelope(wave: Wave, rate_hz: int) -> Array:
    """Root mean square level in steps of 5 ms.  # (N / (rate_hz * 0.005),)"""
    step = round(rate_hz * ENVELOPE_STEP_S)
    whole = len(wave) // step * step
    blocks = wave[:whole].astype(np.float64).reshape(-1, step)
    smooth = np.convolve(np.sqrt(np.mean(blocks**2, axis=1)), np.ones(4) / 4, mode="same")
    return np.asarray(smooth)


def envelope_match(a: Wave, b: Wave, rate_hz: int, reach_s: float = 0.2) -> tuple[float, float]:
    """Correlation of the two level envelopes at their best lag, and that lag of `b` behind `a` in seconds."""
    left, right = envelope(a, rate_hz), envelope(b, rate_hz)
    reach = round(reach_s / ENVELOPE_STEP_S)
    best, best_lag = -1.0, 0
    for lag in range(-reach, reach + 1):
        x = left[max(0, -lag) : len(left) - max(0, lag)]
        y = right[max(0, lag) : len(right) - max(0, -lag)]
        if x.std() > 0 and y.std() > 0 and (r := float(np.corrcoef(x, y)[0, 1])) > best:
            best, best_lag = r, lag
    return best, best_lag * ENVELOPE_STEP_S


def drift_s(a: Wave, b: Wave, rate_hz: int) -> float:
    """How much later `b` runs against `a` in its last third than in its first: 0 unless it was re-timed."""
    third = len(a) // 3
    _, first_s = envelope_match(a[:third], b[:third], rate_hz)
    _, last_s = envelope_match(a[-third:], b[-third:], rate_hz)
    return last_s - first_s


def cepstrum(wave: Wave, rate_hz: int) -> Array:
    """Mel cepstrum of the long-term average over the louder half of the frames, level left out.  # (19,)"""
    import librosa

    mel = librosa.feature.melspectrogram(y=wave, sr=rate_hz, n_fft=512, hop_length=160, n_mels=40, power=1)
    loud = mel.sum(axis=0) > np.median(mel.sum(axis=0))
    mean = np.log(np.maximum(mel[:, loud], 1e-6)).mean(axis=1)  # (40,)
    return np.asarray(dct(mean, norm="ortho")[1:20] / np.sqrt(40))


def timbre_distance_db(a: Wave, b: Wave, rate_hz: int) -> float:
    """Mel-cepstral distance (Kubichek 1993) between the long-term averages of two waves; 0 is the same timbre.

    A rough likeness of the speaker, not a trained speaker model; level does not count.
    """
    apart = cepstrum(a, rate_hz) - cepstrum(b, rate_hz)
    return float(10 / np.log(10) * np.sqrt(2 * np.sum(apart**2)))


def compare(
    source: Wave, source_track: Track, shifted: Wave, wanted_hz: Array, rate_hz: int
) -> dict[str, float]:
    """What a shift did: pitch by both judges, errors against `wanted_hz` (by frame of `source_track`), side effects.

    Raises Rejected("no_voice") where a judge hears no voice any more.
    """
    target_hz = float(np.median(wanted_hz[wanted_hz > 0]))
    track, second = judge_one(shifted, rate_hz), judge_two(shifted, rate_hz)
    likeness, lag_s = envelope_match(source, shifted, rate_hz)
    voiced_s = track.times_s[track.hz > 0]
    formants = _formants(shifted, rate_hz, voiced_s)
    return {
        "pitch_hz": round(track.median_hz, 4),
        "pitch_oct": octaves(track.median_hz),
        "pitch_judge_two_hz": round(second.median_hz, 4),
        "off_cents": round(cents(track.median_hz, target_hz), 1),
        "off_hz": round(track.median_hz - target_hz, 3),  # the seed's rule was 30 Hz; recorded, not used
        "judge_two_off_cents": round(cents(second.median_hz, target_hz), 1),
        "gross_error_share": round(gross_error_share(wanted_hz, source_track, track), 4),
        "voiced_ratio": round(track.voiced_share / max(source_track.voiced_share, 1e-6), 4),
        "envelope_r": round(likeness, 4),
        "lag_s": round(lag_s, 3),
        "drift_s": round(drift_s(source, shifted, rate_hz), 3),
        "shifted_lufs": round(loudness_lufs(shifted, rate_hz), 3),
        "timbre_distance_db": round(timbre_distance_db(source, shifted, rate_hz), 3),
        "shifted_brightness_oct": round(_brightness(shifted, rate_hz, voiced_s), 4),
        **{f"shifted_formant_{n}_hz": round(hz, 1) for n, hz in enumerate(formants, start=1)},
    }
