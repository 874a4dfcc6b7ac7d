"""`curate diff`: what differs between two finished sets, by their manifests, ledgers, audits and shards.

Nothing is rebuilt and no recipe is imported, so sets of recipes that this program does not know can be compared.
What follows from the differences, the version bump, is in `bump`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curate.diff.contents import Contents, members, read
from curate.diff.difference import Change, Crossing, Difference, Distribution, FindingChange, SampleChange
from curate.manifest import content_id
from curate.proof.finding import Finding
from curate.records import Build, LedgerRow, Record, Split, canonical
from curate.schema import Audit
from curate.shard import ShardReader
from curate.tensors import TensorBytes, unpack_tensors

PARTS = ("choices", "attributes", "measured")  # of a sample; each holds named values
FIELDS = ("name", "split", "group", "caption", "sources", "licence")  # of a sample, compared whole


def compare(a: Path, b: Path) -> Difference:
    """What differs from the set in folder `a` to the one in `b`.

    Raises CurateError, one line, for a folder that is no set, and for a file that is missing, cannot be read or is
    not the one its manifest lists.
    """
    return difference(read(a), read(b))


def difference(a: Contents, b: Contents) -> Difference:
    """What differs from `a` to `b`. Reads shards only when both have the same encoder and other shards."""
    was, now = a.manifest, b.manifest
    kept_a, kept_b = a.kept, b.kept
    return Difference(
        identical=canonical(was) == canonical(now),
        content_id=(content_id(a.rows), content_id(b.rows)),
        kept=(len(kept_a), len(kept_b)),
        recipe=_changes(*(_dump(m, "recipe", "recipe_version", "strategy", "control") for m in (was, now))),
        settings=_changes(was.settings, now.settings),
        source=_changes(_source(was), _source(now)),
        counts=_changes(*(m.counts.model_dump(exclude={"dropped"}) for m in (was, now))),
        dropped=_changes(was.counts.dropped, now.counts.dropped, absent=0),
        encoder=_changes(*({**(m.encoder or {}), "trained": m.trained} for m in (was, now))),
        encoded=(was.encoder is not None, now.encoder is not None),
        made_with=_changes(_made_with(was), _made_with(now)),
        files=tuple(n for n in sorted({*was.files, *now.files}) if was.files.get(n) != now.files.get(n)),
        added=tuple(sorted(kept_b.keys() - kept_a.keys())),
        removed=tuple(sorted(kept_a.keys() - kept_b.keys())),
        changed=tuple(_changed_samples(a, b)),
        crossed=tuple(_crossed(kept_a.values(), kept_b.values())),
        captions=_changes(_captions(kept_a.values()), _captions(kept_b.values()), absent=0),
        distributions=tuple(_distributions(kept_a.values(), kept_b.values())),
        findings=tuple(_changed_findings(a, b)),
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], absent: Any = None) -> tuple[Change, ...]:
    """The keys whose values are spelled differently, as `content_id` sees it: 1 is not 1.0."""
    pairs = {key: (before.get(key, absent), after.get(key, absent)) for key in sorted({*before, *after})}
    return tuple(
        Change(name=key, before=was, after=now)
        for key, (was, now) in pairs.items()
        if canonical(was) != canonical(now)
    )


def _dump(record: Record, *fields: str) -> dict[str, Any]:
    return record.model_dump(mode="json", include=set(fields))


def _source(manifest: Build) -> dict[str, Any]:
    card = manifest.source.model_dump(mode="json")
    return card | {f"settings.{key}": value for key, value in card.pop("settings").items()}


def _made_with(manifest: Build) -> dict[str, Any]:
    audit = _dump(manifest.audit, "allowed", "expected_failures")
    return (
        manifest.made_with
        | {f"audit.{key}": names for key, names in audit.items()}
        | _dump(manifest, "curate", "summary", "platform", "control_of")
    )


def _captions(rows: Collection[LedgerRow]) -> Counter[str]:
    return Counter(str(row.caption) for row in rows)


def _changed_samples(a: Contents, b: Contents) -> Iterator[SampleChange]:
    kept_a, kept_b = a.kept, b.kept
    both = sorted(kept_a.keys() & kept_b.keys())
    tensors = _changed_tensors(a, b, both)
    for name in both:
        was, now = (_flat(kept[name]) for kept in (kept_a, kept_b))
        fields = [change.name for change in _changes(was, now)] if canonical(was) != canonical(now) else []
        if fields := [*fields, *tensors.get(name, ())]:
            yield SampleChange(id=name, fields=tuple(fields))


def _flat(row: LedgerRow) -> dict[str, Any]:
    """A sample's fields, those of its parts as `choices.target_hz`."""
    parts = {f"{part}.{key}": value for part in PARTS for key, value in getattr(row, part).items()}
    return _dump(row, *FIELDS) | parts


def _changed_tensors(a: Contents, b: Contents, both: Sequence[str]) -> dict[str, list[str]]:
    """Samples whose shard members differ: `example`, the media that were encoded, and `latents`."""
    was, now = a.manifest, b.manifest
    if was.encoder is None or was.encoder_sha256 != now.encoder_sha256 or _shards(was) == _shards(now):
        return {}
    members_a, members_b = members(a), members(b)
    changed = {}
    for name in both:
        if name not in members_a or name not in members_b:
            continue  # a ledger that disagrees with its shards: for `curate check` to say
        was_made, was_encoded = _example(*members_a[name])
        now_made, now_encoded = _example(*members_b[name])
        if fields := ["example"] * (was_made != now_made) + ["latents"] * (was_encoded != now_encoded):
            changed[name] = fields
    return changed


def _example(reader: ShardReader, key: str) -> tuple[Any, dict[str, TensorBytes]]:
    """Sha256 of the media that were encoded, and their latents."""
    tensors, stamp = unpack_tensors(reader.read(key, "safetensors"), key)
    return stamp.get("example_sha256"), tensors


def _shards(manifest: Build) -> dict[str, str]:
    return {name: card.sha256 for name, card in manifest.files.items() if name.startswith("shards/")}


def _crossed(before: Collection[LedgerRow], after: Collection[LedgerRow]) -> Iterator[Crossing]:
    """Files on the other side, whichever samples were made of them: who trained on A has seen B's held-out side."""
    was, now = _sides(before), _sides(after)
    for sha256 in sorted(was.keys() & now.keys(), key=lambda sha: (was[sha], sha)):
        if was[sha256][1] != now[sha256][1]:
            yield Crossing(name=was[sha256][0], sha256=sha256, before=was[sha256][1], after=now[sha256][1])


def _sides(rows: Collection[LedgerRow]) -> dict[str, tuple[str, Split]]:
    return {sha256: (row.name, row.split) for row in rows if row.split for sha256 in row.sources}


def _distributions(before: Collection[LedgerRow], after: Collection[LedgerRow]) -> list[Distribution]:
    was, now = _numbers(before), _numbers(after)
    found = [_distribution(name, was.get(name, []), now.get(name, [])) for name in sorted({*was, *now})]
    return sorted((d for d in found if d.ks != 0), key=lambda d: -(2 if d.ks is None else d.ks))


def _numbers(rows: Collection[LedgerRow]) -> dict[str, list[float]]:
    """The numbers of the samples by name: attributes of the source and what was measured."""
    found = dict[str, list[float]]()
    for row in rows:
        for part in ("attributes", "measured"):
            for key, value in getattr(row, part).items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    found.setdefault(f"{part}.{key}", []).append(float(value))
    return found


def _distribution(name: str, before: Sequence[float], after: Sequence[float]) -> Distribution:
    (median_a, spread_a), (median_b, spread_b) = _median_and_spread(before), _median_and_spread(after)
    return Distribution(
        name=name,
        count=(len(before), len(after)),
        median=(median_a, median_b),
        spread=(spread_a, spread_b),
        ks=ks_distance(before, after) if before and after else None,
    )


def ks_distance(before: Sequence[float], after: Sequence[float]) -> float:
    """Two-sample Kolmogorov-Smirnov distance: the largest gap between the two empirical distributions (Smirnov 1939).

    Of at least one value on each side; 0 to 1. As scipy.stats.ks_2samp has it, whose p-value would mean nothing here
    and divides by zero for single samples.  # (N,), (M,) -> ()
    """
    pooled = np.concatenate([before, after])
    shares = [np.searchsorted(np.sort(side), pooled, side="right") / len(side) for side in (before, after)]
    return round(float(np.abs(shares[0] - shares[1]).max()), 6)


def _median_and_spread(values: Sequence[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    low, middle, high = np.percentile(values, (25, 50, 75))
    return round(float(middle), 6), round(float(high - low), 6)


def _changed_findings(a: Contents, b: Contents) -> Iterator[FindingChange]:
    was, now = _findings(a.audit), _findings(b.audit)
    controls = b.manifest.audit.expected_failures
    for name in {**was, **now}:
        before, after = was.get(name), now.get(name)
        if before and after and canonical(before) == canonical(after):
            continue
        yield FindingChange(
            name=name,
            before=before.verdict if before else None,
            after=after.verdict if after else None,
            expected=any(found is not None and found.name in controls for found in (before, after)),
            says=(before.says if before else "", after.says if after else ""),
            numbers=_changes(before.measured if before else {}, after.measured if after else {}),
        )


def _findings(audit: Audit) -> dict[str, Finding]:
    """The findings of every list of an audit by label, in their order."""
    return {
        f"{'' if part == 'findings' else f'{part}: '}{found.name} ({found.split})": found
        for part, listed in audit
        if isinstance(listed, list | tuple)
        for found in listed
        if isinstance(found, Finding)
    }
