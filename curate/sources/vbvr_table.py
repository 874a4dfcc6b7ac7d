"""VBVR's table: a million rows of captions and parameters, read a few columns and one generator at a time."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from curate.errors import CurateError
from curate.sources.store import is_safe

GENERATOR, TAR = "generator", "tar_file"
PLACES = ("sample_id", "first_frame_path", "final_frame_path", "ground_truth_video_path", TAR)
TEXTS = ("prompt", "metadata_json")
BATCH = 8192  # rows held at once
BUFFER = 1 << 16  # bytes; without it a whole column of a row group is in memory


class Row(NamedTuple):
    """One sample without its texts. Paths are those inside the tar."""

    number: int  # in the table
    sample_id: str
    first: str
    final: str
    video: str
    tar: str


@dataclass
class Part:
    """Where the rows of one generator are."""

    groups: list[int] = field(default_factory=list)  # row groups
    tars: set[str] = field(default_factory=set)


class Table:
    """`data/metadata.parquet`. All methods raise CurateError when it is not as VBVR's is."""

    def __init__(self, path: Path, name: str) -> None:
        from pyarrow import parquet

        self.name = name
        with self._readable():
            # through a small buffer, without reading ahead: that would hold whole row groups
            self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER)
        self._refuse_other_columns()
        meta = self._file.metadata
        sizes = (meta.row_group(group).num_rows for group in range(meta.num_row_groups))
        self._starts = list(
            accumulate(sizes, initial=0)
        )  # number of the first row of each group, and the end

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def parts(self, generators: Collection[str]) -> dict[str, Part]:
        """Where the rows of these generators are, of those that have any, in one pass over two columns."""
        found: dict[str, Part] = {}
        for group in range(len(self._starts) - 1):
            if not self._may_hold(group, generators):
                continue
            for _, batch in self._batches(group, (GENERATOR, TAR)):
                pairs = self._cells(batch, self._where(batch, generators), (GENERATOR, TAR))
                for generator, tar in dict.fromkeys(pairs):
                    part = found.setdefault(generator, Part())
                    part.groups += [] if group in part.groups else [group]
                    part.tars.add(self._path(tar, TAR, f"a row of {generator}"))
        return found

    def rows(self, generator: str, part: Part) -> list[Row]:
        """The rows of one generator in the table's order."""
        found: list[Row] = []
        for group in part.groups:
            for start, batch in self._batches(group, (GENERATOR, *PLACES)):
                chosen = self._where(batch, (generator,))
                for index, cells in zip(chosen, self._cells(batch, chosen, PLACES), strict=True):
                    found.append(self._row(start + index, cells))
        return found

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str | None, str | None]]:
        """Number, prompt and metadata_json of these rows, in one pass over the row groups that hold them."""
        wanted = sorted(numbers)
        for group, (first, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            if bisect_left(wanted, first) == bisect_left(wanted, end):
                continue
            for start, batch in self._batches(group, TEXTS):
                here = wanted[bisect_left(wanted, start) : bisect_left(wanted, start + len(batch))]
                chosen = [number - start for number in here]
                for number, cells in zip(here, self._cells(batch, chosen, TEXTS), strict=True):
                    yield number, *cells

    def _where(self, batch: Any, generators: Collection[str]) -> list[int]:
        """Indices of the rows of these generators."""
        import pyarrow
        from pyarrow import compute

        with self._readable():
            names = pyarrow.array(sorted(generators), pyarrow.string())
            chosen: list[int] = compute.indices_nonzero(
                compute.is_in(batch.column(GENERATOR), names)
            ).to_pylist()
            return chosen

    def _cells(
        self, batch: Any, chosen: Sequence[int], columns: tuple[str, ...]
    ) -> Iterator[tuple[Any, ...]]:
        """The cells of some rows, row by row."""
        import pyarrow

        with self._readable():
            picked = batch.take(pyarrow.array(chosen, pyarrow.int64()))
            return zip(*(picked.column(name).to_pylist() for name in columns), strict=True)

    def _may_hold(self, group: int, generators: Collection[str]) -> bool:
        """By the least and the greatest name that the row group's statistics tell, if they do."""
        row_group = self._file.metadata.row_group(group)
        columns = (row_group.column(index) for index in range(row_group.num_columns))
        told = next(column.statistics for column in columns if column.path_in_schema == GENERATOR)
        if told is None or not told.has_min_max or not isinstance(told.min, str):
            return True
        return any(told.min <= name <= told.max for name in generators)

    def _batches(self, group: int, columns: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
        """Number of the first row, and the rows, of each batch of a row group."""
        start = self._starts[group]
        with self._readable():
            for batch in self._file.iter_batches(
                BATCH, row_groups=[group], columns=list(columns), use_threads=False
            ):
                yield start, batch
                start += len(batch)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        import pyarrow

        try:
            yield
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            found = str(error).partition("\n")[0][:200]
            raise CurateError(f"{self.name}: cannot be read as parquet: {found}") from error

    def _refuse_other_columns(self) -> None:
        schema = self._file.schema_arrow
        wanted = (GENERATOR, *PLACES, *TEXTS)
        if missing := [name for name in wanted if name not in schema.names]:
            raise CurateError(
                f"{self.name}: found no column {', '.join(missing)}; wanted {', '.join(wanted)}"
            )
        for name in wanted:
            if schema.names.count(name) > 1:
                raise CurateError(f"{self.name}: found {schema.names.count(name)} columns {name}, wanted one")
            if not _is_text(kind := schema.field(name).type):
                raise CurateError(f"{self.name}: found column {name} of type {kind}, wanted string")

    def _row(self, number: int, cells: tuple[Any, ...]) -> Row:
        where = f"row {number}"
        if not isinstance(cells[0], str):
            raise CurateError(f"{self.name}, {where}: found sample_id {cells[0]!r}, wanted a text")
        paths = (self._path(cell, name, where) for cell, name in zip(cells[1:], PLACES[1:], strict=True))
        return Row(number, cells[0], *paths)

    def _path(self, value: object, column: str, where: str) -> str:
        """A path that leads nowhere but into the tar, or into the place where its files are put."""
        if not isinstance(value, str) or not is_safe(value.removeprefix("./")):
            found = f"{self.name}, {where}: found {column} {value!r}"
            raise CurateError(f"{found}, wanted a relative path without '..'")
        return value.removeprefix("./")


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind))
