"""Torch tensors as plain bytes, which need no torch to store, and back."""

import torch

from curate.tensors import TensorBytes

DTYPES = {
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.uint8: "U8",
    torch.int32: "I32",
    torch.int64: "I64",
}
TORCH = {name: dtype for dtype, name in DTYPES.items()}


def as_bytes(tensor: torch.Tensor) -> TensorBytes:
    """A tensor on any device as bytes. Raises ValueError for a type of number that is not in DTYPES."""
    if tensor.dtype not in DTYPES:
        raise ValueError(f"got {tensor.dtype}, wanted {', '.join(DTYPES.values())}")
    plain = tensor.detach().cpu().contiguous()
    bits = plain.reshape(-1)
    if plain.dtype == torch.bfloat16:  # numpy has none: its bit patterns
        bits = bits.view(torch.uint16)
    return TensorBytes(DTYPES[plain.dtype], tuple(plain.shape), bits.numpy().tobytes())


def as_torch(tensor: TensorBytes) -> torch.Tensor:
    """The same memory as a tensor, which is there as long as the bytes are; they must be writable."""
    dtype = TORCH[tensor.dtype]
    if 0 in tensor.shape:  # torch reads no empty memory
        return torch.empty(tensor.shape, dtype=dtype)
    return torch.frombuffer(memoryview(tensor.data), dtype=dtype).view(tensor.shape)
