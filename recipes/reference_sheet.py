"""Reference sheets: a video, and one picture of all that is in it, cut out of the rest of its film.

The pair of a video IC-LoRA: the target, and as its reference the sheet as a video that stands still. What the sheet shows
must be what the target shows, and must not be the target's own frames.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, field_serializer, model_validator

from curate.captions import normalise
from curate.errors import CurateError, Rejected
from curate.film_plan import FPS, Target, Wanted, first_of_each, planned
from curate.media import cutout, faces, likeness
from curate.media.frames import frames_of, looped_frames
from curate.media.video import Image
from curate.picture_files import name_of
from curate.proof.finding import Finding
from curate.proof.sketch import Sketch
from curate.recipe import SHEET, Example, Recipe, WholeLatents, code_hash
from curate.records import Clip, Drop, LedgerRow, Sample, Values, VideoRef, number, strings
from curate.sheets import judge
from curate.sheets.cast import cast
from curate.sheets.choices import Choices
from curate.sheets.generator import Generator, fingerprint, load_generator
from curate.sheets.known import Known, known_of, look_at
from curate.sheets.make import frames_of_film, made_sheet
from curate.sheets.measure import Targets, compared, found_on
from curate.sheets.view import caption_of
from curate.sheets.windows import strangers


class ReferenceSheet(Recipe):
    """A video and the sheet of its elements."""

    name: ClassVar[str] = "reference-sheet"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "video_reference"
    training: ClassVar[str | None] = "reference-sheet"
    summary: ClassVar[str] = "a video, and a sheet of who and what is in it, cut out of the rest of its film"
    latents: ClassVar[tuple[str, ...]] = ("video_latents", "reference_video_latents")
    packages: ClassVar[tuple[str, ...]] = (
        "av", "numpy", "onnxruntime", "opencv-python-headless", "pillow", "rapidocr", "scenedetect-headless",
        "scikit-image", "scipy",
    )  # fmt: skip
    reads: ClassVar[Literal["videos", "pictures", "films"]] = "films"
    demo: ClassVar[str] = "films"
    annotated_by: ClassVar[tuple[str, ...]] = ("clip",)
    decided_on_the_set: ClassVar[tuple[str, ...]] = (
        "seed", "per_film", "heldout_share", "max_same_window", "clip", "generator",
    )  # fmt: skip

    frames: WholeLatents = Field(default=121, ge=9, le=1025, description="of a target, 8k+1, at 24 a second")
    width: int = Field(default=768, ge=64, multiple_of=32)
    height: int = Field(default=448, ge=64, multiple_of=32)
    per_film: int = Field(default=4, ge=1, description="at most so many targets of a film")
    heldout_share: float = Field(default=0.2, ge=0, lt=1)
    max_same_window: float = Field(
        default=0.34, ge=0, le=1, description="share of a sheet's panels that are cut from the target itself"
    )
    clip: str | None = Field(
        default=None, min_length=1, description="an open_clip model, to find props that have no box"
    )
    generator: str | None = Field(
        default=None, pattern=r"^([\w.]+|.+\.py):\w+$",
        description="module:function or FILE.py:function, for views that a film does not show",
    )  # fmt: skip

    # build.json holds no path
    @field_serializer("clip", when_used="json")
    def _called(self, value: str | None) -> str | None:
        return likeness.shown_name(value) if value else None

    @field_serializer("generator", when_used="json")
    def _named(self, value: str | None) -> str | None:
        return Path(value).name if value else None

    @model_validator(mode="after")
    def _landscape(self) -> Self:
        if self.width < self.height:
            raise ValueError(
                f"a sheet of {self.width}x{self.height}; wanted one that is not higher than wide"
            )
        return self

    def made_with(self) -> dict[str, str]:
        """As ever, and the code of sheets, and the models that find faces, people and props."""
        own = {"clip": likeness.load_clip(self.clip).fingerprint} if self.clip else {}
        models = {"faces": faces.version(), "masks": cutout.version()}
        return super().made_with() | {"sheets code": code_hash("sheets", "film_plan.py")} | own | models

    def annotate(self, clip: Clip) -> Values:
        if self.generator:  # a wrong one is told before films are looked through
            load_generator(self.generator)
        return look_at(clip, self.clip).as_values()

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        known = {clip.id: known_of(clip) for clip in clips}
        films = {name: each.film for name, each in known.items()}
        size = (self.frames, self.width, self.height)
        wanted = Wanted(*size, self.per_film, self.seed, self.heldout_share)
        return planned(clips, films, wanted, lambda target: self.sample(target, known[target.clip.id]))

    def sample(self, target: Target, known: Known) -> Sample:
        """The pair of a target. Raises Rejected where the film shows too little of it."""
        clip, window = target.clip, target.window
        if not (scene := normalise(clip.caption or "")):
            raise Rejected("no_caption", "nothing says what happens in it; wanted a caption in its sidecar")
        shown = cast(known, window, bool(self.generator))
        chosen = Choices.made(known, window, shown)
        own = chosen.from_target(window)
        if len(own) > self.max_same_window * len(shown.views):
            told = f"{len(own)} of {len(shown.views)} panels are only in the target itself: {', '.join(own)}"
            raise Rejected("same_window", f"{told}; wanted at most {self.max_same_window:.0%}")
        generated = [view.name for view in shown.views if view.generated]
        drawn_by = {"generator": fingerprint(self.generator)} if self.generator and generated else {}
        used = {view.image: clip.beside[view.image] for view in shown.views if view.image}
        bare = clip.model_copy(update={"caption": None, "labels": {}, "annotations": {}, "beside": used})
        return Sample(
            id=target.id, group=target.group, split=target.split, caption=caption_of(shown.views, scene), clips=(bare,),
            choices={"start_s": window.start_s, **chosen.as_values(), **drawn_by},
            attributes={
                "order": target.order, "generated": generated, "missing": shown.missing, "same_window": own,
                "characters": len(shown.who), "strangers": strangers(known.film, window, shown.who.values()),
            },
        )  # fmt: skip

    def make(self, sample: Sample) -> Example:
        """The sheet and its measures. Raises Rejected where a panel cannot be had, or is not what it should be."""
        clip, chosen = sample.clips[0], Choices.of(sample)
        target = VideoRef(
            sha256=clip.sha256, start_s=number(sample.choices, "start_s"), frames=self.frames, fps=FPS,
            width=self.width, height=self.height,
        )  # fmt: skip
        video = frames_of(clip.path, target)
        cut_s = [view.at_s for view in chosen.views if view.at_s is not None]
        frames = frames_of_film(clip, [*chosen.people, *chosen.target_s, *cut_s])
        generator = self.drawing(sample) if "generator" in sample.choices else None
        size, folder = (self.width, self.height), Path(clip.path).parent
        sheet = made_sheet(folder, frames, chosen.views, chosen.people, size, generator)
        looked = [frames[at_s] for at_s in chosen.target_s]
        names = [view.name for view in chosen.views]
        found = {
            **found_on(sheet.picture, sheet.boxes, names, chosen.given),
            **compared(sheet, frames, Targets(video, looked, chosen.faces, chosen.means)),
            SHEET: name_of(sheet.picture),
            "panels": names,
            "boxes": [float(edge) for box in sheet.boxes for edge in box],
            "importances": [view.importance for view in chosen.views],
            "place_seen": round(sheet.place_seen, 3),
            "frames": len(video),
            "reference_frames": len(looped_frames(sheet.picture, len(video))),
            "sheet_width": sheet.picture.shape[1],
            "sheet_height": sheet.picture.shape[0],
        }
        judge.gate(found)
        return Example(measured=found, video=target, pictures={SHEET: sheet.picture})

    def drawing(self, sample: Sample) -> Generator:
        """The user's image model. Raises CurateError where it is no more the one that was planned with."""
        if fingerprint(str(self.generator)) != sample.choices["generator"]:
            raise CurateError(f"generator {self.generator}: changed in the middle of the build; run again")
        return load_generator(str(self.generator))

    def select(self, rows: Sequence[LedgerRow]) -> dict[str, str | None]:
        """The first `per_film` of each film that stand, in the order of their lot."""
        return first_of_each(rows, self.per_film)

    def found_on(self, picture: Image, row: LedgerRow) -> Values:
        names, given = strings(row.measured["panels"]), Choices.of(row).given
        return found_on(picture, judge.boxes_of(row), names, given)

    @property
    def sketch(self) -> Sketch:
        """What holds of every pair; `audit` adds what is judged over panels."""
        return Sketch(
            labels=judge.labels(self.frames, self.width, self.height),
            effects=("covered", "place_seen", "body_identity"),
        )

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        kept = [row for row in rows if row.kept]
        own = judge.own_frames(kept, self.frames / FPS, self.max_same_window)
        return [*super().audit(rows), *judge.laid_out(kept), own]


RECIPE = ReferenceSheet
