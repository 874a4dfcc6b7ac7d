"""Wall and CPU time of each stage of a helium-v2 build in one process, against what each could not do without.

    python benchmarks/stages.py [SOURCE] [CLIPS]

SOURCE is `demo` (with CLIPS talking heads, default 12) or a folder.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import av
import numpy as np
import torch

from curate.build import Built, build
from curate.encode.stack import load
from curate.encode.video import encode_video
from curate.engine import Serial
from curate.media.video import read_frames
from curate.pipeline import Pipeline, Request
from curate.progress import Reporter
from curate.shard import iter_samples

Item = TypeVar("Item")
REPEATS = 5


class Clock(Reporter):
    """Remembers wall and CPU seconds and the number of tasks of every stage."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.rows: list[tuple[str, int, float, float]] = []

    def track(self, label: str, items: Iterable[Item], total: int) -> Iterator[Item]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield from items
        self.rows.append((label, total, time.perf_counter() - wall, time.process_time() - cpu))


def median_s(run: Callable[[], object]) -> float:
    """Median CPU seconds of REPEATS runs after one to warm up."""
    run()
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds))


def decode_only(path: str, frames: int) -> None:
    with av.open(path) as container:
        for number, _ in enumerate(container.decode(video=0), start=1):
            if number == frames:
                return


def limits(request: Request, result: Built) -> None:
    """Decode, fit, encode and read one sample, each beside its floor."""
    clip = Pipeline(request, Serial(), Reporter(quiet=True)).listed().clips[0]
    want = {"start_s": 0.0, "frames": 121, "fps": 25.0, "width": 256, "height": 256}
    frames = read_frames(clip.path, **want)  # type: ignore[arg-type]
    stack = load(request.model, request.cache)
    with torch.no_grad():
        pixels = torch.from_numpy(frames).permute(3, 0, 1, 2)[None] / 127.5 - 1
    torch.set_num_threads(1)

    def forward() -> None:
        with torch.no_grad():
            stack.vae.encoder(pixels)

    floor = {"decode": median_s(lambda: decode_only(clip.path, 121)), "forward": median_s(forward)}
    ours = {
        "decode": median_s(lambda: read_frames(clip.path, **want)),  # type: ignore[arg-type]
        "forward": median_s(lambda: encode_video(stack, frames)),
    }
    print(f"read_frames (decode, retime, fit)  {ours['decode']:.3f} s, bare decode {floor['decode']:.3f} s, {ours['decode'] / floor['decode']:.2f}x")  # fmt: skip
    print(f"encode_video 121x256x256           {ours['forward']:.3f} s, bare forward {floor['forward']:.3f} s, {ours['forward'] / floor['forward']:.2f}x")  # fmt: skip
    shard = next((result.folder / "shards").glob("train-*.tar"))
    size = shard.stat().st_size
    source, target = np.frombuffer(shard.read_bytes(), np.uint8), np.empty(size, np.uint8)

    def read() -> None:
        for _, members in iter_samples(shard):
            view = np.frombuffer(members["safetensors"], np.uint8)
            target[: len(view)] = view

    copy_s, read_s = median_s(lambda: np.copyto(target, source)), median_s(read)
    print(
        f"shard read, {size / 1e6:.1f} MB             {1e3 * read_s:.2f} ms, memory copy {1e3 * copy_s:.2f} ms"
    )


def main(source: str = "demo", clips: str = "12") -> None:
    with TemporaryDirectory() as folder:
        extra = {"demo.clips": int(clips)} if source == "demo" else {}
        request = Request("helium-v2", source, {}, extra, "tiny", Path(folder) / "cache")
        clock = Clock()
        wall = time.perf_counter()
        result = build(request, Path(folder) / "set", Serial(), clock)
        print(f"load {os.getloadavg()[0]:.1f}, {result.manifest.counts.kept} pairs of {result.manifest.counts.files} files, {time.perf_counter() - wall:.1f} s in all")  # fmt: skip
        for label, tasks, wall_s, cpu_s in clock.rows:
            print(
                f"{label:10} {tasks:5} tasks  wall {wall_s:7.2f} s  CPU {cpu_s:7.2f} s  {1e3 * cpu_s / tasks:8.1f} ms a task"
            )
        limits(request, result)


if __name__ == "__main__":
    main(*sys.argv[1:])
