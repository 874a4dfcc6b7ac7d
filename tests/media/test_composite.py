"""People who are drawn, with an outline and a face that are known, side by side; and a photograph of one."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import Rejected
from curate.media import figure as module
from curate.media.composite import (
    ENLARGED,
    Figure,
    blurred,
    composed,
    figure,
    figure_given,
    plain,
)
from curate.media.cutout import has_model
from curate.media.faces import faces_of, is_available
from curate.media.picture import read_picture
from curate.media.subject import Box
from curate.media.video import Image

SIZES = ((1280, 704), (960, 544))
ASTRONAUT = Path(skimage.__file__).parent / "data" / "astronaut.png"  # scikit-image's own
needs_models = pytest.mark.skipif(
    not (has_model() and is_available()), reason="no mediapipe with its models, or not the extra `faces`"
)


def drawn(
    face_px: int = 100,
    below: float = 1.5,
    hair: float = 0.5,
    shoulders: float = 1.3,
    shift: float = 0.0,
    level: int = 200,
    frame: float = 0.0,
    face_level: int = 150,
) -> Figure:
    """A head and a trunk as cutouts have them; sizes in heights of the face, `frame` half the frame's width, 0 for a wide one."""
    half = round((frame or 4.0) * face_px)
    tall, middle = round((hair + 1.3 + below) * face_px), half + round(shift * face_px)
    top = round((hair + 0.3) * face_px)
    alpha = np.zeros((tall, 2 * half), np.uint8)
    crown, chin = top - hair * face_px, top + face_px
    head = (middle, round((crown + chin) / 2)), (round(0.55 * face_px), round((chin - crown) / 2))
    cv2.ellipse(alpha, *head, 0, 0, 360, 255, -1, cv2.LINE_AA)
    trunk = (middle, tall + face_px), (round(shoulders * face_px), round((below + 0.8) * face_px))
    cv2.ellipse(alpha, *trunk, 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(alpha, (middle - face_px // 4, chin - 9), (middle + face_px // 4, tall), 255, -1)
    one = alpha.astype(np.float32) / 255
    colours = np.full((tall, 2 * half, 3), level, np.uint8)
    colours[top : top + face_px, middle - face_px // 2 : middle + face_px // 2] = (face_level, 150, 120)
    shown = np.rint(colours * one[..., None]).astype(np.uint8)
    face = Box(middle - face_px // 2, top, middle - face_px // 2 + face_px, top + face_px)
    found = module._whole(shown, one, face)
    assert found is not None
    return found


PEOPLE = st.builds(
    drawn,
    face_px=st.integers(70, 300),
    below=st.floats(0.4, 4),
    hair=st.floats(0.35, 1.1),
    shoulders=st.floats(0.9, 2.2),
    shift=st.floats(-0.8, 0.8),
    frame=st.sampled_from((0.0, 1.5, 2.0)),
)


def own(shown: Image, box: Box) -> Image:
    return shown[box.top : box.bottom, box.left : box.right]


@settings(max_examples=12, deadline=None)
@given(st.lists(PEOPLE, min_size=2, max_size=3), st.sampled_from(SIZES))
def test_whatever_is_composed_is_sound(figures: list[Figure], size: tuple[int, int]) -> None:
    background = blurred(noise(), *size)
    try:
        made = composed(figures, background)
    except Rejected as why:
        assert why.reason == "does_not_fit"
        return
    width, height = size
    assert made.picture.shape == (height, width, 3) and made.picture.dtype == np.uint8
    tall = [face.bottom - face.top for face in made.faces]
    assert max(tall) - min(tall) <= max(1, 0.02 * max(tall)) and min(tall) >= 0.11 * height
    assert np.ptp([face.bottom for face in made.faces]) <= 1  # on one level
    assert made.enlarged <= ENLARGED + 1e-6
    for number, (box, face) in enumerate(zip(made.boxes, made.faces, strict=True)):
        first, last = number * width / len(figures), (number + 1) * width / len(figures)
        assert first <= box.left < box.right <= last and box.top > 0 and box.bottom == height
        assert box.left < face.left and face.right < box.right and box.top < face.top  # hair and ears too
    gaps = [right.left - left.right for left, right in zip(made.boxes[:-1], made.boxes[1:], strict=True)]
    assert min(gaps) >= 0.008 * width
    outside = np.ones((height, width), bool)
    for box in made.boxes:
        outside[box.top : box.bottom, box.left : box.right] = False
    assert (made.picture == background)[outside].all()


def noise() -> Image:
    return np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)


def test_the_wanted_size_is_a_quarter_of_the_height() -> None:
    made = composed([drawn(below=2), drawn(140, 3)], plain(1280, 704))
    assert [face.bottom - face.top for face in made.faces] == [176, 176]
    assert made.boxes[0].top > 0.1 * 704 and abs(made.faces[0].left + made.faces[0].right - 640) < 10


def test_who_is_cut_below_the_chin_is_larger_and_stands_on_the_edge() -> None:
    made = composed([drawn(130, 0.45), drawn(130, 0.6)], plain(1280, 704))
    assert made.faces[0].bottom - made.faces[0].top > 0.35 * 704
    for box, face in zip(made.boxes, made.faces, strict=True):
        middle = (face.left + face.right) // 2
        assert (
            box.bottom == 704
            and (abs(made.picture[face.bottom + 20 : 704, middle].astype(int) - 200) < 3).all()
        )


def test_the_order_given_is_the_order_from_left_to_right() -> None:
    figures = [drawn(level=level) for level in (230, 130, 30)]
    made = composed(figures, plain(1280, 704))
    assert [int(made.picture[703, (face.left + face.right) // 2, 0]) for face in made.faces] == [230, 130, 30]
    assert made.boxes == sorted(made.boxes)
    swapped = composed(figures[1::-1], plain(1280, 704))
    mirrored = composed([_mirrored(each) for each in figures[:2]], plain(1280, 704)).picture[:, ::-1]
    assert np.abs(swapped.picture.astype(int) - mirrored).mean() < 0.3


def _mirrored(one: Figure) -> Figure:
    width = one.alpha.shape[1]
    face = Box(width - one.face.right, one.face.top, width - one.face.left, one.face.bottom)
    shown, alpha = (np.ascontiguousarray(each[:, ::-1]) for each in (one.picture, one.alpha))
    return Figure(shown, alpha, face, (one.cut[1], one.cut[0], one.cut[2]))


def test_the_same_figures_give_the_same_bytes() -> None:
    figures = [drawn(90, 0.7), drawn(200, 2)]
    first, second = (composed(figures, blurred(noise(), 960, 544)) for _ in range(2))
    assert first.picture.tobytes() == second.picture.tobytes() and first[1:] == second[1:]


def test_pixels_are_the_figure_and_what_its_alpha_leaves_of_the_background() -> None:
    glass = drawn(176, 3)
    glass = glass._replace(picture=glass.picture // 4 * 3, alpha=glass.alpha * np.float32(0.75))
    made = composed([drawn(176, 3), glass], np.full((704, 1280, 3), 40, np.uint8))
    across = (made.faces[1].left + made.faces[1].right) // 2
    assert abs(int(made.picture[690, across, 0]) - (150 + 10)) <= 1  # of 200 and of 40


@pytest.mark.parametrize("factor", [0.7, 1.0, 2.6])
def test_the_rim_is_between_the_figure_and_the_background(factor: float) -> None:
    """No darker and no lighter line around a light figure on a mid-grey, larger or smaller than it was."""
    figures = [drawn(round(176 / factor), 3, level=200, face_level=200)] * 2
    made = composed(figures, np.full((704, 1280, 3), 128, np.uint8))
    assert made.picture[..., 0].min() >= 118 and made.picture[..., 0].max() <= 204


@pytest.mark.parametrize("side", [0, 1])
def test_a_cut_side_in_mid_picture_is_rounded(side: int) -> None:
    """Whose frame ends at the arm towards the other: no column there is straight from the shoulder to the lower edge."""
    cut = drawn(150, 1.6, shoulders=2.2, frame=1.5, shift=0.6 if side else -0.6)
    assert cut.cut[side] and cut.cut[2]
    figures = [cut, drawn(150, 1.6)] if side else [drawn(150, 1.6), cut]
    made = composed(figures, plain(1280, 704))
    box, part = made.boxes[1 - side], made.picture.astype(int)
    inner = box.right - 1 if side else box.left
    there = (np.abs(part - plain(1280, 704)) > 12).any(axis=2)
    ends = [
        np.flatnonzero(row[box.left : box.right])[-side]
        for row in there[made.faces[0].bottom + 60 : 704 : 12]
    ]
    assert abs(inner - box.left - ends[-1]) <= 12 and len(set(ends)) > len(ends) // 2


def test_a_cut_side_may_touch_the_composites_own_edge() -> None:
    cut = drawn(150, 1.6, shoulders=2.2, frame=2.0, shift=-0.6)
    assert cut.cut[0]
    made = composed([cut, drawn(150, 1.6)], plain(1280, 704))
    assert made.boxes[0].left == 0 or made.picture[600, made.boxes[0].left, 0] != 200


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ([], "no figures"),
        ([drawn(20, 3), drawn()], "faces of 60 pixels"),  # three times as large is a tenth of the height
        ([drawn(60, 0.15), drawn(60, 0.15)], "below the chin"),
        ([drawn(100, 3)] * 12, "faces of"),
    ],
)
def test_what_cannot_be_sound_is_refused(figures: list[Figure], told: str) -> None:
    with pytest.raises(Rejected, match=told) as caught:
        composed(figures, plain(1280, 704))
    assert caught.value.reason == "does_not_fit" and "\n" not in str(caught.value)


def test_heads_that_are_not_whole_are_no_figures() -> None:
    one = drawn()
    assert module._whole(one.picture[20:], one.alpha[20:], module.moved(one.face, 0, 20)) is None  # hair
    end = one.face.bottom + 5
    assert module._whole(one.picture[:end], one.alpha[:end], one.face) is None  # the chin
    bald = one.alpha.copy()
    bald[: one.face.top] = 0
    assert module._whole(one.picture, bald, one.face) is None  # a mask without the hair
    assert module._whole(one.picture, one.alpha, one.face) is not None


def test_backgrounds_are_quiet_and_as_large_as_wanted() -> None:
    for width, height in SIZES:
        for made in (
            plain(width, height),
            blurred(noise(), width, height),
            blurred(noise().repeat(20, 0), width, height),
        ):
            assert made.shape == (height, width, 3) and made.dtype == np.uint8 and made.flags.c_contiguous
            steps = [np.abs(np.diff(made.astype(int), axis=axis)).max() for axis in (0, 1)]
            assert max(steps) <= 5
    halves = np.zeros((300, 400, 3), np.uint8)
    halves[:, 200:] = 250
    made = blurred(halves, 1280, 704)
    assert made[:, :300].max() < 20 and made[:, -300:].min() > 230  # not mirrored, not cut aside


def test_the_walls_colour_is_taken_from_the_rim_and_a_dark_wall_is_left_alone() -> None:
    alpha = np.zeros((300, 300), np.float32)
    cv2.circle(alpha, (150, 170), 100, 1, -1)
    person = (
        cv2.circle(np.zeros((300, 300), np.uint8), (150, 170), 97, 1, -1) > 0
    )  # the mask has 3 pixels too many
    for wall in ((30, 60, 250), (20, 12, 8)):
        frame = np.full((300, 300, 3), wall, np.uint8)
        frame[person] = (170, 130, 100)
        shown, kept = module._without_wall(np.asarray(cv2.GaussianBlur(frame, (0, 0), 1)), alpha)
        assert kept[person].mean() > 0.97
        blue = ((shown[..., 2].astype(int) - shown[..., 0]) * kept).max()
        rim = kept[(alpha > 0) & ~person].mean()
        assert (blue < 30 and rim < 0.3) if wall[2] == 250 else rim > 0.9


@needs_models
def test_a_photograph_gives_a_figure_in_every_form(tmp_path: Path) -> None:
    one = figure_given(ASTRONAUT)
    assert one is not None and one.cut[2] and one.picture.shape[:2] == one.alpha.shape
    assert 80 < one.face.bottom - one.face.top < 110
    _save(tmp_path / "cut.png", one.picture, one.alpha)
    _save(tmp_path / "black.png", np.pad(one.picture, ((30, 0), (30, 30), (0, 0))))
    for path in (tmp_path / "cut.png", tmp_path / "black.png"):
        given_one = figure_given(path)
        assert given_one is not None and given_one.cut[2], path.name
        tall = given_one.face.bottom - given_one.face.top
        assert abs(tall - (one.face.bottom - one.face.top)) <= 4
        assert abs((given_one.alpha > 0.5).sum() / (one.alpha > 0.5).sum() - 1) < 0.08, path.name
    made = composed([one, one], plain(640, 352))
    assert len(faces_of(made.picture)) == 2


def _save(path: Path, shown: Image, alpha: np.ndarray | None = None) -> None:
    layers = [shown[..., ::-1]]
    if alpha is not None:
        layers = [
            np.rint(shown[..., ::-1] / np.maximum(alpha, 1e-3)[..., None]).clip(0, 255).astype(np.uint8)
        ]
        layers.append(np.rint(alpha * 255).astype(np.uint8)[..., None])
    cv2.imwrite(str(path), np.dstack(layers))


@needs_models
def test_images_without_a_face_and_files_that_are_none(tmp_path: Path) -> None:
    _save(tmp_path / "grey.png", plain(200, 100))
    assert figure_given(tmp_path / "grey.png") is None
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(Rejected, match=r"image: text\.png: not_a_picture"):
        figure_given(tmp_path / "text.png")
    frame = read_picture(ASTRONAUT)
    assert figure(frame[60:], Box(0, 0, 448, 452), Box(175, 16, 266, 107)) is None  # the hair is cut off
