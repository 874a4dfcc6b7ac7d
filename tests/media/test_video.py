"""Frames by their time stamps, shown as a player shows them; the same bytes out every time."""

import hashlib
import io
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from curate.errors import CurateError, Rejected
from curate.media.fit import covered_part
from curate.media.video import probe, read_frames, write_video
from tests.footage import Picture, at_25, encode, frames_of, numbered

HEADS = Path(__file__).parents[2] / "../shared/data/talking-heads"
RNG = np.random.default_rng(0)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def sound_clip(media: Path) -> Path:
    path = media / "sound.mp4"
    wave = (0.2 * np.sin(np.arange(16000 * 2) / 9)).astype(np.float32)
    write_video(path, np.stack([numbered(n) for n in range(50)]), 25, wave, 16000)
    return path


def test_probe_tells_what_was_written(sound_clip: Path) -> None:
    found = probe(sound_clip)
    assert (found.seconds, found.width, found.height, found.fps, found.frames) == (2.0, 64, 48, 25.0, 50)
    assert (found.sample_rate_hz, found.audio_start_s) == (16000, 0.0)
    assert found.audio_end_s == pytest.approx(2.0, abs=0.07)


TICKS = np.cumsum([0, *RNG.integers(200, 9000, 99)])  # of 1/90000 s: 10 to 450 frames a second


@pytest.fixture(scope="session", params=["vfr.mp4", "vfr.mkv"])
def uneven(request: pytest.FixtureRequest, media: Path) -> Path:
    pictures = [numbered(n) for n in range(100)]
    return encode(media / request.param, pictures, TICKS.tolist(), Fraction(1, 90000))


@settings(deadline=None, max_examples=40)
@given(start=st.floats(0, 4), fps=st.sampled_from([7.0, 16.0, 24.0, 24000 / 1001, 25.0, 30.0, 60.0]))
def test_the_frame_on_screen_is_the_latest_that_is_due(uneven: Path, start: float, fps: float) -> None:
    times_s = TICKS / 90000
    tick_s = 1 / 1000 if uneven.suffix == ".mkv" else 1 / 90000
    targets_s = start + np.arange(5) / fps
    found = frames_of(uneven, start, 5, fps)
    for number, target_s in zip(found, targets_s, strict=True):
        due = np.flatnonzero(times_s <= target_s + tick_s)
        assert number <= due[-1]
        assert number == 99 or times_s[number + 1] > target_s - tick_s


def test_variable_rate_is_not_retimed(uneven: Path) -> None:
    times_s = TICKS / 90000
    exact = [int(np.flatnonzero(times_s <= k / 50 + 0.0006)[-1]) for k in range(150)]
    found = frames_of(uneven, 0.0, 150, 50)
    assert sum(a != b for a, b in zip(found, exact, strict=True)) <= (5 if uneven.suffix == ".mkv" else 2)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30), Fraction(60)])
def test_other_rates_keep_the_tempo(media: Path, rate: Fraction) -> None:
    count = int(rate * 3)
    pictures = [numbered(n) for n in range(count)]
    path = encode(media / f"rate{float(rate):.0f}.mp4", pictures, range(count), 1 / rate)
    assert probe(path).fps == pytest.approx(float(rate), abs=1e-4)
    assert frames_of(path, 0.0, 60, 25) == [int(Fraction(k, 25) * rate) for k in range(60)]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(24), Fraction(30)])
def test_milliseconds_of_matroska_do_not_repeat_or_drop_frames(media: Path, rate: Fraction) -> None:
    path = encode(media / f"ms{rate.numerator}.mkv", [numbered(n) for n in range(72)], range(72), 1 / rate)
    assert frames_of(path, 0.0, 72, float(rate)) == list(range(72))


def test_frames_must_be_there(sound_clip: Path) -> None:
    assert frames_of(sound_clip, 0.04, 50, 25)[-2:] == [49, 49]  # one frame more than there is
    with pytest.raises(Rejected) as found:
        frames_of(sound_clip, 0.04, 52, 25)
    assert found.value.reason == "too_short"
    with pytest.raises(Rejected) as found:
        frames_of(sound_clip, 60.0, 1, 25)
    assert found.value.reason == "too_short"


def test_a_hole_in_the_data_is_noticed(media: Path) -> None:
    path = at_25(media / "hole.mp4", frames=100, options={"bf": "0"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    for position, size in places[60:64]:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    assert frames_of(path, 0.0, 59, 25) == list(range(59))
    with pytest.raises(Rejected) as found:
        frames_of(path, 0.0, 80, 25)
    assert found.value.reason == "broken_video"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_rotated_and_mirrored_as_a_player_shows_it(media: Path, degrees: int, mirror: bool) -> None:
    corners = np.zeros((48, 64, 3), np.uint8)
    corners[:24, :32], corners[:24, 32:], corners[24:, :32] = (220, 30, 30), (30, 220, 30), (30, 30, 220)
    path = media / f"turn{degrees}{mirror}.mp4"
    encode(path, [corners] * 3, range(3), Fraction(1, 25), display=(degrees, mirror, False))
    shown = np.rot90(corners, degrees // 90)
    shown = shown[:, ::-1] if mirror else shown
    found = probe(path)
    assert (found.height, found.width) == shown.shape[:2]
    read = read_frames(path, start_s=0, frames=1, fps=25, width=found.width, height=found.height)[0]
    assert np.abs(read.astype(int) - shown).mean() < 6


@pytest.mark.parametrize(("name", "degrees"), [("square.mp4", 0), ("square.mkv", 0), ("square.mp4", 90)])
def test_pixels_that_are_not_square(media: Path, name: str, degrees: int) -> None:
    picture = np.full((120, 90, 3), 30, np.uint8)
    picture[45:75, 35:55] = 230  # 20 x 30 stored pixels, displayed as 30 x 30
    display = (degrees, False, False) if degrees else None
    path = media / f"{degrees}{name}"
    encode(path, [picture] * 2, range(2), Fraction(1, 25), pixel_aspect=Fraction(3, 2), display=display)
    found = probe(path)
    assert (found.width, found.height) == ((120, 135) if degrees else (135, 120))
    read = read_frames(path, start_s=0, frames=1, fps=25, width=120, height=120)[0].mean(axis=2) > 130
    across, down = int(read.any(axis=0).sum()), int(read.any(axis=1).sum())
    assert abs(across - 30) <= 1
    assert abs(down - 30) <= 1


@settings(deadline=None, max_examples=15)
@given(width=st.integers(48, 200), height=st.integers(48, 110))  # the whole disc is always in the crop
def test_cover_keeps_circles_round_and_the_centre_in_the_centre(disc: Path, width: int, height: int) -> None:
    read = read_frames(disc, start_s=0, frames=1, fps=25, width=width, height=height)[0].mean(axis=2) > 130
    scale = max(width / 160, height / 120)
    area, (rows, columns) = read.sum(), np.nonzero(read)
    assert area == pytest.approx(np.pi * (20 * scale) ** 2, rel=0.15, abs=12)
    assert abs(rows.mean() - (height - 1) / 2) <= 0.5 + scale / 2
    assert abs(columns.mean() - (width - 1) / 2) <= 0.5 + scale / 2
    assert rows.std() == pytest.approx(columns.std(), rel=0.08, abs=0.3)


@pytest.fixture(scope="session")
def disc(media: Path) -> Path:
    y, x = np.mgrid[:120, :160]
    picture = np.where((x - 79.5) ** 2 + (y - 59.5) ** 2 < 400, 230, 30).astype(np.uint8)
    rgb = np.repeat(picture[:, :, None], 3, axis=2)
    return encode(media / "disc.mp4", [rgb] * 2, range(2), Fraction(1, 25), options={"crf": "5"})


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
def test_colours_survive(media: Path, size: tuple[int, int]) -> None:
    colours = np.array(
        [(200, 40, 40), (40, 160, 90), (60, 60, 210), (128, 128, 128), (230, 190, 150)], np.uint8
    )
    frames = np.stack([np.broadcast_to(c, (size[1], size[0], 3)) for c in colours])
    write_video(media / "colours.mp4", frames, 25)
    read = read_frames(media / "colours.mp4", start_s=0, frames=5, fps=25, width=32, height=32)
    assert np.abs(read[:, 16, 16].astype(int) - colours).max() <= 3


def test_untagged_hd_is_taken_for_bt709(media: Path) -> None:
    colour = np.array((200, 60, 60), np.uint8)
    frame = av.VideoFrame.from_ndarray(np.broadcast_to(colour, (720, 1280, 3)).copy(), format="rgb24")
    with av.open(str(media / "untagged.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        yuv = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        yuv.colorspace = 2
        container.mux(stream.encode(yuv))
        container.mux(stream.encode(None))
    read = read_frames(media / "untagged.mp4", start_s=0, frames=1, fps=25, width=64, height=64)
    assert np.abs(read[0, 32, 32].astype(int) - colour).max() <= 3


def test_orientation_beside_side_data_without_a_name(media: Path) -> None:
    stored = np.full((32, 64, 3), 60, np.uint8)
    stored[:, :16] = 220
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    jpeg = io.BytesIO()
    Image.fromarray(stored).save(jpeg, "JPEG", exif=exif, quality=95)
    with av.open(str(media / "camera.mov"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuvj420p"
        for number in range(3):
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, 25), number, number
            container.mux(packet)
    found = probe(media / "camera.mov")
    assert (found.width, found.height) == (32, 64)
    read = read_frames(media / "camera.mov", start_s=0, frames=1, fps=25, width=32, height=64)[0]
    assert read[:12].mean() > 200
    assert read[20:].mean() < 80


def test_odd_sides_can_be_read(media: Path) -> None:
    pictures = [np.full((37, 51, 3), 90, np.uint8)] * 3
    path = encode(media / "odd.mp4", pictures, range(3), Fraction(1, 25), pix_fmt="yuv444p")
    assert (probe(path).width, probe(path).height) == (51, 37)
    assert read_frames(path, start_s=0, frames=3, fps=25, width=51, height=37).shape == (3, 37, 51, 3)


def test_threads_do_not_change_the_bytes(sound_clip: Path) -> None:
    before = cv2.getNumThreads()
    hashes = set()
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            frames = read_frames(sound_clip, start_s=0, frames=9, fps=25, width=500, height=300)
            hashes.add(hashlib.sha256(frames.tobytes()).hexdigest())
    finally:
        cv2.setNumThreads(before)
    assert len(hashes) == 1


def gradients(frames: int) -> Picture:
    colours = RNG.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    base = cv2.resize(colours, (320, 240), interpolation=cv2.INTER_CUBIC)
    return np.stack([np.roll(base, 3 * k, axis=1) for k in range(frames)])


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    # with x264's macroblock tree, half of such files came out different
    frames = gradients(60)
    wave = RNG.standard_normal((2, 16000)).astype(np.float32) * 0.1
    hashes = set()
    for attempt in range(6):
        _ = [RNG.bytes(int(size)) for size in RNG.integers(1000, 200_000, 30)]  # other bytes in freed memory
        path = tmp_path / f"{attempt}.mp4"
        write_video(path, frames, 24000 / 1001, wave, 16000)
        hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    frames = gradients(30)
    write_video(tmp_path / "a.mp4", frames, 30)
    read = read_frames(tmp_path / "a.mp4", start_s=0, frames=30, fps=30, width=320, height=240)
    difference = read.astype(int) - frames
    assert np.abs(difference).mean() < 2.5
    assert np.abs(difference.mean(axis=(0, 1, 2))).max() < 0.6  # no drift in brightness or colour


def test_odd_sides_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="51x37, wanted even"):
        write_video(tmp_path / "a.mp4", np.zeros((2, 37, 51, 3), np.uint8), 25)


@pytest.mark.skipif(not HEADS.is_dir(), reason="no shared data here")
def test_real_clips() -> None:
    for path in sorted(HEADS.glob("*.mp4")):
        found = probe(path)
        assert (found.seconds, found.width, found.height, found.fps) == (5.2, 400, 300, 25.0)
        frames = read_frames(path, start_s=0, frames=121, fps=24, width=256, height=256)
        assert frames.std() > 20
        assert np.abs(np.diff(frames[::40].astype(int), axis=0)).mean() > 0.5


def test_packets_of_one_time_stamp_are_no_video(tmp_path: Path) -> None:
    """Copied packet by packet, as no encoder would write it."""
    sound = encode(
        tmp_path / "sound.mkv", [numbered(n) for n in range(9)], range(9), Fraction(1, 25), codec="mpeg4"
    )
    path = tmp_path / "still.mkv"
    with av.open(str(sound)) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts = packet.dts = 0
                packet.duration = 0
                packet.stream = stream
                copy.mux(packet)
    with pytest.raises(Rejected, match="broken"):
        probe(path)


@given(st.integers(16, 400), st.integers(16, 400), st.integers(16, 400), st.integers(16, 400))
def test_the_covered_part_has_the_shape_that_is_wanted(
    width: int, height: int, to_width: int, to_height: int
) -> None:
    left, top, right, bottom = covered_part(width, height, to_width, to_height)
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    assert (right - left == width) or (bottom - top == height)
    assert abs(left - (width - right)) <= 1 and abs(top - (height - bottom)) <= 1
    scale = max(to_width / width, to_height / height)
    assert (
        abs((right - left) * scale - to_width) <= scale and abs((bottom - top) * scale - to_height) <= scale
    )
