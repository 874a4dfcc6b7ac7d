"""What the documents say is true: commands exist, code runs, tables name what there is."""

import re
import runpy
from pathlib import Path

import click
import pytest

import curate.cli
from curate.engine import Serial
from curate.pipeline import Request
from curate.progress import Reporter
from curate.sheets import judge
from tests.conftest import SMALL
from tests.ledgers import finished, helium, pool
from tests.recipes import test_dual_character as scenes
from tests.recipes import test_human as human
from tests.recipes import test_reference_sheet as sheets
from tests.recipes import test_vbvr as vbvr

ROOT = Path(__file__).parents[1]
COMMAND = re.compile(r"^(?:\. .*&& )?curate +(\w+)((?: +[^#\n]+)?)", re.MULTILINE)


def test_every_command_in_the_readme_exists_with_its_options() -> None:
    text = (ROOT / "README.md").read_text()
    seen = set()
    for name, rest in COMMAND.findall("\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))):
        command = curate.cli.cli.commands[name]
        known = {option for p in command.params if isinstance(p, click.Option) for option in p.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, rest
        seen.add(name)
    assert {"build", "plan", "check", "doctor"} <= seen


def test_every_command_is_in_the_readme_and_has_help() -> None:
    text = (ROOT / "README.md").read_text()
    for name, command in curate.cli.cli.commands.items():
        assert f"curate {name}" in text, name
        assert command.help
        assert all(p.help for p in command.params if isinstance(p, click.Option)), name


def test_every_finding_of_helium_is_explained() -> None:
    text = (ROOT / "docs" / "helium.md").read_text()
    recipe = helium()
    for finding in recipe.audit(finished(recipe, pool(recipe, 60, seed=0))):
        assert f"`{finding.name}`" in text, finding.name


def test_every_finding_of_vbvr_is_explained() -> None:
    text = (ROOT / "docs" / "vbvr.md").read_text()
    judge = vbvr.recipe(only="O-47", scale=0.02, benchmark=["0" * 16])
    for finding in judge.audit(vbvr.ledger(judge, vbvr.pool(8, ("O-47",)))):
        assert f"`{finding.name}`" in text, finding.name


def test_every_finding_of_human_is_explained(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "human.md").read_text()
    judge = human.recipe(count=4, regularise=str(tmp_path), clip="none")
    pictures = [human.picture(n, annotations={"reading": 0.1, "embedding": [1.0, 0.1 * n]}) for n in range(4)]
    rows = human.ledger(judge, pictures)
    for finding in [*judge.audit(rows), *judge.audit(rows[:0])]:
        assert f"`{finding.name}`" in text, finding.name


def test_every_finding_and_drop_of_reference_sheet_is_explained() -> None:
    text = (ROOT / "docs" / "reference-sheet.md").read_text()
    recipe = sheets.recipe()
    rows = sheets.ledger(recipe, [sheets.clip(n) for n in range(4)])
    for finding in recipe.audit(rows):
        assert f"`{finding.name}`" in text, finding.name
    code = "".join(
        (ROOT / name).read_text()
        for name in (
            "recipes/reference_sheet.py",
            *sorted(str(path) for path in (ROOT / "curate/sheets").glob("*.py")),
        )
    )
    judged = {row[-1] for row in (*judge.MOST, *judge.LEAST, *judge.NONE)}
    for reason in judged | set(re.findall(r'Rejected\(\s*"(\w+)"', code)):
        assert f"`{reason}`" in text, reason


def test_every_finding_and_drop_of_dual_character_is_explained() -> None:
    text = (ROOT / "docs" / "dual-character.md").read_text()
    recipe = scenes.recipe()
    for finding in recipe.audit(scenes.ledger(recipe, scenes.CLIPS)):
        assert f"`{finding.name}`" in text, finding.name
    files = [
        "recipes/dual_character.py",
        "curate/film_plan.py",
        "curate/media/composite.py",
    ]
    files += [f"curate/scenes/{path.name}" for path in (ROOT / "curate/scenes").glob("*.py")]
    code = "".join((ROOT / name).read_text() for name in files)
    for reason in set(re.findall(r'Rejected\(\s*"(\w+)"', code)):
        assert f"`{reason}`" in text, reason


def test_documents_stay_short_and_their_links_hold() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 60
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # webdataset leaves its file open
def test_the_readers_in_the_shard_document_read_a_build(
    heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    from curate.build import build

    request = Request("helium-v2", str(heads), SMALL, {}, "tiny", shared_cache)
    result = build(request, tmp_path / "helium", Serial(), Reporter(quiet=True))
    shard = result.folder / "shards" / "train-00000.tar"
    plain, joined = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "shards.md").read_text(), re.DOTALL)
    for code in (plain, joined):
        (tmp_path / "reader.py").write_text(code)
        reader = runpy.run_path(str(tmp_path / "reader.py"))
        read = (
            list(reader["samples"](shard))
            if "samples" in reader
            else list(reader["dataset"](result.folder, shard.name))
        )
        assert len(read) == result.manifest.counts.train
        assert read[0][1]["video_latents"].shape[0] == 128
        if len(read[0]) == 3:
            assert read[0][2]["video_text"].shape[0] >= 3


def test_the_recipe_in_the_document_builds_checks_and_is_stopped(
    heads: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """Its samples have no choices and nothing is assigned: the audit is nothing but its sketch."""
    from curate.build import build
    from curate.check import check
    from curate.errors import AuditError

    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "recipes.md").read_text(), re.DOTALL)
    (tmp_path / "plain.py").write_text(code)
    request = Request(str(tmp_path / "plain.py"), str(heads), {"frames": 41}, {}, "tiny", shared_cache)
    result = build(request, tmp_path / "plain", Serial(), Reporter(quiet=True), encode=False)
    assert result.manifest.counts.kept >= 8 and not result.manifest.audit.failed
    assert check(result.folder, request.recipe) == []
    (tmp_path / "plain.py").write_text(code.replace("wanted=samples", "wanted=samples + 1"))
    with pytest.raises(AuditError, match="length"):
        build(request, tmp_path / "other", Serial(), Reporter(quiet=True), encode=False)


def test_the_published_schemas_are_those_of_the_records() -> None:
    from curate.schema import PUBLISHED, exported

    for name in PUBLISHED:
        path = ROOT / "schemas" / f"{name}.schema.json"
        assert path.is_file() and path.read_bytes() == exported(name), f"{path.name}: run make schemas"
    assert len(list((ROOT / "schemas").glob("*.json"))) == len(PUBLISHED)


@pytest.mark.parametrize(
    "name", ["LICENSE", "NOTICE", "CHANGELOG.md", "CONTRIBUTING.md", ".pre-commit-config.yaml"]
)
def test_the_usual_files_are_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 100
