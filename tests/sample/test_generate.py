"""Generation against LTX2Pipeline itself, and what conditions do to it."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from curate.encode.decode import denormalised_audio, denormalised_video
from curate.encode.stack import Stack
from curate.encode.text import project_text
from curate.records import sha256_of
from curate.sample.generate import Latents, generate, skipping, sound_steps, with_sound, without_stg
from curate.train.config import SampleConfig
from curate.train.data import LatentSample, TrainingSet
from curate.train.flow import Text, noise_like
from curate.train.model import connected
from curate.train.strategy import Rope, Scene, Stream, before_zero, first_frame
from tests.train.sets import drawn

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


@pytest.mark.parametrize(("strength", "guidance"), [(1.0, 1.0), (0.9, 1.0), (0.9, 3.0)])
def test_pins_of_any_strength_are_those_of_the_condition_pipeline(
    stack: Stack,
    transformer: Any,
    texts: tuple[Text, Text],
    sets: dict[str, Path],
    strength: float,
    guidance: float,
) -> None:
    """At the start of the video and at frame 9, which is where the third latent begins."""
    from diffusers import LTX2ConditionPipeline
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition
    from diffusers.pipelines.ltx2.utils import DISTILLED_SIGMA_VALUES

    pipeline = LTX2ConditionPipeline.from_pretrained(stack.folder)
    pipeline.scheduler = pipeline.scheduler.from_config(
        pipeline.scheduler.config, use_dynamic_shifting=False, shift_terminal=None
    )
    pipeline.set_progress_bar_config(disable=True)
    sample = TrainingSet(sets["first_frame"]).read("train", "000000")
    frames = drawn(sample.record.id, 17)[[0, 9]]
    given = torch.cat([exactly(pipeline, frame) for frame in frames], dim=1)  # stored latents are rounded
    sizes = sample.record.latents.model_copy(update={"pin_frames": (9,)})
    latents = {
        **sample.latents,
        "video_latents": torch.cat([given[:, :1], sample.latents["video_latents"][:, 1:].float()], dim=1),
        "pin_latents": given[:, 1:],
    }
    record = sample.record.model_copy(update={"latents": sizes})
    scene = first_frame(LatentSample(record, latents), Rope(transformer), False).holding(strength)
    made = run(transformer, stack, texts, scene, guidance, sigmas="distilled")
    wanted, sound = pipeline(
        conditions=[LTX2VideoCondition(Image.fromarray(frame), index, strength, crf=0) for frame, index in zip(frames, (0, 2), strict=True)],
        prompt="a person", negative_prompt="blurry", height=64, width=96, num_frames=17, frame_rate=FPS,
        sigmas=DISTILLED_SIGMA_VALUES, num_inference_steps=8, guidance_scale=guidance, stg_scale=0.0,
        audio_guidance_scale=guidance, audio_stg_scale=0.0, modality_scale=1.0, audio_modality_scale=1.0,
        guidance_rescale=0.0, audio_guidance_rescale=0.0, output_type="latent", return_dict=False,
        generator=torch.Generator().manual_seed(int(sha256_of([5, "case", "noise"])[:15], 16)),
    )  # fmt: skip
    assert np.abs(wanted[0].numpy() - denormalised_video(stack, made.video.numpy())).max() < 4e-5
    assert made.audio is not None
    assert np.abs(sound[0].numpy() - denormalised_audio(stack, made.audio.numpy())).max() < 4e-5
    moved = float((made.video[:, 0] - given[:, 0]).abs().max())
    assert moved == 0 if strength == 1 else moved > 0.01  # a pin that gives way


def exactly(pipeline: Any, frame: NDArray[np.uint8]) -> torch.Tensor:
    """The latents of a picture in full precision.  # (128, 1, 2, 3)"""
    pixels = torch.from_numpy(frame).permute(2, 0, 1)[None, :, None] / 127.5 - 1
    with torch.no_grad():
        raw = pipeline.vae.encode(pixels).latent_dist.mode()
    return pipeline._normalize_latents(raw, pipeline.vae.latents_mean, pipeline.vae.latents_std)[0]


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_guidance_in_space_and_time_is_the_pipelines_but_leaves_the_attention_of_the_sound(
    stack: Stack, transformer: Any, texts: tuple[Text, Text], scene: Scene, guidance: float
) -> None:
    made = run(transformer, stack, texts, scene, guidance, stg=(1.0, (1, 29)))
    free = run(transformer, stack, texts, scene, guidance)
    assert not torch.allclose(made.video, free.video, atol=0.1)
    for mode, equal in (("stg_v", True), ("stg_av", False)):  # the pipeline's own is stg_av
        video, sound = piped(stack, scene, guidance, mode)
        assert (np.abs(video - denormalised_video(stack, made.video.numpy())).max() < 4e-5) == equal
        assert made.audio is not None
        assert (np.abs(sound - denormalised_audio(stack, made.audio.numpy())).max() < 4e-5) == equal


def piped(stack: Stack, scene: Scene, guidance: float, mode: str) -> tuple[Any, Any]:
    """Video and sound of LTX2Pipeline with spatio-temporal guidance in block 1."""
    from diffusers import LTX2Pipeline

    pipeline = LTX2Pipeline.from_pretrained(stack.folder)
    pipeline.set_progress_bar_config(disable=True)
    if mode == "stg_v":  # whatever the pipeline asks of it, the sound attends as ever
        none = {"perturbation_mask": None, "all_perturbed": False}
        for block in pipeline.transformer.transformer_blocks:
            block.audio_attn1.register_forward_pre_hook(
                lambda _m, a, given: (a, given | none), with_kwargs=True
            )
    video, audio = noise_like(scene, 5, "case")
    assert audio is not None
    vae = pipeline.audio_vae
    made = pipeline(
        prompt="a person", negative_prompt="blurry", height=64, width=128, num_frames=17, frame_rate=FPS,
        num_inference_steps=4, guidance_scale=guidance, audio_guidance_scale=guidance, stg_scale=1.0,
        audio_stg_scale=1.0, spatio_temporal_guidance_blocks=[1, 29], modality_scale=1.0, audio_modality_scale=1.0,
        guidance_rescale=0.0, audio_guidance_rescale=0.0, latents=video[None],
        audio_latents=audio[None] * vae.latents_std + vae.latents_mean, output_type="latent", return_dict=False,
    )  # fmt: skip
    return made[0][0].numpy(), made[1].numpy()


def test_blocks_that_a_model_has_not_are_told_and_left_out(
    stack: Stack, transformer: Any, texts: tuple[Text, Text], scene: Scene
) -> None:
    def told(scale: float, *blocks: int) -> str | None:
        return without_stg(transformer, SampleConfig(stg_scale=scale, stg_blocks=blocks))

    said = "spatio-temporal guidance in block 29: {}, this transformer has blocks 0 to 1"
    assert told(1.0, 29) == said.format("not applied")
    assert told(1.0, 1, 29) == said.format("only in 1")
    assert told(1.0, 0, 1) is None and told(0.0, 29) is None
    free, made = (
        run(transformer, stack, texts, scene),
        run(transformer, stack, texts, scene, stg=(1.0, (29,))),
    )
    assert torch.equal(free.video, made.video)


def test_a_model_whose_attention_cannot_be_skipped_is_told(
    stack: Stack,
) -> None:
    old = stack.load_transformer()
    old.register_to_config(perturbed_attn=False)
    told = without_stg(old, SampleConfig(stg_scale=1.0, stg_blocks=(1,)))
    assert told == "spatio-temporal guidance in block 1: not applied, this transformer is of LTX-2.0"


def test_what_was_skipped_attends_again_even_after_a_failure(transformer: Any) -> None:
    attention = transformer.transformer_blocks[1].attn1
    hooks = len(attention._forward_pre_hooks)
    with pytest.raises(KeyError), skipping(transformer, [1]):
        assert len(attention._forward_pre_hooks) == hooks + 1
        raise KeyError
    assert len(attention._forward_pre_hooks) == hooks


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
    stg: tuple[float, tuple[int, ...]] = (0.0, ()),
) -> Latents:  # fmt: skip
    config = SampleConfig(
        inference_steps=8 if sigmas == "distilled" else 4, guidance_scale=guidance, sigmas=sigmas,
        stg_scale=stg[0], stg_blocks=stg[1],
    )  # fmt: skip
    return generate(
        transformer, stack.load_scheduler(), scene, *texts, config=config, seed=5, identity=identity
    )
