import hashlib
import itertools
import json
import os
import shutil
import subprocess
import tarfile
import warnings

import numpy as np
import pytest
import torch
import webdataset
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.shard import ShardCard, ShardReader, ShardSample, iter_samples, pack, verify_shard, write_shard
from curate.tensors import TensorBytes, pack_tensors, unpack_tensors

extensions = st.sampled_from(["safetensors", "mp4", "wav", "a", "reference.wav", "png"])
sizes = st.one_of(st.integers(0, 40), st.sampled_from([511, 512, 513, 1024, 5000]))
members = st.dictionaries(
    extensions, sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size)), max_size=4
)
some_samples = st.lists(members, min_size=1, max_size=6)


def with_records(samples):
    """(key, members) of samples that have a record."""
    return [
        (f"{n:06d}", {**sample, "json": json.dumps({"id": f"s{n}"}).encode()})
        for n, sample in enumerate(samples)
    ]


def header(name, size):
    """A ustar header as curate writes it, made from tarfile's; tarfile leaves the device fields empty."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.uname, info.gname = size, 0o644, "curate", "curate"
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    block[329:345] = b"0000000\0" * 2
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def handmade(path, names, end=bytes(1024)):
    """A shard with these member names, and the card that it would have."""
    blocks = b"".join(header(name, 2) + b"{}".ljust(512, b"\0") for name in names)
    path.write_bytes(blocks + end)
    places = {name: (1024 * n + 512, 2) for n, name in enumerate(names)}
    grouped = itertools.groupby(places, key=lambda name: name.partition(".")[0])
    samples = [
        ShardSample(key=key, id=None, members={name.partition(".")[2]: places[name] for name in group})
        for key, group in grouped
    ]
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return ShardCard(name=path.name, sha256=digest, bytes=len(data), samples=tuple(samples))


def stock_samples(path):
    """(key, members) as webdataset's own pipeline reads them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file open
        found = list(webdataset.WebDataset(str(path), shardshuffle=False))
    return [(s["__key__"], {name: s[name] for name in s if not name.startswith("__")}) for s in found]


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "train-00000.tar"
    samples = with_records([{"wav": b"a" * 700, "mp4": b"b"}, {}, {"wav": b"c" * 512}])
    return path, samples, write_shard(path, samples)


@settings(deadline=None, max_examples=25)
@given(some_samples, st.randoms())
def test_every_reader_gets_what_was_written(tmp_path_factory, samples, random):
    folder = tmp_path_factory.mktemp("shards")
    path, samples = folder / "train-00000.tar", with_records(samples)
    card = write_shard(path, samples)
    data = path.read_bytes()
    assert card.sha256 == hashlib.sha256(data).hexdigest()
    assert card.bytes == len(data)
    assert [(s.key, s.id) for s in card.samples] == [(key, f"s{n}") for n, (key, _) in enumerate(samples)]
    assert verify_shard(path, card) == []

    shuffled = [(key, dict(random.sample(list(files.items()), len(files)))) for key, files in samples]
    assert write_shard(folder / "again.tar", shuffled).sha256 == card.sha256

    assert [(key, {e: bytes(d) for e, d in files.items()}) for key, files in iter_samples(path)] == samples
    reader = ShardReader(folder, [card])
    assert reader.samples == list(card.samples)
    for key, files in samples:
        for extension, wanted in files.items():
            assert bytes(reader.read(key, extension)) == wanted
    assert stock_samples(path) == samples


def test_tarfile_sees_plain_files_with_the_record_first(shard):
    path, samples, card = shard
    with tarfile.open(path) as tar:
        infos = tar.getmembers()
        assert [info.name for info in infos] == [
            *("000000.json", "000000.mp4", "000000.wav", "000001.json", "000002.json", "000002.wav")
        ]
        assert {(i.mtime, i.uid, i.gid, i.uname, i.gname, i.mode) for i in infos} == {
            (0, 0, 0, *["curate"] * 2, 0o644)
        }
        wanted = {f"{s.key}.{ext}": place for s in card.samples for ext, place in s.members.items()}
        assert {info.name: (info.offset_data, info.size) for info in infos} == wanted
        assert tar.extractfile("000002.wav").read() == samples[2][1]["wav"]


def test_gnu_tar_makes_the_same_bytes(shard, tmp_path):
    path, samples, _ = shard
    tar = shutil.which("tar")
    if not tar or b"GNU" not in subprocess.check_output([tar, "--version"]):
        pytest.skip("no GNU tar")
    (tmp_path / "files").mkdir()
    for key, files in samples:
        for extension, data in files.items():
            (tmp_path / "files" / f"{key}.{extension}").write_bytes(data)
    options = ["--format=ustar", "--owner=curate:0", "--group=curate:0", "--mtime=@0", "--mode=0644", "-b1"]
    names = [f"{key}.{extension}" for key, files in samples for extension in sorted(files)]
    made = subprocess.check_output([tar, *options, "-C", tmp_path / "files", "-c", *names])
    assert made == path.read_bytes()


def test_tensors_are_aligned_in_the_file_and_torch_uses_the_map_itself(tmp_path):
    latents = TensorBytes("BF16", (128, 1, 2, 2), bytes(range(256)) * 4)
    audio = np.linspace(0, 1, 8 * 3 * 16, dtype=np.float32).reshape(8, 3, 16)
    blobs = [
        pack_tensors({"video_latents": latents, "audio_latents": audio}, {"id": f"s{n}"}) for n in range(3)
    ]
    card = write_shard(tmp_path / "a.tar", with_records([{"safetensors": blob} for blob in blobs]))
    reader = ShardReader(tmp_path, [card])
    for n in range(3):
        tensors, metadata = unpack_tensors(reader.read(f"{n:06d}", "safetensors"))
        assert metadata == {"id": f"s{n}"}
        assert all(tensor.array().ctypes.data % 64 == 0 for tensor in tensors.values())
        loaded = torch.frombuffer(tensors["audio_latents"].data, dtype=torch.float32)
        assert torch.equal(loaded.view(8, 3, 16), torch.from_numpy(audio))
        assert loaded.data_ptr() == tensors["audio_latents"].array().ctypes.data


@settings(deadline=None, max_examples=25)
@given(some_samples, st.integers(1, 24).map(lambda blocks: 512 * blocks))
def test_pack_cuts_at_the_limit_and_numbers_through(tmp_path_factory, samples, limit):
    folder = tmp_path_factory.mktemp("shards")
    wanted = with_records(samples)
    cards = pack(folder, "heldout", (files for _, files in wanted), limit)
    assert [card.name for card in cards] == sorted(os.listdir(folder))
    assert [card.name for card in cards] == [f"heldout-{n:05d}.tar" for n in range(len(cards))]
    found = [sample for card in cards for sample in iter_samples(folder / card.name)]
    assert [(key, {e: bytes(d) for e, d in files.items()}) for key, files in found] == wanted
    for card, following in itertools.pairwise(cards):
        first = sum(-(-size // 512) * 512 + 512 for _, size in following.samples[0].members.values())
        assert card.bytes <= limit or len(card.samples) == 1
        assert card.bytes + first > limit  # it could not have held one more


def test_pack_streams(tmp_path):
    def samples():
        for n in range(5):
            assert len(list(tmp_path.glob("train-*.tar"))) >= n - 1  # what came before is on the disk already
            yield {"json": b"{}"}

    assert len(pack(tmp_path, "train", samples(), 1)) == 5


def test_pack_removes_what_an_earlier_longer_run_left(tmp_path):
    for name in [
        "train-00001.tar",
        "heldout-00001.tar",
        "train-mine.tar",
        ".train-00000.tar.7-ab.tmp",
        "index.json",
    ]:
        (tmp_path / name).touch()
    pack(tmp_path, "train", [{"json": b"{}"}])
    assert sorted(os.listdir(tmp_path)) == [
        "heldout-00001.tar",
        "index.json",
        "train-00000.tar",
        "train-mine.tar",
    ]


def test_a_source_that_fails_leaves_no_shard(tmp_path):
    def samples():
        yield "000000", {"json": b"{}"}
        raise RuntimeError("the source is gone")

    with pytest.raises(RuntimeError, match="the source is gone"):
        write_shard(tmp_path / "a.tar", samples())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([("clip", {"json": b"{}"})], "member 'clip.json', wanted six or more digits"),
        ([("42", {"json": b"{}"})], "member '42.json', wanted six or more digits"),
        ([("000000.v1", {"json": b"{}"})], "member '000000.v1.json'"),
        ([("000000", {"json": b"{}", "JPG": b""})], "member '000000.JPG'"),
        ([("000000", {"json": b"{}", "a" * 93: b""})], "member '000000.aaa"),
        ([("000000", {"wav": b""})], r"has members \['wav'\], wanted a json record"),
        ([("000000", {"json": b"{"})], "000000.json is not JSON"),
        ([("000000", {"json": b"\xff"})], "000000.json is not JSON"),
        ([("000000", {"json": b"[]"})], "wanted an object whose id is a string"),
        ([("000000", {"json": b'{"id":3}'})], "wanted an object whose id is a string"),
        ([("000000", {"json": b"{}"})] * 2, "key 000000 comes twice"),
    ],
)
def test_writing_refuses_what_webdataset_would_misread(tmp_path, samples, message):
    with pytest.raises(CurateError, match=f"/a.tar: .*{message}"):
        write_shard(tmp_path / "a.tar", samples)
    assert os.listdir(tmp_path) == []


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_one_flipped_byte_is_named(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("shards") / "train-00000.tar"
    card = write_shard(path, with_records([{"wav": b"a" * 700}, {}]))
    blob = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(blob)
    faults = verify_shard(path, card)
    assert faults
    assert all(fault.startswith(f"{path}: ") and "\n" not in fault for fault in faults)
    inside = any(start <= position < start + size for s in card.samples for start, size in s.members.values())
    if not inside:  # then the archive shows it without its sha256
        with pytest.raises(CurateError):
            list(iter_samples(path))


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_cut_archive_is_named(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("shards") / "train-00000.tar"
    card = write_shard(path, with_records([{"wav": b"a" * 700}, {}]))
    size = data.draw(st.integers(0, card.bytes - 1))
    os.truncate(path, size)
    assert any("truncated" in fault or "two zero blocks" in fault for fault in verify_shard(path, card))
    with pytest.raises(CurateError, match=f"{path}"):
        list(iter_samples(path))
    with pytest.raises(CurateError, match=f"{size} bytes, the index says {card.bytes}"):
        ShardReader(path.parent, [card]).read("000000", "json")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["000000.json", "000000.wav", "000000.wav"], "member 000000.wav comes twice"),
        (["000000.json", "000001.json", "000000.json"], "member 000000.json comes twice"),
        (["000000.json", "000001.json", "000000.wav"], "the members of 000000 are not adjacent"),
        (["000000.wav", "000000.json"], "sample 000000 begins with 000000.wav"),
        (["000000.v1.json", "000000.v2.json"], "sample 000000 begins with 000000.v1.json"),
        (["000000.1.json"], "member '000000.1.json', wanted six or more digits"),
        (["clip.json"], "member 'clip.json', wanted six or more digits"),
        (["a/000000.json"], "member 'a/000000.json', wanted six or more digits"),
    ],
)
def test_names_that_mislead_webdataset_are_named(tmp_path, names, message):
    path = tmp_path / "a.tar"
    card = handmade(path, names)
    assert any(fault.startswith(f"{path}: {message}") for fault in verify_shard(path, card))
    with pytest.raises(CurateError, match=str(path)):
        list(iter_samples(path))


def test_what_the_index_says_otherwise_is_named(shard):
    path, _, card = shard
    first, second, third = card.samples

    def faults(*samples):
        return verify_shard(path, card.model_copy(update={"samples": samples}))

    moved = second.model_copy(update={"members": {"json": (512, 2)}})
    assert faults(first, second) == [f"{path}: 2 members not in the index, first 000002.json"]
    assert faults(first, moved, third) == [
        f"{path}: 1 members elsewhere than the index says, first 000001.json"
    ]
    assert faults(first, second, third, third) == [f"{path}: the index has a key twice"]
    more = second.model_copy(update={"key": "000009"})
    assert faults(first, second, third, more) == [f"{path}: 1 members missing, first 000009.json"]
    other = card.model_copy(update={"sha256": "0" * 64, "bytes": 5})
    assert [fault.split(": ")[1].split(" ")[0] for fault in verify_shard(path, other)] == [
        str(card.bytes),
        "sha256",
    ]
    path.unlink()
    assert verify_shard(path, card) == [f"cannot read {path}: No such file or directory"]


def test_more_than_the_archive_is_named(shard):
    path, _, _ = shard
    path.write_bytes(path.read_bytes() + bytes(512))
    with pytest.raises(CurateError, match="wanted two zero blocks and nothing else"):
        list(iter_samples(path))


def test_the_reader_refuses_what_is_not_there(shard, tmp_path):
    path, samples, card = shard
    reader = ShardReader(tmp_path, [card])
    with pytest.raises(CurateError, match=r"no member 000007.json in the index"):
        reader.read("000007", "json")
    with pytest.raises(CurateError, match=r"no member 000001.wav in the index"):
        reader.read("000001", "wav")
    with pytest.raises(CurateError, match="key 000000 comes twice"):
        ShardReader(tmp_path, [card, card])
    write_shard(
        path, [(f"{int(key) + 3:06d}", files) for key, files in samples]
    )  # as many bytes, other samples
    with pytest.raises(CurateError, match=r"no 000000.json of 12 bytes at byte 512"):
        ShardReader(tmp_path, [card]).read("000000", "json")


def test_a_view_outlives_its_reader(shard, tmp_path):
    _, samples, card = shard
    view = ShardReader(tmp_path, [card]).read("000002", "wav")
    view[0] = 0  # private and writable
    assert bytes(view[1:]) == samples[2][1]["wav"][1:]
    assert bytes(ShardReader(tmp_path, [card]).read("000002", "wav")) == samples[2][1]["wav"]


def test_a_card_survives_its_json(shard):
    _, _, card = shard
    assert ShardCard.model_validate_json(card.model_dump_json()) == card
