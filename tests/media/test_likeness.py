"""What a CLIP says of pictures, and that one which learned nothing says nothing.

The models are open_clip's own classes in miniature. No weights of a full-sized model were at hand: that they pass the
control is not shown here, only that nothing untrained does and that a model which knows the words passes.
"""

import json
import logging
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from curate.errors import CurateError
from curate.media.clip_origin import CONFIG, WEIGHTS, Origin
from curate.media.likeness import LEAST_RIGHT, Clip, control_right, load_clip, reading, spread
from tests.media import clip_models
from tests.media.clip_models import INKS, SHAPES, pixels

pytestmark = pytest.mark.skipif(not find_spec("open_clip"), reason="open_clip is not installed")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def drawn(models: Path) -> Clip:
    """Weights as they were drawn."""
    return load_clip(clip_models.untrained(models / "drawn"))


@pytest.fixture(scope="module")
def learned(trained_clip: str) -> Clip:
    """A model that knows colours and shapes."""
    return load_clip(trained_clip)


@pytest.fixture
def folder(drawn: Clip, models: Path, tmp_path: Path) -> Path:
    """A copy of the drawn model that a test may spoil."""
    return Path(shutil.copytree(models / "drawn", tmp_path / "copy"))


def pictures(seed: int = 1000) -> list[NDArray[np.uint8]]:
    """One of each colour and shape, none of which was trained on."""
    return [pixels(seed + number, *case) for number, case in enumerate(product(INKS, SHAPES))]


def folder_of(model: str) -> Path:
    return Path(model.removeprefix("local-dir:"))


def error_of(model: str) -> str:
    with pytest.raises(CurateError) as caught:
        load_clip(model)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(f"clip {model}: ")
    return str(caught.value).removeprefix(f"clip {model}: ")


def test_embeddings_are_rows_of_unit_length(drawn: Clip) -> None:
    for rows in (
        drawn.embed_pictures(pictures()),
        drawn.embed_texts([*INKS, *SHAPES, "a", "b c", "", "字" * 200]),
    ):
        assert rows.dtype == np.float32 and rows.shape[1] == 64
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert drawn.embed_pictures([]).shape == drawn.embed_texts([]).shape == (0, 64)


def test_a_picture_has_the_same_bits_in_any_company(drawn: Clip) -> None:
    import torch

    shown = [*pictures(), pictures()[0][:50], pictures()[0][:, 30:]]
    together = drawn.embed_pictures(shown)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        apart = np.concatenate([drawn.embed_pictures([each]) for each in reversed(shown)])[::-1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(together, apart)
    assert not np.array_equal(together[0], together[1])


def test_loading_leaves_the_process_as_it_was(
    models: Path, drawn: Clip, capfd: pytest.CaptureFixture[str]
) -> None:
    import torch

    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    handlers = list(logging.getLogger().handlers)
    load_clip(f"local-dir:{models / 'drawn'}")
    assert torch.equal(torch.rand(3), wanted) and logging.getLogger().handlers == handlers
    assert not torch.are_deterministic_algorithms_enabled() and torch.is_grad_enabled()
    assert capfd.readouterr() == ("", "")


def test_weights_that_were_drawn_say_nothing(drawn: Clip) -> None:
    told = reading(drawn.embed_pictures(pictures()), drawn, "human", ["robot", "android"])
    assert told is None and drawn.untrained == f"its {CONFIG} says that its weights were drawn"
    assert not drawn.trained


def test_no_drawn_weights_pass_the_control() -> None:
    """Twenty seeds. Measured: of 200 such models none said more than 2 captions, of 20 ViT-B-32 2, of 20 RN50 1."""
    origin = Origin("small", "small", clip_models.MODEL)
    right = [control_right(Clip(origin, *clip_models.drawn(seed))) for seed in range(20)]
    assert max(right) <= LEAST_RIGHT // 2


def test_without_the_key_the_control_finds_them_out(tmp_path: Path) -> None:
    clip = load_clip(clip_models.untrained(tmp_path / "plain", marked=False))
    told = reading(clip.embed_pictures(pictures()), clip, "human", ["robot"])
    assert told is None and clip.untrained is not None
    assert clip.untrained.endswith(" of 16 drawn pictures by their captions, wanted at least 8")


def test_to_know_nothing_but_colours_is_not_enough(learned: Clip) -> None:
    def colours_only(texts: list[str]) -> Any:
        return learned._tokenize([next(ink for ink in INKS if ink in text) for text in texts])

    clip = Clip(learned._origin, learned._model, learned._prepare, colours_only)
    assert control_right(clip) == 4 and not clip.trained


def test_a_model_that_learned_says_what_pictures_show(learned: Clip) -> None:
    assert learned.trained and control_right(learned) >= LEAST_RIGHT
    embedded = learned.embed_pictures(pictures())
    for place, ink in enumerate(INKS):
        told = reading(embedded, learned, ink, [other for other in INKS if other != ink])
        shares = np.array(told).reshape(4, 4)  # (colours, shapes)
        assert shares[place].mean() > 0.8 and np.delete(shares, place, axis=0).mean() < 0.1


def test_shares_of_a_word_and_its_opposites_sum_to_one(learned: Clip) -> None:
    embedded = learned.embed_pictures(pictures()[:5])
    told = [reading(embedded, learned, word, [w for w in INKS if w != word]) for word in INKS]
    assert np.allclose(np.sum(np.array(told, float), axis=0), 1)


def test_the_softmax_is_at_the_models_own_scale(learned: Clip) -> None:
    embedded = learned.embed_pictures(pictures()[:3])
    told = reading(embedded, learned, "red", ["blue"])
    gap = embedded @ (
        learned.embed_word("red") - learned.embed_word("blue")
    )  # two words: a logistic function
    assert told == pytest.approx(1 / (1 + np.exp(-learned.scale * gap)), abs=1e-5)
    assert 5 < learned.scale < 100


def test_how_pictures_stand_to_each_other(learned: Clip) -> None:
    embedded = learned.embed_pictures(pictures())
    near, far = spread(np.concatenate([embedded[:1], embedded[:1], embedded[5:6]]))
    assert near[:2] == pytest.approx([1, 1]) and near[2] == pytest.approx(
        float(embedded[0] @ embedded[5]), abs=1e-6
    )
    assert far[2] == pytest.approx(1 - near[2]) and far[0] == pytest.approx(far[2] / 2)
    assert np.mean(spread(embedded).distance) > 0.5


def test_no_pictures_have_no_readings(learned: Clip) -> None:
    assert reading(learned.embed_pictures([]), learned, "red", ["blue"]) == ()


@pytest.mark.parametrize("opposites", [[], ["Human "], ["robot", "robot"], [""]])
def test_a_word_wants_other_words_as_its_opposites(drawn: Clip, opposites: list[str]) -> None:
    with pytest.raises(CurateError, match="wanted other words, each once"):
        reading(drawn.embed_pictures([]), drawn, "human", opposites)


def test_the_fingerprint_names_the_weights_and_what_prepares_pictures(drawn: Clip, folder: Path) -> None:
    def now() -> str:
        clip = load_clip(f"local-dir:{folder}")
        assert clip.name == "copy"
        return clip.fingerprint

    assert now() == drawn.fingerprint and len(drawn.fingerprint) == 64  # wherever it lies
    told = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(
        json.dumps({**told, "preprocess_cfg": {"mean": [0.4] * 3, "std": [0.5] * 3}})
    )
    assert now() != drawn.fingerprint
    (folder / CONFIG).write_text(json.dumps(told))
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[-3] ^= 1
    (folder / WEIGHTS).write_bytes(weights)
    assert now() != drawn.fingerprint


def test_a_name_with_a_file_is_that_files_weights(trained_clip: str, tmp_path: Path, learned: Clip) -> None:
    import open_clip

    (tmp_path / "curate-small.json").write_text(json.dumps(clip_models.MODEL))
    open_clip.add_model_config(tmp_path / "curate-small.json")
    alone, loaded = load_clip("curate-small"), load_clip(f"curate-small:{folder_of(trained_clip) / WEIGHTS}")
    assert alone.untrained == "curate-small alone has random weights, wanted curate-small/TAG"
    assert alone.fingerprint == load_clip("curate-small").fingerprint != loaded.fingerprint
    assert loaded.trained and loaded.name == f"curate-small:{WEIGHTS}"
    texts = ["a red circle", "blue stripes"]
    assert np.array_equal(loaded.embed_texts(texts), learned.embed_texts(texts))


def kept(cache: Path, repository: str, folder: Path) -> None:
    """A repository of the Hub as its client keeps it once it was downloaded."""
    home, commit = cache / f"models--{repository.replace('/', '--')}", "0" * 40
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(commit)
    shutil.copytree(folder, home / "snapshots" / commit)


def test_repositories_and_tags_that_were_downloaded(
    trained_clip: str, learned: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants
    import open_clip

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    kept(tmp_path, "owner/name", folder_of(trained_clip))
    clip = load_clip("hf-hub:owner/name")
    assert (clip.name, clip.trained, clip.fingerprint) == ("owner/name", True, learned.fingerprint)

    (tmp_path / "curate-tagged.json").write_text(json.dumps(clip_models.MODEL))
    open_clip.add_model_config(tmp_path / "curate-tagged.json")
    tags = {"here": {"hf_hub": "owner/name/", **clip_models.PREPARED}}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "curate-tagged", tags)
    tagged = load_clip("curate-tagged/here")
    shown = pictures()[:4]
    assert (tagged.name, tagged.trained) == ("curate-tagged/here", True)
    assert np.array_equal(
        tagged.embed_pictures(shown), learned.embed_pictures(shown)
    )  # its own preparation too

    (tmp_path / "models--owner--name" / "snapshots" / ("0" * 40) / WEIGHTS).unlink()
    assert (
        error_of("hf-hub:owner/name") == f"owner/name has no {WEIGHTS}; other forms are pickles, never loaded"
    )


def test_names_that_open_clip_has_not() -> None:
    assert error_of("ViT-B-23") == "open_clip has no model 'ViT-B-23'; did you mean 'ViT-B-32'?"
    assert "; did you mean 'laion2b_s34b_b79k'?" in error_of("ViT-B-32/laion2b_s34b")
    assert error_of("ViT-B-32/openai") == "trained with quick GELU, wanted ViT-B-32-quickgelu/openai"
    assert "pickles are never loaded" in error_of("ViTamin-S/datacomp1b")
    assert "ViT-B-32 has no weights ''; it has openai, laion400m_e31" in error_of("ViT-B-32/")


def test_files_that_cannot_be_used(folder: Path) -> None:
    assert error_of("ViT-B-32:nowhere.safetensors") == "no such file"
    for odd in ("ViT-B-32:model.pt", "ViT-B-32:"):
        assert "pickles, never loaded" in error_of(odd)
    assert error_of(f"local-dir:{folder}/gone").startswith(f"no {CONFIG} there, wanted")
    assert "cannot be loaded: " in error_of(f"ViT-B-32:{folder / WEIGHTS}")


def damaged(folder: Path) -> Iterator[str]:
    """What is wrong with the folder at each step."""
    told = json.loads((folder / CONFIG).read_text())
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])
    yield "cannot be loaded: "
    (folder / CONFIG).write_text(
        json.dumps({**told, "model_cfg": {**told["model_cfg"], "text_cfg": {"odd": 1}}})
    )
    yield "cannot be loaded: "
    (folder / CONFIG).write_text(json.dumps({"model": 1}))
    yield f"{CONFIG} is not open_clip's: "
    (folder / CONFIG).write_text("{")
    yield f"{CONFIG} is not open_clip's: "
    (folder / WEIGHTS).rename(folder / "open_clip_pytorch_model.bin")
    yield f"no {WEIGHTS} there, wanted {CONFIG} and {WEIGHTS}"


def test_damaged_folders_are_one_line(folder: Path) -> None:
    for wanted in damaged(folder):
        assert error_of(f"local-dir:{folder}").startswith(wanted)


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    for model in ("hf-hub:owner/name", "ViT-B-32/laion2b_s34b_b79k", "hf-hub:not a name"):
        assert "wanted a connection, or local-dir:FOLDER" in error_of(model)
