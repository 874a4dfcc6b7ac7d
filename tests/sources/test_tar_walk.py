import io
import tarfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError, Rejected
from curate.sources.tar_walk import Member, members

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=1, max_size=90).filter(
    lambda name: not name.endswith("/")
)


def tar_of(files: list[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def walked(data: bytes, offset: int = 0) -> list[tuple[Member, bytes]]:
    """All members with their bytes; raises what the walk raises."""
    stream = io.BytesIO(data)
    stream.seek(offset)
    return [(member, b"".join(member.chunks())) for member in members(stream, offset, "x.tar")]


@settings(max_examples=50, deadline=None)
@given(
    files=st.lists(st.tuples(NAMES, st.binary(max_size=1500)), min_size=1, max_size=5),
    form=st.sampled_from(FORMATS[1:]),
    long=st.booleans(),
)
def test_it_finds_what_tarfile_finds(files: list[tuple[str, bytes]], form: int, long: bool) -> None:
    files = [(f"{'folder/' * 20 * long}{name}", data) for name, data in files]
    data = tar_of(files, form)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        expected = [(each.name.removeprefix("./"), each.size, each.offset) for each in tar]
    found = walked(data)
    assert [(each.name, each.size) for each, _ in found] == [each[:2] for each in expected]
    assert [data for _, data in found] == [data for _, data in files]
    starts = [0, *(each.end for each, _ in found[:-1])]
    assert starts == [offset for _, _, offset in expected]
    for number, start in enumerate(starts):  # it can go on at each of them
        assert [each.name for each, _ in walked(data, start)] == [each.name for each, _ in found[number:]]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_the_bytes_it_ends_with_a_reason(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMATS[1:]))
    whole = bytearray(tar_of([("f/" * 70 + "a", b"x" * 700), ("b", b"y"), ("c", b"")], form))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, 4096))] = data.draw(st.integers(0, 255))
    try:
        for member, content in walked(bytes(whole)):
            assert len(content) == (member.size if member.kind == "a file" else 0)
    except Rejected as why:
        assert why.reason == "truncated_tar"
    except CurateError as error:
        assert str(error) == "x.tar: found no tar header at its start, wanted a plain tar"


def header(**fields: Any) -> bytes:
    member = tarfile.TarInfo("x")
    for name, value in fields.items():
        setattr(member, name, value)
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (header(size=-3), "no tar header at byte 1024"),
        (header(size=1 << 40), "ends too early"),
        (header(size=1 << 40, type=tarfile.GNUTYPE_LONGNAME), "a name of 1099511627776 bytes at byte 1536"),
        (b"not a header" * 100, "no tar header at byte 1024"),
        (b"", "ends too early"),
        (b"x", "ends too early"),
    ],
)  # fmt: skip
def test_where_a_tar_stops_making_sense(after: bytes, told: str) -> None:
    first = header(size=3) + b"abc" + bytes(509)
    with pytest.raises(Rejected) as error:
        walked(first + after)
    assert (error.value.reason, error.value.detail) == ("truncated_tar", told)


@pytest.mark.parametrize(
    "record", [b"x", b"999 size=1\n", b"0 size=1\n", b"9" * 5000 + b" a=b\n", b"-3 a=b\n", b"410 size=" + b"9" * 400 + b"\n"]
)  # fmt: skip
def test_a_malformed_extended_header_says_nothing(record: bytes) -> None:
    padded = record + bytes(-len(record) % 512)
    data = (
        header(type=tarfile.XHDTYPE, size=len(record)) + padded + header(size=3) + b"abc" + bytes(509 + 1024)
    )
    assert [(member.name, content) for member, content in walked(data)] == [("x", b"abc")]
