"""Small CLIPs in open_clip's own layout: with weights as drawn, and one that learned to name what is drawn here."""

import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

MODEL: dict[str, Any] = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1},
}
PREPARED = {"mean": [0.5] * 3, "std": [0.5] * 3}
INKS = {"red": (200, 20, 40), "green": (20, 140, 40), "blue": (20, 50, 240), "yellow": (240, 230, 10)}
SHAPES = ("circle", "square", "triangle", "stripes")
STEPS, LEARNING_RATE = 200, 2e-3
SENTENCES = ("{}", "a {}", "a photo of a {}", "a drawing of a {}", "a {} on a white background")


def untrained(folder: Path, marked: bool = True) -> str:
    """A model with weights as open_clip draws them, under the key that says so; its name."""
    _write(folder, drawn(0), {"curate_untrained": True} if marked else {})
    return f"local-dir:{folder}"


def trained(folder: Path) -> str:
    """A model that learned, in a few seconds, to name coloured shapes of all sizes at all places; its name."""
    import torch
    from torch.nn.functional import cross_entropy

    model, prepare, tokenize = drawn(0)
    model.token_embedding.requires_grad_(False)  # nine tenths of the weights; the rest learns enough
    learning = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(learning, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, STEPS, pct_start=0.15)
    random, cases, right = np.random.default_rng(0), list(product(INKS, SHAPES)), torch.arange(16)
    for _ in range(STEPS):
        texts, pictures = zip(*(picture(random, *case) for case in cases), strict=True)
        seen, said, scale = model(torch.stack([prepare(each) for each in pictures]), tokenize(texts))[:3]
        logits = scale * seen @ said.T  # (16, 16)
        optimizer.zero_grad()
        (cross_entropy(logits, right) + cross_entropy(logits.T, right)).backward()
        optimizer.step()
        schedule.step()
    _write(folder, (model, prepare, tokenize), {})
    return f"local-dir:{folder}"


def picture(random: np.random.Generator, ink: str, shape: str) -> tuple[str, Image.Image]:
    """A caption and a picture of a shape somewhere, 96 pixels wide."""
    ground, side = tuple(int(v) for v in random.integers(215, 256, 3)), int(random.integers(36, 80))
    rgb = tuple(int(v) for v in np.clip(np.array(INKS[ink]) + random.integers(-25, 26, 3), 0, 255))
    canvas = Image.new("RGB", (96, 96), ground)
    pen, (left, top) = ImageDraw.Draw(canvas), (int(v) for v in random.integers(2, 94 - side, 2))
    right, bottom = left + side, top + side
    if shape == "circle":
        pen.ellipse((left, top, right, bottom), rgb)
    elif shape == "square":
        pen.rectangle((left, top, right, bottom), rgb)
    elif shape == "triangle":
        pen.polygon(((left + side // 2, top), (right, bottom), (left, bottom)), rgb)
    else:
        step = int(random.integers(14, 30))
        for line in range(-int(random.integers(step)), 96, step):
            pen.rectangle((0, line, 96, line + step // 2), rgb)
    sentence = SENTENCES[int(random.integers(len(SENTENCES)))]
    return sentence.format(f"{ink} {shape}"), canvas


def pixels(seed: int, ink: str, shape: str) -> NDArray[np.uint8]:
    """One such picture.  # (96, 96, 3)"""
    return np.asarray(picture(np.random.default_rng(seed), ink, shape)[1], np.uint8)


def drawn(seed: int) -> tuple[Any, Any, Any]:
    """A model, what prepares a picture for it, and what prepares a text."""
    import open_clip
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.CLIP(**MODEL)
    prepare = open_clip.image_transform(32, is_train=False, **PREPARED)
    return model, prepare, tokenizer()


@cache
def tokenizer() -> Any:
    import open_clip

    return open_clip.SimpleTokenizer(context_length=16)


def _write(folder: Path, made: tuple[Any, Any, Any], more: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    save_file(
        {name: each.contiguous() for name, each in made[0].state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPARED, **more}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
