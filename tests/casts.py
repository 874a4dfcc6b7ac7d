"""Films that nobody shot: what looking through them would have found."""

from typing import Any

from curate.media.film import GRID, NOTHING, Film, Sighting
from curate.media.shots import Shot
from curate.media.subject import Box
from curate.sheets.elements import Elements
from curate.sheets.known import Known

NOBODY = "0" * (GRID[0] * GRID[1] // 4)


def sighting(at_s: float, who: int = 0, yaw_deg: float = 0.0, left: int = 100, **changes: object) -> Sighting:
    """Somebody's face, 80 pixels high, and body."""
    face = None if who == NOTHING else Box(left, 100, left + 70, 180)
    values = {
        "at_s": at_s, "who": who, "body": Box(left - 60, 60, left + 130, 400), "face": face,
        "yaw_deg": None if face is None else yaw_deg, "sharpness": 0.7, "apart": 1.0, "clear": 1.0, "whole": 1.0, "solid": 0.8,
    }  # fmt: skip
    return Sighting.model_validate(values | changes)


def known(
    sightings: list[Sighting],
    shots: list[tuple[float, float]],
    people: int = 1,
    said: Elements | None = None,
    **found: Any,
) -> Known:
    """All that is known of such a film; `found` is `who` a user means, and the `things` that are seen."""
    return Known(
        film(sightings, shots, people), said or Elements(), found.get("who", {}), found.get("things", [])
    )


def film(sightings: list[Sighting], shots: list[tuple[float, float]], people: int = 1) -> Film:
    """A film looked at twice a second, in which nothing hides the place."""
    looked_s = [
        number / 2 for start_s, end_s in shots for number in range(round(start_s * 2), round(end_s * 2))
    ]
    identities = [[float(who)] * 128 for who in range(people)]
    return Film(
        (640, 480), [Shot(*each) for each in shots], looked_s, sightings, identities, [NOBODY] * len(looked_s)
    )
