"""A sheet's latents: as long and as large as was measured, and standing still; anything else is named."""

import numpy as np
import pytest

from curate.check_shards import _sheet
from curate.records import LatentSizes, LedgerRow, ShardRecord
from curate.tensors import TensorBytes

MEASURED = {"sheet": "0" * 16, "frames": 9, "reference_frames": 17, "sheet_width": 64, "sheet_height": 32}


def faults(measured: dict[str, object], reference: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    row = LedgerRow(id="a", name="a.mp4", split="train", measured=MEASURED | measured)  # type: ignore[arg-type]
    record = ShardRecord.model_construct(
        id="a", latents=LatentSizes(fps=24.0, video=(2, 1, 2), reference_video=(3, 1, 2))
    )
    tensor = TensorBytes("BF16", reference.shape, reference.astype(np.uint16).tobytes())
    return list(_sheet(record, row, {"reference_video_latents": tensor}))


def test_a_sound_pair_has_no_faults() -> None:
    assert faults({}, np.full((4, 3, 1, 2), 7)) == []


@pytest.mark.parametrize("key", ["frames", "reference_frames", "sheet_width", "sheet_height"])
def test_another_length_or_size_is_named(key: str) -> None:
    found = faults({key: 999}, np.full((4, 3, 1, 2), 7))
    assert found and all(key in fault and "999" in fault for fault in found)


def test_a_reference_that_moves_is_named() -> None:
    moving = np.full((4, 3, 1, 2), 7)
    moving[0, 2] = 8
    assert faults({}, moving) == ["reference_video_latents do not stand still"]
