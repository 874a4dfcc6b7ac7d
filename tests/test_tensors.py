import json
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from curate.errors import CurateError
from curate.tensors import DTYPES, TensorBytes, pack_tensors, unpack_tensors

LATENTS = {
    "video_latents": TensorBytes("BF16", (128, 2, 3, 3), bytes(range(256)) * 18),
    "audio_latents": np.arange(8 * 5 * 16, dtype=np.float32).reshape(8, 5, 16),
    "reference_audio_latents": np.ones((8, 3, 16), np.float32),
}
some_arrays = st.sampled_from([dtype for name, dtype in DTYPES.items() if name != "BF16"]).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
)


def handmade(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: Any = "U8", shape: Any = (4,), offsets: Any = (0, 4), **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


META = {"__metadata__": {"curate": "{}"}}


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(min_size=1, max_size=9), some_arrays, max_size=5), st.randoms())
def test_round_trip_is_exact_ordered_and_read_by_the_stock_reader(tensors, random):
    tensors.pop("__metadata__", None)
    blob = pack_tensors(tensors, {"id": "ä", "n": 1.5})
    shuffled = random.sample(list(tensors.items()), len(tensors))
    assert pack_tensors(dict(shuffled), {"n": 1.5, "id": "ä"}) == blob
    found, metadata = unpack_tensors(blob)
    assert metadata == {"id": "ä", "n": 1.5}
    stock = safetensors.numpy.load(blob)
    assert found.keys() == tensors.keys() == stock.keys()
    for name, wanted in tensors.items():
        for array in (found[name].array(), stock[name]):
            assert array.dtype == wanted.dtype
            assert array.shape == wanted.shape
            assert array.tobytes() == wanted.tobytes()


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), some_arrays, max_size=6))
def test_tensors_start_aligned(tensors):
    blob = pack_tensors(tensors, {})
    size = int.from_bytes(blob[:8], "little")
    starts = {
        n: 8 + size + v["data_offsets"][0]
        for n, v in json.loads(blob[8 : 8 + size]).items()
        if n != "__metadata__"
    }
    assert (8 + size) % 64 == 0
    ragged = [name for name in starts if tensors[name].nbytes % 64]
    first_ragged = min(ragged, key=starts.__getitem__, default=None)
    for name, start in starts.items():
        wanted = tensors[name].itemsize if name in ragged and name != first_ragged else 64
        assert start % wanted == 0


def test_torch_reads_bfloat16():
    video = torch.randn(128, 2, 3, 3, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    carried = TensorBytes("BF16", tuple(video.shape), video.view(torch.uint16).numpy().data)
    blob = pack_tensors({**LATENTS, "video_latents": carried}, {"id": "a"})
    stock = safetensors.torch.load(blob)
    assert stock["video_latents"].dtype == torch.bfloat16
    assert torch.equal(stock["video_latents"], video)
    assert torch.equal(stock["audio_latents"], torch.from_numpy(LATENTS["audio_latents"]))
    bits = unpack_tensors(blob)[0]["video_latents"].array()
    assert torch.equal(torch.from_numpy(bits.copy()).view(torch.bfloat16), video)


def test_unpacking_copies_nothing():
    blob = bytearray(pack_tensors(LATENTS, {}))
    tensors, _ = unpack_tensors(memoryview(blob))
    array = tensors["audio_latents"].array()
    array[0, 0, 0] = 77
    assert unpack_tensors(bytes(blob))[0]["audio_latents"].array()[0, 0, 0] == 77
    base = np.frombuffer(blob, np.uint8).ctypes.data
    assert all((tensor.array().ctypes.data - base) % 64 == 0 for tensor in tensors.values())


def test_the_header_has_one_metadata_key():
    blob = pack_tensors(LATENTS, {"b": 1, "a": [2]})
    header = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
    assert header["__metadata__"] == {"curate": '{"a":[2],"b":1}'}


def test_strided_and_big_endian_arrays_are_stored_in_order():
    array = np.arange(24, dtype=">i4").reshape(4, 6)[::2, ::-1].T
    found = unpack_tensors(pack_tensors({"x": array}, {}))[0]["x"].array()
    assert found.dtype == np.int32
    assert np.array_equal(found, array)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (np.array(["a"]), "dtype <U1"),
        (np.zeros(1, np.complex128), "dtype complex128"),
        (TensorBytes("F8_E4M3", (1,), b"a"), "dtype 'F8_E4M3'"),
        (TensorBytes("BF16", (2, 3), bytes(11)), r"11 bytes of data, BF16 \[2, 3\] wants 12"),
    ],
)
def test_packing_refuses_what_the_format_lacks(tensor, message):
    with pytest.raises(CurateError, match=f"^clip 7: tensor 'x': {message}"):
        pack_tensors({"x": tensor}, {}, "clip 7")


def test_packing_refuses_the_reserved_name_and_metadata_that_json_lacks():
    with pytest.raises(CurateError, match="__metadata__"):
        pack_tensors({"__metadata__": np.zeros(1)}, {})
    with pytest.raises(TypeError):
        pack_tensors({}, {"x": np.float32(1)})
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack_tensors({}, {"x": float("nan")})


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"", "truncated: 0 bytes"),
        (bytes(7), "truncated: 7 bytes"),
        (handmade(META)[:-1], "truncated"),
        (b"\xff" * 64, "truncated"),
        (handmade(b"{nope"), "header is not JSON"),
        (handmade(b"\xff\xfe{}"), "header is not JSON"),
        (handmade(b"[" * 100_000), "header is not JSON"),
        (handmade(b'{"__metadata__":{"curate":"{}"},"x":1,"x":1}'), "comes twice"),
        (handmade([]), "header is list"),
        (handmade({}), "the one key 'curate'"),
        (handmade({"__metadata__": {}}), "the one key 'curate'"),
        (handmade({"__metadata__": {"curate": 1}}), "wanted names with strings"),
        (handmade({"__metadata__": {"curate": "{}", "format": "pt"}}), "the one key 'curate'"),
        (handmade({"__metadata__": {"curate": "{"}}), "metadata 'curate' is not JSON"),
        (handmade({"__metadata__": {"curate": '{"a":NaN}'}}), "NaN is not allowed"),
        (handmade({"__metadata__": {"curate": "[]"}}), "metadata 'curate' is list"),
        (handmade({**META, "x": 1}, bytes(4)), "tensor 'x': 1, wanted dtype"),
        (handmade({**META, "x": entry(more=1)}, bytes(4)), "wanted dtype, shape and data_offsets"),
        (handmade({**META, "x": entry("U9")}, bytes(4)), "dtype 'U9'"),
        (handmade({**META, "x": entry(["U8"])}, bytes(4)), "dtype"),
        (handmade({**META, "x": entry(shape=4)}, bytes(4)), "shape 4"),
        (handmade({**META, "x": entry(shape=(-4,))}, bytes(4)), "wanted a list of sizes"),
        (handmade({**META, "x": entry(shape=(4.0,))}, bytes(4)), "wanted a list of sizes"),
        (handmade({**META, "x": entry(shape=(5,))}, bytes(4)), "4 bytes of data"),
        (handmade({**META, "x": entry(offsets=(0, 4, 4))}, bytes(4)), "wanted start and end up to 4"),
        (handmade({**META, "x": entry(offsets=(4, 0))}, bytes(4)), "wanted start and end up to 4"),
        (
            handmade({**META, "x": entry(offsets=(0, 8), shape=(8,))}, bytes(4)),
            "wanted start and end up to 4",
        ),
        (handmade({**META, "x": entry(offsets=(1, 5))}, bytes(5)), "begins at 1, wanted 0"),
        (handmade({**META, "x": entry(), "y": entry()}, bytes(4)), "begins at 0, wanted 4"),
        (handmade({**META, "x": entry()}, bytes(5)), "5 bytes of data, the tensors take 4"),
    ],
)
def test_unpacking_refuses_malformed_files(blob, message):
    with pytest.raises(CurateError, match=f"^a.safetensors.*{message}"):
        unpack_tensors(blob, "a.safetensors")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_file_is_refused_or_read_like_the_stock_reader_does(data):
    blob = bytearray(pack_tensors({"x": np.arange(3, dtype=np.int16), "y": np.zeros((2, 2))}, {"id": "a"}))
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] = data.draw(st.integers(0, 255))
    blob = blob[: data.draw(st.one_of(st.just(len(blob)), st.integers(0, len(blob))))]
    try:
        tensors, _ = unpack_tensors(blob)
    except CurateError:
        return
    stock = safetensors.numpy.load(bytes(blob))  # never lenient where the stock reader is strict
    assert {name: tensor.array().tobytes() for name, tensor in tensors.items()} == {
        name: array.tobytes() for name, array in stock.items()
    }
