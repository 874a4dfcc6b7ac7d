"""The sound of a video file on the video's timeline, and its loudness."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from curate.errors import CurateError, Rejected
from curate.media.container import audio_stream, opened, packets_of, seek_before, tick_s, time_zero_s

CONTEXT_S = 1  # read on both sides too, so that neither decoder nor resampler starts inside the window
SEEK_FROM_S = 10.0  # decoding ten seconds of sound costs less than a seek that may land late
JITTER_S = 0.01  # containers round time stamps: what is this close together is taken to touch
MAX_LOST = 0.2  # of a window
SILENCE_LUFS = -70.0  # the absolute gate of ITU-R BS.1770-4
BLOCK_S = 0.4  # its gating block

Wave = NDArray[np.float32]


@dataclass
class _Piece:
    """Sound between two times of the container's clock, at the rate it was recorded at."""

    from_s: float
    to_s: float
    rate_hz: int = 0  # known with the first frame
    wave: Wave = field(default_factory=lambda: np.zeros(0, np.float32))
    spans_s: list[tuple[float, float]] = field(default_factory=list)  # of the frames, inside or not
    bad_s: list[tuple[float, float]] = field(default_factory=list)  # of the packets that do not decode
    _end: int = 0

    def place(self, frame: av.AudioFrame) -> None:
        """Put a frame at its time; close to the last one, or without a time, right behind that."""
        if not self.spans_s:
            self.rate_hz = frame.sample_rate
            self.wave = np.zeros(int((self.to_s - self.from_s) * self.rate_hz) + 1, np.float32)
        at = self._end if frame.time is None else round((frame.time - self.from_s) * self.rate_hz)
        if self.spans_s and abs(at - self._end) <= JITTER_S * self.rate_hz:
            at = self._end
        self._end = at + frame.samples
        self.spans_s.append((self.from_s + at / self.rate_hz, self.from_s + self._end / self.rate_hz))
        begin, end = max(at, 0), min(self._end, len(self.wave))
        if begin < end:
            self.wave[begin:end] = _mono(frame)[begin - at : end - at]


def read_audio(path: str | Path, start_s: float, seconds: float, rate_hz: int = 16000) -> Wave:
    """Exactly round(seconds * rate_hz) samples of mono float32, the mean of all channels.

    Time 0 is the video's first frame. Sound lies where its time stamps put it; before it begins, after it
    ends and in the place of packets that do not decode there are zeros (`probe` tells where it lies).
    Raises Rejected: no_audio (no stream, or none of it in the window), broken_audio (over 20 % of the window
    does not decode), and as `probe`.
    """
    zero_s = time_zero_s(path)
    begin_s, end_s = zero_s + start_s, zero_s + start_s + seconds
    piece = _decoded(path, begin_s - CONTEXT_S, end_s + CONTEXT_S, seek=start_s > SEEK_FROM_S)
    lost_s = _overlap_s(piece.bad_s, begin_s, end_s)
    if lost_s > MAX_LOST * seconds:
        raise Rejected("broken_audio", f"{lost_s:.2f} s of {seconds:.2f} s do not decode")
    if _overlap_s(piece.spans_s, begin_s, end_s) == 0:
        raise Rejected("no_audio", f"no sound between {start_s:.2f} and {start_s + seconds:.2f} s")
    wave = piece.wave
    if piece.rate_hz != rate_hz:
        wave = soxr.resample(wave, piece.rate_hz, rate_hz)
    first = CONTEXT_S * rate_hz
    return np.ascontiguousarray(wave[first : first + round(seconds * rate_hz)])


def _decoded(path: str | Path, from_s: float, to_s: float, seek: bool) -> _Piece:
    """What decodes between two times of the container's clock; without `seek`, from the file's start on."""
    piece = _Piece(from_s, to_s)
    with opened(path) as container:
        stream = audio_stream(container)
        if stream is None:
            raise Rejected("no_audio", "the file has no audio stream")
        tick = tick_s(stream)
        landed = not seek or seek_before(container, stream, from_s - CONTEXT_S)
        for packet in packets_of(container, stream) if landed else ():
            begin_s = (packet.pts or 0) * tick
            if packet.size and begin_s >= to_s:
                break
            try:
                frames = stream.decode(packet)
            except av.FFmpegError:
                piece.bad_s.append((begin_s, begin_s + (packet.duration or 0) * tick))
                continue
            for frame in frames:
                piece.place(frame)
    if seek and (not piece.spans_s or piece.spans_s[0][0] > from_s):
        return _decoded(path, from_s, to_s, seek=False)  # it landed late, or the sound begins here
    return piece


def _mono(frame: av.AudioFrame) -> Wave:
    """Mean of the channels in [-1, 1], (N,)."""
    samples = frame.to_ndarray()  # (C, N), or (1, N * C) interleaved
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == "u":  # the only unsigned format is of 8 bits
        samples = samples.astype(np.float32) / 128 - 1
    elif samples.dtype.kind == "i":
        samples = samples / np.float32(2 ** (8 * samples.dtype.itemsize - 1))
    mono: Wave = samples.mean(axis=0, dtype=np.float32)
    return np.nan_to_num(mono, posinf=0, neginf=0)  # float formats can hold anything


def _overlap_s(spans_s: list[tuple[float, float]], begin_s: float, end_s: float) -> float:
    return sum(max(0.0, min(b, end_s) - max(a, begin_s)) for a, b in spans_s)


def loudness_lufs(wave: NDArray[np.floating], rate_hz: int) -> float:
    """Integrated loudness of a mono wave, ITU-R BS.1770-4; -70 for silence, at least 0.4 s long.

    Raises CurateError for less than 0.4 s.
    """
    import pyloudnorm

    if len(wave) < BLOCK_S * rate_hz:
        raise CurateError(f"loudness of {len(wave) / rate_hz:.3f} s, wanted at least {BLOCK_S} s")
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # silence: the mean of no blocks
        lufs = float(pyloudnorm.Meter(rate_hz).integrated_loudness(wave.astype(np.float64)))
    return max(lufs, SILENCE_LUFS) if np.isfinite(lufs) else SILENCE_LUFS


def normalise_loudness(wave: NDArray[np.floating], rate_hz: int, lufs: float) -> Wave:
    """The wave at this loudness; silence stays as it is.

    Raises Rejected("clipping") where a peak would reach 1: a quieter render would tell itself by loudness.
    """
    found = loudness_lufs(wave, rate_hz)
    peak = float(np.abs(wave).max())
    if found == SILENCE_LUFS or peak == 0:
        return wave.astype(np.float32)
    gain = 10 ** ((lufs - found) / 20)
    if gain * peak >= 1:
        raise Rejected("clipping", f"peak {gain * peak:.2f} at {lufs:g} LUFS, wanted below 1")
    return (wave * gain).astype(np.float32)


def to_int16(wave: Wave) -> NDArray[np.int16]:
    """The wave as it is stored; its peaks are below 1 (see `normalise_loudness`)."""
    return np.round(wave * 32767).astype(np.int16)


def to_float(pcm: NDArray[np.int16]) -> Wave:
    """What `to_int16` stored."""
    return (pcm / 32767).astype(np.float32)
