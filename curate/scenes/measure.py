"""What is found on a first frame: on its picture alone, and beside the target that it stands before."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import cv2
import numpy as np

from curate.errors import Rejected
from curate.media.faces import SAME_PERSON, Face, faces_of, identity, identity_distance
from curate.media.look import hash_of
from curate.media.subject import Box
from curate.media.subtitles import LOOK_S, judged, words_in
from curate.media.text import read_text
from curate.media.video import Image
from curate.media.wording import likeness
from curate.records import Values
from curate.scenes.standing import turned

LOOKS = 8  # frames of a target, in which its people are looked for
HASH_PX = 128
GRID = (32, 18)  # cells of a frame, to see whether anything moves in one
SAME_TEXT = 0.6  # of a logo that is read a little differently in each frame
STILL_LEVELS = 1.0  # of 255: less change than this in every cell is none


class Met(NamedTuple):
    """A face of a target's frame that is somebody of the first frame."""

    who: int  # its place from the left, on the first frame
    distance: float
    box: Box
    yaw_deg: float


def found_on(picture: Image) -> Values:
    """What anybody can find on a first frame (H, W, 3).

    `texts` read, and the `words`; how many `people` have a face; `head_ratio`, the tallest face over the least tall; `who`, the
    identities of the faces from the left. The same picture gives the same values: `curate check` asks again.
    """
    words = [word.text for word in read_text(picture)]
    found = _from_left(picture)
    heights = [face.box.bottom - face.box.top for face in found]
    return {
        "texts": len(words),
        "words": words,
        "people": len(found),
        "head_ratio": round(max(heights) / min(heights), 3) if heights else 0.0,
        "who": [round(each, 2) for face in found for each in identity(picture, face)],
    }


class Given(NamedTuple):
    """What is pinned, and what a plan knows of the target that it cannot tell itself."""

    pictures: Sequence[Image]  # one of all, or one of everybody from the left
    pins: Sequence[int]  # of everybody from the left
    unseen: Mapping[int, Sequence[float]]  # whom the target does not show, by place: who they are elsewhere
    fixed: Sequence[str]  # what is written in the film all along: logos and signs


def compared(given: Given, video: Image, fps: float) -> Values:
    """How what is pinned stands to its target (F, H, W, 3). Raises Rejected: identities, face_lost.

    `apart`: the distance of the two most alike people; `identity`: of everybody the mean distance to their faces in the
    target, or to who they are elsewhere, the farthest; `same_sides`: the share of frames with two in which they stand as on
    the picture, 1 where no frame has two; `together`, how many have; `turned`, of a reverse angle, the share of frames in
    which the one who is seen is turned to the other, else 1; `crowd`, frames with more faces than there should be; `early`,
    frames that show somebody before their pin; `bits`, of 216 that a picture's hash differs from that of the most alike frame
    after the first; `still_s`, for how long nothing moves; `cuts`; `subtitles`; `pin_texts`, what is read on later pictures;
    `identities` of the faces, from the left.
    """
    pictures, pins, unseen, fixed = given
    own = [identity(picture, face) for picture in pictures for face in _from_left(picture)]
    if len(own) != len(pins):
        raise Rejected("identities", f"{len(own)} faces are found on what is pinned, wanted {len(pins)}")
    met = [_met(frame, own) for frame in _looks(video, 1, len(video) - 1)]
    both = [order for one, _ in met if len(set(order := [each.who for each in one])) > 1]
    apart = [identity_distance(one, other) for one, other in combinations(own, 2)]
    return {
        "apart": round(min(apart, default=0.0), 3),
        "identity": round(max(_distance(who, own, met, unseen) for who in range(len(own))), 3),
        "same_sides": _same_sides(both),
        "together": len(both),
        "turned": _turned(met, unseen, video.shape[2]) if unseen else 1.0,
        "crowd": sum(count > len(own) - len(unseen) for _, count in met),
        "early": sum(_early(who, frame, video, own) for who, frame in enumerate(pins) if frame),
        "bits": min(bits(picture, video) for picture in pictures),
        "still_s": round(_still(video) / fps, 3),
        "cuts": _cuts(video),
        "subtitles": _subtitles(video, fps, fixed),
        "pin_texts": sum(len(read_text(picture)) for picture in pictures[1:]),
        "identities": [round(each, 2) for vector in own for each in vector],
    }


def bits(picture: Image, video: Image) -> int:
    """Of 216 how many bits of a picture's hash differ from that of the most alike frame after the first."""
    own = int(_hash(picture), 16)
    return min((own ^ int(_hash(frame), 16)).bit_count() for frame in video[1:])


def _turned(met: Sequence[tuple[list[Met], int]], unseen: Mapping[int, Sequence[float]], width: int) -> float:
    """Whether who is alone is turned to the place of the other, which is the one further right, or further left."""
    ways = [
        turned(each.yaw_deg, (each.box.left + each.box.right) / 2 / width)
        * (1 if max(unseen) > each.who else -1)
        for one, _ in met
        for each in one
        if each.who not in unseen
    ]
    return round(sum(way > 0 for way in ways) / len(ways), 3) if ways else 0.0


def _from_left(picture: Image) -> list[Face]:
    return sorted(faces_of(picture), key=lambda face: face.box.left + face.box.right)


def _looks(video: Image, first: int, last: int) -> list[Image]:
    """Some frames of these; the first of a target is what is pinned there, or may be."""
    return [video[int(place)] for place in np.linspace(first, last, LOOKS).round()]


def _early(who: int, pinned: int, video: Image, own: Sequence[Sequence[float]]) -> int:
    """In how many frames before their pin somebody is surely seen."""
    met = [_met(frame, own) for frame in _looks(video, 1, pinned - 1)]
    return sum(any(each.who == who and each.distance < SAME_PERSON for each in one) for one, _ in met)


def _met(frame: Image, own: Sequence[Sequence[float]]) -> tuple[list[Met], int]:
    """Who of a first frame is in a frame, from the left, and how many faces there are. Each face is who it is most like."""
    found = _from_left(frame)
    met = []
    for face in found if own else ():
        seen = identity(frame, face)
        distance, who = min((identity_distance(seen, each), place) for place, each in enumerate(own))
        met.append(Met(who, distance, face.box, face.yaw_deg))
    return met, len(found)


def _distance(
    who: int,
    own: Sequence[Sequence[float]],
    met: Sequence[tuple[list[Met], int]],
    unseen: Mapping[int, Sequence[float]],
) -> float:
    if who in unseen:
        return identity_distance(own[who], unseen[who])
    seen = [each.distance for one, _ in met for each in one if each.who == who]
    if not seen:
        raise Rejected(
            "face_lost", f"of {len(met)} frames of the target none shows the face of place {who + 1}"
        )
    return float(np.mean(seen))


def _same_sides(orders: Sequence[Sequence[int]]) -> float:
    """Faces come from the left, so that on the same sides they ascend."""
    same = sum(all(one < other for one, other in pairwise(order)) for order in orders)
    return round(same / len(orders), 3) if orders else 1.0


def _hash(picture: Image) -> str:
    small = cv2.resize(picture, (HASH_PX, HASH_PX), interpolation=cv2.INTER_AREA)
    return hash_of(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))


def _still(video: Image) -> int:
    """The longest run of frames, after the first, between which nothing moves."""
    longest = run = 0
    for one, other in pairwise(video[1:]):
        change = cv2.resize(cv2.absdiff(one, other), GRID, interpolation=cv2.INTER_AREA).max()
        run = run + 1 if change < STILL_LEVELS else 0
        longest = max(longest, run)
    return longest


def _cuts(video: Image) -> int:
    """Cuts between frames after the first, by perceptual hashes: another of PySceneDetect's detectors than found the shots.

    On five hard cuts, also between halves that change places, and seven films without one it is right; histograms are not.
    """
    from scenedetect import FrameTimecode, HashDetector

    detector = HashDetector(min_scene_len=0)
    return sum(
        bool(detector.process_frame(FrameTimecode(number, 1.0), frame[..., ::-1].copy()))
        for number, frame in enumerate(video[1:])
    )


def _subtitles(video: Image, fps: float, fixed: Sequence[str]) -> int:
    """Lines of them, read as films are, after the first frame; what is fixed in the film is none."""
    height, width = video.shape[1:3]
    step = max(1, round(fps * LOOK_S))
    looks = [(number / fps, words_in(frame)) for number, frame in enumerate(video) if number % step == 1]
    lines = judged(looks, (width, height)).subtitles
    return sum(all(likeness(line.text, other) < SAME_TEXT for other in fixed) for line in lines)
