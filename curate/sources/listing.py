"""`--source`: from what the user names to clips, and to a drop with its reason for every file that is none."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from curate.engine import Engine
from curate.errors import CurateError
from curate.progress import Reporter
from curate.records import Clip, Drop, SourceCard, sha256_of
from curate.sources.folder import list_folder

if TYPE_CHECKING:
    from curate.sources.demo import Demo


class Listing(NamedTuple):
    """What a source holds."""

    clips: list[Clip]
    drops: list[Drop]
    card: SourceCard


def list_source(
    source: str, settings: Mapping[str, Any], cache: Path, engine: Engine, reporter: Reporter
) -> Listing:
    """The clips of `demo` or of a folder. `settings` are the source's own (`--set demo.clips=600`).

    Raises CurateError for a source that cannot be had or a setting it does not know.
    """
    if source.startswith("hub:"):
        raise CurateError(
            f"{source}: sources on the Hub are not supported yet; wanted demo or a folder of videos"
        )
    if source == "demo":
        folder, card_settings = _made_demo(settings, cache, engine, reporter)
        kind = "demo"
    else:
        if settings:
            raise CurateError(
                f"{source}: a folder has no setting {next(iter(settings))!r}; demo.* goes with --source demo"
            )
        folder, card_settings, kind = Path(source).expanduser(), {}, "folder"
    clips, drops = list_folder(folder, cache, lambda videos: reporter.track("list", videos, len(videos)))
    told = [clip.model_dump(mode="json") for clip in clips] + [drop.model_dump(mode="json") for drop in drops]
    card = SourceCard.model_validate(
        {"kind": kind, "settings": card_settings, "files": len(told), "sha256": sha256_of(told)}
    )
    return Listing(clips, drops, card)


def demo_config(settings: Mapping[str, Any]) -> "Demo":
    """The demo's config from settings such as `demo.clips`. Raises CurateError naming a wrong one."""
    from curate.sources.demo import Demo

    names = [f"demo.{name}" for name in Demo.model_fields]
    for key in settings:
        if key not in names:
            raise CurateError(f"the demo has no setting {key!r}; it has {', '.join(names)}")
    try:
        return Demo.model_validate({key.removeprefix("demo."): value for key, value in settings.items()})
    except ValidationError as error:
        first = error.errors()[0]
        raise CurateError(f"demo.{first['loc'][0]} is {first['input']!r}; {first['msg'].lower()}") from error


def _made_demo(
    settings: Mapping[str, Any], cache: Path, engine: Engine, reporter: Reporter
) -> tuple[Path, dict[str, Any]]:
    """The folder of demo clips, made if it is not whole yet. It is named by everything that made it."""
    from curate.sources.demo import demo_plan

    demo = demo_config(settings)
    plans = demo_plan(demo)
    name = sha256_of([plan.model_dump(mode="json") for plan in plans] + [_demo_code()])[:16]
    folder = cache / "demo" / name
    folder.mkdir(parents=True, exist_ok=True)
    todo = [
        (plan.model_dump(mode="json"), str(folder))
        for plan in plans
        if not (folder / f"{plan.name}.mp4").is_file()
    ]
    if todo:
        reporter.note(f"demo: drawing {len(todo)} talking heads (no --source given, or --source demo)")
        for _ in reporter.track("demo", engine.map(make_demo_file, todo), len(todo)):
            pass
    return folder, demo.model_dump(mode="json")


def make_demo_file(task: tuple[dict[str, Any], str]) -> str:
    """One demo clip in any process."""
    from curate.sources.demo import DemoClip, make_demo_clip

    plan, folder = task
    return make_demo_clip(DemoClip.model_validate(plan), Path(folder)).name


def _demo_code() -> str:
    """Hash of the demo's own modules: an edited drawing must not be mixed with clips drawn before."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("demo*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
