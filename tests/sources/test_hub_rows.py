"""Datasets on the Hub that are not laid out in parts: read row by row by the real `datasets`, in one process."""

import contextlib
import hashlib
import io
import json
import tarfile
import wave as wavefile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.hub_client import HubClient
from tests.hub_server import HubServer
from tests.vbvr_folders import picture, video, write_tar

Listings = dict[str, dict[str, Any]]
MEDIA = {
    "Video": {"decode": False, "_type": "Video"},
    "Audio": {"_type": "Audio"},
    "Image": {"_type": "Image"},
}


def write_parquet(path: Path, kind: str, cells: list[dict[str, Any] | None], **columns: list[Any]) -> None:
    """A parquet file whose column `media` the Hub's libraries know as one of videos, sounds or pictures."""
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"media": pa.array(cells, struct), **columns})
    features = {field.name: {"dtype": str(field.type), "_type": "Value"} for field in table.schema} | {
        "media": MEDIA[kind]
    }
    told = json.dumps({"info": {"features": features}})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"huggingface": told}), path)


def make_parquet(folder: Path) -> None:
    videos = [{"bytes": video(number), "path": f"v{number}.mp4"} for number in range(4)]
    videos[1]["path"] = None
    videos[3]["path"] = "../../v.mp4"
    again = {"bytes": video(0), "path": "v0.mp4"}
    cells = [
        *videos,
        again,
        None,
        {"bytes": b"no video", "path": "x.mp4"},
        {"bytes": None, "path": "/etc/hostname"},
    ]
    rows = range(len(cells))
    captions = [f" caption {number} " for number in rows]
    licences = ["mit", None, *(None for _ in rows[2:])]
    path = folder / "data" / "train-00000-of-00001.parquet"
    write_parquet(
        path, "Video", cells, caption=captions, license=licences, number=list(rows), empty=[None] * len(cells)
    )
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")


def make_folders(folder: Path) -> None:
    for split, numbers in {"train": (10, 11), "test": (12, 10)}.items():
        (folder / split).mkdir(parents=True)
        for number in numbers:
            (folder / split / f"v{number}.mp4").write_bytes(video(number))
        rows = [{"file_name": f"v{number}.mp4", "text": f"text {number}", "side": 1.5} for number in numbers]
        (folder / split / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))


def make_zip(folder: Path) -> None:
    folder.mkdir()
    with zipfile.ZipFile(folder / "train.zip", "w") as archive:
        for number in (20, 21):
            archive.writestr(f"inner/v{number}.mp4", video(number))


def make_shards(folder: Path) -> None:
    for shard in range(2):
        members = []
        for number in (30 + 2 * shard, 31 + 2 * shard):
            told = {"prompt": f"prompt {number}", "score": 0.5, "many": [1, 2], "license": "odbl"}
            members.append((f"{number}.mp4", video(number)))
            members.append((f"{number}.json", json.dumps(told).encode()))
            members += [(f"{number}.txt", f"text {number}".encode())]
        write_tar(folder / f"train-{shard:05d}.tar", members, tarfile.USTAR_FORMAT)


def make_pictures(folder: Path) -> None:
    write_parquet(folder / "train.parquet", "Image", [{"bytes": picture(3), "path": "a.png"}], text=["a"])


def make_sounds(folder: Path) -> None:
    wave = io.BytesIO()
    with contextlib.closing(wavefile.open(wave, "wb")) as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    write_parquet(folder / "train.parquet", "Audio", [{"bytes": wave.getvalue(), "path": None}], text=["a"])


def make_refused(folder: Path) -> None:
    for shard in range(2):
        members = [(f"{number}.mp4", video(number)) for number in range(40, 46)]  # so many tell its columns
        write_tar(folder / f"refused-{shard:05d}.tar", members, tarfile.USTAR_FORMAT)


def make_texts(folder: Path) -> None:
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"question": "why", "answer": 3}\n')


def make_nothing(folder: Path) -> None:
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")


MAKERS = {
    "parquet": make_parquet,
    "folders": make_folders,
    "zip": make_zip,
    "shards": make_shards,
    "pictures": make_pictures,
    "sounds": make_sounds,
    "refused": make_refused,
    "texts": make_texts,
    "nothing": make_nothing,
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    place = tmp_path_factory.mktemp("repositories")
    for name, make in MAKERS.items():
        make(place / name)
    with HubServer({f"owner/{name}": place / name for name in MAKERS}) as server:
        server.cuts["train-00000.tar"] = (1500, 1)  # a connection that breaks once
        server.refusals["refused-00001.tar"] = 404
        yield server


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def client(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubClient]:
    with HubClient(hub.url, tmp_path_factory.mktemp("home")) as client:
        yield client


@pytest.fixture(scope="module")
def found(client: HubClient, cache: Path) -> Listings:
    listings = client.list(cache, *(f"hub:owner/{name}" for name in MAKERS))
    return dict(zip(MAKERS, listings, strict=True))


def captions(listing: dict[str, Any]) -> dict[str, str | None]:
    assert "error" not in listing, listing["error"]
    return {clip["name"]: clip["caption"] for clip in listing["clips"]}


def test_rows_of_parquet(found: Listings, hub: HubServer) -> None:
    listing = found["parquet"]
    assert captions(listing) == {
        "train/00000001.mp4": "caption 1",
        "train/00000003.mp4": "caption 3",
        "train/v0.mp4": "caption 0",
        "train/v2.mp4": "caption 2",
    }
    assert [(drop["name"], drop["reason"]) for drop in listing["drops"]] == [
        ("train/00000004.mp4", "same_file"),
        ("train/00000005.mp4", "no_media"),
        ("train/00000007.mp4", "no_media"),
        ("train/x.mp4", "not_media"),
    ]
    # the last but one named a file of this machine
    assert listing["drops"][2]["detail"] == "the row holds no bytes, and no place in the repository"
    assert listing["commit"] == hub.repos["owner/parquet"].commit
    clip = listing["clips"][-2]
    assert clip["sha256"] == hashlib.sha256(video(0)).hexdigest() and clip["id"] == clip["sha256"][:16]
    assert (clip["labels"], clip["licence"], clip["width"]) == ({"number": "0"}, "mit", 64)
    assert {clip["licence"] for clip in listing["clips"][:2]} == {"cc-by-4.0"}
    ids = [record["id"] for record in (*listing["clips"], *listing["drops"])]
    assert len(set(ids)) == len(ids) == 8


def test_a_folder_of_videos_with_its_splits(found: Listings) -> None:
    listing = found["folders"]
    assert captions(listing) == {
        "train/v10.mp4": "text 10",
        "train/v11.mp4": "text 11",
        "test/v12.mp4": "text 12",
    }
    assert [(drop["name"], drop["detail"]) for drop in listing["drops"]] == [
        ("test/v10.mp4", "the same bytes as train/v10.mp4")
    ]
    assert listing["clips"][0]["labels"] == {"side": "1.5"}


def test_videos_in_an_archive(found: Listings) -> None:
    assert list(captions(found["zip"])) == ["train/inner/v20.mp4", "train/inner/v21.mp4"]


def test_shards_of_webdataset(found: Listings, hub: HubServer) -> None:
    assert hub.cuts["train-00000.tar"] == (1500, 0)
    listing = found["shards"]
    assert captions(listing) == {f"train/{number}.mp4": f"text {number}" for number in (30, 31, 32, 33)}
    assert listing["clips"][0]["labels"] == {"score": "0.5"} and not listing["drops"]
    assert listing["clips"][0]["licence"] == "odbl"


def test_what_is_no_video_is_dropped_as_such(found: Listings) -> None:
    for name, dropped, reason in (("pictures", "a.png", "not_media"), ("sounds", "00000000.wav", "no_video")):
        listing = found[name]
        told = [(drop["name"], drop["reason"]) for drop in listing["drops"]]
        assert (listing["clips"], told) == ([], [(f"train/{dropped}", reason)])


def test_a_dataset_without_media_is_one_line_with_its_columns(found: Listings) -> None:
    told = "found columns question, answer in split train; wanted one of videos, sounds or pictures"
    assert found["texts"]["error"] == f"hub:owner/texts: {told}"


def test_a_dataset_without_data_is_one_line(found: Listings) -> None:
    error = found["nothing"]["error"]
    assert error.startswith("hub:owner/nothing: cannot be read as a dataset: ") and "\n" not in error


def test_files_lie_in_the_cache_by_their_bytes(found: Listings, client: HubClient, cache: Path) -> None:
    for listing in found.values():
        for clip, path in zip(listing.get("clips", ()), listing.get("paths", ()), strict=True):
            assert Path(path).parent == cache / "hub"
            assert Path(path).name == f"{clip['sha256']}.mp4"
            assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == clip["sha256"]
    assert not [path for path in cache.rglob("*") if path.suffix in (".part", ".tmp")]


def test_a_second_time_no_file_is_downloaded_or_written_again(
    found: Listings, hub: HubServer, client: HubClient, cache: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*.mp4")}
    hub.sent.clear()
    again = client.list(cache, "hub:owner/folders", "hub:owner/parquet", "hub:owner/zip", "hub:owner/shards")
    expected = [found[name] for name in ("folders", "parquet", "zip", "shards")]
    assert [{**each, "seconds": 0} for each in again] == [{**each, "seconds": 0} for each in expected]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not [path for path in hub.sent if path.endswith(".mp4")]


def test_a_shard_that_cannot_be_had_is_one_line(found: Listings) -> None:
    error = found["refused"]["error"]
    assert error.startswith("hub:owner/refused: cannot be read as a dataset: ") and "\n" not in error
