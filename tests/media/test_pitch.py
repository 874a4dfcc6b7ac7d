"""Judges and shifts on speech from a synthesizer, and on sounds with a known pitch."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import parselmouth
import pytest
from parselmouth.praat import call

from curate.errors import Rejected
from curate.media import pitch

RATE = 16_000
SENTENCE = "The boat leaves the harbour early in the morning, long before anybody is awake."


@functools.cache
def spoken() -> np.ndarray:
    """Four seconds of a synthetic voice near 110 Hz."""
    voice = call("Create SpeechSynthesizer", "English (Great Britain)", "Male1")
    call(voice, "Speech output settings", RATE, 0.01, 1.0, 1.0, 160, "IPA")
    made = call(voice, "To Sound", SENTENCE, "no")
    wave = (made[0] if isinstance(made, list) else made).values[
        0
    ]  # with a TextGrid beside it in some versions
    return np.asarray(wave[: 4 * RATE], dtype=np.float32)


def pulses(hz: float, seconds: float = 2.0) -> np.ndarray:
    seconds_at = np.arange(int(seconds * RATE)) / RATE
    return (
        sum(np.sin(2 * np.pi * hz * k * seconds_at) / k for k in range(1, int(7000 / hz))).astype(np.float32)
        * 0.2
    )


@pytest.mark.parametrize("hz", [80.0, 143.0, 251.0, 347.0])
def test_both_judges_read_a_known_pitch(hz: float) -> None:
    for judge in (pitch.judge_one, pitch.judge_two):
        assert abs(pitch.cents(judge(pulses(hz), RATE).median_hz, hz)) < 20


@pytest.mark.parametrize(
    "wave", [np.zeros(RATE), np.random.default_rng(0).normal(0, 0.1, RATE), np.zeros(100)]
)
def test_no_voice_is_a_rejection_not_a_crash(wave: np.ndarray) -> None:
    with pytest.raises(Rejected, match="no_voice"):
        _ = pitch.judge_one(wave.astype(np.float32), RATE).median_hz


@pytest.mark.parametrize("shift_st", [-3, 3, 9, 14])
@pytest.mark.parametrize("contour", [0.5, 1.0])
def test_praat_reaches_the_target_by_both_judges_and_keeps_the_length(
    shift_st: float, contour: float
) -> None:
    wave = spoken()
    natural_hz = pitch.judge_one(wave, RATE).median_hz
    target_hz = natural_hz * 2 ** (shift_st / 12)
    shifted = pitch.shift(wave, RATE, natural_hz, target_hz, "praat", contour)
    assert len(shifted) == len(wave)
    for judge in (pitch.judge_one, pitch.judge_two):
        assert abs(pitch.cents(judge(shifted, RATE).median_hz, target_hz)) < 50


def test_half_the_contour_is_half_as_wide() -> None:
    wave = spoken()
    track = pitch.judge_one(wave, RATE)
    flat = pitch.judge_one(pitch.shift(wave, RATE, track.median_hz, track.median_hz, "praat", 0.0), RATE)

    def spread_st(found: pitch.Track) -> float:
        low, high = np.percentile(12 * np.log2(found.hz[found.hz > 0]), [25, 75])
        return float(high - low)

    assert spread_st(flat) < 0.4 < spread_st(track)


@pytest.mark.skipif(not pitch.has_rubberband(), reason="the rubberband program is not installed")
def test_rubberband_twice_shifts_twice() -> None:
    """pyrubberband writes into the arguments it is given: with a shared dict the second shift repeats the first."""
    wave = spoken()
    natural_hz = pitch.judge_one(wave, RATE).median_hz
    for shift_st in (3.0, -4.0):
        shifted = pitch.shift_rubberband(wave, RATE, shift_st)
        assert len(shifted) == len(wave)
        found_hz = pitch.judge_one(shifted, RATE).median_hz
        assert abs(pitch.cents(found_hz, natural_hz * 2 ** (shift_st / 12))) < 60


def formant_2(wave: np.ndarray) -> float:
    burg = parselmouth.Sound(wave.astype(float), RATE).to_formant_burg(maximum_formant=5500)
    track = pitch.judge_one(wave, RATE)
    return float(np.nanmedian([burg.get_value_at_time(2, t) for t in track.times_s[track.hz > 0]]))


def test_praat_keeps_the_formants_and_the_vocoder_does_not() -> None:
    wave = spoken()
    natural_hz = pitch.judge_one(wave, RATE).median_hz
    moved = {e: pitch.shift(wave, RATE, natural_hz, natural_hz * 1.4, e, 1.0) for e in ("praat", "vocoder")}
    ratio = {engine: formant_2(shifted) / formant_2(wave) for engine, shifted in moved.items()}
    assert abs(ratio["praat"] - 1) < 0.08
    assert ratio["vocoder"] > 1.12


def test_gross_errors_count_frames_a_semitone_off() -> None:
    times_s = np.arange(100) * pitch.STEP_S
    source = pitch.Track(times_s, np.full(100, 100.0))
    wanted = pitch.wanted_track(source, 200.0, 1.0)
    found = pitch.Track(times_s, np.where(np.arange(100) < 30, 100.0, 201.0))
    assert pitch.gross_error_share(wanted, source, found) == pytest.approx(0.3)


@contextmanager
def spoken_file() -> Iterator[str]:
    """The synthetic voice as the sound of a small video."""
    from curate.media.video import write_video

    with TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.mp4"
        write_video(path, np.zeros((100, 64, 64, 3), np.uint8), 25, spoken(), RATE)
        yield str(path)
