"""Where a film is cut: its shots, by PySceneDetect's content detector on the frames that this package decodes.

The detector compares hue, saturation and lightness of neighbouring frames, and 27 is its authors' bound of a cut. On seven
real films nothing within a shot is over 20.4 and every hard cut over 38. A cut between pictures that are much alike is not
seen; a dissolve is not either, or is cut somewhere within.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from av.video.reformatter import Interpolation

from curate.errors import Rejected
from curate.media.container import Frame, decoded, opened, video_stream
from curate.media.video import Image

CUT = 27.0  # mean change of a pixel, in levels of 255
LOOK_PX = 256  # of the longer side, as the library itself looks
SHORTEST_S = 0.25  # what is over sooner is a flash, and no shot


class Shot(NamedTuple):
    """From where to where a film is not cut, in seconds from its first frame, as `read_frames` counts.

    Frames on screen at start_s <= t < end_s are all of it.
    """

    start_s: float
    end_s: float


def shots_of(path: str | Path) -> list[Shot]:
    """The shots of a film in order; what lasts less than SHORTEST_S belongs to none, so there may be gaps, or no shot.

    Packets that do not decode are passed over. Raises Rejected: unreadable, empty_file, not_media, no_video,
    no_decoder, truncated, broken (no frame decodes).
    """
    from scenedetect import ContentDetector, FrameTimecode  # its logger has no handler, and nothing here logs

    detector = ContentDetector(threshold=CUT, min_scene_len=0)
    starts_s: list[float] = []
    size, end_s = (0, 0), 0.0
    for number, frame in enumerate(_frames(path)):
        size = size if number else _look(frame)
        # it is given numbers, whatever the rate: a film may have none that holds
        cuts = detector.process_frame(FrameTimecode(number, 1.0), _small(frame, *size))
        if cuts or not number:
            starts_s.append(frame.time_s)
        end_s = frame.end_s
    zero_s = starts_s[0]
    bounds_s = [round(time_s - zero_s, 6) for time_s in (*starts_s, end_s)]
    runs = (Shot(*run) for run in pairwise(bounds_s))
    return [run for run in runs if run.end_s - run.start_s >= SHORTEST_S]


def _frames(path: str | Path) -> Iterator[Frame]:
    """Every frame that decodes; raises Rejected where there is none."""
    with opened(path) as container:
        count = 0
        for frame in decoded(container, video_stream(container)):
            count += 1
            yield frame
    if not count:
        raise Rejected("broken", "no frame decodes")


def _look(frame: Frame) -> tuple[int, int]:
    """Width and height of the pictures to compare, of the first frame's shape: a broadcast may change its own."""
    width, height = frame.picture.width, frame.picture.height
    factor = min(1.0, LOOK_PX / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _small(frame: Frame, width: int, height: int) -> Image:
    """(H, W, 3) uint8 BGR, neither turned nor corrected for its pixel aspect."""
    pixels = frame.picture.to_ndarray(
        format="bgr24", width=width, height=height, interpolation=Interpolation.AREA, threads=1
    )
    return np.asarray(pixels, np.uint8)
