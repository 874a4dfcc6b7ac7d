"""VBVR: drawn reasoning tasks that teach a video model to follow a prompt from its start state to its end state.

The composition is data (`vbvr.yaml`): so many samples of each of 27 generators, as the LoRA's card lists them. Which ones
is drawn by identity, so that a smaller set lies within a larger one; every clip is fitted in time without losing either
end, and shown to start and end as its own pictures do.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from curate.caption_rewrite import rewrite
from curate.captions import lint, normalise
from curate.composition import (
    CLAIM_COLUMNS,
    SPEC_COLUMNS,
    Composition,
    Place,
    Policy,
    narrowed,
    read_compositions,
)
from curate.errors import CurateError, Rejected
from curate.generators import GENERATORS, OUT_OF_DOMAIN, RETURNING, id_of
from curate.media import states, timefit
from curate.media.frames import frame_times_s, steady_fps
from curate.proof import labels
from curate.proof.finding import Finding
from curate.proof.invariants import nothing
from curate.proof.sketch import Label, Quota, Sketch
from curate.recipe import Example, PlanTable, Recipe, WholeLatents
from curate.records import Clip, Drop, LedgerRow, Sample, Values, VideoRef, Wanted, rng, sha256_of

PROFILES = Path(__file__).with_name("vbvr.yaml")
LEAST_CHANGE_SHARE = (
    0.0005  # of the picture: codecs leave up to .0003 in frames that match; real clips change .001 or more
)
MAX_STATE_OFF = 0.5  # of what the clip itself changes
HASH = re.compile(r"[0-9A-Fa-f]{8,64}")  # a param_hash
MOST_BYTES = 100_000_000
LABELS = ("generator", "sample_id", "param_hash", "parameters")  # of a clip, as its source gives them


@lru_cache(maxsize=1)
def profiles() -> dict[str, Composition]:
    """The compositions by name."""
    return read_compositions(PROFILES)


def drawn(seed: int, sample_id: str) -> float:
    """A sample's place in the order of its generator: drawn by its identity, whatever else there is."""
    return float(rng(seed, sample_id, "order").random())


def read_words(path: Path) -> list[str]:
    """What a small text file holds, word by word. Raises ValueError for anything else, and for an empty one."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:  # no pipe or device, which may have no end
            raise ValueError(f"{path}: found no text file of up to {MOST_BYTES // 10**6} MB")
        words = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as a list of param_hashes") from error
    if not words:
        raise ValueError(f"{path}: is empty, wanted param_hashes separated by white space")
    return words


def plain(name: str) -> str:
    """A name of letters, digits, _ and -; where others had to go, with a hash of what it was."""
    safe = re.sub(r"[^0-9A-Za-z_-]", "_", name)
    return safe if safe == name else f"{safe}-{sha256_of(name)[:8]}"


class Vbvr(Recipe):
    """Counts a generator, and the first accepted of an order drawn by identity."""

    name: ClassVar[str] = "vbvr"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "text_to_video"
    training: ClassVar[str | None] = "vbvr"
    summary: ClassVar[str] = "drawn reasoning tasks, so many of each generator, from start state to end state"
    latents: ClassVar[tuple[str, ...]] = ("video_latents",)
    packages: ClassVar[tuple[str, ...]] = ("av", "numpy", "opencv-python-headless")
    demo: ClassVar[str] = "vbvr"
    demo_settings: ClassVar[Mapping[str, Any]] = {"scale": 0.02, "size": 256}
    decided_on_the_set: ClassVar[tuple[str, ...]] = (
        "profile", "policy", "only", "scale", "window", "shortage", "caption_style", "benchmark",
    )  # fmt: skip

    profile: str = Field(default="v1", description="v1, or v0.1 (inferred)")
    policy: Policy = Field(default="per_generator", description="which of the card's numbers to keep")
    only: tuple[str, ...] = Field(default=(), description="generators by id, such as O-47,O-30")
    scale: float = Field(default=1.0, gt=0, le=1, description="a smaller set in the same proportions")
    frames: WholeLatents = Field(default=121, ge=9, description="8k+1; the profile's, where nothing is said")
    fps: float = Field(default=24.0, ge=1, le=60, description="the profile's, where nothing is said")
    size: int = Field(default=512, ge=32, multiple_of=32)
    window: int = Field(default=360, ge=1, description="only the first so many of a generator are looked at")
    shortage: Literal["fail", "top_up"] = Field(
        default="fail", description="top_up: others of its group stand in"
    )
    caption_style: Literal["native", "start_action_end"] = "native"
    benchmark: tuple[str, ...] = Field(
        default=(), description="param_hashes never to train on, or a file of them"
    )
    max_speed: float = Field(default=1.5, ge=1)
    max_hold_share: float = Field(default=0.7, ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _as_the_profile_says(cls, values: Any) -> Any:
        name = str(values.get("profile", "v1")) if isinstance(values, dict) else ""
        if name not in profiles():
            return values
        return {"frames": profiles()[name].frames, "fps": profiles()[name].fps, **values, "profile": name}

    @field_validator("profile")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in profiles():
            raise ValueError(f"wanted one of {', '.join(profiles())}")
        return name

    @field_validator("only", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if parts in ([""], [None]) or (parts == [] and value != ()):
            raise ValueError("wanted ids of generators, such as O-47,O-30")
        return parts

    @field_validator("benchmark", mode="before")
    @classmethod
    def _hashes(cls, value: Any) -> Any:
        words = read_words(Path(value)) if isinstance(value, str) else value
        if isinstance(words, list | tuple) and (odd := [w for w in words if not HASH.fullmatch(str(w))]):
            raise ValueError(f"found {str(odd[0])[:40]!r}, wanted param_hashes separated by white space")
        return sorted({str(word).lower() for word in words}) if isinstance(words, list | tuple) else words

    @property
    def composition(self) -> Composition:
        """The profile. Raises CurateError while a number of the card differs and nobody declared it."""
        held = profiles()[self.profile]
        if lines := held.undeclared(self.policy):
            raise CurateError(f"{PROFILES.name}: {self.profile}: {lines[0]}")
        if odd := [each for each in held.places if each not in GENERATORS]:
            raise CurateError(f"{PROFILES.name}: {self.profile}: {odd[0]} is no generator in the registry")
        return held

    def counts(self) -> dict[str, int]:
        """How many samples there are to be of each generator, by its id."""
        return narrowed(self.composition.counts(self.policy), self.only, self.scale)

    def wanted(self) -> Wanted:
        parts = {GENERATORS[each].folder: count for each, count in self.counts().items() if count}
        return Wanted(parts=parts, window=self.window)

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        if strangers := [clip.name for clip in clips if not set(LABELS) <= clip.labels.keys()]:
            wanted = "wanted data/metadata.parquet and tars/, as VBVR has"
            raise CurateError(f"{strangers[0]} is no sample of a generator: {wanted}")
        places, seen = self.composition.places, set[str]()
        for clip in sorted(clips, key=lambda clip: clip.id):
            try:
                sample = self.candidate(clip, places)
                if sample.id in seen:
                    raise Rejected("same_sample", f"another clip is sample {sample.id} too")
            except Rejected as why:
                yield Drop.of(clip, why)
            else:
                seen.add(sample.id)
                yield sample

    def candidate(self, clip: Clip, places: Mapping[str, Place]) -> Sample:
        """The sample of a clip. Raises Rejected for one that may not be in the set, by what its table says."""
        labels_, generator = clip.labels, id_of(clip.labels["generator"])
        if generator not in places or labels_["generator"] != GENERATORS[generator].folder:
            raise Rejected("no_place", f"{labels_['generator']} is not in {self.profile}")
        param_hash = labels_["param_hash"].lower()
        if param_hash in self.benchmark:
            raise Rejected("benchmark", f"param_hash {param_hash} is in the benchmark's list")
        if clip.width != clip.height or clip.width % self.size:
            says = f"{clip.width}x{clip.height}, wanted a square of a whole multiple of {self.size}"
            raise Rejected("odd_size", says)
        caption, origin, warnings = self.captioned(clip, generator)
        name = plain(f"{generator}-{labels_['sample_id']}")
        return Sample(
            id=name,
            group=f"{generator}:{param_hash}", split="train", caption=caption,
            clips=(clip.model_copy(update={"labels": {}}),),
            choices={
                "generator": generator, "card_group": places[generator].group, "tier": places[generator].tier,
                "drawn": drawn(self.seed, name), "param_hash": param_hash, "caption_from": origin,
                "returns": generator in RETURNING,
            },
            attributes={"clip_s": clip.seconds, "caption_lint": warnings},
        )  # fmt: skip

    def captioned(self, clip: Clip, generator: str) -> tuple[str, str, list[str]]:
        """The caption, where it is from (`prompt` or `parameters`), and what the lint warns of.

        Raises Rejected for a caption that is not to be trained on.
        """
        caption, origin = normalise(clip.caption or ""), "prompt"
        if self.caption_style == "start_action_end":
            told = rewrite(generator, json.loads(clip.labels["parameters"]))
            caption, origin = (told, "parameters") if told else (caption, origin)
        flaws = lint(caption)
        for flaw in flaws:
            if flaw.error:
                raise Rejected(f"caption_{flaw.code}", f"{flaw.says}: {caption[:80]!r}")
        return caption, origin, [flaw.code for flaw in flaws]

    def make(self, sample: Sample) -> Example:
        clip = sample.clips[0]
        times_s = frame_times_s(clip.path)
        source_fps = steady_fps(times_s) or clip.fps
        fitted = timefit.fit(len(times_s), source_fps, self.frames, self.fps, self.max_speed)
        measured: dict[str, Any] = {
            "frames": len(fitted.indices), "source_frames": len(times_s), "source_fps": round(source_fps, 3),
            "source_indices": [float(index) for index in fitted.indices],
            "speed": fitted.speed, "hold_share": fitted.hold_share,
            **states.compare(Path(clip.path), len(times_s), self.size, returns=bool(sample.choices["returns"])),
        }  # fmt: skip
        labels.gate(self.labels(), sample.choices, measured, sample.id)
        return Example(
            measured=measured,
            video=VideoRef(
                sha256=clip.sha256, start_s=0.0, frames=self.frames, fps=self.fps, width=self.size,
                height=self.size, indices=fitted.indices, matrix="bt601",
            ),
        )  # fmt: skip

    def labels(self) -> tuple[Label, ...]:
        """What every clip must show, as `make` gates it and the audit finds it again."""
        own = "of the clip's own change"
        return (
            Label(name="length", found=("frames",), wanted=self.frames, unit="frames"),
            Label(name="speed", found=("speed",), wanted=1.0, unit="x", bound=self.max_speed - 1),
            Label(name="hold", found=("hold_share",), unit="of the frames", bound=self.max_hold_share),
            Label(name="change", found=("change_share",), unit="of the picture", least=LEAST_CHANGE_SHARE),
            Label(name="first_state", found=("first_off",), unit=own, bound=MAX_STATE_OFF),
            Label(name="last_state", found=("last_off",), unit=own, bound=MAX_STATE_OFF),
        )

    @property
    def sketch(self) -> Sketch:
        """What the set claims: its numbers, and what every clip shows of its own start and end."""
        places, counts = self.composition.places, self.counts()
        tiers = Counter[str]()
        for generator, count in counts.items():
            tiers[places[generator].tier] += count
        pools = {generator: place.group for generator, place in places.items()}
        never = {"generator": tuple(sorted(OUT_OF_DOMAIN))}
        return Sketch(
            splits=("train",),
            quota=Quota(
                kind="generator", wanted=counts, order="drawn", unlike="param_hash",
                pools=pools if self.shortage == "top_up" else {},
            ),
            totals={"tier": dict(tiers)},
            never={**never, "param_hash": self.benchmark} if self.benchmark else never,
            labels=self.labels(),
        )  # fmt: skip

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        kept = [row for row in rows if row.kept]
        return [
            *super().audit(rows),
            self.places(kept),
            self.time(kept),
            self.share(kept),
            self.captions(kept),
        ]

    def places(self, kept: Sequence[LedgerRow]) -> Finding:
        """Every place in the order is the one that the seed gives."""
        wrong = [row.id for row in kept if row.choices["drawn"] != drawn(self.seed, row.id)]
        return nothing("drawn", wrong, "places that the seed does not give", len(kept))

    def time(self, kept: Sequence[LedgerRow]) -> Finding:
        """Every clip is whole: its first frame first, its last frame last, none skipped, none out of order."""
        offenders = []
        for row in kept:
            indices = row.measured["source_indices"]
            count, fps, speed, hold = (
                labels.number_in(row.measured, key, row.id)
                for key in ("source_frames", "source_fps", "speed", "hold_share")
            )
            whole = [float(i) for i in indices] if isinstance(indices, list) else []
            if fault := timefit.fault(whole, int(count), self.frames, fps * speed / self.fps, hold):
                offenders.append(f"{row.id} {fault}")
        return nothing("time", offenders, "clips that are not whole, in order and at their speed", len(kept))

    def share(self, kept: Sequence[LedgerRow]) -> Finding:
        """How much of the set is of the first tier; of all generators, beside what the card claims."""
        composition = self.composition
        first = composition.tiers[0].name
        share = sum(row.choices["tier"] == first for row in kept) / len(kept) if kept else 0.0
        claimed = None if self.only else {c.of: c.number for c in composition.claimed}.get(f"{first} share")
        card = f", the card claims {claimed:.0%}" if claimed else ""
        measured: Values = {"share": round(share, 4), "claimed": claimed}
        return Finding.reported(f"{first}_share", "all", f"{share:.1%}{card}", len(kept), measured)

    def captions(self, kept: Sequence[LedgerRow]) -> Finding:
        """How many captions differ, and what the lint warns of."""
        found = [row.attributes["caption_lint"] for row in kept]
        warnings = Counter(str(code) for codes in found if isinstance(codes, list) for code in codes)
        distinct = len({row.caption for row in kept})
        says = ", ".join(f"{code} {count}" for code, count in warnings.most_common()) or "no warnings"
        measured: Values = {"distinct": distinct, **dict(sorted(warnings.items()))}
        return Finding.reported("captions", "all", f"{distinct} distinct; {says}", len(kept), measured)

    def tables(self, samples: Sequence[Sample]) -> list[PlanTable]:
        planned = Counter(str(sample.choices["generator"]) for sample in samples)
        composition = self.composition
        inferred = f"; inferred: {composition.inferred}" if composition.inferred else ""
        title = f"{self.profile}, {self.policy}, scale {self.scale:g}{inferred}"
        names = {generator: known.name for generator, known in GENERATORS.items()}
        return [
            PlanTable(title, SPEC_COLUMNS, composition.spec_rows(self.policy, self.counts(), planned, names)),
            PlanTable(
                "what the card claims, at full scale", CLAIM_COLUMNS, composition.claim_rows(self.policy)
            ),
        ]


RECIPE = Vbvr
