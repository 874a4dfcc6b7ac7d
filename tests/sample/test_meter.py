"""The meter on made sound with known answers: it follows, it does not, it is the tone itself, it whispers."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import istft, stft

from curate.errors import CurateError
from curate.media import pitch
from curate.media.audio import loudness_lufs, read_audio
from curate.media.tone import TONE_LUFS, draw_timbre, render_tone
from curate.records import rng
from curate.sample.meter import Heard, agreed_hz, listen, voice
from tests.conftest import REAL_CLIPS
from tests.media.test_pitch import RATE, spoken

Wave = np.ndarray
VOICES = ["synthetic", *sorted(path.name for path in REAL_CLIPS.glob("*.mp4"))[1:4]]  # two women, a man
TONES_HZ = (95.0, 290.0)


@functools.cache
def speech(name: str) -> Wave:
    """Four seconds of a voice, as loud as a tone."""
    wave = spoken() if name == "synthetic" else read_audio(REAL_CLIPS / name, 0.0, 4.0, RATE)
    return (wave * 10 ** ((TONE_LUFS - loudness_lufs(wave, RATE)) / 20)).astype(np.float32)


@functools.cache
def natural_hz(name: str) -> float:
    return pitch.judge_one(speech(name), RATE).median_hz


def moved(name: str, hz: float, contour: float = 0.5) -> Wave:
    """The speech at another pitch, as helium makes its targets."""
    return pitch.shift(speech(name), RATE, natural_hz(name), hz, "praat", contour)


def tone(hz: float, key: str = "", seconds: float = 4.0) -> Wave:
    stream = rng(0, "leak", key)
    return render_tone(draw_timbre(stream), hz, seconds, 0.0, stream)


def whispered(wave: Wave) -> Wave:
    """The same words without a voice: noise through the spectral envelope of every frame."""
    _, _, spectrum = stft(wave, RATE, nperseg=512)
    cepstrum = np.fft.irfft(np.log(np.abs(spectrum) + 1e-8), axis=0)
    cepstrum[25:-25] = 0
    _, _, noise = stft(rng(0, "whisper").standard_normal(len(wave)), RATE, nperseg=512)
    _, made = istft(np.exp(np.fft.rfft(cepstrum, axis=0).real) * noise, RATE, nperseg=512)
    made = made[: len(wave)]
    return (made * np.sqrt(np.mean(wave**2) / np.mean(made**2))).astype(np.float32)


@pytest.mark.parametrize("name", VOICES)
def test_speech_that_follows_the_tone_is_no_leak(name: str) -> None:
    """The hardest case first: no melody at all, every voiced frame at the tone's own pitch."""
    for shift_st, contour in ((-6, 0.0), (3, 0.0), (6, 0.5)):
        hz = natural_hz(name) * 2 ** (shift_st / 12)
        heard = listen(moved(name, hz, contour), hz)
        assert heard.voiced and not heard.leaked
        assert abs(pitch.cents(heard.pitch_hz or 1.0, hz)) < 60


@pytest.mark.parametrize("name", VOICES)
def test_speech_that_ignores_the_tone_is_heard_at_its_own_pitch(name: str) -> None:
    for hz in (*TONES_HZ, natural_hz(name)):
        heard = listen(speech(name), hz)
        assert heard.voiced and not heard.leaked
        assert abs(pitch.cents(heard.pitch_hz or 1.0, natural_hz(name))) < 60


@given(hz=st.floats(76, 353), key=st.text(max_size=4))
@settings(deadline=None, max_examples=10)
def test_a_tone_alone_is_a_leak_and_would_pass_for_a_voice(hz: float, key: str) -> None:
    heard = listen(tone(hz, key), hz)
    assert heard.leaked and heard.voiced
    assert abs(pitch.cents(heard.pitch_hz or 1.0, hz)) < 20


@pytest.mark.parametrize("name", VOICES)
def test_a_tone_under_speech_is_a_leak(name: str) -> None:
    for hz in TONES_HZ:
        under = tone(hz, name) / 4  # 12 dB down
        assert listen(speech(name) + under, hz).leaked
        assert listen(moved(name, hz) + under, hz).leaked


@pytest.mark.parametrize("name", VOICES)
def test_a_tone_of_two_seconds_is_a_leak(name: str) -> None:
    wave = speech(name).copy()
    wave[RATE : 3 * RATE] += tone(210.0, name, seconds=2.0) / 2
    assert listen(wave, 210.0).leaked


@given(
    hz=st.floats(100, 300),
    apart_st=st.sampled_from([-12, -7, -5, -3, -2, 2, 3, 5, 7, 12]),
    key=st.text(max_size=4),
)
@settings(deadline=None, max_examples=12)
def test_another_tone_is_not_this_one(hz: float, apart_st: int, key: str) -> None:
    asked_hz = hz * 2 ** (apart_st / 12)
    heard = listen(tone(hz, key, seconds=2.5), asked_hz)
    assert not heard.leaked
    assert abs(pitch.cents(heard.pitch_hz or 1.0, hz)) < 20


@pytest.mark.parametrize("name", VOICES)
def test_a_whisper_is_unvoiced_whatever_the_tone(name: str) -> None:
    made = whispered(speech(name))
    assert voice(speech(name))[0] > 0.25 and voice(made)[0] < 0.02
    heard = listen(made, 140.0)
    assert not heard.voiced and heard.pitch_hz is None and not heard.leaked
    assert listen(made + tone(140.0) / 4, 140.0).leaked


@pytest.mark.parametrize(
    "wave",
    [
        np.zeros(3 * RATE),
        np.full(3 * RATE, 0.5),
        np.r_[np.zeros(RATE), 1.0, np.zeros(RATE)],
        rng(0, "noise").normal(0, 0.1, 3 * RATE),
        rng(0, "noise").normal(0, 1e30, RATE),
        np.full(RATE // 2, 1e-30),
    ],
    ids=["silence", "offset", "click", "noise", "huge", "tiny"],
)
@pytest.mark.parametrize("hz", [50.0, 700.0])
def test_what_is_neither_voice_nor_tone_is_neither(wave: Wave, hz: float) -> None:
    heard = listen(wave.astype(np.float32), hz)
    assert heard == Heard(voiced_share=0.0, pitch_hz=None, leaked=False, stands_db=heard.stands_db)


def test_only_frames_that_both_judges_hear_alike_count() -> None:
    """Judge two's frames are 16 ms apart, judge one's 10 ms: they are matched by their times."""
    first_s, second_s = np.arange(200) * 0.01, np.arange(125) * 0.016
    first = pitch.Track(first_s, np.where(first_s < 1.5, 100.0, 0.0))
    second_hz = np.select([second_s < 0.5, second_s < 1.0], [0.0, 104.0], 200.0)  # then an octave up
    assert len(agreed_hz(first, pitch.Track(second_s, second_hz))) == pytest.approx(50, abs=2)
    assert len(agreed_hz(first, pitch.Track(second_s[:1], second_hz[:1]))) == 0


def test_clipping_and_level_change_no_name() -> None:
    hz = natural_hz("synthetic") * 1.3
    for wave, leaked in ((moved("synthetic", hz), False), (moved("synthetic", hz) + tone(hz) / 4, True)):
        for changed in (np.clip(wave * 10, -1, 1), wave * 0.03, wave * 300):
            heard = listen(changed.astype(np.float32), hz)
            assert heard.leaked == leaked and heard.voiced
            assert abs(pitch.cents(heard.pitch_hz or 1.0, hz)) < 60


@pytest.mark.parametrize(
    ("wave", "hz", "says"),
    [
        (np.r_[np.zeros(RATE), np.nan, np.inf], 140.0, "2 of 16002 samples are not finite"),
        (np.zeros(100), 140.0, r"sound of shape \(100,\), wanted at least 0.5 s"),
        (np.zeros((2, RATE)), 140.0, "wanted at least 0.5 s of mono at 16000 Hz"),
        (np.zeros(RATE), 0.0, "a tone of 0.0 Hz, wanted 50 to 700"),
        (np.zeros(RATE), float("nan"), "a tone of nan Hz"),
    ],
)
def test_what_is_no_sound_is_refused_by_name(wave: Wave, hz: float, says: str) -> None:
    with pytest.raises(CurateError, match=says):
        listen(wave.astype(np.float32), hz)
