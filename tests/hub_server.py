"""Folders served as datasets of the Hub, to its real clients, on loopback; and what a network can do to them."""

import hashlib
import json
import re
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import yaml

PIECE = 1 << 14
LARGE = (".tar", ".parquet", ".mp4", ".png", ".wav")  # kept as Git LFS on the real one


class Served:
    """One file."""

    def __init__(self, path: Path, name: str) -> None:
        data = path.read_bytes()
        self.path, self.size, self.is_large = path, len(data), name.endswith(LARGE)
        self.blob_id = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.etag = self.sha256 if self.is_large else self.blob_id

    def entry(self, name: str) -> dict[str, Any]:
        """As `tree` and `paths-info` tell it."""
        lfs = {"oid": self.sha256, "size": self.size, "pointerSize": 130}
        return {"type": "file", "path": name, "size": self.size, "oid": self.blob_id} | (
            {"lfs": lfs} if self.is_large else {}
        )

    def sibling(self, name: str) -> dict[str, Any]:
        """As the repository's own card tells it."""
        lfs = {"sha256": self.sha256, "size": self.size, "pointerSize": 130}
        return {"rfilename": name, "size": self.size, "blobId": self.blob_id} | (
            {"lfs": lfs} if self.is_large else {}
        )


class Repo:
    """One dataset."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.files = {path.relative_to(folder).as_posix(): Served(path, path.name) for path in paths}
        told = json.dumps({name: file.sha256 for name, file in self.files.items()})
        self.commit = hashlib.sha1(told.encode()).hexdigest()
        card = folder / "README.md"
        self.card = yaml.safe_load(card.read_text().split("---")[1]) if card.exists() else {}


class HubServer:
    """`with HubServer({"owner/name": folder}) as hub`: the endpoint is `hub.url`."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.repos = {name: Repo(folder) for name, folder in folders.items()}
        self.reset()

    def reset(self) -> None:
        """A network without faults."""
        self.sent: Counter[str] = Counter()  # bytes of each file, without headers
        self.requests: list[tuple[str, str, str]] = []  # method, path, range
        self.cuts: dict[str, tuple[int, int]] = {}  # by file: after how many bytes, how many times
        self.stalls: dict[str, int] = {}  # by file: after how many bytes nothing comes any more
        self.refusals: dict[str, int] = {}  # by file: the status that all requests get
        self.etags: dict[str, str] = {}  # by file: what it is said to be instead
        self.gated: set[str] = set()
        self.ignores_ranges = False
        self.redirects = False  # large files come from another place, under another etag
        self.stalled, self.closed = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        handler = type("Bound", (_Handler,), {"hub": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.elsewhere = f"http://localhost:{self._server.server_port}"  # another host, to a client
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.request.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE
        )  # so that what is sent is near what is read
        super().setup()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if found := re.fullmatch(
            r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.+))?)?", path
        ):
            self._tell(*found.groups(), body)  # type: ignore[misc]
        elif found := re.fullmatch(r"(/elsewhere)?/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(found[2], found[3], found[4], elsewhere=bool(found[1]))
        else:
            self._json(404, {"error": f"no {path} here"})

    do_HEAD = do_GET = do_POST = _answer

    def _repo(self, name: str, revision: str | None) -> Repo | None:
        """The repository, or None when the refusal has been sent."""
        repo = self.hub.repos.get(name)
        if repo is None:
            self._json(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        elif name in self.hub.gated:
            self._json(403, {"error": "Access restricted"}, {"X-Error-Code": "GatedRepo"})
        elif revision not in (None, "main", repo.commit):
            self._json(404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
        else:
            return repo
        return None

    def _tell(
        self, name: str, what: str | None, revision: str | None, below: str | None, body: bytes
    ) -> None:
        repo = self._repo(name, revision)
        if repo is None:
            return
        if what in (None, "revision"):
            siblings = [file.sibling(path) for path, file in repo.files.items()]
            told = {
                "id": name,
                "sha": repo.commit,
                "private": False,
                "cardData": repo.card,
                "siblings": siblings,
            }
            self._json(200, told)
        elif what == "tree":
            here = {
                path: file for path, file in repo.files.items() if not below or path.startswith(f"{below}/")
            }
            if below and not here:
                self._json(404, {"error": "no such folder"}, {"X-Error-Code": "EntryNotFound"})
            else:
                self._json(200, _tree(here, f"{below}/" if below else "", "recursive=" in self.path.lower()))
        else:
            wanted = json.loads(body)["paths"]
            self._json(200, [repo.files[path].entry(path) for path in wanted if path in repo.files])

    def _resolve(self, name: str, revision: str, path: str, *, elsewhere: bool) -> None:
        repo = self._repo(name, revision)
        if repo is None:
            return
        file = repo.files.get(path)
        if file is None:
            self._json(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
        elif path in self.hub.refusals:
            self._json(self.hub.refusals[path], {"error": "not now"})
        elif self.hub.redirects and file.is_large and not elsewhere:
            told = {
                "X-Linked-ETag": f'"{file.etag}"',
                "X-Linked-Size": str(file.size),
                "X-Repo-Commit": repo.commit,
            }
            self._json(302, {}, {**told, "Location": f"{self.hub.elsewhere}/elsewhere{self.path}"})
        else:
            headers = {} if elsewhere else {"X-Repo-Commit": repo.commit}
            etag = "0123" if elsewhere else self.hub.etags.get(path, file.etag)
            self._send(path, file, headers | {"ETag": f'"{etag}"'})

    def _send(self, path: str, file: Served, headers: dict[str, str]) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        partly = asked is not None and not self.hub.ignores_ranges
        start, end = 0, file.size
        if asked and partly:
            start, end = int(asked[1]), min(file.size, int(asked[2] or file.size) + 1)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        self.send_response(206 if partly else 200)
        for key, value in {**headers, "Content-Length": str(end - start), "Accept-Ranges": "bytes"}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self._send_bytes(path, file, start, end)

    def _send_bytes(self, path: str, file: Served, start: int, end: int) -> None:
        after, times = self.hub.cuts.get(path, (0, 0))
        stop = min(end, start + after) if times else end
        stalls_at = self.hub.stalls.get(path, end)
        with file.path.open("rb") as stream:
            stream.seek(start)
            while start < stop:
                piece = stream.read(min(PIECE, stop - start))
                try:
                    self.wfile.write(piece)
                except OSError:  # the client has enough
                    self.close_connection = True
                    return
                self.hub.sent[path] += len(piece)
                start += len(piece)
                if start >= stalls_at and start < stop:
                    self.hub.stalled.set()
                    self.hub.closed.wait(60)
                    return
        if stop < end:
            self.hub.cuts[path] = (after, times - 1)
            self.close_connection = True

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for key, text in {
            **(headers or {}),
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
        }.items():
            self.send_header(key, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _tree(files: dict[str, Served], prefix: str, recursive: bool) -> list[dict[str, Any]]:
    """The entries below a folder: its files, and its folders by name."""
    entries: dict[str, dict[str, Any]] = {}
    for path, file in files.items():
        inner = path.removeprefix(prefix).split("/")
        for depth in range(1, len(inner)):
            folder = prefix + "/".join(inner[:depth])
            if recursive or depth == 1:
                entries[folder] = {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0}
        if recursive or len(inner) == 1:
            entries[path] = file.entry(path)
    return list(entries.values())
