"""Video in and out: probe a file, read frames by their time stamps, write a deterministic mp4."""

from __future__ import annotations  # PyAV's Packet is generic for type checkers alone

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from curate.errors import CurateError, Rejected
from curate.media.container import (
    Frame,
    audio_stream,
    decoded,
    first_of,
    opened,
    packet_stamp,
    packets_of,
    seek_before,
    tick_s,
    time_zero_s,
    video_stream,
)
from curate.media.fit import CLEAN, displayed_size, fitted

PROMISE_SLACK_S = 0.5  # what the header of a sound file may be off by
MIN_FPS = 0.5  # below this it is the time stamps that are wrong
SEEK_FROM_S = 2.0  # decoding two seconds costs less than a seek that may land late
SEEK_MARGIN_S = 0.5  # indexes are in decoding order: the reordering delay must fit in here
# With its macroblock tree, x264's assembly gives other bytes from run to run, even on one thread (measured).
X264 = {"crf": "18", "x264-params": "mbtree=0"}
BT709 = 1  # code point of ITU-T H.273

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Probe:
    """What a media file really holds."""

    seconds: float  # from the first frame that decodes to the end of the last whole one
    width: int  # displayed pixels: after rotation and pixel aspect
    height: int
    fps: float  # average
    frames: int  # packets in those seconds: a hint
    sample_rate_hz: int | None  # None without audio, as the next two
    audio_start_s: float | None  # on the video's timeline, so often a little below 0
    audio_end_s: float | None


@dataclass
class _Span:
    """What packets add up to, in seconds of the container's clock."""

    packets: int = 0
    start_s: float = math.inf
    last_s: float = -math.inf  # where the last one begins
    end_s: float = -math.inf

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s if self.packets else 0.0

    @property
    def per_second(self) -> float:
        """Average rate. How long the last packet lasts is often made up: it counts only where it is alone."""
        lasts_s = self.last_s - self.start_s if self.packets > 1 else self.seconds
        return max(1, self.packets - 1) / lasts_s if lasts_s > 0 else 0.0

    def add(self, start_s: float, seconds: float) -> None:
        self.packets += 1
        self.start_s, self.last_s = min(self.start_s, start_s), max(self.last_s, start_s)
        self.end_s = max(self.end_s, start_s + seconds)


@dataclass
class _Held:
    """The whole packets of one stream, and those of them that an edit list does not hide."""

    whole: _Span = field(default_factory=_Span)
    shown: _Span = field(default_factory=_Span)

    def add(self, packet: Packet[Stream]) -> None:
        """Count one packet, unless it is cut off or still the zeros of a preallocated download."""
        stamp = packet_stamp(packet)
        if stamp is None or packet.is_corrupt or not any(bytes(packet)[:64]):
            return
        tick = tick_s(packet.stream)
        for span in (self.whole,) if packet.is_discard else (self.whole, self.shown):
            span.add(stamp * tick, (packet.duration or 0) * tick)


def probe(path: str | Path) -> Probe:
    """Read all packets and decode one frame.

    Raises Rejected: unreadable, empty_file, not_media, no_video, no_decoder, truncated (the header promises
    over 0.5 s more than the packets hold), broken (no frame decodes, or the time stamps are nonsense).
    """
    with opened(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        held = {stream.index: _Held() for stream in container.streams}
        packets = _counted(container, held)
        first = next(decoded(container, video, packets=packets), None)
        for _ in packets:  # the others are only counted
            pass
        _compare_with_header(container, held)
        shown = held[video.index].shown
        if first is None or shown.end_s <= first.time_s:
            raise Rejected("broken", f"no frame decodes in {shown.packets} whole packets")
        if shown.per_second < MIN_FPS:
            raise Rejected("broken", f"{shown.packets} frames in {shown.seconds:.1f} s")
        width, height = displayed_size(first)
        heard = held[audio.index].shown if audio is not None else _Span()
        return Probe(
            seconds=round(shown.end_s - first.time_s, 6),
            width=width,
            height=height,
            fps=round(shown.per_second, 6),
            frames=shown.packets,
            sample_rate_hz=audio.codec_context.sample_rate if audio is not None and heard.packets else None,
            audio_start_s=round(heard.start_s - first.time_s, 6) if heard.packets else None,
            audio_end_s=round(heard.end_s - first.time_s, 6) if heard.packets else None,
        )


def read_frames(
    path: str | Path, *, start_s: float, frames: int, fps: float, width: int, height: int,
    crop: Sequence[int] | None = None,
) -> Image:  # fmt: skip
    """The frames on screen at start_s + k/fps, as (frames, height, width, 3) uint8 RGB.

    On screen is the latest frame whose time stamp is not after that time, so every rate, also a variable one,
    is resampled without retiming. The picture, or what `crop` (left, top, right, bottom) leaves of it, covers
    width x height, centred, undistorted.
    Raises Rejected: too_short (the video ends more than one frame before the last time), broken_video (a
    packet that these frames depend on does not decode), and as `probe`.
    """
    targets_s = [start_s + k / fps for k in range(frames)]
    tolerance_s = targets_s[1] - targets_s[0] if len(targets_s) > 1 else 0.0
    out = np.empty((frames, height, width, 3), np.uint8)  # (F, H, W, 3)
    with closing(_Reel(path, start_s, seek=start_s > SEEK_FROM_S)) as reel:
        done: Frame | None = None
        for k, target_s in enumerate(targets_s):
            frame = reel.at(target_s, tolerance_s)
            out[k] = out[k - 1] if frame is done else fitted(frame, width, height, crop=crop)
            done = frame
    lost = sum(time_s <= targets_s[-1] for time_s in reel.bad_s)
    if lost:
        raise Rejected("broken_video", f"{lost} packets before {targets_s[-1]:.2f} s do not decode")
    return out


def frames_at(path: str | Path, times_s: Sequence[float], *, width: int, height: int) -> Iterator[Image]:
    """The frame on screen at each of these ascending times, (height, width, 3) uint8 RGB, as `read_frames` shows it.

    Where times are far apart, what lies between is not decoded, if the file can be sought in. Raises Rejected:
    too_short, broken_video (a packet since the last key frame, which one of these may need, is lost), and as `probe`.
    """
    with closing(_looked_at(path, times_s)) as found:
        for frame in found:
            if isinstance(frame, Rejected):
                raise frame
            yield fitted(frame, width, height)


def looks_at(path: str | Path, times_s: Sequence[float], width: int, height: int) -> Iterator[Image | None]:
    """As `frames_at`, with None where a frame is lost or the film is over; raises Rejected as `probe`.

    A packet that does not decode costs the times from the frame before it (with B-frames, which leave the decoder late,
    of a few) to the first key frame half a second after it, or the one after that.
    """
    with closing(_looked_at(path, times_s)) as found:
        for frame in found:
            yield None if isinstance(frame, Rejected) else fitted(frame, width, height)


def write_video(
    path: Path,
    frames: Image,  # (F, H, W, 3) uint8 RGB
    fps: float,
    wave: NDArray[np.float32] | None = None,  # (N,) or (2, N) in [-1, 1]
    sample_rate_hz: int | None = None,
) -> None:
    """An mp4 of H.264 (crf 18, BT.709) and AAC whose bytes depend on nothing but the arguments.

    Raises CurateError for odd sides, which yuv420p cannot hold.
    """
    height, width = frames.shape[1:3]
    if width % 2 or height % 2:
        raise CurateError(f"{path.name}: found frames of {width}x{height}, wanted even sides for yuv420p")
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", container_options=options) as container:
        video = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=X264)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        context = video.codec_context
        context.thread_count = 1  # x264 decides otherwise with every number of threads
        context.flags |= Flags.bitexact
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = ColorRange.MPEG
        packets: list[Packet[Any]] = []
        if wave is not None and sample_rate_hz is not None:
            packets += _sound_packets(container, wave, sample_rate_hz)
        for pixels in frames:
            packets += video.encode(_yuv(pixels))
        packets += video.encode(None)
        for packet in sorted(packets, key=_decoding_time):
            container.mux(packet)


def _sound_packets(
    container: OutputContainer, wave: NDArray[np.float32], rate_hz: int
) -> list[Packet[AudioStream]]:
    layout = "mono" if wave.ndim == 1 else "stereo"
    stream = container.add_stream("aac", rate=rate_hz, layout=layout)
    stream.codec_context.flags |= Flags.bitexact
    planes = np.ascontiguousarray(np.atleast_2d(wave), np.float32)  # (C, N)
    sound = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    sound.sample_rate, sound.pts = rate_hz, 0
    return [*stream.encode(sound), *stream.encode(None)]


def _yuv(pixels: Image) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    return frame.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=CLEAN,
        threads=1,
    )


def _decoding_time(packet: Packet[Any]) -> Fraction:
    return Fraction(packet.dts or 0) * packet.time_base


def _counted(container: InputContainer, held: dict[int, _Held]) -> Iterator[Packet[Stream]]:
    """All packets of the file, counted as they pass."""
    for packet in packets_of(container):
        if packet.size:
            held[packet.stream_index].add(packet)
        yield packet


def _compare_with_header(container: InputContainer, held: dict[int, _Held]) -> None:
    """Rejected `truncated` when the header promises more than there is; other formats only guess theirs."""
    missing_s = [0.0]
    if container.format.name.startswith("mov"):
        for stream in (*container.streams.video, *container.streams.audio):
            if stream.duration is not None:
                missing_s.append(stream.duration * tick_s(stream) - held[stream.index].whole.seconds)
    elif container.format.name.startswith("matroska") and container.duration is not None:
        end_s = max(0.0, *(found.whole.end_s for found in held.values()))
        missing_s.append(container.duration / av.time_base - end_s)
    if max(missing_s) > PROMISE_SLACK_S:
        raise Rejected("truncated", f"the last {max(missing_s):.2f} s that the header promises are not there")


def _frames_from(path: str | Path, start_s: float, bad_s: list[float], seek: bool) -> Generator[Frame]:
    """Frames from one on screen at `start_s` or earlier; without `seek`, from the first of the file."""
    bad_s.clear()
    zero_s = time_zero_s(path)
    with opened(path) as container:
        stream = video_stream(container)
        landed = not seek or seek_before(container, stream, zero_s + start_s - SEEK_MARGIN_S)
        frames = decoded(container, stream, bad_s=bad_s, zero_s=zero_s)
        first = next(frames, None) if landed else None
        if seek and (first is None or first.time_s > start_s):
            yield from _frames_from(path, start_s, bad_s, seek=False)
        elif first is not None:
            bad_s[:] = [time_s for time_s in bad_s if time_s > first.time_s]  # nothing depends on the others
            yield first
            yield from frames


class _Reel:
    """A film on its way through the decoder: the frame on screen, and the one that comes next."""

    def __init__(self, path: str | Path, start_s: float, seek: bool) -> None:
        self.bad_s: list[float] = []
        self._frames = _frames_from(path, start_s, self.bad_s, seek)
        self.shown = first_of(self._frames)
        self._coming = next(self._frames, None)
        self._key_s = -math.inf  # of the last key frame that was on screen
        # half a tick undoes the rounding of time stamps (1 ms in Matroska), but a tick of AVI is a whole frame
        self._slack_s = min(self.shown.tick_s / 2, 0.0005) + 5e-7

    def at(self, time_s: float, tolerance_s: float) -> Frame:
        """The latest frame that is not after a time, or the first of all; raises Rejected `too_short`."""
        while self._coming is not None and self._coming.time_s <= time_s + self._slack_s:
            self.shown, self._coming = self._coming, next(self._frames, None)
            if self.shown.picture.key_frame:
                self._key_s = self.shown.time_s
        end_s = self.shown.end_s
        if self._coming is None and time_s > end_s + tolerance_s + self._slack_s:
            raise Rejected("too_short", f"ends at {end_s:.2f} s, wanted a frame at {time_s:.2f} s")
        return self.shown

    def sure_at(self, time_s: float) -> Frame:
        """As `at`; raises Rejected `broken_video` too, where from the last key frame to the next frame a packet is lost."""
        frame = self.at(time_s, 0.0)
        # what comes next counts because a B-frame needs it; in AVI a lost packet makes frames late, a key frame too
        bad_s = next((bad_s for bad_s in self.bad_s if bad_s > self._key_s - SEEK_MARGIN_S), None)
        if bad_s is not None:
            detail = f"the packet at {bad_s:.2f} s does not decode, wanted a frame at {time_s:.2f} s"
            raise Rejected("broken_video", detail)
        return frame

    def close(self) -> None:
        self._frames.close()


def _looked_at(path: str | Path, times_s: Sequence[float]) -> Generator[Frame | Rejected]:
    """The frame on screen at each of these ascending times, or why it cannot be had; it seeks only forwards."""
    reel = _Reel(path, 0.0, seek=False)
    try:
        for time_s in times_s:
            if time_s > reel.shown.time_s + SEEK_FROM_S:
                sought = _Reel(path, time_s, seek=True)
                # without the key frame that it was sought for, some decoders go on from grey
                if sought.shown.picture.key_frame and sought.shown.time_s > reel.shown.time_s:
                    reel, sought = sought, reel
                sought.close()
            try:
                found: Frame | Rejected = reel.sure_at(time_s)
            except Rejected as why:
                found = why
            yield found
    finally:
        reel.close()
