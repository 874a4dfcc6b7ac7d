"""The command line. Heavy modules are imported inside the commands, so that `curate --help` answers at once."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import curate
from curate.errors import CurateError

if TYPE_CHECKING:
    from curate.pipeline import Request

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _settings(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """`k=v` pairs, each value read as YAML: 3 is a number, praat a word."""
    import yaml

    settings = {}
    for pair in values:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r} is not of the form key=value")
        try:
            # a comment to YAML, a colour to people
            settings[key.strip()] = text if text.startswith("#") else yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise click.BadParameter(f"{pair[:80]!r}: the value cannot be read") from error
    return settings


def _file_settings(path: str | None) -> dict[str, Any]:
    import yaml

    text = _table(path)
    if text is None:
        return {}
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise click.UsageError(
            f"--config {path}: cannot be read as YAML: {str(error).splitlines()[0]}"
        ) from error
    if not isinstance(read, dict):
        raise click.UsageError(f"--config {path}: found {type(read).__name__}, wanted keys and values")
    return {str(key): value for key, value in read.items()}


def _cache_root() -> Path:
    from platformdirs import user_cache_path

    return Path(os.environ["CURATE_CACHE"]) if os.environ.get("CURATE_CACHE") else user_cache_path("curate")


def _setting(says: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`--set K=V`, as often as there are settings."""
    return click.option("--set", "settings", multiple=True, callback=_settings, metavar="K=V", help=says)


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """How a command that takes a while tells what it did."""
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    return click.option("--quiet", is_flag=True, help="No progress.")(as_json(command))


def _asking(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what to build; shared by `build` and `plan`."""
    options = (
        click.argument("recipe"),
        click.option("--source", default="demo", show_default=True, help="demo, a folder of videos, or hub:OWNER/NAME[@REVISION]."),
        _setting("A setting of the recipe, or of the demo (demo.clips=600). Repeat for more."),
        click.option("--config", metavar="F.yaml", help="Settings from a file; --set wins."),
        click.option("--seed", type=click.IntRange(min=0), default=None, help="Of everything drawn. [default: 0]"),
        click.option("--clip", metavar="MODEL", help="An open_clip model that reads the pictures, where the recipe has a use for one."),
        click.option("--engine", "engine_name", default="processes", show_default=True, help="serial or processes[:N]; the result is the same."),
        _told,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _request(
    recipe: str,
    source: str,
    settings: dict[str, Any],
    config: str | None,
    seed: int | None,
    clip: str | None,
    engine_name: str,
    model: str,
) -> "Request":
    from curate.engine import engine
    from curate.pipeline import Request
    from curate.recipe import configure, find
    from curate.sources.hub import parse_source
    from curate.sources.listing import demo_config

    named = {"seed": seed, "clip": clip}
    merged = _file_settings(config) | settings | {k: v for k, v in named.items() if v is not None}
    theirs = {key: value for key, value in merged.items() if key.startswith("demo.")}
    ours = {key: value for key, value in merged.items() if key not in theirs}
    try:
        configure(find(recipe), ours).made_with()  # names what it needs and is not there
        engine(engine_name)
        if source.startswith("hub:"):
            parse_source(source)
        if theirs and source != "demo":
            raise CurateError(f"--set {next(iter(theirs))}: goes with --source demo, not {source}")
        if theirs:
            demo_config(find(recipe).demo, theirs)
    except CurateError as error:
        raise click.UsageError(str(error)) from error
    if source != "demo" and not source.startswith("hub:") and not Path(source).expanduser().is_dir():
        raise click.UsageError(f"--source {source}: no such folder; wanted a folder, demo, or hub:OWNER/NAME")
    return Request(recipe, source, ours, theirs, model, _cache_root())


@click.group(context_settings=CONTEXT)
@click.version_option(curate.__version__, prog_name="curate")
def cli() -> None:
    """Build, prove and pack training sets for LTX-2.3 LoRAs."""


@cli.command()
@_asking
@click.option("--out", metavar="DIR", help="Where the set goes. [default: sets/RECIPE]")
@click.option("--model", default="tiny", show_default=True, help="tiny, a Hub id, or a folder for diffusers.")
@click.option("--no-encode", is_flag=True, help="Stop after the audit: no latents, no shards.")
@click.option(
    "--allow", multiple=True, metavar="NAME", help="A finding that may fail; recorded in build.json."
)
@click.option(
    "--with-controls",
    is_flag=True,
    help="Also the same set with shuffled, one or no reference, and a sweep of tones.",
)
def build(
    recipe: str, source: str, settings: dict[str, Any], config: str | None, seed: int | None, clip: str | None,
    engine_name: str, quiet: bool, as_json: bool, out: str | None, model: str, no_encode: bool, allow: tuple[str, ...],
    with_controls: bool,
) -> None:  # fmt: skip
    """Make the training set of RECIPE (a name, or a file such as ./mine.py) and prove it."""
    from curate.build import build as run
    from curate.controls import reference_in
    from curate.engine import engine
    from curate.progress import Reporter
    from curate.recipe import configure, find
    from curate.show import built, built_json

    request = _request(recipe, source, settings, config, seed, clip, engine_name, model)
    if with_controls:
        try:
            reference_in(configure(find(recipe), request.settings))
        except CurateError as error:
            raise click.UsageError(f"--with-controls: {error}") from error
    place = Path(out) if out else Path("sets") / find(recipe).name
    reporter = Reporter(quiet)
    with engine(engine_name) as carrier:
        result = run(
            request, place, carrier, reporter,
            encode=not no_encode, allow=frozenset(allow), with_controls=with_controls,
        )  # fmt: skip
    click.echo(json.dumps(built_json(result)) if as_json else built(result))


@cli.command()
@_asking
def plan(
    recipe: str, source: str, settings: dict[str, Any], config: str | None, seed: int | None, clip: str | None,
    engine_name: str, quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show what RECIPE would make of a source, before anything is rendered."""
    from curate.engine import engine
    from curate.pipeline import Pipeline
    from curate.progress import Reporter
    from curate.show import planned, planned_json

    request = _request(recipe, source, settings, config, seed, clip, engine_name, "tiny")
    with engine(engine_name) as carrier:
        pipeline = Pipeline(request, carrier, Reporter(quiet))
        listing, samples, drops = pipeline.planned()
    click.echo(
        json.dumps(planned_json(samples, drops))
        if as_json
        else planned(recipe, listing, samples, drops, pipeline.recipe.tables(samples))
    )


@cli.command()
@click.argument("set_folder", metavar="SET")
@click.option("--recipe", help="The recipe's file, when it is not a bundled one.")
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON.")
def check(set_folder: str, recipe: str | None, as_json: bool) -> None:
    """Verify a finished SET: files, schemas, ledger, shards, and its invariants measured again."""
    from curate.check import check as run
    from curate.manifest import load_build
    from curate.progress import Reporter
    from curate.show import verdict_line

    folder = Path(set_folder)
    faults = run(folder, recipe, Reporter(quiet=as_json))
    if as_json:
        click.echo(json.dumps({"set": set_folder, "faults": faults}))
    else:
        for fault in faults:
            click.echo(fault)
        click.echo(
            f"{folder}: {len(faults)} faults"
            if faults
            else f"{folder}: sound. {verdict_line(load_build(folder))}"
        )
    if faults:
        sys.exit(1)


@cli.command()
@click.argument("place", metavar="FILE|SET")
@click.option("--fix", "fixing", is_flag=True, help="Print the captions mended; faults go to stderr.")
@click.option("--json", "as_json", is_flag=True, help="Print captions, faults and fixes as JSON.")
def lint(place: str, fixing: bool, as_json: bool) -> None:
    """Hold the captions of FILE (text with one a line, .json, .jsonl, - for stdin) or SET against their rules."""
    from curate.lint_files import failed, linted, linted_json, mended, told

    found = linted(place)
    says = json.dumps(linted_json(place, found)) if as_json else told(place, found)
    click.echo(says, err=fixing and not as_json)
    if fixing and not as_json:
        click.echo(mended(found))
    if failed(found, fixing):
        sys.exit(1)


@cli.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="Print every difference as JSON.")
def diff(a: str, b: str, as_json: bool) -> None:
    """Compare two finished sets, A before and B after, and suggest a version bump.

    \b
    major  another recipe or recipe version, files moved across the split, a finding
           became worse, another encoder or none any more
    minor  samples added or removed; captions, labels, sources or latents of samples
           changed; latents where there were none
    patch  all else: licences, attributes, settings without effect, versions
    none   nothing differs

    \b
    Exit codes: 0 same content (samples, encoder and verdicts agree; at most a patch)
                1 they differ, or one of them is no sound set (then one line on stderr)
                2 the command line is wrong
    """
    from curate.diff.bump import reasons, same_content
    from curate.diff.compare import compare
    from curate.diff.show import diff_json, diff_text

    difference = compare(Path(a), Path(b))
    why = reasons(difference)
    click.echo(json.dumps(diff_json(a, b, difference, why)) if as_json else diff_text(a, b, difference, why))
    if not same_content(difference):
        sys.exit(1)


@cli.command()
@click.argument("set_folder", metavar="SET")
@click.option("--out", metavar="RUN", help="Where the run goes. [default: runs/NAME OF SET]")
@_setting("A training setting, such as steps=200 or targets=audio+bridge. Repeat for more.")
@click.option(
    "--config", metavar="F.yaml", help="A training table in place of the set's train.yaml; --set wins."
)
@click.option("--resume", is_flag=True, help="Go on from the run's last checkpoint, exactly.")
@click.option("--allow", multiple=True, metavar="NAME", help="A finding of the set that may have failed.")
@_told
def train(
    set_folder: str, out: str | None, settings: dict[str, Any], config: str | None, resume: bool, allow: tuple[str, ...],
    quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train a LoRA on a finished SET. For several GPUs: accelerate launch -m curate.cli train SET"""
    from curate.progress import Reporter
    from curate.sample.look import while_training
    from curate.show import trained, trained_json
    from curate.train.start import Request
    from curate.train.start import train as run

    folder = Path(set_folder)
    request = Request(
        set_folder=folder,
        out=Path(out) if out else Path("runs") / os.path.basename(os.path.realpath(folder)),
        cache_root=_cache_root(),
        table=_table(config),
        table_name=config or str(folder / "train.yaml"),
        changes=settings,
        resume=resume,
        allow=frozenset(allow),
    )
    result = run(request, Reporter(quiet), while_training)
    if result.first:
        click.echo(json.dumps(trained_json(result)) if as_json else trained(result))
    if result.steps < result.wanted:
        sys.exit(130)


@cli.command()
@click.argument("run_folder", metavar="RUN")
@click.option(
    "--sweep",
    is_flag=True,
    help="Sweep the reference tone and measure the pitch of what is generated, with and without the LoRA.",
)
@click.option("--data", metavar="SET", help="Where the run's set is now, if it was moved.")
@_setting("A setting such as sample.inference_steps=8. Repeat for more.")
@_told
def sample(
    run_folder: str, sweep: bool, data: str | None, settings: dict[str, Any], quiet: bool, as_json: bool
) -> None:
    """Generate what a RUN's LoRA files make of its prompts, or measure a sweep of tones."""
    from curate.progress import Reporter
    from curate.sample.look import look, opened
    from curate.sample.show_sweep import sweep_json, sweep_text
    from curate.sample.sweep import sweep as measure

    run = opened(Path(run_folder), Path(data) if data else None, settings, _cache_root())
    if sweep:
        report = measure(run, Reporter(quiet))
        click.echo(json.dumps(sweep_json(report)) if as_json else sweep_text(report))
        return
    sheet = look(run, Reporter(quiet))
    click.echo(json.dumps({"contact_sheet": str(sheet)}) if as_json else str(sheet))


def _table(config: str | None) -> str | None:
    """The text of a training table."""
    if config is None:
        return None
    try:
        if Path(config).is_file():  # no pipe or device, which may have no end
            return Path(config).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--config {config}: cannot be read as text") from error
    raise click.UsageError(f"--config {config}: no such file")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def recipes(as_json: bool) -> None:
    """List the recipes and their settings."""
    from curate.recipe import recipes as known
    from curate.show import recipes_json, recipes_table

    click.echo(json.dumps(recipes_json(known())) if as_json else recipes_table(known()))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Look for what is missing or in the way on this machine, with what to do about it."""
    from curate.doctor import examine
    from curate.show import doctor_table

    findings = examine(_cache_root())
    click.echo(json.dumps([f.model_dump() for f in findings]) if as_json else doctor_table(findings))
    if any(f.verdict == "bad" for f in findings):
        sys.exit(1)


def main() -> None:
    """Entry point: errors of the user become one line and an exit code, 1 for data, 2 for the command line."""
    try:
        cli.main(standalone_mode=False)
    except CurateError as error:
        _complain(str(error), 1)
    except click.ClickException as error:
        _complain(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped; what is finished is kept, run again to go on", 130)
    except Exception as error:
        if os.environ.get("CURATE_TRACEBACK"):
            raise
        # a path that was given, a drive that is gone
        if isinstance(error, OSError) and error.filename and error.strerror:
            _complain(f"{str(error.filename)[:200]}: {error.strerror}", 1)
        _complain(
            f"a fault in curate itself: {type(error).__name__}: {error} (CURATE_TRACEBACK=1 shows where)", 1
        )


def _complain(line: str, code: int) -> None:
    click.secho(f"curate: {line}", fg="red", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
