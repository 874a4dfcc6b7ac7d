"""Two characters in one first frame: a scene of a film, and before it one picture of who is in it, each on their side.

The picture IS the target's first frame, so that every later latent was encoded with the first frame that a model will be
given, and any image-to-video trainer can use the set. What it shows must be who the target shows, and must not be the
target's own frames.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from curate.errors import Rejected
from curate.film_plan import FPS, Target, Wanted, first_of_each, planned
from curate.media import cutout, faces
from curate.media.film import Film
from curate.media.frames import frames_of
from curate.media.subject import Box
from curate.media.video import Image
from curate.picture_files import name_of
from curate.proof import labels
from curate.proof.finding import Finding
from curate.proof.sketch import Sketch
from curate.recipe import FIRST, PIN, Example, Recipe, WholeLatents, code_hash, listed
from curate.records import Clip, Drop, LedgerRow, Sample, Values, VideoRef, sha256_of
from curate.scenes import judge
from curate.scenes.caption import told_of
from curate.scenes.choices import Choices
from curate.scenes.known import Known, known_of, look_at, without_tails
from curate.scenes.make import arranged, background, cuts_of, is_plain, places_of
from curate.scenes.measure import Given, bits, compared, found_on
from curate.scenes.people import named
from curate.scenes.pins import fault, staggered
from curate.scenes.scene import Scene
from curate.scenes.standing import cropped, from_left
from curate.sheets.windows import Window, present


class DualCharacter(Recipe):
    """A scene and the first frame that shows its cast."""

    name: ClassVar[str] = "dual-character"
    version: ClassVar[int] = 1
    strategy: ClassVar[str] = "first_frame"
    training: ClassVar[str | None] = "dual-character"
    summary: ClassVar[str] = "a scene of two people, and before it one picture of both, each on their side"
    latents: ClassVar[tuple[str, ...]] = ("video_latents",)
    packages: ClassVar[tuple[str, ...]] = (
        "av", "imagehash", "numpy", "onnxruntime", "opencv-python-headless", "pillow", "rapidocr",
        "scenedetect-headless", "scikit-image", "scipy",
    )  # fmt: skip
    reads: ClassVar[Literal["videos", "pictures", "films", "scenes"]] = "scenes"
    demo: ClassVar[str] = "films"
    demo_settings: ClassVar[Mapping[str, Any]] = {"width": 640, "height": 352}
    decided_on_the_set: ClassVar[tuple[str, ...]] = (
        "seed", "per_film", "heldout_share", "characters", "reverse_angles", "subtitles", "trim_tail_frames", "pin_frames",
    )  # fmt: skip

    frames: WholeLatents = Field(default=121, ge=9, le=1025, description="of a target, 8k+1, at 24 a second")
    width: int = Field(default=1280, ge=64, le=4096, multiple_of=32)
    height: int = Field(default=704, ge=64, le=4096, multiple_of=32)
    pin: Literal["composite", "frame0", "staggered"] = Field(
        default="composite",
        description="composite: all in one first frame; staggered: one each, the others later; frame0: the control, the clip's own",
    )
    pin_frames: Annotated[tuple[int, ...], BeforeValidator(listed)] = Field(
        default=(), max_length=3, description="staggered only: of each character as they are first seen"
    )
    characters: int = Field(default=2, ge=2, le=3, description="at most so many; three is the model's limit")
    reverse_angles: bool = Field(
        default=True, description="of two people of a film also targets that show one, the other beside them"
    )
    background: Literal["plate", "plain"] = Field(
        default="plate", description="behind them; a plate is blurred"
    )
    subtitles: Literal["reject", "crop"] = "reject"
    trim_tail_frames: int = Field(
        default=0,
        ge=0,
        le=24,
        description="of the end of every shot; 8 for generated clips, which smear there",
    )
    per_film: int = Field(default=8, ge=1, description="at most so many targets of a film")
    heldout_share: float = Field(default=0.2, ge=0, lt=1)

    @model_validator(mode="after")
    def _lies(self) -> Self:
        if self.width <= self.height:
            raise ValueError(f"a target of {self.width}x{self.height}; wanted one that is wider than high")
        return self

    @model_validator(mode="after")
    def _pins_apart(self) -> Self:
        if self.pin_frames and self.pin != "staggered":
            raise ValueError(f"pin_frames are for pin=staggered, pin is {self.pin}")
        told = [(f"character {place}", frame) for place, frame in enumerate(self.pin_frames, start=1)]
        if told and (why := fault(told, self.frames)):
            raise ValueError(why)
        if list(self.pin_frames) != sorted(self.pin_frames) or len(self.pin_frames) > self.characters:
            raise ValueError(f"wanted them ascending from 0, one for each of {self.characters} characters")
        return self

    def holds(self) -> tuple[str, ...]:
        return ("video_latents", "pin_latents") if self.pin == "staggered" else self.latents

    def must_fail(self) -> frozenset[str]:
        return frozenset({judge.COPY}) if self.pin == "frame0" else frozenset()

    def made_with(self) -> dict[str, str]:
        """As ever, and the code of scenes, and the models that find faces and people."""
        code = code_hash("scenes", "sheets", "film_plan.py")
        return super().made_with() | {
            "scenes code": code,
            "faces": faces.version(),
            "masks": cutout.version(),
        }

    def annotate(self, clip: Clip) -> Values:
        return look_at(clip).as_values()

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        known = {clip.id: self.trimmed(clip, known_of(clip)) for clip in clips}
        films = {name: each.film for name, each in known.items()}
        people = named({name: (each.film, each.cast) for name, each in known.items()})
        wanted = Wanted(self.frames, self.width, self.height, self.per_film, self.seed, self.heldout_share)
        scenes = {name: Scene.of(each, wanted) for name, each in known.items()}

        def sample(target: Target) -> Sample:
            return self.sample(target, scenes[target.clip.id], people[target.clip.id])

        names = {name: list(each.values()) for name, each in people.items()}
        return planned(clips, films, wanted, sample, names)

    def trimmed(self, clip: Clip, known: Known) -> Known:
        """Without the smeared end of each shot."""
        return known._replace(film=without_tails(known.film, self.trim_tail_frames / max(clip.fps, 1.0)))

    def sample(self, target: Target, scene: Scene, people: Mapping[int, str]) -> Sample:
        """A target with its cast. `people` says who a character is, in whatever film. Raises Rejected."""
        clip, window, film = target.clip, target.window, scene.film
        crop = self.beside_subtitles(scene.known, window)
        if crop:
            window = window._replace(part=crop)
        reverse_angles = self.reverse_angles and self.pin != "staggered"  # who is not seen is never late
        order = from_left(film, window, scene.able, self.characters, reverse_angles)
        views = [scene.shown.view(window, who) for who in order]
        told = told_of(clip.caption, [(view.name, scene.description(view.who)) for view in views])
        if told.names_sides and scene.is_turned(order):
            raise Rejected(
                "sides_contradicted",
                "its caption names sides, and here they stand the other way round than first",
            )
        pins = self.pinned(film, window, {who: view.name for who, view in zip(order, views, strict=True)})
        seen, factor = present(film, window), clip.width / film.size[0]
        chosen = Choices(
            start_s=window.start_s,
            views=views,
            pins=[pins[who] for who in order],
            places=places_of(film, window.start_s) if self.background == "plate" else {},
            unseen={place: film.identities[who] for place, who in enumerate(order) if who not in seen},
            fixed=sorted({line.text for line in scene.known.writing.fixed}),
            crop=Box(*(round(edge * factor) for edge in crop)) if crop else None,
        )
        used = {picture: clip.beside[picture] for view in views for picture in view.pictures}
        bare = clip.model_copy(update={"caption": None, "labels": {}, "annotations": {}, "beside": used})
        cast = [people[who] for who in order]
        return Sample(
            id=target.id, group=target.group, split=target.split, caption=told.text, clips=(bare,),
            choices={**chosen.as_values(), "pin": self.pin, "on_first": sum(not frame for frame in chosen.pins)},
            attributes={
                "order": target.order, "people": cast, "cast": sha256_of(sorted(cast))[:12], "scene": clip.id,
                "shot": scene.shot(window), "unseen": [cast[place] for place in chosen.unseen],
                "missing": scene.known.absent, "caption_lacks": told.warnings, "caption_mended": told.mended,
            },
        )  # fmt: skip

    def beside_subtitles(self, known: Known, window: Window) -> Box | None:
        """What is left of the film beside subtitles, None for all of it. Raises Rejected: subtitles."""
        lines = known.writing.in_window(window.start_s, window.end_s)
        if lines and self.subtitles == "reject":
            raise Rejected(
                "subtitles",
                f"{lines[0].text!a:.60} from {lines[0].from_s:.2f} s on, and {len(lines) - 1} more",
            )
        return cropped(known.film, known.writing, window, (self.width, self.height)) if lines else None

    def pinned(self, film: Film, window: Window, names: Mapping[int, str]) -> dict[int, int]:
        """The frame at which each character's picture is pinned. Raises Rejected: pins."""
        if self.pin != "staggered":
            return dict.fromkeys(names, 0)
        return staggered(film, window, names, self.pin_frames, self.frames)

    def make(self, sample: Sample) -> Example:
        """The first frame and its measures. Raises Rejected where it cannot be had, or is not what it should be."""
        clip, chosen, size = sample.clips[0], Choices.of(sample), (self.width, self.height)
        target = VideoRef(
            sha256=clip.sha256, start_s=chosen.start_s, frames=self.frames, fps=FPS, width=self.width,
            height=self.height, crop=chosen.crop,
        )  # fmt: skip
        video = frames_of(clip.path, target)
        cuts = cuts_of(clip, chosen.views)
        behind = background(clip, chosen.places, size)
        made = arranged([cut.figure for cut in cuts], chosen.pins, behind)
        pictures = {role: each.picture for role, each in made.items()}
        found: dict[str, Any] = {
            **found_on(pictures[FIRST]),
            **compared(self.given(pictures, chosen), video, FPS),
            "cut_s": [cut.look.at_s if cut.look else -1.0 for cut in cuts],
            "given": sum(cut.look is None for cut in cuts),
            "plain": int(is_plain(behind)),
            "same_shot": sum(bool(cut.look and cut.look.same_shot) for cut in cuts),
            "same_window": sum(bool(cut.look and cut.look.same_window) for cut in cuts),
            "enlarged": round(max(each.enlarged for each in made.values()), 3),
            "frames": len(video),
            "first_width": pictures[FIRST].shape[1],
            "first_height": pictures[FIRST].shape[0],
        }
        labels.gate(self.sketch.labels, sample.choices, found, sample.id)
        if self.pin == "frame0":  # the pairs of the set, each with its own first frame
            return Example(measured=found | {"bits": bits(video[0], video)}, video=target)
        return Example(
            measured=found | {role: name_of(picture) for role, picture in pictures.items()},
            video=target,
            pictures=pictures,
        )

    def given(self, pictures: Mapping[str, Image], chosen: Choices) -> Given:
        """What is pinned: one picture of all, or one of everybody from the left."""
        pins = chosen.pins
        shown = (
            [pictures[f"{PIN}{frame}" if frame else FIRST] for frame in pins]
            if any(pins)
            else [pictures[FIRST]]
        )
        return Given(shown, pins, chosen.unseen, chosen.fixed)

    def select(self, rows: Sequence[LedgerRow]) -> dict[str, str | None]:
        """The first `per_film` of each film that stand, in the order of their lot."""
        return first_of_each(rows, self.per_film)

    def found_on(self, picture: Image, row: LedgerRow) -> Values:
        return found_on(picture)

    @property
    def sketch(self) -> Sketch:
        """What holds of every pair; `audit` adds what is judged over the set."""
        return Sketch(
            labels=judge.labels(self.frames, self.width, self.height), effects=("together", "enlarged")
        )

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        kept = [row for row in rows if row.kept]
        return [*super().audit(rows), *judge.over_all(kept, self.pin, self.frames, self.width, self.height)]


RECIPE = DualCharacter
