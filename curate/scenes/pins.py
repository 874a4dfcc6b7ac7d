"""At which frame a picture is pinned: each at a latent of its own, nobody before they are needed.

Latent 0 stands for frame 0, latent k for frames 8k-7 to 8k, so that a pin after the first is at a multiple of 8. Of two pins
at one latent a model sees the last only: diffusers says nothing, other programs refuse.
"""

from collections.abc import Mapping, Sequence

from curate.errors import Rejected
from curate.film_plan import FPS
from curate.media.film import Film
from curate.scenes.standing import first_seen_s
from curate.sheets.windows import Window

STEP = 8  # frames of a latent


def latent_of(frame: int) -> int:
    """The latent that a frame is in."""
    return (frame + STEP - 1) // STEP


def fault(pins: Sequence[tuple[str, int]], frames: int) -> str:
    """What is wrong with the frames at which these are pinned, of a video of so many; "" for nothing."""
    taken = dict[int, str]()
    for name, frame in pins:
        if not 0 <= frame < frames:
            return f"{name} is pinned at frame {frame}, wanted one of 0 to {frames - 1}"
        if frame % STEP:
            first, last = STEP * latent_of(frame) - STEP + 1, STEP * latent_of(frame)
            return f"{name} is pinned at frame {frame}, wanted a multiple of 8: one latent stands for frames {first} to {last}"
        if other := taken.get(latent_of(frame)):
            return f"{other} and {name} are both pinned at frame {frame}, latent {latent_of(frame)}; a model would see {name} only"
        taken[latent_of(frame)] = name
    return (
        ""
        if 0 in taken
        else f"nobody is pinned at frame 0 (pins at {', '.join(str(frame) for _, frame in pins)})"
    )


def staggered(
    film: Film, window: Window, names: Mapping[int, str], given: Sequence[int], frames: int
) -> dict[int, int]:
    """For each character, in the order in which they are first seen, the frame of their pin: as `given`, or the last one
    before they are seen.

    Raises Rejected: pins.
    """
    seen = {who: first_seen_s(film, window, who) for who in names}
    ordered = sorted(names, key=lambda who: (seen[who][0], list(names).index(who)))
    found = {who: int(seen[who][1] * FPS) // STEP * STEP for who in ordered} | {ordered[0]: 0}
    chosen = dict(zip(ordered, given, strict=False)) if given else found
    told = [(names[who], frame) for who, frame in chosen.items()]
    if len(chosen) < len(ordered):
        raise Rejected("pins", f"{len(given)} pins, wanted one for each of {', '.join(names.values())}")
    if why := fault(told, frames):
        raise Rejected("pins", why)
    for who, frame in chosen.items():
        if frame > found[who]:
            raise Rejected(
                "pins", f"{names[who]} is pinned at frame {frame}, and seen from {seen[who][0] * FPS:.0f} on"
            )
    return chosen
