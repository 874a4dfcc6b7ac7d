"""A prop without a box is looked for by its description, and then for what it looks like."""

import json
from pathlib import Path

import numpy as np
import pytest

from curate.media.subject import Box
from curate.media.video import write_video
from curate.records import Clip
from curate.sheets.known import look_at
from curate.sources.folder import list_folder
from tests.media.test_things import drawn, overlap, with_clip

pytest.importorskip("dlib")
PROPS = [
    {"id": "ball", "description": "a red circle"},
    {"id": "box", "description": "a green square"},
]


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """A second: a blue square at the right, and from half of it on a red circle at the left."""
    square = ("blue", "square", 230, 100, 56)
    one, other = drawn(square), drawn(("red", "circle", 40, 40, 56), square)
    write_video(tmp_path / "a.mp4", np.stack([one] * 12 + [other] * 12), 24)
    (tmp_path / "a.elements.json").write_text(json.dumps({"props": PROPS}))
    ((found,), _) = list_folder(tmp_path, tmp_path / "cache", reads="films")
    return found


@with_clip
def test_props_are_found_by_words_where_and_when_they_are(clip: Clip, trained_clip: str) -> None:
    (seen,) = look_at(clip, trained_clip).things
    assert seen.thing == "ball" and seen.at_s > 0.5 and overlap(seen.box, Box(40, 40, 96, 96)) > 0.15


def test_without_a_model_nothing_is_looked_for_by_words(clip: Clip) -> None:
    assert look_at(clip, None).things == []
