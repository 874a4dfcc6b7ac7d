"""Tensors as bytes: safetensors files that are deterministic, aligned and say what they are, without torch.

The format is https://github.com/huggingface/safetensors#format and stock readers open the files. On top of it:

- the header has exactly one metadata key, "curate", with canonical JSON (the stock writer puts several keys in
  random order);
- the header is padded with spaces so that the tensors begin at a multiple of 64 bytes, what SIMD loads and
  `torch.frombuffer` like best. The format allows no holes between tensors, so tensors whose size is a multiple of
  64 bytes come first, all aligned (every latent of LTX-2 is one: 128 bf16 channels, 16 fp32 mel bins). The others
  follow by falling element size: the first is 64-byte aligned too, the rest to their element.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from curate.errors import CurateError
from curate.files import Blob
from curate.records import canonical

ALIGNMENT = 64
HEADER_LIMIT = 100_000_000  # bytes; the limit of the stock reader
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    **{f"{kind}{8 * size}": np.dtype(f"<{kind.lower()}{size}") for kind in "IU" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
    "C64": np.dtype("<c8"),
    "BF16": np.dtype("<u2"),  # numpy has no bfloat16: its bit patterns
}
NAMES = {dtype: name for name, dtype in DTYPES.items() if name != "BF16"}


@dataclass(frozen=True, slots=True)
class TensorBytes:
    """One tensor: its safetensors dtype name, its shape, its little-endian elements in C order.

    `TensorBytes("BF16", tuple(t.shape), t.contiguous().view(torch.uint16).numpy().data)` takes a
    bfloat16 tensor of torch on the CPU.
    """

    dtype: str
    shape: tuple[int, ...]
    data: Blob

    def array(self) -> npt.NDArray[Any]:
        """A numpy view of the data, no copy; BF16 comes as its bit patterns in uint16."""
        return np.frombuffer(self.data, DTYPES[self.dtype]).reshape(self.shape)


def pack_tensors(
    tensors: Mapping[str, TensorBytes | npt.NDArray[Any]], metadata: Mapping[str, Any], where: str = "tensors"
) -> bytes:
    """The bytes of a safetensors file: the same input gives the same bytes, whatever the order of the mappings.

    Raises CurateError, which begins with `where`, for a dtype the format lacks or data that does not fill its
    shape; TypeError or ValueError when JSON cannot spell the metadata.
    """
    return pack_file(tensors, {"curate": canonical(dict(metadata)).decode()}, where)


def pack_file(
    tensors: Mapping[str, TensorBytes | npt.NDArray[Any]], header_metadata: Mapping[str, str], where: str
) -> bytes:
    """`pack_tensors` with metadata of any keys, for files that others read by theirs; here they come sorted."""
    if "__metadata__" in tensors:
        raise CurateError(f"{where}: a tensor called '__metadata__', the format keeps this name for itself")
    plain = {name: _plain(value, f"{where}: tensor {name!r}") for name, value in tensors.items()}
    order = sorted(plain, key=lambda name: (_bytes(plain[name]) % ALIGNMENT != 0, -_item(plain[name]), name))
    header: dict[str, Any] = {"__metadata__": dict(sorted(header_metadata.items()))}
    end = 0
    for name in order:
        start, end = end, end + _bytes(plain[name])
        header[name] = {"dtype": plain[name].dtype, "shape": plain[name].shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return b"".join([len(text).to_bytes(8, "little"), text, *(plain[name].data for name in order)])


def unpack_tensors(blob: Blob, where: str = "tensors") -> tuple[dict[str, TensorBytes], dict[str, Any]]:
    """The tensors, as views into `blob`, and the metadata of a file that `pack_tensors` made.

    Raises CurateError, which begins with `where`, for whatever the format forbids.
    """
    tensors, metadata = unpack_file(blob, where)
    return tensors, _ours(metadata, where)


def unpack_file(blob: Blob, where: str) -> tuple[dict[str, TensorBytes], dict[str, str]]:
    """`unpack_tensors` for files with metadata of any keys."""
    view = memoryview(blob)
    header, start = _header(view, where)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise CurateError(f"{where}: metadata {str(metadata)[:60]!r}, wanted names with strings")
    tensors = {
        name: _entry(value, view[start:], f"{where}: tensor {name!r}") for name, value in header.items()
    }
    _check_cover(((name, *header[name]["data_offsets"]) for name in tensors), len(view) - start, where)
    return tensors, metadata


def _plain(value: TensorBytes | npt.NDArray[Any], where: str) -> TensorBytes:
    """A checked TensorBytes of either kind of input."""
    if isinstance(value, np.ndarray):
        dtype = value.dtype.newbyteorder("<")
        if dtype not in NAMES:
            raise CurateError(f"{where}: dtype {value.dtype}, wanted one of {', '.join(NAMES.values())}")
        return TensorBytes(NAMES[dtype], value.shape, np.asarray(value, dtype, order="C").data)
    if value.dtype not in DTYPES:
        raise CurateError(f"{where}: dtype {value.dtype!r}, wanted one of {', '.join(DTYPES)}")
    if memoryview(value.data).nbytes != _bytes(value):
        raise CurateError(
            f"{where}: {memoryview(value.data).nbytes} bytes of data, "
            f"{value.dtype} {list(value.shape)} wants {_bytes(value)}"
        )
    return value


def _item(tensor: TensorBytes) -> int:
    """Bytes of one element."""
    return DTYPES[tensor.dtype].itemsize


def _bytes(tensor: TensorBytes) -> int:
    """Bytes that the shape takes."""
    return math.prod(tensor.shape) * _item(tensor)


def _header(view: memoryview, where: str) -> tuple[dict[str, Any], int]:
    """The header as a dictionary, and the byte where the tensors begin."""
    size = int.from_bytes(view[:8], "little")
    if len(view) < 8 or size > min(HEADER_LIMIT, len(view) - 8):
        raise CurateError(f"{where}: truncated: {len(view)} bytes, the header alone wants {8 + size}")
    header = _json_object(bytes(view[8 : 8 + size]), f"{where}: header")
    return header, 8 + size


def _ours(value: dict[str, str], where: str) -> dict[str, Any]:
    """The content of the one metadata key."""
    if set(value) != {"curate"}:
        raise CurateError(f"{where}: metadata {str(value)[:60]!r}, wanted the one key 'curate' with a string")
    return _json_object(value["curate"], f"{where}: metadata 'curate'")


def _json_object(text: bytes | str, where: str) -> dict[str, Any]:
    """Strict JSON: an object, no name twice, no NaN."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CurateError(f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CurateError(f"{where} is {type(value).__name__}, wanted an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary of the pairs; a name that comes twice means that two readers may differ about the file."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not allowed")


def _entry(value: Any, data: memoryview, where: str) -> TensorBytes:
    """One tensor of the header, its data a slice of `data`."""
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise CurateError(f"{where}: {str(value)[:60]}, wanted dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise CurateError(f"{where}: dtype {dtype!r}, wanted one of {', '.join(DTYPES)}")
    if not _are_sizes(shape):
        raise CurateError(f"{where}: shape {str(shape)[:60]}, wanted a list of sizes")
    if not _are_sizes(offsets) or len(offsets) != 2 or not offsets[0] <= offsets[1] <= len(data):
        raise CurateError(f"{where}: offsets {str(offsets)[:60]}, wanted start and end up to {len(data)}")
    return _plain(TensorBytes(dtype, tuple(shape), data[offsets[0] : offsets[1]]), where)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _check_cover(spans: Iterable[tuple[str, int, int]], size: int, where: str) -> None:
    """The tensors must follow each other without a hole or an overlap, and fill the file."""
    position = 0
    for name, start, end in sorted(spans, key=lambda span: span[1:]):
        if start != position:
            raise CurateError(
                f"{where}: tensor {name!r} begins at {start}, wanted {position}: no holes, no overlap"
            )
        position = end
    if position != size:
        raise CurateError(f"{where}: {size} bytes of data, the tensors take {position}")
