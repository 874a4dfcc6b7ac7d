"""The demo source of the recipe `human`: pictures of androids, cyborgs, aliens and armoured figures, drawn offline.

Every choice belongs to the seed and a picture's number, so the first pictures of a long demo are those of a
short one. Shapes and formats are mixed, and some pictures are cut out. One picture of each dozen is flawed and
says so in its label `flaw`, so that a build has something to reject.
"""

import json
import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field

from curate.errors import CurateError
from curate.media.one_thread import one_thread
from curate.records import Record, rng
from curate.sources.demo_pen import Frame
from curate.sources.demo_robots_body import behind, body
from curate.sources.demo_robots_clay import FINENESS, Clay
from curate.sources.demo_robots_face import face
from curate.sources.demo_robots_ground import ground
from curate.sources.demo_robots_head import skull
from curate.sources.demo_robots_look import Look, draw_look, in_turn
from curate.sources.demo_robots_words import caption

Flaw = Literal["duplicate", "blurred", "watermark", "tiny", "animated"]
Format = Literal["png", "jpg", "webp", "gif"]

LICENCE = "CC0-1.0 (synthetic)"
FLAW_EVERY = 12
FLAWLESS_FIRST = 6
FORMATS: tuple[Format, ...] = ("png", "jpg", "webp", "png")
DUPLICATE_SCALE = 0.92
TINY_PX = 40
BLUR_SHARE = 0.022
GRAIN = 4  # at most so many levels lighter or darker
NOD_DEGREES = 7.0
WATERMARKS = ("SAMPLE", "PREVIEW", "PROOF ONLY", "STOCK PHOTO")
LINE_PX = 512 / FINENESS  # outlines are as wide as planned on a picture of this size


class RobotsDemo(Record):
    """The config of the source."""

    pictures: int = Field(44, ge=1, le=10_000, description="How many pictures to draw.")
    size: int = Field(512, ge=128, le=2048, description="Shorter side in pixels.")
    seed: int = Field(0, ge=0, description="Another seed is another cast.")


class RobotPlan(Record):
    """One picture with every choice made and nothing drawn."""

    name: str
    look: Look
    size: int = Field(description="Shorter side in pixels, before a flaw changes it.")
    format: Format
    flaw: Flaw | None

    @property
    def file_name(self) -> str:
        """Such as `robot-0007.png`."""
        return f"{self.name}.{self.format}"


def robots_plan(config: RobotsDemo) -> list[RobotPlan]:
    """All pictures of a demo; the first of them do not depend on how many there are."""
    return [_plan(config, index) for index in range(config.pictures)]


def _plan(config: RobotsDemo, index: int) -> RobotPlan:
    flaw, model = planned_flaw(config.seed, index), index
    look = draw_look(config.seed, index, "square" if flaw == "tiny" else None)
    if flaw == "duplicate":
        model = _original(config.seed, index)
        look = draw_look(config.seed, model)
    elif flaw is not None and look.ground is None:
        look = look.model_copy(update={"ground": "plain"})  # not all formats of a flawed one can be cut out
    return RobotPlan(
        name=f"robot-{index:04d}",
        look=look,
        size=config.size,
        format=_format(config.seed, model, flaw, look),
        flaw=flaw,
    )


def planned_flaw(seed: int, index: int) -> Flaw | None:
    """One picture of each dozen is flawed, the kinds take turns from `duplicate` on, and the first six pictures are not."""
    dozen, place = divmod(index, FLAW_EVERY)
    first = FLAWLESS_FIRST if dozen == 0 else 0
    if place != rng(seed, str(dozen), "flaw").integers(first, FLAW_EVERY):
        return None
    kinds: tuple[Flaw, ...] = get_args(Flaw)
    return kinds[dozen % len(kinds)]


def _original(seed: int, index: int) -> int:
    """An earlier sound picture with a ground, to be repeated."""
    draw = rng(seed, str(index), "original")
    while True:
        earlier = int(draw.integers(index))
        if planned_flaw(seed, earlier) is None and draw_look(seed, earlier).ground is not None:
            return earlier


def _format(seed: int, model: int, flaw: Flaw | None, look: Look) -> Format:
    """A duplicate comes in another format than its original."""
    if flaw == "animated":
        return "gif"
    if look.ground is None:
        return "png"
    planned = in_turn(seed, "format", model, FORMATS)
    return ("webp" if planned == "jpg" else "jpg") if flaw == "duplicate" else planned


def draw_robot(plan: RobotPlan, folder: Path) -> Path:
    """Write `NAME.<png|jpg|webp|gif>` with its sidecar `NAME.json` into `folder`; returns the picture's path.

    The same plan gives the same bytes, in any order and any process. The picture appears last and whole. Raises
    CurateError when the folder cannot be written.
    """
    path, draft = folder / plan.file_name, folder / f".{plan.name}.partial"
    sidecar = json.dumps(labels(plan), indent=1, ensure_ascii=False) + "\n"
    with one_thread():
        encoded = _encoded(plan)
    try:
        path.with_suffix(".json").write_text(sidecar, "utf-8", newline="\n")
        draft.write_bytes(encoded)
        os.replace(draft, path)
    except OSError as error:
        raise CurateError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return path


def labels(plan: RobotPlan) -> dict[str, str]:
    """What the sidecar of a picture says."""
    found = {"caption": caption(plan.look), "licence": LICENCE, "author": "curate demo", "source": "drawn"}
    return found if plan.flaw is None else {**found, "flaw": plan.flaw}


def picture(look: Look, size: int) -> Frame:
    """One figure before its ground, (H, W, 3) RGB, or cut out, (H, W, 4) with straight alpha."""
    figure = draw_figure(look, size)
    alpha = figure[..., 3]
    if look.ground is None:
        opaque = np.maximum(alpha, 1)[..., None].astype(np.float32)
        straight = np.rint(np.minimum(figure[..., :3] * (255 / opaque), 255)).astype(np.uint8)
        return np.dstack([_grained(straight, look), alpha])
    kept = cv2.multiply(ground(look, *figure.shape[1::-1]), cv2.merge([255 - alpha] * 3), scale=1 / 255)
    return _grained(cv2.add(kept, figure[..., :3]), look)


def draw_figure(look: Look, size: int) -> Frame:
    """The figure alone, (H, W, 4) RGB with premultiplied alpha."""
    wide = size * 3 // 2 if look.shape == "landscape" else size
    tall = size * 3 // 2 if look.shape == "portrait" else size
    fine = size * FINENESS
    image = np.zeros((tall * FINENESS, wide * FINENESS, 4), np.uint8)
    clay = Clay(image, look.unit * fine, (look.x * fine, look.y * fine))
    clay.mirrored, clay.ink = look.from_right, look.ink * size / LINE_PX
    behind(clay, look)
    body(clay, look)
    head = clay.moved(0, 0, float(np.radians(look.tilt)))
    skull(head, look)
    face(head, look)
    small: Frame = cv2.resize(image, (wide, tall), interpolation=cv2.INTER_AREA)
    return small


def _grained(image: Frame, look: Look) -> Frame:
    """The picture with the grain of a sensor, the same on all channels."""
    grain = rng(look.seed, "grain").integers(-GRAIN, GRAIN + 1, image.shape[:2], np.int16)
    grained: Frame = np.clip(image + grain[..., None], 0, 255).astype(np.uint8)
    return grained


def _encoded(plan: RobotPlan) -> bytes:
    if plan.flaw == "animated":
        return _animated(plan)
    image = picture(plan.look, plan.size)
    if plan.flaw == "duplicate":
        image = cv2.resize(image, None, fx=DUPLICATE_SCALE, fy=DUPLICATE_SCALE, interpolation=cv2.INTER_AREA)
    elif plan.flaw == "blurred":
        image = cv2.GaussianBlur(image, (0, 0), BLUR_SHARE * plan.size)
    elif plan.flaw == "tiny":
        image = cv2.resize(image, (TINY_PX, TINY_PX), interpolation=cv2.INTER_AREA)
    elif plan.flaw == "watermark":
        image = _watermarked(image, in_turn(plan.look.seed, "watermark", 0, WATERMARKS))
    options: dict[str, dict[str, Any]] = {
        "png": {"format": "PNG", "compress_level": 3},
        "jpg": {"format": "JPEG", "quality": 84 if plan.flaw == "duplicate" else 93},
        "webp": {"format": "WEBP", "quality": 82 if plan.flaw == "duplicate" else 92, "method": 2},
    }
    out = BytesIO()
    Image.fromarray(image).save(out, **options[plan.format])
    return out.getvalue()


def _watermarked(image: Frame, words: str) -> Frame:
    """Large words on bands across the whole picture, (H, W, 3)."""
    tall, wide = image.shape[:2]
    font = ImageFont.load_default(100)
    left, _, right, _ = font.getbbox(words)
    size_px = min(0.24 * tall, 100 * 0.86 * wide / (right - left))
    font = ImageFont.load_default(size_px)
    sheet = Image.new("RGBA", (wide, tall), (0, 0, 0, 0))
    pen = ImageDraw.Draw(sheet)
    for share in (0.2, 0.5, 0.8):
        band = (0.0, share * tall - 0.6 * size_px, wide, share * tall + 0.6 * size_px)
        pen.rectangle(band, (20, 20, 24, 120))  # white letters on a white suit are hard to read
        pen.text((wide / 2, share * tall), words, (255, 255, 255, 235), font, "mm")
    marked = Image.alpha_composite(Image.fromarray(image).convert("RGBA"), sheet)
    return np.array(marked.convert("RGB"))


def _animated(plan: RobotPlan) -> bytes:
    """A head that nods to the side, at half the size."""
    size = max(64, plan.size // 2)
    tilts = (plan.look.tilt, plan.look.tilt - NOD_DEGREES)
    looks = (plan.look.model_copy(update={"tilt": tilt}) for tilt in tilts)
    first, second = (Image.fromarray(picture(look, size)).quantize(128) for look in looks)
    out = BytesIO()
    first.save(out, format="GIF", save_all=True, append_images=[second], duration=400, loop=0)
    return out.getvalue()
