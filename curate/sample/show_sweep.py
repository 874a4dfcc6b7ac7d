"""What `curate sample RUN --sweep` prints: the verdicts first, then the arms, then tone by tone."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from curate.sample.slope import Arm, Asked, Cell, Slope, SweepReport
from curate.show import render, table_of

SHOWN = 12  # takes; --json has all
STYLE = {"follows": "green", "does_not_follow": "bold red", "not_told": "yellow", "not_testable": "yellow"}


def sweep_json(report: SweepReport) -> dict[str, Any]:
    """The whole report as plain data."""
    return report.model_dump(mode="json")


def sweep_text(report: SweepReport) -> str:
    """What the sweep says, in one line and in tables; of an untrained model only what was asked for."""
    head = Text(f"tone sweep: {report.says}", style="bold")
    if not report.trained:
        return render(head, _asked(report.takes))
    return render(
        head, _claims(report), Text(""), _arms(report.arms), Text(""), _tones(report.cells),
        Text("Hz: median of the voiced takes in which no tone leaked; l: leaked, u: unvoiced, of all takes"),
    )  # fmt: skip


def _claims(report: SweepReport) -> Table:
    table = table_of("LoRA", "verdict", "against the base model")
    for claim in report.claims:
        verdict = Text(claim.verdict, style=STYLE.get(claim.verdict, ""))
        table.add_row(f"{claim.strength:g}", verdict, Text(claim.says))
    return table


def _arms(arms: Sequence[Arm]) -> Table:
    table = table_of(
        "LoRA", "takes", "leaked", "unvoiced", "slope of voice on tone", "clusters", "slope with leaked takes"
    )
    for arm in arms:
        table.add_row(
            _name(arm.strength), str(arm.takes), f"{arm.leaked_share:.0%}", f"{arm.unvoiced_share:.0%}",
            _slope(arm.slope), str(arm.slope.clusters), _slope(arm.slope_with_leaked),
        )  # fmt: skip
    return table


def _slope(found: Slope) -> str:
    if found.slope is None:
        return "–"
    interval = "no interval" if found.low is None else f"{found.low:+.2f} to {found.high:+.2f}"
    return f"{found.slope:+.2f} ({interval})"


def _tones(cells: Sequence[Cell]) -> Table:
    """A row for each tone, a column for each strength."""
    strengths = sorted({cell.strength for cell in cells})
    held = {(cell.tone_hz, cell.strength): cell for cell in cells}
    table = table_of("tone", *(_name(strength) for strength in strengths))
    for tone_hz in sorted({cell.tone_hz for cell in cells}):
        table.add_row(f"{tone_hz:.0f} Hz", *(_cell(held.get((tone_hz, strength))) for strength in strengths))
    return table


def _name(strength: float) -> str:
    return f"{strength:g}" if strength else "0 (base)"


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    pitch = "–" if cell.pitch_hz is None else f"{cell.pitch_hz:.0f} Hz"
    return f"{pitch}  l {cell.leaked_share:.0%}  u {cell.unvoiced_share:.0%}"


def _asked(takes: Sequence[Asked]) -> Table:
    table = table_of("take of", "seed", "LoRA", "tone")
    for take in takes[:SHOWN]:
        table.add_row(Text(take.source), str(take.seed), _name(take.strength), f"{take.tone_hz:.0f} Hz")
    if len(takes) > SHOWN:
        table.add_row(Text(f"… and {len(takes) - SHOWN} more (--json has all)"))
    return table
