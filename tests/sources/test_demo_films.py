"""The demo of the recipe `reference-sheet`: choices by identity, truth that the pictures show, faces a detector finds."""

import hashlib
import importlib.util
import json
import re
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.errors import CurateError
from curate.media.video import probe
from curate.sources.demo_films import draw_film, draw_frames, elements, labels
from curate.sources.demo_films_cast import PEOPLE, character
from curate.sources.demo_films_cloth import PAINTERS
from curate.sources.demo_films_furniture import PIECES
from curate.sources.demo_films_interior import LAYOUTS, RESTS, painted_room
from curate.sources.demo_films_plan import (
    ROOM_WORDS,
    FilmPlan,
    FilmsDemo,
    Trap,
    films_plan,
    trap_plan,
)
from curate.sources.demo_films_props import COLOURS, DRAWINGS, Prop, drawn_prop
from curate.sources.demo_films_stage import drawn_frame
from curate.sources.demo_films_truth import FilmTruth, empty_room, truth
from curate.sources.folder import list_folder

Picture = npt.NDArray[np.uint8]
SHORTEST = 121  # frames of a target of the recipe
NEAR_PX = 4.0


@pytest.fixture(scope="module")
def plans() -> list[FilmPlan]:
    return films_plan(FilmsDemo())


@pytest.fixture(scope="module")
def known(plans: list[FilmPlan]) -> list[FilmTruth]:
    return [truth(plan) for plan in plans]


def shown(plan: FilmPlan, frame: int) -> tuple[Picture, Picture]:
    """A frame of a film, and the empty room of its shot."""
    for one in plan.shots:
        if frame < one.frames:
            empty = empty_room(plan, one)
            return drawn_frame(one, empty, plan.room, plan.cast, plan.props, frame), empty
        frame -= one.frames
    raise IndexError(frame)


def short(plan: FilmPlan) -> FilmPlan:
    """The first frames of a film alone."""
    return plan.model_copy(update={"shots": (plan.shots[0].model_copy(update={"frames": 5}),)})


def sha256s(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**40), few=st.integers(1, 8))
def test_the_first_films_do_not_depend_on_how_many_there_are(seed: int, few: int) -> None:
    assert films_plan(FilmsDemo(films=8, seed=seed))[:few] == films_plan(FilmsDemo(films=few, seed=seed))


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**40))
def test_nobody_is_in_two_films_and_no_room_either(seed: int) -> None:
    films = films_plan(FilmsDemo(films=8, seed=seed))
    people = [who.id for film in films for who in film.cast]
    assert len(people) == len(set(people)) == len(PEOPLE)
    assert {film.room.kind for film in films} == LAYOUTS.keys()
    assert {prop.kind for film in films for prop in film.props} == DRAWINGS.keys()
    for film in films:
        assert len({prop.kind for prop in film.props} | {prop.colour for prop in film.props}) == 4


@settings(deadline=None, max_examples=4)
@given(seed=st.integers(0, 2**40))
def test_a_plan_survives_the_way_to_another_process(seed: int) -> None:
    for film in [*films_plan(FilmsDemo(films=2, seed=seed)), trap_plan("look-alikes", seed)]:
        assert FilmPlan.model_validate(json.loads(film.model_dump_json())) == film


def test_every_choice_can_be_drawn() -> None:
    assert ROOM_WORDS.keys() == LAYOUTS.keys() == RESTS.keys()
    assert {piece for layout in LAYOUTS.values() for piece, _ in layout} <= PIECES.keys()
    assert {
        character(seed, person).clothes.top for seed in range(8) for person in range(12)
    } <= PAINTERS.keys()


@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**40))
def test_films_are_long_enough_and_have_one_or_two_of_all(seed: int) -> None:
    films = films_plan(FilmsDemo(seed=seed))
    assert len({who.id for film in films for who in film.cast}) == 9
    assert {len(film.cast) for film in films} == {len(film.shots) for film in films} == {1, 2}
    for film in films:
        assert 10 < film.frames / 24 < 14
        assert all(one.frames >= SHORTEST for one in film.shots)


def test_everybody_is_seen_from_many_sides_and_partly_leaves(known: list[FilmTruth]) -> None:
    backs = 0
    for film in known:
        for who in film.characters:
            yaw_deg = who.yaw_deg[who.visible > 0.99]
            assert min(yaw_deg) < -20 and max(yaw_deg) > 20
            assert np.sum(np.abs(yaw_deg) <= 15) >= 12  # half a second to the viewer
            backs += bool(np.any(np.abs(yaw_deg) > 150))
        assert any(np.any((who.visible > 0.05) & (who.visible < 0.9)) for who in film.characters)
    assert backs >= 5


def test_nearly_all_of_the_room_is_seen_at_some_time(known: list[FilmTruth]) -> None:
    """One who leaves lets all of it be seen; of two, one stays, and hides what is behind until the cut."""
    for film in known:
        seen = np.zeros(film.shots[0].empty.shape[:2], bool)
        for frame in range(0, round(film.shots[0].end_s * 24), 4):
            free = np.ones(seen.shape, bool)
            for left, top, right, bottom in (who.body[frame] for who in film.characters):
                if not np.isnan(left):
                    free[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = False
            seen |= free
        assert seen.mean() > (0.99 if len(film.characters) == 1 else 0.8)


def test_what_differs_from_the_empty_room_lies_in_the_boxes(
    plans: list[FilmPlan], known: list[FilmTruth]
) -> None:
    for plan, film in zip(plans, known, strict=True):
        for frame in (0, plan.frames - 30):
            picture, empty = shown(plan, frame)
            changed = np.abs(picture.astype(int) - empty).max(axis=-1) > 12
            boxes = [who.body[frame] for who in film.characters] + [prop.box[frame] for prop in film.props]
            inside = np.zeros(changed.shape, bool)
            for left, top, right, bottom in (box for box in boxes if not np.isnan(box).any()):
                rows = slice(max(0, int(top - NEAR_PX)), int(bottom + NEAR_PX))
                columns = slice(max(0, int(left - NEAR_PX)), int(right + NEAR_PX))
                inside[rows, columns] = True
                assert changed[rows, columns].mean() > 0.3
            assert not np.any(changed & ~inside), (plan.name, frame)


def test_head_boxes_fit_heads(plans: list[FilmPlan], known: list[FilmTruth]) -> None:
    """In the rows of a head, what differs from the room begins and ends where the box does."""
    for plan, film in zip(plans[:3], known, strict=False):
        who = film.characters[0]
        frame = int(np.flatnonzero((who.visible > 0.99) & (np.abs(who.yaw_deg) < 50))[0])
        picture, empty = shown(plan, frame)
        left, top, right, bottom = who.head[frame]
        rows = slice(int(top) - 8, int(top + 0.6 * (bottom - top)))
        changed = np.abs(picture.astype(int) - empty).max(axis=-1)[rows] > 12
        changed[:, : max(0, int(left) - 60)] = changed[:, int(right) + 60 :] = False
        down, along = np.nonzero(changed)
        assert abs(along.min() - left) < NEAR_PX and abs(along.max() - right) < NEAR_PX
        assert abs(down.min() + rows.start - top) < NEAR_PX
        assert 88 < (bottom - top) / (1.0 if frame < plan.shots[0].frames else 1.55) < 125


def test_props_have_their_colour_where_the_truth_says(plans: list[FilmPlan], known: list[FilmTruth]) -> None:
    for plan, film in zip(plans, known, strict=True):
        for prop in film.props:
            frame = int(np.argmax(prop.visible * ~prop.held))
            picture, _ = shown(plan, frame)
            left, top, right, bottom = np.rint(prop.box[frame]).astype(int).tolist()
            part = picture[top:bottom, left:right].reshape(-1, 3).astype(float)
            coat = np.array(COLOURS[prop.colour])
            hue = part / (np.linalg.norm(part, axis=1, keepdims=True) + 1) - coat / np.linalg.norm(coat)
            assert np.mean(np.linalg.norm(hue, axis=1) < 0.25) > 0.15, (plan.name, prop.id)
        assert film.props[0].held.any() and not film.props[1].held.any()


def test_a_carried_prop_is_put_down_on_a_table(plans: list[FilmPlan], known: list[FilmTruth]) -> None:
    for plan, film in zip(plans, known, strict=True):
        if len(plan.cast) == 1:
            prop, frames = film.props[0], plan.shots[0].frames
            assert prop.held[0] and not prop.held[frames - 1]
            assert np.isnan(prop.box[frames:]).any(axis=1).all() or prop.visible[frames:].max() <= 1
            assert abs(prop.box[frames - 1, 3] - 288) < NEAR_PX


def test_every_prop_is_a_thing_of_its_own() -> None:
    pictures = [drawn_prop(Prop(kind=kind, colour="red")) for kind in DRAWINGS]
    for one, other in combinations(pictures, 2):
        assert np.mean(one[..., 3] != other[..., 3]) > 0.03
    assert all(0.1 < np.mean(one[..., 3] == 255) < 0.8 for one in pictures)


def model_file(name: str) -> str:
    """A file of face_recognition_models, which cannot be imported without setuptools."""
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        pytest.skip("face_recognition_models is not installed")
    return str(Path(found.submodule_search_locations[0]) / "models" / name)


def frontal(film: FilmTruth, count: int) -> list[tuple[int, Any]]:
    """Some (frame, character) of a film that show a whole face from near its front."""
    chosen = []
    for who in film.characters:
        frames = np.flatnonzero((who.visible > 0.99) & (np.abs(who.yaw_deg) <= 25))
        chosen += [(int(frames[k]), who) for k in np.linspace(0, len(frames) - 1, count).astype(int)]
    return chosen


def test_a_face_detector_finds_the_faces_and_tells_them_apart(
    plans: list[FilmPlan], known: list[FilmTruth]
) -> None:
    dlib = pytest.importorskip("dlib")
    detect = dlib.get_frontal_face_detector()
    five = dlib.shape_predictor(model_file("shape_predictor_5_face_landmarks.dat"))
    identify = dlib.face_recognition_model_v1(model_file("dlib_face_recognition_resnet_model_v1.dat"))
    found, asked, codes = 0, 0, defaultdict(list)
    for plan, film in zip(plans[:4], known, strict=False):
        for frame, who in frontal(film, 2):
            picture, asked = shown(plan, frame)[0], asked + 1
            left, top, right, bottom = np.rint(who.head[frame]).astype(int).tolist()
            part = np.ascontiguousarray(
                picture[max(0, top - 60) : bottom + 60, max(0, left - 60) : right + 60]
            )
            faces = detect(part)
            found += len(faces) == 1
            codes[who.id] += [
                np.array(identify.compute_face_descriptor(part, five(part, box))) for box in faces
            ]
    assert asked == 12
    assert found >= 11
    same = [np.linalg.norm(a - b) for many in codes.values() for a, b in combinations(many, 2)]
    other = [np.linalg.norm(a[0] - b[0]) for a, b in combinations(codes.values(), 2)]
    assert max(same) < 0.45 < min(other)
    assert np.median(other) > 0.58


def test_files_hold_what_was_planned(plans: list[FilmPlan], tmp_path: Path) -> None:
    plan = short(plans[0])
    path = draw_film(plan, tmp_path)
    found = probe(path)
    assert (found.width, found.height, found.fps, found.frames) == (768, 448, 24, 5)
    assert found.sample_rate_hz is None
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "film-0000.elements.json",
        "film-0000.json",
        "film-0000.mp4",
    ]
    sidecar = json.loads((tmp_path / "film-0000.json").read_text("utf-8"))
    assert sidecar == labels(plan) and sidecar["licence"] == "CC0-1.0 (synthetic)"
    (clip,), drops = list_folder(tmp_path, tmp_path / "cache")
    assert (clip.name, clip.caption, clip.labels) == (
        "film-0000.mp4",
        sidecar["caption"],
        {"source": "drawn"},
    )
    assert drops == []


def test_elements_name_everything_once_and_show_where(plans: list[FilmPlan], known: list[FilmTruth]) -> None:
    for plan, film in zip(plans[:3], known, strict=False):
        told = elements(plan)
        assert [one["id"] for one in told["characters"]] == [who.id for who in plan.cast]
        assert [one["id"] for one in told["props"]] == [prop.id for prop in plan.props]
        assert told["location"] == {
            "id": plan.room.kind.replace(" ", "-"),
            "description": ROOM_WORDS[plan.room.kind],
        }
        for one, prop in zip(told["props"], film.props, strict=True):
            frame = round(one["at_s"] * 24)
            assert prop.visible[frame] > 0.9
            assert np.allclose(one["box"], prop.box[frame], atol=0.06)
        texts = [one["description"] for one in (*told["characters"], *told["props"])] + [
            labels(plan)["caption"]
        ]
        for text in texts:
            assert "{" not in text and "  " not in text
            assert not re.search(r"\ba [aeio]|\ban [^aeio]", text), text
        assert all(
            one["description"].lower() in labels(plan)["caption"].lower() for one in told["characters"]
        )


def test_the_bytes_depend_on_neither_order_nor_process(plans: list[FilmPlan], tmp_path: Path) -> None:
    some, here, there = [short(plan) for plan in plans[:2]], tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    for plan in some:
        draw_film(plan, here)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        list(pool.map(draw_film, reversed(some), [there, there]))
    assert len(sha256s(here)) == 6
    assert sha256s(here) == sha256s(there)


def test_the_pixels_do_not_depend_on_opencvs_fast_paths(plans: list[FilmPlan]) -> None:
    plan = short(plans[0])
    fast = draw_frames(plan)[0]
    painted_room.cache_clear()
    cv2.setUseOptimized(False)
    try:
        slow = drawn_frame(
            plan.shots[0], empty_room(plan, plan.shots[0]), plan.room, plan.cast, plan.props, 0
        )
    finally:
        cv2.setUseOptimized(True)
    assert np.array_equal(fast, slow)


@pytest.mark.parametrize("trap", get_args(Trap))
def test_traps_can_be_drawn_and_are_not_in_the_demo(trap: Trap, plans: list[FilmPlan]) -> None:
    plan = trap_plan(trap)
    assert plan.name.startswith("trap-") and plan.name not in {film.name for film in plans}
    picture, empty = shown(plan, plan.frames // 2)
    assert np.abs(picture.astype(int) - empty).max() > 60
    assert elements(plan)["location"]["id"]


def test_traps_are_what_they_say() -> None:
    assert max(one.frames for one in trap_plan("short shots").shots) < SHORTEST
    assert truth(trap_plan("nobody")).characters == ()
    written = trap_plan("writing")
    clean = written.model_copy(update={"writing": ()})
    for one in written.shots:
        marks = np.abs(empty_room(written, one).astype(int) - empty_room(clean, one)).max(axis=-1) > 40
        assert 0.005 < marks.mean() < 0.2
    one, two = trap_plan("look-alikes").cast
    assert one.id != two.id and one.clothes.colour != two.clothes.colour
    assert one.face.model_copy(update={"eye_size": two.face.eye_size, "jaw": two.face.jaw}) == two.face


def test_a_folder_that_cannot_be_written_is_one_clear_error(plans: list[FilmPlan], tmp_path: Path) -> None:
    with pytest.raises(CurateError, match=r"film-0000\.mp4: cannot be written: No such file"):
        draw_film(short(plans[0]), tmp_path / "missing")


@pytest.mark.parametrize("wrong", [{"films": 0}, {"films": 9}, {"seed": -1}, {"clips": 3}])
def test_the_config_refuses_what_it_cannot_do(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        FilmsDemo.model_validate(wrong)
