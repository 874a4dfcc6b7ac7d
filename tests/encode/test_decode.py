"""Decoding: the pipelines' own arithmetic, their shapes, and what is not there to decode with."""

import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.encode.audio import encode_audio
from curate.encode.decode import (
    decode_audio,
    decode_video,
    denormalised_audio,
    denormalised_video,
    raw_audio,
    raw_video,
)
from curate.encode.stack import load
from curate.encode.video import encode_video
from curate.errors import CurateError


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def pictures(frames=17, height=64, width=96, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


@settings(deadline=None, max_examples=8)
@given(k=st.integers(0, 3), rows=st.integers(1, 3), columns=st.integers(1, 3))
def test_frames_come_back_in_the_size_that_was_encoded(stack, k, rows, columns):
    frames = decode_video(stack, noise(128, k + 1, rows, columns))
    assert (frames.shape, frames.dtype) == ((8 * k + 1, 32 * rows, 32 * columns, 3), np.uint8)


@settings(deadline=None, max_examples=4)
@given(steps=st.integers(4, 60))
def test_sound_comes_back_at_16_khz_three_mel_steps_short(stack, steps):
    wave = decode_audio(stack, noise(8, steps, 16))
    assert wave.dtype == np.float32 and wave.ndim == 1
    assert abs(len(wave) - (4 * steps - 3) * 160) <= 1


def test_decoding_is_the_pipelines_own(stack):
    from diffusers import LTX2Pipeline

    pipe, video, audio = LTX2Pipeline.from_pretrained(stack.folder), noise(128, 3, 2, 3), noise(8, 26, 16)
    vae, sound = pipe.vae, pipe.audio_vae
    with stack.inference():
        raw = pipe._denormalize_latents(
            torch.from_numpy(video)[None], vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        )
        pixels = vae.decode(raw, None, return_dict=False)[0]
        wanted = pipe.video_processor.postprocess_video(pixels, output_type="np")[0]
        packed = pipe._pack_audio_latents(torch.from_numpy(audio)[None])
        packed = pipe._denormalize_audio_latents(packed, sound.latents_mean, sound.latents_std)
        unpacked = pipe._unpack_audio_latents(packed, 26, num_mel_bins=16)
        wave = pipe.vocoder(sound.decode(unpacked, return_dict=False)[0])[0].mean(dim=0).numpy()
    assert np.abs(decode_video(stack, video) - wanted * 255).max() <= 0.5 + 1e-3
    np.testing.assert_allclose(denormalised_audio(stack, audio), unpacked[0].numpy(), atol=1e-6)
    power = np.mean(np.square(decode_audio(stack, audio))) / np.mean(np.square(wave))
    assert (
        len(wave) == 3 * (4 * 26 - 3) * 160 and 0.1 < power < 1.05
    )  # 48 kHz, of which 16 kHz keeps the lower third


def test_denormalised_is_what_the_encoder_said(stack):
    frames, wave = pictures(), 0.1 * noise(20_000)
    video = encode_video(stack, frames).float().numpy()
    audio = encode_audio(stack, wave, None).numpy()
    raw, heard = raw_video(stack, frames), raw_audio(stack, wave)
    np.testing.assert_allclose(denormalised_video(stack, video), raw, rtol=2**-8, atol=2**-8)
    np.testing.assert_allclose(denormalised_audio(stack, audio), heard, atol=1e-5)
    assert np.abs(video - raw).mean() > 0.05 and np.abs(audio - heard).mean() > 0.05  # it does something


def test_the_first_frame_alone_says_the_first_latent(stack):
    frames = pictures()
    np.testing.assert_allclose(raw_video(stack, frames[:1]), raw_video(stack, frames)[:, :1], atol=1e-5)


def test_the_same_latents_decode_to_the_same_bytes_with_other_threads(stack):
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append((decode_video(stack, noise(128, 2, 4, 4)), decode_audio(stack, noise(8, 20, 16))))
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("shape", [(128, 2, 2), (64, 2, 2, 2), (1, 128, 2, 2, 2)])
def test_other_video_shapes_are_refused(stack, shape):
    with pytest.raises(ValueError, match=r"wanted \(128, F', H', W'\)"):
        decode_video(stack, noise(*shape))


@pytest.mark.parametrize("shape", [(8, 16), (16, 8, 16)])
def test_other_audio_shapes_are_refused(stack, shape):
    with pytest.raises(ValueError, match=r"wanted \(8, T, 16\)"):
        decode_audio(stack, noise(*shape))


def test_without_a_vocoder_pictures_decode_and_sound_does_not(stack, tmp_path, cache_root):
    shutil.copytree(stack.folder, tmp_path / "mute", ignore=shutil.ignore_patterns("vocoder"))
    mute = load(str(tmp_path / "mute"), cache_root)
    assert decode_video(mute, noise(128, 1, 1, 1)).shape == (1, 32, 32, 3)
    with pytest.raises(CurateError, match="has no vocoder, wanted one to decode sound"):
        decode_audio(mute, noise(8, 10, 16))


def test_parts_that_do_not_fit_are_one_line(stack, tmp_path, cache_root):
    shutil.copytree(stack.folder, tmp_path / "odd")
    config = tmp_path / "odd" / "vocoder" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"output_sampling_rate": 32_000}))
    with pytest.raises(CurateError, match=r"cannot decode audio latents \[8, 10, 16\]: The size of [^\n]+$"):
        decode_audio(load(str(tmp_path / "odd"), cache_root), noise(8, 10, 16))
