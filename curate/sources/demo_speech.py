"""The voices of the demo source: Praat's speech synthesizer, run in a process of its own for each clip.

The synthesizer inside Praat (espeak) keeps the phase of its pitch flutter from one utterance to the next, so
the second sentence of a process never sounds like the first of another: only a fresh process gives the same
bytes whatever was made before. This file is therefore run by path (`python -P demo_speech.py`, 0.1 s)
and imports nothing of the project: turns as JSON on stdin, float32 samples on stdout.
"""

import json
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import parselmouth
from parselmouth.praat import call

SAMPLE_RATE_HZ = 48_000
SYNTHESIZER_HZ = 22_050  # espeak's own rate
FADE_S = 0.02
SPARE = 1.25  # how much longer than asked to speak, because the pitch correction may shorten it

Wave = npt.NDArray[np.float64]


def median_hz(wave: Wave) -> float:
    """Median pitch of the voiced frames of a (T,) wave at 22,050 Hz: autocorrelation in two passes.

    The second pass looks only around the first one's median, which removes its octave errors.
    """
    sound = parselmouth.Sound(wave, SYNTHESIZER_HZ)
    floor_hz, ceiling_hz = 60.0, 500.0
    for _ in range(2):
        pitch = sound.to_pitch_ac(time_step=0.01, pitch_floor=floor_hz, pitch_ceiling=ceiling_hz)
        hertz = pitch.selected_array["frequency"]
        median = float(np.median(hertz[hertz > 0]))
        floor_hz, ceiling_hz = 0.6 * median, 1.8 * median
    return median


def speak(turn: dict[str, Any]) -> Wave:
    """One person's turn, (T,) at 48 kHz, `turn["seconds"]` long.

    espeak steers pitch in coarse steps, so the last few per cent come from playing it at another rate,
    which scales the vocal tract with it. `hz` is None for a whisper, which keeps the planned tract.
    """
    parts = [np.zeros(0)]
    synthesizer = call("Create SpeechSynthesizer", turn["language"], turn["voice"])
    call(
        synthesizer,
        "Speech output settings",
        SYNTHESIZER_HZ,
        0.01,
        turn["pitch"],
        turn["pitch_range"],
        turn["words_per_minute"],
        "IPA",
    )
    for sentence, pause_s in zip(turn["sentences"], turn["pauses_s"], strict=True):
        if sum(map(len, parts)) > SPARE * turn["seconds"] * SYNTHESIZER_HZ:
            break
        (sound,) = call(synthesizer, "To Sound", sentence, "no")
        parts += [np.zeros(round(pause_s * SYNTHESIZER_HZ)), trim(sound.values[0])]
    wave = np.concatenate(parts)
    heard = wave[: round(turn["seconds"] * SYNTHESIZER_HZ)]
    tract = turn["tract"] if turn["hz"] is None else turn["hz"] / median_hz(heard)
    enough = wave[: round((turn["seconds"] + 0.1) * SYNTHESIZER_HZ * tract)]
    played = parselmouth.Sound(enough, SYNTHESIZER_HZ * tract).resample(SAMPLE_RATE_HZ).values[0]
    return fit(played, round(turn["seconds"] * SAMPLE_RATE_HZ))


def trim(wave: Wave) -> Wave:
    """Without the silence that espeak leaves at both ends."""
    (loud,) = np.nonzero(np.abs(wave) > 1e-3)
    return wave[loud[0] : loud[-1] + 1]


def fit(wave: Wave, samples: int) -> Wave:
    """Cut or pad to exactly `samples`, faded out where it is cut."""
    wave = np.pad(wave, (0, max(0, samples - len(wave))))[:samples]
    fade = round(FADE_S * SAMPLE_RATE_HZ)
    wave[-fade:] *= np.linspace(1.0, 0.0, fade)
    return wave


if __name__ == "__main__":
    waves = [speak(turn) for turn in json.load(sys.stdin.buffer)]
    sys.stdout.buffer.write(np.concatenate(waves).astype("<f4").tobytes())
