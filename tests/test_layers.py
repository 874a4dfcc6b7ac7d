"""Who may import whom: arrows point down this list only. Imports inside functions count too."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = (
    {"curate.errors", "curate.guard"},
    {"curate.records", "curate.files", "curate.generators"},
    {"curate.captions", "curate.composition"},
    {"curate.caption_rewrite", "curate.lint"},
    {"curate.tensors"},
    {"curate.cache", "curate.shard", "curate.split", "curate.media", "curate.proof.sketch"}
    | {"curate.train.config"},
    {"curate.proof.assign", "curate.proof.finding", "curate.proof.probe", "curate.proof.columns"}
    | {"curate.proof.labels"},
    {"curate.proof.dependence", "curate.proof.trial", "curate.proof.reference", "curate.ledger"}
    | {"curate.proof.quota"},
    {"curate.proof.inference", "curate.proof.invariants"},
    {"curate.proof.audit", "curate.proof.pictures"},
    {"curate.sheets"},
    {"curate.engine", "curate.progress", "curate.recipe", "curate.encode"},
    {"curate.picture_files", "curate.film_plan"},
    {"curate.scenes"},
    {"curate.recipes", "curate.sources"},
    {
        "curate.stages",
        "curate.manifest",
        "curate.schema",
        "curate.sweep",
        "curate.diff.difference",
        "curate.decoded",
    },
    {"curate.pipeline", "curate.place", "curate.check_shards", "curate.controls", "curate.diff.contents"}
    | {"curate.diff.bump", "curate.roundtrip", "curate.train"},
    {"curate.finish", "curate.check_control", "curate.diff.compare", "curate.lint_files"},
    {"curate.build", "curate.check", "curate.doctor"},
    {"curate.sample"},
    {"curate.show"},
    {"curate.diff.show", "curate.sample.show_sweep"},
    {"curate.cli"},
)
PACKAGES = {"curate", "curate.proof", "curate.diff"}  # import nothing themselves
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
TORCH = (
    "curate.guard",
    "curate.media.likeness",
    "curate.encode",
    "curate.train",
    "curate.sample",
    "curate.stages",
    "curate.doctor",
)  # may import it
HEAVY = {
    "torch",
    "diffusers",
    "transformers",
    "parselmouth",
    "librosa",
    "av",
    "cv2",
    "swift_f0",
    "scipy",
    "sklearn",
    "jsonschema",
    "pyarrow",
    "datasets",
    "huggingface_hub",
    "open_clip",
    "rapidocr",
    "skimage",
    "torchvision",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts if parts[0] == "curate" else ("curate", *parts))
    return name.removesuffix(".__init__")


def sources() -> list[Path]:
    return [ROOT / "cli.py", *sorted(p for d in ("curate", "recipes") for p in (ROOT / d).rglob("*.py"))]


def layer_of(name: str) -> str | None:
    """The entry of LAYERS that a module belongs to, the longest that fits."""
    return max(
        (known for known in RANK if name == known or name.startswith(known + ".")), key=len, default=None
    )


def imported(tree: ast.AST) -> set[str]:
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_imports_point_down(path: Path) -> None:
    mine = module_name(path)
    if mine in PACKAGES:
        return
    layer = layer_of(mine)
    assert layer is not None, f"{mine} has no layer: give it one in LAYERS"
    for name in imported(ast.parse(path.read_text())):
        other = layer_of(name)
        if other and other != layer:
            assert RANK[other] < RANK[layer], f"{mine} imports {name}"
        if other == "curate.recipes" == layer:
            assert name in ("curate.recipes", mine), f"{mine} imports another recipe, {name}"
        if name.split(".")[0] == "torch":
            assert mine.startswith(TORCH), f"{mine} imports torch"


def test_the_command_line_imports_nothing_heavy_at_its_top() -> None:
    import subprocess
    import sys

    code = "import curate.cli, sys; print(*sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
