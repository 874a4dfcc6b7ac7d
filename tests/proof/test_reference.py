"""What a reference tells: scalars that must not, alone or together, and what resolves it, which must."""

import numpy as np

from curate.proof import reference
from curate.records import Values
from tests.proof.test_audit_vectors import REFERENCE, noisy


def test_proxies_pass_when_they_tell_nothing_and_trip_one_by_one_and_together() -> None:
    target, rows, noise = noisy(300)
    found = reference.proxies(REFERENCE, "train", rows, target)
    assert found.verdict == "pass" and found.measured.keys() == {
        "r_rms",
        "r_lufs",
        "r2_rms",
        "r2_lufs",
        "r2_together",
    }
    slight: list[Values] = [{**row, "lufs": float(v)} for row, v in zip(rows, target + noise, strict=True)]
    found = reference.proxies(REFERENCE, "train", slight, target)
    assert found.verdict == "fail" and "(lufs)" in found.says
    assert found.measured["r2_together"] < REFERENCE.most_told  # type: ignore[operator]
    bent: list[Values] = [
        {**row, "rms": float((t - target.mean()) ** 2)} for row, t in zip(rows, target, strict=True)
    ]
    found = reference.proxies(REFERENCE, "train", bent, np.abs(target - target.mean()))
    level = found.measured["r2_together"]
    assert found.verdict == "fail" and level > 0.9  # type: ignore[operator]


def test_proxies_trip_together_where_none_has_a_slope() -> None:
    target, rows, noise = noisy(300)
    centred = target - target.mean()
    sign = np.where(noise > 0, 1.0, -1.0)
    parted: list[Values] = [
        {**row, "rms": float(s), "lufs": float(s * c)} for row, s, c in zip(rows, sign, centred, strict=True)
    ]
    found = reference.proxies(REFERENCE, "train", parted, target)
    assert abs(found.measured["r_rms"]) < 0.2 > abs(found.measured["r_lufs"])  # type: ignore[operator, arg-type]
    assert found.verdict == "fail" and found.measured["r2_together"] > 0.9  # type: ignore[operator]


def test_controls_trip_when_what_must_tell_is_deaf() -> None:
    target, rows, _ = noisy(300)
    assert reference.controls(REFERENCE, "train", rows, target).verdict == "pass"
    found = reference.controls(REFERENCE, "train", rows[::-1], target)
    assert found.verdict == "fail" and "mel explains 0%" in found.says


def test_one_reference_for_all_pairs_tells_nothing() -> None:
    """Its proxies have nothing to tell; but what must tell the target does not, and no set stands on that."""
    target, rows, _ = noisy(120)
    assert reference.proxies(REFERENCE, "train", [rows[0]] * 120, target).verdict == "constant"
    assert reference.controls(REFERENCE, "train", [rows[0]] * 120, target).verdict == "fail"


def test_neither_is_asked_of_a_small_side() -> None:
    target, rows, _ = noisy(99)
    for judge in (reference.proxies, reference.controls):
        assert judge(REFERENCE, "train", rows, target).needed_pairs == 100
