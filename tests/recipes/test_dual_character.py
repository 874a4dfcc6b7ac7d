"""Plan and audit of scenes of two on films that nobody shot: casts, pins, captions, the control, every finding."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import CurateError
from curate.ledger import made_rows, selected
from curate.media.subject import Box
from curate.media.subtitles import Line, Writing
from curate.proof.finding import problems
from curate.recipe import configure, find
from curate.recipes.dual_character import DualCharacter
from curate.records import Clip, Drop, LedgerRow, Sample, sha256_of, strings
from curate.scenes.choices import Choices
from curate.scenes.known import Known, Person
from curate.stages import example_key
from tests.casts import film, sighting

CAPTION = "Medium two-shot, static camera. On the left a woman in a RED coat talks; on the right a man in a GREEN coat nods."


def recipe(**changes: Any) -> DualCharacter:
    configured = configure(find("dual-character"), changes)
    assert isinstance(configured, DualCharacter)
    return configured


def clip(
    number: int, people: tuple[float, float] | None = None, seconds: float = 20.0, shots: int = 1,
    written: Sequence[Line] = (), cast: Sequence[Person] = (), late_s: float = 0.0, **changes: Any,
) -> Clip:  # fmt: skip
    """A film of two as `annotate` leaves it; in every second shot they have changed sides."""
    sha256, length_s = sha256_of(["film", number]), seconds / shots
    looks = [t / 2 for t in range(round(seconds * 2))]
    turned = [int(at_s / length_s) % 2 == 1 for at_s in looks]
    seen = [sighting(at_s, 0, left=400 if other else 60) for at_s, other in zip(looks, turned, strict=True)]
    seen += [
        sighting(at_s, 1, left=60 if other else 400)
        for at_s, other in zip(looks, turned, strict=True)
        if at_s % length_s >= late_s
    ]
    cuts = [(place * length_s, (place + 1) * length_s) for place in range(shots)]
    own = people or (2.0 * number, 2.0 * number + 1)
    found = film(seen, cuts, 2)._replace(identities=[[who] + [0.0] * 127 for who in own])
    known = Known(found, Writing(list(written), [], (640, 480)), list(cast), [])
    values = {
        "id": sha256[:16], "name": f"{number:03d}.mp4", "sha256": sha256, "seconds": seconds, "width": 1280, "height": 960,
        "fps": 24.0, "sample_rate_hz": None, "caption": CAPTION, "licence": "CC0-1.0", "annotations": known.as_values(),
        "beside": {picture: "0" * 64 for each in cast for picture in each.pictures},
    }  # fmt: skip
    return Clip(**values | changes)


def planned(judge: DualCharacter, clips: Sequence[Clip]) -> tuple[list[Sample], list[Drop]]:
    items = list(judge.plan(clips))
    return [i for i in items if isinstance(i, Sample)], [i for i in items if isinstance(i, Drop)]


def face(name: str) -> list[float]:
    """An identity: far from every other name's."""
    return [1.0 if place == int(sha256_of(name), 16) % 128 else 0.0 for place in range(128)]


def measured(sample: Sample) -> dict[str, Any]:
    """What `make` finds on a sound first frame."""
    later = [frame for frame in Choices.of(sample).pins if frame]
    pictures = {"first_frame": "0" * 16, **{f"pin_{frame}": "3" * 16 for frame in later}}
    pictures |= {} if later else {"single": "1" * 16, "swapped": "2" * 16}
    identities = [value for name in strings(sample.attributes["people"]) for value in face(name)]
    return ({} if sample.choices["pin"] == "frame0" else pictures) | {
        "texts": 0, "words": [], "people": 2, "head_ratio": 1.0, "apart": 0.7, "identity": 0.3, "same_sides": 1.0, "together": 8,
        "crowd": 0, "early": 0, "bits": 80, "still_s": 0.1, "cuts": 0, "subtitles": 0, "given": 0, "plain": 0, "turned": 1.0, "pin_texts": 0, "same_shot": 2, "same_window": 0, "cut_s": [1.0, 2.0], "enlarged": 1.5, "frames": 121,
        "first_width": 1280, "first_height": 704, "identities": identities, "who": identities,
    }  # fmt: skip


def ledger(judge: DualCharacter, clips: Sequence[Clip]) -> list[LedgerRow]:
    samples, _ = planned(judge, clips)
    rows = made_rows(samples, {s.id: {"measured": measured(s)} for s in samples})
    return selected(rows, judge.select(rows))


def failed(judge: DualCharacter, rows: Sequence[LedgerRow]) -> set[str]:
    return {finding.name for finding in judge.audit(rows) if finding.verdict == "fail"}


def test_every_shot_of_a_scene_is_a_sample_with_one_cast() -> None:
    bare = "Medium two-shot, static camera. A woman in a RED coat and a man in a GREEN coat talk."
    samples, drops = planned(recipe(), [clip(0, shots=3, seconds=18.0, caption=bare)])
    assert len(samples) == 3 and not drops
    assert {s.attributes["cast"] for s in samples} == {samples[0].attributes["cast"]}
    assert sorted(str(s.attributes["shot"]) for s in samples) == ["0", "1", "2"]
    for sample in samples:
        views, turned = Choices.of(sample).views, sample.attributes["shot"] == 1
        assert [view.who for view in views] == ([1, 0] if turned else [0, 1])  # the one on the left first
        assert not any(view.looks[0].same_shot for view in views)  # there are others to take them from
    alone, _ = planned(recipe(), [clip(0, seconds=20.0)])
    views = [view for sample in alone for view in Choices.of(sample).views]
    assert all(view.looks[0].same_shot and not view.looks[0].same_window for view in views)


def test_a_caption_that_names_sides_is_of_the_first_shot_only() -> None:
    samples, drops = planned(recipe(), [clip(0, shots=3, seconds=18.0)])
    assert sorted(s.attributes["shot"] for s in samples) == [0, 2]  # type: ignore[type-var]
    assert [drop.reason for drop in drops] == ["sides_contradicted"]
    cast = [
        Person(name=name, who=who, pictures=(f"refs/{name}/1.png",), description="somebody in GREEN")
        for who, name in enumerate(("ada", "ben"))
    ]
    bare = clip(0, shots=2, seconds=12.0, caption="They talk. Medium shot, static camera.", cast=cast)
    one, other = sorted(planned(recipe(), [bare])[0], key=lambda s: str(s.attributes["shot"]))
    assert one.caption.startswith("On the left ada") and other.caption.startswith("On the left ben")


def test_a_reverse_angle_is_one_of_two_and_no_place_for_a_later_pin() -> None:
    alone = clip(0, seconds=12.0, shots=2, late_s=5.5)  # the second person is in the last look of each shot
    samples, _ = planned(recipe(), [alone])
    assert samples and all(Choices.of(s).unseen for s in samples)
    assert {drop.reason for drop in planned(recipe(reverse_angles=False), [alone])[1]} == {"one_character"}
    assert {drop.reason for drop in planned(recipe(pin="staggered"), [alone])[1]} == {"one_character"}


def test_each_window_is_a_sample_or_a_drop_whatever_the_order_of_films() -> None:
    clips = [clip(0), clip(1, seconds=4.0), clip(2, caption=None), clip(3, seconds=60.0)]
    judge = recipe(per_film=2)
    samples, drops = planned(judge, clips)
    assert Counter(s.clips[0].name for s in samples) == {"000.mp4": 3, "003.mp4": 3}
    assert {(drop.name, drop.reason) for drop in drops} == {
        ("001.mp4", "short_shot"), ("002.mp4", "no_caption"), ("003.mp4", "surplus"),
    }  # fmt: skip
    again, _ = planned(judge, clips[::-1])
    assert sorted(again, key=lambda s: s.id) == sorted(samples, key=lambda s: s.id)
    rows = ledger(judge, clips)
    assert Counter(row.name for row in rows if row.kept) == {"000.mp4": 2, "003.mp4": 2}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9)), min_size=2, max_size=8), st.integers(0, 3))
def test_nobody_is_on_both_sides(casts: list[tuple[int, int]], seed: int) -> None:
    clips = [clip(n, (float(one), float(other))) for n, (one, other) in enumerate(casts)]
    samples, _ = planned(recipe(heldout_share=0.5, seed=seed), clips)
    held = {side: {who for s in samples if s.split == side for who in strings(s.attributes["people"])} for side in ("train", "heldout")}  # fmt: skip
    assert not held["train"] & held["heldout"]


def test_who_has_one_name_is_on_one_side_whatever_the_face() -> None:
    ada = Person(name="ada", who=0, pictures=("refs/ada/1.png",))
    samples, _ = planned(recipe(heldout_share=0.5), [clip(n, cast=[ada], seconds=6.0) for n in range(6)])
    assert len(samples) == 6 and len({s.split for s in samples}) == 1


def test_a_named_person_is_shown_by_the_pictures_that_were_given() -> None:
    ada = Person(name="ada", who=0, pictures=("refs/ada/1.png",), description="a woman in a RED coat")
    samples, _ = planned(recipe(), [clip(0, cast=[ada])])
    left, right = Choices.of(samples[0]).views
    assert left.pictures == ("refs/ada/1.png",) and not left.looks and not right.pictures
    assert samples[0].clips[0].beside == {"refs/ada/1.png": "0" * 64}
    assert strings(samples[0].attributes["people"])[0] == "ada"


def test_the_tail_of_every_shot_can_be_left_out() -> None:
    clips = [clip(0, seconds=5.2)]
    assert len(planned(recipe(), clips)[0]) == 1
    samples, drops = planned(recipe(trim_tail_frames=8), clips)
    long, _ = planned(recipe(trim_tail_frames=24), [clip(1, seconds=6.2)])
    looks = [look.at_s for view in Choices.of(long[0]).views for look in view.looks]
    assert max(looks) < 5.2  # nobody is cut out of a tail
    assert not samples and {drop.reason for drop in drops} == {"short_shot"}


def subtitle(top: int) -> Line:
    return Line(text="Where are you?", from_s=1.0, to_s=2.0, box=Box(200, top, 440, top + 30), score=0.99)


def test_subtitles_lose_a_target_or_their_band() -> None:
    clips = [clip(0, written=[subtitle(430)])]
    samples, drops = planned(recipe(), clips)
    assert [drop.reason for drop in drops] == ["subtitles"] and "Where are you?" in drops[0].detail
    cut, none = planned(recipe(subtitles="crop"), clips)
    assert not none and len(cut) == len(samples) + 1
    crops = [Choices.of(sample).crop for sample in cut]
    assert sum(crop is not None for crop in crops) == 1
    (crop,) = (crop for crop in crops if crop)
    assert crop.bottom <= 860 and abs((crop.right - crop.left) / (crop.bottom - crop.top) - 1280 / 704) < 0.01


def test_staggered_pins_are_planned_where_one_comes_later() -> None:
    judge = recipe(pin="staggered")
    samples, drops = planned(judge, [clip(0, seconds=6.0, late_s=2.5), clip(1, seconds=6.0)])
    assert [Choices.of(s).pins for s in samples] == [[0, 48]] and [drop.reason for drop in drops] == ["pins"]
    assert samples[0].choices["on_first"] == 1 and judge.holds() == ("video_latents", "pin_latents")


@pytest.mark.parametrize(
    ("settings_", "told"),
    [
        ({"pin": "staggered", "pin_frames": "0,0"}, "character 1 and character 2 are both pinned at frame 0"),
        (
            {"pin": "staggered", "pin_frames": "0,60"},
            "character 2 is pinned at frame 60, wanted a multiple of 8",
        ),
        ({"pin": "staggered", "pin_frames": "64,0"}, "ascending from 0"),
        ({"pin": "staggered", "pin_frames": "0,16,24"}, "one for each of 2"),
        ({"pin_frames": "0,64"}, "pin_frames are for pin=staggered"),
        ({"frames": 120}, "8k[+]1"),
        ({"width": 704, "height": 1280}, "wider than high"),
        ({"characters": 4}, "less than or equal to 3"),
    ],
)
def test_settings_that_make_no_sense_are_told_in_a_line(settings_: dict[str, Any], told: str) -> None:
    with pytest.raises(CurateError, match=told) as why:
        recipe(**settings_)
    assert "\n" not in str(why.value)


def changed(rows: Sequence[LedgerRow], **measured_: Any) -> list[LedgerRow]:
    """The first kept row with other measures."""
    first = next(row for row in rows if row.kept)
    update = {"measured": {**first.measured, **measured_}}
    return [row.model_copy(update=update) if row is first else row for row in rows]


CLIPS = [clip(n, seconds=6.0) for n in range(6)]


def test_a_sound_set_passes_and_says_where_people_are_from() -> None:
    judge = recipe()
    found = {finding.name: finding for finding in judge.audit(ledger(judge, CLIPS))}
    assert not {name for name, finding in found.items() if finding.verdict == "fail"}
    assert found["same_shot"].measured["same_shot"] == 12 and found["cast_apart"].verdict == "pass"


@pytest.mark.parametrize(
    ("finding", "values"),
    [
        ("length", {"frames": 120}), ("width", {"first_width": 960}), ("height", {"first_height": 544}),
        ("identities", {"people": 3}), ("head_size", {"head_ratio": 1.4}), ("no_text", {"texts": 1}),
        ("identity", {"identity": 0.7}), ("no_crowd", {"crowd": 1}), ("not_early", {"early": 1}), ("moves", {"still_s": 1.5}), ("no_pin_text", {"pin_texts": 1}),
        ("no_cut", {"cuts": 1}), ("no_subtitles", {"subtitles": 1}), ("two_people", {"apart": 0.5}),
        ("same_sides", {"same_sides": 0.5}), ("no_copy", {"bits": 30}), ("landscape", {"first_width": 700}),
        ("one_cast", {"identities": face("x") + face("y")}), ("pictures", {"identities": face("x") + face("y")}),
        ("pictures", {"first_frame": None, "pin_8": "4" * 16}),
    ],
)  # fmt: skip
def test_every_measured_finding_trips(finding: str, values: dict[str, Any]) -> None:
    judge = recipe()
    rows = ledger(judge, [*CLIPS, clip(6, seconds=12.0)])
    many = next(row.id for row in rows if row.kept and row.name == "006.mp4")
    rows = sorted(rows, key=lambda row: row.id != many)  # the first kept one has a second of its cast
    assert finding in failed(judge, changed(rows, **values)) and not failed(judge, rows)


def test_pins_captions_and_casts_trip() -> None:
    judge = recipe(pin="staggered")
    rows = ledger(judge, [clip(n, seconds=6.0, late_s=2.5) for n in range(6)])
    rows = [row.model_copy(update={"measured": {**row.measured, "people": 1}}) for row in rows]
    assert not failed(judge, rows)

    def first(update: Callable[[LedgerRow], dict[str, Any]]) -> set[str]:
        return failed(judge, [rows[0].model_copy(update=update(rows[0])), *rows[1:]])

    assert first(lambda row: {"choices": {**row.choices, "pins": [0.0, 0.0]}}) >= {"pins"}
    assert first(lambda row: {"choices": {**row.choices, "pins": [0.0, 44.0]}}) >= {"pins"}
    assert first(lambda row: {"caption": f"{row.caption} He says “Run!”"}) == {"no_quotes"}
    assert first(lambda row: {"caption": f"{row.caption} 她说「快跑」"}) == {"no_quotes"}
    other = next(row for row in rows if row.split != rows[0].split)
    assert "cast" in first(
        lambda row: {"attributes": {**row.attributes, "people": other.attributes["people"]}}
    )
    assert "cast_apart" in first(
        lambda row: {"measured": {**row.measured, "identities": other.measured["identities"]}}
    )


def test_the_control_has_the_pairs_of_the_set_and_must_fail_one_finding() -> None:
    judge, control = recipe(), recipe(pin="frame0")
    rows, theirs = ledger(judge, CLIPS), ledger(control, CLIPS)
    assert [(row.id, row.split, row.caption) for row in rows] == [
        (row.id, row.split, row.caption) for row in theirs
    ]
    assert control.must_fail() == {"no_copy"} and judge.must_fail() == set()
    bare = [row.model_copy(update={"measured": {**row.measured, "bits": 4}}) for row in theirs]
    assert failed(control, bare) == {"no_copy"} and problems(control.audit(bare), control.must_fail()) == []
    assert problems(control.audit(theirs), control.must_fail())  # a control that passes is none


def test_the_key_of_an_example_does_not_know_its_side() -> None:
    one, other = recipe(), recipe(seed=3, heldout_share=0.5, per_film=1)
    (a, *_), (b, *_) = planned(one, [clip(0)])[0], planned(other, [clip(0)])[0]
    same = b.model_copy(update={"id": a.id, "choices": a.choices})
    assert example_key(one, a) == example_key(other, same) != example_key(recipe(pin="frame0"), a)
