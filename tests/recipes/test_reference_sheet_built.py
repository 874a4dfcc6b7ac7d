"""A whole set of sheets: a film of a real face, encoded by the miniature, checked, and made again on another engine."""

import json
from pathlib import Path

import numpy as np
import pytest

from curate.build import Built, build
from curate.check import check
from curate.engine import engine
from curate.manifest import read_lines
from curate.pipeline import Request
from curate.progress import Reporter
from curate.records import LedgerRow, ShardRecord
from curate.shard import iter_samples
from curate.tensors import unpack_tensors
from tests import walker
from tests.test_build import tree

pytest.importorskip("dlib")
SMALL = {"frames": 25, "width": 384, "height": 224, "per_film": 2}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film = walker.write_film(folder)
    elements = {"characters": [], "location": {"id": "gallery", "description": "a room with three pictures"}}
    film.with_suffix(".elements.json").write_text(json.dumps(elements))
    return folder


def made(
    out: Path, source: Path, cache: Path, carrier: str = "serial", encode: bool = False, **settings: str
) -> Built:
    with engine(carrier) as engine_:
        return build(
            Request("reference-sheet", str(source), SMALL | settings, {}, "tiny", cache),
            out,
            engine_,
            Reporter(quiet=True),
            encode=encode,
        )


def test_a_film_becomes_pairs_of_a_target_and_its_sheet(
    films: Path, shared_cache: Path, tmp_path: Path
) -> None:
    before = tree(films)
    built = made(tmp_path / "set", films, shared_cache, encode=True)
    assert check(built.folder) == [] and tree(films) == before
    rows = read_lines(built.folder / "ledger.jsonl", LedgerRow)
    assert 1 <= built.manifest.counts.kept <= 2 and {row.reason for row in rows} >= {"no_character"}
    (shard,) = (built.folder / "shards").glob("*.tar")
    for _, members in iter_samples(shard):
        record = ShardRecord.model_validate_json(bytes(members["json"]))
        tensors, _ = unpack_tensors(members["safetensors"])
        assert record.latents.video == (4, 7, 12) and record.latents.reference_video == (16, 7, 12)
        reference = tensors["reference_video_latents"].array()
        assert np.array_equal(reference[:, 4], reference[:, 12])  # a video that stands still
        assert "gallery, a room with three pictures (place)" in record.caption
        assert record.measured["identity"] < 0.5  # type: ignore[operator]


DRAWING = """
import numpy as np

def draw(element, description, turn, panels):
    made = panels[0][:, ::-1].copy()
    made[::2, :, 1] //= 2 + len(turn)
    return made if turn == "back" else np.rot90(made, len(turn)).copy()
"""


def test_another_engine_gives_the_same_set_also_with_a_generator(
    films: Path, shared_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(DRAWING)
    settings = {"generator": f"{tmp_path / 'mine.py'}:draw"}
    one = made(tmp_path / "one", films, shared_cache, **settings)
    two = made(tmp_path / "two", films, tmp_path / "cache", "processes:2", **settings)
    assert tree(one.folder) == tree(two.folder) and check(one.folder) == []
    rows = [row for row in read_lines(one.folder / "ledger.jsonl", LedgerRow) if row.kept]
    assert rows and all("person-1 back" in row.attributes["generated"] for row in rows)  # type: ignore[operator]
    assert all("back" in str(row.caption) and row.choices["generator"] for row in rows)
    assert str(tmp_path) not in (one.folder / "build.json").read_text()
