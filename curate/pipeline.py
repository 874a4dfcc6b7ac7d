"""The stages of a build. Each reads the cache first and sends the engine only what is missing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from curate import stages
from curate.cache import Cache, Entry
from curate.engine import Engine, Serial
from curate.errors import CurateError
from curate.progress import Reporter
from curate.proof import quota
from curate.recipe import Recipe, blamed, configure, find
from curate.records import Clip, Drop, Sample
from curate.sources.listing import Listing, list_source, with_part

Task = TypeVar("Task")
Result = TypeVar("Result")

SAMPLES_PER_TASK = 16  # and never of two clips: a worker reads each clip once


@dataclass(frozen=True)
class Request:
    """What a user asked for."""

    recipe: str
    source: str = "demo"
    settings: Mapping[str, Any] = field(default_factory=dict)
    source_settings: Mapping[str, Any] = field(default_factory=dict)
    model: str = "tiny"
    cache: Path = Path()


class Pipeline:
    """One request on its way through the stages."""

    def __init__(self, request: Request, engine: Engine, reporter: Reporter) -> None:
        self.request = request
        self.engine = engine
        self.reporter = reporter
        self.cache = Cache(request.cache)
        kind = find(request.recipe)
        small = kind.demo_settings if request.source == "demo" else {}
        self.settings = {**small, **request.settings}
        self.recipe: Recipe = configure(kind, self.settings)
        if shown := [f"{key}={value}" for key, value in small.items() if key not in request.settings]:
            reporter.note(f"demo: a small set, {' '.join(shown)} (--set says otherwise)")

    def listed(self) -> Listing:
        """Clips and drops of the source."""
        ask = self.request
        reads = self.recipe.reads
        listing = list_source(
            ask.source, ask.source_settings, ask.cache, self.engine, self.reporter,
            self.recipe.wanted(), self.recipe.demo, reads,
        )  # fmt: skip
        for part, folder in self.recipe.folders().items():
            one, other = Path(ask.source).expanduser().resolve(), folder.resolve()
            if ask.source != "demo" and (one.is_relative_to(other) or other.is_relative_to(one)):
                raise CurateError(
                    f"{part} {folder} and --source {ask.source}: one is in the other; wanted two folders"
                )
            more = list_source(str(folder), {}, ask.cache, self.engine, self.reporter, reads=reads)
            listing = with_part(listing, part, more)
        return listing

    def annotated(self, clips: Sequence[Clip]) -> tuple[list[Clip], list[Drop]]:
        """Clips with their annotations, and those that cannot be used at all."""
        if type(self.recipe).annotate is Recipe.annotate:
            return list(clips), []
        keys = {clip.id: stages.annotation_key(self.recipe, clip) for clip in clips}
        found = self._cached("annotations", keys)
        tasks = [
            stages.AnnotateTask(**self._reference(), clip=clip) for clip in clips if clip.id not in found
        ]
        found |= dict(self._run("annotate", stages.annotate, tasks, self.engine))
        kept, drops = list[Clip](), list[Drop]()
        for clip in clips:
            if why := found[clip.id].get("rejected"):
                drops.append(Drop(id=clip.id, name=clip.name, sha256=clip.sha256, **why))
            else:
                kept.append(clip.model_copy(update={"annotations": found[clip.id]["annotations"]}))
        return kept, drops

    def planned(self) -> tuple[Listing, list[Sample], list[Drop]]:
        """Everything up to the plan: the listing, the samples to make, whatever was dropped so far."""
        listing = self.listed()
        clips, drops = self.annotated(listing.clips)
        samples = list[Sample]()
        drops = [*listing.drops, *drops]
        with self.reporter.step("plan"):  # looks at every pair of clips
            with blamed(self.recipe, "plan"):
                planned = list(self.recipe.plan(clips))
            if odd := [item for item in planned if not isinstance(item, Sample | Drop)]:
                raise CurateError(f"{self.recipe.name}: plan gave {odd[0]!r:.60}, wanted a Sample or a Drop")
            samples += [item for item in planned if isinstance(item, Sample)]
            drops += [item for item in planned if isinstance(item, Drop)]
        return listing, sorted(samples, key=lambda s: s.id), drops

    def made(
        self, samples: Sequence[Sample], drops: Sequence[Drop] = (), allow: frozenset[str] = frozenset()
    ) -> dict[str, dict[str, Any]]:
        """The record of every sample by its id; with a quota, of as many as it takes, the others are not needed.

        Raises CurateError before any work for a quota that cannot be filled, unless that is allowed to fail.
        """
        wanted = self.recipe.sketch.quota
        if wanted is None:
            return self.each_made(samples)
        if (lacking := quota.short(wanted, samples)) and "quota" not in allow:
            told = ", ".join(
                f"{kind} {found} of {quota.needed(wanted, kind)}" for kind, found in lacking.items()
            )
            reasons = Counter(drop.reason for drop in drops).most_common()
            dropped = ", ".join(f"{reason} {count}" for reason, count in reasons) or "none"
            raise CurateError(
                f"{self.recipe.name}: too few candidates: {told}; dropped: {dropped} (see `curate plan`)"
            )
        found = dict[str, dict[str, Any]]()
        while todo := quota.due(wanted, samples, found):
            found |= self.each_made(todo)
        idle = {
            "rejected": {"reason": quota.NOT_NEEDED, "detail": "enough came before it in the order drawn"}
        }
        return {sample.id: found.get(sample.id, idle) for sample in samples}

    def each_made(self, samples: Sequence[Sample]) -> dict[str, dict[str, Any]]:
        """The record of every sample by its id, each made."""
        found = self._cached("examples", {s.id: stages.example_key(self.recipe, s) for s in samples})
        todo = dict[str, list[Sample]]()
        for sample in samples:
            if sample.id not in found:
                todo.setdefault(sample.clips[0].id, []).append(sample)
        tasks = [
            stages.MakeTask(
                **self._reference(),
                samples=tuple(_blind(sample) for sample in mine[i : i + SAMPLES_PER_TASK]),
            )
            for mine in todo.values()
            for i in range(0, len(mine), SAMPLES_PER_TASK)
        ]
        for records in self._run("make", stages.make, tasks, self.engine):
            found |= dict(records)
        return found

    def example(self, sample: Sample) -> Entry:
        """The made media of a sample."""
        return self._entry("examples", stages.example_key(self.recipe, sample))

    def encoded(self, kept: Sequence[Sample], fingerprint: str, on_gpu: bool) -> dict[str, Entry]:
        """The latents of every kept sample by its id. One GPU serves one process: this one."""
        places = dict[str, tuple[str, str]]()  # sample id: key of the example, key of its latents
        for sample in kept:
            key = stages.example_key(self.recipe, sample)
            example = self._entry("examples", key)
            places[sample.id] = (
                key,
                stages.latents_key(
                    str(example.sha256), example.record["video"], fingerprint, self.recipe.made_with()
                ),
            )
        tasks = [
            stages.EncodeTask(
                cache=str(self.request.cache), model=self.request.model, fingerprint=fingerprint, made_with=self.recipe.made_with(),
                example=places[sample.id][0], video_path=sample.clips[0].path,
            )
            for sample in kept
            if self.cache.get("latents", places[sample.id][1]) is None
        ]  # fmt: skip
        self._drain("encode", stages.encode, tasks, Serial() if on_gpu else self.engine)
        return {name: self._entry("latents", key) for name, (_, key) in places.items()}

    def texts(self, captions: Iterable[str], fingerprint: str) -> dict[str, Entry]:
        """Text features by caption."""
        keys = {caption: stages.text_key(caption, fingerprint) for caption in sorted(set(captions))}
        cache, model = str(self.request.cache), self.request.model
        tasks = [
            (cache, model, fingerprint, c) for c, key in keys.items() if self.cache.get("text", key) is None
        ]
        self._drain("text", stages.encode_caption, tasks, Serial())  # few, and the largest model
        return {caption: self._entry("text", key) for caption, key in keys.items()}

    def _reference(self) -> dict[str, Any]:
        ask = self.request
        return {
            "recipe": ask.recipe,
            "settings": self.recipe.model_dump(),
            "cache": str(ask.cache),
        }

    def _cached(self, kind: str, keys: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        entries = ((name, self.cache.get(kind, key)) for name, key in keys.items())
        return {name: entry.record for name, entry in entries if entry is not None}

    def _entry(self, kind: str, key: str) -> Entry:
        entry = self.cache.get(kind, key)
        if entry is None:
            raise CurateError(
                f"the cache in {self.request.cache} lost an entry ({kind} {key[:12]}) during the build: run again"
            )
        return entry

    def _run(
        self, label: str, run: Callable[[Task], Result], tasks: Sequence[Task], engine: Engine
    ) -> Iterator[Result]:
        if tasks:
            yield from self.reporter.track(label, engine.map(run, tasks), len(tasks))

    def _drain(
        self, label: str, run: Callable[[Task], object], tasks: Sequence[Task], engine: Engine
    ) -> None:
        for _ in self._run(label, run, tasks, engine):
            pass


def _blind(sample: Sample) -> Sample:
    """The sample without what its key leaves out, so that `make` cannot depend on it."""
    return sample.model_copy(update={"attributes": {}, "group": "", "split": "train"})
