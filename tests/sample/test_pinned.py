"""The columns of a set whose first frames are pictures, and what becomes of pictures that are not what they were."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from curate.encode.decode import decode_audio, decode_video
from curate.encode.stack import Stack
from curate.encode.video import encode_video
from curate.errors import CurateError
from curate.media.audio import read_audio
from curate.media.faces import is_available
from curate.media.video import probe
from curate.picture_files import name_of
from curate.progress import Reporter
from curate.sample.cases import Case, cases
from curate.sample.gallery import Gallery
from curate.sample.generate import generate
from curate.sample.sheet import strip
from curate.train.config import SampleConfig
from curate.train.data import LatentSample, TrainingSet
from curate.train.strategy import Rope, first_frame
from tests.sample.test_sides import scene as scene_of
from tests.train.sets import COMPOSITES, FPS, FRAMES, first_frames_of, make_set

ID = "dual-character-heldout-0"
QUICK = SampleConfig(inference_steps=2, cases=1, pin_strength=0.9)


@pytest.fixture(scope="module")
def composites(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared: copy it before changing it."""
    return make_set(tmp_path_factory.mktemp("composites") / "set", COMPOSITES, stack)


def test_a_sample_is_shown_with_each_of_its_pictures(composites: Path, stack: Stack) -> None:
    shown = cases(TrainingSet(composites), QUICK, stack)
    assert [case.label for case in shown] == [
        f"{variant}, {ID}: They meet" for variant in ("composite", "single", "swapped")
    ]
    assert {(case.caption, case.identity) for case in shown} == {("They meet", ID)}  # the same noise
    own = TrainingSet(composites).read("heldout", "000000").latents["video_latents"]
    for case, picture in zip(shown, first_frames_of(ID).values(), strict=True):
        latents = case.sample.latents["video_latents"]
        assert np.array_equal(case.beside, picture) and case.first is case.beside
        # to the rounding of what is stored
        assert torch.allclose(latents[:, :1], encode_video(stack, picture[None]), rtol=2**-7, atol=1e-5)
        assert torch.equal(latents[:, 1:], own[:, 1:]) and latents.dtype == own.dtype
    assert torch.equal(shown[0].sample.latents["video_latents"], own)
    assert not torch.allclose(own[:, :1], shown[2].sample.latents["video_latents"][:, :1], atol=0.1)


def test_a_first_frame_of_the_clip_itself_is_shown_alone_and_not_cut_off(
    sets: dict[str, Path], stack: Stack
) -> None:
    (case,) = cases(TrainingSet(sets["first_frame"]), QUICK, stack)
    assert case.label == f"{ID}: They meet" and case.first is None and case.beside is not None


def test_one_picture_alone_is_one_column_without_its_first_frame(composites: Path, stack: Stack) -> None:
    def only(measured: dict[str, Any]) -> Case:
        dataset = TrainingSet(composites)
        dataset.read = lambda split, key: renamed(TrainingSet(composites).read(split, key), measured)  # type: ignore[method-assign]
        (case,) = cases(dataset, QUICK, stack)
        return case

    name = name_of(first_frames_of(ID)["first_frame"])
    case = only({"first_frame": name})
    assert case.label == f"{ID}: They meet" and np.array_equal(case.first, first_frames_of(ID)["first_frame"])
    assert only({"first_frame": None, "single": name}).first is None


def renamed(sample: LatentSample, measured: dict[str, Any]) -> LatentSample:
    return LatentSample(sample.record.model_copy(update={"measured": measured}), sample.latents)


def gone(path: Path) -> None:
    path.unlink()


def altered(path: Path) -> None:
    picture = cv2.imread(str(path))
    picture[0, 0] ^= 1
    cv2.imwrite(str(path), picture)


def broken(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


@pytest.mark.parametrize("role", ["first_frame", "single", "swapped"])
@pytest.mark.parametrize(
    ("change", "found"),
    [(gone, "found nothing"), (altered, "other pixels, or none"), (broken, "other pixels, or none")],
)
def test_a_picture_that_is_not_the_one_named_is_one_line(
    composites: Path, stack: Stack, tmp_path: Path, change: Callable[[Path], None], found: str, role: str
) -> None:
    folder = shutil.copytree(composites, tmp_path / "set")
    name = name_of(first_frames_of(ID)[role])
    change(folder / "first_frames" / f"{name}.png")
    with pytest.raises(CurateError, match=rf"/first_frames/{name}\.png: {found}, wanted the picture that {ID} names$"):  # fmt: skip
        cases(TrainingSet(folder), QUICK, stack)


def test_a_picture_of_another_size_or_a_name_that_is_none_is_one_line(
    composites: Path, stack: Stack, tmp_path: Path
) -> None:
    folder = shutil.copytree(composites, tmp_path / "set")
    large = np.zeros((64, 128, 3), np.uint8)
    cv2.imwrite(str(folder / "first_frames" / f"{name_of(large)}.png"), large)
    for name, line in (
        (name_of(large), rf"\.png: is 128x64, wanted 96x64, the size of {ID}$"),
        ("../train", "wanted 16 hex digits"),
        ("a\0", "wanted 16 hex digits"),
        (5, "wanted 16 hex digits"),
    ):
        dataset = TrainingSet(folder)
        own = dataset.read("heldout", "000000")
        dataset.read = lambda *_: renamed(own, {"first_frame": name})  # type: ignore[method-assign]  # noqa: B023
        with pytest.raises(CurateError, match=line) as caught:
            cases(dataset, QUICK, stack)
        assert "\n" not in str(caught.value)


def test_only_pinned_frames_can_be_pinned_less_firmly(sets: dict[str, Path], stack: Stack) -> None:
    line = r"^sample\.pin_strength is 0\.9, but video_reference pins no frames$"
    with pytest.raises(CurateError, match=line):
        cases(TrainingSet(sets["video_reference"]), QUICK, stack)


def test_a_row_begins_after_the_picture_and_says_who_is_where(
    composites: Path, stack: Stack, tmp_path: Path
) -> None:
    transformer = stack.load_transformer()
    gallery = Gallery(tmp_path, TrainingSet(composites), QUICK, stack, "base", Reporter(quiet=True))
    gallery.row(transformer, None, "base")
    films = sorted((tmp_path / "base").glob("*.mp4"))
    assert [probe(film).seconds for film in films] == pytest.approx([(FRAMES - 1) / FPS] * 3, abs=0.03)
    swapped = cases(TrainingSet(composites), QUICK, stack)[2]
    scene = first_frame(swapped.sample, Rope(transformer), False).holding(0.9)
    made = generate(
        transformer, stack.load_scheduler(), scene, gallery._texts["They meet"], None,
        config=QUICK, seed=0, identity=ID,
    )  # fmt: skip
    with Image.open(films[2].with_suffix(".png")) as image:
        assert np.array_equal(np.asarray(image), strip(list(decode_video(stack, made.video.numpy())[1:])))
    assert made.audio is not None
    whole, heard = decode_audio(stack, made.audio.numpy()), read_audio(films[2], 0.0, 0.5)
    later = round(16000 / FPS)
    alike = [np.corrcoef(whole[begin : begin + len(heard)], heard)[0, 1] for begin in (0, later)]
    assert alike[0] < 0.6 and alike[1] > 0.8  # AAC is not exact
    told = json.loads((tmp_path / "base" / "row.json").read_text())["sides"]
    why = "no faces on the picture given" if is_available() else "wanted the extra `faces`"  # of patches
    words = {"sides": None, "frames": 0, "known": 0, "as_given": 0, "words": f"sides not told: {why}"}
    assert told == dict.fromkeys(("01", "02", "03"), words)
    if is_available():  # with people on the picture, none of whom such weights can draw
        gallery._cases = [replace(swapped, first=scene_of("ada", "bo"))]
        gallery.row(transformer, None, "base")
        told = json.loads((tmp_path / "base" / "row.json").read_text())["sides"]["01"]
        assert told["words"] == "sides not told: no faces found" and told["frames"] == 9
    with Image.open(tmp_path / "contact-sheet.png") as sheet:
        height = sheet.height
    assert height > 2 * (192 + 19)  # a line for what is told
