"""The reference tone: exact pitch, timbre that does not tell it, loudness as asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from curate.media import tone
from curate.media.pitch import cents
from curate.records import rng


@given(st.floats(76, 353), st.integers(0, 999), st.floats(-3, 3))
@settings(deadline=None, max_examples=12)
def test_pitch_and_loudness_are_what_was_asked(pitch_hz: float, seed: int, gain_db: float) -> None:
    stream = rng(seed, "tone")
    timbre = tone.draw_timbre(stream, pitch_hz)
    wave = tone.render_tone(timbre, pitch_hz, 2.0, gain_db, stream)
    found = tone.describe_tone(wave)
    assert len(wave) == 32_000 and np.isfinite(wave).all() and np.abs(wave).max() < 1
    assert abs(cents(found["tone_hz"], pitch_hz)) < 10
    assert abs(cents(found["tone_judge_two_hz"], pitch_hz)) < 50
    assert found["tone_lufs"] == pytest.approx(tone.TONE_LUFS + gain_db, abs=0.2)


def test_a_semitone_off_does_not_go_unseen() -> None:
    stream = rng(0, "tone")
    wave = tone.render_tone(tone.random_timbre(stream), 200 * 2 ** (1 / 12), 2.0, 0.0, stream)
    assert cents(tone.describe_tone(wave)["tone_hz"], 200) == pytest.approx(100, abs=5)


def test_the_same_stream_gives_the_same_tone() -> None:
    def made() -> np.ndarray:
        stream = rng(3, "sample", "reference")
        return tone.render_tone(tone.draw_timbre(stream, 150), 150, 1.0, 0.0, stream)

    assert made().tobytes() == made().tobytes()


@given(st.floats(76, 353), st.integers(0, 99))
@settings(deadline=None)
def test_partials_share_one_unit_of_power_below_the_top(pitch_hz: float, seed: int) -> None:
    hz, power = tone.partial_powers(tone.random_timbre(rng(seed)), pitch_hz)
    assert power.sum() == pytest.approx(1) and (power > 0).all()
    assert hz[0] == pytest.approx(pitch_hz) and hz[-1] * 1.04 < 8000


def drawn(choose: bool, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Log pitch and proxies of tones with chosen timbres, or with any.  # (N,), (N, 4)"""
    octaves, found = [], []
    for index in range(count):
        stream = rng(7, str(index))
        octave = stream.uniform(*np.log2(tone.PITCH_RANGE_HZ))
        timbre = tone.draw_timbre(stream, 2**octave) if choose else tone.random_timbre(stream)
        octaves.append(octave)
        found.append(tone.proxies(timbre, 2**octave))
    return np.array(octaves), np.array(found)


def told(octaves: np.ndarray, proxies: np.ndarray) -> float:
    """Share of the variance of log pitch that a line through all proxies gives away."""
    columns = np.column_stack([np.ones(len(octaves)), proxies])
    rest = octaves - columns @ np.linalg.lstsq(columns, octaves, rcond=None)[0]
    return float(1 - rest.var() / octaves.var())


def test_choosing_timbres_takes_out_what_scalar_proxies_tell() -> None:
    count = 800
    any_timbre, chosen = told(*drawn(choose=False, count=count)), told(*drawn(choose=True, count=count))
    chance = 4 / count  # expected of 4 columns of noise
    assert any_timbre > 0.04  # without the choice there is something to tell
    assert chosen < chance + 0.02
    octaves, proxies = drawn(choose=True, count=count)
    for column in proxies.T:
        assert stats.pearsonr(octaves, column).pvalue > 0.001


def test_harmonics_do_tell_the_pitch() -> None:
    """The positive control: what resolves harmonics must read the pitch, or the tone would be no reference."""
    import librosa

    octaves, mels = [], []
    for index in range(120):
        stream = rng(11, str(index))
        octave = stream.uniform(np.log2(120), np.log2(353))
        wave = tone.render_tone(tone.draw_timbre(stream, 2**octave), 2**octave, 1.0, 0.0, stream)
        mel = librosa.feature.melspectrogram(
            y=wave, sr=16_000, n_fft=1024, hop_length=160, n_mels=64, power=1
        )
        octaves.append(octave)
        mels.append(np.log(np.maximum(mel, 1e-5)).mean(axis=1))
    level = np.array(mels) - np.mean(mels, axis=1, keepdims=True)
    distance = np.linalg.norm(level[:, None] - level[None], axis=2) + np.eye(120) * 1e9
    nearest = np.array(octaves)[distance.argmin(axis=1)]
    assert stats.pearsonr(octaves, nearest).statistic > 0.5
