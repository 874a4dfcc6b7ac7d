"""The work of one task: annotate a clip, make samples, encode a sample. Runs in any process an engine provides.

Each function takes plain data and leaves its results in the cache under a key of everything that made them, so a
result is the same whoever computed it, and what is finished survives whatever happens next.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from curate.cache import Cache, key_of
from curate.errors import CurateError, Rejected
from curate.recipe import FIRST, PIN, SHEET, Recipe, blamed, configure, find
from curate.records import Clip, Record, Sample, VideoRef
from curate.sources.files import file_sha256
from curate.tensors import TensorBytes


class AnnotateTask(Record):
    """One clip to look at."""

    recipe: str
    settings: dict[str, Any]
    cache: str
    clip: Clip


class MakeTask(Record):
    """A handful of samples of one clip to make."""

    recipe: str
    settings: dict[str, Any]
    cache: str
    samples: tuple[Sample, ...]


class EncodeTask(Record):
    """One made sample to turn into latents."""

    cache: str
    model: str
    fingerprint: str
    made_with: dict[str, str]
    example: str
    video_path: str


def annotation_key(recipe: Recipe, clip: Clip) -> str:
    """What an annotation depends on: the bytes, the function, the fields it reads, code and libraries."""
    read = {name: getattr(recipe, name) for name in recipe.annotated_by}
    annotator = type(recipe).annotate
    return key_of(
        annotator=f"{annotator.__module__}:{annotator.__qualname__}",
        clip=clip.sha256,
        reads=read,
        beside=dict(clip.beside),
        made_with=recipe.made_with(),
    )


def example_key(recipe: Recipe, sample: Sample) -> str:
    """What a made sample depends on. Not its side or attributes: `make` never sees those."""
    settings = recipe.model_dump(mode="json", exclude=set(recipe.decided_on_the_set))
    return key_of(
        recipe=[recipe.name, recipe.version],
        settings=settings,
        sample=sample.model_dump(mode="json", include={"id", "caption", "choices"}),
        sources=[[clip.sha256, clip.beside] for clip in sample.clips],
        made_with=recipe.made_with(),
    )


def latents_key(
    example_sha256: str, video: dict[str, Any] | None, fingerprint: str, made_with: dict[str, str]
) -> str:
    """What latents depend on: the media of the sample, the frames it names and how they are read, the encoder."""
    return key_of(example=example_sha256, video=video, encoder=fingerprint, made_with=made_with)


@lru_cache(maxsize=1)
def _recipe(reference: str, settings: str) -> Recipe:
    return configure(find(reference), json.loads(settings))


def recipe_of(task: AnnotateTask | MakeTask) -> Recipe:
    """The configured recipe that a task names."""
    return _recipe(task.recipe, json.dumps(task.settings, sort_keys=True))


def annotate(task: AnnotateTask) -> tuple[str, dict[str, Any]]:
    """Clip id and the entry's record: {"annotations": …} or {"rejected": …}."""
    recipe = recipe_of(task)
    _refuse_changed(task.clip, task.cache)
    record: dict[str, Any]
    try:
        # sums split over threads differ in the last bit
        with threadpool_limits(1), blamed(recipe, "annotate", task.clip.name):
            record = {"annotations": dict(recipe.annotate(task.clip))}
    except Rejected as why:
        record = _rejection(why, task.clip)
    return task.clip.id, Cache(Path(task.cache)).put(
        "annotations", annotation_key(recipe, task.clip), record
    ).record


def make(task: MakeTask) -> list[tuple[str, dict[str, Any]]]:
    """Sample ids and their records: {"measured": …, "video": …} or {"rejected": …}."""
    recipe, cache = recipe_of(task), Cache(Path(task.cache))
    made = []
    for clip in {clip.path: clip for sample in task.samples for clip in sample.clips}.values():
        _refuse_changed(clip, task.cache)
    for sample in task.samples:
        key = example_key(recipe, sample)
        entry = cache.get("examples", key)
        if entry is None:
            try:
                with threadpool_limits(1), blamed(recipe, "make", sample.id):
                    example = recipe.make(sample)
                _within_clip(example.video, sample.clips[0])
            except Rejected as why:
                entry = cache.put("examples", key, _rejection(why, sample.clips[0]))
            else:
                video = example.video.model_dump(mode="json") if example.video else None
                record = {"measured": dict(example.measured), "video": video}
                entry = cache.put("examples", key, record, example.tensors())
        made.append((sample.id, entry.record))
    return made


def _refuse_changed(clip: Clip, cache: str) -> None:
    """The same of a clip, and of the files beside it."""
    refuse_changed(clip.path, clip.sha256, cache)
    for name, sha256 in clip.beside.items():
        refuse_changed(str(Path(clip.path).parent / name), sha256, cache)


def refuse_changed(path: str, sha256: str, cache: str) -> None:
    """Raise CurateError for a file that is not what was listed: its results would be kept under another's name."""
    try:
        found = file_sha256(Path(path), Path(cache))
    except Rejected as why:
        raise CurateError(f"{path}: {why.detail}, in the middle of the build; run again") from why
    if found != sha256:
        raise CurateError(f"{path}: changed in the middle of the build; run again")


def _within_clip(video: VideoRef | None, clip: Clip) -> None:
    """Raises Rejected for frames that its clip has not: they would be missed only when they are encoded."""
    if (
        video
        and video.indices is None
        and video.still is None
        and (end_s := video.start_s + (video.frames - 0.5) / video.fps) > clip.seconds
    ):
        raise Rejected("too_short", f"{clip.seconds:.2f} s, its frames go to {end_s:.2f} s")


def _rejection(why: Rejected, clip: Clip) -> dict[str, Any]:
    if why.is_transient:
        raise CurateError(
            f"{clip.name}: {why.detail} in the middle of the build; run again to go on"
        ) from why
    return {"rejected": {"reason": why.reason, "detail": why.detail}}


@lru_cache(maxsize=1)
def stack_of(model: str, cache: str) -> Any:
    """The model, once a process."""
    from curate.encode.stack import load

    return load(model, Path(cache))


def encode(task: EncodeTask) -> str:
    """The key of the example whose latents are now in the cache."""
    from curate.encode.audio import encode_audio
    from curate.encode.plain import as_bytes
    from curate.encode.video import encode_pins, encode_video
    from curate.media.audio import to_float
    from curate.media.frames import frames_of

    cache = Cache(Path(task.cache))
    example = cache.get("examples", task.example)
    if example is None or example.sha256 is None:
        raise CurateError(
            f"{task.example} vanished from the cache in {task.cache} during the build; run again"
        )
    video = VideoRef.model_validate(example.record["video"]) if example.record["video"] else None
    stack, latents = stack_of(task.model, task.cache), dict[str, TensorBytes]()
    media = {role: medium.array() for role, medium in example.tensors().items()}
    for role, wave in media.items():
        if wave.ndim == 1:
            steps = round(25 * video.frames / video.fps) if role == "audio" and video else None
            latents[f"{role}_latents"] = as_bytes(encode_audio(stack, to_float(wave), steps))
    if video:
        refuse_changed(task.video_path, video.sha256, task.cache)
        try:
            frames = frames_of(task.video_path, video, media.get(FIRST))
        except Rejected as why:
            raise CurateError(f"{task.video_path}: its frames cannot be read any more: {why}") from why
        latents["video_latents"] = as_bytes(encode_video(stack, frames))
        if SHEET in media:
            latents["reference_video_latents"] = _stands_still(media[SHEET], video.frames, task)
        if pins := pins_of(media):
            latents["pin_latents"] = as_bytes(encode_pins(stack, pins))
    # of all that was encoded: where there is no sound, the example's own file is empty
    encoded = key_of(audio=example.sha256, video=example.record["video"])
    record = {"example_sha256": encoded, "fps": video.fps if video else None}
    cache.put(
        "latents",
        latents_key(example.sha256, example.record["video"], task.fingerprint, task.made_with),
        record,
        latents,
    )
    return task.example


def pins_of(media: Mapping[str, Any]) -> list[Any]:
    """Of an example's media the pictures that are pinned at later frames, in order of these."""
    frames = sorted(int(role.removeprefix(PIN)) for role in media if role.startswith(PIN))
    return [media[f"{PIN}{frame}"] for frame in frames]


def _stands_still(sheet: Any, frames: int, task: EncodeTask) -> TensorBytes:
    """The latents of a picture as a video, of which there is one in the cache for each distinct picture."""
    from curate.encode.plain import as_bytes
    from curate.encode.video import encode_still
    from curate.media.frames import looped_frames

    cache, looped = Cache(Path(task.cache)), looped_frames(sheet, frames)
    key = key_of(
        sheet=hashlib.sha256(sheet.tobytes()).hexdigest(), shape=looped.shape, encoder=task.fingerprint,
        made_with=task.made_with,
    )  # fmt: skip
    entry = cache.get("sheets", key)
    if entry is None:
        found = as_bytes(encode_still(stack_of(task.model, task.cache), sheet, len(looped)))
        entry = cache.put("sheets", key, {}, {"reference_video_latents": found})
    return entry.tensors()["reference_video_latents"]


def encode_caption(task: tuple[str, str, str, str]) -> str:
    """(cache, model, fingerprint, caption) -> key of the caption's text features in the cache."""
    from curate.encode.plain import as_bytes
    from curate.encode.text import encode_text

    cache, model, fingerprint, caption = task
    key = text_key(caption, fingerprint)
    features = {name: as_bytes(value) for name, value in encode_text(stack_of(model, cache), caption).items()}
    Cache(Path(cache)).put("text", key, {"caption": caption}, features)
    return key


def text_key(caption: str, fingerprint: str) -> str:
    """What text features depend on."""
    return key_of(caption=caption, encoder=fingerprint)
