"""Plan and audit of reference sheets on films that nobody shot: the split by film, the caption's two parts, every finding."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.ledger import made_rows, selected
from curate.media.subject import Box
from curate.media.things import Seen
from curate.recipe import configure, find
from curate.recipes.reference_sheet import ReferenceSheet
from curate.records import Clip, Drop, LedgerRow, Sample, number, sha256_of
from curate.sheets.choices import Choices
from curate.sheets.elements import Element, Elements
from curate.stages import example_key
from tests.casts import known, sighting


def recipe(**changes: Any) -> ReferenceSheet:
    configured = configure(find("reference-sheet"), changes)
    assert isinstance(configured, ReferenceSheet)
    return configured


def clip(
    number: int, who: float | None = None, seconds: float = 20.0, said: Elements | None = None, **changes: Any
) -> Clip:
    """A film as the source lists it and `annotate` leaves it; `who` is the same number for the same person."""
    sha256 = sha256_of(["film", number])
    seen = [sighting(t / 2, yaw_deg=(-30, 0, 30)[t % 3]) for t in range(round(seconds * 2))]
    things = [
        Seen(thing=prop.id, at_s=t / 2, box=Box(5, 5, 50, 50), score=0.9)
        for prop in (said.props if said else ())
        if prop.box
        for t in range(round(seconds * 2))
    ]
    meant = {said.characters[0].id: 0} if said and said.characters else {}
    found = known(seen, [(0.0, seconds)], 1, said, who=meant, things=things)
    identity = [float(number) if who is None else who] + [0.0] * 127
    annotations = found._replace(film=found.film._replace(identities=[identity])).as_values()
    values = {
        "id": sha256[:16], "name": f"{number:03d}.mp4", "sha256": sha256, "seconds": seconds, "width": 640, "height": 480,
        "fps": 24.0, "sample_rate_hz": None, "caption": "She waves.", "licence": "CC0-1.0", "annotations": annotations,
    }  # fmt: skip
    return Clip(**values | changes)


def planned(judge: ReferenceSheet, clips: Sequence[Clip]) -> tuple[list[Sample], list[Drop]]:
    items = list(judge.plan(clips))
    return [i for i in items if isinstance(i, Sample)], [i for i in items if isinstance(i, Drop)]


def measured(sample: Sample) -> dict[str, Any]:
    """What `make` finds on a sound sheet."""
    views = Choices.of(sample).views
    order = sorted(range(len(views)), key=lambda place: -views[place].importance)
    left = {place: 10.0 + 100 * nth for nth, place in enumerate(order)}
    side = {place: 90.0 - 2 * nth for nth, place in enumerate(order)}
    return {
        "panels": [view.name for view in views], "importances": [view.importance for view in views],
        "boxes": [edge for place in range(len(views)) for edge in (left[place], 10.0, left[place] + side[place], 10 + side[place])],
        "texts": 0, "words": [], "outside": 0.0, "covered": 0.7, "identity": 0.3, "body_identity": 0.4, "levels": 12.0, "own_levels": 255.0,
        "levels_in_place": 40.0, "place_people": 0, "place_seen": 0.9, "sheet_width": 768, "sheet_height": 448, "frames": 121,
        "reference_frames": 121, "empty": [], "uncut": [], "repeated": [], "mistaken": [], "sheet": "0" * 16,
    }  # fmt: skip


def ledger(judge: ReferenceSheet, clips: Sequence[Clip]) -> list[LedgerRow]:
    samples, _ = planned(judge, clips)
    rows = made_rows(samples, {s.id: {"measured": measured(s)} for s in samples})
    return selected(rows, judge.select(rows))


def failed(judge: ReferenceSheet, rows: Sequence[LedgerRow]) -> set[str]:
    return {finding.name for finding in judge.audit(rows) if finding.verdict == "fail"}


def test_each_window_is_a_sample_or_a_drop_whatever_the_order_of_films() -> None:
    clips = [clip(0), clip(1, seconds=4.0), clip(2, caption=None), clip(3, seconds=40.0)]
    judge = recipe(per_film=1)
    samples, drops = planned(judge, clips)
    assert Counter(s.clips[0].name for s in samples) == {"000.mp4": 2, "003.mp4": 2}
    assert {(drop.name, drop.reason) for drop in drops} == {
        ("001.mp4", "short_shot"), ("002.mp4", "no_caption"), ("000.mp4", "surplus"), ("003.mp4", "surplus"),
    }  # fmt: skip
    assert len({item.id for item in (*samples, *drops)}) == len(samples) + len(drops)
    again, _ = planned(judge, clips[::-1])
    assert sorted(again, key=lambda s: s.id) == sorted(samples, key=lambda s: s.id)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=12), st.integers(0, 3))
def test_a_person_is_never_on_both_sides(people: list[int], seed: int) -> None:
    samples, _ = planned(
        recipe(heldout_share=0.5, seed=seed), [clip(n, float(who)) for n, who in enumerate(people)]
    )
    for who in set(people):
        films = {f"{n:03d}.mp4" for n, other in enumerate(people) if other == who}
        assert len({s.split for s in samples if s.clips[0].name in films}) == 1


def test_elements_say_who_and_what_is_on_the_sheet() -> None:
    said = Elements(
        characters=(Element(id="ada", description="a woman in red", box=(90, 90, 200, 200), at_s=3.0),),
        props=(
            Element(id="cup", description="a cup", box=(5, 5, 50, 50), at_s=1.0),
            Element(id="hat", description="a hat"),
        ),
        location=Element(id="kitchen", description="a small kitchen"),
    )
    samples, _ = planned(recipe(), [clip(0, said=said)])
    first = samples[0].caption.splitlines()[0]
    assert first == (
        "Reference sheet: ada, a woman in red (face, front, left, right); cup, a cup (prop); "
        "kitchen, a small kitchen (place)."
    )


def test_a_sound_set_passes() -> None:
    judge = recipe()
    assert not failed(judge, ledger(judge, [clip(n) for n in range(6)]))


Change = Callable[[dict[str, Any]], dict[str, Any]]
FAULTS: list[tuple[Change, set[str]]] = [
    (lambda m: {"texts": 1}, {"no_text"}),
    (lambda m: {"outside": 0.01}, {"black"}),
    (lambda m: {"identity": 0.7}, {"identity"}),
    (lambda m: {"levels": 2.0}, {"no_copy"}),
    (lambda m: {"levels_in_place": 1.0}, {"no_copy_in_place"}),
    (lambda m: {"empty": ["person-1 face"]}, {"nothing_empty"}),
    (lambda m: {"uncut": ["person-1 left"]}, {"cut_out"}),
    (lambda m: {"repeated": ["person-1 left"]}, {"no_repeat"}),
    (lambda m: {"mistaken": ["person-1 face"]}, {"right_person"}),
    (lambda m: {"place_people": 1}, {"empty_place"}),
    (lambda m: {"frames": 120}, {"length"}),
    (lambda m: {"reference_frames": 41}, {"reference_length"}),
    (lambda m: {"sheet_width": 384}, {"width"}),
    (lambda m: {"sheet_height": 224}, {"height"}),
    (lambda m: {"boxes": m["boxes"][:4] * (len(m["boxes"]) // 4)}, {"overlap"}),
    (lambda m: {"importances": m["importances"][::-1]}, {"area"}),
    (lambda m: {"panels": m["panels"][1:]}, {"named"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "trips"), FAULTS)
def test_each_fault_of_one_sheet_trips_its_finding_and_no_other(change: Change, trips: set[str]) -> None:
    judge = recipe()
    rows = ledger(judge, [clip(n) for n in range(4)])
    assert not failed(judge, rows)
    spoilt = {**rows[0].measured, **change(dict(rows[0].measured))}
    assert failed(judge, [rows[0].model_copy(update={"measured": spoilt}), *rows[1:]]) == trips


def test_a_caption_that_names_another_panel_is_found() -> None:
    judge = recipe()
    rows = ledger(judge, [clip(n) for n in range(2)])
    other = str(rows[0].caption).replace("(face, ", "(face, hat, ")
    assert failed(judge, [rows[0].model_copy(update={"caption": other}), *rows[1:]]) == {"named"}


def test_panels_of_the_target_itself_are_counted_from_the_moments_that_were_chosen() -> None:
    judge = recipe()
    rows = ledger(judge, [clip(n) for n in range(2)])
    chosen = Choices.of(rows[0])
    cut_s = [view.at_s for view in chosen.views if view.at_s is not None]
    moved = {**rows[0].choices, "start_s": min(cut_s)}
    assert failed(judge, [rows[0].model_copy(update={"choices": moved}), *rows[1:]]) == {"same_window"}


def test_a_film_of_one_target_shows_too_much_of_itself() -> None:
    samples, drops = planned(recipe(), [clip(0, seconds=5.2)])
    assert not samples and [drop.reason for drop in drops] == ["same_window"]
    assert "person-1 face" in drops[0].detail
    assert planned(recipe(max_same_window=1.0), [clip(0, seconds=5.2)])[0]


def test_a_sheet_is_not_made_again_for_what_it_does_not_show() -> None:
    known = {sample.id: example_key(recipe(), sample) for sample in planned(recipe(), [clip(0), clip(1)])[0]}
    for other in (
        recipe(seed=7),
        recipe(heldout_share=0.5),
        recipe(generator="math:sqrt"),
        recipe(max_same_window=0.5),
    ):
        again = planned(other.model_copy(update={"generator": None}), [clip(0), clip(1)])[0]
        assert {sample.id: example_key(other, sample) for sample in again}.items() & known.items()
        assert all(example_key(other, sample) == known[sample.id] for sample in again if sample.id in known)
    assert example_key(recipe(width=640), planned(recipe(), [clip(0)])[0][0]) not in known.values()


def test_of_those_that_stand_the_first_of_the_lot_are_kept() -> None:
    judge = recipe(per_film=1)
    samples, _ = planned(judge, [clip(0), clip(1)])
    for spoilt in (None, samples[0].id):
        made: dict[str, dict[str, Any]] = {s.id: {"measured": measured(s)} for s in samples}
        if spoilt:
            made[spoilt] = {"rejected": {"reason": "text", "detail": ""}}
        rows = made_rows(samples, made)
        kept = [row for row in selected(rows, judge.select(rows)) if row.kept]
        assert [number(row.attributes, "order") for row in kept] == ([1, 0] if spoilt else [0, 0])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"frames": 120}, "8k\\+1"),
        ({"width": 100}, "multiple of 32"),
        ({"width": 64, "height": 128}, "not higher than wide"),
    ],
)
def test_wrong_settings_are_one_line(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(CurateError, match=says) as caught:
        recipe(**changes)
    assert "\n" not in str(caught.value)


def test_a_generator_fills_in_the_views_that_are_missing() -> None:
    plain, more = (planned(recipe(generator=name), [clip(0)])[0][0] for name in (None, "math:sqrt"))
    assert plain.attributes["missing"] == ["person-1 back"] and plain.attributes["generated"] == []
    assert more.attributes["missing"] == [] and more.attributes["generated"] == ["person-1 back"]
    assert "(face, front, left, right, back)" in more.caption
