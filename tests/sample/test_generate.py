"""Generation against LTX2Pipeline itself, and what conditions do to it."""

from typing import Any, Literal

import numpy as np
import pytest
import torch

from curate.encode.decode import denormalised_audio, denormalised_video
from curate.encode.stack import Stack
from curate.encode.text import project_text
from curate.sample.generate import Latents, generate, sound_steps, with_sound
from curate.train.config import SampleConfig
from curate.train.flow import Text, noise_like
from curate.train.model import connected
from curate.train.strategy import Rope, Scene, Stream, before_zero

GRID, FPS = (3, 2, 4), 25.0  # 17 frames of 64x128


@pytest.fixture(scope="module")
def transformer(stack: Stack) -> Any:
    return stack.load_transformer()


@pytest.fixture(scope="module")
def texts(stack: Stack) -> tuple[Text, Text]:
    connectors = stack.load_connectors()
    said, unwanted = (connected(stack, connectors, project_text(stack, t)) for t in ("a person", "blurry"))
    return said, unwanted


@pytest.fixture
def scene(transformer: Any) -> Scene:
    """Nothing given: a video and its sound."""
    rope, tokens = Rope(transformer), GRID[0] * GRID[1] * GRID[2]
    video = Stream(torch.zeros(tokens, 128), rope.video(GRID, FPS), torch.ones(tokens, dtype=torch.bool))
    return with_sound(Scene(video, None, GRID, 0), rope, FPS)


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_without_conditions_it_is_what_the_pipeline_gives(
    stack: Stack, transformer: Any, texts: tuple[Text, Text], scene: Scene, guidance: float
) -> None:
    from diffusers import LTX2Pipeline

    made = run(transformer, stack, texts, scene, guidance=guidance)
    pipeline = LTX2Pipeline.from_pretrained(stack.folder)
    pipeline.set_progress_bar_config(disable=True)
    video, audio = noise_like(scene, 5, "case")
    assert audio is not None and made.audio is not None
    vae = pipeline.audio_vae
    wanted_video, wanted_audio = pipeline(
        prompt="a person", negative_prompt="blurry", height=64, width=128, num_frames=17, frame_rate=FPS,
        num_inference_steps=4, guidance_scale=guidance, audio_guidance_scale=guidance, stg_scale=0.0,
        audio_stg_scale=0.0, modality_scale=1.0, audio_modality_scale=1.0, guidance_rescale=0.0,
        audio_guidance_rescale=0.0, latents=video[None],
        audio_latents=audio[None] * vae.latents_std + vae.latents_mean,  # it normalises what it is given
        output_type="latent", return_dict=False,
    )  # fmt: skip
    off = np.abs(wanted_video[0].numpy() - denormalised_video(stack, made.video.numpy())).max()
    heard_off = np.abs(wanted_audio[0].numpy() - denormalised_audio(stack, made.audio.numpy())).max()
    assert off < 2e-5 and heard_off < 2e-5  # of values up to 6: rounding of the pipeline's way through x0


def test_a_distilled_model_gets_its_own_eight_levels(
    stack: Stack, transformer: Any, texts: tuple[Text, Text], scene: Scene
) -> None:
    from diffusers import LTX2Pipeline
    from diffusers.pipelines.ltx2.utils import DISTILLED_SIGMA_VALUES

    made = run(transformer, stack, texts, scene, sigmas="distilled")
    pipeline = LTX2Pipeline.from_pretrained(stack.folder)
    # as diffusers' documentation sets the distilled pipeline up
    pipeline.scheduler = pipeline.scheduler.from_config(
        pipeline.scheduler.config, use_dynamic_shifting=False, shift_terminal=None
    )
    pipeline.set_progress_bar_config(disable=True)
    video, audio = noise_like(scene, 5, "case")
    assert audio is not None
    wanted, _ = pipeline(
        prompt="a person", height=64, width=128, num_frames=17, frame_rate=FPS, sigmas=DISTILLED_SIGMA_VALUES,
        num_inference_steps=8, guidance_scale=1.0, audio_guidance_scale=1.0, stg_scale=0.0, audio_stg_scale=0.0,
        modality_scale=1.0, audio_modality_scale=1.0, guidance_rescale=0.0, audio_guidance_rescale=0.0,
        latents=video[None],
        audio_latents=audio[None] * pipeline.audio_vae.latents_std + pipeline.audio_vae.latents_mean,
        output_type="latent", return_dict=False,
    )  # fmt: skip
    assert np.abs(wanted[0].numpy() - denormalised_video(stack, made.video.numpy())).max() < 2e-5


def test_the_same_identity_gives_the_same_and_another_does_not(
    stack: Stack, transformer: Any, texts: tuple[Text, Text], scene: Scene
) -> None:
    one, again = (run(transformer, stack, texts, scene) for _ in range(2))
    other = run(transformer, stack, texts, scene, identity="another")
    assert torch.equal(one.video, again.video) and not torch.equal(one.video, other.video)


def test_what_is_given_stays_and_moves_the_rest(
    stack: Stack, transformer: Any, texts: tuple[Text, Text], scene: Scene
) -> None:
    frame = GRID[1] * GRID[2]
    target = scene.video.target.clone()
    target[:frame] = False
    clean = scene.video.clean.clone()
    clean[:frame] = torch.randn(frame, 128, generator=torch.Generator().manual_seed(1))
    pinned = Scene(Stream(clean, scene.video.where, target), scene.audio, scene.grid, scene.audio_steps)
    made, free = run(transformer, stack, texts, pinned), run(transformer, stack, texts, scene)
    assert torch.equal(made.video[:, 0].flatten(1).T, clean[:frame])
    assert not torch.allclose(made.video[:, 1:], free.video[:, 1:])


def test_a_reference_sound_moves_sound_and_picture_and_is_not_in_the_result(
    stack: Stack, transformer: Any, texts: tuple[Text, Text], scene: Scene
) -> None:
    rope = Rope(transformer)

    def heard(seed: int) -> Latents:
        assert scene.audio is not None
        tone = torch.randn(51, 128, generator=torch.Generator().manual_seed(seed))
        beside = scene.audio.given(tone, before_zero(rope.audio(51)))
        return run(transformer, stack, texts, Scene(scene.video, beside, scene.grid, scene.audio_steps))

    one, other = heard(1), heard(2)
    assert one.audio is not None and other.audio is not None
    assert one.audio.shape == (8, sound_steps(3, FPS), 16) == other.audio.shape
    assert not torch.allclose(one.audio, other.audio)


def test_images_have_no_sound(transformer: Any) -> None:
    rope = Rope(transformer)
    image = Scene(Stream(torch.zeros(8, 128), rope.video((1, 2, 4), 1.0), torch.ones(8, dtype=torch.bool)), None, (1, 2, 4), 0)  # fmt: skip
    assert with_sound(image, rope, 1.0) is image


def run(
    transformer: Any, stack: Stack, texts: tuple[Text, Text], scene: Scene, guidance: float = 1.0,
    identity: str = "case", sigmas: Literal["shifted", "distilled"] = "shifted",
) -> Latents:  # fmt: skip
    config = SampleConfig(
        inference_steps=8 if sigmas == "distilled" else 4, guidance_scale=guidance, sigmas=sigmas
    )
    return generate(
        transformer, stack.load_scheduler(), scene, *texts, config=config, seed=5, identity=identity
    )
