"""Copies and stray texts are found in a ledger, whatever its plan says."""

from typing import Any

from curate.proof.pictures import no_copies, only_texts
from curate.records import LedgerRow


def row(name: str, bits: str, still: str | None = None, **attributes: Any) -> LedgerRow:
    mirror = f"{int(bits, 16) ^ 0xAAAAAAAAAAAAAAAA:016x}"
    return LedgerRow(
        id=name, name=f"{name}.png", choices={"kind": "picture"},
        attributes={"hashes": [bits, mirror], **attributes}, measured={"hashes": [still or bits, mirror]},
    )  # fmt: skip


FAR = ("0" * 16, "f" * 16, "0f" * 8)


def test_pictures_far_apart_pass() -> None:
    found = no_copies("near", [row(str(n), bits, nearest_cosine=0.9) for n, bits in enumerate(FAR)], 0.98)
    assert found.verdict == "pass" and found.pairs == 3


def test_a_copy_is_found_by_file_by_mirror_by_still_and_by_model() -> None:
    first = row("a", FAR[0])
    for other in (
        row("b", "0" * 15 + "f"),
        row("b", "a" * 16),
        row("b", FAR[1], still="0" * 15 + "3"),
        row("b", FAR[1], nearest_cosine=0.99),
    ):
        assert no_copies("near", [first, other], 0.98).verdict == "fail"
    assert no_copies("near", [first, row("b", "0" * 14 + "7f")], 0.98).verdict == "pass"  # 7 bits


def test_a_text_that_nobody_names_or_spelt_otherwise_is_found() -> None:
    allowed = {"kind": "picture", "hashes": "[0-9a-f]{16}"}
    assert only_texts("leak", [row("a", FAR[0])], allowed).verdict == "pass"
    for changes in (
        {"tags": "chrome"},
        {"tags": ["x", "y"]},
        {"hashes": ["robot"]},
        {"kind": "picture, chrome"},
    ):
        assert only_texts("leak", [row("a", FAR[0], **changes)], allowed).verdict == "fail"
