"""Small finished sets, one of each kind that training meets: 17 frames of 64x96 pixels, encoded by the miniature.

They are build directories with the record types and the writers of `curate build`. What is drawn and heard in them
differs from sample to sample, so that none can pass for another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import curate
from curate.encode.audio import SAMPLE_RATE_HZ, encode_audio
from curate.encode.plain import as_bytes
from curate.encode.stack import Stack
from curate.encode.text import encode_text
from curate.encode.video import encode_video
from curate.files import write_atomic
from curate.ledger import count, unlicensed
from curate.manifest import MANIFEST, content_id, file_cards, pretty, verdicts_of, write_lines
from curate.picture_files import name_of, write_pictures
from curate.records import (
    REFERENCE_OF,
    SPLITS,
    Build,
    Control,
    LatentSizes,
    LedgerRow,
    ShardRecord,
    SourceCard,
    Split,
    rng,
    sha256_of,
)
from curate.shard import pack
from curate.tensors import pack_tensors
from curate.train.config import TRAIN_YAML, preset

HEIGHT, WIDTH, FPS, FRAMES = 64, 96, 25.0, 17  # latents (128, 3, 2, 3) and 17 steps of sound
REFERENCE_S = 2.0  # 51 steps
SAMPLES: dict[Split, int] = {"train": 4, "heldout": 2}
Latents = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Kind:
    """What a set holds."""

    strategy: str
    table: str  # its preset
    captions: tuple[str, ...]  # sample after sample, again and again
    frames: int = FRAMES
    sound: bool = False
    pins: tuple[int, ...] = ()  # frames
    pictures: bool = False  # one stands in place of the first frame, others are to be tried there
    reference_video: bool = False
    reference_audio: bool = False
    control: Control | None = None

    @property
    def sizes(self) -> LatentSizes:
        """Of every sample."""
        grid = ((self.frames + 7) // 8, HEIGHT // 32, WIDTH // 32)
        return LatentSizes(
            fps=FPS if self.frames > 1 else 1.0,
            video=grid,
            audio_steps=round(25 * self.frames / FPS) if self.sound else None,
            reference_audio_steps=round(25 * REFERENCE_S) + 1 if self.reference_audio else None,
            reference_video=grid if self.reference_video else None,
            pin_frames=self.pins or None,
        )


HELIUM = ("a person speaking",)
SHEETS = (
    "Reference sheet: ada, a woman (face); kettle, a blue kettle (prop).\nGenerated video: She walks.",
    "Reference sheet: bo, a man (front).\nGenerated video: He waves.",
)
KINDS = {
    "text_to_video": Kind("text_to_video", "vbvr", ("A red ball rolls left", "Water fills the cup"), sound=True),
    "images": Kind("text_to_video", "human", ("human",), frames=1),
    "first_frame": Kind("first_frame", "dual-character", ("They meet", "They part"), sound=True, pins=(8, 16)),
    "video_reference": Kind("video_reference", "reference-sheet", SHEETS, reference_video=True),
    "audio_reference": Kind("audio_reference", "helium", HELIUM, sound=True, reference_audio=True),
    "caption_only": Kind("audio_reference", "helium", HELIUM, sound=True, control="caption-only"),
}  # fmt: skip
COMPOSITES = replace(KINDS["first_frame"], pins=(), pictures=True)  # not shared: few tests want it


def make_set(folder: Path, kind: str | Kind, stack: Stack) -> Path:
    """Write a set of a kind into a new folder."""
    what, encoder = kind if isinstance(kind, Kind) else KINDS[kind], stack.fingerprint_sha
    rows = [_row(what, split, number) for split in SPLITS for number in range(SAMPLES[split])]
    if what.pictures:
        write_pictures(folder, [picture for row in rows for picture in first_frames_of(row.id).items()])
    for caption in what.captions:
        name = sha256_of(caption)
        stamp = {"caption": caption, "caption_sha256": name, "encoder_sha256": encoder}
        features = {key: as_bytes(value) for key, value in _text(stack, caption).items()}
        write_atomic(folder / "text" / f"{name}.safetensors", pack_tensors(features, stamp))
    cards = [
        card
        for split in SPLITS
        for card in pack(
            folder / "shards", split, [_packed(what, row, stack) for row in rows if row.split == split]
        )
    ]
    listed = {"shards": [card.model_dump(mode="json") for card in cards]}
    write_atomic(folder / "shards" / "index.json", pretty(listed))
    write_lines(folder / "ledger.jsonl", rows)
    write_atomic(folder / TRAIN_YAML, preset(what.table).encode())
    write_atomic(folder / MANIFEST, pretty(_manifest(what, rows, stack, folder)))
    return folder


def _row(what: Kind, split: Split, number: int) -> LedgerRow:
    name = f"{what.table}-{split}-{number}"
    return LedgerRow(
        id=name,
        name=f"{name}.mp4",
        clip=sha256_of(name)[:16],
        sources=(sha256_of(name),),
        group=name,
        split=split,
        caption=what.captions[number % len(what.captions)],
        choices={REFERENCE_OF: None} if what.control else {},
        measured=_pictures(what, name),
        made=True,
        kept=True,
    )


def _pictures(what: Kind, name: str) -> dict[str, str]:
    """The names of the pictures that a sample has."""
    frames = drawn(name, what.frames)
    first = first_frames_of(name) if what.pictures else {}
    pins = {f"pin_{frame}": frames[frame] for frame in what.pins}
    return {role: name_of(picture) for role, picture in {**first, **pins}.items()}


def _packed(what: Kind, row: LedgerRow, stack: Stack) -> dict[str, bytes]:
    shared = set(LedgerRow.model_fields) & set(ShardRecord.model_fields)
    record = ShardRecord(
        **row.model_dump(include=shared),
        caption_sha256=sha256_of(row.caption),
        example_sha256=sha256_of([row.id, "media"]),
        encoder_sha256=stack.fingerprint_sha,
        latents=what.sizes,
    )
    stamp = record.model_dump(mode="json", include={"id", "sources", "example_sha256", "encoder_sha256"})
    if REFERENCE_OF in row.choices:
        stamp[REFERENCE_OF] = row.choices[REFERENCE_OF]
    tensors = {name: as_bytes(value) for name, value in _latents(what, row.id, stack).items()}
    return {"json": pretty(record), "safetensors": pack_tensors(tensors, stamp)}


def _latents(what: Kind, name: str, stack: Stack) -> Latents:
    frames, sizes = drawn(name, what.frames), what.sizes
    if what.pictures:
        frames[0] = first_frames_of(name)["first_frame"]
    found = {"video_latents": encode_video(stack, frames)}
    if what.sound:
        found["audio_latents"] = encode_audio(stack, sounding(name, what.frames / FPS), sizes.audio_steps)
    if what.pins:
        pins = [encode_video(stack, frames[frame : frame + 1]) for frame in what.pins]
        found["pin_latents"] = torch.cat(pins, dim=1)
    if what.reference_video:  # a sheet that stands still
        still = drawn(f"{name} sheet", 1).repeat(what.frames, axis=0)
        found["reference_video_latents"] = encode_video(stack, still)
    if what.reference_audio:
        found["reference_audio_latents"] = encode_audio(stack, sounding(f"{name} tone", REFERENCE_S), None)
    return found


def drawn(name: str, frames: int) -> NDArray[np.uint8]:
    """A patch of a colour that moves over another colour.  # (F, 64, 96, 3)"""
    stream = rng(0, name, "frames")
    ground, patch = stream.integers(0, 256, (2, 3), dtype=np.uint8)
    top, left = stream.integers(0, HEIGHT // 2, 2)
    video = np.tile(ground, (frames, HEIGHT, WIDTH, 1))
    for frame in range(frames):
        video[frame, top : top + 24, left + frame : left + frame + 40] = patch
    return video


def first_frames_of(name: str) -> dict[str, NDArray[np.uint8]]:
    """A picture of two things side by side, one of the first alone, one with sides swapped, by role.  # (64, 96, 3)"""
    left, right = (drawn(f"{name} {side}", 1)[0, :, : WIDTH // 2] for side in ("left", "right"))
    beside = {"first_frame": (left, right), "single": (left, 0 * right), "swapped": (right, left)}
    return {role: np.concatenate(halves, axis=1) for role, halves in beside.items()}


def sounding(name: str, seconds: float) -> NDArray[np.float32]:
    """A tone of a pitch of its own.  # (N,) at 16 kHz"""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    wave = np.sin(2 * np.pi * rng(0, name, "wave").uniform(80, 350) * time) / 4
    return wave.astype(np.float32)


@cache
def _text(stack: Stack, caption: str) -> Latents:
    return encode_text(stack, caption)


def _manifest(what: Kind, rows: Sequence[LedgerRow], stack: Stack, folder: Path) -> Build:
    return Build(
        curate=curate.__version__,
        recipe="helium-v2" if what.table == "helium" else what.table,
        recipe_version=1,
        summary="Made by a test.",
        strategy=what.strategy,
        control=what.control,
        control_of=sha256_of("the set") if what.control else None,
        settings={},
        source=SourceCard(kind="folder", files=len(rows), sha256=sha256_of("clips")),
        encoder=stack.fingerprint,
        encoder_sha256=stack.fingerprint_sha,
        private=bool(unlicensed(rows)),
        trained=stack.trained,
        counts=count(rows, len(rows)),
        audit=verdicts_of([], [], []),
        content_id=content_id(rows),
        platform="Linux-x86_64",
        made_with={},
        files=file_cards(folder),
    )
