"""The records that travel between the stages and end up in the build directory.

All are frozen pydantic models; units are in the field names. Nothing here imports media or torch.
"""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Split = Literal["train", "heldout"]
Scalar = str | int | float | bool | None
Values = dict[str, Scalar | list[Scalar] | list[float]]


class Record(BaseModel):
    """Base of every record: immutable, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def canonical(value: Any) -> bytes:
    """JSON bytes with one spelling per value: sorted keys, no spaces, UTF-8.

    Raises TypeError on what JSON cannot spell (rather than fall back to `str`) and ValueError on NaN.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256_of(value: Any) -> str:
    """Hex sha256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value)).hexdigest()


class Clip(Record):
    """One media file of a source, probed."""

    id: str = Field(description="First 16 hex digits of the file's sha256: a renamed file stays the same clip.")
    name: str = Field(description="Path relative to the source, with forward slashes.")
    sha256: Sha256
    seconds: float
    width: int = Field(description="Displayed pixels, after rotation and pixel aspect.")
    height: int
    fps: float = Field(description="Average rate; frames are picked by their timestamps, never by this.")
    sample_rate_hz: int | None = Field(description="None when the file has no audio.")
    caption: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    licence: str | None = None
    path: str = Field(default="", exclude=True, description="Where the bytes are on this machine; never written.")


class VideoRef(Record):
    """Frames of a source file, named instead of copied; resolved once, when encoding."""

    sha256: Sha256
    start_s: float
    frames: int
    fps: float
    width: int
    height: int
    fit: Literal["cover"] = "cover"


class Sample(Record):
    """One candidate with every choice made and nothing loaded."""

    id: str = Field(pattern=r"^[0-9A-Za-z_-]+$")
    group: str = Field(description="What must not be split: speaker, near-duplicate video, same file.")
    split: Split
    caption: str
    clips: tuple[Clip, ...]
    choices: Values = Field(description="What the recipe decided for this candidate.")


class Drop(Record):
    """A candidate that never became a sample: a broken file, a clip without speech."""

    id: str
    name: str
    reason: str
    detail: str = ""
    sha256: Sha256 | None = None


class LedgerRow(Record):
    """What became of one candidate, with everything the audit needs to judge the set again."""

    id: str
    name: str
    sources: tuple[Sha256, ...] = ()
    licence: str | None = None
    group: str | None = None
    split: Split | None = None
    caption: str | None = None
    choices: Values = Field(default_factory=dict)
    measured: Values = Field(default_factory=dict)
    outcome: Literal["kept", "dropped"]
    reason: str | None = None
    detail: str = ""
