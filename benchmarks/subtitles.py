"""Burned-in subtitles: what is found of what was burned into real videos, beside what is found where nothing was.

    python -m benchmarks.subtitles --videos FOLDER --font FILE [--parts 2] [--seconds 24] [--only NAME] [--misses]

Parts of every video in FOLDER (which must be without text) are scaled to one of SIZES, and Chinese lines, English ones
and Chinese over English ones are burned in, in many sizes, colours, outlines and places, half of them beside a logo. The
negatives are the same parts clean, with a logo, with a sign that stands still, with signs that move, and with a sign that
stands still for some seconds, which nothing but its place tells from a subtitle. A font with Chinese letters is wanted,
such as WenQuanYi Micro Hei.
"""

import time
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from math import sin
from os import getloadavg
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from curate.media.film import look_size
from curate.media.shots import shots_of
from curate.media.subtitles import LOOK_S, Line, Writing, writing_of
from curate.media.video import Image, looks_at, probe, write_video
from curate.records import rng

FPS = 8.0  # of what is written: a third of the time, and lines begin and end on an eighth
WINDOW_S = 121 / 24
SAME = 0.5  # of the letters and digits of what is burned and what is read
STEP_S = 1.0  # between the windows that are asked for
SIZES = ((1280, 704), (960, 544), (720, 528), (400, 300))
LETTERS = (0.035, 0.045, 0.06, 0.08)  # of the picture's height
FILLS = ("#ffffff", "#ffffff", "#ffe650", "#d8d8d8", "#a8f0ff")
EDGES = ("outline", "outline", "thin", "shadow", "box", "none")
GAPS_S = (0.1, 0.1, 0.5, 2.0, 7.0)  # between a line and the next
SAID = [line.split("|") for line in """
是的。|Yes.
好。|Good.
谁？|Who?
你来了。|You came.
别走！|Do not go!
他是谁？|Who is he?
我不知道。|I do not know.
此茶不可饮|Do not drink this tea
快放下那块玉佩！|Put that jade pendant down, quickly!
你怎么会在这里？|What are you doing here?
三年前的那个夜晚|That night three years ago
我在御花园里等了你一整天|I waited for you in the garden all day
陛下，边关急报|Your Majesty, urgent news from the border
这件事千万不能让太后知道|The Dowager must never hear a word of this
好，那就这么办|Fine, then that is how we do it
你说的每一个字我都记得|I remember every single word you said
今晚子时，老地方见|Meet me at the old place at midnight
我从来没有骗过你|I have never lied to you
如果还有来生，我们再做兄弟|If there is another life, let us be brothers again
下雨了，进屋吧|It is raining, come inside
你们两个都给我站住！|Stop right there, both of you!
这封信是谁写的？|Who wrote this letter?
事情没有你想的那么简单|It is not as simple as you think it is
马车已经在门外等候多时了|The carriage has been waiting outside for a long while
谢谢你，我的朋友|Thank you, my friend
没有。|No.
我们必须在天亮之前离开这座城|We have to leave this city before the sun comes up
听，外面有人|Listen, there is somebody outside
父亲临终前只留下一句话|My father left only one sentence before he died
你到底想要什么？|What is it that you really want?
再给我一次机会|Give me one more chance
那年冬天的雪下得特别大|The snow was very deep in the winter of that year
""".strip().splitlines()]  # fmt: skip
LOGOS = ("电影频道", "KINO TV", "SAMPLE", "华夏影视", "www.films.example")
SIGNS = ("GRAND HOTEL", "中国茶馆", "EXIT 24", "有间客栈", "BAKERY", "OPEN DAILY", "药房", "POLICE")
KINDS = ("clean", "logo", "sign", "moving", "passing", "zh", "en", "both", "once zh", "once en")


class Burned(NamedTuple):
    """A line that is on screen in from_s <= t < to_s."""

    text: str
    from_s: float
    to_s: float

    @property
    def language(self) -> str:
        return language(self.text)


class Style(NamedTuple):
    """How subtitles look."""

    letter: float
    fill: str
    edge: str
    top: bool
    left: bool
    margin: float


class Layer(NamedTuple):
    """What is laid over the frames of a time; it moves with `path`: start, speed and swing, in shares of the picture."""

    pixels: Image  # (h, w, 4)
    from_s: float
    to_s: float
    path: tuple[float, float, float, float, float, float]


class Plan(NamedTuple):
    """All that is laid over a part."""

    style: Style | None
    layers: list[Layer]
    lines: list[Burned]
    fixed: list[str]


def language(text: str) -> str:
    """By its letters."""
    return "zh" if any("\u4e00" <= sign <= "\u9fff" for sign in text) else "en"


def style_of(draw: np.random.Generator) -> Style:
    """One of many."""
    place = float(draw.random())
    return Style(
        float(draw.choice(LETTERS)), str(draw.choice(FILLS)), str(draw.choice(EDGES)), place < 0.15,
        place > 0.85, float(draw.uniform(0.03, 0.09)),
    )  # fmt: skip


def lettered(rows: Sequence[tuple[str, int]], font: Path, fill: str, edge: str, left: bool) -> Image:
    """Rows of text and their letters' pixels, one below the other.  # (h, w, 4)"""
    fonts = [ImageFont.truetype(str(font), px) for _, px in rows]
    widths = [int(face.getlength(text)) for face, (text, _) in zip(fonts, rows, strict=True)]
    pad = max(px for _, px in rows) // 3
    wide, high = max(widths) + 2 * pad, sum(round(1.3 * px) for _, px in rows) + pad
    sheet = Pillow.new("RGBA", (wide, high), (0, 0, 0, 150) if edge == "box" else (0, 0, 0, 0))
    pen, top = ImageDraw.Draw(sheet), pad // 2
    for (text, px), face, width in zip(rows, fonts, widths, strict=True):
        at = (pad if left else (wide - width) // 2, top)
        if edge == "shadow":
            off = max(1, px // 14)
            pen.text((at[0] + off, at[1] + off), text, font=face, fill="black")
        stroke = {"outline": max(1, px // 14), "thin": 1}.get(edge, 0)
        pen.text(at, text, font=face, fill=fill, stroke_width=stroke, stroke_fill="black")
        top += round(1.3 * px)
    return np.array(sheet, np.uint8)


def rows_of(said: Sequence[str], kind: str, px: int, font: Path, wide: int) -> list[tuple[str, int]]:
    """The rows that a line makes, each no wider than the picture lets it."""
    chinese, english = said
    smaller = max(9, round(px * 0.7))
    wanted = {"zh": [(chinese, px)], "en": [(english, px)], "both": [(chinese, px), (english, smaller)]}[kind]
    rows = list[tuple[str, int]]()
    for text, size in wanted:
        words = text.split(" ")
        if ImageFont.truetype(str(font), size).getlength(text) > wide and len(words) > 1:
            half = (len(words) + 1) // 2
            rows += [(" ".join(words[:half]), size), (" ".join(words[half:]), size)]
        else:
            rows.append((text, size))
    return rows


def spoken(draw: np.random.Generator, seconds: float, once: bool) -> Iterator[tuple[list[str], float, float]]:
    """What is said from when to when; some of it more than once."""
    texts, at_s = draw.integers(len(SAID), size=99), float(draw.uniform(0.0, min(4.0, seconds / 4)))
    if once:
        at_s = float(draw.uniform(0.5, seconds / 2))
    for number in texts:
        lasts_s = min(5.0, max(1.0, 0.6 + 0.07 * len(SAID[number][1]) * float(draw.uniform(0.7, 1.3))))
        if at_s + lasts_s > seconds:
            return
        yield SAID[number], at_s, at_s + lasts_s
        if once:
            return
        at_s += lasts_s + float(draw.choice(GAPS_S))


def subtitled(plan: Plan, draw: np.random.Generator, kind: str, size: tuple[int, int], seconds: float, font: Path) -> None:  # fmt: skip
    """Add subtitles to a plan."""
    style, (wide, high) = plan.style or style_of(draw), size
    for said, from_s, to_s in spoken(draw, seconds, kind.startswith("once")):
        rows = rows_of(said, kind.split()[-1], max(11, round(style.letter * high)), font, round(wide * 0.9))
        pixels = lettered(rows, font, style.fill, style.edge, style.left)
        tall, across = pixels.shape[0] / high, pixels.shape[1] / wide
        top = style.margin if style.top else 1 - style.margin - tall
        plan.layers.append(
            Layer(pixels, from_s, to_s, (0.08 if style.left else (1 - across) / 2, top, 0, 0, 0, 0))
        )
        plan.lines.extend(Burned(text, from_s, to_s) for text, _ in rows)


def board(text: str, px: int, font: Path, draw: np.random.Generator) -> Image:
    """A sign: letters on a plate.  # (h, w, 4)"""
    face = ImageFont.truetype(str(font), px)
    plate = tuple(int(level) for level in draw.integers(20, 120, 3))
    sheet = Pillow.new("RGBA", (int(face.getlength(text)) + 2 * px, 2 * px), (*plate, 255))
    ImageDraw.Draw(sheet).text((px, px // 3), text, font=face, fill="#f0e8d0")
    return np.array(sheet, np.uint8)


def planned(name: str, kind: str, size: tuple[int, int], seconds: float, font: Path) -> Plan:
    """Drawn by the part's name and the kind alone."""
    draw, high = rng(0, name, kind, "subtitles"), size[1]
    speaks = kind.split()[-1] in ("zh", "en", "both")
    plan = Plan(style_of(draw) if speaks else None, [], [], [])
    if kind == "logo" or (speaks and draw.random() < 0.5):
        text = str(draw.choice(LOGOS))
        pixels = lettered([(text, max(11, round(0.05 * high)))], font, "#ffffff", "thin", True)
        pixels[..., 3] = pixels[..., 3] // 4 * 3
        plan.layers.append(Layer(pixels, 0, seconds, (float(draw.choice((0.03, 0.68))), 0.02, 0, 0, 0, 0)))
        plan.fixed.append(text)
    if kind in ("sign", "passing"):
        text, px = str(draw.choice(SIGNS)), round(float(draw.uniform(0.04, 0.09)) * high)
        shake = float(draw.choice((0.0, 0.01))) if kind == "passing" else 0.0
        at = (float(draw.uniform(0.02, 0.6)), float(draw.uniform(0.1, 0.8)), 0.0, 0.0, shake, shake / 2)
        from_s, lasts_s = (float(draw.uniform(0, seconds / 2)), float(draw.uniform(2, 6))) if kind == "passing" else (0.0, seconds)  # fmt: skip
        plan.layers.append(Layer(board(text, px, font, draw), from_s, from_s + lasts_s, at))
        plan.fixed.extend([text] if kind == "sign" else [])
    if kind == "moving":
        for number, text in enumerate(draw.choice(SIGNS, 4, replace=False)):
            px, from_s = round(float(draw.uniform(0.04, 0.09)) * high), number * seconds / 4
            least, most = (0.0, 0.3, -0.08, -0.08, 0.0, 0.0), (0.6, 0.8, 0.08, 0.08, 0.1, 0.03)
            left, top, right_s, down_s, swing_x, swing_y = (float(each) for each in draw.uniform(least, most))
            way = (left, top, right_s, down_s, swing_x, swing_y)
            to_s = from_s + float(draw.uniform(1.5, 6))
            plan.layers.append(Layer(board(str(text), px, font, draw), from_s, to_s, way))
    if speaks:
        subtitled(plan, draw, kind, size, seconds, font)
    return plan


def laid(frame: Image, layer: Layer, at_s: float) -> None:
    """Blend a layer into a frame, in place."""
    left, top, right_s, down_s, swing_x, swing_y = layer.path
    since_s, (high, wide) = at_s - layer.from_s, frame.shape[:2]
    x = round((left + right_s * since_s + swing_x * sin(2 * since_s)) * wide)
    y = round((top + down_s * since_s + swing_y * sin(3 * since_s)) * high)
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(wide, x + layer.pixels.shape[1]), min(high, y + layer.pixels.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    there = layer.pixels[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32)
    alpha = there[..., 3:] / 255
    under = frame[y0:y1, x0:x1]
    under[:] = np.rint(under * (1 - alpha) + there[..., :3] * alpha)


def burned(frames: Image, plan: Plan) -> Image:
    """A copy of (F, H, W, 3) with everything on it."""
    out = frames.copy()
    for number, frame in enumerate(out):
        for layer in plan.layers:
            if layer.from_s <= number / FPS < layer.to_s:
                laid(frame, layer, number / FPS)
    return out


def parts_of(path: Path, parts: int, seconds: float) -> Iterator[tuple[str, tuple[int, int], Image]]:
    """Name, size and frames of parts of a video, spread over it, each in another size."""
    whole_s, name = probe(path).seconds, path.stem
    seconds = min(seconds, whole_s - 0.1)
    count = max(1, min(parts, int(whole_s // seconds)))
    for number in range(count):
        start_s = (whole_s - seconds) * (number / max(1, count - 1))
        size = SIZES[(number + int(rng(0, name, "size").integers(4))) % len(SIZES)]
        times_s = start_s + np.arange(int(seconds * FPS)) / FPS
        found = [frame for frame in looks_at(path, [float(t) for t in times_s], *size) if frame is not None]
        yield f"{name}-{number}", size, np.stack(found)


def alike(one: str, other: str) -> float:
    """How much of the letters and digits of two texts agree, 0 to 1."""
    one, other = ("".join(sign for sign in text.lower() if sign.isalnum()) for text in (one, other))
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def is_of(line: Line, truth: Burned) -> bool:
    """The same text at the same time."""
    there = line.from_s < truth.to_s + LOOK_S and line.to_s > truth.from_s - LOOK_S
    return there and alike(line.text, truth.text) >= SAME


class Score:
    """What was to be found and is, and what was found and is right, by what is counted and its kind."""

    def __init__(self) -> None:
        self.counts = defaultdict[tuple[str, str], Counter[str]](Counter)
        self.misses = list[str]()

    def wanted(self, what: str, kind: str, reached: bool) -> None:
        """One thing that is to be found."""
        for name in (kind, "all"):
            self.counts[what, name].update(wanted=1, reached=int(reached))

    def found(self, what: str, kind: str, right: bool) -> None:
        """One thing that is found."""
        for name in (kind, "all"):
            self.counts[what, name].update(found=1, right=int(right))

    def told(self, what: str, kind: str, wanted: bool, found: bool) -> None:
        """One clip or window that is subtitled or not, and said to be or not."""
        if wanted:
            self.wanted(what, kind, found)
        if found:
            self.found(what, kind, wanted)
        for name in () if wanted else (kind, "all"):
            self.counts[what, name].update(clean=1, lost=int(found))

    def rows(self) -> Iterator[str]:
        """A row for each."""
        yield "| what | kind | precision | recall | clean ones taken for subtitled |\n|---|---|---|---|---|"
        for (what, kind), count in sorted(self.counts.items()):
            ratios = (
                f"{count[a]}/{count[b]} = {count[a] / count[b]:.3f}" if count[b] else "-"
                for a, b in (("right", "found"), ("reached", "wanted"), ("lost", "clean"))
            )
            yield f"| {what} | {kind} | {' | '.join(ratios)} |"


def scored(score: Score, name: str, kind: str, plan: Plan, seconds: float, got: Writing) -> None:
    """Count a clip, its lines and its windows."""
    where = f"{name}, {kind}, {got.size}, {plan.style}"
    score.told("clip", kind, bool(plan.lines), bool(got.subtitles))
    for truth in plan.lines:
        reached = any(is_of(line, truth) for line in got.subtitles)
        score.wanted("line", truth.language, reached)
        score.misses += [] if reached else [f"MISSED {truth}: {where}"]
    for line in got.subtitles:
        right = any(is_of(line, truth) for truth in plan.lines)
        score.found("line", language(line.text), right)
        score.misses += [] if right else [f"WRONG {line}: {where}"]
    for start_s in map(float, np.arange(0.0, max(0.01, seconds - WINDOW_S), STEP_S)):
        end_s = start_s + WINDOW_S
        wanted = any(line.from_s < end_s and line.to_s > start_s for line in plan.lines)
        found = bool(got.in_window(start_s, end_s))
        score.told("window", kind, wanted, found)
        score.misses += [f"SLIPPED {start_s}: {where}"] if wanted and not found else []
    for text in plan.fixed:
        reached = any(alike(line.text, text) >= SAME for line in got.fixed)
        score.wanted("fixed", kind, reached)
        score.misses += [] if reached else [f"NOT FIXED {text}: {where}"]
    for line in got.fixed:
        score.found("fixed", kind, any(alike(line.text, text) >= SAME for text in plan.fixed))


def run(asked: Namespace, folder: Path) -> None:
    """Burn, look and count."""
    score, looks, spent_s = Score(), 0, 0.0
    videos = sorted(
        path for path in asked.videos.iterdir() if path.suffix in (".mp4", ".avi", ".mkv", ".mov")
    )
    for path in (video for video in videos if asked.only in (None, video.stem)):
        for name, size, frames in parts_of(path, asked.parts, asked.seconds):
            seconds = len(frames) / FPS
            for kind in KINDS:
                clip, plan = folder / f"{name}-{kind}.mp4", planned(name, kind, size, seconds, asked.font)
                if not clip.exists():
                    write_video(clip, burned(frames, plan), FPS)
                shots = shots_of(clip)
                started = time.process_time()
                got = writing_of(clip, shots, *look_size(*size))
                spent_s += time.process_time() - started
                looks += round(seconds / LOOK_S)
                scored(score, name, kind, plan, seconds, got)
    print("\n".join([*(score.misses if asked.misses else []), "", *score.rows()]))
    print(f"\n{looks} looks, {spent_s / max(1, looks):.2f} CPU seconds each; load {getloadavg()[0]:.1f}")


def main() -> None:
    """Of all videos, or of one."""
    asked = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--videos", type=Path, required=True)
    asked.add_argument("--font", type=Path, required=True)
    asked.add_argument("--only", help="The name of one video, without its ending.")
    asked.add_argument("--parts", type=int, default=2, help="Of each video.")
    asked.add_argument("--seconds", type=float, default=24.0, help="Of each part.")
    asked.add_argument("--keep", type=Path, help="Where what is written stays, for another run.")
    asked.add_argument("--misses", action=BooleanOptionalAction, help="A row for everything that is wrong.")
    said = asked.parse_args()
    cv2.setNumThreads(1)
    with TemporaryDirectory() as folder:
        if said.keep:
            said.keep.mkdir(parents=True, exist_ok=True)
        run(said, said.keep or Path(folder))


if __name__ == "__main__":
    main()
