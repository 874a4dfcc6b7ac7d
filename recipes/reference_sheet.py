"""Reference sheets: a video, and one picture of all that is in it, cut out of the rest of its film.

The pair of a video IC-LoRA: the target, and as its reference the sheet as a video that stands still. What the sheet shows
must be what the target shows, and must not be the target's own frames.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from curate.captions import normalise
from curate.errors import Rejected
from curate.media import cutout, faces
from curate.media.film import Film, Sighting, look_through
from curate.media.frames import LEAST_LOOPED
from curate.media.layout import area_order, overlaps
from curate.media.shots import Shot
from curate.media.subject import Box
from curate.proof.finding import Finding
from curate.proof.invariants import nothing
from curate.proof.sketch import Label, Sketch
from curate.recipe import Example, Recipe
from curate.records import (
    Clip,
    Drop,
    LedgerRow,
    Sample,
    Split,
    Values,
    VideoRef,
    number,
    numbers,
    rng,
    strings,
)
from curate.sheets import cast as casting
from curate.sheets.cast import Place, View, Window
from curate.sheets.elements import Elements, elements_of, read_elements
from curate.sheets.generator import fingerprint, load_generator
from curate.sheets.make import frames_of_film, made_sheet, measured
from curate.split import groups, sides

FPS = 24.0
SAME_MEAN = 0.45  # of two characters' mean identities: one man in two films .2, drawn people from .5 on
LEAST_LEVELS = 4.0  # that a person on a panel differs from the target's frames at the same place
MOST_OUTSIDE = 0.001  # of a sheet: pixels outside its panels that are not black
HEADS = ("Reference sheet: ", "Generated video: ")
ITEM = re.compile(r"(?P<element>[\w-]+), (?P<description>[^;()]+) \((?P<views>[^;()]+)\)")


def caption_of(views: Sequence[View], scene: str) -> str:
    """The two parts of a pair's caption: what is on the sheet, and what happens in the video."""
    told = dict[str, list[View]]()
    for view in views:
        told.setdefault(view.element, []).append(view)
    items = [f"{name}, {its[0].description} ({', '.join(v.told for v in its)})" for name, its in told.items()]
    return f"{HEADS[0]}{'; '.join(items)}.\n{HEADS[1]}{scene}"


def named_in(caption: str) -> list[str]:
    """The panels that a caption names, as ELEMENT VIEW. Raises ValueError for a caption of another form."""
    found = re.fullmatch(rf"{HEADS[0]}(?P<items>.+)\.\n{HEADS[1]}(?P<scene>\S.*)", caption)
    items = [ITEM.fullmatch(item) for item in found["items"].split("; ")] if found else [None]
    if not all(items):
        raise ValueError(f"{caption[:60]!r} is not in two parts, each element with its views")
    return [f"{item['element']} {view}" for item in items if item for view in item["views"].split(", ")]


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
    demo: ClassVar[str] = "films"
    annotated_by: ClassVar[tuple[str, ...]] = ()
    decided_on_the_set: ClassVar[tuple[str, ...]] = ("per_film", "heldout_share", "max_same_window")

    frames: int = Field(default=121, ge=9, le=1025, description="of a target, 8k+1, at 24 a second")
    width: int = Field(default=768, ge=64, multiple_of=32)
    height: int = Field(default=448, ge=64, multiple_of=32)
    per_film: int = Field(default=4, ge=1, description="at most so many targets of a film")
    heldout_share: float = Field(default=0.2, ge=0, lt=1)
    max_same_window: float = Field(
        default=0.25, ge=0, le=1, description="share of all panels cut from the target itself"
    )
    generator: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:\w+$",
        description="module:function, for views that a film does not show",
    )

    @field_validator("frames")
    @classmethod
    def _whole_latents(cls, frames: int) -> int:
        if frames % 8 != 1:
            raise ValueError("wanted 8k+1, such as 41 or 121")
        return frames

    @model_validator(mode="after")
    def _landscape(self) -> Self:
        if self.width < self.height:
            raise ValueError(
                f"a sheet of {self.width}x{self.height}; wanted one that is not higher than wide"
            )
        return self

    def made_with(self) -> dict[str, str]:
        """As ever, and the models that find faces and people."""
        own = {"generator": fingerprint(self.generator)} if self.generator else {}
        return super().made_with() | own | {"faces": faces.version(), "masks": cutout.version()}

    def annotate(self, clip: Clip) -> Values:
        film = look_through(clip.path, clip.width, clip.height, clip.seconds)
        said = read_elements(elements_of(Path(clip.path))) if clip.beside else Elements()
        return {
            "shots": [edge for shot in film.shots for edge in (shot.start_s, shot.end_s)],
            "looked_s": film.looked_s,
            "sightings": [each.model_dump_json() for each in film.sightings],
            "identities": [json.dumps(each) for each in film.identities],
            "covered": film.covered,
            "elements": said.model_dump_json(),
        }

    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        films = {clip.id: _film(clip) for clip in clips}

        def same_person(a: Clip, b: Clip) -> bool:
            one, other = films[a.id].identities, films[b.id].identities
            return any(faces.identity_distance(x, y) <= SAME_MEAN for x in one for y in other)

        group_of = groups(clips, same_person, "film")
        side_of = sides(list(group_of.values()), self.seed, self.heldout_share)
        for clip in clips:
            film = films[clip.id]
            targets = list[Window]()
            for place, (window, why) in enumerate(casting.windows(film, self.frames / FPS)):
                if window is None:
                    yield self.drop(clip, f"shot-{place}", Rejected("short_shot", why))
                else:
                    targets.append(window)
            targets.sort(key=lambda window: rng(self.seed, clip.sha256, f"{window.start_s}").random())
            for place, window in enumerate(targets):
                name = f"{round(window.start_s * 1000):07d}"
                try:
                    if place >= self.per_film:
                        raise Rejected("surplus", f"beyond {self.per_film} of its film")
                    yield self.sample(clip, film, window, name, group_of[clip.id], side_of[group_of[clip.id]])
                except Rejected as why:
                    yield self.drop(clip, name, why)

    def drop(self, clip: Clip, name: str, why: Rejected) -> Drop:
        """The drop of a part of a film."""
        return Drop(
            id=f"{clip.id}-{name}", name=clip.name, reason=why.reason, detail=why.detail, sha256=clip.sha256
        )

    def sample(self, clip: Clip, film: Film, window: Window, name: str, group: str, split: Split) -> Sample:
        """The pair of a window. Raises Rejected where the film shows too little of it."""
        said = Elements.model_validate_json(str(clip.annotations["elements"]))
        if not (scene := normalise(clip.caption or "")):
            raise Rejected("no_caption", "nothing says what happens in it; wanted a caption in its sidecar")
        cast = casting.cast(film, said, window, bool(self.generator))
        place = casting.place(film, said, window)
        views = [*cast.views, *([place] if place else [])]
        seen = {
            element: [
                [s.at_s, *s.face] for s in film.sightings if s.who == who and s.face and window.holds(s.at_s)
            ]
            for element, who in cast.who.items()
        }
        bare = clip.model_copy(update={"caption": None, "labels": {}, "annotations": {}})
        return Sample(
            id=f"{clip.id}-{name}", group=group, split=split, caption=caption_of(views, scene), clips=(bare,),
            choices={
                "start_s": window.start_s, "views": [view.model_dump_json() for view in views],
                "people": json.dumps(_people(film, window) if place else {}),
                "target_s": casting.target_times(film, window), "seen": json.dumps(seen),
            },
            attributes={"generated": [f"{v.element} {v.told}" for v in views if v.generated], "missing": [*cast.missing, *([] if place else ["place"])], "characters": len(cast.who)},
        )  # fmt: skip

    def make(self, sample: Sample) -> Example:
        """The sheet and its measures. Raises Rejected where a panel cannot be had, or is not who it should be."""
        clip, told = sample.clips[0], sample.choices
        views = [View.model_validate_json(each) for each in strings(told["views"])]
        target_s = numbers(told["target_s"])
        people = {
            float(at_s): [Place(Box(*box), is_seen) for box, is_seen in places]
            for at_s, places in json.loads(str(told["people"])).items()
        }
        generator = load_generator(self.generator) if self.generator else None
        cut_s = [view.at_s for view in views if view.at_s is not None]
        frames = frames_of_film(clip, [*people, *target_s, *cut_s])
        sheet = made_sheet(clip, frames, views, people, self.width, self.height, generator)
        found = dict(measured(sheet, frames, target_s, json.loads(str(told["seen"]))))
        if number(found, "identity") > faces.SAME_PERSON:
            raise Rejected(
                "other_person",
                f"a face {found['identity']} from the target's, wanted at most {faces.SAME_PERSON}",
            )
        if number(found, "levels") < LEAST_LEVELS:
            raise Rejected(
                "copied", f"a panel {found['levels']} levels from the target, wanted at least {LEAST_LEVELS}"
            )
        if found["place_people"]:
            raise Rejected(
                "peopled_place", f"{found['place_people']} people are found on the panel of the place"
            )
        if found["texts"]:
            raise Rejected("text", f"{found['texts']} texts are read on the sheet")
        found |= {"frames": self.frames, "reference_frames": max(LEAST_LOOPED, self.frames)}
        target = VideoRef(
            sha256=clip.sha256, start_s=number(told, "start_s"), frames=self.frames, fps=FPS, width=self.width,
            height=self.height,
        )  # fmt: skip
        return Example(measured=found, video=target, sheet=sheet.picture)

    @property
    def sketch(self) -> Sketch:
        """What holds of every pair; `audit` adds what is judged over panels."""
        labels = (
            ("length", "frames", self.frames, "frames"), ("width", "sheet_width", self.width, "px"),
            ("height", "sheet_height", self.height, "px"), ("no_text", "texts", 0.0, "texts"),
            ("empty_place", "place_people", 0.0, "people"),
        )  # fmt: skip
        return Sketch(
            labels=(
                *(Label(name=name, found=(key,), wanted=float(wanted), unit=unit) for name, key, wanted, unit in labels),
                Label(name="identity", found=("identity",), unit="of the distance of faces", bound=faces.SAME_PERSON),
                Label(name="black", found=("outside",), unit="of the sheet", bound=MOST_OUTSIDE),
                Label(name="no_copy", found=("levels",), unit="levels", least=LEAST_LEVELS),
                Label(
                    name="reference_length", found=("reference_frames",), unit="frames",
                    least=float(max(LEAST_LOOPED, self.frames)),
                ),
            ),
            effects=("covered", "place_seen"),
        )  # fmt: skip

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        kept = [row for row in rows if row.kept]
        return [*super().audit(rows), *self.laid_out(kept), self.own_frames(kept)]

    def laid_out(self, kept: Sequence[LedgerRow]) -> Iterator[Finding]:
        """Panels stand apart, the more important ones larger, and the caption names them all and no others."""
        boxes = {row.id: _boxes(row) for row in kept}
        over = [row.id for row in kept if overlaps(boxes[row.id])]
        yield nothing("overlap", over, "sheets on which panels overlap", len(kept))
        small = [row.id for row in kept if area_order(boxes[row.id], numbers(row.measured["importances"]))]
        yield nothing("area", small, "sheets on which a more important panel is smaller", len(kept))
        unnamed = [row.id for row in kept if _named(row) != sorted(strings(row.measured["panels"]))]
        yield nothing("named", unnamed, "captions that do not name the panels of their sheet", len(kept))

    def own_frames(self, kept: Sequence[LedgerRow]) -> Finding:
        """Few panels are cut from the target itself, where the film shows nothing else."""
        panels = sum(len(strings(row.measured["panels"])) for row in kept)
        own = sum(number(row.measured, "same_window") for row in kept)
        share = round(own / max(1, panels), 4)
        return Finding.judged(
            "same_window", "all", share <= self.max_same_window, f"{own:.0f} of {panels} panels are cut from their target",
            len(kept), {"share": share}, {"most": self.max_same_window},
        )  # fmt: skip


def _film(clip: Clip) -> Film:
    """What `annotate` found."""
    known = clip.annotations
    edges = iter(numbers(known["shots"]))
    return Film(
        shots=[Shot(start_s, end_s) for start_s, end_s in zip(edges, edges, strict=True)],
        looked_s=numbers(known["looked_s"]),
        sightings=[Sighting.model_validate_json(each) for each in strings(known["sightings"])],
        identities=[json.loads(each) for each in strings(known["identities"])],
        covered=strings(known["covered"]),
    )


def _people(film: Film, window: Window) -> dict[float, list[Place]]:
    """Where people are in the frames that the place is seen in."""
    return {at_s: casting.people_at(film, at_s) for at_s in casting.plate_times(film, window)}


def _boxes(row: LedgerRow) -> list[Box]:
    edges = np.array(numbers(row.measured["boxes"]), int).reshape(-1, 4)
    return [Box(*map(int, each)) for each in edges]


def _named(row: LedgerRow) -> list[str]:
    try:
        return sorted(named_in(str(row.caption)))
    except ValueError:
        return []


RECIPE = ReferenceSheet
