"""Words that come and go in a band are subtitles; what stays all along is fixed, and what wanders is neither."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
import skimage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from curate.errors import Rejected
from curate.media.picture import read_picture
from curate.media.shots import Shot
from curate.media.subject import Box
from curate.media.subtitles import FIXED_S, LOOK_S, Line, Writing, judged, look_times, writing_of
from curate.media.text import Word
from curate.media.video import Image, write_video
from curate.records import Clip

SIZE = (960, 540)
ROW = 480  # where the middle of a line is, counted down
SAID = (
    "此茶不可饮",
    "快放下那块玉佩",
    "我在御花园里等了你一整天",
    "他是谁",
    "Never drink that tea!",
    "Who goes there?",
)


class Shown(NamedTuple):
    """A text from one time to another: its middle, its height, and how far it moves and grows in a second."""

    text: str
    from_s: float = 0.0
    to_s: float = 20.0
    x: float = SIZE[0] / 2
    y: float = ROW
    height: float = 30
    score: float = 0.98
    moves: tuple[float, float] = (0.0, 0.0)
    grows: float = 1.0
    rises: float = 0.0
    every: int = 1  # only at each so many looks it is read

    def word(self, at_s: float) -> Word:
        since_s = at_s - self.from_s
        high = self.height * self.grows**since_s
        wide = high * sum(1.0 if sign > "\u2e80" else 0.5 for sign in self.text)
        x, y = (mid + move * since_s for mid, move in zip((self.x, self.y), self.moves, strict=True))
        left, right, top, bottom = x - wide / 2, x + wide / 2, y - high / 2, y + high / 2
        rise = self.rises * wide
        return Word(self.text, self.score, ((left, top), (right, top - rise), (right, bottom - rise), (left, bottom)))  # fmt: skip


def read(*shown: Shown, seconds: float = 20.0) -> list[tuple[float, list[Word]]]:
    """What is read of these, look after look."""
    return [
        (at_s, [each.word(at_s) for each in shown if each.from_s <= at_s < each.to_s and look % each.every == 0])
        for look, at_s in enumerate(look_times([Shot(0.0, seconds)]))
    ]  # fmt: skip


def found(*shown: Shown, seconds: float = 20.0) -> tuple[list[str], list[str]]:
    writing = judged(read(*shown, seconds=seconds), SIZE)
    return [line.text for line in writing.subtitles], [line.text for line in writing.fixed]


def spoken(
    texts: Sequence[str] = SAID, lasts_s: float = 2.0, gap_s: float = 1.0, **place: float
) -> list[Shown]:
    return [
        Shown(text, 1 + k * (lasts_s + gap_s), 1 + k * (lasts_s + gap_s) + lasts_s, **place)
        for k, text in enumerate(texts)
    ]


def test_a_reading_as_large_as_the_frame_swallows_no_subtitle() -> None:
    two_heads = Shown("8", y=SIZE[1] / 2, height=SIZE[1] * 0.95)
    assert found(two_heads, Shown("Only in the beginning", 0.0, 1.3))[0] == ["Only in the beginning"]


def test_lines_that_change_are_subtitles_from_when_to_when() -> None:
    shown = spoken()
    writing = judged(read(*shown), SIZE)
    assert [line.text for line in writing.subtitles] == list(SAID) and writing.fixed == []
    for line, truth in zip(writing.subtitles, shown, strict=True):
        assert truth.from_s <= line.from_s < truth.from_s + LOOK_S
        assert truth.to_s - LOOK_S <= line.to_s < truth.to_s
        assert line.box.top <= ROW - 15 < ROW + 15 <= line.box.bottom and line.score == 0.98


@pytest.mark.parametrize(
    "place", [{"y": 40}, {"x": 300}, {"x": 620}, {"y": 40, "x": 300}, {"height": 12}, {"height": 70}]
)
def test_a_band_may_be_above_or_off_the_middle_and_small_or_large(place: dict[str, float]) -> None:
    assert found(*spoken(**place)) == (list(SAID), [])


def test_aligned_at_the_left_is_a_band() -> None:
    shown = [each._replace(x=100 + each.word(0).box[1][0] - each.x) for each in spoken()]
    assert found(*shown) == (list(SAID), [])


def test_in_the_middle_of_the_picture_it_takes_more_lines() -> None:
    assert found(*spoken(SAID[:4], y=270)) == (list(SAID[:4]), [])
    assert found(*spoken(SAID[:3], y=270)) == ([], [])


def test_chinese_over_english_is_two_lines_and_the_band_holds_both() -> None:
    upper, lower = (
        spoken(SAID[:4]),
        spoken(("One.", "It is two", "And this is three", "Four!"), y=ROW + 35, height=22),
    )
    writing = judged(read(*upper, *lower), SIZE)
    assert [line.text for line in writing.subtitles] == [
        a.text for pair in zip(upper, lower, strict=True) for a in pair
    ]
    top, bottom = writing.band(1.0, 3.0) or (0, 0)
    assert ROW - 30 < top <= ROW - 15 and ROW + 46 <= bottom < ROW + 60


def test_a_row_that_is_not_where_subtitles_are_goes_with_the_one_below() -> None:
    once = Shown("我在御花园里等了你一整天", 5, 7)
    assert found(once, once._replace(text="也没有来", y=320, height=24)) == ([once.text], [])
    high = once._replace(y=350, height=36)
    assert found(high, high._replace(text="也没有来", y=312)) == (["也没有来", high.text], [])


def test_a_band_has_room_for_the_row_that_went_unread() -> None:
    upper, lower = spoken(SAID[:3]), spoken(("One.", "It is two"), y=ROW + 35, height=22)
    writing = judged(read(*upper, *lower), SIZE)
    assert [line.text for line in writing.in_window(7.6, 8.5)] == [SAID[2]]
    assert writing.band(7.6, 8.5) == writing.band(1.0, 3.0)
    apart = judged(read(*upper, *spoken(("One.", "It is two"), y=60)), SIZE)
    assert apart.band(7.6, 8.5) == judged(read(*upper), SIZE).band(7.6, 8.5)


@pytest.mark.parametrize(("from_s", "to_s"), [(0.0, 2.0), (9.0, 10.1), (18.0, 20.0), (3.0, 9.0)])
@pytest.mark.parametrize("text", ["此茶不可饮", "是的", "No."])
def test_one_that_comes_once_is_found(text: str, from_s: float, to_s: float) -> None:
    assert found(Shown(text, from_s, to_s)) == ([text], [])


def test_one_that_is_said_again_is_not_fixed() -> None:
    shown = spoken(("是的", "他是谁", "是的", "不可饮此茶", "是的"))
    assert found(*shown) == ([each.text for each in shown], [])


def test_a_line_that_goes_unread_for_a_look_or_two_is_one_line() -> None:
    words = read(Shown("此茶不可饮", 2, 6))
    for look in (6, 8, 9):
        assert words[look][1]
        words[look] = (words[look][0], [])
    (line,) = judged(words, SIZE).subtitles
    assert (line.from_s, line.to_s) == (2.25, 5.75)


def test_readings_that_differ_by_a_letter_are_one_line_and_the_most_read_is_told() -> None:
    words = read(
        Shown("Never drink that tea", 2, 4),
        Shown("Never dnink that tea", 4, 4.5),
        Shown("Never drink that tea", 4.5, 5),
    )
    assert [line.text for line in judged(words, SIZE).subtitles] == ["Never drink that tea"]


def test_a_line_that_is_read_short_at_some_looks_stays_where_it_is() -> None:
    whole, short = Shown("我在御花园里等了你一整天", 2, 6), Shown("在御花园里等了你一整", 4, 5)
    assert found(whole._replace(to_s=4), short, whole._replace(from_s=5)) == ([whole.text], [])
    tilted = Shown("Yes.", 3, 3.5, x=120, rises=0.1)  # its box is higher than the text
    assert found(Shown("Yes.", 2.5, 3, x=115, height=25), tilted) == (["Yes."], [])


LOGO = Shown("KINO TV", x=860, y=30, height=24)


@pytest.mark.parametrize(
    "fixed",
    [LOGO, LOGO._replace(every=4), LOGO._replace(text="电影频道"), Shown("GRAND HOTEL"), Shown("茶馆", x=300, y=200), Shown("BAKERY", 3, 13),
     Shown("EXIT", rises=0.3, x=300)],
)  # fmt: skip
def test_what_stays_all_along_is_fixed_also_where_subtitles_are(fixed: Shown) -> None:
    assert found(fixed) == ([], [fixed.text])


def test_a_logo_beside_subtitles_is_fixed_and_they_are_as_without() -> None:
    shown = spoken()
    assert judged(read(*shown), SIZE).subtitles == judged(read(LOGO, *shown), SIZE).subtitles
    assert found(LOGO, *shown)[1] == [LOGO.text]


def test_half_a_sign_behind_somebody_is_the_sign() -> None:
    halves = [Shown("中国茶馆", 0, 12), Shown("茶馆", 12, 14, x=SIZE[0] / 2 + 30), Shown("中国茶馆", 14, 20)]
    assert found(*halves) == ([], ["中国茶馆"])


def test_a_sign_that_comes_back_with_its_camera_is_fixed() -> None:
    assert found(*(Shown("中国茶馆", at_s, at_s + 2) for at_s in (0, 8, 16))) == ([], ["中国茶馆"])


def test_in_a_film_too_short_to_tell_it_is_the_place_that_tells() -> None:
    assert FIXED_S > 5
    assert found(LOGO, Shown("此茶不可饮"), seconds=5.0) == (["此茶不可饮"], [LOGO.text])


@pytest.mark.parametrize(
    "wanders",
    [{"moves": (40.0, 0.0)}, {"moves": (0.0, -15.0)}, {"moves": (400.0, 0.0), "x": 100}, {"grows": 1.12}],
)
def test_scene_text_that_wanders_is_neither(wanders: dict[str, tuple[float, float]]) -> None:
    still = Shown("GRAND HOTEL", 4, 8, height=40)
    assert found(still) == ([still.text], [])
    assert found(still._replace(**wanders)) == ([], [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "odd", [{"text": "HATD"}, {"text": "茶馆"}, {"score": 0.85}, {"y": 270}, {"x": 300}, {"y": 60, "x": 300}, {"height": 150, "y": 440}, {"rises": 0.2}]
)  # fmt: skip
def test_what_is_read_once_on_a_wall_is_no_subtitle(odd: dict[str, float]) -> None:
    """The same word is one where nothing is odd, so each of these gates does it alone."""
    once = Shown("Never drink that tea", 10.0, 10.5)
    assert found(once) == ([once.text], [])
    assert found(once._replace(**odd)) == ([], [])  # type: ignore[arg-type]


def test_a_short_sign_beside_the_middle_is_no_subtitle_unless_it_is_at_the_bottom() -> None:
    sign = Shown("有间客栈", 4, 8, x=300, y=370)
    assert found(sign) == ([], [])
    assert found(sign._replace(y=460)) == found(sign._replace(x=SIZE[0] / 2)) == ([sign.text], [])
    assert found(sign._replace(text=SAID[2])) == ([SAID[2]], [])


def test_words_of_one_row_are_one_line() -> None:
    halves = [Shown("Never drink", 4, 8, x=400), Shown("that tea!", 4, 8, x=575)]
    assert found(*halves) == (["Never drink that tea!"], [])


def test_a_window_has_what_may_be_on_screen_until_the_next_look() -> None:
    writing = judged(read(Shown("此茶不可饮", 8, 10)), SIZE)
    for window, there in [
        ((0, 7.7), False),
        ((0, 8.1), True),
        ((9, 9.1), True),
        ((9.9, 15), True),
        ((10.3, 15), False),
    ]:
        assert bool(writing.in_window(*window)) == there
        assert (writing.band(*window) is not None) == there


TEXTS = st.lists(st.sampled_from(SAID), min_size=2, max_size=5, unique=True)


@settings(max_examples=40)
@given(TEXTS, st.lists(st.floats(1.0, 4.0), min_size=5, max_size=5), st.lists(st.floats(0.0, 5.0), min_size=5, max_size=5), st.booleans())  # fmt: skip
def test_no_line_of_a_second_and_more_slips_through(
    texts: list[str], last_s: list[float], gaps_s: list[float], logo: bool
) -> None:
    shown, at_s = [LOGO] if logo else list[Shown](), 0.0
    for text, lasts_s, gap_s in zip(texts, last_s, gaps_s, strict=False):
        shown.append(Shown(text, at_s + gap_s, at_s + gap_s + lasts_s))
        at_s += gap_s + lasts_s
    writing = judged(read(*shown, seconds=max(at_s, 20.0)), SIZE)
    assert [line.text for line in writing.subtitles] == texts
    assert [line.text for line in writing.fixed] == [LOGO.text] * logo
    for each in shown[logo:]:
        assert each.text in [line.text for line in writing.in_window(each.from_s, each.to_s)]


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_words_are_read_does_not_matter(draw: Random) -> None:
    words = read(LOGO, *spoken(), *spoken(("One.", "It is two", "And three"), y=ROW + 35, height=22))
    mixed = [(at_s, draw.sample(each, len(each))) for at_s, each in words]
    assert judged(mixed, SIZE) == judged(words, SIZE)


LINES = st.builds(
    Line, text=st.text(max_size=5), from_s=st.floats(0, 9), to_s=st.floats(9, 20), score=st.floats(0, 1),
    box=st.builds(Box, st.integers(0, 400), st.integers(0, 200), st.integers(401, 960), st.integers(201, 540)),
)  # fmt: skip


@settings(max_examples=50)
@given(st.builds(Writing, st.lists(LINES, max_size=3), st.lists(LINES, max_size=3), st.just(SIZE)))
def test_it_is_had_back_from_an_annotation_and_a_band_holds_its_lines(writing: Writing) -> None:
    clip = Clip(
        id="a", name="a.mp4", sha256="0" * 64, seconds=1, width=2, height=2, fps=24, sample_rate_hz=None,
        annotations={**writing.as_values(), "size": [2.0, 2.0], "shots": []},
    )  # fmt: skip
    assert Writing.of(Clip.model_validate_json(clip.model_dump_json()).annotations) == writing
    for line in writing.in_window(0.0, 30.0):
        top, bottom = writing.band(0.0, 30.0) or (0, 0)
        assert 0 <= top <= line.box.top < line.box.bottom <= bottom <= SIZE[1]


def test_an_annotation_without_all_of_it_is_none() -> None:
    values = dict(Writing([], [], SIZE).as_values())
    del values["text_fixed"]
    with pytest.raises(KeyError, match="text_fixed"):
        Writing.of(values)


@given(st.lists(st.floats(0.25, 7.0), max_size=5))
def test_no_two_looks_are_further_apart_than_said_also_across_cuts(lengths_s: list[float]) -> None:
    edges_s = [0.0, *np.cumsum(lengths_s).tolist()]
    times_s = look_times([Shot(*each) for each in pairwise(edges_s)])
    assert all(0 < later - sooner <= LOOK_S + 2e-4 for sooner, later in pairwise(times_s))
    for start_s, end_s in pairwise(edges_s):
        assert any(start_s < at_s < end_s for at_s in times_s)


FPS, WIDE, HIGH = 4.0, 480, 270


def drawn(texts: Sequence[tuple[str, float, float]], seconds: float, logo: str = "") -> Iterator[Image]:
    """A photograph that pans, with lines below and a logo above."""
    photograph = Pillow.fromarray(read_picture(Path(skimage.__file__).parent / "data" / "astronaut.png"))
    for number in range(int(seconds * FPS)):
        frame = photograph.crop((number // 2, 60, number // 2 + WIDE, 60 + HIGH))
        pen, at_s = ImageDraw.Draw(frame), number / FPS
        pen.text((380, 8), logo, "white", ImageFont.load_default(18), stroke_width=1, stroke_fill="black")
        for text in (text for text, from_s, to_s in texts if from_s <= at_s < to_s):
            pen.text((WIDE / 2, 245), text, "white", ImageFont.load_default(20), anchor="mm", stroke_width=2, stroke_fill="black")  # fmt: skip
        yield np.array(frame, np.uint8)


BURNED = [("Do not drink this tea!", 1.0, 3.0), ("Who wrote the letter?", 3.5, 5.0), ("Yes.", 6.0, 7.5)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    write_video(folder / "said.mp4", np.stack(list(drawn(BURNED, 8.0, "KINO TV"))), FPS)
    write_video(folder / "clean.mp4", np.stack(list(drawn([], 4.0))), FPS)
    return folder


def test_what_is_burned_into_a_film_is_read(folder: Path) -> None:
    """Also where looks fall after its end, as they do at frames that are lost."""
    writing = writing_of(folder / "said.mp4", [Shot(0.0, 5.0), Shot(5.0, 10.0)], WIDE, HIGH)
    plain = [line.text.replace(" ", "") for line in writing.subtitles]
    assert plain == [text.replace(" ", "") for text, _, _ in BURNED] and writing.size == (WIDE, HIGH)
    assert [line.text.replace(" ", "") for line in writing.fixed] == ["KINOTV"]
    for line, (_, from_s, to_s) in zip(writing.subtitles, BURNED, strict=True):
        assert from_s <= line.from_s <= from_s + LOOK_S and to_s - LOOK_S <= line.to_s <= to_s
        assert 225 < line.box.top < 240 and 250 < line.box.bottom < 265
    assert writing.in_window(5.5, 5.6) == [] and writing.band(0.0, 9.0) is not None


def test_nothing_is_read_in_the_same_film_without(folder: Path) -> None:
    assert writing_of(folder / "clean.mp4", [Shot(0.0, 4.0)], WIDE, HIGH) == Writing([], [], (WIDE, HIGH))


def test_a_film_that_cannot_be_read_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="unreadable"):
        writing_of(tmp_path / "none.mp4", [Shot(0.0, 4.0)], WIDE, HIGH)
    assert judged([], SIZE) == Writing([], [], SIZE)
