"""The evaluation of a helium LoRA: one prompt, the tone swept, with and without the LoRA, and what is heard each time.

The tones are those of the set's own sweep (`curate build --with-controls` puts SET.sweep beside SET), or else made
here. Every take is kept in RUN/sweep as soon as it is heard, with what it was made of, so a sweep can be stopped.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
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
from curate.records import canonical, rng, sha256_of
from curate.sample.cases import blank, first_sample, toned, with_target_sound
from curate.sample.gallery import texts
from curate.sample.generate import generate, without_stg
from curate.sample.look import WAYS, Opened, refuse
from curate.sample.meter import LEAST_S, listen
from curate.sample.slope import SweepReport, Take, sweep_report
from curate.sample.wear import wearing
from curate.train.data import LatentSample, TrainingSet
from curate.train.flow import Text
from curate.train.guard import naming_memory
from curate.train.strategy import Rope, strategy_of

CODE_VERSION = "1"  # raise it when the same run would give other takes
STRENGTHS = (0.0, 0.3, 0.5, 1.0)  # 0 is the base model, 0.3 to 0.5 the card's working band
TAKES = "takes.jsonl"
GENERATING = {"inference_steps", "sigmas", "guidance_scale", "negative_prompt", "stg_scale", "stg_blocks"}


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
    refuse(
        run,
        {
            "strength": f"a sweep goes over the strengths {', '.join(f'{s:g}' for s in STRENGTHS)}",
            "pin_strength": "is for sets of strategy first_frame",
        },
    )
    given, asked = tones(run), run.config.sample
    step, lora = max(run.loras.items())
    wanted = [
        (strength, tone, seed)
        for strength in STRENGTHS
        for tone in given
        for seed in range(asked.sweep_seeds)
    ]
    of_lora = hashlib.sha256(lora.read_bytes()).hexdigest()
    keys = [_key(run, of_lora if strength else None, strength, tone, seed) for strength, tone, seed in wanted]
    path = run.folder / "sweep" / TAKES
    heard = _heard(path)
    write_atomic(path, b"".join(_line(key, take) for key, take in heard.items()))  # without a torn last line
    todo = [(key, *take) for key, take in zip(keys, wanted, strict=True) if key not in heard]
    with naming_memory("sampling", WAYS):
        for key, take in _taken(run, todo, lora, reporter):
            heard[key] = take
            with path.open("ab") as stream:
                stream.write(_line(key, take))
    report = sweep_report([heard[key] for key in keys], asked.seed, run.stack.trained)
    write_atomic(run.folder / "sweep" / f"step-{step:05d}.json", canonical(report))
    return report


def _taken(
    run: Opened, todo: Sequence[tuple[str, float, Tone, int]], lora: Path, reporter: Reporter
) -> Iterator[tuple[str, Take]]:
    """Every take, by key; strengths follow each other, so the adapter is put on once for each."""
    if not todo:
        return
    caption, unwanted = todo[0][2].sample.record.caption, run.config.sample.negative_prompt
    said = texts(
        run.stack, run.dataset, [caption, *([unwanted] if run.config.sample.guidance_scale > 1 else [])]
    )
    transformer = run.transformer()
    if line := without_stg(transformer, run.config.sample):
        reporter.note(line)
    tracked = reporter.track("sweep", todo, len(todo))
    for strength, group in groupby(tracked, key=lambda entry: entry[1]):
        with wearing(transformer, lora, strength):
            for key, _, tone, seed in group:
                yield key, _take(run, transformer, tone, said[caption], said.get(unwanted), strength, seed)


def tones(run: Opened) -> list[Tone]:
    """The tones to try: of the set's sweep where it is there, else `sweep_tones` pitches in `sweep_sources` timbres."""
    own = with_target_sound(blank(first_sample(run.dataset), run.config.sample.frames))
    beside = Path(os.path.realpath(run.dataset.folder))
    beside = beside.with_name(f"{beside.name}.sweep")
    asked, least_s = run.config.sample, LEAST_S + 0.02  # the vocoder gives a little less
    if own.latents["audio_latents"].shape[1] / 25 < least_s:
        raise CurateError(
            f"sample.frames is {asked.frames}, too short to hear a pitch; wanted {LEAST_S:g} s or more"
        )
    if (beside / MANIFEST).is_file():
        refuse(
            run, dict.fromkeys(("tones", "sweep_tones", "sweep_sources"), f"the tones are those of {beside}")
        )
        return list(_of_the_set(run, beside, own))
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
    found = [
        _tone(swept.read("heldout", key), own, f"{folder}: {key}")
        for key in swept.keys("heldout")
        if swept.record("heldout", key).choices.get("sweep") == "pitch"
    ]
    if not found:
        raise CurateError(f"{folder}: holds no tones whose pitch is swept; build it again --with-controls")
    yield from found


def _tone(tone: LatentSample, own: LatentSample, where: str) -> Tone:
    """A tone of a set's sweep. Raises CurateError for a record that does not say whose and how high it is."""
    hz, pair = tone.record.measured.get("tone_hz"), tone.record.attributes.get("pair")
    reference = tone.latents.get("reference_audio_latents")
    if not isinstance(hz, int | float) or pair is None or reference is None:
        raise CurateError(f"{where}: tone_hz is {hz!r} and pair {pair!r}, wanted a tone of a pair")
    return Tone(
        str(pair), float(hz), LatentSample(own.record, {**own.latents, "reference_audio_latents": reference})
    )


def _take(
    run: Opened, transformer: Any, tone: Tone, text: Text, unwanted: Text | None, strength: float, seed: int
) -> Take:
    scene = strategy_of(run.run.strategy)(tone.sample, Rope(transformer), False)
    made = generate(
        transformer, run.stack.load_scheduler(), scene, text, unwanted, config=run.config.sample, seed=seed,
        identity=f"sweep {tone.source}",  # clusters must not share their noise
    )  # fmt: skip
    if made.audio is None:
        raise CurateError(f"{run.run.strategy} gave no sound to hear")
    wave = decode_audio(run.stack, made.audio.numpy())
    return Take(
        strength=strength, tone_hz=tone.hz, source=tone.source, seed=seed, heard=listen(wave, tone.hz)
    )


def _key(run: Opened, lora: str | None, strength: float, tone: Tone, seed: int) -> str:
    """Of everything that shapes a take; the base model's do not depend on the LoRA."""
    reference = tone.sample.latents["reference_audio_latents"].contiguous()
    given = hashlib.sha256(reference.view(torch.uint8).numpy().tobytes()).hexdigest()
    how = run.config.sample.model_dump(include=GENERATING)
    size = list(tone.sample.latents["video_latents"].shape)
    model = [run.run.transformer_sha256, run.dataset.sha256, run.config.precision]
    return sha256_of([CODE_VERSION, model, lora, strength, given, tone.source, size, seed, how])


def _heard(path: Path) -> dict[str, Take]:
    """The takes that are there, by key; a torn last line is none."""
    found = dict[str, Take]()
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            held = json.loads(line)
            found[held["key"]] = Take.model_validate(held["take"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def _line(key: str, take: Take) -> bytes:
    return canonical({"key": key, "take": take.model_dump(mode="json")}) + b"\n"
