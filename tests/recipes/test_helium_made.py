"""Helium's records as they are really made: the names that the sketch wants, keys, and the sweep."""

from functools import cache

import numpy as np
import pytest

from curate.ledger import made_rows, unselected
from curate.media import pitch
from curate.media.video import write_video
from curate.recipe import Example, Recipe
from curate.records import Clip, LedgerRow, Sample, Values, number
from tests.footage import numbered
from tests.ledgers import finished, helium, pool
from tests.media.test_pitch import RATE, spoken
from tests.recipes.test_helium import clip, one_thread  # noqa: F401  as in a build


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Four seconds of a synthetic voice over a picture, annotated."""
    path = tmp_path_factory.mktemp("real") / "clip.mp4"
    write_video(path, np.stack([numbered(n) for n in range(100)]), 25, spoken(), RATE)
    plain = clip(1).model_copy(update={"path": str(path), "seconds": 4.0})
    return plain.model_copy(update={"annotations": small("helium-v2").annotate(plain)})


def small(name: str) -> Recipe:
    return helium(name, frames=41, reference_s=0.5)


def sample_near(recipe: Recipe, clip: Clip) -> Sample:
    """A candidate that is a few semitones off."""
    samples = [sample for sample in recipe.plan([clip]) if isinstance(sample, Sample)]
    return min(samples, key=lambda s: abs(number(s.choices, "target_hz") - 1.2 * number(s.attributes, "natural_hz")))  # fmt: skip


@cache
def record(name: str, clip_json: str, path: str) -> LedgerRow:
    recipe = small(name)
    sample = sample_near(recipe, Clip.model_validate_json(clip_json).model_copy(update={"path": path}))
    (row,) = made_rows([sample], {sample.id: {"measured": recipe.make(sample).measured}})
    return row.model_copy(update={"kept": True})


@pytest.mark.parametrize("name", ["helium-v2", "helium-v1"])
def test_every_value_that_the_sketch_names_is_in_a_record_that_was_really_made(name: str, real: Clip) -> None:
    row, sketch = record(name, real.model_dump_json(), real.path), small(name).sketch
    reference = sketch.reference
    assert reference is not None and sketch.lot is not None
    found = {key for label in sketch.labels for key in label.found}
    wanted = {label.wanted for label in sketch.labels if isinstance(label.wanted, str)}
    drawn = {*reference.parameters, *reference.proxies, *reference.controls}
    assert {*found, *drawn, *sketch.effects, str(sketch.assigned)} <= row.measured.keys()
    assert wanted <= row.measured.keys() | row.choices.keys()
    assert {*sketch.balanced, *sketch.held_back, sketch.lot.reaches_by} <= row.attributes.keys()
    assert {*sketch.disjoint, *sketch.constant} <= {*LedgerRow.model_fields, *row.attributes}
    assert all(isinstance(row.measured[key], list) for key in reference.controls)
    by = {f.name: f.verdict for f in small(name).audit([row])}
    labels = {label.name for label in sketch.labels} - {"length"}  # AAC gives a sample or so back
    assert {by[label] for label in labels} == {"pass"}


def test_made_up_ledgers_have_no_value_that_a_real_record_lacks(real: Clip) -> None:
    for name in ("helium-v2", "helium-v1"):
        row = record(name, real.model_dump_json(), real.path)
        made_up = next(row for row in pool(helium(name), 3, seed=0) if row.made)
        assert made_up.measured.keys() <= row.measured.keys()
        assert made_up.attributes.keys() <= row.attributes.keys()
        assert made_up.choices.keys() == row.choices.keys()


def test_only_fields_that_make_never_reads_are_decided_on_the_set(real: Clip) -> None:
    """Those fields are left out of the cache key of a made sample, so `make` must not look at them."""
    recipe = small("helium-v2")
    read = set[str]()

    class Watched(type(recipe)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> object:
            read.add(name)
            return super().__getattribute__(name)

    watched = Watched.model_validate({"frames": 41, "reference_s": 0.5})
    sample = sample_near(watched, real)
    read.clear()
    watched.make(sample)
    assert "frames" in read
    assert not read & set(recipe.decided_on_the_set)


def test_the_tone_of_a_pair_has_one_timbre_whatever_its_pitch() -> None:
    recipe = small("helium-v2")
    parameters = recipe.sketch.reference.parameters  # type: ignore[union-attr]
    assert len(parameters) == 16
    told = [recipe.reference("pair", hz)[1] for hz in (90.0, 170.0, 330.0)]  # type: ignore[attr-defined]
    for key in (*parameters, "tone_gain_db"):
        assert len({values[key] for values in told}) == 1, key
    assert len({values["tone_hz"] for values in told}) == 3
    other = recipe.reference("another", 90.0)[1]  # type: ignore[attr-defined]
    assert sum(other[key] == told[0][key] for key in parameters) <= 1  # a vibrato of none may come twice


def swept(recipe: Recipe, choices: Values) -> Example:
    sample = Sample(
        id="sweep", group="g", split="heldout", caption="", clips=(clip(1),), choices=choices, attributes={}
    )
    return recipe.make(sample)


def test_a_sweep_moves_the_pitch_and_holds_the_timbre_then_the_other_way_round(real: Clip) -> None:
    recipe = small("helium-v2")
    pair = record("helium-v2", real.model_dump_json(), real.path)
    tones = dict(recipe.sweep(pair))  # type: ignore[attr-defined]
    kinds = [str(choices["sweep"]) for choices in tones.values()]
    assert kinds == ["pitch"] * 9 + ["timbre"] * 9 and len(tones) == 18
    by_pitch, by_timbre = list(tones.values())[:9], list(tones.values())[9:]
    hz = [number(choices, "tone_hz") for choices in by_pitch]
    assert np.allclose(hz, np.geomspace(76, 353, 9)) and {c["timbre_of"] for c in by_pitch} == {pair.id}
    assert {c["tone_hz"] for c in by_timbre} == {pair.measured["pitch_hz"]}
    assert len({c["timbre_of"] for c in by_timbre} | {pair.id}) == 10

    parameters = recipe.sketch.reference.parameters  # type: ignore[union-attr]
    low, high = (swept(recipe, by_pitch[step]).measured for step in (1, 8))
    assert (
        [low[k] for k in parameters]
        == [high[k] for k in parameters]
        == [pair.measured[k] for k in parameters]
    )
    assert number(low, "tone_hz") < 100 and number(high, "tone_hz") > 340
    one, two = (swept(recipe, by_timbre[step]) for step in (0, 5))
    assert one.audio.keys() == {"reference_audio"} and one.video is None
    for tone in (one, two):
        off = pitch.cents(number(tone.measured, "tone_hz"), number(pair.measured, "pitch_hz"))
        assert abs(off) < 10
    assert sum(one.measured[k] == two.measured[k] for k in parameters) <= 1


def test_unselected_rows_are_selected_alike_again() -> None:
    recipe = helium()
    rows = finished(recipe, pool(recipe, 60, seed=3))
    assert finished(recipe, unselected(rows)) == rows
