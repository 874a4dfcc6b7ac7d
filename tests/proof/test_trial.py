"""A trial over a ledger: who is eligible, what the lot gave, and what else it could have given."""

import numpy as np
import pytest

from curate.proof.sketch import Lot, Sketch
from curate.proof.trial import Table, Trial
from curate.records import LedgerRow, number
from tests.proof.test_audit import Lamps, made_ledger

RECIPE = Lamps(largest_m=5.5)


def ledger(clips: int = 60) -> list[LedgerRow]:
    return list(made_ledger(RECIPE, clips))


def trial(rows: list[LedgerRow], seed: int = 0, **lot: object) -> Trial:
    sketch = RECIPE.sketch
    assert sketch.lot is not None
    return Trial(seed, sketch.model_copy(update={"lot": sketch.lot.model_copy(update=lot)}), rows)


def test_a_trial_needs_a_lot() -> None:
    with pytest.raises(ValueError, match="wanted a sketch with a lot"):
        Trial(0, Sketch(), [])


def test_a_table_is_clips_by_strata_whatever_the_order() -> None:
    rows = ledger(12)
    table, again = Table.of(rows, 6), Table.of(rows[::-1], 6)
    assert table.clips == again.clips == tuple(sorted({str(row.clip) for row in rows}))
    assert (table.passed == again.passed).all() and table.passed.shape == (12, 6)
    for row in rows:
        assert table.passed[table.clips.index(str(row.clip)), int(number(row.choices, "stratum"))] == row.made
    sizes = {row.clip: row.attributes["size_m"] for row in rows}
    assert table.attribute("size_m").tolist() == [sizes[clip] for clip in table.clips]


def test_rows_that_never_became_candidates_are_in_no_table() -> None:
    rows = [*ledger(6), LedgerRow(id="broken", name="broken.mp4", reason="unreadable")]
    assert len(Table.of(rows, 6).clips) == 6
    assert "broken" not in trial(rows).select()


def test_the_band_is_of_the_training_clips_alone_or_whole_when_told() -> None:
    rows = ledger()
    band = trial(rows).band
    assert 0 < len(band) < 6
    none_held = [r.model_copy(update={"made": False}) if r.split == "heldout" else r for r in rows]
    assert trial(none_held).band == band
    assert trial(rows, whole_range=True).band == range(6)
    assert trial([], whole_range=False).band == range(0)


def test_every_eligible_clip_draws_one_target_and_every_other_candidate_says_why_not() -> None:
    rows = ledger()
    drawn = trial(rows)
    fates = drawn.select()
    assert fates.keys() == {row.id for row in rows if row.made}
    for table in drawn.sides.values():
        eligible = set(table.eligible(drawn.band))
        kept = [row for row in table.rows.values() if row.id in fates and fates[row.id] is None]
        assert {row.clip for row in kept} == eligible and len(kept) == len(eligible) > 3
        counts = [sum(row.choices["stratum"] == s for row in kept) for s in drawn.band]
        assert max(counts) - min(counts) <= 1
    assert set(fates.values()) == {None, "outside_band", "not_assigned", "not_eligible"}


def test_the_lot_goes_by_the_seed_and_not_by_the_order_of_rows() -> None:
    rows = ledger()
    assert trial(rows).select() == trial(rows[::-1]).select()
    assert trial(rows).select() != trial(rows, seed=1).select()


def test_nobody_draws_where_the_design_follows_the_source() -> None:
    rows = ledger()
    fates = trial(rows, drawn=False).select()
    assert fates == {row.id: None for row in rows if row.made}
    assert trial(rows, drawn=False).redraws("train", 5) is None


def test_redraws_are_other_lots_of_the_same_clips() -> None:
    rows = ledger()
    mine = trial(rows)
    redraws = mine.redraws("train", 60)
    kept = sorted((r for r in rows if r.kept and r.split == "train"), key=lambda r: r.id)
    target = np.array([number(row.measured, "level") for row in kept])
    assert redraws is not None and redraws.shape == (60, len(kept))
    assert not (redraws == target).all(axis=1).any()  # the assignment itself is no part of its null
    table = mine.sides["train"]
    for place, row in enumerate(kept):
        could = {number(table.rows[str(row.clip), s].measured, "level") for s in mine.band}
        assert target[place] in could and set(redraws[:, place]) <= could
        assert len(set(redraws[:, place])) == len(mine.band)  # in sixty lots everybody gets everything
    again = trial(rows).redraws("train", 60)
    assert again is not None and (redraws == again).all()


def test_there_is_no_null_for_a_set_that_no_lot_of_this_trial_gave() -> None:
    rows = ledger()
    first = next(row.id for row in rows if row.kept and row.split == "train")
    torn = [row.model_copy(update={"kept": False}) if row.id == first else row for row in rows]
    assert trial(torn).redraws("train", 5) is None
    assert trial(torn).redraws("heldout", 5) is not None


def test_whoever_is_lost_smuggled_in_or_kept_twice_is_named() -> None:
    rows = ledger()
    assert trial(rows).misassigned() == []
    kept = next(row for row in rows if row.kept)
    other = next(row for row in rows if row.clip == kept.clip and row.made and not row.kept)
    stranger = next(row for row in rows if row.reason == "not_eligible")
    for row, state in ((kept, False), (other, True), (stranger, True)):
        odd = [r.model_copy(update={"kept": state}) if r.id == row.id else r for r in rows]
        assert trial(odd).misassigned() == [row.clip]


def test_a_lot_without_anybody_eligible_keeps_nobody() -> None:
    rows = [row.model_copy(update={"made": row.choices["stratum"] == 1}) for row in ledger(10)]
    nobody = trial(rows, whole_range=True)
    assert set(nobody.select().values()) == {"not_eligible"} and nobody.misassigned() != []
    assert Lot(edges=(0, 1), unit="", least_eligible_share=1, reaches_by="").strata == 1
