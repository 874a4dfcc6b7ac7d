"""Small folders laid out as VBVR is: real videos of 64 pixels, a table in row groups, a tar for each generator."""

import io
import json
import random
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.media.video import write_video

BALL, GRID, MAZE = (
    "O-1_ball_data-generator", "G-2_grid_data-generator", "G-3_maze_data-generator",
)  # fmt: skip
FILES = ("first_frame.png", "final_frame.png", "ground_truth.mp4", "metadata.json", "prompt.txt")
Member = tuple[str, bytes]


@cache
def video(number: int) -> bytes:
    """An mp4 of nine frames; other numbers, other bytes."""
    blocks = np.random.default_rng(number).integers(0, 255, (9, 4, 4, 3), np.uint8)
    frames = blocks.repeat(16, axis=1).repeat(16, axis=2)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        write_video(path, frames, 8.0)
        return path.read_bytes()


@cache
def picture(shade: int) -> bytes:
    """A png."""
    return bytes(cv2.imencode(".png", np.full((8, 8, 3), shade, np.uint8))[1])


def row_of(generator: str, index: int, number: int) -> dict[str, Any]:
    """A row of the table."""
    task = generator.split("_")[1]  # as with the real ones, the folder does not follow from the generator
    folder = f"{generator}/{task}_task/{task}_{index:08d}"
    metadata = {"parameters": {"index": index, "colour": "rød"}, "param_hash": f"{number:016x}"}
    return {
        "id": number,
        "generator": generator,
        "task": f"{task}_task",
        "sample_id": f"{task}_{index:08d}",
        "prompt": f"{task} {index}\nends → there",
        "metadata_json": json.dumps(metadata, indent=2),
        "first_frame_path": f"{folder}/first_frame.png",
        "final_frame_path": f"{folder}/final_frame.png",
        "ground_truth_video_path": f"{folder}/ground_truth.mp4",
        "tar_file": f"tars/{generator}.tar",
    }


def members_of(row: dict[str, Any]) -> list[Member]:
    """The five files of a row's sample."""
    number = row["id"]
    folder = row["ground_truth_video_path"].rpartition("/")[0]
    contents = (picture(number % 256), picture(255 - number % 256), video(number))
    texts = (row["metadata_json"].encode(), row["prompt"].encode())
    return [(f"{folder}/{name}", data) for name, data in zip(FILES, (*contents, *texts), strict=True)]


def write_tar(path: Path, members: Sequence[Member], form: int = tarfile.PAX_FORMAT) -> None:
    """A plain tar with its members in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def write_table(folder: Path, rows: Sequence[dict[str, Any]], **options: Any) -> None:
    """The table; `options` go to the writer."""
    path = folder / "data" / "metadata.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path, **{"row_group_size": 5, **options})


def make_rows(parts: dict[str, int]) -> list[dict[str, Any]]:
    """Rows of some generators, one after the other."""
    pairs = [(generator, index) for generator, count in parts.items() for index in range(count)]
    return [row_of(generator, index, number) for number, (generator, index) in enumerate(pairs)]


def make_vbvr(folder: Path, parts: dict[str, int], *, padding: int = 0) -> list[dict[str, Any]]:
    """A whole folder, the members of each tar shuffled; returns its rows. `padding` bytes end each tar."""
    rows = make_rows(parts)
    for generator in parts:
        members = [member for row in rows if row["generator"] == generator for member in members_of(row)]
        random.Random(generator).shuffle(members)
        if padding:
            members.append(("padding.bin", bytes(padding)))
        write_tar(folder / "tars" / f"{generator}.tar", members)
    write_table(folder, rows)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\nSmall.\n")
    return rows
