"""What a plan chose for a scene, as plain values, and back."""

import json
from typing import NamedTuple, Self

from curate.media.subject import Box
from curate.records import LedgerRow, Sample, Values, numbers, strings
from curate.scenes.make import Places
from curate.scenes.view import View
from curate.sheets.windows import Whereabouts


class Choices(NamedTuple):
    """Of one scene."""

    start_s: float
    views: list[View]  # of everybody, from the left
    pins: list[int]  # for each the frame at which their picture is pinned
    places: Places  # where somebody is, in the frames that the background is made of
    unseen: dict[
        int, list[float]
    ]  # whom the target does not show, by place from the left: their identity in the film
    fixed: list[str]  # what is written in the film all along
    crop: Box | None  # what is left of the film's frames beside subtitles, in the film's pixels

    def as_values(self) -> Values:
        """As `of` reads them."""
        return {
            "start_s": self.start_s,
            "views": [view.model_dump_json() for view in self.views],
            "pins": [float(frame) for frame in self.pins],
            "places": json.dumps(self.places),
            "unseen": json.dumps(self.unseen),
            "fixed": self.fixed,
            "crop": [float(edge) for edge in self.crop] if self.crop else None,
        }

    @classmethod
    def of(cls, sample: Sample | LedgerRow) -> Self:
        """As `as_values` left them."""
        told = sample.choices
        places = json.loads(str(told["places"])).items()
        crop = [round(edge) for edge in numbers(told["crop"])]
        return cls(
            start_s=float(str(told["start_s"])),
            views=[View.model_validate_json(each) for each in strings(told["views"])],
            pins=[round(frame) for frame in numbers(told["pins"])],
            places={
                float(at_s): [Whereabouts(Box(*box), seen, face and Box(*face)) for box, seen, face in there]
                for at_s, there in places
            },
            unseen={int(place): own for place, own in json.loads(str(told["unseen"])).items()},
            fixed=strings(told["fixed"]),
            crop=Box(*crop) if crop else None,
        )
