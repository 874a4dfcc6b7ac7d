"""Where a strategy puts the tokens of a sample, against what diffusers' pipelines make of the same condition."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.encode.stack import Stack
from curate.encode.video import encode_video
from curate.errors import CurateError
from curate.train.data import LatentSample, TrainingSet
from curate.train.strategy import (
    GAP_S,
    STRATEGIES,
    Rope,
    Scene,
    Stream,
    audio_tokens,
    before_zero,
    strategy_of,
    video_tokens,
)
from tests.train.oracles import asked_by, pictures
from tests.train.sets import FPS, FRAMES, KINDS, drawn

GRID, SOUND, TOKENS = (3, 2, 3), 17, 18  # of 17 frames of 64x96
ROUNDING = 2**-8  # what storing latents in bfloat16 costs


def sample_of(sets: dict[str, Path], kind: str, number: int = 0) -> LatentSample:
    return TrainingSet(sets[kind]).read("train", f"{number:06d}")


def laid_out(sets: dict[str, Path], kind: str, rope: Rope, first_frame: bool = False) -> Scene:
    sample = sample_of(sets, kind)
    return strategy_of(KINDS[kind].strategy)(sample, rope, first_frame)


def check_video(scene: Scene, asked: dict[str, Any]) -> None:
    """The video tokens of a scene have the places, the timesteps and the given content that a pipeline has."""
    assert torch.equal(scene.video.where, asked["video_coords"][0])
    level = asked["sigma"] if asked["sigma"] is not None else asked["timestep"]
    assert level.shape == (1,) and level > 900
    assert torch.equal(scene.video.target * level, asked["timestep"].expand(1, len(scene.video.target))[0])
    given = ~scene.video.target
    torch.testing.assert_close(
        scene.video.clean[given], asked["hidden_states"][0][given], rtol=ROUNDING, atol=1e-6
    )


# --- against the pipelines


def test_text_to_video_is_what_the_pipeline_lays_out(
    sets: dict[str, Path], pipeline: Any, rope: Rope
) -> None:
    from diffusers import LTX2Pipeline

    scene = laid_out(sets, "text_to_video", rope)
    asked = asked_by(LTX2Pipeline, pipeline, drawn("any", FRAMES))
    check_video(scene, asked)
    assert scene.audio is not None and scene.audio.target.all() and scene.video.target.all()
    assert torch.equal(scene.audio.where, asked["audio_coords"][0])
    assert (scene.grid, scene.audio_steps) == (GRID, SOUND)
    assert asked["hidden_states"].shape[1:] == scene.video.clean.shape == (TOKENS, 128)
    assert asked["audio_hidden_states"].shape[1:] == scene.audio.clean.shape == (SOUND, 128)


@pytest.mark.parametrize("kind", ["text_to_video", "first_frame"])
def test_a_given_first_frame_is_what_the_image_pipeline_lays_out(
    sets: dict[str, Path], pipeline: Any, rope: Rope, kind: str
) -> None:
    from diffusers import LTX2ImageToVideoPipeline

    sample = sample_of(sets, kind)
    frames = drawn(sample.record.id, FRAMES)
    asked = asked_by(LTX2ImageToVideoPipeline, pipeline, frames, image=pictures(frames)[0], image_crf=0)
    sizes = sample.record.latents.model_copy(update={"pin_frames": None})
    latents = {name: value for name, value in sample.latents.items() if name != "pin_latents"}
    unpinned = LatentSample(sample.record.model_copy(update={"latents": sizes}), latents)
    scene = strategy_of(kind)(unpinned, rope, True)
    check_video(scene, asked)
    assert (~scene.video.target).sum() == 6  # one latent frame of 2x3


def test_pins_are_what_the_condition_pipeline_lays_out(
    sets: dict[str, Path], stack: Stack, pipeline: Any, rope: Rope
) -> None:
    from diffusers import LTX2ConditionPipeline
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    sample = sample_of(sets, "first_frame")
    frames = drawn(sample.record.id, FRAMES)
    images = pictures(frames)
    conditions = [  # its index counts latent frames: 1 and 2 begin at frames 1 and 9
        LTX2VideoCondition(images[frame], index, 1.0, crf=0) for index, frame in enumerate((0, 1, 9))
    ]
    asked = asked_by(LTX2ConditionPipeline, pipeline, frames, conditions=conditions)
    pins = torch.cat([encode_video(stack, frames[f : f + 1]) for f in (1, 9)], dim=1)
    check_video(laid_pinned(sample, rope, (1, 9), pins), asked)


def test_pins_held_less_firmly_bear_the_noise_that_the_condition_pipeline_gives_them(
    sets: dict[str, Path], stack: Stack, pipeline: Any, rope: Rope
) -> None:
    from diffusers import LTX2ConditionPipeline
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    sample = sample_of(sets, "first_frame")
    frames = drawn(sample.record.id, FRAMES)
    conditions = [
        LTX2VideoCondition(pictures(frames)[frame], index, 0.9, crf=0) for frame, index in ((0, 0), (9, 2))
    ]
    asked = asked_by(LTX2ConditionPipeline, pipeline, frames, conditions=conditions)
    pins = encode_video(stack, frames[9:10])
    firm = laid_pinned(sample, rope, (9,), pins)
    scene = firm.holding(0.9)
    assert torch.equal(scene.video.where, asked["video_coords"][0])
    torch.testing.assert_close(asked["timestep"][0], asked["sigma"] * scene.video.noise_share)
    assert scene.video.noise_share.tolist() == pytest.approx([0.1] * 6 + [1.0] * 12 + [0.1] * 6)
    assert torch.equal(firm.video.noise_share, firm.video.target.float()) and scene.audio is firm.audio


def test_a_reference_video_is_what_the_in_context_pipeline_lays_out(
    sets: dict[str, Path], pipeline: Any, rope: Rope
) -> None:
    from diffusers import LTX2InContextPipeline
    from diffusers.pipelines.ltx2.pipeline_ltx2_ic_lora import LTX2ReferenceCondition

    sample = sample_of(sets, "video_reference")
    still = drawn(f"{sample.record.id} sheet", 1).repeat(FRAMES, axis=0)
    reference = LTX2ReferenceCondition(pictures(still), 1.0)
    asked = asked_by(LTX2InContextPipeline, pipeline, still, reference_conditions=[reference])
    scene = laid_out(sets, "video_reference", rope)
    check_video(scene, asked)
    assert scene.audio is None and len(scene.video.target) == 2 * TOKENS
    assert torch.equal(scene.video.where[:, :TOKENS], scene.video.where[:, TOKENS:])


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_tokens_are_packed_as_the_pipelines_pack(pipeline: Any, kind: str) -> None:
    stream = torch.Generator().manual_seed(0)
    if kind == "video":
        latents = torch.randn(128, *GRID, generator=stream)
        assert torch.equal(video_tokens(latents), pipeline._pack_latents(latents[None])[0])
    else:
        latents = torch.randn(8, SOUND, 16, generator=stream)
        assert torch.equal(audio_tokens(latents), pipeline._pack_audio_latents(latents[None])[0])


# --- images


def test_an_image_is_a_silent_video_of_one_frame(sets: dict[str, Path], rope: Rope) -> None:
    scene = laid_out(sets, "images", rope)
    assert scene.audio is None and scene.grid == (1, 2, 3) and scene.audio_steps == 0
    assert torch.equal(
        scene.video.where[0], torch.tensor([[0.0, 1.0]]).expand(6, 2)
    )  # s, at 1 frame a second
    assert torch.equal(scene.video.where[1, :, 0], torch.tensor([0.0, 0, 0, 32, 32, 32]))
    assert torch.equal(scene.video.where[2, :, 1], torch.tensor([32.0, 64, 96, 32, 64, 96]))


def test_an_image_cannot_be_given_its_only_frame(sets: dict[str, Path], rope: Rope) -> None:
    assert laid_out(sets, "images", rope, first_frame=True).video.target.all()
    with pytest.raises(CurateError, match=r"^human-train-0: is one frame, wanted a video that goes on"):
        STRATEGIES["first_frame"](sample_of(sets, "images"), rope, False)


# --- pins


def test_a_pin_is_one_frame_long_wherever_it_stands(sets: dict[str, Path], rope: Rope) -> None:
    """VideoConditionByKeyframeIndex of ltx-core with num_pixel_frames 1: [frame, frame + 1) / fps, places as in the video."""
    sample = sample_of(sets, "first_frame")
    scene = strategy_of("first_frame")(sample, rope, False)
    assert scene.video.clean.shape == (TOKENS + 2 * 6, 128)
    for number, frame in enumerate((8, 16)):
        part = slice(TOKENS + 6 * number, TOKENS + 6 * (number + 1))
        begin, end = scene.video.where[0, part].T
        assert torch.equal(begin, (torch.tensor(float(frame)) / FPS).expand(6))
        assert torch.equal(end, (torch.tensor(float(frame + 1)) / FPS).expand(6))
        assert torch.equal(scene.video.where[1:, part], scene.video.where[1:, :6])
        pins = sample.latents["pin_latents"][:, number].float()
        assert torch.equal(scene.video.clean[part], pins.flatten(1).T)
    assert scene.video.target.tolist() == [False] * 6 + [True] * 12 + [False] * 12
    assert scene.audio is not None and scene.audio.target.all()


@pytest.mark.parametrize("frames", [(0,), (8, 8), (17,), (-1,), (0, 16)])
def test_pins_at_the_first_frame_or_twice_or_outside_are_refused(
    sets: dict[str, Path], rope: Rope, frames: tuple[int, ...]
) -> None:
    sample = sample_of(sets, "first_frame")
    pins = sample.latents["pin_latents"][:, : len(frames)]
    with pytest.raises(
        CurateError, match=r"^dual-character-train-0: pins at frames \[.*\], wanted each .* 1\.\.16$"
    ):
        laid_pinned(sample, rope, frames, pins)


def test_the_first_frame_is_given_whatever_the_draw_says(sets: dict[str, Path], rope: Rope) -> None:
    for first_frame in (False, True):
        assert not laid_out(sets, "first_frame", rope, first_frame).video.target[:6].any()


# --- references


def test_a_reference_sound_ends_just_before_the_target_begins(sets: dict[str, Path], rope: Rope) -> None:
    """patchify_dubit_audio_reference_latent of ltx-pipelines: positions - end - 0.04."""
    sample = sample_of(sets, "audio_reference")
    scene = strategy_of("audio_reference")(sample, rope, False)
    assert scene.audio is not None and scene.audio.clean.shape == (SOUND + 51, 128)
    where, own = scene.audio.where[0, SOUND:], rope.audio(51)[0]
    assert where[-1, 1] == torch.tensor(-GAP_S) == torch.tensor(-0.04)
    assert where[0, 0] == pytest.approx(-2.05) and where[0, 1] == pytest.approx(
        -2.04
    )  # its first step is shorter
    assert torch.allclose(where - where[0, 0], own, atol=1e-6)
    assert torch.allclose(where[1:, 1] - where[1:, 0], torch.full((50,), 0.04), atol=1e-6)
    assert torch.equal(scene.audio.where[0, :SOUND], rope.audio(SOUND)[0]) and scene.audio.where[0, 0, 0] == 0
    assert scene.audio.target.tolist() == [True] * SOUND + [False] * 51
    reference = sample.latents["reference_audio_latents"]
    assert torch.equal(scene.audio.clean[SOUND:], reference.transpose(0, 1).flatten(1))
    assert torch.equal(scene.video.clean, laid_out(sets, "audio_reference", rope).video.clean)


@given(steps=st.integers(1, 400))
@settings(deadline=None)
def test_no_part_of_a_reference_sound_reaches_the_target(rope: Rope, steps: int) -> None:
    where = before_zero(rope.audio(steps))
    assert where.shape == (1, steps, 2) and where.max() == torch.tensor(-GAP_S)


def test_a_control_with_the_caption_only_has_no_reference(sets: dict[str, Path], rope: Rope) -> None:
    scene = laid_out(sets, "caption_only", rope)
    assert scene.audio is not None and scene.audio.target.all() and len(scene.audio.clean) == SOUND


def test_a_reference_sound_wants_a_target_sound(sets: dict[str, Path], rope: Rope) -> None:
    with pytest.raises(
        CurateError, match=r"^human-train-0: has no audio_latents, wanted a target with sound$"
    ):
        STRATEGIES["audio_reference"](sample_of(sets, "images"), rope, False)


def test_a_reference_video_is_silent_and_may_have_a_given_first_frame(
    sets: dict[str, Path], rope: Rope
) -> None:
    heard = sample_of(sets, "text_to_video")
    assert (
        STRATEGIES["video_reference"](heard, rope, False).audio is None
    )  # the strategy is for pictures only
    scene = laid_out(sets, "video_reference", rope, first_frame=True)
    assert scene.video.target.tolist() == [False] * 6 + [True] * 12 + [False] * 18


def test_a_reference_video_of_another_size_is_refused(sets: dict[str, Path], rope: Rope) -> None:
    sample = sample_of(sets, "video_reference")
    small = {
        **sample.latents,
        "reference_video_latents": sample.latents["reference_video_latents"][..., :1, :],
    }
    with pytest.raises(
        CurateError,
        match=r"train-0: the reference is \(3, 1, 3\), wanted the target's \(3, 2, 3\), or longer$",
    ):
        STRATEGIES["video_reference"](replace(sample, latents=small), rope, False)


# --- what is missing


def test_a_sample_without_pictures_or_without_a_rate_is_named(sets: dict[str, Path], rope: Rope) -> None:
    sample = sample_of(sets, "text_to_video")
    deaf = {"audio_latents": sample.latents["audio_latents"]}
    with pytest.raises(CurateError, match=r"^vbvr-train-0: has no video_latents; holds audio_latents$"):
        STRATEGIES["text_to_video"](replace(sample, latents=deaf), rope, False)
    sizes = sample.record.latents.model_copy(update={"fps": None})
    record = sample.record.model_copy(update={"latents": sizes})
    with pytest.raises(
        CurateError, match=r"^vbvr-train-0: its record gives no fps, wanted that of the video$"
    ):
        STRATEGIES["text_to_video"](replace(sample, record=record), rope, False)


def test_an_unknown_strategy_names_those_there_are() -> None:
    with pytest.raises(
        CurateError, match=r"^strategy 'lipdub': this program has text_to_video, first_frame, video_"
    ):
        strategy_of("lipdub")


def test_a_scene_moves_to_a_device_whole(sets: dict[str, Path], rope: Rope) -> None:
    scene = laid_out(sets, "audio_reference", rope)
    moved = scene.to(torch.device("meta"))
    assert moved.audio is not None
    for stream in (moved.video, moved.audio):
        assert {stream.clean.device.type, stream.where.device.type, stream.target.device.type} == {"meta"}
    assert (moved.grid, moved.audio_steps) == (scene.grid, scene.audio_steps)
    assert laid_out(sets, "images", rope).to(torch.device("meta")).audio is None


def test_what_is_given_comes_after_what_is_there() -> None:
    stream = Stream(torch.zeros(2, 4), torch.zeros(1, 2, 2), torch.tensor([True, False]))
    more = stream.given(torch.ones(3, 4), torch.ones(1, 3, 2))
    assert more.clean[:, 0].tolist() == [0, 0, 1, 1, 1] == more.where[0, :, 1].tolist()
    assert more.target.tolist() == [True, False, False, False, False] and len(stream.clean) == 2
    held = replace(stream, held=0.75).given(torch.ones(1, 4), torch.ones(1, 1, 2)).to(torch.device("cpu"))
    assert held.noise_share.tolist() == [1.0, 0.25, 0.25] and more.noise_share.tolist() == [1.0, 0, 0, 0, 0]


def laid_pinned(sample: LatentSample, rope: Rope, frames: tuple[int, ...], pins: torch.Tensor) -> Scene:
    """The scene of a sample with other pins than its own."""
    sizes = sample.record.latents.model_copy(update={"pin_frames": frames})
    record = sample.record.model_copy(update={"latents": sizes})
    pinned = LatentSample(record, {**sample.latents, "pin_latents": pins})
    return strategy_of("first_frame")(pinned, rope, False)
