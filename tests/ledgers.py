"""Made-up helium ledgers: clips as numbers, without any media. What select and audit see is the same."""

import numpy as np

from curate.ledger import selected
from curate.media.tone import draw_timbre
from curate.recipe import Recipe, configure, find
from curate.records import LedgerRow, Split, rng
from curate.split import sides

TIMBRE = draw_timbre(rng(0)).numbers()


def helium(name: str = "helium-v2", **settings: object) -> Recipe:
    return configure(find(name), settings)


def pool(
    recipe: Recipe, clips: int, seed: int, max_shift_st: float = 15.0, per_speaker: int = 3
) -> list[LedgerRow]:
    """Rows as `make` would leave them: natural pitch spread over 85-255 Hz, formants that lean on it a little."""
    draw = np.random.default_rng(seed)
    speakers = max(1, clips // per_speaker)
    side_of = sides([f"speaker:{s}" for s in range(speakers)], seed, 0.2)
    rows = []
    for index in range(clips):
        natural_oct = float(draw.uniform(np.log2(85), np.log2(255)))
        group = f"speaker:{draw.integers(speakers)}"
        attributes = {
            "speaker": group.removeprefix("speaker:"),
            "natural_oct": natural_oct,
            "natural_hz": 2**natural_oct,
            **{
                f"natural_{who}_oct": natural_oct + float(draw.normal(0, 0.01))
                for who in ("judge_two", "even", "odd")
            },
            "melody_st": float(draw.uniform(1, 6)),
            "clip_s": float(draw.uniform(4.9, 9)),
            "voice": [float(v) for v in draw.normal(size=12) * np.geomspace(1, 0.1, 12)],
            "picture": [float(v) for v in draw.normal(size=12) * np.geomspace(40, 4, 12)],
            "voiced_share": float(draw.uniform(0.3, 0.7)),
            "loudness_lufs": float(draw.normal(-23, 3)),
            "brightness_oct": float(draw.normal(9.6, 0.3)) + 0.2 * natural_oct,
            **{f"formant_{n}_hz": float(draw.normal(500 * n, 60)) + 40 * natural_oct for n in (1, 2, 3)},
        }
        rows += _candidates(recipe, f"{index:016x}", group, side_of[group], attributes, draw, max_shift_st)
    return rows


def _candidates(
    recipe: Recipe, clip: str, group: str, split: Split, attributes: dict[str, float],
    draw: np.random.Generator, max_shift_st: float,
) -> list[LedgerRow]:  # fmt: skip
    edges = np.geomspace(76.0, 353.0, 13)
    if recipe.name == "helium-v1":
        target_hz = attributes["natural_hz"] * 2 ** (float(draw.uniform(-7, 7)) / 12)
        tried = [("", int(np.clip(np.searchsorted(edges, target_hz) - 1, 0, 11)), target_hz)]
        max_shift_st = 99.0
    else:
        tried = [
            (f"-{s:02d}", s, float(2 ** draw.uniform(np.log2(edges[s]), np.log2(edges[s + 1]))))
            for s in range(12)
        ]
    rows = []
    for suffix, stratum, target_hz in tried:
        made = bool(
            abs(12 * np.log2(target_hz / attributes["natural_hz"])) <= max_shift_st and draw.random() > 0.01
        )
        rows.append(
            LedgerRow(
                id=clip + suffix, name=f"{clip}.mp4", clip=clip, sources=(clip * 4,), group=group, split=split,
                caption="a person speaking", choices={"stratum": stratum, "target_hz": target_hz},
                attributes=attributes, measured=_measures(target_hz, attributes["natural_hz"], draw) if made else {}, made=made,
                reason=None if made else "shift_too_large",
            )
        )  # fmt: skip
    return rows


def _measures(
    target_hz: float, natural_hz: float, draw: np.random.Generator
) -> dict[str, float | list[float]]:
    """What the instruments would find: labels a few cents off, a tone whose mel bands tell its pitch."""
    pitch_hz = target_hz * 2 ** (draw.normal(0, 5) / 1200)
    shift_st = 12 * float(np.log2(pitch_hz / natural_hz))
    near = np.exp(-((np.arange(12) - 6 * np.log2(pitch_hz / 76)) ** 2) / 8)
    return {
        "shift_st": shift_st,
        "audio_samples": 77_440,
        "pitch_hz": float(pitch_hz),
        "pitch_oct": float(np.log2(pitch_hz)),
        "pitch_judge_two_hz": float(pitch_hz * 2 ** (draw.normal(0, 5) / 1200)),
        "tone_hz": float(pitch_hz * 2 ** (draw.normal(0, 1) / 1200)),
        "tone_judge_two_hz": float(pitch_hz * 2 ** (draw.normal(0, 5) / 1200)),
        "lag_s": 0.0,
        "drift_s": 0.0,
        "shifted_lufs": -26.0 + float(draw.normal(0, 0.01)),
        "timbre_distance_db": 1 + 0.2 * abs(shift_st) + float(draw.uniform(0, 1)),
        "shifted_brightness_oct": 9.6 + 0.02 * shift_st + float(draw.normal(0, 0.2)),
        **{f"shifted_formant_{n}_hz": 500.0 * n + float(draw.normal(0, 60)) for n in (1, 2, 3)},
        "tone_centroid_oct": float(draw.normal(10, 0.5)),
        "tone_tilt_db": float(draw.normal(-6, 2)),
        "tone_high_share_db": float(draw.normal(-5, 3)),
        "tone_rms_db": float(draw.normal(-24, 2)),
        "tone_lufs": float(draw.uniform(-29, -23)),
        "tone_mel": [float(v) for v in near + draw.normal(0, 0.02, 12)],
        **{name: float(draw.uniform(0, 1)) for name in TIMBRE},
    }


def finished(recipe: Recipe, rows: list[LedgerRow]) -> list[LedgerRow]:
    """The ledger after selection."""
    return selected(rows, recipe.select(rows))
