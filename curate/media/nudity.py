"""Nudity in a picture: NudeNet's detector of 320 pixels, on this machine; the extra `nudity`."""

from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from curate.errors import CurateError
from curate.media.subject import Box
from curate.media.video import Image

EXPOSED = (
    "FEMALE_BREAST_EXPOSED", "FEMALE_GENITALIA_EXPOSED", "MALE_GENITALIA_EXPOSED", "BUTTOCKS_EXPOSED", "ANUS_EXPOSED",
)  # fmt: skip
MIN_SCORE = 0.5


class Exposed(NamedTuple):
    """A part of a body that is not covered."""

    label: str  # NudeNet's, one of EXPOSED
    score: float  # 0 to 1
    box: Box


def is_available() -> bool:
    """Whether the extra `nudity` is installed."""
    return find_spec("nudenet") is not None


def version() -> str:
    """Of the extra. Raises CurateError without it."""
    if not is_available():
        raise CurateError("nudity: wanted the extra `nudity` installed (pip install 'ltx-curate[nudity]')")
    return metadata.version("nudenet")


def nudity(picture: Image) -> list[Exposed]:
    """Exposed breasts (female), genitals, buttocks and anuses with a score of .5 and more, the surest first.

    `picture` is (H, W, 3) uint8. Raises CurateError without the extra `nudity`.
    """
    found = _detector().detect(picture)  # of a file it reads itself, it swaps red and blue once too often
    counted = [each for each in found if each["class"] in EXPOSED and each["score"] >= MIN_SCORE]
    ordered = sorted(counted, key=lambda each: (-each["score"], each["class"], each["box"]))
    return [Exposed(each["class"], float(each["score"]), _box(*each["box"])) for each in ordered]


@lru_cache(maxsize=1)
def _detector() -> Any:
    """One a process, on one thread."""
    version()
    import nudenet
    import onnxruntime

    detector = nudenet.NudeDetector()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = Path(nudenet.__file__).with_name("320n.onnx")
    detector.onnx_session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    return detector


def _box(left: int, top: int, width: int, height: int) -> Box:
    return Box(left, top, left + width, top + height)
