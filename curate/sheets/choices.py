"""What a plan chose for a sheet, as plain values, and back: its panels, and the moments that they are compared with."""

import json
from typing import NamedTuple, Self

from curate.media.subject import Box
from curate.records import LedgerRow, Sample, Values, numbers, strings
from curate.sheets.cast import Cast
from curate.sheets.known import Known
from curate.sheets.make import People
from curate.sheets.view import View
from curate.sheets.windows import Whereabouts, Window, people_at, plate_times, target_times


class Choices(NamedTuple):
    """Of one sheet."""

    views: list[View]
    target_s: list[float]  # moments of the target
    people: People  # where somebody is, in the frames that the place is seen in
    faces: dict[str, list[list[Box]]]  # of each character, in each moment of the target
    means: dict[
        str, list[float]
    ]  # identity of each character in the film, also of those who are not on the sheet

    @classmethod
    def made(cls, known: Known, window: Window, chosen: Cast) -> Self:
        """For the panels of a window."""
        film, target_s = known.film, target_times(known.film, window)
        plate = any(view.is_plate for view in chosen.views)
        others = {f"#{who}": who for who in range(len(film.identities)) if who not in chosen.who.values()}
        return cls(
            views=chosen.views,
            target_s=target_s,
            people={at_s: people_at(film, at_s) for at_s in plate_times(film, window)} if plate else {},
            faces={
                element: [
                    [s.face for s in film.sightings if s.who == who and s.face and s.at_s == at_s and window.shows(s)]
                    for at_s in target_s
                ]
                for element, who in chosen.who.items()
            },
            means={name: film.identities[who] for name, who in {**chosen.who, **others}.items()},
        )  # fmt: skip

    def as_values(self) -> Values:
        return {
            "views": [view.model_dump_json() for view in self.views],
            "target_s": self.target_s,
            "people": json.dumps(self.people),
            "faces": json.dumps(self.faces),
            "means": json.dumps(self.means),
        }

    @classmethod
    def of(cls, sample: Sample | LedgerRow) -> Self:
        """As `as_values` left them."""
        told = sample.choices
        people = json.loads(str(told["people"])).items()
        faces = json.loads(str(told["faces"])).items()
        return cls(
            views=[View.model_validate_json(each) for each in strings(told["views"])],
            target_s=numbers(told["target_s"]),
            people={
                float(at_s): [Whereabouts(Box(*box), seen, face and Box(*face)) for box, seen, face in there]
                for at_s, there in people
            },
            faces={name: [[Box(*box) for box in boxes] for boxes in found] for name, found in faces},
            means=json.loads(str(told["means"])),
        )  # fmt: skip

    @property
    def given(self) -> list[str]:
        """The panels that were not cut out of the film."""
        return [view.name for view in self.views if view.image or view.generated]

    def from_target(self, window: Window) -> list[str]:
        """The panels that show a moment of the target itself."""
        plate_inside = any(map(window.holds, self.people))
        return [
            view.name
            for view in self.views
            if (view.at_s is not None and window.holds(view.at_s)) or (view.is_plate and plate_inside)
        ]
