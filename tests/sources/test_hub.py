"""Sources on the Hub, through its real clients in processes of their own, from a server on loopback."""

import hashlib
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curate.errors import CurateError
from curate.records import Wanted
from curate.sources.hub import parse_source
from curate.sources.store import LocalStore
from curate.sources.vbvr import list_vbvr
from tests.hub_client import HubClient
from tests.hub_server import HubServer
from tests.vbvr_folders import BALL, GRID, MAZE, make_vbvr

TAR = f"tars/{BALL}.tar"
QUICK = {"waits_s": [0.01]}


def wanted(*parts: str, window: int = 100) -> dict[str, Any]:
    return {"parts": dict.fromkeys(parts, 1), "window": window}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar of 16 MB, of which the samples are the first few thousand bytes."""
    path = tmp_path_factory.mktemp("vbvr")
    make_vbvr(path, {BALL: 12, GRID: 3}, padding=1 << 24)
    return path


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[HubServer]:
    with HubServer({"owner/vbvr": folder}) as server:
        yield server


@pytest.fixture
def hub(served: HubServer) -> Iterator[HubServer]:
    yield served
    served.closed.set()
    served.reset()


@pytest.fixture(scope="module")
def client(served: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubClient]:
    with HubClient(served.url, tmp_path_factory.mktemp("home")) as client:
        yield client


def local(folder: Path, place: Path, **settings: Any) -> dict[str, Any]:
    """The listing of the same files in a folder."""
    listing = list_vbvr(LocalStore(folder), Wanted.model_validate(settings), place / "local")
    clips, drops = ([record.model_dump(mode="json") for record in records] for records in listing)
    return {"clips": clips, "drops": drops}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hub:owner/name", ("owner/name", None)),
        ("hub:Video-Reason/VBVR-Dataset@main", ("Video-Reason/VBVR-Dataset", "main")),
        ("hub:a/b.c_d@refs/pr/1", ("a/b.c_d", "refs/pr/1")),
    ],
)
def test_a_source_names_a_repository_and_a_revision(source: str, expected: tuple[str, str | None]) -> None:
    assert parse_source(source) == expected


@pytest.mark.parametrize(
    "source",
    ["hub:", "hub:name", "hub:a/b/c", "hub:a/", "hub:/b", "hub:a/b@", "hub:a/..", "hub:a/b--c", "hub:a /b", "hub:-a/b",
     "hub:a/b@x y", "hub:a/b\n", "hub:https://example.org/a/b", f"hub:a/{'b' * 100}", "hub:ä/b", "a/b"],
)  # fmt: skip
def test_a_malformed_source_is_one_line(source: str) -> None:
    with pytest.raises(CurateError) as error:
        parse_source(source)
    assert (
        str(error.value) == f"{source!a} names no dataset; wanted hub:OWNER/NAME or hub:OWNER/NAME@REVISION"
    )


def test_the_hub_gives_the_same_as_a_folder_from_a_prefix_of_the_tar(
    hub: HubServer, folder: Path, client: HubClient, tmp_path: Path
) -> None:
    settings = wanted(BALL, GRID, window=4)
    (first,) = client.list(tmp_path, "hub:owner/vbvr", wanted=settings)
    repo = hub.repos["owner/vbvr"]
    assert {key: first[key] for key in ("clips", "drops")} == local(folder, tmp_path, **settings)
    assert len(first["clips"]) == 7 and first["commit"] == repo.commit
    assert {clip["licence"] for clip in first["clips"]} == {"apache-2.0"}
    for clip, path in zip(first["clips"], first["paths"], strict=True):
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == clip["sha256"]
    # what is under way when the client has enough is lost: the buffers of the sockets
    assert hub.sent[TAR] < repo.files[TAR].size / 2
    hub.sent.clear()
    (again,) = client.list(tmp_path, f"hub:owner/vbvr@{repo.commit}", wanted=settings)
    assert (again["clips"], hub.sent) == (first["clips"], {})


def test_a_larger_window_asks_for_the_rest(
    hub: HubServer, folder: Path, client: HubClient, tmp_path: Path
) -> None:
    client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL, window=4))
    hub.requests.clear()
    (grown,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL, window=9))
    assert grown["clips"] == local(folder, tmp_path, **wanted(BALL, window=9))["clips"]
    (asked,) = [place for _, path, place in hub.requests if path.endswith(TAR)]
    assert int(asked.removeprefix("bytes=").removesuffix("-")) > 0


@pytest.mark.parametrize("redirects", [False, True])
def test_a_connection_that_breaks_is_taken_up_where_it_stopped(
    redirects: bool, hub: HubServer, folder: Path, client: HubClient, tmp_path: Path
) -> None:
    hub.redirects = redirects
    hub.cuts[TAR] = (7001, 6)
    (found,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL), waits_s=[0.01] * 6)
    assert found["clips"] == local(folder, tmp_path, **wanted(BALL))["clips"]
    asked = [place for _, path, place in hub.requests if path.endswith(TAR) and place]
    expected = [f"bytes={7001 * number}-" for number in range(7)]
    assert asked == [place for place in expected for _ in range(2 if redirects else 1)]
    assert hub.sent[TAR] == hub.repos["owner/vbvr"].files[TAR].size


def test_a_server_that_knows_no_ranges(
    hub: HubServer, folder: Path, client: HubClient, tmp_path: Path
) -> None:
    hub.ignores_ranges = True
    hub.cuts[TAR] = (50_000, 1)
    (found,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL), **QUICK)
    assert found["clips"] == local(folder, tmp_path, **wanted(BALL))["clips"]


def test_a_listing_that_is_killed_goes_on(
    hub: HubServer, folder: Path, client: HubClient, tmp_path: Path
) -> None:
    hub.stalls[TAR] = 20_000
    with HubClient(hub.url, tmp_path / "home") as other:
        other.ask(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL))
        assert hub.stalled.wait(60)
        last = [end for data_end, end in wanted_ends(folder / TAR) if data_end <= hub.sent[TAR]][-1]
        for _ in range(6000):  # a minute at most
            if any(f'"end":{last},' in path.read_text() for path in tmp_path.rglob("journal.jsonl")):
                break
            assert other.process.poll() is None
            time.sleep(0.01)
    hub.closed.set()
    hub.reset()
    (found,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL))
    assert found["clips"] == local(folder, tmp_path, **wanted(BALL))["clips"]
    assert [place for _, path, place in hub.requests if path.endswith(TAR)] == [f"bytes={last}-"]


def wanted_ends(path: Path) -> list[tuple[int, int]]:
    """Of the members that samples are made of: where their data end, and where the next header begins."""
    with tarfile.open(path) as tar:
        ends = [each.offset_data + each.size for each in tar if each.name.endswith((".png", ".mp4"))]
    return [(end, -(-end // 512) * 512) for end in ends]


def test_a_hub_that_fails_in_the_middle_is_one_line_and_what_came_is_kept(
    hub: HubServer, folder: Path, client: HubClient, tmp_path: Path
) -> None:
    hub.cuts[TAR] = (20_000, 1)
    hub.stalls[TAR] = 30_000
    (broken,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL), **QUICK, timeout_s=0.3)
    assert broken["error"] == f"hub:owner/vbvr, {TAR}: no answer from the Hub within 0.3 s"
    assert len(list(tmp_path.rglob("ground_truth.mp4"))) > 0
    hub.stalls.clear()
    hub.refusals[TAR] = 503
    (broken,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL), **QUICK)
    assert broken["error"] == f"hub:owner/vbvr, {TAR}: the Hub answered 503"
    hub.refusals.clear()
    (found,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL))
    assert found["clips"] == local(folder, tmp_path, **wanted(BALL))["clips"]


def test_another_file_than_the_one_listed_is_refused(
    hub: HubServer, client: HubClient, tmp_path: Path
) -> None:
    hub.etags[TAR] = "abc"
    (found,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(BALL))
    assert f"{TAR}: found another file (etag abc), wanted " in found["error"]


def test_what_the_hub_does_not_have_is_one_line(hub: HubServer, client: HubClient, tmp_path: Path) -> None:
    sources = ("hub:owner/nothing", "hub:owner/vbvr@v2", "hub:owner/vbvr", "hub:owner/vbvr@main")
    nothing, revision, parts, again = client.list(tmp_path, *sources)
    assert nothing["error"].startswith("hub:owner/nothing: found no such dataset on the Hub")
    assert revision["error"] == "hub:owner/vbvr@v2: has no such revision; wanted a branch, a tag or a commit"
    told = "is laid out in parts as VBVR is; wanted a recipe that says which of them it takes"
    assert parts["error"] == f"hub:owner/vbvr: {told}"
    assert again["error"] == f"hub:owner/vbvr@main: {told}"
    (missing,) = client.list(tmp_path, "hub:owner/vbvr", wanted=wanted(MAZE))
    assert missing["error"].startswith(f"hub:owner/vbvr: has no {MAZE} (1 of 1 wanted)")
    hub.gated.add("owner/vbvr")
    (gated,) = client.list(tmp_path, "hub:owner/vbvr")
    assert gated["error"].startswith("hub:owner/vbvr: is gated; accept its terms")


def test_without_a_hub_it_is_one_line_and_soon(tmp_path: Path) -> None:
    with HubServer({}) as gone:
        url = gone.url
    with HubClient(url, tmp_path / "home") as client:
        (found,) = client.list(tmp_path, "hub:owner/vbvr")
    assert found["error"].startswith("hub:owner/vbvr: the Hub cannot be reached (")
    assert "\n" not in found["error"] and found["seconds"] < 5
