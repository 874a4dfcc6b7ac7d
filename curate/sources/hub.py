"""The source that is a dataset on the Hub: VBVR and its like by their tars, any other row by row."""

import re
from pathlib import Path

from curate.errors import CurateError, Rejected
from curate.records import Clip, Drop, Wanted, sha256_of
from curate.sources.clips import Clips, Reads
from curate.sources.hub_rows import Follow, Row, keep, read_rows
from curate.sources.sidecars import CAPTION_KEYS, LICENCE_KEYS, Note
from curate.sources.store import HubStore
from curate.sources.vbvr import is_vbvr, list_vbvr


def parse_source(source: str) -> tuple[str, str | None]:
    """Repository and revision of `hub:OWNER/NAME` or `hub:OWNER/NAME@REVISION`; CurateError for anything else."""
    part = r"(?![^/@]*(?:--|\.\.))[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?"
    found = re.fullmatch(rf"hub:({part}/{part})(?:@([\w./-]+))?", source, re.ASCII)
    if not found or len(found[1]) > 96:
        raise CurateError(f"{source!a} names no dataset; wanted hub:OWNER/NAME or hub:OWNER/NAME@REVISION")
    return found[1], found[2]


def list_hub(
    repo: str,
    revision: str | None,
    wanted: Wanted | None,
    cache: Path,
    follow: Follow = iter,
    reads: Reads = "videos",
) -> tuple[list[Clip], list[Drop], str]:
    """The clips of a dataset on the Hub sorted by name, the drops, and the commit they come from.

    A dataset laid out as VBVR gives what is `wanted` of it (see `list_vbvr`). Of any other, every row is a clip or a
    drop: its first video, else sound, else picture, is kept below `cache` by its sha256. Captions are in the columns
    caption, text, prompt or txt; other plain columns become labels. Dropped are rows as `no_media`, `same_file` and
    for what `probe` finds. `follow` passes on generators, or splits.

    A second listing downloads nothing again of VBVR, of files that the Hub keeps by their sha256, and of what
    its client has whole (the table). Rows with bytes in them and webdataset shards are read again, but not written.
    Raises CurateError when the Hub does not have the dataset, cannot be reached, or the dataset holds no media.
    """
    store = HubStore(repo, revision)
    if not is_vbvr(store.paths()):
        return *_list_rows(store, cache / "hub", follow, reads), store.commit
    if wanted is None:
        told = "is laid out in parts as VBVR is; wanted a recipe that says which of them it takes"
        raise CurateError(f"{store.name}: {told}")
    return *list_vbvr(store, wanted, cache, follow), store.commit


def _list_rows(store: HubStore, cache: Path, follow: Follow, reads: Reads) -> tuple[list[Clip], list[Drop]]:
    clips, drops = Clips(reads, cache), list[Drop]()
    for row in read_rows(store, follow):
        sha256: str | None = None
        try:
            path, sha256 = keep(row, store, cache)
            clips.add(path, row.name, sha256, _note(row, store))
        except Rejected as why:
            drops.append(_drop(row, why, sha256))
    listed = sorted(clips.by_sha256.values(), key=lambda clip: clip.name)
    return listed, sorted(drops, key=lambda drop: (drop.name, drop.id))


def _note(row: Row, store: HubStore) -> Note:
    """Caption, licence and labels from the plain columns, from `json` and from `txt`; the later wins.

    Where a row says nothing of its licence, the dataset's card does.
    """
    where = f"{store.name}, {row.name}"
    values = dict(row.values)
    inner, text = values.pop("json", None), values.pop("txt", None)
    note = Note()
    for told in (values, inner if isinstance(inner, dict) else {}, {"caption": text}):
        plain = {key: value for key, value in told.items() if isinstance(value, str | int | float)}
        if "prompt" in plain and not any(plain.get(key) for key in CAPTION_KEYS):
            plain["caption"] = plain.pop("prompt")
        for key in (*CAPTION_KEYS, *LICENCE_KEYS):
            if not isinstance(plain.get(key, ""), str):  # a number of a class: it can be a label only
                plain[f"{key}_"] = plain.pop(key)
        note.add(plain, where)
    note.licence = note.licence or store.licence
    return note


def _drop(row: Row, why: Rejected, sha256: str | None) -> Drop:
    """One id per row of the ledger: only the first file of its bytes can have the id that these give."""
    own = sha256 if sha256 and why.reason != "same_file" else sha256_of([row.split, row.number])
    return Drop(id=own[:16], name=row.name, reason=why.reason, detail=why.detail, sha256=sha256)
