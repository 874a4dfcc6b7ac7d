"""What a run generates at each step, kept beside it: a video with sound for each case, and one contact sheet.

RUN/samples/  base/, step-00200/ …   01.mp4, 01.png for each case, row.json last, which says what they were made of
                              and, where a picture stood for the first frame, who is on which side
              contact-sheet.png      every row that there is
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from curate.encode.decode import decode_sound, decode_video
from curate.encode.stack import Stack
from curate.encode.text import encode_text
from curate.files import write_atomic
from curate.media.faces import is_available
from curate.media.video import write_video
from curate.progress import Reporter
from curate.records import canonical, sha256_of
from curate.sample.cases import Case, Picture, captions, cases
from curate.sample.generate import generate, with_sound, without_stg
from curate.sample.sheet import contact_sheet, save_sheet, strip, with_spectrum
from curate.sample.sides import Sides, sides
from curate.sample.wear import wearing
from curate.train.config import SampleConfig
from curate.train.data import TrainingSet
from curate.train.flow import Text
from curate.train.model import connected
from curate.train.strategy import Rope, strategy_of

CODE_VERSION = "2"  # raise it when the same run would generate other media
SWEEP = {"sweep_tones", "sweep_sources", "sweep_seeds"}  # of no picture
BASE = "base"
SHEET = "contact-sheet.png"


def texts(stack: Stack, dataset: TrainingSet, wanted: list[str]) -> dict[str, Text]:
    """Captions as the transformer takes them; those that the set lacks go through the text encoder."""
    connectors = stack.load_connectors()
    held = set(dataset.captions())
    found = {
        caption: connected(
            stack, connectors, dataset.text(caption) if caption in held else encode_text(stack, caption)
        )
        for caption in wanted
    }
    stack.forget("text_encoder", "tokenizer", "text_projections")
    return found


@dataclass
class Gallery:
    """The rows of one run. Make it before the transformer is loaded: captions may need the text encoder."""

    folder: Path  # RUN/samples
    dataset: TrainingSet
    config: SampleConfig
    stack: Stack
    base: str  # sha256 of the transformer, and its precision
    reporter: Reporter

    def __post_init__(self) -> None:
        self._cases = cases(self.dataset, self.config, self.stack)
        unwanted = [self.config.negative_prompt] if self.config.guidance_scale > 1 else []
        self._texts = texts(self.stack, self.dataset, [*captions(self._cases), *unwanted])
        self._unwanted = self._texts[unwanted[0]] if unwanted else None
        self._lay_out = strategy_of(self.dataset.build.strategy)
        self._told = False  # what cannot be done is said once, not for every row

    def row(self, transformer: Any, lora: Path | None, name: str) -> None:
        """Generate a row and put it on the sheet, unless it is there already, made of the same."""
        key = self._key(lora)
        if self._said_of(name).get("key") != key:
            if not self._told and (line := without_stg(transformer, self.config)):
                self.reporter.note(line)
            self._told = True
            columns = self.reporter.track(f"sample {name}", enumerate(self._cases, start=1), len(self._cases))
            (self.folder / name / "row.json").unlink(missing_ok=True)
            told = dict[str, Any]()
            with wearing(transformer, lora, self.config.strength):
                for number, case in columns:
                    found = self._cell(transformer, case, self.folder / name / f"{number:02d}")
                    if found is not None:
                        told[f"{number:02d}"] = found.said
            said = {"key": key, "settings": self._settings(), **({"sides": told} if told else {})}
            write_atomic(self.folder / name / "row.json", canonical(said))
        self.sheet()

    def sheet(self) -> Path:
        """Put the contact sheet together from the rows that belong to these settings."""
        there = [BASE, *sorted(path.name for path in self.folder.glob("step-*"))]
        names = [name for name in there if self._said_of(name).get("settings") == self._settings()]
        cells, notes = dict[tuple[str, str], Picture](), dict[tuple[str, str], str]()
        labels = [case.label for case in self._cases]
        for number, case in enumerate(self._cases, start=1):
            for name in names:
                with Image.open(self.folder / name / f"{number:02d}.png") as image:
                    cells[row_label(name), case.label] = np.asarray(image.convert("RGB"))
                if said := self._said_of(name).get("sides", {}).get(f"{number:02d}"):
                    notes[row_label(name), case.label] = said["words"]
            if case.beside is not None:
                cells["given", case.label] = case.beside
        rows = [*(["given"] if any(row == "given" for row, _ in cells) else []), *map(row_label, names)]
        path = self.folder / SHEET
        save_sheet(path, contact_sheet(labels, rows, cells, self._title(), notes))
        return path

    def _cell(self, transformer: Any, case: Case, stem: Path) -> Sides | None:
        """Generate a case. Who stands on which side, where it begins with a picture of people."""
        rope = Rope(transformer)
        fps = case.sample.record.latents.fps or 25.0
        laid_out = self._lay_out(case.sample, rope, False).holding(self.config.pin_strength)
        scene = with_sound(laid_out, rope, fps)
        made = generate(
            transformer, self.stack.load_scheduler(), scene, self._texts[case.caption], self._unwanted,
            config=self.config, seed=self.config.seed, identity=case.identity,
        )  # fmt: skip
        frames = decode_video(self.stack, made.video.numpy())
        wave, rate_hz = (
            decode_sound(self.stack, made.audio.numpy()) if made.audio is not None else (None, None)
        )
        if case.first is not None:  # and its sound
            frames = frames[1:]
            wave = None if wave is None or rate_hz is None else wave[:, round(rate_hz / fps) :]
        stem.parent.mkdir(parents=True, exist_ok=True)
        write_video(stem.with_suffix(".mp4"), frames, fps, wave, rate_hz)
        seen = strip(list(frames))
        if wave is not None and rate_hz is not None and self.dataset.build.strategy == "audio_reference":
            seen = with_spectrum(seen, wave.mean(axis=0), rate_hz)
        save_sheet(stem.with_suffix(".png"), Image.fromarray(seen))
        return None if case.first is None else sides(list(frames), case.first)

    def _title(self) -> str:
        build, config = self.dataset.build, self.config
        untrained = "" if self.stack.trained else "; miniature with random weights: pictures mean nothing"
        pins = f", pins {config.pin_strength:g}" if build.strategy == "first_frame" else ""
        return f"{build.recipe}: {config.inference_steps} steps, guidance {config.guidance_scale:g}, strength {config.strength:g}{pins}{untrained}"

    def _settings(self) -> str:
        """Of everything that shapes all rows alike."""
        shown = [case.label for case in self._cases]
        if any(case.first is not None for case in self._cases) and is_available():
            shown.append("faces")  # the extra, once it is installed, is asked
        return sha256_of([CODE_VERSION, self.dataset.sha256, self.base, self.config.model_dump(mode="json", exclude=SWEEP), shown])  # fmt: skip

    def _key(self, lora: Path | None) -> str:
        """Of everything that shapes a row."""
        return sha256_of([self._settings(), hashlib.sha256(lora.read_bytes()).hexdigest() if lora else None])

    def _said_of(self, name: str) -> dict[str, Any]:
        """What a row says it was made of, nothing where it is not whole."""
        try:
            said = json.loads((self.folder / name / "row.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}


def row_label(name: str) -> str:
    """A row's name for people: `step-00200` is step 200."""
    return "step 0 (base)" if name == BASE else f"step {int(name.removeprefix('step-'))}"
