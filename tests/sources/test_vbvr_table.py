from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import CurateError
from curate.sources.vbvr_table import Table
from tests.sources.vbvr_listing import listed, told
from tests.vbvr_folders import (
    BALL,
    GRID,
    MAZE,
    make_rows,
    make_vbvr,
    members_of,
    write_table,
    write_tar,
)  # fmt: skip


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../x.mp4", "a/../../x.mp4", "a//x.mp4", "a\nb.mp4", "", None]
)
@pytest.mark.parametrize("column", ["ground_truth_video_path", "first_frame_path", "tar_file"])
def test_paths_that_lead_out_of_the_tar_are_refused(name: str | None, column: str, tmp_path: Path) -> None:
    rows = make_rows({BALL: 3})
    rows[1][column] = name
    write_table(tmp_path, rows)
    write_tar(tmp_path / "tars" / f"{BALL}.tar", [member for row in rows for member in members_of(rows[0])])
    with pytest.raises(CurateError) as error:
        listed(tmp_path, tmp_path / "cache", BALL)
    assert f"found {column} {name!r}, wanted a relative path" in str(error.value)
    assert "\n" not in str(error.value) and not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_bytes(b"no parquet at all, though long enough"), "cannot be read as parquet"),
        (lambda path: path.write_bytes(b""), "cannot be read as parquet"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "cannot be read as parquet"),
        (lambda path: path.write_bytes(b"PAR1" + bytes(3000) + path.read_bytes()[3004:]), "cannot be read as parquet"),
        (lambda path: _rewrite(path, lambda t: t.drop_columns(["prompt"])), "found no column prompt; wanted"),
        (lambda path: _rewrite(path, lambda t: t.append_column("generator", t["task"])), "found 2 columns generator"),
        (lambda path: _rewrite(path, lambda t: t.set_column(4, "prompt", _no_text(len(t)))), "cannot be read as parquet"),
        (lambda path: _rewrite(path, lambda t: t.set_column(3, "sample_id", t["id"])), "found column sample_id of type int64"),
        (lambda path: _rewrite(path, lambda t: t.set_column(9, "tar_file", pa.nulls(len(t), pa.string()))), "found tar_file None"),
        (lambda path: _rewrite(path, lambda t: t.set_column(3, "sample_id", pa.nulls(len(t), pa.string()))), "found sample_id None"),
    ],
)  # fmt: skip
def test_a_malformed_table_is_one_line(damage: Any, told: str, tmp_path: Path) -> None:
    make_vbvr(tmp_path / "vbvr", {BALL: 3})
    damage(tmp_path / "vbvr" / "data" / "metadata.parquet")
    with pytest.raises(CurateError) as error:
        listed(tmp_path / "vbvr", tmp_path / "cache", BALL)
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'vbvr'}/data/metadata.parquet") and told in message
    assert "\n" not in message


def _rewrite(path: Path, change: Any) -> None:
    pq.write_table(change(pq.read_table(path)), path)


@pytest.mark.parametrize(
    "options",
    [{"row_group_size": 1}, {"row_group_size": 1000}, {"write_statistics": False}, {"use_dictionary": False}],
)  # fmt: skip
def test_rows_are_found_however_the_table_is_cut_up(options: dict[str, Any], tmp_path: Path) -> None:
    rows = make_rows({BALL: 20, GRID: 20, MAZE: 20})
    rows = [rows[index * 7 % 60] for index in range(60)]  # 7 and 60 have no common divisor
    write_table(tmp_path, rows, **options)
    table = Table(tmp_path / "data" / "metadata.parquet", "table")
    parts = table.parts([GRID, "no such"])
    assert list(parts) == [GRID]
    found = table.rows(GRID, parts[GRID])
    expected = [(n, row) for n, row in enumerate(rows) if row["generator"] == GRID]
    assert [(row.number, row.video) for row in found] == [
        (n, r["ground_truth_video_path"]) for n, r in expected
    ]
    told = list(table.texts([row.number for row in found[3:9]]))
    assert told == [(n, row["prompt"], row["metadata_json"]) for n, row in expected[3:9]]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_columns_of_any_kind(kind: pa.DataType, tmp_path: Path) -> None:
    make_vbvr(tmp_path / "vbvr", {BALL: 3, GRID: 2})
    expected = told(listed(tmp_path / "vbvr", tmp_path / "cache", BALL))
    _rewrite(
        tmp_path / "vbvr" / "data" / "metadata.parquet",
        lambda t: t.cast(
            pa.schema([(f.name, kind if pa.types.is_string(f.type) else f.type) for f in t.schema])
        ),
    )
    assert told(listed(tmp_path / "vbvr", tmp_path / "cache", BALL)) == expected


def test_row_groups_that_cannot_hold_a_generator_are_skipped(tmp_path: Path) -> None:
    rows = make_rows({BALL: 5, GRID: 5, MAZE: 5})
    write_table(tmp_path, rows, row_group_size=5)
    path = tmp_path / "data" / "metadata.parquet"
    meta = pq.read_metadata(path)
    column = meta.row_group(0).column(1)
    data = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(data)  # the names of the first row group are gone, but its statistics are there
    table = Table(path, "table")
    assert len(table.rows(MAZE, table.parts([MAZE])[MAZE])) == 5
    with pytest.raises(CurateError, match="cannot be read as parquet"):
        table.parts([BALL])


def _no_text(count: int) -> pa.Array:
    """Strings of bytes that are no UTF-8."""
    return pa.array([b"\xff\xfe"] * count, pa.binary()).view(pa.string())
