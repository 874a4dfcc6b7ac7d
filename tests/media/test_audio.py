"""Sound on the video's timeline, wherever the container puts it; loudness."""

import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curate.errors import CurateError, Rejected
from curate.media.audio import SILENCE_LUFS, loudness_lufs, normalise_loudness, read_audio, to_float, to_int16
from curate.media.video import write_video

Wave = NDArray[np.float32]

HEADS = Path(__file__).parents[2] / "../shared/data/talking-heads"
RATE_HZ = 48000
SECONDS = 3.0
CLICKS_S = (0.25, 0.9, 1.6, 2.7)


def chirps() -> Wave:
    """Short tone bursts whose middles are at CLICKS_S."""
    time_s = np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ
    bursts = [np.exp(-(((time_s - at) / 0.004) ** 2)) for at in CLICKS_S]
    return (0.7 * np.sum(bursts, axis=0) * np.sin(2 * np.pi * 1500 * time_s)).astype(np.float32)


def bursts_s(wave: Wave, rate_hz: int = 16000) -> list[float]:
    """The middles of the bursts in a wave."""
    power = np.convolve(wave.astype(np.float64) ** 2, np.hanning(rate_hz // 50), mode="same")
    loud = power > power.max() / 4
    edges = np.flatnonzero(np.diff(np.r_[0, loud.astype(int), 0]))
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [float(np.average(np.arange(a, b), weights=power[a:b])) / rate_hz for a, b in spans]


def mux(
    path: Path,
    waves: list[NDArray[np.generic]],
    codec: str = "aac",
    sample_format: str = "fltp",
    layout: str = "mono",
    video_from_s: float = 0.0,
    audio_from_s: float = 0.0,
    seconds: float = SECONDS,
    options: dict[str, str] | None = None,
) -> Path:
    """A small video with one audio stream per wave (C, N), each starting where it is told to."""
    with av.open(str(path), "w", container_options=options or {}) as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        streams = [container.add_stream(codec, rate=RATE_HZ, layout=layout) for _ in waves]
        packets = []
        for number in range(int(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(
                np.full((32, 32, 3), 2 * number % 255, np.uint8), format="rgb24"
            )
            frame.pts, frame.time_base = number + round(video_from_s * 25), Fraction(1, 25)
            packets += video.encode(frame)
        packets += video.encode(None)
        for stream, wave in zip(streams, waves, strict=True):
            stream.codec_context.format = sample_format
            frame = av.AudioFrame.from_ndarray(wave, format=sample_format, layout=layout)
            frame.sample_rate, frame.pts = RATE_HZ, round(audio_from_s * RATE_HZ)
            packets += [*stream.encode(frame), *stream.encode(None)]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def plain(media: Path) -> Path:
    return mux(media / "plain.mp4", [chirps()[None]])


def as_format(wave: Wave, sample_format: str) -> NDArray[np.generic]:
    kinds = {"s16": (np.int16, 32767, 0), "s32": (np.int32, 2**31 - 1000, 0), "u8": (np.uint8, 127, 128)}
    kind, scale, middle = kinds.get(sample_format, (np.float32, 1, 0))
    return (wave.astype(np.float64) * scale + middle).astype(kind)[None]


@pytest.mark.parametrize(
    ("name", "codec", "sample_format"),
    [
        ("a.mp4", "aac", "fltp"),
        ("b.mkv", "aac", "fltp"),
        ("c.mkv", "libopus", "flt"),
        ("d.ts", "mp2", "s16"),
        ("e.mov", "pcm_s16le", "s16"),
        ("f.avi", "pcm_u8", "u8"),
        ("g.mkv", "pcm_s32le", "s32"),
        ("h.mov", "pcm_f32le", "flt"),
        ("i.mkv", "flac", "s16"),
    ],
)
def test_sound_is_where_it_was_put(media: Path, name: str, codec: str, sample_format: str) -> None:
    path = mux(media / name, [as_format(chirps(), sample_format)], codec, sample_format)
    read = read_audio(path, 0.0, SECONDS)
    assert read.dtype == np.float32
    assert len(read) == 48000
    assert bursts_s(read) == pytest.approx(list(CLICKS_S), abs=0.001)
    assert np.abs(read).max() == pytest.approx(0.7, rel=0.12)
    assert abs(float(read.mean())) < 0.01


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.mov"])
def test_audio_that_starts_late_is_preceded_by_silence(media: Path, name: str) -> None:
    path = mux(media / name, [chirps()[None]], audio_from_s=0.8)
    read = read_audio(path, 0.0, SECONDS)
    assert bursts_s(read) == pytest.approx([at + 0.8 for at in CLICKS_S[:3]], abs=0.002)
    assert not read[: int(0.75 * 16000)].any()
    with pytest.raises(Rejected, match="no sound between"):
        read_audio(path, 0.0, 0.5)


def test_time_zero_is_the_first_frame(media: Path) -> None:
    path = mux(media / "early.mkv", [chirps()[None]], video_from_s=0.6)
    read = read_audio(path, 0.0, 2.0)
    assert bursts_s(read) == pytest.approx([at - 0.6 for at in CLICKS_S[1:3]], abs=0.002)


def test_all_channels_are_averaged(media: Path) -> None:
    left = chirps()
    stereo = np.stack([left, np.zeros_like(left)])
    read = read_audio(
        mux(media / "stereo.mov", [stereo.T.reshape(1, -1)], "pcm_f32le", "flt", "stereo"), 0, 3
    )
    assert np.abs(read).max() == pytest.approx(0.35, rel=0.03)
    surround = np.zeros((6, left.size), np.float32)
    surround[2] = left  # speech is often in the centre alone
    read = read_audio(mux(media / "surround.mp4", [surround], layout="5.1"), 0, SECONDS)
    assert bursts_s(read) == pytest.approx(list(CLICKS_S), abs=0.002)
    assert np.abs(read).max() == pytest.approx(0.7 / 6, rel=0.12)


def test_of_two_streams_the_first_counts(media: Path) -> None:
    path = mux(media / "two.mp4", [chirps()[None], np.roll(chirps(), RATE_HZ // 2)[None]])
    assert bursts_s(read_audio(path, 0, SECONDS)) == pytest.approx(list(CLICKS_S), abs=0.001)


@settings(deadline=None, max_examples=25)
@given(
    start=st.floats(0, 2.4),
    seconds=st.floats(0.1, 3),
    rate=st.sampled_from([8000, 16000, 24000, 44100, 48000]),
)
def test_length_is_exact_and_a_window_is_a_slice(
    plain: Path, start: float, seconds: float, rate: int
) -> None:
    window = read_audio(plain, start, seconds, rate)
    assert len(window) == round(seconds * rate)
    assert np.isfinite(window).all()
    begin = round(start * RATE_HZ) / RATE_HZ
    inside = [at - begin for at in CLICKS_S if 0.03 < at - begin < seconds - 0.03]
    found = bursts_s(window, rate) if inside else []
    assert [min(abs(f - at) for f in found) < 0.001 for at in inside] == [True] * len(inside)


def test_rounded_time_stamps_do_not_tear_frames_apart(media: Path) -> None:
    wave = np.random.default_rng(0).standard_normal((1, int(SECONDS * RATE_HZ))).astype(np.float32) * 0.1
    exact, rounded = (
        read_audio(mux(media / f"noise.{kind}", [wave]), 0.0, SECONDS) for kind in ("mp4", "mkv")
    )
    assert rounded[:-400] == pytest.approx(exact[:-400], abs=1e-4)  # 21.33 ms frames, 1 ms stamps


@pytest.mark.parametrize(
    ("name", "codec", "sample_format"),
    [("hum.mp4", "aac", "fltp"), ("hum.mov", "pcm_s16le", "s16"), ("hum.mkv", "flac", "s16")],
)
def test_frames_join_without_gaps_and_windows_without_edges(
    media: Path, name: str, codec: str, sample_format: str
) -> None:
    hum = (0.5 * np.sin(2 * np.pi * 220 * np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ)).astype(np.float32)
    path = mux(media / name, [as_format(hum, sample_format)], codec, sample_format)
    whole = read_audio(path, 0.0, SECONDS)
    middle = slice(1600, -1600)
    if codec != "aac":
        assert whole[middle] == pytest.approx(hum[::3][middle], abs=1e-3)
    for start in (0.5, 1.25, 2.0):
        first = int(start * 16000)
        assert read_audio(path, start, 0.75) == pytest.approx(whole[first : first + 12000], abs=1e-5)


@pytest.mark.parametrize(
    ("name", "codec", "sample_format"),
    [
        ("long.mp4", "aac", "fltp"),
        ("long.mkv", "mp2", "s16"),
        ("long.ts", "mp2", "s16"),
        ("long.mpg", "mp2", "s16"),
        ("long.avi", "pcm_s16le", "s16"),
    ],
)
def test_a_seek_finds_the_same_sound(media: Path, name: str, codec: str, sample_format: str) -> None:
    time_s = np.arange(30 * RATE_HZ) / RATE_HZ
    nearest_s = np.abs((time_s + 0.25) % 0.5 - 0.25)  # a burst every half second
    wave = (np.exp(-((nearest_s / 0.004) ** 2)) * np.sin(2 * np.pi * 1500 * time_s) * 0.5).astype(np.float32)
    path = mux(media / name, [as_format(wave, sample_format)], codec, sample_format, seconds=30)
    for start in (12.1, 20.35):
        expected = np.arange(np.ceil(start * 2) / 2, start + 3.95, 0.5) - start
        assert bursts_s(read_audio(path, start, 4.0)) == pytest.approx(expected.tolist(), abs=0.002)


def damaged(path: Path, into: Path, which: slice) -> Path:
    """A copy with some audio packets overwritten."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    for position, size in places[which]:
        data[position : position + size] = b"\xff" * size
    into.write_bytes(data)
    return into


def test_packets_that_do_not_decode_leave_silence(plain: Path, tmp_path: Path) -> None:
    # 141 packets of 21 ms; the burst at 0.9 s is in number 43
    path = damaged(plain, tmp_path / "some.mp4", slice(41, 47))
    read = read_audio(path, 0.0, SECONDS)
    assert bursts_s(read) == pytest.approx([0.25, 1.6, 2.7], abs=0.001)
    with pytest.raises(Rejected) as found:
        read_audio(path, 0.8, 0.25)
    assert found.value.reason == "broken_audio"
    with pytest.raises(Rejected) as found:
        read_audio(damaged(plain, tmp_path / "many.mp4", slice(20, 60)), 0.0, SECONDS)
    assert found.value.reason == "broken_audio"


def test_without_audio(tmp_path: Path) -> None:
    write_video(tmp_path / "silent.mp4", np.zeros((25, 32, 32, 3), np.uint8), 25)
    with pytest.raises(Rejected) as found:
        read_audio(tmp_path / "silent.mp4", 0.0, 0.5)
    assert found.value.reason == "no_audio"


def test_a_short_tail_is_padded_and_a_window_behind_the_end_refused(plain: Path) -> None:
    read = read_audio(plain, 2.5, 2.0)
    assert len(read) == 32000
    assert bursts_s(read) == pytest.approx([0.2], abs=0.001)
    assert not read[9000:].any()
    with pytest.raises(Rejected) as found:
        read_audio(plain, 5.0, 1.0)
    assert found.value.reason == "no_audio"


@pytest.mark.skipif(not HEADS.is_dir(), reason="no shared data here")
def test_real_speech() -> None:
    for path in sorted(HEADS.glob("*.mp4")):
        wave = read_audio(path, 0.0, 5.2)
        assert len(wave) == 83200
        assert -45 < loudness_lufs(wave, 16000) < -10


# EBU Tech 3341, cases 1 and 2, for one channel instead of two (3.01 dB less)
@pytest.mark.parametrize("level_db", [-23.0, -33.0])
@pytest.mark.parametrize("rate_hz", [16000, 48000])
def test_loudness_of_a_reference_tone(level_db: float, rate_hz: int) -> None:
    tone = 10 ** (level_db / 20) * np.sin(2 * np.pi * 1000 * np.arange(5 * rate_hz) / rate_hz)
    assert loudness_lufs(tone, rate_hz) == pytest.approx(level_db - 3.01, abs=0.1)


def test_silence_has_the_floor_and_no_warning_escapes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert loudness_lufs(np.zeros(16000, np.float32), 16000) == SILENCE_LUFS
        assert loudness_lufs(np.full(16000, 1e-7, np.float32), 16000) == SILENCE_LUFS
        assert not normalise_loudness(np.zeros(16000, np.float32), 16000, -23.0).any()


def test_too_short_for_a_loudness() -> None:
    with pytest.raises(CurateError, match=r"0\.300 s, wanted at least 0\.4"):
        loudness_lufs(np.ones(4800, np.float32), 16000)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), level=st.floats(0.001, 0.5), lufs=st.floats(-40, -5))
def test_normalised_loudness_is_reached_or_it_would_clip(seed: int, level: float, lufs: float) -> None:
    wave = (np.random.default_rng(seed).standard_normal(16000) * level / 4).astype(np.float32)
    gain = 10 ** ((lufs - loudness_lufs(wave, 16000)) / 20)
    if gain * np.abs(wave).max() >= 1:
        with pytest.raises(Rejected) as found:
            normalise_loudness(wave, 16000, lufs)
        assert found.value.reason == "clipping"
    else:
        made = normalise_loudness(wave, 16000, lufs)
        assert loudness_lufs(made, 16000) == pytest.approx(lufs, abs=0.01)
        assert made == pytest.approx(wave * gain, rel=1e-4)


@given(st.lists(st.floats(-1, 1, width=32), max_size=50))
def test_sixteen_bits_hold_a_wave(samples: list[float]) -> None:
    wave = np.array(samples, np.float32)
    assert to_float(to_int16(wave)) == pytest.approx(wave, abs=0.6 / 32767)
    assert (to_int16(to_float(to_int16(wave))) == to_int16(wave)).all()
