"""`--source`: from what the user names to clips, and to a drop with its reason for every file that is none."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from curate.engine import Engine
from curate.errors import CurateError
from curate.progress import Reporter
from curate.records import Clip, Drop, SourceCard, Wanted, sha256_of
from curate.sources.folder import Reads, list_folder

if TYPE_CHECKING:
    from curate.sources.demo import Demo
    from curate.sources.demo_vbvr import VbvrDemo

Item = TypeVar("Item")


class Listing(NamedTuple):
    """What a source holds."""

    clips: list[Clip]
    drops: list[Drop]
    card: SourceCard


def list_source(
    source: str,
    settings: Mapping[str, Any],
    cache: Path,
    engine: Engine,
    reporter: Reporter,
    wanted: Wanted | None = None,
    demo: str = "talking-heads",
    reads: Reads = "videos",
) -> Listing:
    """The clips of the `demo` that a recipe has, of a folder, or of a dataset on the Hub.

    `settings` are the source's own (`--set demo.clips=600`); `wanted` says what is needed of a source in parts.
    Raises CurateError for a source that cannot be had or a setting it does not know.
    """

    def follow(items: Sequence[Item]) -> Iterable[Item]:
        return reporter.track("list", items, len(items))

    told: dict[str, Any] = {}
    if source == "demo":
        folder, told = _made_demo(demo, settings, cache, engine, reporter, wanted)
    elif settings:
        key = next(iter(settings))
        raise CurateError(f"{source}: has no setting {key!r}; demo.* goes with --source demo")
    if source.startswith("hub:"):
        from curate.sources.hub import list_hub, parse_source

        repo, revision = parse_source(source)
        reporter.note(f"{source}: reading from the Hub")
        clips, drops, commit = list_hub(repo, revision, wanted, cache, follow, reads)
        return _listing("hub", {"repository": repo, "commit": commit}, clips, drops)
    kind, root = ("demo", folder) if source == "demo" else ("folder", Path(source).expanduser())
    if wanted and in_parts(root):
        from curate.sources.store import LocalStore
        from curate.sources.vbvr import list_vbvr

        clips, drops = list_vbvr(LocalStore(root), wanted, cache, follow)
        return _listing(kind if kind == "demo" else "vbvr", told, clips, drops)
    clips, drops = list_folder(root, cache, follow, reads)
    return _listing(kind, told, clips, drops)


def with_part(listing: Listing, part: str, more: Listing) -> Listing:
    """A listing with that of another folder, whose clips are labelled as its part. Files in both are of the first."""
    known = {clip.id for clip in listing.clips}
    clips = [
        clip.model_copy(update={"name": f"{part}/{clip.name}", "labels": {**clip.labels, "part": part}})
        for clip in more.clips
    ]
    drops = [
        drop.model_copy(update={"name": f"{part}/{drop.name}", "id": sha256_of([part, drop.id])[:16]})
        for drop in more.drops
    ]
    for clip in clips:
        if clip.id in known:
            drops.append(
                Drop(
                    id=sha256_of([part, clip.id])[:16],
                    name=clip.name,
                    reason="same_file",
                    detail="also in the source",
                    sha256=clip.sha256,
                )
            )
    clips = [*listing.clips, *(clip for clip in clips if clip.id not in known)]
    return _listing(listing.card.kind, listing.card.settings, clips, [*listing.drops, *drops])


def in_parts(root: Path) -> bool:
    """Whether a folder has the layout of VBVR: a table, and tars beside it."""
    return (root / "data" / "metadata.parquet").is_file() and (root / "tars").is_dir()


def _listing(kind: str, settings: Mapping[str, Any], clips: list[Clip], drops: list[Drop]) -> Listing:
    told = [clip.model_dump(mode="json") for clip in clips] + [drop.model_dump(mode="json") for drop in drops]
    files = len({*(clip.name for clip in clips), *(drop.name for drop in drops)})
    card = {"kind": kind, "settings": settings, "files": files, "sha256": sha256_of(told)}
    return Listing(clips, drops, SourceCard.model_validate(card))


def demo_config(demo: str, settings: Mapping[str, Any]) -> "Demo | VbvrDemo":
    """The demo's config from settings such as `demo.clips`. Raises CurateError naming a wrong one."""
    kind = _demo_kind(demo)
    names = [f"demo.{name}" for name in kind.model_fields]
    for key in settings:
        if key not in names:
            raise CurateError(f"the demo has no setting {key!r}; it has {', '.join(names)}")
    try:
        return kind.model_validate({key.removeprefix("demo."): value for key, value in settings.items()})
    except ValidationError as error:
        first = error.errors()[0]
        raise CurateError(f"demo.{first['loc'][0]} is {first['input']!r}; {first['msg'].lower()}") from error


def _demo_kind(demo: str) -> "type[Demo | VbvrDemo]":
    if demo == "vbvr":
        from curate.sources.demo_vbvr import VbvrDemo

        return VbvrDemo
    from curate.sources.demo import Demo

    return Demo


def _made_demo(
    demo: str,
    settings: Mapping[str, Any],
    cache: Path,
    engine: Engine,
    reporter: Reporter,
    wanted: Wanted | None,
) -> tuple[Path, dict[str, Any]]:
    """The folder of what is drawn, made if it is not whole yet. It is named by everything that made it."""
    from curate.sources.demo import Demo

    config = demo_config(demo, settings)
    if isinstance(config, Demo):
        return _made_heads(demo, config, cache, engine, reporter), config.model_dump(mode="json")
    from curate.sources.demo_vbvr import needed, pack_vbvr, vbvr_plan

    parts = wanted.parts if wanted else {}
    plans = vbvr_plan(config, {part: needed(count, part) for part, count in parts.items()})
    folder = _demo_folder(demo, cache, [plan.model_dump(mode="json") for plan in plans])
    if not in_parts(folder):
        reporter.note(f"demo: drawing {len(plans)} tasks (no --source given, or --source demo)")
        tasks = [(plan.model_dump(mode="json"), str(folder)) for plan in plans]
        for _ in reporter.track("demo", engine.map(make_demo_sample, tasks), len(tasks)):
            pass
        pack_vbvr(folder, plans)
    return folder, config.model_dump(mode="json")


def _made_heads(demo: str, config: "Demo", cache: Path, engine: Engine, reporter: Reporter) -> Path:
    from curate.sources.demo import demo_plan

    plans = demo_plan(config)
    folder = _demo_folder(demo, cache, [plan.model_dump(mode="json") for plan in plans])
    todo = [
        (plan.model_dump(mode="json"), str(folder))
        for plan in plans
        if not (folder / f"{plan.name}.mp4").is_file()
    ]
    if todo:
        reporter.note(f"demo: drawing {len(todo)} talking heads (no --source given, or --source demo)")
        for _ in reporter.track("demo", engine.map(make_demo_file, todo), len(todo)):
            pass
    return folder


def _demo_folder(demo: str, cache: Path, plans: list[dict[str, Any]]) -> Path:
    folder = cache / "demo" / sha256_of([*plans, _demo_code(demo)])[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def make_demo_sample(task: tuple[dict[str, Any], str]) -> str:
    """One sample of the VBVR-shaped demo in any process."""
    from curate.sources.demo_vbvr import DrawTask, draw_sample

    plan, folder = task
    return draw_sample(DrawTask.model_validate(plan), Path(folder)).name


def make_demo_file(task: tuple[dict[str, Any], str]) -> str:
    """One demo clip in any process."""
    from curate.sources.demo import DemoClip, make_demo_clip

    plan, folder = task
    return make_demo_clip(DemoClip.model_validate(plan), Path(folder)).name


def _demo_code(demo: str) -> str:
    """Hash of the demo's own modules: an edited drawing must not be mixed with what was drawn before."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("demo*.py")):
        if path.name == "demo_pen.py" or path.name.startswith("demo_vbvr") == (demo == "vbvr"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
