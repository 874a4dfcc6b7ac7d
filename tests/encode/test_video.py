from pathlib import Path

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.encode.video import encode_still, encode_video

HEADS = Path(__file__).parents[2] / "../shared/data/talking-heads"


def moving_stripes(seed, frames=17, size=64):
    """A coloured grating that drifts; every seed is another video."""
    draw = np.random.default_rng(seed)
    wave, drift, tint = draw.uniform(-0.4, 0.4, 2), draw.uniform(-0.5, 0.5), draw.uniform(-1, 1, (3, 2))
    f, y, x = np.mgrid[:frames, :size, :size]
    phase = wave[0] * y + wave[1] * x + drift * f
    colours = [128 + 100 * (a * np.sin(phase) + b) / 2 for a, b in tint]
    return np.clip(np.stack(colours, axis=-1), 0, 255).astype(np.uint8)


def real_video(path, frames=25, size=128):
    with av.open(path) as container:
        pictures = (picture.to_ndarray(format="rgb24") for picture in container.decode(video=0))
        return np.stack([next(pictures)[20 : 20 + size, 100 : 100 + size] for _ in range(frames)])


def with_noise(frames, deviation=3):
    noise = np.random.default_rng(0).normal(0, deviation, frames.shape).round()
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def assert_each_is_nearest_to_itself(stack, videos):
    clean = torch.stack([encode_video(stack, video).float().flatten() for video in videos])
    noisy = torch.stack([encode_video(stack, with_noise(video)).float().flatten() for video in videos])
    distances = torch.cdist(noisy, clean)
    assert distances.argmin(dim=1).tolist() == list(range(len(videos)))


@settings(deadline=None, max_examples=12)
@given(k=st.integers(0, 3), rows=st.integers(1, 3), columns=st.integers(1, 3))
def test_latents_have_the_true_shape(stack, k, rows, columns):
    latents = encode_video(stack, np.zeros((8 * k + 1, 32 * rows, 32 * columns, 3), np.uint8))
    assert latents.shape == (128, k + 1, rows, columns)
    assert (latents.dtype, latents.device.type) == (torch.bfloat16, "cpu") and latents.isfinite().all()
    assert latents.is_contiguous() and not latents.requires_grad


@pytest.mark.parametrize(
    "shape",
    [
        (24, 64, 64, 3),
        (0, 64, 64, 3),
        (9, 100, 64, 3),
        (9, 64, 33, 3),
        (9, 0, 64, 3),
        (9, 64, 64),
        (9, 64, 64, 4),
    ],
)
def test_other_shapes_are_refused(stack, shape):
    with pytest.raises(ValueError, match="wanted"):
        encode_video(stack, np.zeros(shape, np.uint8))


def test_other_types_are_refused(stack):
    with pytest.raises(ValueError, match="frames are float32"):
        encode_video(stack, np.zeros((9, 64, 64, 3), np.float32))


def test_latents_are_normalised_as_the_pipelines_do(stack):
    from diffusers import LTX2Pipeline

    frames, vae = moving_stripes(0), stack.vae
    with stack.inference():
        pixels = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].to(stack.device, vae.dtype) / 127.5 - 1
        raw = vae.encode(pixels).latent_dist.mode()
    wanted = LTX2Pipeline._normalize_latents(
        raw.float(), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
    )
    latents = encode_video(stack, frames)
    assert torch.equal(latents, wanted[0].to(torch.bfloat16).cpu())
    assert (latents - raw[0].cpu()).abs().mean() > 0.05  # forgetting to normalise would show


def test_flipped_and_read_only_frames_are_fine(stack):
    frames = moving_stripes(3)
    flipped = np.ascontiguousarray(frames[..., ::-1])[..., ::-1]
    flipped.flags.writeable = False
    assert torch.equal(encode_video(stack, flipped), encode_video(stack, frames))


def test_the_first_latent_sees_only_the_first_frame(stack):
    frames = moving_stripes(1)
    latents = encode_video(stack, frames)
    assert torch.equal(latents[:, :1], encode_video(stack, frames[:1]))
    assert not torch.equal(latents[:, 1], latents[:, 2])


def test_threads_do_not_change_the_bits(stack):
    frames, before = moving_stripes(2, frames=25, size=128), torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(encode_video(stack, frames))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_videos_are_told_apart(stack):
    videos = [moving_stripes(seed) for seed in range(8)]
    latents = torch.stack([encode_video(stack, video).float() for video in videos])
    assert 0.5 < latents.std() < 2 and latents.mean().abs() < 0.5
    assert latents.var(dim=0).mean() > 0.25 * latents.var()  # of all variance, what the content makes
    assert_each_is_nearest_to_itself(stack, videos)


@pytest.mark.skipif(not HEADS.is_dir(), reason="no ../shared/data/talking-heads")
def test_real_videos_are_told_apart(stack):
    videos = [real_video(path) for path in sorted(HEADS.glob("*.mp4"))]
    assert len(videos) == 6
    assert_each_is_nearest_to_itself(stack, videos)


def test_a_video_that_stands_still_is_one_frame_repeated(stack):
    picture = moving_stripes(3, frames=1)[0]
    loop = encode_video(stack, np.broadcast_to(picture, (33, *picture.shape)))
    still = encode_still(stack, picture, 33)
    assert (
        still.shape == loop.shape and (still.float() - loop.float()).abs().max() <= 2**-7 * loop.abs().max()
    )
    drifting = np.stack([np.roll(picture, frame, axis=1) for frame in range(33)])
    assert (encode_video(stack, drifting).float() - still.float()).abs().max() > 0.1
