"""What decoded media measure as: real speech and pictures undamaged pass, and damaged by dose they fail."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import decoded
from curate.decoded import Decoded
from curate.media import pitch
from curate.media.audio import read_audio
from curate.media.video import read_frames
from curate.proof.finding import Finding
from tests.conftest import REAL_CLIPS
from tests.media.test_pitch import RATE, pulses, spoken

Wave = np.ndarray
VOICES = ["synthetic", *sorted(path.name for path in REAL_CLIPS.glob("*.mp4"))]


@functools.cache
def voice(name: str) -> Wave:
    return spoken() if name == "synthetic" else read_audio(REAL_CLIPS / name, 0.0, 4.0, RATE)


@functools.cache
def recorded_hz(name: str) -> float:
    return pitch.judge_one(voice(name), RATE).median_hz


@functools.cache
def pictures(name: str) -> np.ndarray:
    if name == "synthetic":
        across = np.linspace(0, 6, 96)
        wave = np.sin(across[None, :, None] + across[:, None, None] + np.arange(9)[:, None, None, None] / 3)
        return (127 + 100 * np.tile(wave, (1, 1, 1, 3))).astype(np.uint8)
    return read_frames(REAL_CLIPS / name, start_s=0.0, frames=9, fps=25.0, width=96, height=96)


def shifted(name: str, shift_cents: float) -> Wave:
    target_hz = recorded_hz(name) * 2 ** (shift_cents / 1200)
    return pitch.shift_praat(voice(name), RATE, recorded_hz(name), target_hz, 1.0)


def late(wave: Wave, seconds: float) -> Wave:
    return np.concatenate([np.zeros(round(seconds * RATE), np.float32), wave])[: len(wave)]


def noisy(frames: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, frames.shape)
    return np.clip(np.round(frames + noise), 0, 255).astype(np.uint8)


def judged(name: str, value: float | None) -> Finding:
    """The finding `name` of one sample with this value, through the same door as in a build."""
    columns = ("decoded_pitch", "decoded_offset", "decoded_psnr", "decoded_timbre")
    held = [{"x": value} if name == column else {} for column in columns]
    return next(f for f in decoded.findings([Decoded((), *held)], trained=True) if f.name == name)


@pytest.mark.parametrize("name", VOICES)
def test_undamaged_media_pass(name: str) -> None:
    wave = voice(name)
    pitch_off = decoded.pitch_off_cents(wave, recorded_hz(name))
    lag = decoded.lag_frames(wave, wave[:-480], 25.0)  # the decoder leaves three mel steps out
    assert (pitch_off, lag) == (0.0, 0.0)
    assert decoded.timbre_db(wave, wave) == 0.0
    assert decoded.psnr_db(pictures(name), pictures(name)) == decoded.SAME_PSNR_DB
    assert judged("decoded_pitch", pitch_off).verdict == judged("decoded_offset", lag).verdict == "pass"
    assert judged("decoded_psnr", decoded.SAME_PSNR_DB).verdict == "pass"


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(
    ("dose_cents", "verdict"), [(15, "pass"), (-15, "pass"), (120, "fail"), (-120, "fail"), (700, "fail")]
)
def test_shifted_pitch_fails_by_dose(name: str, dose_cents: float, verdict: str) -> None:
    off = decoded.pitch_off_cents(shifted(name, dose_cents), recorded_hz(name))
    assert off == pytest.approx(dose_cents, abs=30)
    assert judged("decoded_pitch", off).verdict == verdict


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(
    ("dose_s", "verdict"), [(0.01, "pass"), (0.02, "pass"), (0.04, "fail"), (0.1, "fail")]
)
def test_late_sound_fails_by_dose(name: str, dose_s: float, verdict: str) -> None:
    lag = decoded.lag_frames(voice(name), late(voice(name), dose_s), 25.0)
    assert lag == pytest.approx(dose_s * 25, abs=0.13)  # the envelope has steps of 5 ms
    assert judged("decoded_offset", lag).verdict == verdict
    early = decoded.lag_frames(late(voice(name), dose_s), voice(name), 25.0)
    assert early == pytest.approx(-dose_s * 25, abs=0.13)
    assert judged("decoded_offset", early).verdict == verdict


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(("dose", "verdict"), [(3.0, "pass"), (8.0, "pass"), (25.0, "fail"), (60.0, "fail")])
def test_noise_on_frames_fails_by_dose(name: str, dose: float, verdict: str) -> None:
    found = decoded.psnr_db(pictures(name), noisy(pictures(name), dose))
    assert found == pytest.approx(20 * np.log10(255 / dose), abs=2.5)  # clipping takes some of the noise away
    assert judged("decoded_psnr", found).verdict == verdict


@settings(max_examples=25, deadline=None)
@given(apart=st.integers(1, 127))
def test_psnr_of_a_constant_error_is_the_formula(apart: int) -> None:
    frames = np.full((2, 8, 8, 3), 128, np.uint8)
    assert decoded.psnr_db(frames, frames - np.uint8(apart)) == pytest.approx(20 * np.log10(255 / apart))


def test_a_tone_keeps_its_pitch_too() -> None:
    off = decoded.pitch_off_cents(pulses(200.0), 190.0)
    assert (
        off == pytest.approx(pitch.cents(200, 190), abs=10) and judged("decoded_pitch", off).verdict == "fail"
    )


HISS = (0.1 * np.random.default_rng(0).standard_normal(4 * RATE)).astype(np.float32)


@pytest.mark.parametrize("wave", [np.zeros(4 * RATE, np.float32), HISS], ids=["silence", "hiss"])
def test_what_cannot_be_measured_fails(wave: Wave) -> None:
    off, lag = decoded.pitch_off_cents(wave, 110.0), decoded.lag_frames(spoken(), wave, 25.0)
    assert off is None and lag is None
    for name in ("decoded_pitch", "decoded_offset"):
        found = judged(name, None)
        assert (found.verdict, found.says) == ("fail", "nothing to measure it by in x")
        assert found.measured == {"unmeasured": 1}


def test_timbre_is_reported_and_never_a_gate() -> None:
    duller = np.convolve(spoken(), np.ones(8) / 8, mode="same").astype(np.float32)
    apart = decoded.timbre_db(spoken(), duller)
    assert apart is not None and apart > 1
    found = judged("decoded_timbre", apart)
    assert found.verdict == "not_applicable" and found.measured["largest"] == round(apart, 4)
    silence = decoded.timbre_db(spoken(), np.zeros(RATE, np.float32))
    assert silence is None and judged("decoded_timbre", None).measured == {}


def test_untrained_weights_give_no_number() -> None:
    measured = Decoded((), {"x": 900.0}, {"x": 3.0}, {"x": 4.0}, {"x": 40.0})
    for found in decoded.findings([measured], trained=False):
        assert (found.verdict, found.says) == ("not_applicable", decoded.UNTRAINED_SAYS)
        assert not (found.measured or found.bound or found.null) and found.pairs == 1


def test_what_a_set_does_not_have_is_not_applicable() -> None:
    findings = decoded.findings([Decoded((), {}, {}, {}, {})], trained=True)
    assert [f.name for f in findings] == list(decoded.NAMES)
    assert {f.verdict for f in findings} == {"not_applicable"}
    assert [f.says for f in findings] == list(decoded.ABSENT_SAYS.values())


def test_the_worst_sample_decides_and_is_named() -> None:
    held = [Decoded((), {f"clip-{n} audio": cents}, {}, {}, {}) for n, cents in enumerate((3.0, -80.0, 20.0))]
    found = decoded.findings(held, trained=True)[0]
    assert found.verdict == "fail" and "80 cents" in found.says and "clip-1 audio" in found.says
    assert (found.measured, found.bound, found.pairs) == ({"largest": 80.0}, {"largest": 50.0}, 3)


@given(value=st.floats(-200, 200), least=st.booleans())
def test_a_verdict_follows_from_the_numbers_beside_it(value: float, least: bool) -> None:
    found = decoded.bounded("x", {"one": value, "two": 2 * value}, 50.0, "cents", 2, least=least)
    assert (found.verdict == "pass") == decoded.holds(found)
    assert (
        (found.verdict == "pass") == (min(value, 2 * value) >= 50 if least else abs(2 * value) <= 50)
        or abs(abs(value) - 50) < 1e-5
        or abs(abs(2 * value) - 50) < 1e-5
    )
    assert not decoded.holds(decoded.bounded("x", {"one": None}, 50.0, "cents", 1, least=least))
