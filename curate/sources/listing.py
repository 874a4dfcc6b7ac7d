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
from curate.sources.clips import Reads
from curate.sources.folder import list_folder

if TYPE_CHECKING:
    from curate.sources.demo import Demo
    from curate.sources.demo_films import FilmsDemo
    from curate.sources.demo_robots import RobotsDemo
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
    """A listing with that of another folder, whose clips say so by their `part`. Files in both are of the first."""
    known = {clip.id for clip in listing.clips}
    clips = [clip.model_copy(update={"name": f"{part}/{clip.name}", "part": part}) for clip in more.clips]
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


def demo_config(demo: str, settings: Mapping[str, Any]) -> "Demo | VbvrDemo | RobotsDemo | FilmsDemo":
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


def _demo_kind(demo: str) -> "type[Demo | VbvrDemo | RobotsDemo | FilmsDemo]":
    if demo == "vbvr":
        from curate.sources.demo_vbvr import VbvrDemo

        return VbvrDemo
    if demo == "robots":
        from curate.sources.demo_robots import RobotsDemo

        return RobotsDemo
    if demo == "films":
        from curate.sources.demo_films import FilmsDemo

        return FilmsDemo
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
    config = demo_config(demo, settings)
    plans, names, what = _drawn(config, wanted)
    told = [plan.model_dump(mode="json") for plan in plans]
    folder = cache / "demo" / sha256_of([*told, _demo_code(demo)])[:16]
    folder.mkdir(parents=True, exist_ok=True)
    packed = demo == "vbvr" and in_parts(folder)
    todo = [
        (demo, plan, str(folder))
        for plan, name in zip(told, names, strict=True)
        if not packed and not (folder / name).is_file()
    ]
    if todo:
        reporter.note(f"demo: drawing {len(todo)} {what} (no --source given, or --source demo)")
        for _ in reporter.track("demo", engine.map(make_demo_file, todo), len(todo)):
            pass
    if demo == "vbvr" and not packed:
        from curate.sources.demo_vbvr import pack_vbvr

        pack_vbvr(folder, plans)
    return folder, config.model_dump(mode="json")


def _drawn(config: Any, wanted: Wanted | None) -> tuple[list[Any], list[str], str]:
    """Plans of a demo, the file that each ends with, and what it draws."""
    from curate.sources.demo import Demo, demo_plan
    from curate.sources.demo_films import FilmsDemo, films_plan
    from curate.sources.demo_robots import RobotsDemo, robots_plan
    from curate.sources.demo_vbvr import needed, vbvr_plan

    if isinstance(config, Demo):
        heads = demo_plan(config)
        return heads, [f"{plan.name}.mp4" for plan in heads], "talking heads"
    if isinstance(config, RobotsDemo):
        robots = robots_plan(config)
        return robots, [plan.file_name for plan in robots], "robots"
    if isinstance(config, FilmsDemo):
        films = films_plan(config)
        return films, [f"{plan.name}.mp4" for plan in films], "films"
    parts = wanted.parts if wanted else {}
    tasks = vbvr_plan(config, {part: needed(count, part) for part, count in parts.items()})
    return tasks, [f"samples/{task.directory}/ground_truth.mp4" for task in tasks], "tasks"


def make_demo_file(task: tuple[str, dict[str, Any], str]) -> str:
    """One drawn clip in any process."""
    demo, plan, folder = task
    if demo == "vbvr":
        from curate.sources.demo_vbvr import DrawTask, draw_sample

        return draw_sample(DrawTask.model_validate(plan), Path(folder)).name
    if demo == "robots":
        from curate.sources.demo_robots import RobotPlan, draw_robot

        return draw_robot(RobotPlan.model_validate(plan), Path(folder)).name
    if demo == "films":
        from curate.sources.demo_films import FilmPlan, draw_film

        return draw_film(FilmPlan.model_validate(plan), Path(folder)).name
    from curate.sources.demo import DemoClip, make_demo_clip

    return make_demo_clip(DemoClip.model_validate(plan), Path(folder)).name


def _demo_code(demo: str) -> str:
    """Hash of the demo's own modules: an edited drawing must not be mixed with what was drawn before."""
    digest, others = hashlib.sha256(), ("demo_vbvr", "demo_robots", "demo_films")
    for path in sorted(Path(__file__).parent.glob("demo*.py")):
        of = next((other for other in others if path.name.startswith(other)), "demo_talking-heads")
        if path.name == "demo_pen.py" or of == f"demo_{demo}":
            digest.update(path.read_bytes())
    return digest.hexdigest()
