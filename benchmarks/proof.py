"""How sharp the audit is: sensitivity over doses of known faults, specificity over seeds of an undamaged set.

    python -m benchmarks.proof SET [--seeds 10] [--undamaged 200] [--processes 2]

SET is a finished helium-v2 set. Its ledger holds every candidate that was made, so each run selects and audits again
on recorded values, with the whole instrument (999 re-draws), and renders nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from curate.ledger import unselected
from curate.manifest import load_build, read_lines
from curate.proof import trial
from curate.proof.assign import Pool, Strata, assignments
from curate.proof.finding import Finding
from curate.proof.inference import REDRAWS
from curate.recipe import configure, find
from curate.records import LedgerRow
from tests.faults.fault import caught, finished
from tests.faults.helium import FAULTS

Found = tuple[str, float, list[Finding]]  # fault or "", dose, what the audit said
BY_NAME = {fault.name: fault for fault in FAULTS}
DRAWS = 1 + REDRAWS


@lru_cache(maxsize=1)
def _rows(folder: str) -> list[LedgerRow]:
    return unselected(read_lines(Path(folder) / "ledger.jsonl", LedgerRow))


class _Remembered:
    """The lot's draws of the last pools: most faults leave the lot alone, and half an audit's time is drawing again."""

    def __init__(self) -> None:
        self.held = dict[str, list[Strata]]()

    def __call__(self, pool: Pool, stream: np.random.Generator) -> Iterator[Strata]:
        parts = (pool.targets, pool.attributes, pool.groups)
        key = sha256(b"".join(part.tobytes() for part in parts) + str(stream.bit_generator.state).encode())
        draws = self.held.get(key.hexdigest())
        if draws is None:
            draws = self.held[key.hexdigest()] = list(islice(assignments(pool, stream), DRAWS))
        while len(self.held) > 4:
            self.held.pop(next(iter(self.held)))
        return iter(draws)


def judged(task: tuple[str, int, bool]) -> list[Found]:
    """Select and audit the set under one seed: undamaged, or damaged by every fault at every dose."""
    trial.assignments = _Remembered()  # type: ignore[assignment]
    folder, seed, damaged = task
    manifest, rows = load_build(Path(folder)), _rows(folder)
    recipe = configure(find(manifest.recipe), manifest.settings | {"seed": seed})
    if damaged:
        return [(f.name, dose, f.judged(recipe, rows, dose)) for f in FAULTS for dose in f.doses]
    with threadpool_limits(1):
        return [("", 0.0, recipe.audit(finished(recipe, rows)))]


def _share(hits: list[bool]) -> str:
    return f"{np.mean(hits):.0%}" if hits else ""


def sensitivity(found: Sequence[Found]) -> list[str]:
    """A row per fault: how many of the seeds are stopped at each dose, by the findings that are there for it."""
    lines = [
        "| fault | seen by | dose | stopped by it | stopped at all |",
        "|---|---|---|---|---|",
    ]
    for fault in FAULTS:
        for dose in fault.doses:
            runs = [run for name, given, run in found if (name, given) == (fault.name, dose)]
            stopped = [any(one.verdict == "fail" for one in run) for run in runs]
            lines.append(
                f"| {fault.name}: {fault.says} | {', '.join(sorted(fault.trips))} | {dose:g} {fault.unit} "
                f"| {_share([caught(run, fault.trips) for run in runs])} | {_share(stopped)} |"
            )
    return lines


def specificity(found: Sequence[Found]) -> list[str]:
    """How often an undamaged set passes each finding of its training side."""
    runs = [run for name, _, run in found if not name]
    verdicts = Counter((one.name, one.split, one.verdict) for run in runs for one in run)
    stopped = [any(one.verdict == "fail" for one in run) for run in runs]
    twenty = [
        not any(one.verdict in ("fail", "not_testable") for one in run if one.split != "heldout")
        for run in runs[:20]
    ]
    lines = [
        f"undamaged, {len(runs)} seeds: {_share(stopped)} stopped; of the first 20, {_share(twenty)} are proven for training",
        "",
        "| finding | pass | not testable | fail |",
        "|---|---|---|---|",
    ]
    for name, split in dict.fromkeys((one.name, one.split) for run in runs for one in run):
        share = {v: verdicts[name, split, v] / len(runs) for v in ("pass", "not_testable", "fail")}
        if sum(share.values()):
            lines.append(f"| {name} ({split}) | {' | '.join(f'{value:.1%}' for value in share.values())} |")
    return lines


@click.command()
@click.argument("folder", metavar="SET")
@click.option("--seeds", default=10, show_default=True, help="Of each fault and dose.")
@click.option("--undamaged", default=200, show_default=True, help="Seeds of the undamaged set.")
@click.option("--processes", default=2, show_default=True)
def main(folder: str, seeds: int, undamaged: int, processes: int) -> None:
    """Print both tables."""
    tasks = [
        (folder, seed, damaged)
        for damaged, count in ((False, undamaged), (True, seeds))
        for seed in range(count)
    ]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        found = [one for several in pool.map(judged, tasks) for one in several]
    click.echo("\n".join([*specificity(found), "", f"{seeds} seeds a dose:", "", *sensitivity(found)]))


if __name__ == "__main__":
    main()
