"""What must hold of first frames and their scenes: of one when it is made, and of all of a set when it is audited."""

from collections.abc import Iterator, Sequence

import numpy as np

from curate.film_plan import FPS, SAME_MEAN
from curate.lint import lint
from curate.media.faces import SAME_PERSON, identity_distance
from curate.media.look import NEAR_BITS
from curate.picture_files import roles_in
from curate.proof.finding import Finding
from curate.proof.invariants import disjoint, nothing
from curate.proof.sketch import Label
from curate.recipe import FIRST, PIN
from curate.records import SPLITS, LedgerRow, number, numbers, strings
from curate.scenes.choices import Choices
from curate.scenes.pins import fault

COPY = "no_copy"  # what the clip's own first frame must fail
LEAST_BITS = NEAR_BITS + 1  # frames of one recording are nearer
HEADS = 0.25  # of the taller over the less tall: the detector's sizes are a fifth apart
SAME_SIDES = 0.8  # of the target's frames that show two
MOST_STILL_S = 1.0
MOST = (
    ("no_text", "texts", 0.0, "texts"),
    ("no_pin_text", "pin_texts", 0.0, "texts on later pins"),
    ("identity", "identity", SAME_PERSON, "of the distance of faces"),
    ("no_crowd", "crowd", 0.0, "frames with more faces than the first frame"),
    ("not_early", "early", 0.0, "frames that show somebody before their pin"),
    ("no_cut", "cuts", 0.0, "cuts"),
    ("no_subtitles", "subtitles", 0.0, "subtitles"),
)
LEAST = (
    ("two_people", "apart", SAME_PERSON, "of the distance of two faces"),
    ("same_sides", "same_sides", SAME_SIDES, "of the frames that show two"),
    (COPY, "bits", float(LEAST_BITS), "bits from a frame of the target"),
)


def labels(frames: int, width: int, height: int) -> tuple[Label, ...]:
    """What every sample must show."""
    exact = (("length", "frames", frames, "frames"), ("width", "first_width", width, "px"), ("height", "first_height", height, "px"))  # fmt: skip
    return (
        *(
            Label(name=name, found=(key,), wanted=float(wanted), unit=unit)
            for name, key, wanted, unit in exact
        ),
        Label(
            name="moves",
            found=("still_s",),
            bound=min(MOST_STILL_S, frames / FPS / 2),
            unit="s that nothing moves",
        ),
        Label(name="identities", found=("people",), wanted="on_first", unit="people"),
        Label(
            name="head_size",
            found=("head_ratio",),
            wanted=1.0,
            bound=HEADS,
            unit="of the taller over the other",
        ),
        *(Label(name=name, found=(key,), bound=most, unit=unit) for name, key, most, unit in MOST),
        *(Label(name=name, found=(key,), least=least, unit=unit) for name, key, least, unit in LEAST),
    )


def over_all(kept: Sequence[LedgerRow], pin: str, frames: int, width: int, height: int) -> Iterator[Finding]:
    """Pictures, pins, captions, sides of the split, and identities across the shots of a cast."""
    odd = [row.id for row in kept if fault(_pins(row), frames)]
    yield nothing("pins", odd, "samples with two pins at one latent, or one beside a latent", len(kept))
    bare = [row.id for row in kept if not _has_pictures(row, pin)]
    yield nothing(
        "pictures", bare, "samples without the pictures that their pins want, or with others", len(kept)
    )
    faulty = [row.id for row in kept if _is_faulty(str(row.caption))]
    yield nothing(
        "no_quotes", faulty, "captions with quoted dialogue, or another fault that is no warning", len(kept)
    )
    lying = [row.id for row in kept if width <= height or number(row.measured, "first_width") <= number(row.measured, "first_height")]  # fmt: skip
    yield nothing("landscape", lying, "samples that are not wider than high", len(kept))
    people = [("person", name, str(row.split)) for row in kept for name in strings(row.attributes["people"])]
    yield disjoint("cast", people)
    yield _apart(kept)
    yield _one_cast(kept)
    yield _views(kept)
    yield _reverse_angles(kept)
    yield _warnings(kept)


def faces_of(row: LedgerRow) -> list[list[float]]:
    """The identities on a first frame, from the left."""
    held = numbers(row.measured["identities"])
    return [held[place : place + 128] for place in range(0, len(held), 128)]


def _has_pictures(row: LedgerRow, pin: str) -> bool:
    """A first frame, a picture for each later pin, two to try where the first shows several; of the control none. Who is on
    them is who was measured."""
    pins = Choices.of(row).pins
    later = tuple(sorted(frame for frame in pins if frame))
    wanted = {FIRST, *(f"{PIN}{frame}" for frame in later), *(() if later else ("single", "swapped"))}
    own = row.measured["who"] == row.measured["identities"] if not later else True
    staggered = bool(later) == (pin == "staggered")
    return (
        row.choices["pin"] == pin
        and staggered
        and own
        and set(roles_in(row.measured)) == (set() if pin == "frame0" else wanted)
    )


def _pins(row: LedgerRow) -> list[tuple[str, int]]:
    """Where pictures are pinned: a composite is one picture of all."""
    chosen = Choices.of(row)
    if len(set(chosen.pins)) == 1 and chosen.pins[0] == 0 and row.choices["pin"] != "staggered":
        return [("all", 0)]
    return [(view.name, frame) for view, frame in zip(chosen.views, chosen.pins, strict=True)]


def _is_faulty(caption: str) -> bool:
    return any(each.level != "warning" for each in lint(caption))


def _apart(kept: Sequence[LedgerRow]) -> Finding:
    """Nobody of the held-out side looks like somebody of the train side, by the faces on the pictures themselves."""
    held = {side: _faces([row for row in kept if row.split == side]) for side in SPLITS}
    means = {side: [np.mean(found, axis=0) for found in by_name.values()] for side, by_name in held.items()}
    near = [identity_distance(one, other) for one in means["train"] for other in means["heldout"]]
    if not near:
        return Finding.too_few("cast_apart", "all", "nobody is held out", len(kept), 1)
    least = round(min(near), 3)
    return Finding.judged(
        "cast_apart", "all", least > SAME_MEAN, f"the most alike of both sides are {least:g} apart", len(kept),
        {"least": least}, {"least": SAME_MEAN},
    )  # fmt: skip


def _one_cast(kept: Sequence[LedgerRow]) -> Finding:
    """Whoever has one name has one face, in all shots and films: each is near to the mean of all."""
    far = {
        name: max(identity_distance(face, np.mean(found, axis=0)) for face in found)
        for name, found in _faces(kept).items()
    }
    worst = max(far, key=lambda name: (far[name], name), default="")
    most = round(far.get(worst, 0.0), 3)
    says = f"{len(far)} people, {worst} at most {most:g} from their mean" if worst else "nobody"
    return Finding.judged(
        "one_cast", "all", most <= SAME_PERSON, says, len(kept), {"most": most, "people": len(far)}, {"most": SAME_PERSON}
    )  # fmt: skip


def _faces(rows: Sequence[LedgerRow]) -> dict[str, list[list[float]]]:
    """By name the faces on the pictures."""
    seen = dict[str, list[list[float]]]()
    for row in rows:
        for name, face in zip(strings(row.attributes["people"]), faces_of(row), strict=False):
            seen.setdefault(name, []).append(face)
    return seen


def _views(kept: Sequence[LedgerRow]) -> Finding:
    """From where people were cut out, and before what they are put."""
    people = sum(len(Choices.of(row).views) for row in kept)
    count: dict[str, int | float] = {
        key: int(sum(number(row.measured, key) for row in kept))
        for key in ("given", "same_shot", "same_window", "plain")
    }
    missing = sorted({name for row in kept for name in strings(row.attributes["missing"])})
    says = (
        f"{people} people: {count['given']} from given pictures, {count['same_shot']} from the target's shot, "
        f"{count['same_window']} from the target; {count['plain']} of {len(kept)} before a plain background"
    ) + (f"; in no film of theirs: {', '.join(missing)}" if missing else "")
    return Finding.reported("same_shot", "all", says, len(kept), {**count, "missing": len(missing)})


def _reverse_angles(kept: Sequence[LedgerRow]) -> Finding:
    """Targets that show one of two: which side the other is on was told from that one's turn, so it is not judged by it."""
    ways = [number(row.measured, "turned") for row in kept if Choices.of(row).unseen]
    says = f"{len(ways)} of {len(kept)} targets show one of the two" + (
        f", turned to the other in at least {min(ways):.0%} of their frames" if ways else ""
    )
    return Finding.reported(
        "reverse_angles", "all", says, len(kept), {"targets": len(ways), "turned": min(ways, default=1.0)}
    )


def _warnings(kept: Sequence[LedgerRow]) -> Finding:
    """What captions lack, which is no fault."""
    count = dict[str, int]()
    for row in kept:
        for code in strings(row.attributes["caption_lacks"]):
            count[code] = count.get(code, 0) + 1
    mended = sum(bool(row.attributes["caption_mended"]) for row in kept)
    lacks = ", ".join(f"{code} {number}" for code, number in sorted(count.items())) or "nothing"
    return Finding.reported(
        "captions", "all", f"{mended} mended by rule; lack: {lacks}", len(kept), {"mended": mended, **count}
    )
