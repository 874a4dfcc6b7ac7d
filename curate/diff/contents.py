"""A finished set as it is read for a comparison: manifest, ledger and audit at once, latents when asked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.errors import CurateError
from curate.manifest import MANIFEST, load_build, read_lines, read_record
from curate.records import SPLITS, Build, LedgerRow
from curate.schema import Audit, ShardIndex
from curate.shard import ShardReader


@dataclass(frozen=True)
class Contents:
    """A set as read: what `difference` compares."""

    folder: Path
    manifest: Build
    rows: Sequence[LedgerRow]
    audit: Audit

    @property
    def kept(self) -> dict[str, LedgerRow]:
        """The samples of the set by id."""
        return {row.id: row for row in self.rows if row.kept}


def read(folder: Path) -> Contents:
    """The small files of a set. Raises CurateError like `compare`."""
    manifest = load_build(folder)
    for name in ("ledger.jsonl", "audit.json"):
        _check_listed(folder, manifest, name)
    rows = read_lines(folder / "ledger.jsonl", LedgerRow)
    return Contents(folder, manifest, rows, read_record(folder / "audit.json", Audit))


def _check_listed(folder: Path, manifest: Build, name: str) -> None:
    """Compare only what the manifest vouches for: a damaged ledger would show as a difference of the data."""
    if name not in manifest.files:
        raise CurateError(f"{folder / MANIFEST}: lists no {name}, wanted a set made by `curate build`")
    try:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        raise CurateError(f"{folder / name}: cannot be read: {error.strerror}") from error
    if digest != manifest.files[name].sha256:
        raise CurateError(
            f"{folder / name}: sha256 {digest[:16]}…, {MANIFEST} says {manifest.files[name].sha256[:16]}…; see `curate check {folder}`"
        )


def members(contents: Contents) -> dict[str, tuple[ShardReader, str]]:
    """Where each sample's tensors are: a reader and a key, by sample id."""
    _check_listed(contents.folder, contents.manifest, "shards/index.json")
    folder, places = contents.folder / "shards", dict[str, tuple[ShardReader, str]]()
    index = read_record(folder / "index.json", ShardIndex)
    for split in SPLITS:
        reader = ShardReader(folder, [card for card in index.shards if card.name.startswith(f"{split}-")])
        places |= {str(sample.id): (reader, sample.key) for sample in reader.samples}
    return places
