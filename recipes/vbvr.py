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
from curate.composition import Composition, Place, Policy, narrowed, read_compositions
from curate.errors import CurateError, Rejected
from curate.generators import GENERATORS, OUT_OF_DOMAIN, RETURNING, id_of
from curate.media import states, timefit
from curate.media.frames import frame_times_s
from curate.proof import labels
from curate.proof.finding import Finding
from curate.proof.invariants import nothing
from curate.proof.sketch import Label, Quota, Sketch
from curate.recipe import Example, Recipe, Told
from curate.records import Clip, Drop, LedgerRow, Sample, Values, VideoRef, Wanted, rng

PROFILES = Path(__file__).with_name("vbvr.yaml")
SPARE_SHARE, LEAST_SPARE = (
    0.2,
    2,
)  # candidates beyond a generator's count: some will be rejected when they are made
LEAST_CHANGE_SHARE = 0.0002  # of the picture: 52 pixels of 512x512; the least of 120 real clips has .001
MAX_STATE_OFF = 0.5  # of what the clip itself changes


@lru_cache(maxsize=1)
def profiles() -> dict[str, Composition]:
    """The compositions by name."""
    return read_compositions(PROFILES)


def drawn(seed: int, clip: Clip) -> float:
    """A clip's place in the order of its generator: drawn by its identity, whatever else there is."""
    return float(rng(seed, clip.labels["generator"], clip.labels["sample_id"], "order").random())


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
    frames: int = Field(default=121, ge=9, description="8k+1; the profile's, where nothing is said")
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
        if not isinstance(values, dict):
            return values
        name = str(values.get("profile", "v1"))
        if name not in profiles():
            raise ValueError(f"profile {name} is none of {', '.join(profiles())}")
        held = profiles()[name]
        return {"frames": held.frames, "fps": held.fps, **values, "profile": name}

    @field_validator("only", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("benchmark", mode="before")
    @classmethod
    def _hashes(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return sorted(set(Path(value).read_text(encoding="utf-8").split()))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{value}: cannot be read as a list of param_hashes") from error

    @field_validator("frames")
    @classmethod
    def _whole_latents(cls, frames: int) -> int:
        if frames % 8 != 1:
            raise ValueError("wanted 8k+1 frames, such as 121, 81 or 41")
        return frames

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
        if strangers := [clip.name for clip in clips if "generator" not in clip.labels]:
            raise CurateError(
                f"{strangers[0]} has no generator: wanted data/metadata.parquet and tars/, as VBVR has"
            )
        places, seen = self.composition.places, set[str]()
        for clip in sorted(clips, key=lambda clip: clip.id):
            try:
                caption, origin = self.captioned(clip)
                self.refuse(clip)
                sample = self.sample(clip, caption, origin, places)
                if sample.id in seen:
                    raise Rejected("same_sample", f"another clip is sample {sample.id} too")
            except Rejected as why:
                yield Drop.of(clip, why)
            else:
                seen.add(sample.id)
                yield sample

    def refuse(self, clip: Clip) -> None:
        """Raises Rejected for a clip that may not be in the set, by what its table says."""
        if clip.labels["param_hash"] in self.benchmark:
            raise Rejected("benchmark", f"param_hash {clip.labels['param_hash']} is in the benchmark's list")
        if clip.width != clip.height or clip.width % self.size:
            says = f"{clip.width}x{clip.height}, wanted a square of a whole multiple of {self.size}"
            raise Rejected("odd_size", says)

    def captioned(self, clip: Clip) -> tuple[str, str]:
        """The caption and where it is from: `prompt`, or `parameters`. Raises Rejected for one not to be trained on."""
        caption, origin = normalise(clip.caption or ""), "prompt"
        if self.caption_style == "start_action_end":
            known = json.loads(clip.labels["parameters"])
            if told := rewrite(id_of(clip.labels["generator"]), known):
                caption, origin = told, "parameters"
        for flaw in lint(caption):
            if flaw.error:
                raise Rejected(f"caption_{flaw.code}", f"{flaw.says}: {caption[:80]!r}")
        return caption, origin

    def sample(self, clip: Clip, caption: str, origin: str, places: Mapping[str, Place]) -> Sample:
        """The candidate of a clip. Raises Rejected for a generator that the profile has not."""
        told, each = clip.labels, id_of(clip.labels["generator"])
        if each not in places:
            raise Rejected("no_place", f"{each} is not in {self.profile}")
        warnings = [flaw.code for flaw in lint(caption)]
        slim = clip.model_copy(update={"labels": {k: v for k, v in told.items() if k != "parameters"}})
        return Sample(
            id=re.sub(r"[^0-9A-Za-z_-]", "_", f"{each}-{told['sample_id']}"),
            group=f"{each}:{told['param_hash']}", split="train", caption=caption, clips=(slim,),
            choices={
                "generator": each, "group": places[each].group, "tier": places[each].tier,
                "order": drawn(self.seed, clip), "parameters": told["param_hash"], "caption_from": origin,
            },
            attributes={"clip_s": clip.seconds, "caption_lint": warnings, "tar_place": told.get("tar_place")},
        )  # fmt: skip

    def make(self, sample: Sample) -> Example:
        clip = sample.clips[0]
        times_s = frame_times_s(clip.path)
        count = len(times_s)
        source_fps = (count - 1) / times_s[-1] if count > 1 else clip.fps
        if count > 1 and max(abs(t - i / source_fps) for i, t in enumerate(times_s)) > 0.5 / source_fps:
            raise Rejected("variable_rate", "its frames are not evenly spaced, so indices would bend time")
        fitted = timefit.fit(count, source_fps, self.frames, self.fps, self.max_speed)
        measured: dict[str, Any] = {
            "frames": len(fitted.indices), "source_frames": count, "source_fps": round(source_fps, 3),
            "source_indices": [float(index) for index in fitted.indices],
            "speed": fitted.speed, "hold_share": fitted.hold_share,
            **states.compare(Path(clip.path), count, self.size, sample.choices["generator"] in RETURNING),
        }  # fmt: skip
        labels.gate(self.sketch.labels, sample.choices, measured, sample.id)
        return Example(
            measured=measured,
            video=VideoRef(
                sha256=clip.sha256, start_s=0.0, frames=self.frames, fps=self.fps, width=self.size,
                height=self.size, indices=fitted.indices, matrix="bt601",
            ),
        )  # fmt: skip

    @property
    def sketch(self) -> Sketch:
        """What the set claims: its numbers, and what every clip shows of its own start and end."""
        composition, counts = self.composition, self.counts()
        tiers = Counter[str]()
        for each, count in counts.items():
            tiers[composition.places[each].tier] += count
        return Sketch(
            splits=("train",),
            quota=Quota(
                kind="generator", wanted=counts, place="order", unlike="parameters",
                pools={each: place.group for each, place in composition.places.items()} if self.shortage == "top_up" else {},
            ),
            totals={"tier": dict(tiers)},
            never={
                "generator": tuple(sorted(OUT_OF_DOMAIN)),
                **({"parameters": self.benchmark} if self.benchmark else {}),
            },
            labels=(
                Label(name="length", found=("frames",), wanted=self.frames, unit="frames", bound=0),
                Label(name="speed", found=("speed",), wanted=1.0, unit="x", bound=self.max_speed - 1),
                Label(name="hold", found=("hold_share",), wanted=0.0, unit="of the frames", bound=self.max_hold_share),
                Label(name="change", found=("change_share",), wanted=LEAST_CHANGE_SHARE, unit="of the picture", bound=0, at_least=True),
                Label(name="first_state", found=("first_off",), wanted=0.0, unit="of the clip's own change", bound=MAX_STATE_OFF),
                Label(name="last_state", found=("last_off",), wanted=0.0, unit="of the clip's own change", bound=MAX_STATE_OFF),
            ),
        )  # fmt: skip

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        kept = [row for row in rows if row.kept]
        return [*super().audit(rows), self.time(kept), self.share(kept), self.captions(kept)]

    def time(self, kept: Sequence[LedgerRow]) -> Finding:
        """Every clip is whole: its first frame first, its last frame last, none out of order."""
        offenders = []
        for row in kept:
            indices = row.measured["source_indices"]
            count = int(labels.number_in(row.measured, "source_frames", row.id))
            whole = [float(i) for i in indices] if isinstance(indices, list) else []
            if fault := timefit.fault(whole, count, self.frames):
                offenders.append(f"{row.id} {fault}")
        return nothing("time", offenders, "clips that lose an end or go back in time", len(kept))

    def share(self, kept: Sequence[LedgerRow]) -> Finding:
        """How much of the set is of the first tier, beside what the card claims."""
        composition = self.composition
        first = composition.tiers[0].name
        share = sum(row.choices["tier"] == first for row in kept) / len(kept) if kept else 0.0
        claimed = {claim.of: claim.number for claim in composition.claimed}.get(f"{first} share")
        card = f", the card claims {claimed:.0%}" if claimed else ""
        measured: Values = {"share": round(share, 4), "claimed": claimed}
        return Finding.reported(f"{first}_share", "all", f"{share:.1%}{card}", len(kept), measured)

    def captions(self, kept: Sequence[LedgerRow]) -> Finding:
        """How many captions differ, and what the lint warns of."""
        warnings = Counter[str]()
        for row in kept:
            found = row.attributes.get("caption_lint")
            warnings.update(map(str, found) if isinstance(found, list) else ())
        distinct = len({row.caption for row in kept})
        told = ", ".join(f"{code} {count}" for code, count in warnings.most_common()) or "no warnings"
        measured: Values = {"distinct": distinct, **dict(sorted(warnings.items()))}
        return Finding.reported("captions", "all", f"{distinct} distinct; {told}", len(kept), measured)

    def told(self, samples: Sequence[Sample], drops: Sequence[Drop]) -> list[Told]:
        composition, counts = self.composition, self.counts()
        full = composition.counts(self.policy)
        planned = Counter(str(sample.choices["generator"]) for sample in samples)
        rows = [
            (tier.name, group.name, GENERATORS[each].name, *map(str, (group.per_generator, full[each], counts[each], planned[each])))
            for tier in composition.tiers for group in tier.groups for each in group.generators if each in counts
        ]  # fmt: skip
        sums = (sum(full[each] for each in counts), sum(counts.values()), len(samples))
        rows.append(("all", "", f"{len(counts)} generators", "", *map(str, sums)))
        claims = [
            (each.claim.of, f"{each.claim.number:g}", f"{each.computed:g}", f"{each.difference:+g}", each.claim.says)
            for each in composition.compared(self.policy)
        ]  # fmt: skip
        inferred = f"; inferred: {composition.inferred}" if composition.inferred else ""
        return [
            Told(f"{self.profile}, {self.policy}, scale {self.scale:g}{inferred}", ("tier", "group", "generator", "card", "full scale", "wanted", "candidates"), rows),
            Told("what the card claims, at full scale; every difference is declared", ("of", "claimed", "computed", "difference", "the card"), claims),
        ]  # fmt: skip


RECIPE = Vbvr
