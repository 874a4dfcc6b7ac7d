"""A contact sheet: steps down, cases across, every row and column labelled, what was given in a row of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from curate.files import write_atomic

Picture = NDArray[np.uint8]  # (H, W, 3)
CELL_PX = 192  # the longer side of a picture; smaller ones are enlarged, pixel by pixel
GAP_PX, TEXT_PX = 6, 15
SPECTRUM_HZ = 2000
INK, PAPER, MISSING = (20, 20, 20), (250, 250, 248), (225, 225, 222)


def contact_sheet(
    columns: Sequence[str], rows: Sequence[str], cells: Mapping[tuple[str, str], Picture], title: str,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> Image.Image:  # fmt: skip
    """Pictures by (row, column) in a labelled grid, some with a note below; a cell without one stays grey."""
    font = ImageFont.load_default(TEXT_PX)
    shape = next(iter(cells.values())).shape if cells else (CELL_PX, CELL_PX, 3)
    width, height = _fitted(shape[1], shape[0])
    left = max(round(font.getlength(row)) for row in [*rows, ""]) + 2 * GAP_PX
    wrapped = [_wrapped(column, font, width) for column in columns]
    line = TEXT_PX + 4
    top = line + GAP_PX + line * max(len(lines) for lines in wrapped) + GAP_PX
    pitch = height + GAP_PX + (line if notes else 0)  # from row to row
    size = (
        max(left + len(columns) * (width + GAP_PX), left + round(font.getlength(title)) + GAP_PX),
        top + len(rows) * pitch,
    )
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP_PX, GAP_PX), title, INK, font)
    for x, lines in enumerate(wrapped):
        for number, text in enumerate(lines):
            draw.text((left + x * (width + GAP_PX), line + 2 * GAP_PX + number * line), text, INK, font)
    for y, row in enumerate(rows):
        corner = top + y * pitch
        draw.text((GAP_PX, corner + height // 2 - TEXT_PX // 2), row, INK, font)
        for x, column in enumerate(columns):
            place = (left + x * (width + GAP_PX), corner)
            found = cells.get((row, column))
            if found is None:
                draw.rectangle((*place, place[0] + width - 1, place[1] + height - 1), MISSING)
            else:
                sheet.paste(_scaled(found, width, height), place)
            if note := (notes or {}).get((row, column)):
                draw.text((place[0], corner + height), note, INK, font)
    return sheet


def save_sheet(path: Path, sheet: Image.Image) -> None:
    """Write a PNG, whole or not at all."""
    from io import BytesIO

    held = BytesIO()
    sheet.save(held, "PNG")
    write_atomic(path, held.getvalue())


def strip(frames: Sequence[Picture]) -> Picture:
    """Frames side by side: the first, the middle and the last of a video say how it moves."""
    if len(frames) < 3:
        return frames[0]
    gap = np.full((len(frames[0]), 2, 3), PAPER, np.uint8)
    return np.concatenate([frames[0], gap, frames[len(frames) // 2], gap, frames[-1]], axis=1)


def with_spectrum(picture: Picture, wave: NDArray[np.float32], rate_hz: int) -> Picture:
    """The sound under its pictures: 0 to SPECTRUM_HZ upwards, time to the right, 60 dB from black to white.

    `wave` is (N,) mono. The lines of a voice or of a tone can be followed by eye.
    """
    from scipy.signal import spectrogram

    hz, _, power = spectrogram(wave, rate_hz, nperseg=rate_hz // 16, noverlap=rate_hz // 20)
    level_db = 10 * np.log10(power[hz <= SPECTRUM_HZ][::-1] + 1e-12)
    grey = np.clip((level_db - level_db.max() + 60) / 60, 0, 1) * 255
    image = Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    height = max(24, picture.shape[0] // 2)
    below = np.asarray(image.resize((picture.shape[1], height), Image.Resampling.BILINEAR))
    return np.concatenate([picture, below])


def _fitted(width: int, height: int) -> tuple[int, int]:
    scale = CELL_PX / height
    return max(1, round(width * scale)), max(1, round(height * scale))


def _scaled(picture: Picture, width: int, height: int) -> Image.Image:
    enlarged = picture.shape[0] < height
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
    image = Image.fromarray(picture)
    image.thumbnail((width, height), how)
    if enlarged:
        factor = min(width / picture.shape[1], height / picture.shape[0])
        image = image.resize((round(picture.shape[1] * factor), round(picture.shape[0] * factor)), how)
    return image


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Lines that fit a column; at most four, the last one cut with an ellipsis."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > 4:
        lines = [*lines[:3], lines[3] + " …"]
    return lines
