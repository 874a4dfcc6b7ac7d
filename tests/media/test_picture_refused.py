"""What is no still is refused by name, at once, and whatever its bytes are."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from curate.errors import Rejected
from curate.media.picture import MOST_PIXELS, probe_picture, read_picture
from tests.media.test_picture import FIELDS, drawn, fields, near, refusal


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_what_moves_is_refused(tmp_path: Path, suffix: str) -> None:
    drawn().save(
        path := tmp_path / f"a{suffix}", save_all=True, append_images=[drawn().rotate(180)], duration=100
    )
    why = refusal(path)
    assert why.reason == "animated" and "2 frames of" in why.detail


def test_several_pages_are_refused_and_a_view_beside_the_picture_is_not(tmp_path: Path) -> None:
    beside = {"save_all": True, "append_images": [drawn().rotate(180)]}
    drawn().save(path := tmp_path / "a.tif", **beside)
    assert refusal(path).reason == "several_pages"
    for name, kind in {"a.mpo": "MPO", "b.jpg": "MPO", "c.heic": "HEIF"}.items():
        drawn().save(path := tmp_path / name, format=kind, quality=95, **beside)
        assert near(fields(read_picture(path)), FIELDS)
        assert probe_picture(path).format == kind


@pytest.mark.parametrize("kind", ["F", "I", "LAB"])
def test_values_without_a_white_are_refused(tmp_path: Path, kind: str) -> None:
    given = drawn().convert(kind) if kind == "LAB" else drawn().convert("L").convert(kind)
    given.save(path := tmp_path / "a.tif")
    why = refusal(path)
    assert why.reason == "odd_mode" and f"mode {kind}," in why.detail


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif", ".heic", ".gif", ".tif", ".bmp"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_half_a_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Pillow.fromarray(noise).save(path := tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert refusal(path).reason == "broken_picture"


def test_a_heic_that_holds_another_size_than_it_says_is_refused(tmp_path: Path) -> None:
    drawn().save(path := tmp_path / "a.heic")
    data = bytearray(path.read_bytes())
    data[data.index(b"clap") + 15] = 50  # the height of its crop, of 40
    path.write_bytes(data)
    assert "says 60x50, holds 60x" in refusal(path).detail


@pytest.mark.parametrize(
    ("data", "reason", "says"),
    [
        (b"", "empty_file", "0 bytes"),
        (b"\n<!DOCTYPE html><html><body>404", "not_a_picture", "a web page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "not_a_picture", "SVG"),
        (b"\xff\x0a" + bytes(50), "not_a_picture", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "not_a_picture", "JPEG XL"),
        (b"\0\0\0\x20ftypisom" + bytes(50), "not_a_picture", "a video"),
        (b"%PDF-1.7", "not_a_picture", "a PDF"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "not_a_picture", "Git LFS"),
        (bytes(5000), "not_a_picture", "zeros"),
        (b"hello", "not_a_picture", "unknown bytes, wanted PNG, JPEG"),
        (b"\x89PNG\r\n\x1a\nhello", "broken_picture", "starts as PNG"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "broken_picture", "starts as HEIC"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, data: bytes, reason: str, says: str) -> None:
    (path := tmp_path / "a.jpg").write_bytes(data)
    why = refusal(path)
    assert why.reason == reason and says in why.detail


def png(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and holds next to nothing."""
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"IDAT": zlib.compress(b""),
        b"IEND": b"",
    }
    parts = [
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    (path := tmp_path / "a.png").write_bytes(png(20_000, 20_000))
    assert refusal(path).reason == "too_large"
    path.write_bytes(png(12_000, 10_000))  # Pillow warns of it
    assert probe_picture(path).width == 12_000 < MOST_PIXELS and refusal(path).reason == "broken_picture"
    with path.open("wb") as file:
        file.truncate(10**12)  # it holds nothing but says so
    assert refusal(path).reason == "too_large"


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "nowhere.png").symlink_to("nothing")
    (tmp_path / "ring.png").symlink_to("ring.png")
    for path in tmp_path.iterdir():
        assert refusal(path).is_transient
    drawn().save(tmp_path / "a.png")
    (link := tmp_path / "link.png").symlink_to("a.png")
    assert fields(read_picture(link)) == list(FIELDS)


def test_heic_without_its_extra_asks_for_it(tmp_path: Path) -> None:
    drawn().save(path := tmp_path / "a.heic")
    drawn().save(tmp_path / "a.png")
    script = (
        "import sys; sys.modules['pillow_heif'] = None\n"
        "from curate.media.picture import *\n"
        "print(probe_picture(sys.argv[1] + '/a.png').format)\n"
        "try: probe_picture(sys.argv[1] + '/a.heic')\n"
        "except Rejected as why: print(why)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    kind, why = done.stdout.splitlines()
    assert kind == "PNG" and why == "no_decoder: HEIC; wanted the extra `heic` installed, or another format"
    assert probe_picture(path).format == "HEIF"


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    found = {}
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"):
        drawn().save(held := BytesIO(), format=kind)
        found[kind] = held.getvalue()
    return found


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 9)), max_size=6),
)
def test_broken_bytes_are_read_or_refused_and_twice_the_same(
    tmp_path: Path, files: dict[str, bytes], kind: str, edits: list[tuple[float, bytes, int]]
) -> None:
    data = bytearray(files[kind])
    for place, put, cut in edits:
        at = int(place**3 * len(data))  # most of what can break stands in front
        data[at : at + cut] = put
    (path := tmp_path / "a.png").write_bytes(data)

    def outcome(read: Callable[[Path], Any]) -> Any:
        try:
            return read(path)
        except Rejected as why:
            return str(why)

    probed = outcome(probe_picture)
    if isinstance(probed, str) or probed.width * probed.height < 1_000_000:
        first, second = outcome(read_picture), outcome(read_picture)
        assert np.array_equal(first, second)
        assert isinstance(first, str) or first.shape == (probed.height, probed.width, 3)
