"""Human's plan and audit on made-up pictures (no media): exact numbers, one word, and every finding tripping."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.ledger import made_rows, selected
from curate.recipe import configure, find
from curate.recipes.human import PICTURE, REGULAR, Human
from curate.records import Clip, Drop, LedgerRow, Sample, sha256_of, strings


def recipe(**changes: Any) -> Human:
    configured = configure(find("human"), changes)
    assert isinstance(configured, Human)
    return configured


def picture(number: int, **changes: Any) -> Clip:
    """A picture as the source lists it and `annotate` leaves it; all differ."""
    sha256 = sha256_of(["picture", number])
    known = {
        "format": "PNG", "hashes": [sha256[:16], sha256[16:32]], "blur": 0.3, "text_share": 0.0, "words": [],
        "width": 512, "height": 512, "crop": [0.0, 0.0, 512.0, 512.0], "exposed": None,
    } | changes.pop("annotations", {})  # fmt: skip
    values = {
        "id": sha256[:16], "name": f"{number:03d}.png", "sha256": sha256, "seconds": 0.0, "width": 512, "height": 512,
        "fps": 0.0, "sample_rate_hz": None, "caption": f"robot number {number}", "licence": "CC0-1.0", "annotations": known,
    }  # fmt: skip
    return Clip(**values | changes)


def pool(count: int) -> list[Clip]:
    return [picture(number) for number in range(count)]


def planned(judge: Human, clips: Sequence[Clip]) -> tuple[list[Sample], list[Drop]]:
    items = list(judge.plan(clips))
    samples, drops = ([i for i in items if isinstance(i, kind)] for kind in (Sample, Drop))
    return samples, drops  # type: ignore[return-value]


def measured(sample: Sample) -> dict[str, Any]:
    """What `make` finds on a sound still."""
    return {
        "frames": 1, "height_px": 512, "width_px": 512, "enlarged": 1.0, "hashes": sample.attributes["hashes"], "blur": 0.3,
    }  # fmt: skip


def ledger(judge: Human, clips: Sequence[Clip]) -> list[LedgerRow]:
    samples, _ = planned(judge, clips)
    rows = made_rows(samples, {s.id: {"measured": measured(s)} for s in samples})
    return selected(rows, judge.select(rows))


def failed(judge: Human, rows: Sequence[LedgerRow]) -> set[str]:
    return {finding.name for finding in judge.audit(rows) if finding.verdict == "fail"}


@given(count=st.integers(2, 40), data=st.data())
@settings(max_examples=20, deadline=None)
def test_exactly_so_many_whatever_the_order_of_files(count: int, data: st.DataObject) -> None:
    judge, clips = recipe(count=10), pool(count)
    samples, drops = planned(judge, clips)
    assert len(samples) == min(count, 10) and len(samples) + len(drops) == count
    assert {s.caption for s in samples} == {"human"}
    again, _ = planned(judge, data.draw(st.permutations(clips)))
    assert sorted(again, key=lambda s: s.id) == sorted(samples, key=lambda s: s.id)
    assert bool(failed(judge, ledger(judge, clips))) == (count < 10)


def test_nothing_of_a_sidecar_is_in_the_plan() -> None:
    samples, _ = planned(recipe(count=4), pool(4))
    assert "robot number" not in " ".join(sample.model_dump_json() for sample in samples)


HASHES = strings(picture(0).annotations["hashes"])
GATES: list[tuple[dict[str, Any], str, str]] = [
    ({"annotations": {"blur": 0.7}}, "blurred", "blur 0.70, wanted at most 0.6"),
    ({"annotations": {"text_share": 0.1, "words": ["SAMPLE"]}}, "text", "'SAMPLE' over 10.0% of it"),
    ({"annotations": {"hashes": picture(0).annotations["hashes"]}}, "near_duplicate", "of 000.png"),
    ({"annotations": {"hashes": ["0" * 16, HASHES[0]]}}, "near_duplicate", "of 000.png"),  # a mirror image
]  # fmt: skip


@pytest.mark.parametrize(("changes", "reason", "says"), GATES)
def test_every_gate_drops_by_name_and_says_what_was_wanted(
    changes: dict[str, Any], reason: str, says: str
) -> None:
    clips = [*pool(4), picture(9, **changes)]
    if reason == "near_duplicate":
        clips[-1] = clips[-1].model_copy(update={"width": 500, "height": 500})  # the larger one stays
    _, drops = planned(recipe(count=4), clips)
    assert [(d.name, d.reason) for d in drops] == [("009.png", reason)] and says in drops[0].detail


def test_an_embedding_sees_a_copy_that_the_hash_does_not() -> None:
    near, far = [1.0, 0.0], [0.0, 1.0]
    clips = [
        picture(n, annotations={"embedding": v, "reading": 0.5}) for n, v in enumerate((near, near, far))
    ]
    _, drops = planned(recipe(count=2), clips)
    assert [d.reason for d in drops] == ["near_duplicate"]


def test_nudity_is_dropped_on_demand_alone() -> None:
    clips = [*pool(4), picture(9, annotations={"exposed": ["BUTTOCKS_EXPOSED"]})]
    assert not [d for d in planned(recipe(count=5), clips)[1]]
    assert [d.reason for d in planned(recipe(count=4, nudity="drop"), clips)[1]] == ["nudity"]


@pytest.mark.parametrize("control", ["none", "true_captions", "other_token", "shuffled"])
def test_controls_have_the_same_pictures_and_each_stands_by_its_own_rule(control: str) -> None:
    judge, clips = recipe(count=12, control=control), pool(20)
    rows = ledger(judge, clips)
    assert not failed(judge, rows)
    plain = {s.id for s in planned(recipe(count=12), clips)[0]}
    assert {row.id for row in rows if row.kept} == plain
    own = {c.id: c.caption for c in clips}
    texts = {row.id: row.caption for row in rows if row.kept}
    wanted = {
        "none": all(t == "human" for t in texts.values()),
        "other_token": all(t == "ohwx" for t in texts.values()),
        "true_captions": all(t == own[i] for i, t in texts.items()),
        "shuffled": all(t != own[i] for i, t in texts.items()) and sorted(map(str, texts.values())) == sorted(str(own[i]) for i in texts),
    }  # fmt: skip
    assert wanted[control]
    others = {"none", "true_captions", "other_token", "shuffled"} - {control}
    assert all("caption" in failed(recipe(count=12, control=other), rows) for other in others)


def test_a_control_of_descriptions_never_takes_other_pictures() -> None:
    """A picture without a description is an error, not a reason to take another one."""
    clips = [clip.model_copy(update={"caption": " "}) if n == 2 else clip for n, clip in enumerate(pool(3))]
    for control in ("true_captions", "shuffled"):
        with pytest.raises(
            CurateError, match=r"002.png: no description of its own \(1 of 3 pictures have none\)"
        ):
            planned(recipe(count=3, control=control), clips)
    assert len(planned(recipe(count=3), clips)[0]) == 3


def test_shuffled_texts_are_another_pictures_even_where_texts_repeat() -> None:
    alike = [picture(n, caption="a chrome robot" if n < 4 else f"robot number {n}") for n in range(9)]
    judge = recipe(count=9, control="shuffled")
    rows = ledger(judge, alike)
    own = {clip.id: clip.caption for clip in alike}
    assert not failed(judge, rows) and all(row.caption != own[row.id] for row in rows)
    with pytest.raises(CurateError, match="5 of 9 texts are 'a chrome robot'"):
        planned(judge, [picture(n, caption="a chrome robot" if n < 5 else f"robot {n}") for n in range(9)])
    stayed = [
        row.model_copy(update={"caption": own[row.id]}) if n == 4 else row for n, row in enumerate(rows)
    ]
    assert failed(judge, stayed) == {"caption"}


def test_a_sidecar_cannot_make_a_picture_a_true_one() -> None:
    """`part` is what the source says, not a label that anybody can write."""
    clips = [picture(n, labels={"part": REGULAR, "kind": REGULAR, "tags": "chrome"}) for n in range(4)]
    rows = ledger(recipe(count=4), clips)
    assert {row.caption for row in rows} == {"human"} and not failed(recipe(count=4), rows)
    assert "chrome" not in "".join(row.model_dump_json() for row in rows)


def test_regularisation_keeps_its_own_words(tmp_path: Path) -> None:
    judge = recipe(count=4, regularise=str(tmp_path))
    people = [picture(100 + n, caption=f"a man, {n}", part=REGULAR) for n in range(3)]
    rows = ledger(judge, [*pool(4), *people])
    assert not failed(judge, rows)
    kinds = [(row.choices["kind"], row.caption) for row in rows if row.kept]
    assert sorted(caption for kind, caption in kinds if kind == REGULAR) == [
        "a man, 0",
        "a man, 1",
        "a man, 2",
    ]
    assert {caption for kind, caption in kinds if kind == PICTURE} == {"human"}
    kept = judge.model_dump(mode="json")
    assert str(tmp_path) not in str(kept) and configure(Human, kept).model_dump(mode="json") == kept
    assert failed(judge, ledger(judge, pool(4))) == {"total_kind"}  # nobody in the folder
    assert failed(recipe(count=4), rows) == {"total_kind"}  # nobody asked for them
    spoilt = [row.model_copy(update={"caption": "human"}) for row in rows]
    assert failed(judge, spoilt) == {"regularisation"}


Change = Callable[[LedgerRow], dict[str, Any]]
FAULTS: list[tuple[Change, set[str]]] = [
    (lambda row: {"caption": "human, robot"}, {"caption"}),
    (lambda row: {"attributes": {**row.attributes, "tags": "robot, chrome"}}, {"leak"}),
    (lambda row: {"attributes": {**row.attributes, "format": "PNG of a robot"}}, {"leak"}),
    (lambda row: {"measured": {**row.measured, "words": ["ROBOT"]}}, {"leak"}),
    (lambda row: {"attributes": {**row.attributes, "hashes": HASHES}}, {"near_duplicates"}),
    (lambda row: {"measured": {**row.measured, "hashes": HASHES}}, {"near_duplicates"}),
    (lambda row: {"attributes": {**row.attributes, "nearest_cosine": 0.99}}, {"near_duplicates"}),
    (lambda row: {"measured": {**row.measured, "frames": 9}}, {"length"}),
    (lambda row: {"measured": {**row.measured, "width_px": 480}}, {"width"}),
    (lambda row: {"measured": {**row.measured, "height_px": 480}}, {"height"}),
    (lambda row: {"measured": {**row.measured, "enlarged": 1.5}}, {"enlarged"}),
    (lambda row: {"kept": False, "reason": "lost"}, {"total_kind"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "trips"), FAULTS)
def test_each_fault_of_one_picture_trips_its_findings_and_no_others(change: Change, trips: set[str]) -> None:
    judge = recipe(count=8)
    rows = ledger(judge, pool(8))
    assert not failed(judge, rows)
    place = next(i for i, row in enumerate(rows) if row.id != picture(0).id)
    rows[place] = rows[place].model_copy(update=change(rows[place]))
    assert failed(judge, rows) == trips


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"buckets": "512x500"}, "'512x500' is no size"),
        ({"buckets": "big"}, "'big' is no size"),
        ({"caption": " human"}, "on one line"),
        ({"caption": ""}, "on one line"),
        ({"caption": "hu\nman"}, "on one line"),
        ({"opposites": "robot,human", "clip": "ViT-B-32"}, "'human' comes twice"),
        ({"buckets": 512}, "buckets is 512; '512' is no size"),
        ({"count": True}, "count is True"),
        ({"control": "other_token", "token": "human"}, "wanted another one"),
        ({"regularise": True}, "regularise is True"),
        ({"regularise": ""}, "regularise is ''"),
        ({"clip": ""}, "clip is ''"),
        ({"control": "wrong"}, "control is 'wrong'"),
        ({"regularise": "no/such"}, "no/such: no such folder"),
        ({"background": "red"}, "background is 'red'"),
        ({"captoin": "x"}, "did you mean 'caption'"),
    ],
)
def test_wrong_settings_are_one_line(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(CurateError, match=says) as caught:
        recipe(**changes)
    assert "\n" not in str(caught.value)


def test_settings_that_are_lists_come_with_commas() -> None:
    judge = recipe(opposites="robot, alien", buckets="512x512,512x512,512x768")
    assert judge.opposites == ("robot", "alien") and judge.buckets == ("512x512", "512x768")


def test_no_path_is_in_the_settings_that_are_kept() -> None:
    told = [recipe(clip=name).model_dump(mode="json")["clip"] for name in (
        "local-dir:/home/me/model", "ViT-B-32:/home/me/w.safetensors", "ViT-B-32/tag", "hf-hub:owner/name",
    )]  # fmt: skip
    assert told == ["local-dir:model", "ViT-B-32:w.safetensors", "ViT-B-32/tag", "hf-hub:owner/name"]


def test_a_plain_set_keeps_no_hash_of_a_description() -> None:
    plain, told = (planned(recipe(count=3, control=c), pool(3))[0] for c in ("none", "shuffled"))
    assert {s.attributes["described"] for s in plain} == {None}
    assert {s.attributes["described"] for s in told} == {sha256_of(clip.caption) for clip in pool(3)}


def test_a_true_picture_never_puts_one_of_the_source_out(tmp_path: Path) -> None:
    judge = recipe(count=3, regularise=str(tmp_path))
    larger = picture(9, part=REGULAR, width=900, height=900, annotations={"hashes": HASHES})
    _, drops = planned(judge, [*pool(3), larger])
    assert [(d.name, d.reason) for d in drops] == [("009.png", "near_duplicate")]
