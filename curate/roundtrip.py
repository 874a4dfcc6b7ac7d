"""The latent round trip: whether the latents in the shards still are the media that they were made of.

A few kept samples are read back from the shards, so that what is shipped is what is judged. With any model: shapes,
normalisation, encoding the same media again, and whose media each latent is nearest to. With trained weights the
latents are decoded too, and what the set relies on is measured again: the recorded pitch, the lag of sound behind
picture, the pictures. What untrained weights decode says nothing about the data, so there only its size is looked at.
"""

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curate import decoded
from curate.decoded import RATE_HZ, Decoded, Frames, bounded, none_of
from curate.errors import CurateError, Rejected
from curate.proof.finding import Finding
from curate.recipe import FIRST, SHEET
from curate.records import Build, VideoRef, rng
from curate.shard import ShardCard, ShardReader
from curate.stages import pins_of
from curate.tensors import TensorBytes, unpack_tensors

if TYPE_CHECKING:
    from curate.encode.stack import Stack

SAMPLED = 2  # samples; one of 121 frames of 256x256 takes the miniature seven seconds on an idle core
# root mean square, in deviations of the raw latents: storing bfloat16 rounds by 0.002, and a GPU computes in it too
MAX_RAW_OFF = 0.02
MAX_FIRST_OFF = 1e-5  # between the first latent of a video and its first frame encoded alone, of its largest value, before rounding
BF16_STEP = 2.0**-7
MAX_LENGTH_OFF_S = 0.05  # half a latent step of rounding, and the three mel steps that the decoder leaves out
NAMES = (
    *("latent_shapes", "latent_normalisation", "latent_reencode", "latent_nearest", "decoded_shapes"),
    *("latent_first_frame", *decoded.NAMES),
)
UNTRAINED = ("not_applicable", decoded.UNTRAINED_SAYS)

Latents = NDArray[np.float32]


@dataclass(frozen=True)
class RoundTripItem:
    """One kept sample: its latents as shipped, and the media they were made of."""

    id: str
    latents: Mapping[str, TensorBytes]  # as unpacked from the shard: `video_latents`, `ROLE_latents`
    waves: Mapping[str, NDArray[np.int16]]  # by role, mono at 16 kHz
    pitch_hz: Mapping[str, float]  # by role, where the set records one
    video: VideoRef | None = None
    video_path: str = ""
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)  # (H, W, 3), by role


@dataclass(frozen=True)
class Tensor:
    """One stored tensor beside a fresh encoding of its own media."""

    label: str  # "SAMPLE ROLE_latents"
    role: str
    stored: Latents
    fresh: Latents
    media: str  # sha256 of what was encoded
    same_bytes: bool
    raw_off: float  # of the stored latents, denormalised, from the encoder's own output


@dataclass(frozen=True)
class Trip:
    """What became of one sample; nothing but faults where its shapes are wrong."""

    shape_faults: tuple[str, ...]
    tensors: tuple[Tensor, ...] = ()
    decoded: Decoded | None = None
    first_off: Mapping[str, float] = field(default_factory=dict)  # by "SAMPLE first_frame"


def drawn(ids: Iterable[str], seed: int, count: int = SAMPLED) -> list[str]:
    """The samples to judge, by lot: the same ones whatever their order."""
    return sorted(ids, key=lambda name: (rng(seed, name, "round trip").random(), name))[:count]


def shipped(
    shards: Path, cards: Sequence[ShardCard], wanted: Collection[str]
) -> Iterator[tuple[str, dict[str, TensorBytes]]]:
    """(id, tensors) of the wanted samples, read from the shards. Raises CurateError for a damaged one."""
    for card in cards:
        reader = ShardReader(shards, [card])
        for sample in reader.samples:
            if sample.id in wanted:
                where = f"{shards / card.name}: {sample.key}"
                yield str(sample.id), unpack_tensors(reader.read(sample.key, "safetensors"), where)[0]


def round_trip(items: Sequence[RoundTripItem], stack: "Stack") -> list[Finding]:
    """The findings NAMES, in this order, on the shipped latents of `items`.

    A sample whose shapes are wrong takes part in `latent_shapes` alone. Raises CurateError where media that were
    encoded a moment ago cannot be read any more, and where the model cannot decode.
    """
    return findings([trip(item, stack) for item in items], stack.trained)


def trip(item: RoundTripItem, stack: "Stack") -> Trip:
    """One sample there and back."""
    if faults := shape_faults(item, stack):
        return Trip(tuple(faults))
    frames = _frames(item)
    tensors = tuple(_tensors(item, frames, stack))
    stored = {t.role: t.stored for t in tensors}
    return Trip((), tensors, decode(item, frames, stored, stack), _first_off(item, frames, stack))


def findings(trips: Sequence[Trip], trained: bool) -> list[Finding]:
    """What the trips of all samples show together."""
    wrong = [fault for one in trips for fault in one.shape_faults]
    heard = [one.decoded for one in trips if one.decoded]
    sizes = [fault for one in heard for fault in one.size_faults]
    return [
        none_of("latent_shapes", wrong, "latents not of their shape or not finite", len(trips)),
        *latent_findings([tensor for one in trips for tensor in one.tensors], len(heard)),
        none_of("decoded_shapes", sizes, "decode to another size, or to nothing finite", len(heard)),
        bounded(
            "latent_first_frame",
            {label: off for one in trips for label, off in one.first_off.items()},
            MAX_FIRST_OFF,
            "between the first latent and the first frame encoded alone",
            len(heard),
            absent="no first frame stands in place of a target's own",
        ),
        *decoded.findings(heard, trained),
    ]


def recorded_faults(recorded: Sequence[Finding], manifest: Build) -> Iterator[str]:
    """What is wrong with the round trip that a set records, a line each: as much as shows without media and model."""
    judged = manifest.encoder and manifest.control is None  # controls hold the latents of their set
    if tuple(found.name for found in recorded) != (NAMES if judged else ()):
        yield f"its latents are not the findings {', '.join(NAMES)} of an encoded set, or none of another"
        return
    for found in recorded:
        if not manifest.trained and found.name in decoded.NAMES and (found.verdict, found.says) != UNTRAINED:
            yield f"{found.name} says {found.verdict}: {found.says}; untrained weights measure nothing"
        elif found.verdict in ("pass", "fail") and (found.verdict == "pass") != decoded.holds(found):
            yield f"{found.name} says {found.verdict}, its own numbers say otherwise"


def values(tensor: TensorBytes) -> Latents:
    """A stored tensor as float32, exactly."""
    bits = tensor.array()
    return (bits.astype(np.uint32) << 16).view(np.float32) if tensor.dtype == "BF16" else bits


def wanted_shapes(item: RoundTripItem, stack: "Stack") -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtype and shape of each latent, as the media and the strides of the model imply."""
    from curate.media.frames import looped_frames

    vae, audio = stack.vae, stack.audio_vae
    step = audio.config.mel_hop_length * audio.temporal_compression_ratio  # samples
    bins = audio.config.mel_bins // audio.mel_compression_ratio
    wanted = dict[str, tuple[str, tuple[int, ...]]]()
    for role, wave in item.waves.items():
        if role == "audio" and item.video:  # trimmed to the length that inference has
            steps = round(item.video.frames / item.video.fps * audio.config.sample_rate / step)
        else:
            mel_steps = len(wave) // audio.config.mel_hop_length + 1
            steps = math.ceil(mel_steps / audio.temporal_compression_ratio)
        wanted[f"{role}_latents"] = ("F32", (audio.config.latent_channels, steps, bins))
    if ref := item.video:
        across = vae.spatial_compression_ratio
        count = (ref.frames - 1) // vae.temporal_compression_ratio + 1
        shape = (vae.config.latent_channels, count, ref.height // across, ref.width // across)
        wanted["video_latents"] = ("BF16", shape)
        if (sheet := item.pictures.get(SHEET)) is not None:
            looped = (len(looped_frames(sheet, ref.frames)) - 1) // vae.temporal_compression_ratio + 1
            wanted["reference_video_latents"] = ("BF16", (shape[0], looped, *shape[2:]))
        if pins := pins_of(item.pictures):
            wanted["pin_latents"] = ("BF16", (shape[0], len(pins), *shape[2:]))
    return wanted


def shape_faults(item: RoundTripItem, stack: "Stack") -> list[str]:
    """What is wrong with the stored latents of one sample before any value is looked at."""
    wanted = wanted_shapes(item, stack)
    faults = [f"{item.id} {name}: not asked for" for name in sorted(item.latents.keys() - wanted.keys())]
    for name, (dtype, shape) in sorted(wanted.items()):
        found = item.latents.get(name)
        if found is None:
            faults.append(f"{item.id} {name}: missing")
        elif (found.dtype, found.shape) != (dtype, shape):
            faults.append(
                f"{item.id} {name}: {found.dtype} {list(found.shape)}, wanted {dtype} {list(shape)}"
            )
        elif not np.isfinite(values(found)).all():
            faults.append(f"{item.id} {name}: values that are not finite")
    return faults


def _frames(item: RoundTripItem) -> Frames | None:
    from curate.media.frames import frames_of

    if not item.video:
        return None
    try:
        return frames_of(item.video_path, item.video, item.pictures.get(FIRST))
    except Rejected as why:
        raise CurateError(f"{item.video_path}: its frames cannot be read any more: {why}") from why


def _tensors(item: RoundTripItem, frames: Frames | None, stack: "Stack") -> Iterator[Tensor]:
    """Every latent of a sample beside what its media encode to now."""
    from curate.encode.audio import encode_audio
    from curate.encode.decode import denormalised_audio, denormalised_video, raw_audio, raw_video
    from curate.encode.video import encode_pins, encode_still, encode_video
    from curate.media.audio import to_float
    from curate.media.frames import looped_frames

    for role, pcm in sorted(item.waves.items()):
        wave, stored = to_float(pcm), values(item.latents[f"{role}_latents"])
        raw = raw_audio(stack, wave)[:, : stored.shape[1]]
        yield _beside(
            item,
            f"{role}_latents",
            encode_audio(stack, wave, stored.shape[1]),
            pcm.tobytes(),
            _off(denormalised_audio(stack, stored), raw),
        )
    if frames is not None:
        # the first latent sees the first frame only, which is quick to encode once more
        first = values(item.latents["video_latents"])[:, :1]
        off = _off(denormalised_video(stack, first), raw_video(stack, frames[:1]))
        yield _beside(item, "video_latents", encode_video(stack, frames), frames.tobytes(), off)
    if pins := pins_of(item.pictures):
        found = values(item.latents["pin_latents"])[:, :1]
        off = _off(denormalised_video(stack, found), raw_video(stack, pins[0][None]))
        media = b"".join(pin.tobytes() for pin in pins)
        yield _beside(item, "pin_latents", encode_pins(stack, pins), media, off)
    if frames is not None and (sheet := item.pictures.get(SHEET)) is not None:
        looped = looped_frames(sheet, len(frames))
        first = values(item.latents["reference_video_latents"])[:, :1]
        off = _off(denormalised_video(stack, first), raw_video(stack, looped[:1]))
        again = encode_still(stack, sheet, len(looped))
        yield _beside(item, "reference_video_latents", again, sheet.tobytes(), off)


def _first_off(item: RoundTripItem, frames: Frames | None, stack: "Stack") -> dict[str, float]:
    """How far the first latent, as encoded with the frames that follow and as stored, is from its picture encoded alone.

    The encoder is causal: the first latent sees the first frame only, so as many frames as the second latent stands for
    are enough. What is stored is rounded to bfloat16, so of it only what is beyond a step counts.
    """
    from curate.encode.decode import raw_video
    from curate.encode.plain import as_bytes
    from curate.encode.video import encode_pins

    picture = item.pictures.get(FIRST)
    if frames is None or picture is None:
        return {}
    followed = raw_video(stack, frames[: 1 + stack.vae.temporal_compression_ratio])[:, :1]
    alone = raw_video(stack, picture[None])
    kept = values(item.latents["video_latents"])[:, :1]
    rounded = values(as_bytes(encode_pins(stack, [picture])))
    stored_off = np.abs(kept - rounded) - np.maximum(np.abs(rounded) * BF16_STEP, 1e-3)
    step = BF16_STEP if stack.vae.dtype.itemsize == 2 else 0.0  # as a GPU computes
    apart = np.maximum(np.abs(followed - alone) - step * np.abs(alone), 0) / max(
        1.0, float(np.abs(alone).max())
    )
    return {f"{item.id} {FIRST}": float(max(apart.max(), stored_off.max()))}


def _beside(item: RoundTripItem, name: str, fresh: Any, media: bytes, raw_off: float) -> Tensor:
    from curate.encode.plain import as_bytes

    stored, again = item.latents[name], as_bytes(fresh)
    return Tensor(
        label=f"{item.id} {name}",
        role=name.removesuffix("_latents"),
        stored=values(stored),
        fresh=values(again),
        media=hashlib.sha256(media).hexdigest(),
        same_bytes=bytes(stored.data) == bytes(again.data),
        raw_off=raw_off,
    )


def _rms(apart: Latents) -> float:
    return float(np.sqrt(np.mean(np.square(apart, dtype=np.float64))))


def _off(found: Latents, raw: Latents) -> float:
    """Root mean square distance, in deviations of `raw`."""
    return _rms(found - raw) / max(float(raw.std()), 1e-6)


def latent_findings(tensors: Sequence[Tensor], pairs: int) -> list[Finding]:
    """`latent_normalisation`, `latent_reencode`, `latent_nearest`."""
    changed = [
        f"{t.label}, by at most {np.abs(t.stored - t.fresh).max():.3g}" for t in tensors if not t.same_bytes
    ]
    offs = {t.label: t.raw_off for t in tensors}
    return [
        bounded("latent_normalisation", offs, MAX_RAW_OFF, "deviations from what the encoder said", pairs),
        none_of("latent_reencode", changed, "tensors encode to other bytes now", pairs),
        nearest(tensors, pairs),
    ]


def nearest(tensors: Sequence[Tensor], pairs: int) -> Finding:
    """Each stored latent is no further from its own media than from any other media of its role and shape."""
    astray, judged = list[str](), 0
    for mine in tensors:
        alike = [t for t in tensors if (t.role, t.stored.shape) == (mine.role, mine.stored.shape)]
        others = [t for t in alike if t.media != mine.media]
        judged += bool(others)
        own = _rms(mine.stored - mine.fresh)
        nearer = [t.label for t in others if _rms(mine.stored - t.fresh) < own]
        astray += [f"{mine.label} ({label} is nearer)" for label in nearer[:1]]
    if not judged:
        return Finding.too_few("latent_nearest", "all", "no two samples of different media", pairs, 2)
    return none_of("latent_nearest", astray, "latents are nearer to other media than to their own", pairs)


def decode(
    item: RoundTripItem, frames: Frames | None, stored: Mapping[str, Latents], stack: "Stack"
) -> Decoded:
    """Decode one sample; its media are measured only where the weights are trained."""
    from curate.encode.decode import decode_audio, decode_video
    from curate.media.audio import to_float

    faults = list[str]()
    pitch, lag, psnr, timbre = (dict[str, float | None]() for _ in range(4))
    for role, pcm in sorted(item.waves.items() if stack.vocoder is not None else ()):
        wave, label = decode_audio(stack, stored[role]), f"{item.id} {role}"
        if not np.isfinite(wave).all():
            faults.append(f"{label}: values that are not finite")
        elif abs(len(wave) - len(pcm)) > MAX_LENGTH_OFF_S * RATE_HZ:
            faults.append(f"{label}: {len(wave) / RATE_HZ:.2f} s, wanted {len(pcm) / RATE_HZ:.2f} s")
        elif stack.trained:
            if role in item.pitch_hz:
                pitch[label] = decoded.pitch_off_cents(wave, item.pitch_hz[role])
            if role == "audio":
                timbre[label] = decoded.timbre_db(to_float(pcm), wave)
            if role == "audio" and item.video:
                lag[label] = decoded.lag_frames(to_float(pcm), wave, item.video.fps)
    if frames is not None:
        seen = decode_video(stack, stored["video"])
        if seen.shape != frames.shape:
            faults.append(f"{item.id} video: {list(seen.shape)}, wanted {list(frames.shape)}")
        elif stack.trained:
            psnr[f"{item.id} video"] = decoded.psnr_db(frames, seen)
    return Decoded(tuple(faults), pitch, lag, psnr, timbre)
