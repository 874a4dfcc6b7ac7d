"""Every container gives the same frames; what is no whole video is refused with a reason."""

import os
import struct
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from curate.errors import Rejected
from curate.media.video import probe, read_frames
from tests.footage import at_25, frames_of, numbered


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.mp4", {}),
        ("b.mkv", {}),
        ("c.ts", {}),
        ("d.webm", {"codec": "libvpx", "options": {"deadline": "realtime"}}),
        ("e.mpg", {"codec": "mpeg2video"}),
        ("f.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
        (
            "i.avi",
            {"options": {"bf": "3"}},
        ),  # AVI cannot say when a B-frame is shown, and libav guesses wrong
        ("g.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
        ("h.mov", {"options": {"bf": "3", "x264-params": "keyint=12"}}),
        ("frag.mp4", {"mux": {"movflags": "frag_keyframe+empty_moov"}}),
        ("live.mkv", {"mux": {"live": "1"}}),  # neither length nor index
    ],
)
def test_every_container_gives_every_frame_in_order(media: Path, name: str, how: dict[str, Any]) -> None:
    path = at_25(media / name, **how)
    assert frames_of(path, 0.0, 50, 25) == list(range(50))
    assert frames_of(path, 0.4, 20, 12.5) == list(range(10, 50, 2))
    found = probe(path)
    assert found.seconds == pytest.approx(2.0, abs=0.002)
    assert found.fps == pytest.approx(25, abs=0.02)


@pytest.mark.parametrize("name", ["a.mp4", "b.mkv", "c.ts", "e.mpg", "f.avi", "i.avi"])
def test_a_seek_finds_the_same_frames_as_reading_on(media: Path, name: str) -> None:
    codec = {"e.mpg": "mpeg2video", "f.avi": "mpeg4"}.get(name, "libx264")
    # small frames: in an MPEG program stream, several then share one time stamp
    path = at_25(media / f"long-{name}", frames=200, noise=0, codec=codec, options={"g": "30", "bf": "2"})
    whole = frames_of(path, 0.0, 200, 25)
    assert whole == list(range(200))
    for start in range(51, 175, 9):
        assert frames_of(path, start / 25, 25, 25) == whole[start : start + 25]


def cut(path: Path, share: float, into: Path) -> Path:
    data = path.read_bytes()
    into.write_bytes(data[: int(len(data) * share)])
    return into


def _text(path: Path) -> None:
    path.write_text("just some text, not a video\n" * 40)


def _playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:5,\n/etc/hostname\n#EXT-X-ENDLIST\n")


def _picture(path: Path) -> None:
    path.write_bytes(cv2.imencode(".png", numbered(3))[1].tobytes())


def _sound_only(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux([*stream.encode(frame), *stream.encode(None)])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: p.write_bytes(b""), "empty_file"),
        (_text, "not_media"),
        (_playlist, "not_media"),
        (_picture, "not_media"),
        (lambda p: p.write_bytes(os.urandom(5000)), "not_media"),
        (lambda p: p.write_bytes(b"\0\0\0\x18ftypmp42"), "truncated"),
        (_sound_only, "no_video"),
        (lambda p: p.mkdir(), "unreadable"),
        (lambda p: p.symlink_to("nowhere.mp4"), "unreadable"),
        (os.mkfifo, "unreadable"),
        (lambda p: None, "unreadable"),
    ],
)
def test_what_is_no_video_is_refused(
    tmp_path: Path, make: Any, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mp4"
    make(path)
    for read in (probe, lambda p: read_frames(p, start_s=0, frames=1, fps=25, width=8, height=8)):
        with pytest.raises(Rejected) as found:
            read(path)
        assert found.value.reason == reason
        assert found.value.detail
    assert capfd.readouterr() == ("", "")  # libav keeps quiet


@pytest.mark.parametrize("name", ["index-first.mp4", "index-last.mp4", "frag.mp4", "b.mkv"])
def test_a_file_cut_in_half_is_truncated(media: Path, tmp_path: Path, name: str) -> None:
    mux = {"index-first.mp4": "faststart", "frag.mp4": "frag_keyframe+empty_moov+default_base_moof"}.get(name)
    how: dict[str, Any] = {"options": {"x264-params": "keyint=10"}}
    whole = at_25(media / f"whole-{name}", frames=100, mux={"movflags": mux} if mux else {}, **how)
    assert probe(whole).seconds == pytest.approx(4.0, abs=0.002)
    half = cut(whole, 0.5, tmp_path / name)
    try:
        assert probe(half).seconds < 2.6  # a fragmented file promises nothing
        assert name == "frag.mp4"
    except Rejected as why:
        assert why.reason == "truncated"


@pytest.mark.parametrize(
    ("name", "codec", "torn"),
    [
        ("c.ts", "libx264", 4),
        ("e.mpg", "mpeg2video", 1),
        ("f.avi", "mpeg4", 0),
    ],  # B-frames miss what comes after
)
def test_seconds_are_those_that_decode(media: Path, tmp_path: Path, name: str, codec: str, torn: int) -> None:
    whole = at_25(media / f"whole-{name}", frames=100, codec=codec, options={"b": "1000000"})
    half = cut(whole, 0.5, tmp_path / name)
    found = probe(half)
    assert 1.0 < found.seconds < 3.0
    frames = round(found.seconds * 25) - torn
    assert frames_of(half, 0.0, frames, 25) == list(range(frames))


def test_zeros_of_an_unfinished_download_do_not_count(media: Path, tmp_path: Path) -> None:
    whole = at_25(media / "whole.mp4", frames=100, mux={"movflags": "faststart"})
    data = whole.read_bytes()
    unfinished = tmp_path / "unfinished.mp4"
    unfinished.write_bytes(data[: len(data) // 2].ljust(len(data), b"\0"))
    with pytest.raises(Rejected) as found:
        probe(unfinished)
    assert found.value.reason == "truncated"


def test_an_edit_list_that_trims_is_obeyed_and_no_truncation(media: Path, tmp_path: Path) -> None:
    data = bytearray(at_25(media / "edited.mp4", frames=100, options={"bf": "0"}).read_bytes())
    place = data.find(b"elst")
    assert place > 0
    length, first = struct.unpack(">Ii", data[place + 12 : place + 20])
    data[place + 12 : place + 20] = struct.pack(">Ii", length // 4, first)
    trimmed = tmp_path / "trimmed.mp4"
    trimmed.write_bytes(data)
    assert probe(trimmed).seconds == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    "name",
    ["two words.mp4", "dots.in.it.mp4", "ünï 茶.mp4", "new\nline.mp4", "12:30.mp4", "%d.mp4", "q?a#b.mp4"],
)
def test_any_name_will_do(media: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_25(media / "plain.mp4", 9).rename(tmp_path / name)
    assert probe(tmp_path / name).frames == 9
    monkeypatch.chdir(tmp_path)
    assert probe(Path(name)).frames == 9


def test_a_title_that_is_not_utf8(media: Path, tmp_path: Path) -> None:
    with av.open(str(media / "titled.mp4"), "w") as container:
        container.metadata["title"] = "grussaus"
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8), format="rgb24")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    data = (media / "titled.mp4").read_bytes()
    assert data.count(b"grussaus") == 1
    (tmp_path / "titled.mp4").write_bytes(data.replace(b"grussaus", "grüßaus!".encode("latin-1")))
    assert probe(tmp_path / "titled.mp4").frames == 1
