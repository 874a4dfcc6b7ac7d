"""Human: one caption for pictures that it does not mean, to see whether a few can move what a word stands for.

Every picture of the set has the same word for a caption, and nothing else: no tags, no trigger, nothing from a sidecar.
The controls have the same pictures with another text, so that what the word does can be told from what the pictures do.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_serializer, field_validator

from curate.captions import normalise
from curate.errors import CurateError, Rejected
from curate.ledger import unlicensed
from curate.media import likeness, nudity, quality, subject, text
from curate.media.picture import alpha_of, probe_picture, read_picture
from curate.media.video import Image
from curate.proof.finding import Finding
from curate.proof.invariants import nothing, one_value
from curate.proof.sketch import Label, Sketch
from curate.recipe import Example, Recipe
from curate.records import Clip, Drop, LedgerRow, Sample, Still, Values, VideoRef, number, rng, sha256_of
from curate.split import derangement

FPS = 24.0  # of one frame; a rate is something that a video model wants to know
NEAR_COSINE = 0.98  # of embeddings; a guess, for no trained weights could be run here
PICTURE, REGULAR = "picture", "regularisation"


def alike(a: Values, b: Values) -> bool:
    """Whether two pictures are copies of one: by their hashes, and by their embeddings where there are any."""
    if quality.hash_distance(str(a["hash"]), str(b["hash"])) <= quality.NEAR_BITS:
        return True
    one, other = a.get("embedding"), b.get("embedding")
    if not (isinstance(one, list) and isinstance(other, list)):
        return False
    return float(np.dot(np.array(one, float), np.array(other, float))) >= NEAR_COSINE


class Human(Recipe):
    """So many pictures, one word."""

    name: ClassVar[str] = "human"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "text_to_video"
    training: ClassVar[str | None] = "human"
    summary: ClassVar[str] = "so many pictures under one word that does not mean them"
    latents: ClassVar[tuple[str, ...]] = ("video_latents",)
    reads: ClassVar[Literal["videos", "pictures"]] = "pictures"
    packages: ClassVar[tuple[str, ...]] = (
        "imagehash",
        "numpy",
        "opencv-python-headless",
        "pillow",
        "rapidocr",
        "scikit-image",
    )
    demo: ClassVar[str] = "robots"
    annotated_by: ClassVar[tuple[str, ...]] = ("background", "clip", "caption", "opposites")
    decided_on_the_set: ClassVar[tuple[str, ...]] = (
        "count", "caption", "control", "token", "max_blur", "max_text_share", "nudity", "opposites", "regularise",
    )  # fmt: skip

    count: int = Field(default=32, ge=1, description="exactly so many pictures")
    caption: str = Field(default="human", min_length=1, description="of every picture")
    control: Literal["none", "true_captions", "other_token", "shuffled"] = Field(
        default="none", description="the same pictures with another text"
    )
    token: str = Field(default="ohwx", min_length=1, description="the caption of other_token")
    buckets: tuple[str, ...] = Field(default=("512x512",), min_length=1, description="WIDTHxHEIGHT, each")
    max_upscale: float = Field(default=1.0, ge=1, le=4)
    background: str = Field(
        default="#ffffff", pattern="^#[0-9a-fA-F]{6}$", description="behind what is transparent"
    )
    max_blur: float = Field(default=quality.MAX_BLUR, gt=0, le=1)
    max_text_share: float = Field(default=0.02, ge=0, le=1)
    nudity: Literal["ignore", "drop"] = Field(default="ignore", description="drop: wants the extra `nudity`")
    clip: str | None = Field(default=None, description="an open_clip model, to read the pictures with")
    opposites: tuple[str, ...] = Field(default=("robot", "android", "cyborg", "alien"), min_length=1)
    regularise: str | bool | None = Field(default=None, description="a folder of true pictures with captions")

    @field_validator("buckets", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("buckets")
    @classmethod
    def _whole_latents(cls, buckets: tuple[str, ...]) -> tuple[str, ...]:
        for each in buckets:
            width, cross, height = each.partition("x")
            sound = cross and width.isdigit() and height.isdigit() and int(width) and int(height)
            if not sound or int(width) % 32 or int(height) % 32:
                raise ValueError(
                    f"{each!r} is no size; wanted WIDTHxHEIGHT in multiples of 32, such as 512x768"
                )
        return tuple(dict.fromkeys(buckets))

    @field_validator("regularise")
    @classmethod
    def _folder(cls, value: str | bool | None) -> str | bool | None:
        if isinstance(value, str) and not Path(value).expanduser().is_dir():
            raise ValueError(f"{value}: no such folder; wanted one of pictures with captions")
        return value

    @field_validator("nudity")
    @classmethod
    def _can_be_seen(cls, value: str) -> str:
        if value == "drop" and not nudity.is_available():
            raise ValueError("wanted the extra `nudity` installed (pip install 'ltx-curate[nudity]')")
        return value

    # build.json holds no path: whether there was a folder, and what kind of model
    @field_serializer("regularise", when_used="json")
    def _whether(self, value: str | bool | None) -> bool:
        return bool(value)

    @field_serializer("clip", when_used="json")
    def _kind(self, value: str | None) -> str | None:
        return value if value is None or value.startswith("hf-hub:") else value.partition(":")[0]

    def folders(self) -> Mapping[str, Path]:
        return {REGULAR: Path(self.regularise).expanduser()} if isinstance(self.regularise, str) else {}

    def made_with(self) -> dict[str, str]:
        """As ever, and the models that look at a picture where there are any."""
        extra = {"clip": likeness.load_clip(self.clip).fingerprint} if self.clip else {}
        seen = {"nudenet": nudity.version()} if nudity.is_available() else {}
        return super().made_with() | extra | seen

    def annotate(self, clip: Clip) -> Values:
        seen = read_picture(clip.path, self.background)
        written = text.text_share(seen)
        found: dict[str, Any] = {
            "format": probe_picture(clip.path).format,
            "hash": quality.picture_hash(read_picture(clip.path)),  # on white: on black, outlines are alike
            "blur": quality.blur_of(seen),
            "text_share": round(written.share, 5),
            "words": list(written.words),
            "subject": [float(edge) for edge in subject.subject_box(seen, alpha_of(clip.path))],
        }
        if nudity.is_available():
            found["exposed"] = [each.label for each in nudity.nudity(seen)]
        return found | (self.read_by(seen) if self.clip else {})

    def read_by(self, seen: Image) -> dict[str, Any]:
        """The picture's embedding and its reading, of a model that is trained."""
        model = likeness.load_clip(str(self.clip))
        if not model.trained:
            return {"untrained": model.untrained}
        vectors = model.embed_pictures([seen])
        others = [each for each in self.opposites if each.casefold() != self.caption.casefold()]
        (share,) = likeness.reading(vectors, model, self.caption, others).shares or (None,)
        return {"reading": share, "embedding": [round(float(v), 5) for v in vectors[0]]}

    def refuse(self, clip: Clip) -> None:
        """Raises Rejected for a picture that may not be in the set."""
        self.fit(clip)
        known = clip.annotations
        if (blur := number(known, "blur")) > self.max_blur:
            raise Rejected("blurred", f"blur {blur:.2f}, wanted at most {self.max_blur:g}")
        if (share := number(known, "text_share")) > self.max_text_share:
            words = known["words"]
            shown = " ".join(map(str, words))[:40] if isinstance(words, list) else ""
            raise Rejected(
                "text", f"{shown!r} over {share:.1%} of it, wanted at most {self.max_text_share:.1%}"
            )
        if self.nudity == "drop" and (exposed := known.get("exposed")):
            raise Rejected("nudity", ", ".join(map(str, exposed)) if isinstance(exposed, list) else "")

    def fit(self, clip: Clip) -> tuple[int, int, tuple[int, int, int, int]]:
        """Width and height of the bucket, and the part of the picture that fills it. Raises Rejected: too_small."""
        box = clip.annotations["subject"]
        place = (
            subject.Box(*map(int, box))
            if isinstance(box, list)
            else subject.Box(0, 0, clip.width, clip.height)
        )
        sizes = [tuple(map(int, each.split("x"))) for each in self.buckets]
        aspect = math.log(clip.width / clip.height)
        width, height = min(
            sizes, key=lambda size: (abs(math.log(size[0] / size[1]) - aspect), -size[0] * size[1])
        )
        crop = subject.crop_towards((clip.width, clip.height), place, width / height)
        if (factor := width / (crop[2] - crop[0])) > self.max_upscale * 1.001:
            says = f"{clip.width}x{clip.height} would be enlarged {factor:.2f} times to {width}x{height}"
            raise Rejected("too_small", f"{says}, wanted at most {self.max_upscale:g}")
        return width, height, crop

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        usable, drops = self.usable(clips)
        yield from drops
        regular = [clip for clip in usable if clip.labels.get("part") == REGULAR]
        pictures = sorted((c for c in usable if c not in regular), key=lambda c: (self.order(c), c.id))
        for late in pictures[self.count :]:
            yield Drop.of(late, Rejected("surplus", f"beyond the {self.count} wanted"))
        texts = self.texts(pictures[: self.count])
        for clip in pictures[: self.count]:
            of, caption = texts[clip.id]
            yield self.sample(clip, caption, {"kind": PICTURE, "caption_of": of})
        for clip in regular:
            yield self.sample(clip, normalise(clip.caption or ""), {"kind": REGULAR, "caption_of": clip.id})

    def usable(self, clips: Sequence[Clip]) -> tuple[list[Clip], list[Drop]]:
        """Pictures that pass every gate, near-duplicates once: the largest stays."""
        kept, drops = list[Clip](), list[Drop]()
        for clip in sorted(clips, key=lambda clip: (-clip.width * clip.height, clip.id)):
            try:
                self.refuse(clip)
                if self.describes(clip) and not normalise(clip.caption or ""):
                    raise Rejected("no_caption", "no description of its own, which this set captions it with")
                if copy := next((each for each in kept if alike(clip.annotations, each.annotations)), None):
                    raise Rejected("near_duplicate", f"of {copy.name}")
            except Rejected as why:
                drops.append(Drop.of(clip, why))
            else:
                kept.append(clip)
        return kept, drops

    def describes(self, clip: Clip) -> bool:
        """Whether a picture's own description is needed."""
        return clip.labels.get("part") == REGULAR or self.control in ("true_captions", "shuffled")

    def order(self, clip: Clip) -> float:
        """A picture's place in the order that the first so many are taken from, drawn by its identity."""
        return float(rng(self.seed, clip.sha256, "order").random())

    def texts(self, pictures: Sequence[Clip]) -> dict[str, tuple[str | None, str]]:
        """For each picture whose description it is captioned with (None: nobody's), and the caption."""
        own = {clip.id: normalise(clip.caption or "") for clip in pictures}
        if self.control == "true_captions":
            return {name: (name, told) for name, told in own.items()}
        if self.control == "shuffled":
            if len(own) < 2:
                raise CurateError(f"{len(own)} pictures, and captions of fewer than two cannot be shuffled")
            names = sorted(own)
            donors = derangement(len(names), rng(self.seed, "shuffled captions"))
            return {
                name: (names[place], own[names[place]]) for name, place in zip(names, donors, strict=True)
            }
        return dict.fromkeys(own, (None, self.token if self.control == "other_token" else self.caption))

    def sample(self, clip: Clip, caption: str, choices: Values) -> Sample:
        """The sample of a picture, without anything else that its sidecar says."""
        width, height, crop = self.fit(clip)
        known, told = clip.annotations, clip.labels
        bare = clip.model_copy(update={"caption": None, "labels": {}, "annotations": {}})
        return Sample(
            id=clip.id, group=clip.id, split="train", caption=caption, clips=(bare,),
            choices={
                **choices, "order": self.order(clip), "width": width, "height": height,
                "crop": [float(edge) for edge in crop],
            },
            attributes={
                "format": known["format"], "blur": known["blur"], "hash": known["hash"],
                "text_share": known["text_share"], "exposed": known.get("exposed"),
                "reading": known.get("reading"), "embedding": known.get("embedding"), "author": told.get("author"), "source": told.get("source"),
                "described": sha256_of(normalise(clip.caption)) if clip.caption else None,
            },
        )  # fmt: skip

    def make(self, sample: Sample) -> Example:
        crop = sample.choices["crop"]
        left, top, right, bottom = (int(edge) for edge in crop) if isinstance(crop, list) else (0, 0, 0, 0)
        width, height = (int(number(sample.choices, side)) for side in ("width", "height"))
        ref = Still(crop=(left, top, right, bottom), background=self.background)
        return Example(
            measured={"frames": 1, "enlarged": round(max(1.0, width / (right - left)), 4)},
            video=VideoRef(
                sha256=sample.clips[0].sha256, start_s=0.0, frames=1, fps=FPS, width=width, height=height, still=ref
            ),
        )  # fmt: skip

    def select(self, rows: Sequence[LedgerRow]) -> dict[str, str | None]:
        return {row.id: None for row in rows if row.made}

    @property
    def sketch(self) -> Sketch:
        """What holds of the pictures, whatever their text."""
        return Sketch(
            splits=("train",),
            totals={"kind": {PICTURE: self.count}},
            labels=(
                Label(name="length", found=("frames",), wanted=1.0, unit="frames", bound=0),
                Label(name="enlarged", found=("enlarged",), wanted=1.0, unit="times", bound=self.max_upscale - 1),
            ),
        )  # fmt: skip

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        ours = [row for row in rows if row.choices.get("kind") != REGULAR]
        kept = [row for row in ours if row.kept]
        regular = [row for row in rows if row.kept and row.choices.get("kind") == REGULAR]
        return [
            *super().audit(ours), *self.captioned(kept), self.apart([*kept, *regular]), *self.regular(regular),
            self.licensed([*kept, *regular]), *self.read(kept),
        ]  # fmt: skip

    def captioned(self, kept: Sequence[LedgerRow]) -> Iterator[Finding]:
        """What the set, or the control, says of its text."""
        if self.control in ("none", "other_token"):
            wanted = self.token if self.control == "other_token" else self.caption
            yield one_value("caption", [row.caption for row in kept], wanted)
            told = [row.id for row in kept if row.choices["caption_of"] is not None]
            yield nothing("leak", told, "pictures captioned from a sidecar", len(kept))
            return
        own = self.control == "true_captions"
        described = {row.id: row.attributes["described"] for row in kept}
        of = {row.id: str(row.choices["caption_of"]) for row in kept}
        wrong = [
            row.id for row in kept
            if (of[row.id] == row.id) != own or sha256_of(row.caption) != described.get(of[row.id])
        ]  # fmt: skip
        wrong += [name for name, times in Counter(of.values()).items() if times > 1]
        what = (
            "captions that are not the picture's own"
            if own
            else "captions that are not another picture's, each once"
        )
        yield nothing("caption", wrong, what, len(kept))

    def apart(self, kept: Sequence[LedgerRow]) -> Finding:
        """No two pictures are copies of one."""
        near = [
            f"{row.id} and {other.id}"
            for place, row in enumerate(kept)
            for other in kept[:place]
            if alike(row.attributes, other.attributes)
        ]
        return nothing("near_duplicates", near, "pairs that are copies of one", len(kept))

    def regular(self, regular: Sequence[LedgerRow]) -> Iterator[Finding]:
        """The pictures that hold the word's own meaning: each with its own description."""
        if not self.regularise:
            return
        wrong = [row.id for row in regular if sha256_of(row.caption) != row.attributes["described"]]
        yield nothing("regularisation", wrong, "pictures without their own description", len(regular))
        if not regular:
            yield Finding.judged(
                "regularisation_pictures", "all", False, "none", 0, {"pictures": 0}, {"least": 1}
            )

    def licensed(self, kept: Sequence[LedgerRow]) -> Finding:
        """Whether every picture says under which licence it may be used; where not, the set is private."""
        without = unlicensed(kept)
        says = f"{len(kept) - len(without)} of {len(kept)} pictures have a licence"
        says += f", so the set is private; first without: {without[0]}" if without else ""
        return Finding.reported("licences", "all", says, len(kept), {"without": len(without)})

    def read(self, kept: Sequence[LedgerRow]) -> Iterator[Finding]:
        """How strongly the pictures read as the word already, and how different they are: where a model was given."""
        readings = [row.attributes["reading"] for row in kept]
        if self.clip and None in readings:
            says = "the model is not trained: what it reads says nothing"
            yield Finding(name="reading", split="all", verdict="not_applicable", says=says, pairs=len(kept))
        elif self.clip and kept:
            shares = [number(row.attributes, "reading") for row in kept]
            low, middle, high = (round(float(v), 4) for v in np.quantile(shares, [0, 0.5, 1]))
            says = f"reads as {self.caption!r} rather than {', '.join(self.opposites)}: median {middle:.1%}, {low:.1%} to {high:.1%}"
            yield Finding.reported(
                "reading", "all", says, len(kept), {"median": middle, "least": low, "most": high}
            )
            vectors = np.array([row.attributes["embedding"] for row in kept])  # (N, D), unit
            apart = (
                round(float(1 - (vectors @ vectors.T)[np.triu_indices(len(kept), 1)].mean()), 4)
                if len(kept) > 1
                else 0.0
            )
            yield Finding.reported(
                "diversity", "all", f"mean cosine distance {apart:.3f}", len(kept), {"distance": apart}
            )


RECIPE = Human
