"""Where a set goes: a hidden draft beside it, then one move, and back again if anything goes wrong.

Only folders with names of our own are ever removed: `.NAME.curate-draft-PID`, `.NAME.curate-old`, and a `NAME.failed`
that holds nothing but what an earlier failed build left there.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curate.errors import CurateError
from curate.manifest import MANIFEST, load_build

LEFT_BEHIND = {"plan.jsonl", "ledger.jsonl", "audit.json"}


class Place:
    """The folder of a set, `out`. Raises CurateError where it holds anything a rebuild could not make again."""

    def __init__(self, out: Path) -> None:
        self.out = Path(os.path.abspath(out))
        if not self.out.name:
            raise CurateError(f"{out}: wanted a folder for the set, not the root")
        self._old = self.out.with_name(f".{self.out.name}.curate-old")
        self._failed = self.out.with_name(f"{self.out.name}.failed")
        if not self.out.exists() and (self._old / MANIFEST).is_file():
            self._old.rename(self.out)  # a build was killed between its two renames
        self._check()

    def _check(self) -> None:
        if not self.out.exists():
            return
        if not self.out.is_dir():
            raise CurateError(f"{self.out}: is a file, wanted a folder for the set")
        held = {p.relative_to(self.out).as_posix() for p in self.out.rglob("*") if not p.is_dir()}
        if not held:
            return
        try:
            known = {*load_build(self.out).files, MANIFEST}
        except CurateError as error:
            raise CurateError(
                f"{self.out}: holds files that are no finished set; wanted a new or empty folder"
            ) from error
        if strangers := sorted(held - known):
            raise CurateError(
                f"{self.out}: {strangers[0]} is not part of the set in it; move it away, or choose another --out"
            )

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """An empty folder to build in, gone afterwards unless it was moved; so are drafts of builds that were killed."""
        prefix = f".{self.out.name}.curate-draft-"
        draft = self.out.with_name(f"{prefix}{os.getpid()}")
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            for stale in self.out.parent.glob(f"{_literal(prefix)}*"):
                if stale == draft or not _is_running(stale.name.removeprefix(prefix)):
                    shutil.rmtree(stale)
            draft.mkdir()
        except OSError as error:
            raise CurateError(f"{self.out.parent}: no set can be made there: {error.strerror}") from error
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def fill(self, draft: Path) -> None:
        """Put the finished draft in the place of whatever set was there."""
        try:
            shutil.rmtree(self._old, ignore_errors=True)
            if self.out.exists():
                self.out.rename(self._old)
            draft.rename(self.out)
        except OSError as error:
            if not self.out.exists() and self._old.exists():
                self._old.rename(self.out)
            raise CurateError(
                f"{self.out}: cannot be put in place: {error.strerror}; the new set is in {draft}"
            ) from error
        shutil.rmtree(self._old, ignore_errors=True)

    def keep_failed(self, draft: Path) -> Path:
        """Move the draft of a build that does not stand to where a person finds it."""
        if self._failed.is_dir() and {p.name for p in self._failed.iterdir()} <= LEFT_BEHIND:
            shutil.rmtree(self._failed)
        if self._failed.exists():
            raise CurateError(
                f"{self._failed}: is in the way of what the build leaves to look at; move it away"
            )
        return draft.rename(self._failed)


def _literal(text: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)


def _is_running(process: str) -> bool:
    if not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
