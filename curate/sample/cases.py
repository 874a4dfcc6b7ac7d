"""What there is to look at for a run: a column each, as its seed's card shows it.

Sets without references have prompts. A reference sound has tones across the band, under one caption of the set. Video
references and pins have samples of the set, held-out ones first, with what was given shown beside the result; prompts
give the sheets of these samples other things to do, and pictures in place of first frames are swapped for others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from curate.encode.audio import encode_audio
from curate.encode.decode import decode_video
from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.media.tone import Timbre, render_tone
from curate.records import SPLITS, rng
from curate.sample.generate import BINS, CHANNELS, sound_steps
from curate.sample.pinned import first_frames, starting_with
from curate.train.config import SampleConfig
from curate.train.data import LatentSample, TrainingSet

Picture = NDArray[np.uint8]  # (H, W, 3)
REFERENCE_S = 2.0
# the middle of what helium draws, without vibrato: one timbre for all tones, so that only the pitch differs
PLAIN = Timbre(-7.5, 0.6, (600.0, 1600.0, 3000.0), (8.0, 8.0, 8.0), (190.0, 190.0, 190.0), 5.5, 0.0, 4.0, -35.0, 0.06)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One thing to generate: what is given, and the noise to begin with (by `identity`)."""

    label: str
    caption: str
    sample: LatentSample  # its targets are replaced by noise
    identity: str
    beside: Picture | None = None  # what was given, to look at
    first: Picture | None = None  # the picture that its first frame is: not to be shown, for no model made it


def cases(dataset: TrainingSet, config: SampleConfig, stack: Stack) -> list[Case]:
    """The columns of a run's contact sheet. Raises CurateError where its set or its settings give none."""
    strategy = dataset.build.strategy
    if config.pin_strength < 1 and strategy != "first_frame":
        raise CurateError(f"sample.pin_strength is {config.pin_strength:g}, but {strategy} pins no frames")
    own = blank(first_sample(dataset), config.frames)
    if strategy == "text_to_video":
        if not config.prompts:
            raise CurateError(
                "sample.prompts is empty; give some, such as --set 'sample.prompts=[a red ball]'"
            )
        return [Case(prompt, prompt, own, "prompt") for prompt in config.prompts]
    if strategy == "audio_reference":
        if not config.tones:
            raise CurateError(
                "sample.tones is empty; give pitches in Hz, such as --set 'sample.tones=[76, 353]'"
            )
        return [toned(with_target_sound(own), hz, stack, PLAIN) for hz in config.tones]
    if config.frames is not None:
        raise CurateError(
            f"sample.frames is {config.frames}, but {strategy} shows samples of the set as long as they are"
        )
    shown = [_shown(sample, strategy, stack) for sample in islice(_samples(dataset), config.cases)]
    if strategy == "first_frame":
        return [case for own in shown for case in _pinned(own, dataset, stack)]
    return [*shown, *(_prompted(prompt, number, shown) for number, prompt in enumerate(config.prompts))]


def first_sample(dataset: TrainingSet) -> LatentSample:
    """The sample whose size and caption stand for the set. Raises CurateError for an empty set."""
    found = next(_samples(dataset), None)
    if found is None:
        raise CurateError(f"{dataset.folder}: holds no sample to take a size from")
    return found


def with_target_sound(own: LatentSample) -> LatentSample:
    """The sample itself. Raises CurateError for a picture, which no reference sound can move."""
    if "audio_latents" not in own.latents:
        raise CurateError("sample.frames is 1, and pictures have no sound; a reference sound wants a video")
    return own


def toned(own: LatentSample, hz: float, stack: Stack, timbre: Timbre, source: str = "plain") -> Case:
    """A tone of a pitch as the reference of a sample without one."""
    wave = render_tone(timbre, hz, REFERENCE_S, 0.0, rng(0, source, f"{hz:g}", "tone"))
    latents = {**own.latents, "reference_audio_latents": encode_audio(stack, wave, None)}
    return Case(f"{hz:g} Hz", own.record.caption, LatentSample(own.record, latents), source)


def _samples(dataset: TrainingSet) -> Iterator[LatentSample]:
    """Held-out samples, then those of the training side, by id."""
    for split in reversed(SPLITS):
        for key in sorted(dataset.keys(split), key=lambda key: dataset.record(split, key).id):
            yield dataset.read(split, key)


def blank(sample: LatentSample, frames: int | None) -> LatentSample:
    """A sample of the same size, or of so many frames, with sound where it moves, and without any condition."""
    channels, steps, height, width = sample.latents["video_latents"].shape
    if frames is not None:
        steps = (frames + 7) // 8
    latents = {"video_latents": torch.zeros(channels, steps, height, width)}
    if steps > 1:
        latents["audio_latents"] = torch.zeros(
            CHANNELS, sound_steps(steps, sample.record.latents.fps or 25.0), BINS
        )
    return LatentSample(sample.record, latents)


def _shown(sample: LatentSample, strategy: str, stack: Stack) -> Case:
    """A sample of the set with what was given to it: the reference, or the first frame and the pins of later ones."""
    record, given = sample.record, list[torch.Tensor]()
    sheets = strategy == "video_reference"
    for name in ("reference_video_latents",) if sheets else ("video_latents", "pin_latents"):
        if (held := sample.get(name)) is not None:
            given += torch.split(held, 1, dim=1) if name == "pin_latents" else [held[:, :1]]
    # a latent frame alone is one frame
    pictures = [decode_video(stack, latents.numpy())[0] for latents in given]
    beside = np.concatenate(pictures, axis=1) if pictures else None
    return Case(f"{record.id}: {record.caption}", record.caption, sample, record.id, beside)


def _pinned(case: Case, dataset: TrainingSet, stack: Stack) -> list[Case]:
    """The sample as it is, and with the other pictures that it names; the same caption and the same noise."""
    pictures = first_frames(dataset.folder, case.sample)
    if len(pictures) < 2:
        return [replace(case, first=next(iter(pictures.values()), None))]
    own = next(iter(pictures))
    return [
        replace(
            case,
            label=f"{variant}, {case.label}",
            sample=case.sample if variant == own else starting_with(case.sample, picture, stack),
            beside=picture,
            first=picture,
        )
        for variant, picture in pictures.items()
    ]


def _prompted(prompt: str, number: int, shown: Sequence[Case]) -> Case:
    """The sheet that a prompt's first part describes with what its second says; else the sheet whose turn it is.

    Then that sheet's own first part stands before the action: what it shows is not what the prompt thought of. Raises
    CurateError for a prompt of one part where captions have two.
    """
    described, _, action = prompt.partition("\n")
    own = shown[number % len(shown)]
    case = next((case for case in shown if case.caption.startswith(f"{described}\n")), own)
    first, two, _ = case.caption.partition("\n")
    if two and not action:
        raise CurateError(
            f"sample.prompts: {prompt[:60]!r} is in one part, wanted two lines as in {first[:60]!r}"
        )
    caption = f"{first}\n{action}" if two else prompt
    return replace(case, label=f"{case.sample.record.id}: {action or prompt}", caption=caption)


def captions(columns: Sequence[Case]) -> list[str]:
    """The distinct captions, in order."""
    return list(dict.fromkeys(case.caption for case in columns))
