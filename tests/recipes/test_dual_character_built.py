"""Whole sets of scenes: a film of two faces, encoded by the miniature, checked, tampered with, and its control."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from curate import roundtrip
from curate.build import Built, build
from curate.check import check
from curate.encode.decode import raw_video
from curate.encode.plain import as_bytes
from curate.encode.video import encode_video
from curate.engine import engine
from curate.manifest import read_lines
from curate.media.frames import frames_of
from curate.picture_files import place_of, read_picture
from curate.pipeline import Request
from curate.progress import Reporter
from curate.records import LedgerRow, ShardRecord, VideoRef, strings
from curate.scenes.choices import Choices
from curate.scenes.measure import found_on
from curate.schema import ShardIndex
from curate.shard import iter_samples
from curate.stages import stack_of
from curate.tensors import unpack_tensors
from tests import duo
from tests.test_build import tree

pytest.importorskip("dlib")
SMALL = {"frames": 25, "width": 512, "height": 288, "per_film": 1}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    duo.write_film(folder)
    return folder


def made(out: Path, source: Path, cache: Path, encode: bool = False, **settings: Any) -> Built:
    with engine("serial") as engine_:
        request = Request("dual-character", str(source), SMALL | settings, {}, "tiny", cache)
        return build(request, out, engine_, Reporter(quiet=True), encode=encode)


@pytest.fixture(scope="module")
def built(films: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return made(tmp_path_factory.mktemp("duo") / "set", films, shared_cache, encode=True)


def kept(built: Built) -> list[LedgerRow]:
    return [row for row in read_lines(built.folder / "ledger.jsonl", LedgerRow) if row.kept]


def test_the_first_frame_is_the_picture_of_both_and_the_rest_is_the_clip(
    built: Built, films: Path, shared_cache: Path
) -> None:
    assert check(built.folder) == [] and built.manifest.counts.kept == 1
    assert "latent_first_frame (all)" in built.manifest.audit.passed
    stack: Any = stack_of("tiny", str(shared_cache))
    rows = {row.id: row for row in kept(built)}
    (shard,) = (built.folder / "shards").glob("*.tar")
    for _, members in iter_samples(shard):
        record = ShardRecord.model_validate_json(bytes(members["json"]))
        tensors, _ = unpack_tensors(members["safetensors"])
        chosen = Choices.of(rows[record.id])
        picture = read_picture(place_of(built.folder, "first_frame", record.measured["first_frame"]))
        assert picture is not None and picture.shape == (288, 512, 3) and record.latents.video == (4, 9, 16)
        ref = VideoRef(
            sha256=record.sources[0], start_s=chosen.start_s, frames=25, fps=24, width=512, height=288
        )
        frames = frames_of(films / "duo.mp4", ref)
        assert np.abs(frames[0].astype(int) - picture).mean() > 5  # it is not the clip's own
        frames[0] = picture
        assert bytes(tensors["video_latents"].data) == bytes(as_bytes(encode_video(stack, frames)).data)
        apart = raw_video(stack, frames)[:, 0] - raw_video(stack, picture[None])[:, 0]
        assert np.abs(apart).max() < 1e-5


def test_sources_are_as_they_were(built: Built, films: Path) -> None:
    assert sorted(tree(films)) == ["duo.mp4", "duo.txt"]


def test_a_picture_that_is_painted_on_is_named(built: Built, tmp_path: Path) -> None:
    """Also where the manifest knows it: then it is not the one that was measured, by its pixels and by what is on it."""
    folder = Path(shutil.copytree(built.folder, tmp_path / "set"))
    path = folder / "first_frames" / f"{kept(built)[0].measured['first_frame']}.png"
    picture = cv2.imread(str(path))
    assert picture is not None
    picture[:, 256:] = 90
    cv2.imwrite(str(path), picture)
    assert any(path.name in fault for fault in check(folder))
    manifest = json.loads((folder / "build.json").read_text())
    card = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
    manifest["files"][f"first_frames/{path.name}"] = card
    (folder / "build.json").write_text(json.dumps(manifest))
    (fault,) = check(folder)
    assert "other pixels, or none, wanted the first_frame of" in fault
    again = found_on(np.ascontiguousarray(picture[..., ::-1], np.uint8))
    assert again["people"] == 1 != kept(built)[0].measured["people"]


def test_latents_of_another_first_frame_are_found(built: Built, films: Path, shared_cache: Path) -> None:
    row = kept(built)[0]
    picture = read_picture(place_of(built.folder, "swapped", row.measured["swapped"]))
    cards = ShardIndex.model_validate_json((built.folder / "shards" / "index.json").read_bytes()).shards
    ((_, latents),) = roundtrip.shipped(built.folder / "shards", cards, {row.id})
    ref = VideoRef(
        sha256=row.sources[0], start_s=Choices.of(row).start_s, frames=25, fps=24, width=512, height=288
    )
    assert picture is not None
    item = roundtrip.RoundTripItem(
        id=row.id, latents=latents, waves={}, pitch_hz={}, pictures={"first_frame": picture}, video=ref,
        video_path=str(films / "duo.mp4"),
    )  # fmt: skip
    found = {one.name: one for one in roundtrip.round_trip([item], stack_of("tiny", str(shared_cache)))}
    assert found["latent_first_frame"].verdict == "fail" == found["latent_reencode"].verdict


def test_the_control_is_the_same_pairs_and_fails_as_it_must(
    built: Built, films: Path, shared_cache: Path, tmp_path: Path
) -> None:
    control = made(tmp_path / "control", films, shared_cache, pin="frame0")
    assert (
        control.manifest.audit.failed
        == ["no_copy (all)"]
        == [f"{name} (all)" for name in control.manifest.audit.expected_failures]
    )
    assert [row.id for row in kept(control)] == [row.id for row in kept(built)]
    assert check(control.folder) == [] and not (control.folder / "first_frames").exists()


def test_staggered_pins_are_latents_of_their_own(films: Path, shared_cache: Path, tmp_path: Path) -> None:
    built = made(tmp_path / "set", films, shared_cache, encode=True, pin="staggered", frames=49)
    assert check(built.folder) == []
    (row,) = kept(built)
    (pin,) = (frame for frame in Choices.of(row).pins if frame)
    (shard,) = (built.folder / "shards").glob("*.tar")
    ((_, members),) = iter_samples(shard)
    record = ShardRecord.model_validate_json(bytes(members["json"]))
    tensors, _ = unpack_tensors(members["safetensors"])
    assert record.latents.pin_frames == (pin,) and tensors["pin_latents"].shape == (128, 1, 9, 16)
    assert place_of(built.folder, f"pin_{pin}", row.measured[f"pin_{pin}"]).is_file()


def test_given_pictures_stand_for_the_film(shared_cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "scenes"
    (source / "refs" / "ada").mkdir(parents=True)
    duo.write_film(source, late=False)
    cv2.imwrite(str(source / "refs" / "ada" / "1.png"), duo.photograph()[:, ::-1, ::-1])
    (source / "refs" / "cast.json").write_text('{"ada": "a woman with brown hair in an ORANGE suit"}')
    built = made(tmp_path / "set", source, shared_cache)
    (row,) = kept(built)
    views = {view.name: view for view in Choices.of(row).views}
    assert views["ada"].pictures == ("refs/ada/1.png",) and check(built.folder) == []
    assert "ada" in strings(row.attributes["people"])
