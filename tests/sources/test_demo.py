"""The demo source: choices by identity, pitch without clumps, files that the judges agree on."""

import hashlib
import json
import math
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from curate.errors import CurateError
from curate.media.audio import loudness_lufs, read_audio
from curate.media.pitch import cents, judge_one, judge_two
from curate.media.speech import two_registers
from curate.media.video import probe, read_frames
from curate.sources.demo import Demo, DemoClip, demo_plan, make_demo_clip, mouth, speak
from curate.sources.demo_cast import speaker
from curate.sources.demo_head import Pose, draw_frames

STILL = Pose(x=0, y=0, roll=0, gaze=0, lids=1, lips=0)


@pytest.fixture(scope="module")
def plan() -> list[DemoClip]:
    return demo_plan(Demo(clips=600, size=64))


@pytest.fixture(scope="module")
def made(plan: list[DemoClip], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One clip of each kind of flaw and six sound ones of different speakers, by name."""
    folder = tmp_path_factory.mktemp("demo")
    flawed = {clip.flaw: clip for clip in reversed(plan) if clip.flaw}
    sound = {clip.speaker: clip for clip in reversed(plan) if not clip.flaw}
    wanted = [*flawed.values(), *sorted(sound.values(), key=lambda clip: clip.name)[:6]]
    return {clip.name: make_demo_clip(clip, folder) for clip in wanted}


def sound_clips(plan: list[DemoClip], made: dict[str, Path]) -> list[DemoClip]:
    return [clip for clip in plan if clip.name in made and clip.flaw is None]


def flawed_path(plan: list[DemoClip], made: dict[str, Path], flaw: str) -> Path:
    return next(made[clip.name] for clip in plan if clip.name in made and clip.flaw == flaw)


def sha256s(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**40), few=st.integers(1, 30), more=st.integers(0, 30))
def test_the_first_clips_do_not_depend_on_how_many_there_are(seed: int, few: int, more: int) -> None:
    long = demo_plan(Demo(clips=few + more, seed=seed))
    assert long[:few] == demo_plan(Demo(clips=few, seed=seed))


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**40))
def test_one_clip_of_each_dozen_is_flawed_and_none_of_the_first_six(seed: int) -> None:
    flaws = [clip.flaw for clip in demo_plan(Demo(clips=48, seed=seed))]
    assert flaws[:6] == [None] * 6
    assert [sum(flaw is not None for flaw in flaws[dozen : dozen + 12]) for dozen in (0, 12, 24, 36)] == [
        1
    ] * 4
    assert Counter(flaws) == {None: 44, "whispered": 1, "too_short": 1, "two_speakers": 1, "silent": 1}


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**40))
def test_a_plan_survives_the_way_to_another_process(seed: int) -> None:
    for clip in demo_plan(Demo(clips=3, seed=seed)):
        assert DemoClip.model_validate(json.loads(clip.model_dump_json())) == clip


def test_speakers_have_one_to_six_clips_and_three_on_average(plan: list[DemoClip]) -> None:
    sizes = Counter(clip.speaker for clip in plan)
    assert set(sizes.values()) == {1, 2, 3, 4, 5, 6}
    assert 2.5 < np.mean(list(sizes.values())) < 3.5


def test_the_pitch_of_the_pool_is_one_smooth_hump(plan: list[DemoClip]) -> None:
    hz = [clip.demo_hz for clip in plan if clip.demo_hz is not None]
    counts, _ = np.histogram(np.log(hz), np.log(np.geomspace(80, 272, 8)))  # seven bins of three semitones
    assert counts.sum() == len(hz)
    assert max(counts[2:5]) == max(counts)
    assert min(counts[2:5]) > 0.75 * max(counts)  # two clumps would leave a valley here
    assert list(counts[:3]) == sorted(counts[:3])
    assert list(counts[4:]) == sorted(counts[4:], reverse=True)


@pytest.mark.parametrize("field", ["loudness_lufs", "snr_db", "tilt_db_per_octave", "fps"])
def test_loudness_noise_colour_and_rate_do_not_follow_pitch(plan: list[DemoClip], field: str) -> None:
    pairs = [(math.log(clip.demo_hz), getattr(clip, field)) for clip in plan if clip.demo_hz is not None]
    r = np.corrcoef(np.array(pairs).T)[0, 1]
    assert abs(r) < 0.12  # 99.5 % of independent draws at n = 550


def test_higher_voices_have_shorter_tracts_but_loosely(plan: list[DemoClip]) -> None:
    people = {clip.speaker: clip for clip in plan if len(clip.turns) == 1 and clip.demo_hz}
    pairs = [(math.log(clip.demo_hz or 0), clip.turns[0].tract) for clip in people.values()]
    assert 0.2 < np.corrcoef(np.array(pairs).T)[0, 1] < 0.7


def test_speakers_do_not_look_alike_to_a_perceptual_hash() -> None:
    frames = [draw_frames(speaker(0, number).look, [STILL], 128)[0] for number in range(40)]
    hashes = [imagehash.phash(Image.fromarray(frame)) for frame in frames]
    nearest = min(one - other for i, one in enumerate(hashes) for other in hashes[:i])
    moved = Pose(x=0.06, y=0.06, roll=0.05, gaze=1, lids=0, lips=1)
    same = [
        imagehash.phash(Image.fromarray(draw_frames(speaker(0, n).look, [moved], 128)[0])) for n in range(40)
    ]
    assert nearest > 10
    assert np.median([one - other for one, other in zip(hashes, same, strict=True)]) < 8


def test_the_mouth_opens_with_loudness_and_shows_it() -> None:
    seconds = np.arange(48_000) / 48_000
    loud = (seconds > 0.5) * np.sin(2 * np.pi * 150 * seconds)
    lips = mouth(loud, 25, 25)
    assert lips.shape == (25,)
    assert lips[:11].max() == 0.0
    assert lips[14:].min() > 0.9
    assert mouth(np.zeros(48_000), 25, 25).max() == 0.0
    look = speaker(0, 0).look
    shut, half, wide = (draw_frames(look, [STILL._replace(lips=lips)], 128)[0] for lips in (0.0, 0.5, 1.0))
    assert 30 < np.any(shut != half, axis=-1).sum() < np.any(shut != wide, axis=-1).sum() < 0.1 * 128 * 128


def test_judges_hear_the_planned_pitch(plan: list[DemoClip], made: dict[str, Path]) -> None:
    for clip in sound_clips(plan, made):
        wave = read_audio(made[clip.name], 0.0, clip.frames / clip.fps, 16_000)
        one, two = judge_one(wave, 16_000), judge_two(wave, 16_000)
        assert clip.demo_hz is not None
        assert abs(cents(one.median_hz, clip.demo_hz)) < 60
        assert abs(cents(one.median_hz, two.median_hz)) < 50
        assert 0.35 < one.voiced_share < 0.8
        assert not two_registers(one)


def test_files_hold_what_was_planned(plan: list[DemoClip], made: dict[str, Path]) -> None:
    for clip in sound_clips(plan, made):
        found = probe(made[clip.name])
        assert (found.width, found.height, found.fps, found.sample_rate_hz) == (64, 64, clip.fps, 48_000)
        assert found.seconds == pytest.approx(clip.frames / clip.fps, abs=0.01)
        assert 5.0 <= found.seconds < 6.0
        wave = read_audio(made[clip.name], 0.0, found.seconds, 48_000)
        peak, quieter_db = np.abs(wave).max(), clip.loudness_lufs - loudness_lufs(wave, 48_000)
        assert peak < 1.0
        assert -1.0 < quieter_db < (6.0 if peak > 0.6 else 1.0)  # peaks bound the loudness
        assert json.loads(made[clip.name].with_suffix(".json").read_text("utf-8")) == {
            "speaker": clip.speaker,
            "language": clip.language,
            "licence": "CC0-1.0 (synthetic)",
            "demo_hz": f"{clip.demo_hz:.2f}",
        }


def test_the_mouth_in_the_file_follows_its_sound(plan: list[DemoClip], made: dict[str, Path]) -> None:
    clip = sound_clips(plan, made)[0]
    still = draw_frames(clip.look, [STILL], 64)[0].astype(float)
    lips = mouth(speak(clip), clip.fps, clip.frames)
    video = read_frames(made[clip.name], start_s=0, frames=clip.frames, fps=clip.fps, width=64, height=64)
    x, y, unit = (round(64 * share) for share in (clip.look.x_share, clip.look.y_share, clip.look.head_share))
    patch = np.s_[..., y + unit // 2 : y + unit, x - unit // 3 : x + unit // 3, :]
    changed = np.abs(video[patch] - still[patch]).mean(axis=(1, 2, 3))  # (F,)
    assert np.corrcoef(changed, lips)[0, 1] > 0.6


def test_flaws_are_what_they_say(plan: list[DemoClip], made: dict[str, Path]) -> None:
    short = flawed_path(plan, made, "too_short")
    assert probe(short).seconds == pytest.approx(3.0)
    for flaw in ("whispered", "silent", "two_speakers"):
        path = flawed_path(plan, made, flaw)
        wave = read_audio(path, 0.0, 5.0, 16_000)
        assert json.loads(path.with_suffix(".json").read_text("utf-8"))["flaw"] == flaw
        if flaw == "two_speakers":
            assert two_registers(judge_one(wave, 16_000))
        else:
            assert judge_two(wave, 16_000).voiced_share < 0.05
            assert judge_one(wave, 16_000).voiced_share < 0.2
    silent = read_audio(flawed_path(plan, made, "silent"), 0.0, 5.0, 16_000)
    assert np.abs(silent).max() == 0.0


def test_the_bytes_depend_on_neither_order_nor_process(
    plan: list[DemoClip], made: dict[str, Path], tmp_path: Path
) -> None:
    clips = sound_clips(plan, made)[:2]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        list(pool.map(make_demo_clip, reversed(clips), [tmp_path, tmp_path]))
    names = sorted(
        path.name for clip in clips for path in (made[clip.name], made[clip.name].with_suffix(".json"))
    )
    before = sha256s(made[clips[0].name].parent)
    assert sha256s(tmp_path) == {name: before[name] for name in names}


def test_a_voice_that_cannot_speak_is_one_clear_error(plan: list[DemoClip], tmp_path: Path) -> None:
    turn = plan[0].turns[0].model_copy(update={"language": "Klingon"})
    with pytest.raises(CurateError, match=r"demo-0000: the speech synthesizer failed: .*Klingon"):
        make_demo_clip(plan[0].model_copy(update={"turns": (turn,)}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_clear_error(plan: list[DemoClip], tmp_path: Path) -> None:
    silent = plan[0].model_copy(update={"turns": ()})
    with pytest.raises(CurateError, match=r"demo-0000\.mp4: cannot be written: No such file"):
        make_demo_clip(silent, tmp_path / "missing")


@pytest.mark.parametrize("wrong", [{"clips": 0}, {"size": 63}, {"size": 2048}, {"seed": -1}, {"speakers": 3}])
def test_the_config_refuses_what_it_cannot_do(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Demo.model_validate(wrong)
