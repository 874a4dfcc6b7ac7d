"""VBVR and what is laid out like it: one table, and a tar of samples for each generator.

A sample is two pictures and a video. Their places in the tar are told by the table and by nothing else; a tar is read
from its start until enough samples are whole, because the whole of one has gigabytes.
"""

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from curate.errors import CurateError, Rejected
from curate.media.video import Probe, probe
from curate.records import Clip, Drop, Wanted, canonical, sha256_of
from curate.sources.store import Store
from curate.sources.vbvr_table import Part, Row, Table
from curate.sources.vbvr_tar import FINAL, FIRST, ROLES, VIDEO, Taken, Target, take

TABLE = "data/metadata.parquet"


class Found(NamedTuple):
    """A row whose three files are on disk."""

    row: Row
    generator: str
    tar_place: int  # among the whole samples of its generator
    path: Path  # of the video; the pictures lie beside it
    shas: dict[str, str]  # of each of ROLES
    probed: Probe | Rejected


class Told(NamedTuple):
    """What the table tells of a sample."""

    caption: str | None
    param_hash: str
    parameters: str  # canonical JSON


def is_vbvr(paths: Sequence[str]) -> bool:
    """Whether files are laid out as VBVR's are."""
    return TABLE in paths and any(path.startswith("tars/") and path.endswith(".tar") for path in paths)


def list_vbvr(
    store: Store,
    wanted: Wanted,
    cache: Path,
    follow: Callable[[list[str]], Iterable[str]] = iter,
) -> tuple[list[Clip], list[Drop]]:
    """The first `wanted.window` samples of each generator in `wanted.parts`, sorted by name.

    Their files are put below `cache`, where a listing that was cut short goes on, and a larger window too. `follow`
    passes the generators on while it shows how far they are. Samples are dropped as `truncated_tar` or `not_in_tar`
    (the tar ended before the window was full: as many of its rows as the window lacks), `not_a_file` (a link in the
    tar), `same_file`, `bad_metadata`, or for what `probe` finds. Raises CurateError for generators and tars that are
    missing, a malformed table, and paths in it that lead out of the tar.
    """
    found: list[Found] = []
    drops: list[Drop] = []
    with closing(Table(store.fetch(TABLE), f"{store.name}/{TABLE}")) as table:
        parts = table.parts(wanted.parts)
        _refuse_missing(store, wanted.parts, parts)
        for generator in follow(sorted(parts)):
            rows = table.rows(generator, parts[generator])
            found_here, drops_here = _take_part(store, generator, rows, wanted.window, cache)
            found += found_here
            drops += drops_here
        told = {number: _told(*cells) for number, *cells in table.texts([one.row.number for one in found])}
    clips: list[Clip] = []
    first: dict[str, str] = {}  # sha256 -> name
    for one in found:
        sha256 = one.shas[VIDEO]
        try:
            if sha256 in first:
                raise Rejected("same_file", f"the same bytes as {first[sha256]}")
            clips.append(_clip(one, told[one.row.number], store.licence))
            first[sha256] = one.row.video  # not before: a broken row must not hide a sound one
        except Rejected as why:
            drops.append(_drop(one.row, why, sha256))
    return sorted(clips, key=lambda clip: clip.name), sorted(drops, key=lambda drop: (drop.name, drop.id))


def _refuse_missing(store: Store, wanted: Collection[str], parts: Mapping[str, Part]) -> None:
    if missing := sorted(set(wanted) - set(parts)):
        found = f"{store.name}: has no {', '.join(missing)} ({len(missing)} of {len(wanted)} wanted)"
        raise CurateError(f"{found}; wanted them in {TABLE}")
    tars = {tar for part in parts.values() for tar in part.tars}
    if lost := sorted(tars - set(store.paths())):
        found = f"{store.name}: has no {', '.join(lost)} ({len(lost)} of {len(tars)} wanted)"
        raise CurateError(f"{found}; {TABLE} names them")


def _take_part(
    store: Store, generator: str, rows: list[Row], window: int, cache: Path
) -> tuple[list[Found], list[Drop]]:
    """What one generator has: tar after tar, though it should be one, until the window is full."""
    found: list[Found] = []
    drops: list[Drop] = []
    for tar in dict.fromkeys(row.tar for row in rows):
        here = {row.number: row for row in rows if row.tar == tar}
        key = sha256_of([store.identity(tar), store.identity(TABLE), generator])[:16]
        folder = (
            cache / "vbvr" / key
        )  # a generator's own: what another one wanted of the tar is not in its journal
        left = window - len(found) - len(drops)
        taken = take(store, tar, _targets(here.values(), folder), folder / "journal.jsonl", left, cache)
        for row in (here.pop(number) for number in taken.settled[:left]):
            if row.number in taken.refused:
                drops.append(_drop(row, Rejected("not_a_file", taken.refused[row.number])))
            else:
                found.append(_found(row, generator, len(found), taken, folder))
        lacking = max(0, left - len(taken.settled))
        drops += [_drop(row, _why_missing(tar, taken)) for row in list(here.values())[:lacking]]
    return found, drops


def _targets(rows: Iterable[Row], folder: Path) -> dict[str, list[Target]]:
    """Where the three files of each sample go, by their names in the tar. Two rows may share a file."""
    targets: dict[str, list[Target]] = {}
    for row in rows:
        for role, name in zip(ROLES, (row.first, row.final, row.video), strict=True):
            targets.setdefault(name, []).append(Target(row.number, role, _place(row, role, folder)))
    return targets


def _place(row: Row, role: str, folder: Path) -> Path:
    """By the row's number, which is safe whatever its paths are called; the journal has those."""
    name = role if role in (FIRST, FINAL) else f"ground_truth{PurePosixPath(row.video).suffix}"
    return folder / f"{row.number:08d}" / name


def _why_missing(tar: str, taken: Taken) -> Rejected:
    if taken.ended is None or taken.ended.ended == "whole":
        return Rejected("not_in_tar", f"not all of its files are in {tar}, which is whole")
    return Rejected("truncated_tar", f"{tar} {taken.ended.detail}")


def _found(row: Row, generator: str, tar_place: int, taken: Taken, folder: Path) -> Found:
    path = _place(row, VIDEO, folder)
    probed: Probe | Rejected
    try:
        probed = probe(path)
    except Rejected as why:
        probed = why
    return Found(
        row, generator, tar_place, path, {role: taken.shas[row.number, role] for role in ROLES}, probed
    )


def _told(prompt: str | None, metadata_json: str | None) -> Told | Rejected:
    """Caption and parameters; `param_hash` of the generator itself, or one of our own where it tells none."""
    try:
        metadata = json.loads(metadata_json or "")
        parameters = metadata["parameters"]
        if not isinstance(parameters, dict):
            raise TypeError(f"parameters is a {type(parameters).__name__}")
        spelled = canonical(parameters).decode()
        param_hash = metadata.get("param_hash") or sha256_of(parameters)[:16]
        if not isinstance(param_hash, str):
            raise TypeError(f"param_hash is {param_hash!r}")
        param_hash.encode()  # JSON can spell half a character
    except KeyError:
        return Rejected("bad_metadata", "metadata_json has no parameters")
    except (TypeError, ValueError, RecursionError) as error:
        return Rejected("bad_metadata", f"metadata_json: {str(error)[:200]}")
    return Told(prompt, param_hash, spelled)


def _clip(one: Found, told: Told | Rejected, licence: str | None) -> Clip:
    """Raises Rejected for what was found wrong with the video or its metadata."""
    if isinstance(one.probed, Rejected):
        raise one.probed
    if isinstance(told, Rejected):
        raise told
    return Clip(
        id=one.shas[VIDEO][:16],
        name=one.row.video,
        sha256=one.shas[VIDEO],
        seconds=one.probed.seconds,
        width=one.probed.width,
        height=one.probed.height,
        fps=one.probed.fps,
        sample_rate_hz=one.probed.sample_rate_hz,
        caption=told.caption,
        labels={
            "generator": one.generator,
            "sample_id": one.row.sample_id,
            "param_hash": told.param_hash,
            "parameters": told.parameters,
            "tar_place": str(one.tar_place),
        },
        licence=licence,
        beside={name: one.shas[name] for name in (FIRST, FINAL)},
        path=os.path.abspath(one.path),
    )


def _drop(row: Row, why: Rejected, sha256: str | None = None) -> Drop:
    """One id per row of the ledger, which the same bytes may come to several times."""
    own = sha256_of([row.video, row.number])
    return Drop(id=own[:16], name=row.video, reason=why.reason, detail=why.detail, sha256=sha256)
