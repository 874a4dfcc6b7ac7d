"""What a tone's by-products tell of its pitch: ours, beside a tone whose partials merely sample the envelope.

    python -m benchmarks.tone [--tones 292]

Ten sets of tones, seeds 0 to 9, pitches uniform in log over 76-353 Hz. The bounds in recipes/helium.py were set on
seeds 0 to 4 and are confirmed on 5 to 9. A probe that hears nothing in five scalars counts only because the same kind
of probe hears nearly all in the mel bands.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import click
import numpy as np
from numpy.typing import NDArray

from curate.media import tone
from curate.proof.assign import standardise
from curate.proof.probe import told_share
from curate.recipe import configure, find
from curate.records import number, rng

Array = NDArray[np.float64]
Powers = Callable[[tone.Timbre, float], tuple[Array, Array]]
ours: Powers = tone.partial_powers


def sampled(timbre: tone.Timbre, pitch_hz: float) -> tuple[Array, Array]:
    """The baseline: each partial has the envelope's level at its own frequency.  # (K,), (K,)"""
    hz = np.arange(1, int(tone.TOP_HZ / (pitch_hz * 1.05)) + 1) * pitch_hz
    level_db = timbre.tilt_db_per_octave * np.log2(hz / 200)
    for peak_hz, db, width_hz in zip(
        timbre.resonance_hz, timbre.resonance_db, timbre.resonance_width_hz, strict=True
    ):
        level_db = level_db + db / (1 + ((hz - peak_hz) / width_hz) ** 2)
    power = 10 ** (level_db / 10)
    power[1::2] *= timbre.even_gain**2
    return hz, power / power.sum()


def one(task: tuple[bool, int, int]) -> tuple[float, dict[str, float], list[float]]:
    """Log2 pitch, scalars and mel bands of one rendered tone."""
    baseline, seed, index = task
    tone.partial_powers = sampled if baseline else ours
    stream = rng(seed, str(index), "tone")
    octave = stream.uniform(np.log2(76), np.log2(353))
    wave = tone.render_tone(tone.draw_timbre(stream), 2**octave, 2.0, stream.uniform(-3, 3), stream)
    found = tone.describe_tone(wave)
    reference = configure(find("helium-v2"), {}).sketch.reference
    names = reference.proxies if reference else ()
    return octave, {name: number(found, name) for name in names}, found["tone_mel"]  # type: ignore[return-value]


@click.command()
@click.option("--tones", default=292, show_default=True, help="In each set.")
@click.option("--processes", default=2, show_default=True)
def main(tones: int, processes: int) -> None:
    """Print a row per kind and seed."""
    click.echo(
        "| tone | seed | "
        + "largest r of a scalar | R² of five scalars | R² of the mel bands |\n|---|---|---|---|---|"
    )
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for baseline in (False, True):
            for seed in range(10):
                made = list(pool.map(one, [(baseline, seed, i) for i in range(tones)], chunksize=20))
                target = np.array([octave for octave, _, _ in made])
                scalars = np.array([list(found.values()) for _, found, _ in made])
                each = standardise(scalars.T) @ standardise(target)
                worst = int(np.abs(each).argmax())
                told = told_share(scalars, target), told_share(np.array([mel for _, _, mel in made]), target)
                kind = "envelope sampled" if baseline else "ours"
                click.echo(
                    f"| {kind} | {seed} | {each[worst]:+.3f} ({list(made[0][1])[worst]}) | {told[0]:.3f} | {told[1]:.3f} |"
                )


if __name__ == "__main__":
    main()
