"""Burned-in subtitles: text in a band whose words change, or come and go, told by reading a film again and again.

One that is there all along at one place, a logo or a sign, is fixed; one that wanders is part of the scene, and neither.

`benchmarks/subtitles.py` burns lines into real videos. In two parts of a street that no rule was made with, 20 clips: 39
lines told of which 39 were burned, 38 of 40 found, 128 of 128 windows of 121 frames told, 2 of 252 clean ones lost, those
within LOOK_S of a line. Not found is what cannot be read, some letters of
11 pixels and less (and lines of one sign, which were not read yet when this was measured). A sign that stands still for a few seconds where subtitles are is taken for one.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from curate.media.one_thread import one_thread
from curate.media.shots import Shot
from curate.media.subject import Box
from curate.media.text import MIN_SCORE, Word, read_text
from curate.media.video import Image, looks_at
from curate.media.wording import is_alike, likeness, signs
from curate.records import Record, Values, numbers, strings

LOOK_S = 0.5  # between two looks at most
FIXED_S = 8.0  # no subtitle stays so long
MISSED = 2  # looks at which a text may go unread, and it is the same one after them
ALL_ALONG, OFTEN, MOST = 0.6, 0.4, 0.6  # of the looks
SAME_TEXT, VERY_TEXT = 0.6, 0.75  # of the letters and digits of two readings
FAINT = 0.5  # the least score of a reading, which counts where the same text is read for sure at another look
# of a text's height
RISE = 0.3  # how much it rises or falls at most: .17 of 167 readings of burned lines
NARROW = 0.6  # how long it is at least
ROW = 0.35  # how far the middles of texts in one row are apart
EDGE = 0.5  # how far their ends are, where these are aligned
STEADY = 0.25  # how far off what stays is found at MOST looks
SPACE = 1.5  # between words of one line
HEIGHTS = 1.4  # of two texts of one size
# where subtitles are
LOWER, UPPER = 0.62, 0.2  # of the picture's height: below the one, or above the other
LOWEST = 0.8  # the same: below it also one that is short and not centred
GIANT = 0.4  # of the height: what is higher is no row of text
TALL = (0.015, 0.16)  # the same: how high a row is found
MIDDLE = 0.06  # of its width: how far off a centred one is
ELSEWHERE = 3  # others in its band, of one that is not there
# of one without others in its band
SURE = 0.9  # score
LONG, LONGER = 6, 12  # signs where it was read but once, and where it is not centred


class Line(Record):
    """A text that was read at one place, in pixels of the size it was looked at in."""

    text: str
    from_s: float  # of the first look at which it was read
    to_s: float  # of the last
    box: Box
    score: float


class Writing(NamedTuple):
    """What is written in a film: what comes and goes, and what is there all along."""

    subtitles: list[Line]
    fixed: list[Line]
    size: tuple[int, int]  # width and height in which it was looked at

    def as_values(self) -> Values:
        """As annotations of a clip, from which `of` makes the same."""
        return {
            "text_size": [float(side) for side in self.size],
            "text_subtitles": [line.model_dump_json() for line in self.subtitles],
            "text_fixed": [line.model_dump_json() for line in self.fixed],
        }

    @classmethod
    def of(cls, values: Values) -> "Writing":
        """What `as_values` said; other keys do not matter. Raises KeyError where one is missing."""
        subtitles, fixed = (
            [Line.model_validate_json(each) for each in strings(values[key])]
            for key in ("text_subtitles", "text_fixed")
        )
        width, height = numbers(values["text_size"])
        return cls(subtitles, fixed, (int(width), int(height)))

    def in_window(self, start_s: float, end_s: float) -> list[Line]:
        """Subtitles that may be on screen within it: from the look before they were read to the look after."""
        return [
            line for line in self.subtitles if line.from_s - LOOK_S < end_s and line.to_s + LOOK_S > start_s
        ]

    def band(self, start_s: float, end_s: float) -> tuple[int, int] | None:
        """The first row and the one after the last that hold all of these, with a quarter of one's height more.

        Lines of other times right above and below count too: of two, one may have gone unread. None where there are none.
        """
        boxes = [line.box for line in self.in_window(start_s, end_s)]
        if not boxes:
            return None
        near = [
            line.box
            for line in self.subtitles
            if any(_gap(line.box, box) < box.bottom - box.top for box in boxes)
        ]
        margin = math.ceil(max(box.bottom - box.top for box in near) / 4)
        top, bottom = min(box.top for box in near), max(box.bottom for box in near)
        return max(0, top - margin), min(self.size[1], bottom + margin)


class Seen(NamedTuple):
    """A line at one look."""

    look: int
    text: str
    score: float
    box: Box
    height: float  # of the text, and of an oblique one less than its box's
    upright: bool

    @property
    def width(self) -> int:
        return self.box.right - self.box.left

    @property
    def row(self) -> float:
        """The middle, counted down."""
        return (self.box.top + self.box.bottom) / 2

    @property
    def ends(self) -> tuple[float, float, float]:
        """Left, middle, right."""
        return self.box.left, (self.box.left + self.box.right) / 2, self.box.right


Run = list[Seen]  # the same text at the same place


def writing_of(path: str | Path, shots: Sequence[Shot], width: int, height: int) -> Writing:
    """What is written in a film, read at least each LOOK_S of its shots.

    `width` and `height` are those of `look_size`, and all boxes are in these pixels. A frame that is lost is not read.
    Time is linear in the film's length. Raises Rejected as `looks_at`.
    """
    times_s = look_times(shots)
    with one_thread():
        frames = zip(times_s, looks_at(path, times_s, width, height), strict=True)
        read = [(at_s, words_in(frame)) for at_s, frame in frames if frame is not None]
    return judged(read, (width, height))


def words_in(frame: Image) -> list[Word]:
    """What `judged` wants to know of a frame (H, W, 3): faint readings and single signs too."""
    return read_text(frame, FAINT, 1)


def look_times(shots: Sequence[Shot]) -> list[float]:
    """When to look: evenly through every shot, so that across a cut too no two looks are further apart than LOOK_S."""
    times_s = list[float]()
    for start_s, end_s in shots:
        looks = max(1, math.ceil((end_s - start_s) / LOOK_S - 1e-6))
        times_s += [round(start_s + (end_s - start_s) * (k + 0.5) / looks, 4) for k in range(looks)]
    return times_s


def judged(words_by_time: Sequence[tuple[float, Sequence[Word]]], size: tuple[int, int]) -> Writing:
    """Which of the words in pictures of `size` (width, height) are subtitles, and which are fixed.

    The times ascend, and those of looks at which nothing was read are among them. Words may be read with FAINT.
    """
    times_s = [at_s for at_s, _ in words_by_time]
    rows = [[word for word in words if _is_row(word, size)] for _, words in words_by_time]
    seen = [line for look, words in enumerate(rows) for line in _lines(look, words)]
    runs = _runs(seen)
    fixed = [place for place in _places(runs) if _is_fixed(place, runs, times_s, size)]
    others = [run for run in runs if not any(_is_part(run, place) for place in fixed)]
    still = [run for run in others if run[0].upright and _is_steady(run) and not _wanders(run, seen)]
    held = [run for run in still if _is_in_band(run, still, size) or _is_alone(run, size)]
    beside = [
        run
        for run in still
        if _is_sure(run) and run not in held and any(_is_stacked(run, each) for each in held)
    ]
    return Writing(_told(held + beside, times_s), _told(fixed, times_s), size)


def _is_row(word: Word, size: tuple[int, int]) -> bool:
    """Two heads side by side are read as an 8 as large as the frame, of which all that is written would be a piece."""
    down = [y for _, y in word.box]
    return max(down) - min(down) <= GIANT * size[1]


def _lines(look: int, words: Sequence[Word]) -> Iterator[Seen]:
    """Words from left to right, those of one row joined."""
    left = sorted((_seen(look, word) for word in words), key=lambda line: (line.box, line.text))
    while left:
        line = left.pop(0)
        for other in [each for each in left if _is_clear(line) and _is_clear(each)]:
            if _in_row(line, other) and other.box.left - line.box.right < SPACE * line.height:
                left.remove(other)
                score = min(line.score, other.score)
                box = _around([line.box, other.box])
                text, height = f"{line.text} {other.text}", max(line.height, other.height)
                line = Seen(look, text, score, box, height, True)
        yield line


def _seen(look: int, word: Word) -> Seen:
    (x0, y0), (x1, y1), _, (x3, y3) = word.box
    across, down = zip(*word.box, strict=True)
    box = Box(*(math.floor(min(each)) for each in (across, down)), *(math.ceil(max(each)) for each in (across, down)))  # fmt: skip
    height = math.hypot(x3 - x0, y3 - y0)
    upright = abs(y1 - y0) <= RISE * height and x1 - x0 >= NARROW * height
    return Seen(look, word.text, word.score, box, max(1.0, height), upright)


def _is_clear(line: Seen) -> bool:
    return line.upright and line.score >= MIN_SCORE


def _is_sure(run: Run, least: float = MIN_SCORE) -> bool:
    return max(line.score for line in run) >= least


def _runs(seen: Sequence[Seen]) -> list[Run]:
    """The same text at the same place, look after look, or MISSED looks later."""
    runs, near = list[Run](), list[Run]()
    for line in seen:
        near = [run for run in near if line.look - MISSED - 1 <= run[-1].look]
        same = [run for run in near if run[-1].look < line.look and _is_same(run[-1], line)]
        if same:
            max(same, key=lambda run: likeness(run[-1].text, line.text)).append(line)
        else:
            runs.append([line])
            near.append(runs[-1])
    return runs


def _places(runs: Sequence[Run]) -> list[Run]:
    """The same text at the same place, however far apart in time."""
    places = list[Run]()
    for run in runs:
        place = next((place for place in places if _is_same(place[0], run[0])), None)
        if place is None:
            places.append(list(run))
        else:
            place.extend(run)
    return places


def _is_fixed(place: Run, runs: Sequence[Run], times_s: Sequence[float], size: tuple[int, int]) -> bool:
    """It is there for longer than a subtitle, or comes back and nothing else is said there, or is there all along.

    In a film too short to tell, what is there all along where subtitles are is one of them.
    """
    looks = sorted({line.look for line in place})
    if not _is_sure(place):
        return False
    if times_s[looks[-1]] - times_s[looks[0]] < FIXED_S:
        return len(looks) >= ALL_ALONG * len(times_s) > 1 and not _is_placed(place[0], size)
    often = len(looks) >= OFTEN * (looks[-1] - looks[0] + 1) and len(looks) >= len(times_s) / 2
    return often or not any(_others(place, runs))


def _is_part(run: Run, place: Run) -> bool:
    """It is what is fixed, or a piece of it."""
    left, top, right, bottom = _around([line.box for line in place])
    return all(
        top <= line.row < bottom and min(right, line.box.right) - max(left, line.box.left) > 0.7 * line.width
        for line in run
    )


def _is_steady(run: Run) -> bool:
    """Its row stays, and one of its ends; the middle stays where the picture is zoomed too.

    An end is often found short, so the most of the looks are to agree.
    """
    near = STEADY * min(line.height for line in run)
    left, right, row = (
        sum(abs(place - median_low(places)) <= near for place in places) >= MOST * len(run)
        for places in zip(*((*line.box[::2], line.row) for line in run), strict=True)
    )
    return bool(row and (left or right))


def _wanders(run: Run, seen: Sequence[Seen]) -> bool:
    """The same is read elsewhere a look before, or after, or at once."""
    return any(
        run[0].look - 1 <= line.look <= run[-1].look + 1
        and not _is_aligned(line, run[0])
        and is_alike(line.text, run[0].text, VERY_TEXT)
        for line in seen
    )


def _others(run: Run, runs: Sequence[Run]) -> Iterator[Run]:
    """Those of its band, at the same height and aligned, that say something else at another time."""
    looks = {line.look for line in run}
    for other in runs:
        beside = _is_aligned(run[0], other[0]) and looks.isdisjoint(line.look for line in other)
        if beside and _is_sure(other) and not is_alike(run[0].text, other[0].text, SAME_TEXT):
            yield other


def _is_in_band(run: Run, runs: Sequence[Run], size: tuple[int, int]) -> bool:
    """Other words come and go where it does; it is read for sure, or again."""
    if not _is_sure(run) and len(run) == 1:
        return False
    wanted = 1 if _is_low(run[0], size) or _is_high(run[0], size) else ELSEWHERE
    return len(list(islice(_others(run, runs), wanted))) == wanted


def _is_alone(run: Run, size: tuple[int, int]) -> bool:
    """By itself it is what subtitles are."""
    line, once = run[0], len(run) == 1
    surely = _is_sure(run, SURE) and _is_placed(line, size)
    if not _is_centred(line, size):
        return surely and not once and (line.row >= LOWEST * size[1] or signs(line.text) >= LONGER)
    return surely and (not once or signs(line.text) >= LONG)


def _is_placed(line: Seen, size: tuple[int, int]) -> bool:
    """It is where subtitles are, and of their height."""
    where = _is_low(line, size) or (_is_high(line, size) and _is_centred(line, size))
    return where and TALL[0] <= line.height / size[1] <= TALL[1]


def _is_low(line: Seen, size: tuple[int, int]) -> bool:
    return line.row >= LOWER * size[1]


def _is_high(line: Seen, size: tuple[int, int]) -> bool:
    return line.row <= UPPER * size[1]


def _is_centred(line: Seen, size: tuple[int, int]) -> bool:
    return abs(line.ends[1] - size[0] / 2) <= MIDDLE * size[0]


def _is_stacked(run: Run, other: Run) -> bool:
    """It is the row above or below another, at the same time."""
    one, two = run[0], other[0]
    together = one.look <= other[-1].look and two.look <= run[-1].look
    return together and _gap(one.box, two.box) < max(one.height, two.height) and _ends_meet(one, two)


def _told(runs: Iterable[Run], times_s: Sequence[float]) -> list[Line]:
    """Each with the reading that has most for it, and the box around all."""
    lines = list[Line]()
    for run in runs:
        votes = defaultdict[str, float](float)
        for line in run:
            votes[line.text] += line.score
        text = max(sorted(votes), key=votes.__getitem__)
        from_s, to_s = (times_s[end(line.look for line in run)] for end in (min, max))
        box, score = _around([line.box for line in run]), max(line.score for line in run)
        lines.append(Line(text=text, from_s=from_s, to_s=to_s, box=box, score=round(score, 3)))
    return sorted(lines, key=lambda line: (line.from_s, line.box.top, line.box.left, line.text))


def _in_row(one: Seen, other: Seen) -> bool:
    low, high = sorted((one.height, other.height))
    return abs(one.row - other.row) <= ROW * low and high <= HEIGHTS * low


def _is_aligned(one: Seen, other: Seen) -> bool:
    """In one row, with one end or the middle the same."""
    return _in_row(one, other) and _ends_meet(one, other)


def _ends_meet(one: Seen, other: Seen) -> bool:
    near = EDGE * min(one.height, other.height)
    return any(abs(a - b) <= near for a, b in zip(one.ends, other.ends, strict=True))


def _is_same(one: Seen, other: Seen) -> bool:
    """The same text at the same place."""
    shared = min(one.box.right, other.box.right) - max(one.box.left, other.box.left)
    there = _in_row(one, other) and shared > 0.6 * min(one.width, other.width)
    return there and is_alike(one.text, other.text, SAME_TEXT)


def _gap(one: Box, other: Box) -> int:
    """Rows between them; below 0 where they share some."""
    return max(other.top - one.bottom, one.top - other.bottom)


def _around(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return Box(min(left), min(top), max(right), max(bottom))
