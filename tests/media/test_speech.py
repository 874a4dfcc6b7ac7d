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
