"""The evaluation of a helium LoRA: one prompt, the tone swept, with and without the LoRA, and what is heard each time.

The tones are those of the set's own sweep (`curate build --with-controls` puts SET.sweep beside SET), or else made
here. Every take is kept in RUN/sweep as soon as it is heard, with what it was made of, so a sweep can be stopped.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from curate.encode.decode import decode_audio
from curate.errors import CurateError
from curate.files import write_atomic
from curate.manifest import MANIFEST
from curate.media.tone import draw_timbre
from curate.progress import Reporter
from curate.records import canonical, number, rng, sha256_of
from curate.sample.cases import blank, first_sample, toned, with_target_sound
from curate.sample.gallery import texts
from curate.sample.generate import generate
from curate.sample.look import Opened
from curate.sample.meter import listen
from curate.sample.slope import SweepReport, Take, sweep_report
from curate.sample.wear import wearing
from curate.train.data import LatentSample, TrainingSet
from curate.train.flow import Text
from curate.train.strategy import Rope, strategy_of

CODE_VERSION = "1"  # raise it when the same run would give other takes
STRENGTHS = (0.0, 0.3, 0.5, 1.0)  # 0 is the base model, 0.3 to 0.5 the card's working band
TAKES = "takes.jsonl"


@dataclass(frozen=True)
class Tone:
    """A reference to generate with: where its timbre is from, its pitch, and the latents to be given."""

    source: str
    hz: float
    sample: LatentSample


def sweep(run: Opened, reporter: Reporter) -> SweepReport:
    """Generate and hear every take that is not there yet, with the run's last LoRA file, and report on all.

    Raises CurateError for a run that has no reference sound or no range of tones.
    """
    if run.run.strategy != "audio_reference":
        raise CurateError(
            f"{run.folder}: was trained as {run.run.strategy}, a sweep of tones wants audio_reference"
        )
    caption = first_sample(run.dataset).record.caption
    given = tones(run)
    text = texts(run.stack, run.dataset, [caption])[caption]
    step, lora = max(run.loras.items())
    made_of = sha256_of(
        [CODE_VERSION, hashlib.sha256(lora.read_bytes()).hexdigest(), run.run.transformer_sha256]
    )
    path = run.folder / "sweep" / TAKES
    heard = _heard(path)
    write_atomic(path, b"".join(_line(key, take) for key, take in heard.items()))  # without a torn last line
    wanted = [
        (strength, tone, seed)
        for strength in STRENGTHS
        for tone in given
        for seed in range(run.config.sample.sweep_seeds)
    ]
    keys = [_key(run, made_of, *take) for take in wanted]
    todo = [(key, take) for key, take in zip(keys, wanted, strict=True) if key not in heard]
    if todo:
        transformer = run.transformer()
        for key, (strength, tone, seed) in reporter.track("sweep", todo, len(todo)):
            with wearing(transformer, lora, strength):
                take = _take(run, transformer, tone, text, strength, seed)
            heard[key] = take
            with path.open("ab") as stream:
                stream.write(_line(key, take))
    report = sweep_report([heard[key] for key in keys], run.config.sample.seed, run.stack.trained)
    write_atomic(run.folder / "sweep" / f"step-{step:05d}.json", canonical(report))
    return report


def tones(run: Opened) -> list[Tone]:
    """The tones to try: of the set's sweep where it is there, else `sweep_tones` pitches in `sweep_sources` timbres."""
    own = with_target_sound(blank(first_sample(run.dataset), run.config.sample.frames))
    beside = run.dataset.folder.resolve()
    beside = beside.with_name(f"{beside.name}.sweep")
    if (beside / MANIFEST).is_file():
        return list(_of_the_set(run, beside, own))
    asked = run.config.sample
    if len(asked.tones) < 2:
        raise CurateError(
            "sample.tones is empty; a sweep wants two ends, such as --set 'sample.tones=[76, 353]'"
        )
    pitches_hz = np.geomspace(min(asked.tones), max(asked.tones), asked.sweep_tones)
    return [
        Tone(source, round(float(hz), 4), toned(own, float(hz), run.stack, draw_timbre(rng(asked.seed, source)), source).sample)
        for source in (f"timbre {count}" for count in range(1, asked.sweep_sources + 1))
        for hz in pitches_hz
    ]  # fmt: skip


def _of_the_set(run: Opened, folder: Path, own: LatentSample) -> Iterator[Tone]:
    """The tones of SET.sweep whose pitch is swept, at their measured pitch."""
    swept = TrainingSet(folder, sweep=True)
    if (swept.build.control_of, swept.build.encoder_sha256) != (
        run.dataset.build.content_id,
        run.dataset.build.encoder_sha256,
    ):
        raise CurateError(
            f"{folder / MANIFEST}: is a sweep of another set or encoder than {run.dataset.folder}; build it again --with-controls"
        )
    for key in swept.keys("heldout"):
        tone = swept.read("heldout", key)
        if tone.record.choices.get("sweep") == "pitch":
            latents = {**own.latents, "reference_audio_latents": tone.latents["reference_audio_latents"]}
            hz = number(tone.record.measured, "tone_hz")
            yield Tone(str(tone.record.attributes["pair"]), hz, LatentSample(own.record, latents))


def _take(run: Opened, transformer: Any, tone: Tone, text: Text, strength: float, seed: int) -> Take:
    scene = strategy_of(run.run.strategy)(tone.sample, Rope(transformer), False)
    made = generate(
        transformer, run.stack.load_scheduler(), scene, text, None,
        steps=run.config.sample.inference_steps, guidance=1.0, seed=seed, identity=f"sweep {tone.source}",  # clusters must not share their noise
    )  # fmt: skip
    if made.audio is None:
        raise CurateError(f"{run.run.strategy} gave no sound to hear")
    wave = decode_audio(run.stack, made.audio.numpy())
    return Take(
        strength=strength, tone_hz=tone.hz, source=tone.source, seed=seed, heard=listen(wave, tone.hz)
    )


def _key(run: Opened, made_of: str, strength: float, tone: Tone, seed: int) -> str:
    """Of everything that shapes a take; the base model's do not depend on the LoRA."""
    reference = tone.sample.latents["reference_audio_latents"].contiguous()
    given = hashlib.sha256(reference.view(torch.uint8).numpy().tobytes()).hexdigest()
    target = tuple(tone.sample.latents["video_latents"].shape)
    lora = made_of if strength else sha256_of([CODE_VERSION, run.run.transformer_sha256])
    caption = tone.sample.record.caption
    return sha256_of(
        [
            lora,
            given,
            list(target),
            caption,
            tone.source,
            strength,
            seed,
            run.config.sample.inference_steps,
            run.dataset.sha256,
        ]
    )


def _heard(path: Path) -> dict[str, Take]:
    """The takes that are there, by key; a torn last line is none."""
    found = dict[str, Take]()
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            held = json.loads(line)
            found[held["key"]] = Take.model_validate(held["take"])
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _line(key: str, take: Take) -> bytes:
    return canonical({"key": key, "take": take.model_dump(mode="json")}) + b"\n"
