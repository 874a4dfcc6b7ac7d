"""Noise levels against the official sampler, velocities against diffusers' pipelines, and what a loss is taken on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from curate.encode.stack import Stack
from curate.encode.video import encode_video
from curate.records import rng
from curate.train.data import LatentSample, TrainingSet
from curate.train.flow import Loss, Text, draw_sigma, loss, mean_shift, noise_like, sigma_of, velocity
from curate.train.strategy import Rope, Scene, before_zero, strategy_of
from tests.train.oracles import asked_by, pictures
from tests.train.sets import FRAMES, KINDS, drawn

LOGIT, MIXTURE = "shifted-logit-normal", "high-sigma-mixture"
OFFICIAL = {  # tokens, normal, uniform, which: what ShiftedLogitNormalTimestepSampler of ltx-trainer gives for them
    (122, 0.0, 0.25, 0.9): 0.6189922,
    (122, -1.5, 0.25, 0.9): 0.1995658,
    (1024, 0.0, 0.25, 0.9): 0.6803203,
    (1024, 2.0, 0.25, 0.9): 0.9603488,
    (1024, -2.6, 0.25, 0.9): 0.0060298,  # below its lower end: mirrored
    (1024, 3.5, 0.25, 0.9): 1.0,  # above its upper end: cut
    (4096, -1.5, 0.25, 0.9): 0.421787,
    (4096, -3.0, 0.25, 0.9): 0.1507315,
    (5376, 0.0, 0.25, 0.9): 0.8605016,
    (5376, -2.6, 0.25, 0.9): 0.0137707,
    (5376, 0.0, 0.25, 0.05): 0.25075,  # one in ten is uniform, whatever the size
    (1024, 1.0, 0.999, 0.0999): 0.999001,
}


class Draws:
    """A random stream whose draws are given."""

    def __init__(self, normal: float, uniform: float, which: float) -> None:
        self._normal, self._uniforms = normal, iter((uniform, which))

    def standard_normal(self) -> float:
        return self._normal

    def random(self) -> float:
        return next(self._uniforms)


# --- noise levels


@pytest.mark.parametrize(("given_draws", "wanted"), OFFICIAL.items(), ids=str)
def test_noise_levels_are_the_official_ones(
    given_draws: tuple[int, float, float, float], wanted: float
) -> None:
    tokens, *draws = given_draws
    assert draw_sigma(LOGIT, tokens, cast(np.random.Generator, Draws(*draws))) == pytest.approx(
        wanted, abs=1e-6
    )


@pytest.mark.parametrize(
    ("tokens", "mu", "mean", "above"),
    [(122, 0.627, 0.581, 0.073), (1024, 0.95, 0.626, 0.104), (4096, 2.05, 0.743, 0.267), (5376, 2.508, 0.774, 0.342)],
)  # fmt: skip
def test_more_tokens_mean_more_noise(tokens: int, mu: float, mean: float, above: float) -> None:
    """Means and shares above 0.9 of two million draws of the official sampler."""
    assert mean_shift(tokens) == pytest.approx(mu, abs=1e-3)
    drawn_levels = np.array([draw_sigma(LOGIT, tokens, stream) for stream in streams(6000)])
    assert drawn_levels.mean() == pytest.approx(mean, abs=4 * 0.24 / 6000**0.5)
    assert (drawn_levels > 0.9).mean() == pytest.approx(above, abs=4 * (above * (1 - above) / 6000) ** 0.5)


def test_the_mixture_is_that_of_the_fork() -> None:
    """Six in ten uniform in 0.7..1, the others in 0..1: whatever the size of the video."""
    levels = np.array([draw_sigma(MIXTURE, 1024, stream) for stream in streams(6000)])
    assert (levels > 0.7).mean() == pytest.approx(0.6 + 0.4 * 0.3, abs=4 * 0.45 / 6000**0.5)
    low = np.sort(levels[levels < 0.7])
    assert (
        np.abs(low / 0.7 - np.linspace(0, 1, len(low))).max() < 0.04
    )  # Kolmogorov-Smirnov, p = .001 at .048
    high = np.sort(levels[levels > 0.7])
    assert np.abs((high - 0.7) / 0.3 - np.linspace(0, 1, len(high))).max() < 0.03
    assert [draw_sigma(MIXTURE, 5376, stream) for stream in streams(50)] == levels[:50].tolist()
    ends = [
        draw_sigma(MIXTURE, 1, cast(np.random.Generator, Draws(0, u, w)))
        for u, w in ((0, 0.59), (0, 0.61), (0.5, 0.59), (0.5, 0.61))
    ]
    assert ends == pytest.approx([0.7, 0, 0.85, 0.5])


@given(st.sampled_from([LOGIT, MIXTURE]), st.integers(1, 60_000), st.integers(0, 2**40))
def test_a_noise_level_is_from_0_to_1(kind: str, tokens: int, seed: int) -> None:
    assert 0 <= draw_sigma(kind, tokens, rng(seed, "any")) <= 1


def test_a_noise_level_belongs_to_its_turn_and_to_the_target_alone(sets: dict[str, Path], rope: Rope) -> None:
    plain, referred, pinned = (
        scene_of(sets, kind, rope) for kind in ("text_to_video", "audio_reference", "first_frame")
    )
    level = sigma_of(LOGIT, plain, 42, "7")
    assert level == sigma_of(LOGIT, plain, 42, "7") == draw_sigma(LOGIT, 18, rng(42, "7", "sigma"))
    assert level == sigma_of(LOGIT, referred, 42, "7") == sigma_of(LOGIT, pinned, 42, "7")
    others = {sigma_of(LOGIT, plain, seed, index) for seed, index in ((42, "8"), (43, "7"))}
    assert level not in others and len(others) == 2


# --- noise


def test_noise_belongs_to_its_identity(sets: dict[str, Path], rope: Rope) -> None:
    scene = scene_of(sets, "audio_reference", rope)
    torch.manual_seed(1)
    video, audio = noise_like(scene, 42, "7")
    state = torch.random.get_rng_state()
    again = noise_like(scene, 42, "7")
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's draws change
    assert audio is not None and again[1] is not None
    assert torch.equal(video, again[0]) and torch.equal(audio, again[1])
    assert video.shape == scene.video.clean.shape and audio.shape == (17 + 51, 128)
    for seed, identity in ((42, "8"), (43, "7")):
        assert not torch.equal(video, noise_like(scene, seed, identity)[0])
    both = torch.cat([video.flatten(), audio.flatten()])
    assert both.mean().abs() < 0.05 and both.std() == pytest.approx(1, abs=0.05)
    assert noise_like(scene_of(sets, "images", rope), 42, "7")[1] is None


# --- velocity


def test_the_velocity_is_what_a_pipeline_asks_for(
    sets: dict[str, Path], stack: Stack, pipeline: Any, rope: Rope
) -> None:
    """The same transformer output for every kind of scene that a pipeline of diffusers can lay out."""
    for scene, asked in against_pipelines(sets, stack, pipeline, rope):
        with torch.no_grad():
            wanted_video, wanted_audio = pipeline.transformer(**asked)
            text = Text(asked["encoder_hidden_states"], asked["audio_encoder_hidden_states"])
            level = float(asked["sigma"]) / 1000
            video, audio = asked["hidden_states"][0], asked["audio_hidden_states"][0]
            said = velocity(pipeline.transformer, scene, level, video, audio, text)
        torch.testing.assert_close(said[0], wanted_video[0])
        assert said[1] is not None
        torch.testing.assert_close(said[1], wanted_audio[0])


def test_a_reference_sound_is_laid_out_by_hand(
    sets: dict[str, Path], pipeline: Any, rope: Rope, text: Text
) -> None:
    """No pipeline takes one: the transformer called as dub-it of ltx-pipelines has it."""
    scene = scene_of(sets, "audio_reference", rope)
    assert scene.audio is not None
    video, audio = noise_like(scene, 0, "by hand")
    assert audio is not None
    level, tokens = torch.tensor([600.0]), scene.video.clean.shape[0]
    with torch.no_grad():
        wanted = pipeline.transformer(
            video[None], audio[None], text.video, text.audio, level.expand(1, tokens),
            torch.tensor([[600.0] * 17 + [0.0] * 51]), sigma=level, audio_sigma=level, num_frames=3, height=2,
            width=3, fps=25.0, audio_coords=torch.cat([rope.audio(17), before_zero(rope.audio(51))], dim=1)[None],
            use_cross_timestep=True, return_dict=False,
        )  # fmt: skip
        said = velocity(pipeline.transformer, scene, 0.6, video, audio, text)
    assert torch.equal(said[0], wanted[0][0])
    assert said[1] is not None and torch.equal(said[1], wanted[1][0])


@pytest.mark.parametrize("kind", KINDS)
def test_one_noise_level_for_both_and_none_for_what_is_given(
    sets: dict[str, Path], pipeline: Any, rope: Rope, text: Text, kind: str
) -> None:
    scene = scene_of(sets, kind, rope)
    noise = noise_like(scene, 0, "x")
    asked = dict[str, Any]()
    hook = pipeline.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: asked.update(kwargs), with_kwargs=True
    )
    try:
        loss(pipeline.transformer, scene, 0.625, noise, text)
    finally:
        hook.remove()
    assert asked["sigma"].tolist() == asked["audio_sigma"].tolist() == [625.0]
    assert asked["use_cross_timestep"] is True and asked["isolate_modalities"] is (scene.audio is None)
    streams_ = {"": (scene.video, noise[0]), "audio_": (scene.audio, noise[1])}
    for name, (stream, drawn_noise) in streams_.items():
        if stream is None or drawn_noise is None:
            continue
        assert torch.equal(asked[f"{name}timestep"][0], 625.0 * stream.target)
        tokens = asked[f"{name}hidden_states"][0]
        assert torch.equal(tokens[~stream.target], stream.clean[~stream.target])
        mixed = 0.375 * stream.clean + 0.625 * drawn_noise
        assert torch.equal(tokens[stream.target], mixed[stream.target])


@pytest.mark.parametrize("kind", ["images", "video_reference"])
def test_a_silent_video_hears_nothing_of_the_token_that_stands_in(
    sets: dict[str, Path], pipeline: Any, rope: Rope, text: Text, kind: str
) -> None:
    scene = scene_of(sets, kind, rope)
    noise = noise_like(scene, 0, "silent")

    def noisy(module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        loud = {name: torch.randn_like(kwargs[name]) for name in ("audio_hidden_states", "audio_coords")}
        return args, kwargs | loud | {"audio_timestep": kwargs["audio_timestep"] * 0.1}

    with torch.no_grad():
        quiet = velocity(pipeline.transformer, scene, 0.5, noise[0], None, text)
        hook = pipeline.transformer.register_forward_pre_hook(noisy, with_kwargs=True)
        try:
            loud = velocity(pipeline.transformer, scene, 0.5, noise[0], None, text)
        finally:
            hook.remove()
    assert quiet[1] is None and torch.equal(quiet[0], loud[0])
    found = loss(pipeline.transformer, scene, 0.5, noise, text)
    assert found.audio is None and torch.equal(found.total, found.video)


# --- loss


class Perfect:
    """A transformer that is right wherever something is asked of it, and wrong by 1 where nothing is."""

    def __init__(
        self, scene: Scene, noise: tuple[torch.Tensor, torch.Tensor | None], wrong: float = 1.0
    ) -> None:
        self.config = type("Config", (), {"audio_in_channels": 128})
        self.proj_in = torch.nn.Linear(1, 1)  # whose dtype is that of the whole
        self._said = [
            torch.where(stream.target[:, None], drawn_noise - stream.clean, wrong)
            for stream, drawn_noise in ((scene.video, noise[0]), (scene.audio, noise[1]))
            if stream is not None and drawn_noise is not None
        ]

    def __call__(self, **asked: Any) -> list[torch.Tensor]:
        return [said[None] for said in (*self._said, torch.zeros(1, 128))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_prediction_has_no_loss(sets: dict[str, Path], rope: Rope, text: Text, kind: str) -> None:
    scene = scene_of(sets, kind, rope)
    noise = noise_like(scene, 0, "perfect")
    found = loss(Perfect(scene, noise), scene, 0.4, noise, text)
    assert found.total == 0 and (found.audio is None) == (scene.audio is None)


def test_a_loss_is_the_mean_over_targets_of_each_modality_summed(
    sets: dict[str, Path], rope: Rope, text: Text
) -> None:
    scene = scene_of(sets, "audio_reference", rope)
    noise = noise_like(scene, 0, "off")
    assert scene.audio is not None and noise[1] is not None
    perfect = Perfect(scene, noise)
    perfect._said[0] += 2.0
    perfect._said[1][:17] += 3.0
    perfect._said[1][17:] += 100.0
    found = loss(perfect, scene, 0.4, noise, text)
    assert found.video == pytest.approx(4) and found.audio == pytest.approx(9) == float(found.total) - 4
    assert Loss(torch.tensor(2.0), None).total == 2


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("text_to_video", "images", "caption_only")]
)
def test_what_is_given_bears_no_loss(
    sets: dict[str, Path], pipeline: Any, rope: Rope, text: Text, kind: str
) -> None:
    scene = scene_of(sets, kind, rope)
    noise = noise_like(scene, 0, "given")
    other = noise_like(scene, 1, "given")

    def mixed(where: Callable[[torch.Tensor], torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor | None]:
        video = torch.where(where(scene.video.target)[:, None], noise[0], other[0])
        if scene.audio is None or noise[1] is None or other[1] is None:
            return video, None
        return video, torch.where(where(scene.audio.target)[:, None], noise[1], other[1])

    with torch.no_grad():
        before, same, changed = (
            loss(pipeline.transformer, scene, 0.5, drawn_noise, text)
            for drawn_noise in (noise, mixed(lambda target: target), mixed(lambda target: ~target))
        )
    assert torch.equal(before.total, same.total) and not torch.isclose(before.total, changed.total)


@pytest.mark.filterwarnings("ignore:Mismatch dtype")  # the miniature itself is fp32 on a CPU
@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_in_bf16_is_the_loss_in_fp32_but_for_rounding(
    sets: dict[str, Path], pipeline: Any, rope: Rope, text: Text, kind: str
) -> None:
    scene = scene_of(sets, kind, rope)
    noise = noise_like(scene, 0, "bf16")
    with torch.no_grad():
        exact = loss(pipeline.transformer, scene, 0.5, noise, text)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = loss(pipeline.transformer, scene, 0.5, noise, text)
    assert exact.total.dtype == rounded.total.dtype == torch.float32
    assert not torch.equal(rounded.total, exact.total)
    assert float(rounded.total) == pytest.approx(float(exact.total), rel=0.02)


@pytest.fixture(scope="module")
def text(pipeline: Any) -> Text:
    """A caption as a pipeline hands it to its transformer."""
    hidden, mask, _, _ = pipeline.encode_prompt("a person", do_classifier_free_guidance=False)
    with torch.no_grad():
        video, audio, _ = pipeline.connectors(hidden, mask, padding_side="left")
    return Text(video, audio)


def streams(count: int) -> Iterator[np.random.Generator]:
    return (rng(0, str(number), "sigma") for number in range(count))


def sample_of(sets: dict[str, Path], kind: str) -> LatentSample:
    return TrainingSet(sets[kind]).read("train", "000000")


def scene_of(sets: dict[str, Path], kind: str, rope: Rope, first_frame: bool = False) -> Scene:
    return strategy_of(KINDS[kind].strategy)(sample_of(sets, kind), rope, first_frame)


def against_pipelines(
    sets: dict[str, Path], stack: Stack, pipeline: Any, rope: Rope
) -> Iterator[tuple[Scene, dict[str, Any]]]:
    """A scene and what the pipeline for such conditions asks: nothing given, a first frame, pins. All have sound."""
    from diffusers import LTX2ConditionPipeline, LTX2ImageToVideoPipeline, LTX2Pipeline
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    frames = drawn(sample_of(sets, "text_to_video").record.id, FRAMES)
    images = pictures(frames)
    yield scene_of(sets, "text_to_video", rope), asked_by(LTX2Pipeline, pipeline, frames)
    asked = asked_by(LTX2ImageToVideoPipeline, pipeline, frames, image=images[0], image_crf=0)
    yield scene_of(sets, "text_to_video", rope, True), asked
    pins = torch.cat([encode_video(stack, frames[f : f + 1]) for f in (1, 9)], dim=1)
    sample = sample_of(sets, "first_frame")
    sizes = sample.record.latents.model_copy(update={"pin_frames": (1, 9)})
    record = sample.record.model_copy(update={"latents": sizes})
    pinned = LatentSample(record, {**sample.latents, "pin_latents": pins})
    conditions = [LTX2VideoCondition(images[f], i, 1.0, crf=0) for i, f in enumerate((0, 1, 9))]
    asked = asked_by(LTX2ConditionPipeline, pipeline, frames, conditions=conditions)
    yield strategy_of("first_frame")(pinned, rope, True), asked
