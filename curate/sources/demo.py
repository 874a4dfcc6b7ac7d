"""The source `demo`: talking heads made on the spot, offline, and the same bytes each time.

Every choice is drawn from the identity of what it belongs to (the seed and a speaker or a clip), so the
first clips of a long demo are the clips of a short one. Speakers' pitch spreads smoothly over people's range
instead of in two clumps, formants follow it only loosely, and loudness, noise and colour do not follow it at
all. One clip in twelve is made to be rejected and says so in its label `flaw`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import Field

from curate.errors import CurateError
from curate.media.audio import loudness_lufs
from curate.media.video import write_video
from curate.records import Record
from curate.sources.demo_cast import Speaker, pitch_setting, rng, speaker
from curate.sources.demo_head import Look, Pose, draw_frames

Flaw = Literal["whispered", "too_short", "two_speakers", "silent"]
Wave = npt.NDArray[np.float64]  # (T,) at SAMPLE_RATE_HZ

SAMPLE_RATE_HZ = 48_000
SPEECH_PROGRAM = Path(__file__).with_name("demo_speech.py")
LICENCE = "CC0-1.0 (synthetic)"
FLAW_EVERY = 12
FLAWLESS_FIRST = 6
CLIPS_PER_SPEAKER = (0.15, 0.27, 0.25, 0.17, 0.1, 0.06)  # chance of 1, 2, ... clips; 3 on average
SENTENCES_PER_TURN = 5
PEAK = 0.75  # AAC overshoots: 0.9 came back as 1.05


class Demo(Record):
    """The config of the source."""

    clips: int = Field(24, ge=1, le=100_000, description="How many clips to make.")
    size: int = Field(256, ge=64, le=1024, multiple_of=2, description="Width and height in pixels.")
    seed: int = Field(0, ge=0, description="Another seed is another cast.")


class Turn(Record):
    """One voice speaking for some seconds; what `demo_speech.py` reads."""

    language: str
    voice: str
    hz: float | None = Field(description="The median pitch to reach; None for a whisper.")
    pitch: float
    pitch_range: float
    tract: float
    words_per_minute: int
    sentences: tuple[str, ...]
    pauses_s: tuple[float, ...]
    seconds: float


class DemoClip(Record):
    """One clip with every choice made and nothing drawn; no turns is silence."""

    name: str
    speaker: str
    language: str
    flaw: Flaw | None
    demo_hz: float | None
    turns: tuple[Turn, ...]
    loudness_lufs: float
    snr_db: float
    tilt_db_per_octave: float
    fps: int
    frames: int
    size: int
    look: Look
    motion_seed: int
    noise_seed: int


def demo_plan(config: Demo) -> list[DemoClip]:
    """All clips of a demo; the first of them do not depend on how many there are."""
    places = islice(_places(config.seed), config.clips)
    return [_plan_clip(config, index, number, nth) for index, (number, nth) in enumerate(places)]


def _places(seed: int) -> Iterator[tuple[int, int]]:
    """For each clip in turn, the speaker's number and which of the speaker's clips it is."""
    for number in count():
        clips = 1 + int(rng(seed, number, "clips").choice(len(CLIPS_PER_SPEAKER), p=CLIPS_PER_SPEAKER))
        yield from ((number, nth) for nth in range(clips))


def _plan_clip(config: Demo, index: int, number: int, nth: int) -> DemoClip:
    person = speaker(config.seed, number)
    draw = rng(config.seed, index, "clip")
    flaw = planned_flaw(config.seed, index)
    fps = int(draw.choice([24, 25, 30]))
    frames = int(np.ceil(fps * (3.0 if flaw == "too_short" else draw.uniform(5.0, 5.9))))
    hz = person.hz * 2 ** (float(draw.uniform(-1, 1)) / 12)
    turns = _turns(person, draw, flaw, hz, frames / fps, nth)
    return DemoClip(
        name=f"demo-{index:04d}",
        speaker=person.name,
        language=person.language,
        flaw=flaw,
        demo_hz=turns[0].hz if len(turns) == 1 else None,
        turns=turns,
        loudness_lufs=float(draw.uniform(-30, -18)),
        snr_db=float(draw.uniform(25, 45)),
        tilt_db_per_octave=float(draw.uniform(-2.5, 2.5)),
        fps=fps,
        frames=frames,
        size=config.size,
        look=person.look,
        motion_seed=int(draw.integers(2**32)),
        noise_seed=int(draw.integers(2**32)),
    )


def planned_flaw(seed: int, index: int) -> Flaw | None:
    """One clip of each dozen is flawed, the kinds take turns, and the first six clips are not."""
    dozen, place = divmod(index, FLAW_EVERY)
    first = FLAWLESS_FIRST if dozen == 0 else 0
    if place != rng(seed, dozen, "flaw").integers(first, FLAW_EVERY):
        return None
    kinds: tuple[Flaw, ...] = get_args(Flaw)
    return kinds[(dozen + int(rng(seed, "flaws").integers(len(kinds)))) % len(kinds)]


def _turns(
    person: Speaker, draw: np.random.Generator, flaw: Flaw | None, hz: float, seconds: float, nth: int
) -> tuple[Turn, ...]:
    if flaw == "silent":
        return ()
    if flaw == "whispered":
        return (_turn(person, draw, "whisper", None, seconds, nth),)
    if flaw == "two_speakers":
        low_hz, high_hz = float(draw.uniform(90, 110)), float(draw.uniform(200, 240))
        low = _turn(person, draw, "male5", low_hz, seconds / 2, nth)
        return low, _turn(person, draw, "female2", high_hz, seconds / 2, nth + 1)
    return (_turn(person, draw, person.voice, hz, seconds, nth),)


def _turn(
    person: Speaker, draw: np.random.Generator, voice: str, hz: float | None, seconds: float, nth: int
) -> Turn:
    sentences = np.roll(np.array(person.sentences), -3 * nth)[:SENTENCES_PER_TURN]
    pauses_s = (draw.uniform(0.1, 0.5), *draw.uniform(0.4, 0.9, SENTENCES_PER_TURN - 1))
    return Turn(
        language=person.language,
        voice=voice,
        hz=hz,
        pitch=1.0 if hz is None else pitch_setting(voice, hz / person.tract),
        pitch_range=person.pitch_range,
        tract=person.tract,
        words_per_minute=person.words_per_minute,
        sentences=tuple(str(sentence) for sentence in sentences),
        pauses_s=tuple(float(pause_s) for pause_s in pauses_s),
        seconds=seconds,
    )


def make_demo_clip(plan: DemoClip, folder: Path) -> Path:
    """Write `NAME.mp4` with its sidecar `NAME.json` into `folder` and return the mp4's path.

    The same plan gives the same bytes, in any order and any process. The mp4 appears last and whole. Raises
    CurateError when the synthesizer cannot run or the folder cannot be written.
    """
    speech = speak(plan)
    frames = draw_frames(plan.look, poses(plan, mouth(speech, plan.fps, plan.frames)), plan.size)
    wave = recorded(plan, speech).astype(np.float32)
    path, draft = folder / f"{plan.name}.mp4", folder / f".{plan.name}.partial"
    sidecar = json.dumps(labels(plan), indent=1, ensure_ascii=False) + "\n"
    try:
        path.with_suffix(".json").write_text(sidecar, "utf-8", newline="\n")
        write_video(draft, frames, plan.fps, wave, SAMPLE_RATE_HZ)
        os.replace(draft, path)
    except OSError as error:  # libav's errors on files are OSErrors too
        raise CurateError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return path


def labels(plan: DemoClip) -> dict[str, str]:
    """What the sidecar of a clip says."""
    found = {"speaker": plan.speaker, "language": plan.language, "licence": LICENCE}
    if plan.demo_hz is not None:
        found["demo_hz"] = f"{plan.demo_hz:.2f}"
    if plan.flaw is not None:
        found["flaw"] = plan.flaw
    return found


def speak(plan: DemoClip) -> Wave:
    """The speech of a clip without noise; a fresh process each time, as `demo_speech.py` explains."""
    samples = round(plan.frames / plan.fps * SAMPLE_RATE_HZ)
    if not plan.turns:
        return np.zeros(samples)
    turns = json.dumps([turn.model_dump() for turn in plan.turns])
    command = [sys.executable, "-P", str(SPEECH_PROGRAM)]
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # starting more takes longer than all the speech
    done = subprocess.run(command, input=turns.encode(), capture_output=True, check=False, env=one_thread)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise CurateError(f"{plan.name}: the speech synthesizer failed: {' '.join(reason)}")
    wave = np.frombuffer(done.stdout, "<f4").astype(np.float64)
    return np.pad(wave, (0, max(0, samples - len(wave))))[:samples]


def recorded(plan: DemoClip, speech: Wave) -> Wave:
    """The speech as a microphone in a room would give it: coloured, at the planned loudness, with noise."""
    if not plan.turns:
        return speech
    coloured = tilted(speech, plan.tilt_db_per_octave)
    gain = 10 ** ((plan.loudness_lufs - loudness_lufs(coloured, SAMPLE_RATE_HZ)) / 20)
    noise = tilted(np.random.default_rng(plan.noise_seed).standard_normal(len(speech)), -3.0)
    speech_rms, noise_rms = np.sqrt(np.mean(coloured**2)), np.sqrt(np.mean(noise**2))
    wave = gain * (coloured + noise * speech_rms / noise_rms * 10 ** (-plan.snr_db / 20))
    quieter: Wave = wave * min(1.0, PEAK / float(np.abs(wave).max()))
    return quieter


def tilted(wave: Wave, db_per_octave: float) -> Wave:
    """The wave with a spectrum that rises or falls around 1 kHz, between 60 Hz and 12 kHz."""
    hertz = np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE_HZ)
    octaves = np.log2(np.clip(hertz, 60, 12_000) / 1000)
    shaped: Wave = np.fft.irfft(np.fft.rfft(wave) * 10 ** (db_per_octave * octaves / 20), len(wave))
    return shaped


def mouth(speech: Wave, fps: int, frames: int) -> Wave:
    """How far the mouth is open in each frame, (F,) from 0 to 1: the loudness while the frame is shown."""
    edges = np.round(np.arange(frames + 1) * SAMPLE_RATE_HZ / fps).astype(int)
    energy = np.concatenate([[0.0], np.cumsum(speech**2)])
    level_db = 10 * np.log10(np.diff(energy[edges]) / np.diff(edges) + 1e-9)
    opening = np.clip((level_db - max(level_db.max(), -40.0) + 26) / 22, 0, 1)
    smooth: Wave = np.convolve(np.pad(opening, 1, mode="edge"), [0.2, 0.6, 0.2], mode="valid")
    return smooth


def poses(plan: DemoClip, lips: Wave) -> list[Pose]:
    """Slow sway, small nods with the speech, and a blink every few seconds."""
    draw = np.random.default_rng(plan.motion_seed)
    seconds = np.arange(plan.frames) / plan.fps
    hertz, phase = draw.uniform(0.1, 0.6, (4, 2, 1)), draw.uniform(0, 2 * np.pi, (4, 2, 1))
    x, y, roll, gaze = np.sin(2 * np.pi * hertz * seconds + phase).mean(axis=1)  # each (F,)
    nod = np.convolve(np.pad(lips, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    blinks_s = np.cumsum(draw.uniform(1.2, 3.2, 6))
    lids = np.clip(np.abs(seconds[:, None] - blinks_s).min(axis=1) / 0.12, 0.0, 1.0)
    moved = np.stack([0.06 * x, 0.03 * y + 0.06 * nod, 0.06 * roll, gaze, lids, lips], axis=1)  # (F, 6)
    return [Pose(*row) for row in moved.tolist()]
