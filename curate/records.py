"""The records that travel between the stages and end up in the build directory.

All are frozen pydantic models; units are in the field names. Nothing here imports media or torch.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from curate.errors import Rejected

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Split = Literal["train", "heldout"]
SPLITS: tuple[Split, Split] = ("train", "heldout")
Values = Mapping[str, str | int | float | bool | list[float] | list[str] | None]
Control = Literal["shuffled-reference", "constant-reference", "caption-only", "sweep"]
REFERENCE_OF = (
    "reference_of"  # the choice of a control: id of the pair whose reference this one has, None for none
)


def strings(value: object) -> list[str]:
    """The texts in a value of a row: of a list those that are texts, of a text itself, of anything else none."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def numbers(value: object) -> list[float]:
    """The numbers in a list of a row; of anything else none."""
    return [float(each) for each in value if isinstance(each, int | float)] if isinstance(value, list) else []


def number(values: Values, key: str) -> float:
    """A numeric entry. Raises TypeError when it is something else."""
    value = values[key]
    if not isinstance(value, int | float):
        raise TypeError(f"{key} is {value!r}, wanted a number")
    return float(value)


class Record(BaseModel):
    """Base of every record: immutable, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def canonical(value: Any) -> bytes:
    """JSON bytes with one spelling per value: sorted keys, no spaces, UTF-8.

    Raises TypeError on what JSON cannot spell (rather than fall back to `str`) and ValueError on NaN.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256_of(value: Any) -> str:
    """Hex sha256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value)).hexdigest()


def rng(seed: int, *identity: str) -> np.random.Generator:
    """A random stream that belongs to an identity, never to the order in which things are drawn."""
    return np.random.Generator(np.random.PCG64(int(sha256_of([seed, *identity]), 16)))


class Clip(Record):
    """One media file of a source, probed."""

    id: str = Field(
        description="First 16 hex digits of the file's sha256: a renamed file stays the same clip."
    )
    name: str = Field(description="Path relative to the source, with forward slashes.")
    sha256: Sha256
    seconds: float = Field(description="0 for a picture.")
    width: int = Field(description="Displayed pixels, after rotation and pixel aspect.")
    height: int
    fps: float = Field(
        description="Average rate, 0 for a picture; frames are picked by their timestamps, never by this."
    )
    sample_rate_hz: int | None = Field(description="None when the file has no audio.")
    caption: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    licence: str | None = None
    part: str | None = Field(
        default=None, description="Which of a recipe's own folders it is from; None: the source."
    )
    annotations: Values = Field(default_factory=dict, description="What the recipe measured before planning.")
    beside: dict[str, Sha256] = Field(
        default_factory=dict, description="Files that belong to it, by their name in its folder."
    )
    path: str = Field(
        default="", exclude=True, description="Where the bytes are on this machine; never written."
    )


class Still(Record):
    """What is shown of a picture."""

    crop: tuple[int, int, int, int] = Field(
        description="Left, top, right, bottom in pixels of the upright picture."
    )
    background: str = Field(description="Behind what is transparent, as #rrggbb.")


class VideoRef(Record):
    """Frames of a source file, named instead of copied; resolved once, when encoding."""

    sha256: Sha256
    start_s: float
    frames: int
    fps: float
    width: int
    height: int
    fit: Literal["cover"] = "cover"
    indices: tuple[int, ...] | None = Field(
        default=None, description="Numbers of the source's frames, one for each frame; None: by time."
    )
    matrix: Literal["bt601"] | None = Field(
        default=None, description="Colours of a file that names none; None: as players assume."
    )
    still: Still | None = Field(
        default=None, description="The source is a picture: one frame, this part of it."
    )
    crop: tuple[int, int, int, int] | None = Field(
        default=None, description="Of the displayed picture: left, top, right, bottom; None: all of it."
    )


class Sample(Record):
    """One candidate with every choice made and nothing loaded."""

    id: str = Field(pattern=r"^[0-9A-Za-z_-]+$")
    group: str = Field(description="What must not be split: speaker, near-duplicate video, same file.")
    split: Split
    caption: str
    clips: tuple[Clip, ...] = Field(min_length=1)
    choices: Values = Field(description="What the recipe decided for this candidate.")
    attributes: Values = Field(description="What the SOURCE is like: what the choices must not lean on.")


class Drop(Record):
    """A candidate that never became a sample: a broken file, a clip without speech."""

    id: str
    name: str
    reason: str
    detail: str = ""
    sha256: Sha256 | None = None

    @classmethod
    def of(cls, clip: Clip, why: Rejected) -> Self:
        """The drop of a whole clip."""
        return cls(id=clip.id, name=clip.name, reason=why.reason, detail=why.detail, sha256=clip.sha256)


class LedgerRow(Record):
    """What became of one candidate, with everything the audit needs to judge the set again."""

    id: str
    name: str = Field(description="The file it came from, relative to its source.")
    clip: str | None = Field(default=None, description="Id of the clip.")
    sources: tuple[Sha256, ...] = ()
    licence: str | None = None
    group: str | None = None
    split: Split | None = None
    caption: str | None = None
    choices: Values = Field(default_factory=dict)
    attributes: Values = Field(default_factory=dict)
    measured: Values = Field(default_factory=dict)
    made: bool = Field(default=False, description="It was made and passed the gates of a single sample.")
    kept: bool = Field(default=False, description="It is in the set.")
    reason: str | None = Field(default=None, description="Why it was dropped; None when kept.")
    detail: str = ""


class LatentSizes(Record):
    """Sizes of one sample's latents; all latents are normalised."""

    fps: float | None = Field(
        ge=0.1, le=1000, description="None where there is no picture, as with the tones of a sweep."
    )
    video: tuple[int, int, int] | None = Field(
        default=None, description="F', H', W' of video_latents [128, F', H', W']."
    )
    audio_steps: int | None = Field(default=None, description="T of audio_latents [8, T, 16], 25 a second.")
    reference_audio_steps: int | None = None
    reference_video: tuple[int, int, int] | None = Field(
        default=None, description="F', H', W' of reference_video_latents [128, F', H', W']."
    )
    pin_frames: tuple[int, ...] | None = Field(
        default=None,
        description="Frame of the video that each of the N of pin_latents [128, N, H', W'] shows, none of them 0.",
    )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor of the sample, by name."""
        height_width = self.video[1:] if self.video else ()
        wanted = {
            "video_latents": (128, *self.video) if self.video else None,
            "audio_latents": (8, self.audio_steps, 16) if self.audio_steps else None,
            "reference_audio_latents": (8, self.reference_audio_steps, 16)
            if self.reference_audio_steps
            else None,
            "reference_video_latents": (128, *self.reference_video) if self.reference_video else None,
            "pin_latents": (128, len(self.pin_frames), *height_width) if self.pin_frames else None,
        }
        return {name: shape for name, shape in wanted.items() if shape}


class ShardRecord(Record):
    """`000042.json` of a shard: a kept sample, and what its tensors are."""

    id: str
    clip: str
    group: str
    split: Split
    caption: str
    caption_sha256: Sha256
    sources: tuple[Sha256, ...]
    licence: str | None
    choices: Values = Field(
        description="What the recipe decided; in a control `reference_of`, the id of the pair whose reference it has."
    )
    attributes: Values
    measured: Values
    example_sha256: Sha256 = Field(description="Of the media that were encoded.")
    encoder_sha256: Sha256
    latents_normalized: Literal[True] = True
    latents: LatentSizes


def reference_of(row: LedgerRow | ShardRecord) -> str | None:
    """Id of the pair whose reference this one has: its own, unless a control chose otherwise; None for none."""
    donor = row.choices.get(REFERENCE_OF, row.id)
    return None if donor is None else str(donor)


class FileCard(Record):
    """One file of a build."""

    sha256: Sha256
    bytes: int


class Wanted(Record):
    """What a recipe needs of a source that comes in parts, such as the generators of VBVR."""

    parts: dict[str, int] = Field(
        description="By name of a part: how many clips to draw, where a demo draws."
    )
    window: int = Field(description="Only so many clips of a part are looked at, in the part's own order.")


class SourceCard(Record):
    """Where the clips came from; no path, so that a moved folder gives the same build."""

    kind: Literal["folder", "demo", "vbvr", "hub"]
    settings: Values = Field(default_factory=dict)
    files: int
    sha256: Sha256 = Field(description="Of the sorted names and sha256s of its files, captions and labels.")


class Counts(Record):
    """Conservation: candidates == kept + the sum of dropped."""

    files: int
    candidates: int
    kept: int
    train: int
    heldout: int
    dropped: dict[str, int]


class Verdicts(Record):
    """The audit in short; `audit.json` has the numbers."""

    passed: list[str]
    failed: list[str]
    not_testable: list[str]
    other: list[str]
    expected_failures: list[str]
    allowed: list[str]


class Build(Record):
    """`build.json`, the manifest: written last, so a folder with one is whole. No path, host or time in it."""

    schema_version: Literal[1] = 1
    curate: str = Field(description="Version of the program.")
    recipe: str = Field(pattern=r"^[A-Za-z0-9][\w.-]{0,99}$")
    recipe_version: int
    summary: str
    strategy: str
    control: Control | None = Field(
        default=None, description="Which control of a set this is; None: a set itself."
    )
    control_of: Sha256 | None = Field(default=None, description="content_id of the set it is a control of.")
    settings: dict[str, Any]
    source: SourceCard
    encoder: dict[str, str] | None = Field(description="Fingerprint of the model; None when not encoded.")
    encoder_sha256: Sha256 | None
    private: bool = Field(description="True: of some sample nobody says under which licence it may be used.")
    trained: bool = Field(description="False: latents of random weights, for trying things out only.")
    counts: Counts
    audit: Verdicts
    content_id: Sha256 = Field(description="Of the kept samples and their measures; agrees across machines.")
    platform: str = Field(description="The machine type for which the bytes are promised.")
    made_with: dict[str, str] = Field(description="Versions of libraries and hashes of code that measured.")
    files: dict[str, FileCard] = Field(description="Every other file of the build by its path.")
