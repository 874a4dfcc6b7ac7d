"""Human: one caption for pictures that it does not mean, to see whether a few can move what a word stands for.

Every picture of the set has the same word for a caption, and nothing else: no tags, no trigger, nothing from a sidecar.
The controls have the same pictures with another text, so that what the word does can be told from what the pictures do.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, field_serializer, field_validator, model_validator

from curate.captions import normalise
from curate.errors import CurateError, Rejected
from curate.media import likeness, nudity, quality, text
from curate.media.bucket import bucket_of, fit
from curate.media.frames import frames_of
from curate.media.picture import Picture, heic_decoder
from curate.media.subject import subject_box
from curate.media.video import Image
from curate.proof.finding import Finding
from curate.proof.invariants import effect, nothing, one_value
from curate.proof.pictures import no_copies, only_texts
from curate.proof.sketch import Label, Sketch
from curate.recipe import Example, Line, Lines, Recipe
from curate.records import (
    Clip,
    Drop,
    LedgerRow,
    Sample,
    Still,
    Values,
    VideoRef,
    number,
    numbers,
    rng,
    sha256_of,
    strings,
)
from curate.split import shuffled_texts

FPS = 24.0  # of one frame; a rate is something that a video model wants to know
NEAR_COSINE = 0.98  # of embeddings; a guess, for no trained weights could be run here
ROUNDING = 0.01  # of an enlargement: crops are whole pixels
A_FOLDER = "(a folder)"  # as which `regularise` is kept: build.json holds no path
PICTURE, REGULAR = "picture", "regularisation"
# All text that a sample may carry beside its caption, by name, and how it is spelt.
TEXTS = {
    "kind": f"{PICTURE}|{REGULAR}", "format": "[A-Z]+", "described": "[0-9a-f]{64}",
    "hashes": "[0-9a-f]{16}", "exposed": "[A-Z_]+", "author": ".*", "source": ".*",
}  # fmt: skip


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
        "imagehash", "numpy", "onnxruntime", "opencv-python-headless", "pillow", "rapidocr", "scikit-image", "scipy",
    )  # fmt: skip
    demo: ClassVar[str] = "robots"
    annotated_by: ClassVar[tuple[str, ...]] = ("background", "buckets", "max_upscale", "nudity", "asked")
    decided_on_the_set: ClassVar[tuple[str, ...]] = (
        "count", "caption", "control", "token", "max_blur", "max_text_share", "nudity", "opposites", "regularise",
    )  # fmt: skip

    count: int = Field(default=32, ge=1, le=100_000, strict=True, description="exactly so many pictures")
    caption: Line = Field(default="human", description="of every picture")
    control: Literal["none", "true_captions", "other_token", "shuffled"] = Field(
        default="none", description="the same pictures with another text"
    )
    token: Line = Field(default="ohwx", description="the caption of other_token")
    buckets: Lines = Field(default=("512x512",), description="WIDTHxHEIGHT, each")
    max_upscale: float = Field(default=1.0, ge=1, le=4)
    background: str = Field(
        default="#ffffff", pattern="^#[0-9a-fA-F]{6}$", description="behind what is transparent"
    )
    max_blur: float = Field(default=quality.MAX_BLUR, gt=0, le=1)
    max_text_share: float = Field(default=0.02, ge=0, le=1)
    nudity: Literal["ignore", "flag", "drop"] = Field(
        default="ignore", description="flag or drop: wants the extra `nudity`"
    )
    clip: str | None = Field(
        default=None, min_length=1, description="an open_clip model, to read pictures with"
    )
    opposites: Lines = Field(default=("robot", "android", "cyborg", "alien"))
    regularise: str | None = Field(
        default=None, min_length=1, description="a folder of true pictures with captions"
    )

    @field_validator("buckets")
    @classmethod
    def _whole_latents(cls, buckets: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each for each in buckets if bucket_of(each)))

    @field_validator("regularise")
    @classmethod
    def _folder(cls, value: str | None) -> str | None:
        if value not in (None, A_FOLDER) and not Path(value).expanduser().is_dir():
            raise ValueError(f"{value}: no such folder; wanted one of pictures with captions")
        return value

    @model_validator(mode="after")
    def _other_words(self) -> Self:
        words = [word.casefold() for word in (self.caption, *self.opposites)]
        if self.clip and (twice := next((w for w in words if words.count(w) > 1), None)):
            raise ValueError(f"{twice!r} comes twice among the caption and its opposites; wanted other words")
        if self.control == "other_token" and self.token == self.caption:
            raise ValueError(f"the token is {self.token!r}, as the caption is; wanted another one")
        return self

    # build.json holds no path
    @field_serializer("regularise", when_used="json")
    def _whether(self, value: str | None) -> str | None:
        return A_FOLDER if value else None

    @field_serializer("clip", when_used="json")
    def _called(self, value: str | None) -> str | None:
        return likeness.shown_name(value) if value else None

    @property
    def asked(self) -> tuple[str, ...]:
        """What a model is asked of a picture: the word, then its opposites; nothing where no model is given."""
        return (self.caption, *self.opposites) if self.clip else ()

    def folders(self) -> Mapping[str, Path]:
        return {REGULAR: Path(self.regularise).expanduser()} if self.regularise else {}

    def made_with(self) -> dict[str, str]:
        """As ever, with the decoders and models that only some have."""
        extra = {"clip": likeness.load_clip(self.clip).fingerprint} if self.clip else {}
        if self.nudity != "ignore":
            extra["nudenet"] = nudity.version()
        return super().made_with() | extra | heic_decoder()

    def annotate(self, clip: Clip) -> Values:
        """What a picture is like; Rejected when it is too small for every bucket."""
        picture = Picture(clip.path)
        seen = picture.on(self.background)
        size = (seen.shape[1], seen.shape[0])
        buckets = [bucket_of(each) for each in self.buckets]
        width, height, crop = fit(size, subject_box(seen, picture.alpha), buckets, self.max_upscale)
        written = text.text_share(seen)
        shown = [each.label for each in nudity.nudity(seen)] if self.nudity != "ignore" else None
        return {
            "format": picture.format,
            "hashes": quality.hashes_of(picture.on("#ffffff")),  # on black, outlines are alike
            "blur": round(quality.blur_of(seen), 3),
            "text_share": round(written.share, 4),
            "words": list(written.words),
            "width": width,
            "height": height,
            "crop": [float(edge) for edge in crop],
            "exposed": None if shown is None else sorted(shown),
            **self.read_by_model(seen),
        }

    def read_by_model(self, seen: Image) -> Values:
        """A picture's embedding and the share of it that goes to the word; nothing from a model that is not trained."""
        if self.clip is None:
            return {}
        model = likeness.load_clip(self.clip)
        if not model.trained:
            return {}
        vectors = model.embed_pictures([seen])
        shares = likeness.reading(vectors, model, self.caption, self.opposites)
        return {
            "reading": round(shares[0], 3) if shares else None,
            "embedding": [float(v) for v in vectors[0]],
        }

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        sound = list[Clip]()
        for clip in sorted(clips, key=lambda clip: (clip.part or "", -clip.width * clip.height, clip.id)):
            try:
                self.refuse(clip, sound)  # of two copies the source's stays, then the larger
            except Rejected as why:
                yield Drop.of(clip, why)
            else:
                sound.append(clip)
        order = {clip.id: float(rng(self.seed, clip.sha256, "order").random()) for clip in sound}
        pictures = sorted((c for c in sound if c.part is None), key=lambda c: (order[c.id], c.id))
        for late in pictures[self.count :]:
            yield Drop.of(late, Rejected("surplus", f"beyond the {self.count} wanted"))
        chosen, regular = pictures[: self.count], [clip for clip in sound if clip.part == REGULAR]
        captions = self.captions(chosen) | self.described(regular)
        stands = self.stands(chosen)
        for clip in (*chosen, *regular):
            yield self.sample(clip, captions[clip.id], order[clip.id], stands.get(clip.id, {}))

    def refuse(self, clip: Clip, before: Sequence[Clip]) -> None:
        """Raises Rejected for a picture that may not be in the set, as a copy of one before it among others."""
        known = clip.annotations
        if (blur := number(known, "blur")) > self.max_blur:
            raise Rejected("blurred", f"blur {blur:.2f}, wanted at most {self.max_blur:g}")
        if (share := number(known, "text_share")) > self.max_text_share:
            said = " ".join(strings(known["words"]))[:40]
            raise Rejected(
                "text", f"{said!r} over {share:.1%} of it, wanted at most {self.max_text_share:.1%}"
            )
        if self.nudity == "drop" and (exposed := strings(known.get("exposed"))):
            raise Rejected("nudity", ", ".join(exposed))
        for other in before:
            if quality.are_copies(strings(known["hashes"]), strings(other.annotations["hashes"])):
                raise Rejected("near_duplicate", f"of {other.name}")
        vectors = np.array(
            [other.annotations["embedding"] for other in before if "embedding" in known]
        )  # (N, D)
        if len(vectors) and (cosines := vectors @ np.array(known["embedding"])).max() > NEAR_COSINE:
            nearest = before[int(cosines.argmax())].name
            raise Rejected("near_duplicate", f"of {nearest}, by a cosine of {cosines.max():.3f}")

    def captions(self, chosen: Sequence[Clip]) -> dict[str, str]:
        """The caption of each picture of the set, by its id."""
        if self.control in ("none", "other_token"):
            return dict.fromkeys(
                (c.id for c in chosen), self.caption if self.control == "none" else self.token
            )
        own = self.described(chosen)
        return (
            own
            if self.control == "true_captions"
            else shuffled_texts(own, rng(self.seed, "shuffled captions"))
        )

    def describes(self, clip: Clip) -> bool:
        """Whether a picture's own description is somebody's caption."""
        return clip.part == REGULAR or self.control in ("true_captions", "shuffled")

    def described(self, clips: Sequence[Clip]) -> dict[str, str]:
        """The descriptions that pictures came with, by id. Raises CurateError where one has none: it is not another's turn."""
        own = {clip.id: normalise(clip.caption or "") for clip in clips}
        if bare := sorted(clip.name for clip in clips if not own[clip.id]):
            raise CurateError(
                f"{bare[0]}: no description of its own ({len(bare)} of {len(clips)} pictures have none); "
                "wanted one in its sidecar"
            )
        return own

    def stands(self, chosen: Sequence[Clip]) -> dict[str, Values]:
        """How each picture stands to the others, by id; nothing without embeddings of two."""
        vectors = np.array(
            [clip.annotations["embedding"] for clip in chosen if "embedding" in clip.annotations]
        )
        if len(vectors) < 2:
            return {}
        near, far = likeness.spread(vectors)
        return {
            clip.id: {"nearest_cosine": round(near[place], 3), "distance": round(far[place], 3)}
            for place, clip in enumerate(chosen)
        }

    def sample(self, clip: Clip, caption: str, order: float, stands: Values) -> Sample:
        """The sample of a picture, without anything else that its sidecar says."""
        known, told = clip.annotations, clip.labels
        bare = clip.model_copy(update={"caption": None, "labels": {}, "annotations": {}})
        return Sample(
            id=clip.id, group=clip.id, split="train", caption=caption, clips=(bare,),
            choices={"kind": clip.part or PICTURE, "order": order, **{k: known[k] for k in ("width", "height", "crop")}},
            attributes={
                **{k: known.get(k) for k in ("format", "hashes", "blur", "text_share", "exposed", "reading")}, **stands,
                **{k: told.get(k) for k in ("author", "source")},
                "described": sha256_of(normalise(clip.caption)) if clip.caption and self.describes(clip) else None,
            },
        )  # fmt: skip

    def make(self, sample: Sample) -> Example:
        width, height = (int(number(sample.choices, side)) for side in ("width", "height"))
        left, top, right, bottom = (int(edge) for edge in numbers(sample.choices["crop"]))
        ref = VideoRef(
            sha256=sample.clips[0].sha256, start_s=0.0, frames=1, fps=FPS, width=width, height=height,
            still=Still(crop=(left, top, right, bottom), background=self.background),
        )  # fmt: skip
        shown = frames_of(sample.clips[0].path, ref)  # (1, H, W, 3), what will be encoded
        measured: Values = {
            "frames": shown.shape[0], "height_px": shown.shape[1], "width_px": shown.shape[2],
            "enlarged": round(max(width / (right - left), height / (bottom - top), 1.0), 4),
            "hashes": quality.hashes_of(shown[0]), "blur": round(quality.blur_of(shown[0]), 3),
        }  # fmt: skip
        return Example(measured=measured, video=ref)

    @property
    def sketch(self) -> Sketch:
        """What holds of the pictures, whatever their text."""
        most = self.max_upscale - 1 + ROUNDING
        return Sketch(
            splits=("train",),
            totals={} if self.regularise else {"kind": {PICTURE: self.count}},
            labels=(
                Label(name="length", found=("frames",), wanted=1.0, unit="frames"),
                Label(name="width", found=("width_px",), wanted="width", unit="px"),
                Label(name="height", found=("height_px",), wanted="height", unit="px"),
                Label(name="enlarged", found=("enlarged",), wanted=1.0, unit="times", bound=most),
            ),
            effects=("blur",),
        )  # fmt: skip

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        kept = [row for row in rows if row.kept]
        ours = [row for row in kept if row.choices["kind"] != REGULAR]
        return [
            *super().audit(rows),
            self.captioned(ours),
            only_texts("leak", kept, TEXTS),
            no_copies("near_duplicates", kept, NEAR_COSINE),
            *self.read(ours),
            *(self.regular(kept, len(ours)) if self.regularise else ()),
        ]

    def captioned(self, ours: Sequence[LedgerRow]) -> Finding:
        """What the set, or the control, says of its text."""
        if self.control in ("none", "other_token"):
            word = self.caption if self.control == "none" else self.token
            return one_value("caption", [row.caption for row in ours], word)
        own = [row.id for row in ours if sha256_of(row.caption) == row.attributes["described"]]
        if self.control == "true_captions":
            others = sorted({row.id for row in ours} - {*own})
            return nothing("caption", others, "captions that are not the picture's own", len(ours))
        said = Counter(sha256_of(row.caption) for row in ours)
        said.subtract(Counter(str(row.attributes["described"]) for row in ours))
        wrong = own + [f"sha256 {text[:12]}" for text, times in sorted(said.items()) if times]
        return nothing("caption", wrong, "captions that are the picture's own, or nobody's", len(ours))

    def regular(self, kept: Sequence[LedgerRow], ours: int) -> Iterator[Finding]:
        """The pictures that hold the word's own meaning are there, each with its own description; ours are all there."""
        regular = [row for row in kept if row.choices["kind"] == REGULAR]
        wrong = [row.id for row in regular if sha256_of(row.caption) != row.attributes["described"]]
        yield nothing("regularisation", wrong, "pictures without their own description", len(regular))
        sound = ours == self.count and bool(regular)
        says = f"{ours} of {self.count} pictures, {len(regular)} for regularisation"
        measured: Values = {PICTURE: ours, REGULAR: len(regular)}
        yield Finding.judged(
            "total_kind", "all", sound, says, len(kept), measured, {PICTURE: self.count, REGULAR: 1}
        )

    def read(self, ours: Sequence[LedgerRow]) -> Iterator[Finding]:
        """How strongly the pictures read as the word already, and how different they are: where a model was given."""
        read = [row for row in ours if isinstance(row.attributes.get("reading"), int | float)]
        if self.clip and len(read) < len(ours):
            says = f"not applicable (untrained): what {self._called(self.clip)} reads says nothing of the pictures"
            yield Finding(name="reading", split="all", verdict="not_applicable", says=says, pairs=len(ours))
        elif self.clip:
            yield effect("reading", [number(row.attributes, "reading") for row in read])
            yield effect(
                "diversity", [number(r.attributes, "distance") for r in read if "distance" in r.attributes]
            )


RECIPE = Human
