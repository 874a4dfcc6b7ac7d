"""Who appears in the demo source: voice, language, face and room, drawn from (seed, speaker)."""

import colorsys
import hashlib
import math
from typing import get_args

import numpy as np

from curate.records import Record, canonical
from curate.sources.demo_head import Collar, Hair, Look
from curate.sources.demo_pen import Colour, shade
from curate.sources.demo_room import ROOM_KINDS, Room
from curate.sources.demo_text import SENTENCES

LOWEST_HZ, HIGHEST_HZ = 84.0, 258.0
MIDDLE_HZ = math.sqrt(LOWEST_HZ * HIGHEST_HZ)
GOLDEN = (math.sqrt(5) - 1) / 2
TRACT_SPREAD = 0.05  # standard deviation of log vocal-tract scale within one pitch
TRACT_SLOPE = 0.13  # more than the voices themselves bring: higher voices come from shorter tracts

MALE_VOICES = {
    "male1": (80, 131), "male3": (90, 145), "male4": (80, 128), "male5": (87, 143), "male6": (86, 143),
    "male7": (92, 144), "Denis": (84, 140), "Gene": (80, 136), "Gene2": (96, 167), "Jacky": (96, 156),
    "Mario": (92, 144), "Max": (86, 142), "Michael": (92, 144), "Michel": (89, 147), "Robert": (85, 128),
    "John": (86, 144), "norbert": (86, 144), "Iven": (86, 137),
}  # fmt: skip
FEMALE_VOICES = {
    "female1": (151, 254), "female2": (167, 272), "female3": (184, 286), "female4": (151, 256),
    "female5": (173, 292), "Auntie": (133, 286), "Linda": (187, 338), "Steph": (151, 274),
}  # fmt: skip
"""The espeak variants on which two pitch judges agree, with the median Hz measured at two pitch settings."""
LOW_SETTING, HIGH_SETTING = 0.8, 1.6

SKIN: tuple[Colour, ...] = ((255, 226, 202), (236, 190, 152), (198, 140, 98), (136, 88, 58), (84, 54, 40))
HAIR: tuple[Colour, ...] = (
    (30, 26, 28), (58, 38, 28), (104, 68, 42), (142, 72, 40), (196, 104, 52), (216, 180, 112),
    (164, 164, 168), (226, 224, 218),
)  # fmt: skip
IRIS: tuple[Colour, ...] = ((86, 56, 32), (60, 40, 26), (70, 110, 150), (80, 120, 80), (120, 130, 140))


class Speaker(Record):
    """One person: a voice, a language, what they may say, in their order, and how they look."""

    name: str
    language: str
    voice: str
    hz: float
    tract: float
    words_per_minute: int
    pitch_range: float
    sentences: tuple[str, ...]
    look: Look


def rng(*identity: int | str) -> np.random.Generator:
    """The generator that belongs to an identity, whatever was drawn before."""
    digest = hashlib.sha256(canonical(list(identity))).digest()
    return np.random.default_rng(int.from_bytes(digest[:16]))


def speaker(seed: int, number: int) -> Speaker:
    """The `number`-th speaker of this seed."""
    draw = rng(seed, number, "speaker")
    hz = speaker_hz(seed, number)
    above_st = 12 * math.log2(hz / MIDDLE_HZ)
    female = draw.random() < 1 / (1 + math.exp(-above_st / 1.5))
    language = str(draw.choice(list(SENTENCES)))
    tract = math.exp(TRACT_SLOPE * math.log(hz / MIDDLE_HZ) + TRACT_SPREAD * draw.standard_normal())
    return Speaker(
        name=f"demo-s{number:03d}",
        language=language,
        voice=str(draw.choice(list(FEMALE_VOICES if female else MALE_VOICES))),
        hz=hz,
        tract=tract,
        words_per_minute=int(draw.integers(145, 190)),
        pitch_range=round(float(draw.uniform(0.7, 1.3)), 2),
        sentences=tuple(str(text) for text in draw.permutation(SENTENCES[language])),
        look=draw_look(seed, number, female),
    )


def speaker_hz(seed: int, number: int) -> float:
    """A speaker's pitch, spread evenly over a smooth hump between 84 and 258 Hz on a log scale.

    Golden-ratio steps (an additive recurrence) keep even eight speakers from clumping; the density of the
    hump is 6 x (1 - x), whose quantile has this closed form.
    """
    even = (rng(seed, "pitch").random() + GOLDEN * number) % 1
    place = 0.5 - math.sin(math.asin(1 - 2 * even) / 3)
    return float(LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** place)


def pitch_setting(voice: str, hz: float) -> float:
    """The synthesizer's pitch setting (0.5 to 2) that brings a voice near `hz`."""
    low_hz, high_hz = (MALE_VOICES | FEMALE_VOICES)[voice]
    octaves = math.log2(HIGH_SETTING / LOW_SETTING) * math.log(hz / low_hz) / math.log(high_hz / low_hz)
    return round(min(2.0, max(0.7, LOW_SETTING * 2**octaves)), 3)


def draw_look(seed: int, number: int, female: bool) -> Look:
    """How a speaker looks, and the room behind them."""
    draw = rng(seed, number, "look")
    skin = _between(SKIN, float(draw.random()))
    hair: list[Hair] = [
        kind for kind in get_args(Hair) if kind not in (("bald",) if female else ("scarf", "bun"))
    ]
    return Look(
        room=draw_room_choices(seed, number),
        x_share=float(draw.uniform(0.34, 0.66)),
        y_share=float(draw.uniform(0.4, 0.52)),
        head_share=float(draw.uniform(0.2, 0.3)),
        skin=skin,
        hair=hair[draw.integers(len(hair))],
        hair_colour=HAIR[draw.integers(len(HAIR))],
        cover=_colour(float(draw.random()), draw.uniform(0.2, 0.7), draw.uniform(0.25, 0.95)),
        width=float(draw.uniform(0.66, 0.82)),
        jaw=float(draw.uniform(0.1, 0.34)),
        eye_gap=float(draw.uniform(0.27, 0.35)),
        eye_size=float(draw.uniform(0.12, 0.16)),
        iris=IRIS[draw.integers(len(IRIS))],
        brow=float(draw.uniform(0.045, 0.08)),
        nose=float(draw.uniform(0.08, 0.14)),
        lip_width=float(draw.uniform(0.24, 0.34)),
        lip=_between((shade(skin, 0.7), (190, 66, 72)), float(draw.uniform(0.25, 0.8 if female else 0.4))),
        beard=not female and bool(draw.random() < 0.35),
        glasses=bool(draw.random() < 0.25),
        shoulders=float(draw.uniform(1.35, 1.9)),
        collar=get_args(Collar)[draw.integers(len(get_args(Collar)))],
        shirt=_colour(float(draw.random()), draw.uniform(0.15, 0.75), draw.uniform(0.15, 0.95)),
    )


def draw_room_choices(seed: int, number: int) -> Room:
    """The room of a speaker: kinds take turns, colours are near in hue and far apart in brightness."""
    draw = rng(seed, number, "room")
    hue = float(draw.random())
    values = draw.permutation([0.25, 0.55, 0.9]) + draw.uniform(-0.1, 0.1, 3)
    first, last = draw.uniform(0.12, 0.95, 2)
    shapes = [
        _colour(hue + draw.choice([0.0, 0.06, 0.5]), draw.uniform(0.15, 0.6), value) for value in values
    ]
    return Room(
        kind=ROOM_KINDS[(number + int(rng(seed, "rooms").integers(8))) % len(ROOM_KINDS)],
        seed=int(draw.integers(2**32)),
        wall=(_colour(hue, draw.uniform(0.1, 0.45), first), _colour(hue, draw.uniform(0.1, 0.45), last)),
        shapes=(shapes[0], shapes[1], shapes[2]),
    )


def _between(colours: tuple[Colour, ...], place: float) -> Colour:
    """A colour along a row of colours, 0 the first and 1 the last."""
    at = place * (len(colours) - 1)
    red, green, blue = (
        round(float(np.interp(at, range(len(colours)), row))) for row in zip(*colours, strict=True)
    )
    return red, green, blue


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (
        round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, min(1.0, value))
    )
    return red, green, blue
