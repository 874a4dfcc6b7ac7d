"""What is found on a finished reference sheet: on its picture alone, and beside its target."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from curate.errors import Rejected
from curate.media import faces
from curate.media.layout import BLACK, coverage, outside_black
from curate.media.panels import grown, identities_in, identity_on, nearest_levels
from curate.media.people import people_of
from curate.media.subject import Box
from curate.media.text import read_text
from curate.media.video import Image
from curate.records import Values
from curate.sheets.make import Frames, Sheet

LEAST_TEXT = 0.5  # the score of a text on a sheet
PLACE_PX = 360  # of a location's shorter side, when looking for people
SHOWN = 0.02  # of a panel's box: less is nothing
UNCUT = 0.5  # of each of its four sides: of a picture that has its background still
SMALL_PX = 64
SAME_LEVELS = 2.0  # between two panels in that size
CHARACTER = ("face", "body")


class Targets(NamedTuple):
    """What a sheet is compared with."""

    video: Image  # the target itself, of the sheet's size  # (F, H, W, 3)
    frames: Sequence[Image]  # some of its moments, of the film's size
    faces: Mapping[str, Sequence[Sequence[Box]]]  # of each character, in each of these frames
    means: Mapping[
        str, Sequence[float]
    ]  # identity of each character in the film, also of those who are not on the sheet


def found_on(
    picture: Image, boxes: Sequence[Box], names: Sequence[str], given: Collection[str] = ()
) -> Values:
    """What anybody can find on a sheet who knows where its panels are, and what each shows ("ada face", "kitchen place").

    `texts` read, and the `words`; `outside`, the share of pixels beyond the panels that is not black; `empty` panels; `uncut` ones that are
    not on black, of those `given` (what is cut out here may fill its box, as a book does); `repeated` ones; `place_people`, who is found in the place; `covered`, the share of the sheet that is panels. The same
    picture gives the same values: `curate check` asks again.
    """
    panels = {name: _part(picture, box) for name, box in zip(names, boxes, strict=True)}
    place = next((panel for name, panel in panels.items() if name.endswith(" place")), None)
    words = [word.text for word in read_text(picture, LEAST_TEXT)]
    return {
        "texts": len(words),
        "words": words,
        "outside": round(outside_black(picture, boxes), 5),
        "empty": [name for name, panel in panels.items() if _visible(panel).mean() < SHOWN],
        "uncut": [name for name, panel in panels.items() if name in given and _is_uncut(panel)],
        "repeated": _repeated(panels),
        "place_people": 0 if place is None else _people_on(place),
        "covered": round(coverage(boxes, picture.shape[1], picture.shape[0]), 3),
    }


def compared(sheet: Sheet, frames: Frames, targets: Targets) -> Values:
    """How a sheet stands to its target. Raises Rejected: face_lost.

    `identity`: the farthest face of a face panel from its character's faces in the target, a mean, and `body_identity` of
    the others, on which faces are small; `mistaken`: panels whose face is nearer to another character; `levels`: how far a character's panel is from what the target shows where it was cut out (those
    of its own window apart, as `own_levels`; what stands still stands in the target too), and `levels_in_place`: from what the target shows where it stands on the sheet.
    """
    distances, bodies, mistaken = _identities(sheet, targets)
    cut = {
        view: nearest_levels(frames[view.at_s], mask, targets.frames)
        for view, mask in zip(sheet.views, sheet.masks, strict=True)
        if mask is not None and view.at_s is not None and view.kind in CHARACTER
    }
    return {
        "identity": round(max(distances), 3),
        "body_identity": round(max(bodies, default=0.0), 3),
        "mistaken": mistaken,
        "levels": _least(value for view, value in cut.items() if not view.same_window),
        "own_levels": _least(value for view, value in cut.items() if view.same_window),
        "levels_in_place": _least(levels_in_place(sheet.picture, box, targets.video) for box in sheet.boxes),
    }


def levels_in_place(sheet: Image, box: Box, video: Image) -> float:
    """How far a panel is from the target's frames at the same pixels, where a model could copy it from: mean levels of what
    is not black, of the most alike frame."""
    panel = _part(sheet, box)
    there = _visible(panel)
    if not there.any():
        return 0.0
    here = panel[there].astype(np.int16)  # (P, 3)
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    return min(float(np.abs(frame[rows, columns][there] - here).mean()) for frame in video)


def _identities(sheet: Sheet, targets: Targets) -> tuple[list[float], list[float], list[str]]:
    """Mean distances of the faces on face panels and on others, and the panels with a face that is another's."""
    distances, bodies, mistaken = list[float](), list[float](), list[str]()
    there = identities_in(targets.frames, targets.faces)
    for view, box in zip(sheet.views, sheet.boxes, strict=True):
        if view.kind not in CHARACTER or view.element not in targets.means:
            continue
        own = identity_on(_part(sheet.picture, box))
        found = [faces.identity_distance(own, each) for each in there[view.element]] if own else []
        if own and found:
            (distances if view.kind == "face" else bodies).append(float(np.mean(found)))
            mistaken += [view.name] if _nearest(own, targets.means) != view.element else []
        elif view.kind == "face":
            raise Rejected("face_lost", f"{view.element}: no face is found {_where(own)}")
    return distances, bodies, mistaken


def _where(own: Sequence[float] | None) -> str:
    return "on its panel" if own is None else "in the target to compare it with"


def _nearest(own: Sequence[float], means: Mapping[str, Sequence[float]]) -> str:
    return min(means, key=lambda name: (faces.identity_distance(own, means[name]), name))


def _least(values: Iterable[float]) -> float:
    return round(min(values, default=255.0), 2)


def _part(picture: Image, box: Box) -> Image:
    return picture[box.top : box.bottom, box.left : box.right]


def _visible(panel: Image) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.asarray((panel > BLACK).any(axis=2), bool)


def _is_uncut(panel: Image) -> bool:
    """Whether it shows something all along its rim: who is cut out leaves black at one side at least."""
    there = _visible(panel)
    return all(side.mean() > UNCUT for side in (there[0], there[-1], there[:, 0], there[:, -1]))


def _repeated(panels: Mapping[str, Image]) -> list[str]:
    """Panels that show what an earlier one shows."""
    small = {
        name: cv2.resize(panel, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA).astype(np.int16)
        for name, panel in panels.items()
    }
    pairs = ((one, other) for place, other in enumerate(small) for one in list(small)[:place])
    return sorted({other for one, other in pairs if np.abs(small[one] - small[other]).mean() < SAME_LEVELS})


def _people_on(place: Image) -> int:
    large = grown(place, PLACE_PX)
    return len(people_of(large, faces.faces_of(large)))
