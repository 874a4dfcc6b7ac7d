"""Single frames of long films: the pixels of a decode from the start, without one; and what a lost packet costs."""

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.media import container, video
from curate.media.video import frames_at, looks_at, read_frames
from tests.footage import Picture, at_25, encode, number_of, numbered

FRAMES = 250
EVERY_S = np.arange(0, FRAMES / 25 - 0.02, 0.2).tolist()  # never far enough apart for a seek
TICKS = np.cumsum([0, *np.random.default_rng(0).integers(900, 9000, 199)])  # of 1/90000 s
KEYS = {"g": "30", "bf": "2", "sc_threshold": "0"}


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


def varying(path: Path) -> Path:
    return encode(path, [numbered(n) for n in range(200)], TICKS.tolist(), Fraction(1, 90000), options=KEYS)


def late(path: Path) -> Path:
    ticks = range(70, 70 + FRAMES)  # the first frame has no time 0
    return encode(path, [numbered(n) for n in range(FRAMES)], ticks, Fraction(1, 25), options=KEYS)


def edited(path: Path) -> Path:
    """Its edit list hides twenty frames more, up to the middle of a group of pictures."""
    data = bytearray(at_25(path, FRAMES, options=KEYS).read_bytes())
    place = data.find(b"elst")
    with av.open(str(path)) as film:
        tick_s = Fraction(film.streams.video[0].time_base or 1)
    first = struct.unpack(">i", data[place + 16 : place + 20])[0]
    data[place + 16 : place + 20] = struct.pack(">i", first + int(Fraction(20, 25) / tick_s))
    path.write_bytes(data)
    return path


def plain(frames: int = FRAMES, **how: Any) -> Callable[[Path], Path]:
    return lambda path: at_25(path, frames, **how)


FILMS = {
    "a.mp4": plain(options=KEYS),
    "b.mkv": plain(options={"bf": "3", "x264-params": "keyint=40:open-gop=1"}),
    "one-key.mp4": plain(options={"bf": "3", "x264-params": "keyint=infinite:scenecut=0"}),
    "refresh.mp4": plain(options={"x264-params": "keyint=40:intra-refresh=1:bframes=0:scenecut=0"}),
    "c.ts": plain(options=KEYS),
    "d.webm": plain(codec="libvpx", options={"deadline": "realtime", "g": "30"}),
    "e.mpg": plain(codec="mpeg2video", noise=0, options=KEYS),
    "open.mkv": plain(codec="mpeg2video", options=KEYS),
    "f.avi": plain(codec="mpeg4", options=KEYS),
    "g.avi": plain(options=KEYS),
    "frag.mp4": plain(options=KEYS, mux={"movflags": "frag_keyframe+empty_moov"}),
    "vfr.mp4": varying,
    "vfr.mkv": varying,
    "late.mp4": late,
    "late.ts": late,
    "edited.mp4": edited,
}


@pytest.fixture(scope="session", params=FILMS)
def film(request: pytest.FixtureRequest, media: Path) -> Path:
    return FILMS[request.param](media / request.param)


@cache
def from_the_start(path: Path) -> dict[float, Picture]:
    """What a decode from the start shows, by time."""
    shown = zip(EVERY_S, looks_at(path, EVERY_S, 64, 48), strict=True)
    return {time_s: picture for time_s, picture in shown if picture is not None}


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_seek_gives_the_very_pixels_of_a_decode_from_the_start(film: Path, data: st.DataObject) -> None:
    dense = from_the_start(film)
    assert len(dense) >= 40
    times_s = sorted(data.draw(st.sets(st.sampled_from(list(dense)), min_size=1, max_size=4)))
    found = list(frames_at(film, times_s, width=64, height=48))
    assert len(found) == len(times_s)
    for time_s, picture in zip(times_s, found, strict=True):
        assert np.array_equal(picture, dense[time_s]), time_s


def counted(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times of all frames that are decoded from now on."""
    decoded, seen = container.decoded, list[float]()

    def watched(*given: Any, **named: Any) -> Iterator[Any]:
        for frame in decoded(*given, **named):
            seen.append(frame.time_s)
            yield frame

    monkeypatch.setattr(video, "decoded", watched)
    return seen


def test_frames_at_the_end_of_a_film_do_not_decode_it(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = at_25(media / "minute.mp4", 1500, noise=0, options={"g": "50", "sc_threshold": "0"})
    seen = counted(monkeypatch)
    times_s = [57 + k / 3 for k in range(8)]
    found = [number_of(each) for each in frames_at(path, times_s, width=64, height=48)]
    assert found == [int(time_s * 25 + 1e-6) % 256 for time_s in times_s]
    assert len(seen) < 170 and not any(2 < time_s < 54 for time_s in seen)


def test_a_film_with_one_key_frame_is_decoded_once(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = FILMS["one-key.mp4"](media / "once.mp4")
    seen = counted(monkeypatch)
    assert len(list(frames_at(path, [0.0, 2.4, 4.8, 7.2, 9.6], width=64, height=48))) == 5
    assert len(seen) < FRAMES + 25


def holed(path: Path, into: Path, *numbers: int) -> Path:
    """The file with zeros in place of these packets, counted as they are decoded."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as film:
        places = [(packet.pos or 0, packet.size) for packet in film.demux(video=0) if packet.size]
    for number in numbers:
        position, size = places[number]
        data[position : position + size] = bytes(size)
    into.write_bytes(data)
    return into


def middles(frames: int) -> list[float]:
    return [(k + 0.5) / 25 for k in range(frames)]


@pytest.mark.parametrize("gone", [[40], [30], [59], [33, 34, 35], [89]])
def test_a_lost_packet_costs_what_needs_it_and_no_more(media: Path, gone: list[int]) -> None:
    how = {"x264-params": "keyint=30:min-keyint=30:scenecut=0:bframes=0"}
    whole = at_25(media / "short.mp4", 90, options=how)
    path = holed(whole, media / f"hole{gone[0]}.mp4", *gone)
    looks = list(looks_at(path, middles(90), 64, 48))
    next_key = next(key for key in (30, 60, 90) if key - gone[-1] >= 0.5 * 25 or key == 90)
    lost = range(gone[0] - 1, next_key)  # from the frame before it
    assert [k for k, look in enumerate(looks) if look is None] == list(lost)
    kept = [k for k, look in enumerate(looks) if look is not None]
    times_s = [middles(90)[k] for k in kept]
    pictures = list(frames_at(path, times_s, width=64, height=48))  # none of these needs it
    for k, picture, whole_one in zip(
        kept, pictures, frames_at(whole, times_s, width=64, height=48), strict=True
    ):
        assert number_of(picture) == k and np.array_equal(picture, whole_one)
    for k in lost[:2]:
        frames = frames_at(path, [0.02, middles(90)[k]], width=64, height=48)
        assert number_of(next(frames)) == 0  # it is served before the film is given up
        with pytest.raises(Rejected) as found:
            next(frames)
        assert found.value.reason == ("too_short" if k == 89 else "broken_video")


HARD: dict[str, dict[str, Any]] = {
    "b-frames.mp4": {"options": {"bf": "3", "x264-params": "keyint=30:b-pyramid=normal:scenecut=0"}},
    "asp.mp4": {"codec": "mpeg4", "options": KEYS},  # its decoder goes on from grey where a key frame is lost
    "asp.avi": {"codec": "mpeg4", "options": KEYS},
    "refresh.mp4": {"options": {"x264-params": "keyint=30:intra-refresh=1:bframes=0:scenecut=0"}},
}


@pytest.fixture(scope="session", params=HARD)
def hard(request: pytest.FixtureRequest, media: Path) -> Path:
    return at_25(media / f"hard-{request.param}", 120, **HARD[request.param])


@cache
def shown_by(path: Path) -> list[Picture]:
    return list(frames_at(path, middles(120), width=64, height=48))


@settings(max_examples=25, deadline=None)
@given(gone=st.sets(st.integers(4, 119), min_size=1, max_size=3), step=st.sampled_from([1, 7, 55, 60]))
@example(gone={60}, step=1)
@example(gone={117}, step=1)
def test_no_frame_is_served_that_the_whole_film_would_not_show(
    hard: Path, media: Path, gone: set[int], step: int
) -> None:
    if hard.suffix == ".avi":  # where a lost packet makes frames late, also the one that is time 0 or sought
        step = min(step, 7)
    damaged = holed(hard, media / f"holes-{hard.name}", *gone)
    looks = list(looks_at(damaged, middles(120)[::step], 64, 48))
    for look, wanted in zip(looks, shown_by(hard)[::step], strict=True):
        assert look is None or np.array_equal(look, wanted)
    if step == 1:
        most = 120 if hard.name == "hard-refresh.mp4" else 48 * len(gone)
        assert 0 < sum(look is None for look in looks) <= most


def test_a_seek_to_a_lost_key_frame_serves_nothing_made_of_grey(hard: Path, media: Path) -> None:
    with av.open(str(hard)) as film:
        keys = [number for number, packet in enumerate(film.demux(video=0)) if packet.is_keyframe]
    sought = [key for key in keys if 40 < key < 100] or [60]
    for key in sought:
        damaged = holed(hard, media / f"key-{hard.name}", key)
        chosen = [0, min(118, key + 18), 119]
        looks = list(looks_at(damaged, [middles(120)[k] for k in chosen], 64, 48))
        for k, look in zip(chosen, looks, strict=True):
            assert look is None or np.array_equal(look, shown_by(hard)[k]), (key, k)


def test_a_packet_before_the_key_frame_that_was_sought_does_not_count(media: Path) -> None:
    whole = at_25(media / "long.mp4", FRAMES, options={"g": "25", "bf": "0", "sc_threshold": "0"})
    path = holed(whole, media / "long-hole.mp4", 110)
    assert [number_of(f) for f in frames_at(path, [0.02, 8.02], width=64, height=48)] == [0, 200]
    assert [number_of(f) for f in frames_at(path, middles(109), width=64, height=48)][-1] == 108
    with pytest.raises(Rejected, match=r"broken_video: the packet at 4\.40 s does not decode"):
        list(frames_at(path, [0.02, 4.62, 8.02], width=64, height=48))


def test_after_the_end_there_is_nothing_whatever_the_gap_between_the_times(media: Path) -> None:
    path = at_25(media / "end.mp4", 75)
    assert [number_of(f) for f in frames_at(path, [0.0, 2.99], width=64, height=48)] == [0, 74]
    for times_s in ([0.0, 3.01], [3.5], [0.0, 1.0, 90.0]):
        with pytest.raises(Rejected, match=r"too_short: ends at 3\.00 s"):
            list(frames_at(path, times_s, width=64, height=48))
        looks = list(looks_at(path, times_s, 64, 48))
        assert [look is None for look in looks] == [time_s > 3 for time_s in times_s]


def test_a_film_that_was_cut_short_is_seen_as_far_as_it_goes(media: Path) -> None:
    whole = at_25(media / "whole.ts", FRAMES, options=KEYS)
    path = media / "half.ts"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    looks = list(looks_at(path, EVERY_S, 64, 48))
    count = sum(look is not None for look in looks)
    assert 20 < count < 30 and all(look is None for look in looks[count:])
    shown = frames_at(whole, EVERY_S[: count - 1], width=64, height=48)
    for look, wanted in zip(looks, shown, strict=False):
        assert look is not None and np.array_equal(look, wanted)


def test_turned_and_mirrored_as_read_frames_shows_it(media: Path) -> None:
    pictures = [numbered(n) for n in range(100)]
    turned = encode(
        media / "turned.mp4", pictures, range(100), Fraction(1, 25), display=(90, True, False), options=KEYS
    )
    found = list(frames_at(turned, [0.5, 3.5], width=48, height=64))
    for time_s, picture in zip([0.5, 3.5], found, strict=True):
        wanted = read_frames(turned, start_s=time_s, frames=1, fps=25, width=48, height=64)[0]
        assert np.array_equal(picture, wanted)
    assert found[0].shape == (64, 48, 3) and not np.array_equal(found[0], found[1])


def test_one_frame_and_no_times(media: Path) -> None:
    path = at_25(media / "still.mp4", 1)
    assert [number_of(f) for f in frames_at(path, [0.0, 0.0, 0.03], width=64, height=48)] == [0, 0, 0]
    assert [look is None for look in looks_at(path, [0.0, 5.0], 64, 48)] == [False, True]
    assert list(frames_at(path, [], width=64, height=48)) == list(looks_at(path, [], 64, 48)) == []


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty_file"), (b"no film" * 99, "not_media")])
def test_what_is_no_film_is_rejected_by_both(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    for looked in (frames_at(path, [0.0], width=8, height=8), looks_at(path, [0.0], 8, 8)):
        with pytest.raises(Rejected) as caught:
            list(looked)
        assert caught.value.reason == reason
