"""Exactly so many of each kind: small sets lie within large ones, no two alike, and every bound trips."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.proof.audit import audit
from curate.proof.quota import alike, due, finding, needed, select, short, total
from curate.proof.sketch import Lot, Quota, Sketch
from curate.records import Clip, LedgerRow, Sample

SAMPLE = {"id", "group", "split", "caption", "choices", "attributes"}
CLIP = Clip(
    id="0" * 16, name="a", sha256="0" * 64, seconds=1, width=64, height=64, fps=16, sample_rate_hz=None
)


def row(kind: str, number: int, order: float, like: str | None = None, made: bool = True) -> LedgerRow:
    choices = {"kind": kind, "order": order, "like": like or f"{kind}{number}"}
    return LedgerRow(
        id=f"{kind}-{number}", name=f"{kind}{number}.mp4", group=f"{kind}{number}", split="train", caption="a",
        choices=choices, made=made,
    )  # fmt: skip


def quota(wanted: dict[str, int], pools: dict[str, str] | None = None) -> Quota:
    return Quota(kind="kind", wanted=wanted, order="order", unlike="like", pools=pools or {})


def kept(given_quota: Quota, rows: list[LedgerRow]) -> list[LedgerRow]:
    fates = select(given_quota, rows)
    assert fates.keys() == {r.id for r in rows if r.made}
    return [r.model_copy(update={"kept": True}) for r in rows if r.made and fates[r.id] is None]


POOL = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.integers(0, 8), st.booleans()), max_size=60
).map(lambda drawn: [row(k, i, o, f"{k}{like}", made) for i, (k, o, like, made) in enumerate(drawn)])


@given(rows=POOL, small=st.integers(0, 4), more=st.integers(0, 10))
def test_a_smaller_quota_lies_within_a_larger_one_after_rejects_too(
    rows: list[LedgerRow], small: int, more: int
) -> None:
    few, many = ({r.id for r in kept(quota(dict.fromkeys("abc", n)), rows)} for n in (small, small + more))
    assert few <= many


@given(rows=POOL, count=st.integers(0, 9), data=st.data())
def test_nobody_is_kept_twice_or_beyond_the_count_and_order_of_rows_is_nothing(
    rows: list[LedgerRow], count: int, data: st.DataObject
) -> None:
    wanted = quota(dict.fromkeys("abc", count))
    found = kept(wanted, rows)
    assert not alike(wanted, found)
    assert max(Counter(r.choices["kind"] for r in found).values(), default=0) <= count
    shuffled = data.draw(st.permutations(rows))
    assert select(wanted, shuffled) == select(wanted, rows)


@given(rows=POOL, count=st.integers(0, 9))
def test_a_pool_is_as_full_as_its_accepted_allow(rows: list[LedgerRow], count: int) -> None:
    pooled = quota(dict.fromkeys("abc", count), {"a": "p", "b": "p"})
    found = Counter(str(r.choices["kind"]) for r in kept(pooled, rows))
    there = {k: len({r.choices["like"] for r in rows if r.made and r.choices["kind"] == k}) for k in "abc"}
    assert found["a"] + found["b"] == min(2 * count, there["a"] + there["b"])
    assert found["c"] == min(count, there["c"])


@given(rows=POOL, count=st.integers(0, 9), pooled=st.booleans())
def test_made_in_rounds_gives_what_making_everything_gives(
    rows: list[LedgerRow], count: int, pooled: bool
) -> None:
    wanted = quota(dict.fromkeys("abc", count), {"a": "p", "b": "p"} if pooled else {})
    samples = [Sample(clips=(CLIP,), **r.model_dump(include=SAMPLE)) for r in rows]
    truth = {r.id: {"measured": {}} if r.made else {"rejected": {}} for r in rows}
    records = dict[str, dict[str, object]]()
    while todo := due(wanted, samples, records):
        assert not {s.id for s in todo} & records.keys()
        records |= {s.id: truth[s.id] for s in todo}
    partly = [r if r.id in records else r.model_copy(update={"made": False}) for r in rows]
    found, everything = (
        Counter(str(r.choices["kind"]) for r in kept(wanted, some)) for some in (partly, rows)
    )
    assert sum(found.values()) == sum(everything.values()) and found["c"] == everything["c"]
    if not pooled:
        assert kept(wanted, partly) == kept(wanted, rows)


def test_reasons_say_surplus_or_the_same() -> None:
    rows = [row("a", 0, 0.1), row("a", 1, 0.2, "a0"), row("a", 2, 0.3), row("a", 3, 0.4)]
    assert select(quota({"a": 2}), rows) == {"a-0": None, "a-1": "same_like", "a-2": None, "a-3": "surplus"}


def test_a_short_kind_fails_and_a_pool_that_is_full_does_not() -> None:
    rows = [row("a", 0, 0.1), *(row("b", n, n / 10) for n in range(5))]
    plain, pooled = quota({"a": 2, "b": 3}), quota({"a": 2, "b": 3}, {"a": "p", "b": "p"})
    short = finding(plain, kept(plain, rows))
    assert short.verdict == "fail" and "a 1 of 2" in short.says and short.measured["off_a"] == -1
    topped = finding(pooled, kept(pooled, rows))
    assert topped.verdict == "pass" and "b 4 of 3: stood in for within their pool" in topped.says
    assert finding(plain, [*kept(plain, rows), row("a", 9, 0.9)]).verdict == "pass"
    stranger = finding(plain, [*kept(plain, rows), row("a", 9, 0.9), row("z", 1, 0.9)])
    assert stranger.verdict == "fail" and "z 1 of 0" in stranger.says


def test_the_audit_of_a_sketch_holds_every_number_and_each_trips() -> None:
    sketch = Sketch(
        splits=("train",), quota=quota({"a": 1, "b": 1}), totals={"like": {"a0": 1, "b0": 1}}, never={"kind": ("z",)}
    )  # fmt: skip
    sound = [
        row("a", 0, 0.1).model_copy(update={"kept": True}),
        row("b", 0, 0.1).model_copy(update={"kept": True}),
    ]

    def failed(rows: list[LedgerRow]) -> set[str]:
        return {f.name for f in audit(sketch, rows, 0) if f.verdict == "fail"}

    assert failed(sound) == set()
    twin = sound[0].model_copy(update={"id": "a-9"})
    assert failed([*sound, twin]) == {"quota", "same_like", "total_like"}
    other = sound[0].model_copy(update={"choices": {"kind": "z", "order": 0.0, "like": "a0"}})
    assert failed([other, sound[1]]) == {"quota", "never_kind"}
    aside = sound[0].model_copy(update={"split": "heldout"})
    assert "pairs" in failed([aside, sound[1]])


def test_a_candidate_that_was_passed_over_is_seen() -> None:
    sketch = Sketch(splits=("train",), quota=quota({"a": 1}))
    first, second = row("a", 0, 0.1, made=False), row("a", 1, 0.2).model_copy(update={"kept": True})
    fair = first.model_copy(update={"reason": "broken"})
    assert {f.name for f in audit(sketch, [fair, second], 0) if f.verdict == "fail"} == set()
    unfair = first.model_copy(update={"reason": "not_needed"})
    assert {f.name for f in audit(sketch, [unfair, second], 0) if f.verdict == "fail"} == {"order"}


def test_a_shortage_is_known_before_anything_is_made() -> None:
    samples = [
        Sample(clips=(CLIP,), **row("a", n, n / 10, f"a{n // 2}").model_dump(include=SAMPLE))
        for n in range(4)
    ]
    assert short(quota({"a": 2, "b": 1}), samples) == {"b": 0}
    assert short(quota({"a": 3}), samples) == {"a": 2}  # two of four are like another
    assert short(quota({"a": 1, "b": 1}, {"a": "p", "b": "p"}), samples) == {}
    assert short(quota({"a": 2, "b": 1}, {"a": "p", "b": "p"}), samples) == {"p": 2}
    assert needed(quota({"a": 2, "b": 1}, {"a": "p", "b": "p"}), "p") == 3


def test_a_choice_is_not_named_as_what_every_row_has() -> None:
    with pytest.raises(ValidationError, match="group is what every row has"):
        Sketch(quota=Quota(kind="group", wanted={}, order="drawn"))


def test_totals_by_a_choice() -> None:
    rows = [row("a", 0, 0.1), row("a", 1, 0.2), row("b", 0, 0.1)]
    assert total("kind", {"a": 2, "b": 1}, rows).verdict == "pass"
    assert (
        total("kind", {"a": 2}, rows).verdict == "fail"
        and total("kind", {"a": 3, "b": 1}, rows).verdict == "fail"
    )


def test_a_sketch_has_a_lot_or_a_quota() -> None:
    lot = Lot(edges=(1.0, 2.0), unit="Hz", least_eligible_share=0.5, reaches_by="natural")
    with pytest.raises(ValidationError, match="a lot and a quota"):
        Sketch(assigned="x", lot=lot, quota=quota({"a": 1}))
