"""Open a media file with libav and decode it in time; `video` and `audio` build on this.

Time 0 of a file is its first frame that decodes; every `start_s`, for sound too, counts from there.
Decoding runs on one thread: what libav makes of a damaged stream depends on the number of threads, and
engines parallelise over samples anyway.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers alone

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from curate.errors import Rejected

# Only containers with time stamps. Not the playlists and image sequences that libav would also find inside a
# file called .mp4, some of which make it open further files.
CONTAINERS = "mov,matroska,avi,mpeg,mpegts,flv,asf,ogg,wav,mp3,flac,aac"


@dataclass(frozen=True)
class Frame:
    """A decoded picture with its place in time."""

    time_s: float
    end_s: float
    tick_s: float  # what its time is rounded to
    pixel_aspect: float  # width of one stored pixel over its height
    picture: av.VideoFrame


@contextmanager
def opened(path: str | Path) -> Iterator[InputContainer]:
    """The file, open as a libav container.

    Raises Rejected: unreadable, empty_file, not_media, truncated (an mp4 without its index).
    """
    path = Path(path)
    try:
        if not path.is_file():  # a pipe would block for ever
            raise Rejected("unreadable", "not a file, or a link to nothing")
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise Rejected("unreadable", error.strerror or str(error)) from error
    if not head:
        raise Rejected("empty_file", "0 bytes")
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
            detail = "an mp4 without a whole index (moov): cut short, or its recording never finished"
            raise Rejected("truncated", detail) from error
        raise Rejected("not_media", f"the bytes are none of {CONTAINERS}") from error
    with container:
        yield container


def video_stream(container: InputContainer) -> VideoStream:
    """The first real video stream (a cover picture is none), set to one thread.

    Raises Rejected: no_video, no_decoder, truncated (neither video nor audio).
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None:
                raise Rejected("no_decoder", "libav has no decoder for this video")
            stream.codec_context.thread_count = 1
            return stream
    if not container.streams.video and not container.streams.audio:
        raise Rejected("truncated", "the header ends before it describes video or audio")
    kinds = {"a picture" if stream.type == "video" else stream.type for stream in container.streams}
    raise Rejected("no_video", f"found only {', '.join(sorted(kinds))}")


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The audio stream that players choose: the first marked as default, else the first."""
    known = [stream for stream in container.streams.audio if stream.codec_context is not None]
    return next(
        (stream for stream in known if stream.disposition & Disposition.default), next(iter(known), None)
    )


def tick_s(stream: Stream) -> float:
    """The unit of the stream's time stamps, which only streams without any lack."""
    return float(stream.time_base or 0)


def packets_of(container: InputContainer, *streams: Stream) -> Iterator[Packet[Stream]]:
    """Packets up to where the file cannot be read on, or announces a stream too late for PyAV to know it."""
    with suppress(av.FFmpegError, IndexError):
        yield from container.demux(*streams)


def seek_before(container: InputContainer, stream: Stream, time_s: float) -> bool:
    """Go where decoding can start, before a time of the container's clock; False where that is unreliable."""
    if container.format.name == "mpeg":
        return False  # few frames have a time stamp, and after a seek those of the others are guessed wrong
    try:
        container.seek(int(time_s / tick_s(stream)), stream=stream)
    except av.FFmpegError:
        return False
    return True


def decoded(
    container: InputContainer,
    stream: VideoStream,
    *,
    packets: Iterable[Packet[Stream]] | None = None,
    bad_s: list[float] | None = None,
    zero_s: float = 0.0,
) -> Generator[Frame]:
    """Frames in display order, timed from `zero_s` on; the time of what does not decode goes to `bad_s`."""
    bad = [] if bad_s is None else bad_s
    tick = tick_s(stream)
    aspect = float(stream.sample_aspect_ratio or 1)
    end_s = 0.0
    for packet in packets_of(container, stream) if packets is None else packets:
        if packet.stream_index != stream.index:
            continue
        try:
            pictures = stream.decode(packet)
        except av.FFmpegError:
            bad.append((packet.pts or packet.dts or 0) * tick - zero_s)
            continue
        for picture in pictures:
            stamp = _stamp(picture, stream)
            time_s = end_s if stamp is None else stamp * tick - zero_s
            end_s = time_s + (picture.duration or 1) * tick
            if picture.is_corrupt:
                bad.append(time_s)
            else:
                yield Frame(time_s, end_s, tick, aspect, picture)


def packet_stamp(packet: Packet[Stream]) -> int | None:
    """When a packet is shown, in ticks.

    AVI has no presentation times, and where there are B-frames, what libav guesses for them swaps frames.
    There, the nth packet stands for the nth frame.
    """
    return packet.dts if packet.stream.container.format.name == "avi" else packet.pts


def _stamp(picture: av.VideoFrame, stream: VideoStream) -> int | None:
    """When a picture is shown, in ticks; None behind the last packet of an AVI file."""
    if stream.container.format.name != "avi":
        return picture.dts if picture.pts is None else picture.pts
    # the packet that released it, less the pictures that the decoder holds back
    return None if picture.dts is None else picture.dts - stream.codec_context.reorder_depth


def first_of(frames: Iterator[Frame]) -> Frame:
    """The next frame; raises Rejected `broken` when there is none."""
    frame = next(frames, None)
    if frame is None:
        raise Rejected("broken", "no frame decodes")
    return frame


def time_zero_s(path: str | Path) -> float:
    """Where time 0 of a file lies on the clock of its container; raises Rejected as `probe`."""
    with opened(path) as container, closing(decoded(container, video_stream(container))) as frames:
        return first_of(frames).time_s
