from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.encode.audio import encode_audio, log_mel

HEADS = Path(__file__).parents[2] / "../shared/data/talking-heads"


def noise(samples, seed=0, level=0.1):
    return (level * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def tone(hz, seconds=1.0):
    phase = 2 * np.pi * hz * np.arange(round(16_000 * seconds)) / 16_000
    return (0.3 * sum(np.sin(n * phase) / n for n in (1, 2, 3))).astype(np.float32)


def speech(path):
    resampler = av.AudioResampler("flt", "mono", 16_000)
    with av.open(path) as container:
        pieces = [
            out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)
        ]
    return np.concatenate(pieces)[:32_000]


def librosa_log_mel(wave):
    power = librosa.feature.melspectrogram(
        y=wave,
        sr=16_000,
        n_fft=1024,
        hop_length=160,
        n_mels=64,
        fmin=0,
        fmax=8000,
        power=1,
        pad_mode="reflect",
    )
    return np.log(np.maximum(power, 1e-5)).T


@settings(deadline=None, max_examples=20)
@given(samples=st.integers(1025, 20_000), seed=st.integers(0, 9), level=st.sampled_from([1e-4, 0.01, 0.5]))
def test_log_mel_is_librosas(samples, seed, level):
    wave = noise(samples, seed, level)
    found = log_mel(torch.from_numpy(wave)[None])
    assert found.shape == (1, samples // 160 + 1, 64)
    np.testing.assert_allclose(found[0].numpy(), librosa_log_mel(wave), atol=2e-5)


def test_silence_is_the_floor():
    assert torch.equal(log_mel(torch.zeros(2, 4000)), torch.full((2, 26, 64), 1e-5).log())


@settings(deadline=None, max_examples=25)
@given(samples=st.integers(513, 24_000))
def test_any_length_gives_the_steps_of_its_duration(stack, samples):
    whole = encode_audio(stack, noise(samples), None)
    assert whole.shape == (8, -(-(samples // 160 + 1) // 4), 16)
    steps = round(25 * samples / 16_000)
    assert torch.equal(encode_audio(stack, noise(samples), steps), whole[:, :steps])
    assert (whole.dtype, whole.device.type) == (torch.float32, "cpu") and whole.isfinite().all()
    assert not whole.requires_grad


@pytest.mark.parametrize(("seconds", "whole", "trimmed"), [(1, 26, 25), (2, 51, 50), (121 / 24, 127, 126)])
def test_known_lengths(stack, seconds, whole, trimmed):
    wave = noise(int(16_000 * seconds))
    assert encode_audio(stack, wave, None).shape[1] == whole
    latents = encode_audio(stack, wave, round(25 * seconds))
    assert latents.shape[1] == trimmed and latents.is_contiguous()


def test_mono_is_the_same_in_both_ears(stack):
    wave = noise(8000)
    assert torch.equal(encode_audio(stack, wave, None), encode_audio(stack, np.stack([wave, wave]), None))
    left = np.stack([wave, 0 * wave])
    assert not torch.equal(encode_audio(stack, wave, None), encode_audio(stack, left, None))


@pytest.mark.parametrize(
    ("wave", "steps", "message"),
    [
        (np.zeros(8000), None, r"wave is float64 \(8000,\)"),
        (np.zeros((8000, 2), np.float32), None, r"wave is float32 \(8000, 2\)"),
        (np.zeros((1, 8000), np.float32), None, "wanted float32"),
        (np.zeros(512, np.float32), None, "512 samples, wanted more than 512"),
        (np.zeros(16_000, np.float32), 27, "27 steps wanted of 16000 samples, which give 26"),
    ],
)
def test_other_input_is_refused(stack, wave, steps, message):
    with pytest.raises(ValueError, match=message):
        encode_audio(stack, wave, steps)


def test_latents_are_normalised_as_the_pipelines_do(stack):
    from diffusers import LTX2Pipeline

    wave, vae = noise(16_000), stack.audio_vae
    with stack.inference():
        mel = log_mel(torch.from_numpy(np.stack([wave, wave])).to(stack.device))
        raw = vae.encode(mel[None]).latent_dist.mode()
    packed = LTX2Pipeline._pack_audio_latents(raw)
    normalised = LTX2Pipeline._normalize_audio_latents(packed, vae.latents_mean, vae.latents_std)
    wanted = LTX2Pipeline._unpack_audio_latents(normalised, raw.shape[2], raw.shape[3])[0].cpu()
    assert torch.equal(encode_audio(stack, wave, None), wanted)
    assert (wanted - raw[0].cpu()).abs().mean() > 0.05  # forgetting to normalise would show


def test_threads_do_not_change_the_bits(stack):
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(encode_audio(stack, noise(48_000), None))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def assert_each_is_nearest_to_itself(stack, waves):
    clean = torch.stack([encode_audio(stack, wave, None).flatten() for wave in waves])
    noisy = torch.stack(
        [encode_audio(stack, wave + noise(len(wave), 1, 1e-3), None).flatten() for wave in waves]
    )
    assert torch.cdist(noisy, clean).argmin(dim=1).tolist() == list(range(len(waves)))


def test_tones_are_told_apart_and_from_noise(stack):
    waves = [tone(hz) for hz in (76, 120, 127, 200, 353)] + [noise(16_000), noise(16_000, 1)]
    latents = torch.stack([encode_audio(stack, wave, None) for wave in waves])
    assert 0.5 < latents.std() < 2 and latents.var(dim=0).mean() > 0.25 * latents.var()
    assert_each_is_nearest_to_itself(stack, waves)


@pytest.mark.skipif(not HEADS.is_dir(), reason="no ../shared/data/talking-heads")
def test_real_voices_are_told_apart(stack):
    waves = [speech(path) for path in sorted(HEADS.glob("*.mp4"))]
    assert len(waves) == 6
    assert_each_is_nearest_to_itself(stack, waves)
