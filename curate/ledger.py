"""The ledger: one row per candidate, kept or dropped with its reason, and nothing lost in between."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curate.errors import CurateError
from curate.records import Counts, Drop, LedgerRow, Sample


def made_rows(samples: Iterable[Sample], records: Mapping[str, Mapping[str, Any]]) -> list[LedgerRow]:
    """A row per sample, before anything is selected."""
    rows = []
    for sample in samples:
        record = records[sample.id]
        why = record.get("rejected")
        rows.append(
            LedgerRow(
                id=sample.id,
                name=sample.clips[0].name,
                clip=sample.clips[0].id,
                sources=tuple(clip.sha256 for clip in sample.clips),
                licence=sample.clips[0].licence,
                group=sample.group,
                split=sample.split,
                caption=sample.caption,
                choices=sample.choices,
                attributes=sample.attributes,
                measured=record.get("measured", {}),
                made=why is None,
                reason=why["reason"] if why else None,
                detail=why["detail"] if why else "",
            )
        )
    return rows


def selected(rows: Sequence[LedgerRow], fates: Mapping[str, str | None]) -> list[LedgerRow]:
    """The rows with what `Recipe.select` decided. Raises CurateError when it forgot or invented a candidate."""
    made = {row.id for row in rows if row.made}
    if made != fates.keys():
        odd = sorted(made ^ fates.keys())
        raise CurateError(f"select decided on other candidates than were made, such as {odd[0]}")
    return [
        row.model_copy(update={"kept": fates[row.id] is None, "reason": fates[row.id]}) if row.made else row
        for row in rows
    ]


def unselected(rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The rows as `Recipe.select` saw them."""
    return [row.model_copy(update={"kept": False, "reason": None}) if row.made else row for row in rows]


def drop_rows(drops: Iterable[Drop]) -> list[LedgerRow]:
    """A row per file or clip that never became a sample."""
    return [
        LedgerRow(
            id=drop.id, name=drop.name, sources=(drop.sha256,) if drop.sha256 else (), reason=drop.reason,
            detail=drop.detail,
        )
        for drop in drops
    ]  # fmt: skip


def count(rows: Sequence[LedgerRow], files: int) -> Counts:
    """Totals. Raises CurateError unless every row is kept or has a reason, and no id comes twice."""
    for row in rows:
        if row.kept and not row.made:
            raise CurateError(f"ledger: {row.id} is kept, although it was never made")
        if row.kept == (row.reason is not None):
            raise CurateError(
                f"ledger: {row.id} is {'kept' if row.kept else 'dropped'} with reason {row.reason!r}"
            )
    twice = [name for name, times in Counter(row.id for row in rows).items() if times > 1]
    if twice:
        raise CurateError(f"ledger: {twice[0]} has more than one row")
    dropped = Counter(str(row.reason) for row in rows if not row.kept)
    return Counts(
        files=files,
        candidates=len(rows),
        kept=sum(row.kept for row in rows),
        train=sum(row.kept and row.split == "train" for row in rows),
        heldout=sum(row.kept and row.split == "heldout" for row in rows),
        dropped=dict(sorted(dropped.items())),
    )


def unlicensed(rows: Iterable[LedgerRow]) -> list[str]:
    """The names of kept samples of which nobody says under which licence they may be used: with any, a set is private."""
    return sorted(row.name for row in rows if row.kept and not row.licence)
