"""What must hold of reference sheets: of one when it is made, and of all of a set when it is audited."""

from collections.abc import Iterator, Sequence

from curate.errors import Rejected
from curate.media.faces import SAME_PERSON
from curate.media.frames import LEAST_LOOPED
from curate.media.layout import area_order, overlaps
from curate.media.subject import Box
from curate.proof.finding import Finding
from curate.proof.invariants import nothing
from curate.proof.sketch import Label
from curate.records import LedgerRow, Values, number, numbers, strings
from curate.sheets.choices import Choices
from curate.sheets.view import named_in
from curate.sheets.windows import Window

LEAST_LEVELS = 4.0  # of 255, that a panel differs from the target's frames
MOST_OUTSIDE = 0.001  # of a sheet: pixels outside its panels that are not black
# What is found on one sheet: finding, measured value, greatest that is right, unit, and the reason of a drop.
MOST = (
    ("no_text", "texts", 0.0, "texts", "text"),
    ("black", "outside", MOST_OUTSIDE, "of the sheet", "not_black"),
    ("empty_place", "place_people", 0.0, "people", "peopled_place"),
    ("identity", "identity", SAME_PERSON, "of the distance of faces", "other_person"),
)
LEAST = (
    ("no_copy", "levels", LEAST_LEVELS, "levels", "copied"),
    ("no_copy_in_place", "levels_in_place", LEAST_LEVELS, "levels", "copied"),
)
# Panels that are not as they should be: finding, measured value, what it tells, and the reason.
NONE = (
    ("nothing_empty", "empty", "sheets with a panel that shows nothing", "not_cut_out"),
    ("cut_out", "uncut", "sheets with a panel that is not on black", "not_on_black"),
    ("no_repeat", "repeated", "sheets with a panel that shows what another does", "repeated"),
    ("right_person", "mistaken", "sheets with a face that is nearer to another character", "other_person"),
)


def gate(found: Values) -> None:
    """Raises Rejected for the first thing on a sheet that is wrong."""
    for name, key, most, unit, reason in MOST:
        if (value := number(found, key)) > most:
            words = f" ({', '.join(strings(found['words']))})" if key == "texts" else ""
            raise Rejected(reason, f"{name}: {value:g} {unit}{words}, wanted at most {most:g}")
    for name, key, least, unit, reason in LEAST:
        if (value := number(found, key)) < least:
            raise Rejected(reason, f"{name}: {value:g} {unit}, wanted at least {least:g}")
    for _, key, what, reason in NONE:
        if panels := strings(found[key]):
            raise Rejected(reason, f"{', '.join(panels)}; wanted no {what}")


def labels(frames: int, width: int, height: int) -> tuple[Label, ...]:
    """What every pair must show."""
    exact = (
        ("length", "frames", frames, "frames"), ("width", "sheet_width", width, "px"),
        ("height", "sheet_height", height, "px"),
    )  # fmt: skip
    longest = max(LEAST_LOOPED, frames)
    return (
        *(Label(name=name, found=(key,), wanted=float(wanted), unit=unit) for name, key, wanted, unit in exact),
        *(Label(name=name, found=(key,), bound=most, unit=unit) for name, key, most, unit, _ in MOST),
        *(Label(name=name, found=(key,), least=least, unit=unit) for name, key, least, unit, _ in LEAST),
        Label(name="reference_length", found=("reference_frames",), least=float(longest), unit="frames"),
    )  # fmt: skip


def laid_out(kept: Sequence[LedgerRow]) -> Iterator[Finding]:
    """Panels stand apart, each shows who it should on black, the more important ones are larger, the caption names all."""
    boxes = {row.id: boxes_of(row) for row in kept}
    over = [row.id for row in kept if overlaps(boxes[row.id])]
    yield nothing("overlap", over, "sheets on which panels overlap", len(kept))
    small = [row.id for row in kept if area_order(boxes[row.id], numbers(row.measured["importances"]))]
    yield nothing("area", small, "sheets on which a more important panel is smaller", len(kept))
    unnamed = [row.id for row in kept if not _is_named(row)]
    yield nothing("named", unnamed, "captions that do not name the panels of their sheet", len(kept))
    for name, key, what, _ in NONE:
        faulty = [row.id for row in kept if strings(row.measured[key])]
        yield nothing(name, faulty, what, len(kept))


def own_frames(kept: Sequence[LedgerRow], seconds: float, most: float) -> Finding:
    """Few panels are cut from the target itself: counted again, from the moments that were chosen."""
    own, panels, worst = 0, 0, 0.0
    for row in kept:
        start_s, chosen = number(row.choices, "start_s"), Choices.of(row)
        inside, views = len(chosen.from_target(Window(start_s, start_s + seconds))), len(chosen.views)
        own, panels, worst = own + inside, panels + views, max(worst, inside / max(1, views))
    return Finding.judged(
        "same_window", "all", worst <= most,
        f"{own} of {panels} panels are cut from their target, at most {worst:.0%} of a sheet",
        len(kept), {"share": round(own / max(1, panels), 4), "worst": round(worst, 4)}, {"most": most},
    )  # fmt: skip


def boxes_of(row: LedgerRow) -> list[Box]:
    """Where the panels of a sheet are, as measured."""
    edges = [int(edge) for edge in numbers(row.measured["boxes"])]
    return [Box(*edges[place : place + 4]) for place in range(0, len(edges), 4)]


def _is_named(row: LedgerRow) -> bool:
    """Whether caption, sheet and plan tell of the same panels."""
    try:
        told = sorted(named_in(str(row.caption)))
    except ValueError:
        return False
    return (
        told == sorted(strings(row.measured["panels"])) == sorted(view.name for view in Choices.of(row).views)
    )
