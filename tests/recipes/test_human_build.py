"""Whole builds of human: drawn robots, a folder that somebody poisoned, controls, and any engine."""

import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from curate.build import Built, build
from curate.check import check
from curate.engine import Engine, Serial
from curate.errors import AuditError, CurateError
from curate.manifest import MANIFEST, file_cards, pretty, read_lines
from curate.pipeline import Pipeline, Request
from curate.progress import Reporter
from curate.records import LedgerRow, number
from curate.shard import iter_samples
from curate.sources.listing import list_source
from curate.tensors import unpack_tensors
from tests.engines import Backwards
from tests.media import clip_models
from tests.test_build import tree

SMALL = {"count": 4, "buckets": "64x64,64x96,96x64"}
QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def pictures(shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first six drawn robots with their sidecars: none is flawed."""
    settings = {"demo.pictures": 6, "demo.size": 160}
    listing = list_source("demo", settings, shared_cache, Serial(), QUIET, demo="robots", reads="pictures")
    folder = tmp_path_factory.mktemp("robots")
    for clip in listing.clips:
        for path in Path(clip.path).parent.glob(f"{Path(clip.path).stem}.*"):
            shutil.copy(path, folder)
    return folder


def make(
    out: Path,
    source: Path,
    cache: Path,
    carrier: Engine | None = None,
    encode: bool = False,
    **settings: object,
) -> Built:
    request = Request("human", str(source), {**SMALL, **settings}, {}, "tiny", cache)
    with carrier or Serial() as engine_:
        return build(request, out, engine_, QUIET, encode=encode)


def reasons(folder: Path) -> dict[str, str | None]:
    return {row.name: row.reason for row in read_lines(folder / "ledger.jsonl", LedgerRow)}


def test_a_set_is_one_word_and_one_frame(pictures: Path, shared_cache: Path, tmp_path: Path) -> None:
    built = make(tmp_path / "human", pictures, shared_cache, encode=True)
    assert check(built.folder) == [] and built.manifest.counts.kept == 4 and not built.manifest.private
    assert len(list((built.folder / "text").iterdir())) == 1
    (shard,) = (built.folder / "shards").glob("*.tar")
    for _, members in iter_samples(shard):
        record = json.loads(bytes(members["json"]))
        tensors, _ = unpack_tensors(members["safetensors"])
        assert record["caption"] == "human" and record["latents"]["audio_steps"] is None
        assert [name for name in tensors] == ["video_latents"] and tensors["video_latents"].shape[1] == 1
    told = b"".join(path.read_bytes() for path in built.folder.rglob("*") if path.is_file())
    for sidecar in pictures.glob("*.json"):
        assert json.loads(sidecar.read_text())["caption"].encode() not in told, sidecar
    (built.folder / "text" / "more.txt").write_text("a chrome robot")
    cards = built.manifest.model_copy(
        update={"files": file_cards(built.folder)}
    )  # even where the manifest lists it
    (built.folder / MANIFEST).write_bytes(pretty(cards))
    assert any("more.txt: the features of no caption of the set" in fault for fault in check(built.folder))


def test_any_engine_and_names_in_another_order_give_the_same_set(
    pictures: Path, shared_cache: Path, tmp_path: Path
) -> None:
    one = make(tmp_path / "one", pictures, shared_cache, encode=True)
    shutil.copytree(shared_cache / "models", tmp_path / "cache" / "models")
    two = make(tmp_path / "two", pictures, tmp_path / "cache", Backwards(), encode=True)
    assert tree(one.folder) == tree(two.folder)
    (tmp_path / "renamed").mkdir()
    for place, path in enumerate(sorted(pictures.iterdir())):
        shutil.copy(path, tmp_path / "renamed" / f"{9 - place // 2}{path.suffix}")
    three = make(tmp_path / "three", tmp_path / "renamed", tmp_path / "cache")
    assert three.manifest.content_id == one.manifest.content_id


def drawn(folder: Path, stem: str) -> Path:
    """A picture, not its sidecar."""
    return next(path for path in sorted(folder.glob(f"{stem}.*")) if path.suffix != ".json")


def poisoned(folder: Path) -> dict[str, str | None]:
    """Files put beside good pictures, and the reason that each must be dropped for."""
    first = drawn(folder, "robot-0000")
    picture = Image.open(first).convert("RGB")
    picture.resize((picture.width - 8, picture.height - 8)).save(folder / "copy.jpg", quality=85)
    small = np.asarray(
        Image.open(drawn(folder, "robot-0001")).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    )
    cv2.imwrite(str(folder / "soft.png"), cv2.GaussianBlur(small, (0, 0), 8)[..., ::-1])
    banner = Image.fromarray(np.ascontiguousarray(small[::-1])).resize((480, 480))
    ImageDraw.Draw(banner).text(
        (20, 200), "SAMPLE PICTURE", "white", ImageFont.load_default(56), stroke_width=4, stroke_fill="black"
    )
    banner.save(folder / "banner.png")
    (folder / "torn.png").write_bytes(
        first.read_bytes()[:300] if first.suffix == ".png" else b"\x89PNG\r\n\x1a\n" + bytes(90)
    )
    Image.new("RGB", (40, 40), "red").save(folder / "icon.png")
    frames = [Image.new("RGB", (160, 160), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    (folder / "page.jpg").write_text("<!DOCTYPE html><html><body>404</body></html>")
    (folder / "empty.webp").write_bytes(b"")
    (folder / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    Image.fromarray(np.ascontiguousarray(small.swapaxes(0, 1))).save(
        folder / "robot.jpg", "PNG"
    )  # it can be read
    return {
        "copy.jpg": "near_duplicate", "soft.png": "blurred", "banner.png": "text", "torn.png": "broken_picture",
        "icon.png": "too_small", "drawing.svg": "not_a_picture", "robot.jpg": None, "moving.gif": "animated", "page.jpg": "not_a_picture", "empty.webp": "empty_file",
    }  # fmt: skip


def test_a_poisoned_folder_lists_each_with_its_reason(
    pictures: Path, shared_cache: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "poisoned"
    shutil.copytree(pictures, folder)
    wanted = poisoned(folder)
    heic = BytesIO()
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.open(drawn(folder, "robot-0002")).convert("RGB").rotate(180).save(heic, "HEIF", quality=90)
    (folder / "phone.heic").write_bytes(heic.getvalue())
    before = tree(folder)
    make(tmp_path / "set", folder, shared_cache, count=8)  # six robots, one from a phone, one named wrongly
    found = reasons(tmp_path / "set")
    assert {name: found[name] for name in wanted} == wanted
    assert found["phone.heic"] is None  # it can be read
    assert tree(folder) == before


def test_a_picture_that_changes_after_it_was_listed_stops_the_build(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(pictures, tmp_path / "pictures"))
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    stage = Pipeline.made

    def spoil(self: Pipeline, *given: Any) -> Any:
        for path in folder.iterdir():
            if path.suffix != ".json":
                Image.new("RGB", (30, 20)).save(path, "PNG")
        return stage(self, *given)

    with (
        monkeypatch.context() as patch,
        pytest.raises(CurateError, match="changed in the middle of the build"),
    ):
        patch.setattr(Pipeline, "made", spoil)
        make(tmp_path / "set", folder, tmp_path / "cache")
    for path, data in whole.items():
        path.write_bytes(data)
    again = make(tmp_path / "set", folder, tmp_path / "cache")
    clean = make(tmp_path / "clean", pictures, tmp_path / "other cache")
    assert again.manifest.content_id == clean.manifest.content_id


def test_the_folder_of_true_pictures_is_another_one(
    pictures: Path, shared_cache: Path, tmp_path: Path
) -> None:
    (inner := pictures / "people").mkdir(exist_ok=True)
    for people in (pictures, inner):
        with pytest.raises(CurateError, match="one is in the other; wanted two folders"):
            make(tmp_path / "set", pictures, shared_cache, regularise=str(people))
    inner.rmdir()


def test_fewer_than_wanted_is_a_clear_error(pictures: Path, shared_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"total_kind \(all\): picture 6 of 32"):
        make(tmp_path / "set", pictures, shared_cache, count=32)


def test_a_control_is_a_sound_set_of_the_same_pictures(
    pictures: Path, shared_cache: Path, tmp_path: Path
) -> None:
    plain = make(tmp_path / "plain", pictures, shared_cache)
    for control in ("true_captions", "other_token", "shuffled"):
        other = make(tmp_path / control, pictures, shared_cache, control=control)
        assert check(other.folder) == []
        kept = [
            [row.id for row in read_lines(b.folder / "ledger.jsonl", LedgerRow) if row.kept]
            for b in (plain, other)
        ]
        assert kept[0] == kept[1]


def test_people_come_with_their_own_words(pictures: Path, shared_cache: Path, tmp_path: Path) -> None:
    people, robots = tmp_path / "people", tmp_path / "robots"
    shutil.copytree(pictures, robots)
    people.mkdir()
    for path in [*sorted(robots.glob("robot-0004.*")), *sorted(robots.glob("robot-0005.*"))]:
        shutil.move(path, people / path.name)
    built = make(tmp_path / "set", robots, shared_cache, regularise=str(people))
    rows = [row for row in read_lines(built.folder / "ledger.jsonl", LedgerRow) if row.kept]
    assert sorted(row.name for row in rows if row.caption != "human") == sorted(
        r.name for r in rows if r.name.startswith("regularisation/")
    )
    assert len(rows) == 6 and check(built.folder) == []
    assert str(tmp_path) not in (built.folder / "build.json").read_text()


def test_a_model_that_is_not_trained_gives_the_same_set_and_no_reading(
    pictures: Path, shared_cache: Path, tmp_path: Path
) -> None:
    pytest.importorskip("open_clip", exc_type=ImportError)
    model = clip_models.untrained(tmp_path / "model")
    plain = make(tmp_path / "plain", pictures, shared_cache)
    read = make(tmp_path / "read", pictures, shared_cache, clip=model)
    assert read.manifest.content_id == plain.manifest.content_id and check(read.folder) == []
    (told,) = [finding for finding in read.findings if finding.name == "reading"]
    assert told.verdict == "not_applicable" and told.says.startswith("not applicable (untrained)")
    assert str(tmp_path) not in (read.folder / MANIFEST).read_text()


def test_a_model_that_learned_reads_every_picture(
    pictures: Path, shared_cache: Path, tmp_path: Path, trained_clip: str
) -> None:
    built = make(
        tmp_path / "set", pictures, shared_cache, clip=trained_clip, caption="red", opposites="green,blue"
    )
    found = {finding.name: finding for finding in built.findings}
    assert found["reading"].measured.keys() >= {"median"} and 0 < found["diversity"].measured["median"] < 2  # type: ignore[operator]
    rows = [row for row in read_lines(built.folder / "ledger.jsonl", LedgerRow) if row.kept]
    assert all(0 <= number(row.attributes, "reading") <= 1 for row in rows) and check(built.folder) == []
    assert "embedding" not in rows[0].attributes
