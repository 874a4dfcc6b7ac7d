"""The demo of the recipe `human`: choices by identity, figures that differ, sidecars that are true, flaws that show."""

import hashlib
import json
import re
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import get_args

import cv2
import imagehash
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from curate.errors import CurateError
from curate.sources import demo_robots_look as looks
from curate.sources.demo_robots import (
    Flaw,
    RobotPlan,
    RobotsDemo,
    draw_figure,
    draw_robot,
    labels,
    picture,
    planned_flaw,
    robots_plan,
)
from curate.sources.demo_robots_body import SHOULDERS
from curate.sources.demo_robots_chest import CHESTS, TORSOS
from curate.sources.demo_robots_face import EYES, MOUTHS
from curate.sources.demo_robots_ground import GROUNDS
from curate.sources.demo_robots_skull import SKULLS
from curate.sources.demo_robots_tops import ABOVE, BEHIND, ON_TOP

SIZE = 160
KINDS: tuple[Flaw, ...] = get_args(Flaw)


@pytest.fixture(scope="module")
def plan() -> list[RobotPlan]:
    return robots_plan(RobotsDemo(pictures=60, size=SIZE))


@pytest.fixture(scope="module")
def made(plan: list[RobotPlan], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The first 40 pictures and every flawed one, by name."""
    folder = tmp_path_factory.mktemp("robots")
    return {one.name: draw_robot(one, folder) for n, one in enumerate(plan) if n < 40 or one.flaw}


def shown(path: Path) -> Image.Image:
    """A picture over white, as a recipe would see it."""
    layer = Image.open(path).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, (255, 255, 255, 255)), layer).convert("RGB")


def grey(path: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(shown(path).convert("L"))


def flawed(plan: list[RobotPlan], flaw: Flaw) -> RobotPlan:
    return next(one for one in plan if one.flaw == flaw)


def sha256s(paths: list[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**40), few=st.integers(1, 20), more=st.integers(0, 20))
def test_the_first_pictures_do_not_depend_on_how_many_there_are(seed: int, few: int, more: int) -> None:
    long = robots_plan(RobotsDemo(pictures=few + more, seed=seed))
    assert long[:few] == robots_plan(RobotsDemo(pictures=few, seed=seed))


@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**40))
def test_one_picture_of_each_dozen_is_flawed_and_none_of_the_first_six(seed: int) -> None:
    flaws = [one.flaw for one in robots_plan(RobotsDemo(pictures=60, seed=seed))]
    assert flaws == [planned_flaw(seed, index) for index in range(60)]
    assert flaws[:6] == [None] * 6
    assert [next(filter(None, flaws[start : start + 12])) for start in range(0, 60, 12)] == list(KINDS)
    assert Counter(flaws)[None] == 55
    assert Counter(flaws[: RobotsDemo().pictures])[None] >= 40


@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**40))
def test_a_plan_survives_the_way_to_another_process(seed: int) -> None:
    for one in robots_plan(RobotsDemo(pictures=8, seed=seed)):
        assert RobotPlan.model_validate(json.loads(one.model_dump_json())) == one


def test_shapes_formats_kinds_and_grounds_are_mixed(plan: list[RobotPlan]) -> None:
    sound = [one for one in plan[:40] if one.flaw is None]
    assert {one.look.shape for one in sound} == {"square", "portrait", "landscape"}
    assert {one.format for one in sound} == {"png", "jpg", "webp"}
    assert {one.look.framing for one in sound} == {"bust", "half", "full"}
    assert {one.look.ground for one in sound} == {*looks.GROUNDS, None}
    assert Counter(one.look.kind for one in sound).keys() == looks.HEADS.keys()
    assert all(one.format == "png" for one in plan if one.look.ground is None)


def test_every_choice_can_be_drawn() -> None:
    """A part that is chosen but has no drawing would show as nothing."""
    drawn = {
        "HEADS": SKULLS.keys(), "EYES": EYES.keys(), "MOUTHS": MOUTHS.keys(), "TORSOS": TORSOS.keys() & SHOULDERS.keys(),
        "TOPS": {*BEHIND, *ABOVE, *ON_TOP, "none"}, "CHESTS": {*CHESTS, "plain", "collar"},
    }  # fmt: skip
    for name, known in drawn.items():
        assert {option for options in getattr(looks, name).values() for option in options} <= known
    assert looks.GROUNDS.keys() == GROUNDS.keys()


def test_sound_pictures_do_not_look_alike_to_a_perceptual_hash(
    plan: list[RobotPlan], made: dict[str, Path]
) -> None:
    hashes = [imagehash.phash(shown(made[one.name])) for one in plan[:40] if one.flaw is None]
    assert len(hashes) == 36
    assert min(one - other for one, other in combinations(hashes, 2)) > 8


def test_files_hold_what_was_planned(plan: list[RobotPlan], made: dict[str, Path]) -> None:
    sizes = {"square": (SIZE, SIZE), "portrait": (SIZE, 240), "landscape": (240, SIZE)}
    formats = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
    for one in (one for one in plan[:40] if one.flaw is None):
        with Image.open(made[one.name]) as found:
            assert found.size == sizes[one.look.shape]
            assert found.format == formats[one.format]
            assert found.mode == ("RGBA" if one.look.ground is None else "RGB")
            if found.mode == "RGBA":
                alpha = np.asarray(found.getchannel("A"))
                assert 0.1 < np.mean(alpha == 255) < 0.9
                assert np.mean(alpha == 0) > 0.1


def test_sidecars_tell_what_is_shown(plan: list[RobotPlan], made: dict[str, Path]) -> None:
    for one in plan[:40]:
        found = json.loads(made[one.name].with_suffix(".json").read_text("utf-8"))
        wanted = {"licence": "CC0-1.0 (synthetic)", "author": "curate demo", "source": "drawn"}
        assert found == {"caption": found["caption"], **wanted} | ({"flaw": one.flaw} if one.flaw else {})
        assert one.look.kind in found["caption"]
        assert f"{one.look.head} he" in found["caption"]  # head or helmet
        assert "{" not in found["caption"] and "  " not in found["caption"]
        assert not re.search(r"\ba [aeio]|\ban [^aeio]", found["caption"])
    captions = [labels(one)["caption"] for one in plan if one.flaw is None]
    assert len(set(captions)) == len(captions)


def test_a_captions_colour_is_in_the_picture(plan: list[RobotPlan]) -> None:
    """Below the chin the glossy and matt suits have their colour, whatever the light makes of it."""
    suited = [one.look for one in plan if one.look.suit.split()[0] in looks.FINISHES and one.flaw is None]
    for look in suited[:16]:
        figure = draw_figure(look, 128)[round((look.y + 1.5 * look.unit) * 128) :]
        seen = figure[figure[..., 3] == 255][:, :3].astype(float)  # (N, 3)
        coat = np.array(looks.paint_of(look.suit).colour)
        hue = seen / (np.linalg.norm(seen, axis=1, keepdims=True) + 1) - coat / np.linalg.norm(coat)
        assert np.mean(np.linalg.norm(hue, axis=1) < 0.2) > 0.2, look.suit


def test_a_duplicate_is_an_earlier_picture_in_other_bytes(
    plan: list[RobotPlan], made: dict[str, Path]
) -> None:
    twin = flawed(plan, "duplicate")
    (original,) = [one for one in plan if one.look == twin.look and one.flaw is None]
    assert original.name < twin.name
    assert original.format != twin.format
    one, two = shown(made[original.name]), shown(made[twin.name])
    assert two.size[0] < one.size[0]
    assert imagehash.phash(one) - imagehash.phash(two) <= 4


def test_a_blurred_picture_has_no_edges_and_sound_ones_have(
    plan: list[RobotPlan], made: dict[str, Path]
) -> None:
    sharp = [cv2.Laplacian(grey(made[one.name]), cv2.CV_64F).var() for one in plan[:40] if one.flaw is None]
    blurred = cv2.Laplacian(grey(made[flawed(plan, "blurred").name]), cv2.CV_64F).var()
    assert blurred < 0.1 * min(sharp)


def test_a_tiny_picture_and_an_animated_one_are_what_they_say(
    plan: list[RobotPlan], made: dict[str, Path]
) -> None:
    assert shown(made[flawed(plan, "tiny").name]).size == (40, 40)
    with Image.open(made[flawed(plan, "animated").name]) as moving:
        assert (moving.format, getattr(moving, "n_frames", 1)) == ("GIF", 2)
        first = np.asarray(moving.convert("L"), float)
        moving.seek(1)
        assert 0.01 < np.mean(np.abs(np.asarray(moving.convert("L"), float) - first) > 40) < 0.5


def test_a_watermark_covers_a_share_of_the_picture(plan: list[RobotPlan], made: dict[str, Path]) -> None:
    marked = flawed(plan, "watermark")
    clean = picture(marked.look, SIZE).astype(float)
    changed = np.abs(np.asarray(shown(made[marked.name]), float) - clean).max(axis=-1) > 40
    assert 0.2 < changed.mean() < 0.85


def test_the_bytes_depend_on_neither_order_nor_process(
    plan: list[RobotPlan], made: dict[str, Path], tmp_path: Path
) -> None:
    some = [*plan[:4], flawed(plan, "watermark"), flawed(plan, "animated")]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        list(pool.map(draw_robot, reversed(some), [tmp_path] * len(some)))
    wanted = [path for one in some for path in (made[one.name], made[one.name].with_suffix(".json"))]
    assert sha256s(sorted(tmp_path.iterdir())) == sha256s(sorted(wanted))


def test_the_pixels_do_not_depend_on_the_machines_fast_paths(plan: list[RobotPlan]) -> None:
    """Without SIMD dispatch and IPP the same picture comes out, as on a machine that has neither."""
    fast = [picture(one.look, 128) for one in plan[:3]]
    cv2.setUseOptimized(False)
    try:
        slow = [picture(one.look, 128) for one in plan[:3]]
    finally:
        cv2.setUseOptimized(True)
    for one, other in zip(fast, slow, strict=True):
        assert np.array_equal(one, other)


def test_a_folder_that_cannot_be_written_is_one_clear_error(plan: list[RobotPlan], tmp_path: Path) -> None:
    with pytest.raises(CurateError, match=r"robot-0000\.png: cannot be written: No such file"):
        draw_robot(plan[0], tmp_path / "missing")


@pytest.mark.parametrize(
    "wrong",
    [{"pictures": 0}, {"pictures": 10_001}, {"size": 127}, {"size": 2049}, {"seed": -1}, {"clips": 3}],
)
def test_the_config_refuses_what_it_cannot_do(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        RobotsDemo.model_validate(wrong)
