"""What a source is like, and what a shift did to it."""

import numpy as np
import pytest

from curate.media import pitch, speech
from tests.media.test_pitch import RATE, spoken


def test_a_source_is_described_in_its_units() -> None:
    found = speech.describe(spoken(), RATE)
    assert 80 < found["natural_hz"] < 160
    assert abs(pitch.cents(found["natural_judge_two_hz"], found["natural_hz"])) < 100
    assert found["natural_oct"] == pytest.approx(np.log2(found["natural_hz"]), abs=1e-4)
    assert found["formant_1_hz"] < found["formant_2_hz"] < found["formant_3_hz"] < speech.FORMANT_CEILING_HZ
    assert not found["two_registers"]


def test_loudness_and_brightness_follow_the_sound() -> None:
    plain = speech.describe(spoken(), RATE)
    louder = speech.describe(spoken() * 2, RATE)
    brighter = speech.describe(np.diff(spoken(), prepend=0).astype(np.float32), RATE)
    assert louder["loudness_lufs"] - plain["loudness_lufs"] == pytest.approx(6.02, abs=0.05)
    assert brighter["brightness_oct"] > plain["brightness_oct"] + 0.3


def test_two_voices_in_turn_are_two_registers() -> None:
    wave = spoken()
    natural_hz = pitch.judge_one(wave, RATE).median_hz
    high = pitch.shift(wave, RATE, natural_hz, natural_hz * 2, "praat", 1.0)
    assert not speech.two_registers(pitch.judge_one(wave, RATE))
    assert speech.two_registers(pitch.judge_one(np.concatenate([wave, high]), RATE))


def test_a_shift_is_compared_with_what_was_wanted() -> None:
    wave = spoken()
    track = pitch.judge_one(wave, RATE)
    target_hz = track.median_hz * 1.25
    wanted = pitch.wanted_track(track, target_hz, 0.5)
    good = speech.compare(
        wave, track, pitch.shift(wave, RATE, track.median_hz, target_hz, "praat", 0.5), wanted, RATE
    )
    assert abs(good["off_cents"]) < 50 and abs(good["judge_two_off_cents"]) < 50
    assert good["gross_error_share"] < 0.1 and good["envelope_r"] > 0.9 and good["lag_s"] == 0
    off = speech.compare(wave, track, wave, wanted, RATE)
    assert off["off_cents"] == pytest.approx(-386, abs=5)  # 1200 log2(1/1.25)
    assert off["gross_error_share"] > 0.5


def test_a_retimed_render_is_seen() -> None:
    wave = spoken()
    late = np.concatenate([np.zeros(round(0.08 * RATE), np.float32), wave])[: len(wave)]
    likeness, lag_s = speech.envelope_match(wave, late, RATE)
    assert lag_s == pytest.approx(0.08, abs=0.006) and likeness > 0.95


def test_timbre_distance_grows_with_the_change() -> None:
    wave = spoken()
    natural_hz = pitch.judge_one(wave, RATE).median_hz
    near = pitch.shift(wave, RATE, natural_hz, natural_hz * 1.1, "praat", 1.0)
    far = pitch.shift(wave, RATE, natural_hz, natural_hz * 1.5, "vocoder", 1.0)
    assert speech.timbre_distance_db(wave, wave, RATE) == 0
    assert speech.timbre_distance_db(wave, near, RATE) < speech.timbre_distance_db(wave, far, RATE)


def test_the_same_voice_is_described_twice_by_halves() -> None:
    """Two estimates of the natural pitch that share no frame: what neither of them is, is noise."""
    found = speech.describe(spoken(), RATE)
    second = pitch.judge_two(spoken(), RATE)
    voiced_hz = second.hz[second.hz > 0]
    for key, hz in (("natural_even_oct", voiced_hz[::2]), ("natural_odd_oct", voiced_hz[1::2])):
        assert found[key] == pytest.approx(np.log2(np.median(hz)), abs=1e-4)
        assert found[key] == pytest.approx(found["natural_judge_two_oct"], abs=0.02)
    assert found["natural_even_oct"] != found["natural_odd_oct"]


def test_melody_is_how_far_the_pitch_moves() -> None:
    wave = spoken()
    natural_hz = pitch.judge_one(wave, RATE).median_hz
    flat = pitch.shift(wave, RATE, natural_hz, natural_hz * 1.1, "praat", 0.1)
    moved, still = (speech.describe(w, RATE)["melody_st"] for w in (wave, flat))
    assert 0.5 < moved < 12 and still < moved / 2


def test_a_cepstrum_leaves_the_level_out_and_hears_the_colour() -> None:
    wave = spoken()
    plain = speech.cepstrum(wave, RATE)
    assert plain.shape == (19,)
    assert np.abs(speech.cepstrum(wave * 0.5, RATE) - plain).max() < 0.02
    darker = np.convolve(wave, np.ones(4) / 4, mode="same").astype(np.float32)
    assert speech.cepstrum(darker, RATE)[0] > plain[0] + 0.2  # the first one is the tilt
    voice = speech.describe(wave, RATE)["voice"]
    assert voice == [round(float(c), 3) for c in plain[:12]]


def resampled(wave: np.ndarray, faster: float) -> np.ndarray:
    """The wave played that much faster."""
    return np.interp(np.arange(0, len(wave) - 1, faster), np.arange(len(wave)), wave).astype(np.float32)


@pytest.mark.parametrize("percent", [1, 2, 4])
def test_retiming_is_seen_as_drift_in_proportion(percent: float) -> None:
    wave = spoken()
    third_s = len(wave) / 3 / RATE
    for sign in (-1, 1):
        rate = 1 + sign * percent / 100
        played = resampled(wave, rate)
        late_s = 2 * third_s * (1 / rate - 1)  # of the last third's middle against the first's
        whole = np.concatenate([played, np.zeros(len(wave), np.float32)])[: len(wave)]
        assert speech.drift_s(wave, whole, RATE) == pytest.approx(late_s, abs=0.011)


def test_what_was_not_retimed_does_not_drift() -> None:
    wave = spoken()
    assert speech.drift_s(wave, wave, RATE) == 0
    assert speech.drift_s(wave, wave * 0.3, RATE) == 0
    late = np.concatenate([np.zeros(round(0.04 * RATE), np.float32), wave])[: len(wave)]
    assert speech.drift_s(wave, late, RATE) == pytest.approx(0, abs=1e-9)  # late, but the same all along
    natural_hz = pitch.judge_one(wave, RATE).median_hz
    for engine in ("praat", "vocoder"):
        shifted = pitch.shift(wave, RATE, natural_hz, natural_hz * 1.3, engine, 1.0)
        assert abs(speech.drift_s(wave, shifted, RATE)) <= 0.01


def test_a_comparison_has_every_number_that_a_ledger_keeps() -> None:
    wave = spoken()
    track = pitch.judge_one(wave, RATE)
    found = speech.compare(wave, track, wave, track.hz, RATE)
    assert found["off_cents"] == found["off_hz"] == found["timbre_distance_db"] == found["drift_s"] == 0
    assert found["envelope_r"] == found["voiced_ratio"] == 1
    described = speech.describe(wave, RATE)
    assert found["pitch_hz"] == pytest.approx(described["natural_hz"], abs=0.001)
    assert found["pitch_oct"] == described["natural_oct"]
    for name in ("brightness_oct", "formant_1_hz", "formant_2_hz", "formant_3_hz"):
        assert found[f"shifted_{name}"] == described[name]
