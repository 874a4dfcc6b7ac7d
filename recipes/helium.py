"""Helium: a voiced tone steers the pitch of generated speech (an audio-only IC-LoRA).

Every pair is a talking head whose speech was moved to a target pitch, and a tone at that pitch. The question a set
must be able to answer is whether the tone, and nothing else, tells the target. helium-v2 assigns targets by lot.
helium-v1 is the seed's design, kept as the control that must fail: there the target is the clip's own pitch ± 7 st.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.errors import Rejected
from curate.media import pitch, speech, tone
from curate.media.audio import normalise_loudness, read_audio, to_float, to_int16
from curate.media.look import look_hash, picture, same_look
from curate.media.video import read_frames
from curate.proof import labels
from curate.proof.finding import Finding
from curate.proof.invariants import predicted_r
from curate.proof.sketch import Label, Lot, Reference, Sketch
from curate.recipe import AUDIO_RATE_HZ, Example, Recipe, Wave16, WholeLatents
from curate.records import Clip, Drop, LedgerRow, Sample, Values, VideoRef, number, rng
from curate.split import groups, sides

CAPTION = "a person speaking"
SPEECH_LUFS = -26.0  # leaves room: speech moved down an octave peaks 20 dB above its loudness
MAX_TONE_OFF_CENTS = 10.0  # Praat on a clean tone is good to a few
SWEEP_TONES = 9
SHIFTED = ("brightness_oct", "formant_1_hz", "formant_2_hz", "formant_3_hz")
TONE = Reference(
    parameters=tuple(tone.draw_timbre(rng(0)).numbers()),
    proxies=("tone_centroid_oct", "tone_tilt_db", "tone_high_share_db", "tone_rms_db", "tone_lufs"),
    controls=("tone_mel",),
    most_r=0.2,
    most_told=0.35,
    least_told=0.8,
)

Array = NDArray[np.float64]


@lru_cache(maxsize=2)
def _speech_of(path: str, sha256: str, seconds: float) -> tuple[pitch.Wave, pitch.Track]:
    """A clip's speech and its pitch. Its candidates are made one after the other, so few need remembering."""
    wave = read_audio(path, 0.0, seconds, AUDIO_RATE_HZ)
    return wave, pitch.judge_one(wave, AUDIO_RATE_HZ)


def _within(reason: str, value: float, bound: float) -> None:
    if abs(value) > bound:
        raise Rejected(reason, f"{value:+.3g}, wanted at most {bound:g}")


def _attributes(clip: Clip) -> Values:
    measured = {k: v for k, v in clip.annotations.items() if k not in ("look", "two_registers")}
    return {**measured, "speaker": clip.labels.get("speaker"), "clip_s": clip.seconds, "height": clip.height}


def _look(clip: Clip) -> list[str]:
    hashes = clip.annotations["look"]
    return [str(h) for h in hashes] if isinstance(hashes, list) else []


class HeliumV2(Recipe):
    """Twelve targets a clip, each in a stratum of its own; clips that can take all of a band get one by lot."""

    name: ClassVar[str] = "helium-v2"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "audio_reference"
    training: ClassVar[str | None] = "helium"
    summary: ClassVar[str] = "a tone steers the pitch of speech; targets assigned by lot"
    latents: ClassVar[tuple[str, ...]] = ("audio_latents", "reference_audio_latents", "video_latents")
    packages: ClassVar[tuple[str, ...]] = ("av", "imagehash", "librosa", "numpy", "onnxruntime", "opencv-python-headless", "pillow", "praat-parselmouth", "pyloudnorm", "pyrubberband", "scipy", "soxr", "swift-f0")  # fmt: skip
    annotated_by: ClassVar[tuple[str, ...]] = ("frames", "fps")
    pitch_of: ClassVar[Mapping[str, str]] = {"audio": "pitch_hz", "reference_audio": "tone_hz"}
    drawn: ClassVar[bool] = True  # by lot
    decided_on_the_set: ClassVar[tuple[str, ...]] = (
        "band", "heldout_share", "least_eligible_share", "least_voiced_share", "max_judges_apart_cents",
    )  # fmt: skip

    frames: WholeLatents = Field(default=121, ge=25, description="8k+1")
    fps: float = Field(default=25.0, ge=8, le=60)
    size: int = Field(default=256, ge=32, multiple_of=32)
    low_hz: float = Field(default=76.0, gt=40)
    high_hz: float = Field(default=353.0, lt=600)
    strata: int = Field(default=12, ge=3, le=100)
    band: Literal["auto", "full"] = Field(
        default="auto", description="auto: widest with enough eligible clips"
    )
    least_eligible_share: float = Field(default=0.6, gt=0, le=1)
    engine: Literal["praat", "rubberband"] = "praat"
    contour: float = Field(
        default=0.5, ge=0, le=1, description="praat only: 1 keeps the melody, 0 flattens it"
    )
    reference_s: float = Field(default=2.0, ge=0.5)
    reference_spread_db: float = Field(default=3.0, ge=0)
    heldout_share: float = Field(default=0.2, ge=0, lt=1)
    least_voiced_share: float = Field(default=0.2, ge=0, le=1)
    max_judges_apart_cents: float = Field(default=100.0, gt=0)
    max_shift_st: float = Field(default=15.0, gt=0)
    max_off_cents: float = Field(default=50.0, gt=0)
    max_gross_error_share: float = Field(default=0.10, ge=0, le=1)
    max_voiced_change: float = Field(default=0.2, ge=0)
    least_envelope_r: float = Field(default=0.9, ge=-1, le=1)
    max_lag_s: float = Field(default=0.02, ge=0, description="half a frame: lips must still line up")

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.low_hz * 1.2 > self.high_hz:
            raise ValueError(
                f"low_hz {self.low_hz:g} and high_hz {self.high_hz:g}: wanted a range of three semitones or more"
            )
        return self

    def made_with(self) -> dict[str, str]:
        extra = {"rubberband": pitch.rubberband_version()} if self.engine == "rubberband" else {}
        return super().made_with() | extra

    @property
    def seconds(self) -> float:
        """Length of the target."""
        return self.frames / self.fps

    def annotate(self, clip: Clip) -> Values:
        if clip.seconds < self.seconds - 0.5 / self.fps:
            raise Rejected("too_short", f"{clip.seconds:.2f} s, wanted {self.seconds:.2f} s")
        wave, _ = _speech_of(clip.path, clip.sha256, self.seconds)
        last_s = (
            self.seconds - 1 / self.fps
        )  # a last frame that does not decode must fail here, not at the end
        read_frames(clip.path, start_s=last_s, frames=1, fps=self.fps, width=32, height=32)
        return {
            **speech.describe(wave, AUDIO_RATE_HZ),
            "look": look_hash(clip.path, self.seconds),
            "picture": picture(clip.path, self.seconds / 2),
        }

    def refuse(self, clip: Clip) -> Rejected | None:
        """Why this clip cannot take part, from its annotations."""
        voiced = number(clip.annotations, "voiced_share")
        if voiced < self.least_voiced_share:
            return Rejected(
                "little_speech", f"{voiced:.0%} of frames voiced, wanted {self.least_voiced_share:.0%}"
            )
        one, two = (number(clip.annotations, k) for k in ("natural_hz", "natural_judge_two_hz"))
        if abs(apart := pitch.cents(two, one)) > self.max_judges_apart_cents:
            wanted = f"wanted at most {self.max_judges_apart_cents:.0f}"
            return Rejected("judges_disagree", f"{one:.0f} Hz and {two:.0f} Hz, {apart:+.0f} cents; {wanted}")
        if clip.annotations["two_registers"] or clip.labels.get("speakers", "1") != "1":
            return Rejected("several_speakers", "two registers of pitch, or labelled so; wanted one speaker")
        return None

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        group_of = groups(clips, lambda a, b: same_look(_look(a), _look(b)))
        side_of = sides(list(group_of.values()), self.seed, self.heldout_share)
        for clip in clips:
            if refusal := self.refuse(clip):
                yield Drop.of(clip, refusal)
                continue
            group = group_of[clip.id]
            for suffix, choices in self.candidates(clip):
                yield Sample(
                    id=clip.id + suffix, group=group, split=side_of[group], caption=CAPTION, clips=(clip,),
                    choices=choices,
                    attributes=_attributes(clip),
                )  # fmt: skip

    def edges_hz(self) -> Array:
        """Edges of the strata, equal on a log scale.  # (strata + 1,)"""
        return np.geomspace(self.low_hz, self.high_hz, self.strata + 1)

    def candidates(self, clip: Clip) -> Iterator[tuple[str, Values]]:
        """Id suffix and choices of every pair to try for a clip: one target in each stratum."""
        edges_oct = np.log2(self.edges_hz())
        for stratum, (low, high) in enumerate(pairwise(edges_oct)):
            place = rng(self.seed, clip.id, f"target {stratum}").uniform(low, high)
            yield f"-{stratum:02d}", {"stratum": stratum, "target_hz": round(float(2**place), 4)}

    def make(self, sample: Sample) -> Example:
        if "sweep" in sample.choices:
            return self.make_sweep(sample)
        source, track = _speech_of(sample.clips[0].path, sample.clips[0].sha256, self.seconds)
        target_hz = number(sample.choices, "target_hz")
        shift_st = pitch.cents(target_hz, track.median_hz) / 100
        if abs(shift_st) > self.max_shift_st:
            raise Rejected("shift_too_large", f"{shift_st:+.1f} st, wanted at most {self.max_shift_st:g}")
        audio = to_int16(normalise_loudness(self.shift(source, track, target_hz), AUDIO_RATE_HZ, SPEECH_LUFS))
        wanted_hz = pitch.wanted_track(track, target_hz, self.contour if self.engine == "praat" else 1.0)
        measured = speech.compare(source, track, to_float(audio), wanted_hz, AUDIO_RATE_HZ)
        self.gate(measured)
        reference, timbre = self.reference(sample.id, measured["pitch_hz"])
        found = {"shift_st": round(shift_st, 3), "audio_samples": len(audio), **measured, **timbre}
        labels.gate(self.labels(), sample.choices, found, sample.id)
        return Example(
            measured=found,
            video=VideoRef(
                sha256=sample.clips[0].sha256, start_s=0.0, frames=self.frames, fps=self.fps,
                width=self.size, height=self.size,
            ),
            audio={"audio": audio, "reference_audio": reference},
        )  # fmt: skip

    def shift(self, source: pitch.Wave, track: pitch.Track, target_hz: float) -> pitch.Wave:
        """The speech at its target, formants kept."""
        return pitch.shift(source, AUDIO_RATE_HZ, track.median_hz, target_hz, self.engine, self.contour)

    def gate(self, measured: Mapping[str, float]) -> None:
        """Raises Rejected for a render that the shift has spoilt, whatever its labels say."""
        _within("gross_error_share", measured["gross_error_share"], self.max_gross_error_share)
        _within("voiced_change", measured["voiced_ratio"] - 1, self.max_voiced_change)
        _within("envelope_lost", 1 - measured["envelope_r"], 1 - self.least_envelope_r)

    def reference(self, identity: str, pitch_hz: float) -> tuple[Wave16, Values]:
        """The tone at the re-measured pitch of the speech, and what it measures as."""
        stream = rng(self.seed, identity, "reference")
        timbre = tone.draw_timbre(stream)
        gain_db = stream.uniform(-self.reference_spread_db, self.reference_spread_db)
        wave = to_int16(tone.render_tone(timbre, pitch_hz, self.reference_s, gain_db, stream))
        found = tone.describe_tone(to_float(wave))
        judges = (("tone_hz", MAX_TONE_OFF_CENTS), ("tone_judge_two_hz", self.max_off_cents))
        for judge, bound in judges:
            _within(f"{judge}_off_cents", pitch.cents(number(found, judge), pitch_hz), bound)
        return wave, {**found, **timbre.numbers(), "tone_gain_db": round(gain_db, 4)}

    def sweep(self, pair: LedgerRow) -> Iterator[tuple[str, Values]]:
        """Id suffix and choices of the tones to try on one held-out pair: pitch swept, then timbre swept."""
        pitches_hz = np.geomspace(self.low_hz, self.high_hz, SWEEP_TONES)
        for step, hz in enumerate(pitches_hz):
            yield (
                f"-pitch-{step:02d}",
                {"sweep": "pitch", "tone_hz": round(float(hz), 4), "timbre_of": pair.id},
            )
        hz = number(pair.measured, "pitch_hz")
        for step in range(SWEEP_TONES):
            timbre_of = f"{pair.id} timbre {step}"
            yield f"-timbre-{step:02d}", {"sweep": "timbre", "tone_hz": hz, "timbre_of": timbre_of}

    def make_sweep(self, sample: Sample) -> Example:
        """One tone alone."""
        wave, measured = self.reference(str(sample.choices["timbre_of"]), number(sample.choices, "tone_hz"))
        return Example(measured=measured, audio={"reference_audio": wave})

    @property
    def sketch(self) -> Sketch:
        """What helium claims: the lot decides the pitch, and nothing of the source does."""
        return Sketch(
            assigned="pitch_oct",
            lot=Lot(
                edges=tuple(float(edge) for edge in self.edges_hz()), unit="Hz", drawn=self.drawn,
                least_eligible_share=self.least_eligible_share, whole_range=self.band == "full",
                reaches_by="natural_oct",
            ),
            labels=self.labels(),
            constant={"caption": CAPTION},
            disjoint=("group", "sources", "speaker"),
            balanced=("natural_oct", "loudness_lufs", "voiced_share", *SHIFTED),
            held_back=("natural_judge_two_oct", "natural_even_oct", "natural_odd_oct", "melody_st", "clip_s", "voice", "picture"),
            effects=("shift_st", "timbre_distance_db", *(f"shifted_{name}" for name in SHIFTED)),
            reference=TONE,
        )  # fmt: skip

    def labels(self) -> tuple[Label, ...]:
        """What every pair must show, as `make` gates it and the audit finds it again."""
        return (
            *self.pitch_labels(),
            Label(name="tone_pitch", found=("tone_hz",), wanted="pitch_hz", unit="cents", bound=MAX_TONE_OFF_CENTS),
            Label(name="tone_judge_two", found=("tone_judge_two_hz",), wanted="pitch_hz", unit="cents", bound=self.max_off_cents),
            Label(name="loudness", found=("shifted_lufs",), wanted=SPEECH_LUFS, unit="LUFS", bound=0.5),
            Label(name="length", found=("audio_samples",), wanted=round(self.seconds * AUDIO_RATE_HZ), unit="samples", bound=0),
            Label(name="lips", found=("lag_s", "drift_s"), wanted=0.0, unit="s", bound=self.max_lag_s),
        )  # fmt: skip

    def pitch_labels(self) -> tuple[Label, ...]:
        """The rule that the target's pitch is held to."""
        judges = ("pitch_hz", "pitch_judge_two_hz")
        return (Label(name="target_pitch", found=judges, wanted="target_hz", unit="cents", bound=self.max_off_cents),)  # fmt: skip


class HeliumV1(HeliumV2):
    """The seed's design: each clip's own pitch ± 7 st by phase vocoder, checked by the 30 Hz rule alone."""

    name: ClassVar[str] = "helium-v1"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the seed's flawed design, a control that must fail its audit"
    expected_failures: ClassVar[frozenset[str]] = frozenset(
        {"positivity", "balance", "independence", "coverage"}
    )
    drawn: ClassVar[bool] = False

    reach_st: float = Field(default=7.0, gt=0)
    max_off_hz: float = Field(default=30.0, gt=0)
    contour: float = Field(default=1.0, ge=1, le=1)
    max_lag_s: float = Field(default=0.04, ge=0, description="a frame: the phase vocoder smears onsets")
    band: Literal["full"] = "full"

    def candidates(self, clip: Clip) -> Iterator[tuple[str, Values]]:
        shift_st = rng(self.seed, clip.id, "target").uniform(-self.reach_st, self.reach_st)
        target_hz = round(number(clip.annotations, "natural_hz") * 2 ** (shift_st / 12), 4)
        stratum = int(np.clip(np.searchsorted(self.edges_hz(), target_hz) - 1, 0, self.strata - 1))
        yield "", {"stratum": stratum, "target_hz": target_hz}

    def shift(self, source: pitch.Wave, track: pitch.Track, target_hz: float) -> pitch.Wave:
        return pitch.shift(source, AUDIO_RATE_HZ, track.median_hz, target_hz, "vocoder", self.contour)

    def gate(self, measured: Mapping[str, float]) -> None:
        """Nothing but its labels, among them the 30 Hz rule."""

    def pitch_labels(self) -> tuple[Label, ...]:
        return (Label(name="target_pitch", found=("pitch_hz",), wanted="target_hz", unit="Hz", bound=self.max_off_hz),)  # fmt: skip

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        """And r is what its design must give: sd / sqrt(sd² + reach² / 3), the shift being uniform (facts of the pool)."""
        train = [row for row in rows if row.kept and row.split == "train"]
        natural_st = [12 * number(row.attributes, "natural_oct") for row in train]
        target_st = [12 * number(row.measured, "pitch_oct") for row in train]
        spread_st = float(np.std(natural_st)) if train else 0.0
        wanted_r = spread_st / float(np.hypot(spread_st, self.reach_st / np.sqrt(3)))
        return [*super().audit(rows), predicted_r("as_designed", "train", natural_st, target_st, wanted_r)]


RECIPES = (HeliumV2, HeliumV1)
