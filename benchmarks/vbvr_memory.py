"""Peak memory and time of reading the rows of 27 generators out of VBVR's table, for tables of two sizes and shapes.

    python benchmarks/vbvr_memory.py [FOLDER]

Writes tables of the real columns into FOLDER (a temporary one by default; 1 GB) and reads each in a process of its
own: where the generators are, all rows of each, then the texts of the first 360 of each.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.generators import GENERATORS
from curate.sources.vbvr_table import Table

ALL = 100  # generators in the real table
WINDOW = 360
BATCH = 10_000
FOLDERS = [generator.folder for generator in GENERATORS.values()]
NAMES = FOLDERS + [f"X-{number}_other_data-generator" for number in range(ALL - len(FOLDERS))]


def batches(rows: int, order: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Iterator[pa.RecordBatch]:
    """Rows such as VBVR's: generator after generator, in the order that is asked for."""
    each = rows // ALL
    for start in range(0, rows, BATCH):
        numbers = order[start : start + BATCH].tolist()
        yield pa.RecordBatch.from_pylist([row(number // each, number % each, number) for number in numbers])


def row(generator: int, index: int, number: int) -> dict[str, object]:
    """One row; texts as long as the real ones are on average, and all different."""
    name = NAMES[generator]
    folder = f"{name}/task_task/task_{index:08d}"
    noise = np.random.default_rng(number).integers(0, 256, 60).tolist()
    metadata = {"parameters": {"cells": noise, "seed": number}, "param_hash": f"{number:016x}"}
    return {
        "id": number,
        "generator": name,
        "task": "task_task",
        "sample_id": f"task_{index:08d}",
        "prompt": f"The scene shows {noise[:30]}; move number {number} to its place. " * 2,
        "metadata_json": json.dumps(metadata, indent=2),
        "first_frame_path": f"{folder}/first_frame.png",
        "final_frame_path": f"{folder}/final_frame.png",
        "ground_truth_video_path": f"{folder}/ground_truth.mp4",
        "tar_file": f"tars/{name}.tar",
    }


def write(path: Path, rows: int, group: int, shuffled: bool) -> None:
    """A table of `rows` in row groups of `group`; shuffled, no statistics help."""
    order = np.random.default_rng(0).permutation(rows) if shuffled else np.arange(rows)
    schema = next(batches(ALL, np.arange(ALL))).schema
    with pq.ParquetWriter(path, schema) as writer:
        collected: list[pa.RecordBatch] = []
        for batch in batches(rows, order):
            collected.append(batch)
            if sum(map(len, collected)) >= min(group, rows):
                writer.write_table(pa.Table.from_batches(collected), row_group_size=group)
                collected = []


def peak_mib() -> float:
    """Peak resident memory of this process (Linux). getrusage would tell that of the parent it was forked from."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def read(path: Path) -> None:
    """What a listing reads of a table; prints what it took."""
    before = peak_mib()
    started = time.monotonic()
    table = Table(path, path.name)
    used: list[int] = []
    count = 0
    parts = table.parts(FOLDERS)
    for generator, part in parts.items():
        rows = table.rows(generator, part)
        count += len(rows)
        used += [row.number for row in rows[:WINDOW]]
    characters = sum(len(prompt or "") + len(text or "") for _, prompt, text in table.texts(used))
    seconds = time.monotonic() - started
    told = f"{count:8d} {len(used):6d} {characters / 1e6:6.1f} {seconds:6.1f}"
    print(f"{before:6.0f} {peak_mib():6.0f} {told}")


def main(folder: Path) -> None:
    """Write, read, tell."""
    print("     rows   group order     MiB |  start   peak     rows  texts Mchars seconds")
    for rows, group, shuffled in (
        (10_000, 10_000, False),
        (1_000_000, 10_000, False),
        (1_000_000, 10_000, True),
        (1_000_000, 1_000_000, True),
    ):
        path = folder / f"{rows}-{group}-{shuffled}.parquet"
        if not path.exists():
            write(path, rows, group, shuffled)
        order = "random" if shuffled else "sorted"
        print(f"{rows:9d} {group:7d} {order} {path.stat().st_size / 2**20:7.0f} | ", end="", flush=True)
        subprocess.run([sys.executable, __file__, "--read", str(path)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(Path(sys.argv[2]))
    elif len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))
