"""The demo source of the recipe `vbvr`: VBVR's 27 generators in small, drawn on the spot, offline, in the Hub's layout.

Every choice is drawn from the identity of a sample, so the first samples of a generator do not depend on how
many are wanted. Some samples are flawed on purpose, by their number, so that a build has something to reject:
one in eight is too long, one in eight is its predecessor again under another name, and one in three of O-7 has
the defect of the real captions, colours without names.
"""

import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import count as numbers
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from curate.errors import CurateError
from curate.generators import GENERATORS, id_of
from curate.media.one_thread import one_thread
from curate.media.video import write_video
from curate.records import Record, rng, sha256_of
from curate.sources import (
    demo_vbvr_graphs,
    demo_vbvr_grids,
    demo_vbvr_lights,
    demo_vbvr_liquids,
    demo_vbvr_objects,
    demo_vbvr_physics,
    demo_vbvr_puzzles,
    demo_vbvr_shapes,
    demo_vbvr_tiles,
)
from curate.sources.demo_vbvr_pen import Board, Parameters

FPS = 16
LONGEST = 110
FLAW_EVERY, TOO_LONG, TWIN = 8, 5, 7  # a sample's number modulo eight
NAMELESS_EVERY, NAMELESS = 3, 2  # a sample's number modulo three, O-7 alone
SPARE = 2
FILES = ("first_frame.png", "final_frame.png", "ground_truth.mp4", "metadata.json", "prompt.txt")
COLUMNS = (
    "generator", "task", "sample_id", "prompt", "metadata_json", "first_frame_path", "final_frame_path",
    "ground_truth_video_path", "tar_file",
)  # fmt: skip
DRAWINGS = {
    **demo_vbvr_graphs.DRAWINGS, **demo_vbvr_grids.DRAWINGS, **demo_vbvr_lights.DRAWINGS,
    **demo_vbvr_liquids.DRAWINGS, **demo_vbvr_objects.DRAWINGS, **demo_vbvr_physics.DRAWINGS,
    **demo_vbvr_puzzles.DRAWINGS, **demo_vbvr_shapes.DRAWINGS, **demo_vbvr_tiles.DRAWINGS,
}  # fmt: skip


class VbvrDemo(Record):
    """The config of the source."""

    size: int = Field(512, ge=128, le=1024, multiple_of=64, description="Width and height in pixels.")
    seed: int = Field(0, ge=0, description="Another seed is another set of tasks.")


class DrawTask(Record):
    """One sample with every choice made and nothing drawn."""

    generator: str = Field(description="Name of its folder.")
    task: str = Field(description="Short name of the task, without _task.")
    number: int
    size: int
    seed: int
    frames: int
    start_hold: int = Field(description="Frames before anything moves.")
    end_hold: int = Field(description="Frames after everything has come to rest.")
    parameters: Parameters
    prompt: str

    @property
    def sample_id(self) -> str:
        """Such as `bfs_00000003`."""
        return f"{self.task}_{self.number:08d}"

    @property
    def directory(self) -> str:
        """Where its files lie, in the tar and under `samples`."""
        return f"{self.generator}/{self.task}_task/{self.sample_id}"


def sound(number: int, generator: str = "") -> bool:
    """Whether a sample of this number has no flaw. `generator` is a name or a folder's name; "" is any but O-7."""
    nameless = _may_be_nameless(generator) and number % NAMELESS_EVERY == NAMELESS
    return number % FLAW_EVERY not in (TOO_LONG, TWIN) and not nameless


def needed(count: int, generator: str = "") -> int:
    """How many samples of a generator hold `count` sound ones and two more."""
    of_use = (number for number in numbers() if sound(number, generator))
    return next(islice(of_use, count + SPARE - 1, None)) + 1


def _may_be_nameless(generator: str) -> bool:
    return bool(generator) and id_of(generator) == "O-7"


def vbvr_plan(config: VbvrDemo, wanted: Mapping[str, int]) -> list[DrawTask]:
    """All samples, `wanted` of each generator by the name of its folder, in order of name and number.

    Raises CurateError for a folder that is none of VBVR's.
    """
    return [task for folder in sorted(wanted) for task in _generator_plan(config, folder, wanted[folder])]


def _generator_plan(config: VbvrDemo, folder: str, count: int) -> Iterator[DrawTask]:
    generator = GENERATORS.get(id_of(folder))
    if generator is None or generator.folder != folder:
        raise CurateError(
            f"{folder!r} is no folder of VBVR; wanted one such as {GENERATORS['G-11'].folder!r}"
        )
    drawing, before = DRAWINGS[generator.id], list[Parameters]()
    seen = set[str]()
    for number in range(count):
        if number % FLAW_EVERY == TWIN:
            parameters = before[-1]
        else:
            parameters = _new_parameters(config.seed, folder, number, seen)
        before.append(parameters)
        nameless = _may_be_nameless(folder) and number % NAMELESS_EVERY == NAMELESS
        frames, start_hold, end_hold = _length(config.seed, folder, number)
        yield DrawTask(
            generator=folder,
            task=generator.task,
            number=number,
            size=config.size,
            seed=config.seed,
            frames=frames,
            start_hold=start_hold,
            end_hold=end_hold,
            parameters=parameters,
            prompt=demo_vbvr_shapes.nameless_caption(parameters) if nameless else drawing.caption(parameters),
        )


def _new_parameters(seed: int, folder: str, number: int, seen: set[str]) -> Parameters:
    """Parameters that no lower number has; these do not depend on how many are wanted, so neither do they."""
    draws = (rng(seed, folder, str(number), f"parameters {attempt}") for attempt in numbers())
    candidates = map(DRAWINGS[id_of(folder)].choose, draws)
    parameters = next(candidate for candidate in candidates if param_hash(candidate) not in seen)
    seen.add(param_hash(parameters))
    return parameters


def _length(seed: int, folder: str, number: int) -> tuple[int, int, int]:
    """Frames in all, at rest at the start, and at rest at the end. A twin rests one frame longer."""
    if number % FLAW_EVERY == TWIN:
        frames, start_hold, end_hold = _length(seed, folder, number - 1)
        return frames + 1, start_hold, end_hold + 1
    draw = rng(seed, folder, str(number), "length")
    start_hold, end_hold = (int(hold) for hold in (draw.integers(5, 11), draw.integers(6, 13)))
    if number % FLAW_EVERY == TOO_LONG:
        return int(draw.integers(190, 201)), start_hold, end_hold
    shortest = DRAWINGS[id_of(folder)].least_frames
    longer = (LONGEST - shortest) * float(draw.random()) ** 3  # short ones are more common
    return shortest + int(longer), start_hold, end_hold


def param_hash(parameters: Parameters) -> str:
    """What VBVR tells two samples apart by."""
    return sha256_of(parameters)[:16]


def draw_frames(task: DrawTask) -> npt.NDArray[np.uint8]:
    """(F, size, size, 3) RGB. What is at rest is drawn once."""
    drawing, board = DRAWINGS[id_of(task.generator)], Board(task.size)
    moving = task.frames - task.start_hold - task.end_hold
    frames = np.empty((task.frames, task.size, task.size, 3), np.uint8)
    with one_thread():
        drawing.ground(board, task.parameters)
        board.keep()
        for k in range(moving + 2):
            board.wipe()
            drawing.paint(board, task.parameters, k / (moving + 1))
            board.show(frames[task.start_hold - 1 + k])
    frames[: task.start_hold] = frames[task.start_hold - 1]
    frames[-task.end_hold :] = frames[-task.end_hold]
    return frames


def draw_sample(task: DrawTask, folder: Path) -> Path:
    """Write the five files of a sample under `folder`/samples and return their directory.

    The same task gives the same bytes, in any order and any process. The mp4 appears last and whole. Raises
    CurateError when the folder cannot be written.
    """
    directory = folder / "samples" / task.directory
    frames = draw_frames(task)
    with _whole(directory / "ground_truth.mp4") as draft:
        (directory / "first_frame.png").write_bytes(_png(frames[0]))
        (directory / "final_frame.png").write_bytes(_png(frames[-1]))
        (directory / "metadata.json").write_text(metadata(task), "utf-8", newline="\n")
        (directory / "prompt.txt").write_text(task.prompt, "utf-8", newline="\n")
        write_video(draft, frames, FPS)
    return directory


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A draft that becomes the file when it is written. Raises CurateError when it cannot be."""
    draft = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except OSError as error:  # libav's errors on files are OSErrors too
        raise CurateError(f"{error.filename or path}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    _, encoded = cv2.imencode(".png", pixels[:, :, ::-1])
    return bytes(encoded.tobytes())


def metadata(task: DrawTask) -> str:
    """The text of metadata.json, with the keys of the real one."""
    found: dict[str, Any] = {
        "task_id": task.sample_id,
        "generator": task.task,
        "timestamp": "2026-01-01T00:00:00",
        "parameters": task.parameters,
        "param_hash": param_hash(task.parameters),
        "generation": {
            "seed": task.seed,
            "git": {"commit": "", "branch": "", "repo": "", "is_dirty": False},
        },
    }
    return json.dumps(found, indent=2, ensure_ascii=False)


def pack_vbvr(folder: Path, tasks: Sequence[DrawTask]) -> None:
    """Pack drawn samples as the Hub has them: a tar for each generator, then the table of all samples.

    Raises CurateError when a sample was not drawn or the folder cannot be written.
    """
    ordered = sorted(tasks, key=lambda task: (task.generator, task.number))
    for generator, group in groupby(ordered, key=lambda task: task.generator):
        with _whole(folder / "tars" / f"{generator}.tar") as draft:
            _write_tar(draft, folder / "samples", list(group))
    with _whole(folder / "data" / "metadata.parquet") as draft:
        _write_table(draft, ordered)


def _write_tar(path: Path, samples: Path, tasks: Sequence[DrawTask]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for task in tasks:
            if not (samples / task.directory / "ground_truth.mp4").is_file():
                raise CurateError(f"{samples / task.directory}: not drawn yet, wanted {', '.join(FILES)}")
            for name in FILES:
                content = (samples / task.directory / name).read_bytes()
                member = tarfile.TarInfo(f"{task.directory}/{name}")  # mtime 0, owner 0, mode 644
                member.size = len(content)
                tar.addfile(member, BytesIO(content))


def _write_table(path: Path, tasks: Sequence[DrawTask]) -> None:
    import pyarrow
    import pyarrow.parquet

    columns = {name: [row[name] for row in map(_row, tasks)] for name in COLUMNS}
    table = pyarrow.table({
        "id": pyarrow.array(range(len(tasks)), pyarrow.int64()),
        **{name: pyarrow.array(column, pyarrow.string()) for name, column in columns.items()},
    })  # fmt: skip
    pyarrow.parquet.write_table(table, path)


def _row(task: DrawTask) -> dict[str, str]:
    """What the Hub's table says of a sample, without its id."""
    return {
        "generator": task.generator,
        "task": f"{task.task}_task",
        "sample_id": task.sample_id,
        "prompt": task.prompt,
        "metadata_json": metadata(task),
        "first_frame_path": f"{task.directory}/first_frame.png",
        "final_frame_path": f"{task.directory}/final_frame.png",
        "ground_truth_video_path": f"{task.directory}/ground_truth.mp4",
        "tar_file": f"tars/{task.generator}.tar",
    }
