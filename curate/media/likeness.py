"""How pictures read to a CLIP: which of several words each is most like, how unlike one another they are.

Any model of open_clip, on the CPU, in float32. A number from weights that learned nothing says nothing, so there is none:
a model proves first, on sixteen pictures drawn here, that it knows which caption belongs to which.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError
from curate.media.clip_origin import Origin, find, line
from curate.media.video import Image
from curate.records import canonical

LIBRARIES = ("open_clip_torch", "pillow", "torch", "torchvision")
# Averaged, as in section 3.1.4 of Radford et al. 2021, over the kinds of picture that such sets are made of.
PROMPTS = (
    "a photo of {}", "a picture of {}", "a drawing of {}", "an illustration of {}", "a 3D render of {}",
    "a portrait of {}",
)  # fmt: skip

SIDE_PX = 224
COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 70, 220), "yellow": (250, 220, 40)}
FORMS = ("circle", "square", "triangle", "stripes")
LEAST_RIGHT = 8  # of 16. Captions dealt at random get as many right less than once in 8! times

Embeddings = NDArray[np.float32]


class Spread(NamedTuple):
    """How each of several pictures stands to the others."""

    nearest: list[float]  # cosine similarity to the most similar other one, -1 to 1
    distance: list[float]  # mean cosine distance to the others, 0 to 2


def shown_name(model: str) -> str:
    """A model's name without the folder that it lies in."""
    kind, colon, place = model.partition(":")
    return model if kind == "hf-hub" or not colon else f"{kind}:{Path(place).name}"


def load_clip(model: str) -> "Clip":
    """The model called `model`, in memory.

    NAME (of open_clip, with random weights), NAME/TAG (weights that open_clip knows), NAME:FILE.safetensors,
    local-dir:FOLDER or hf-hub:OWNER/NAME (open_clip_config.json and open_clip_model.safetensors). Only safetensors are
    read, never a pickle. Raises CurateError: open_clip is not installed, no such name, tag, file or repository, no
    network, damaged files. A model stays in memory until another is asked for, or its files change.
    """
    return _loaded(model, _files(model))


@lru_cache(maxsize=1)
def _loaded(model: str, files: tuple[tuple[str, int, int], ...]) -> "Clip":
    try:
        import open_clip
    except ImportError as error:
        raise CurateError(
            f"clip {model}: open_clip cannot be imported ({line(error)}): pip install 'ltx-curate[clip]'"
        ) from error
    origin = find(model, open_clip)
    try:
        with _quiet():
            return Clip(origin, *_created(origin, open_clip))
    except Exception as error:  # a configuration is a program to open_clip, and raises anything
        raise CurateError(f"clip {model}: cannot be loaded: {line(error)}") from error


def _files(model: str) -> tuple[tuple[str, int, int], ...]:
    """Name, bytes and time of the files that a model lies in on this machine."""
    place = Path(model.partition(":")[2] or "/").expanduser()
    found = sorted(place.iterdir()) if model.startswith("local-dir:") and place.is_dir() else [place]
    told = [(path.name, path.stat()) for path in found if path.is_file()]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in told)


class Clip:
    """One model, ready to embed. Make it with `load_clip`."""

    def __init__(
        self, origin: Origin, model: Any, prepare: Callable[[Any], Any], tokenize: Callable[..., Any]
    ) -> None:
        self.name = origin.name
        self._origin, self._model, self._prepare, self._tokenize = origin, model, prepare, tokenize

    @cached_property
    def untrained(self) -> str | None:
        """Why this model's numbers would mean nothing; None for one that knows the drawn pictures by their captions.

        Sixteen pictures are embedded at the first question. To know them is necessary, not sufficient.
        """
        if self._origin.untrained:
            return self._origin.untrained
        if (right := control_right(self)) >= LEAST_RIGHT:
            return None
        return f"it tells {right} of 16 drawn pictures by their captions, wanted at least {LEAST_RIGHT}"

    @property
    def trained(self) -> bool:
        """Whether its numbers may be shown."""
        return self.untrained is None

    @cached_property
    def fingerprint(self) -> str:
        """Hex sha256 of all that shapes the numbers: weights, configuration, preparation, tokens, library versions."""
        from open_clip import get_model_preprocess_cfg

        told = {
            "config": self._origin.config,
            "prepared": get_model_preprocess_cfg(self._model),
            "tokens": [self._tokenize([text])[0].tolist() for text in drawings()],
            **{library: version(library) for library in LIBRARIES},
        }
        digest = hashlib.sha256(canonical(told))
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
            digest.update(tensor.contiguous().reshape(-1).numpy().data)
        return digest.hexdigest()

    @property
    def scale(self) -> float:
        """What the model itself multiplies cosines by before the softmax."""
        return float(self._model.logit_scale.detach().exp())

    def embed_pictures(self, pictures: Sequence[Image]) -> Embeddings:
        """(H, W, 3) uint8 RGB of any sizes to rows of unit length.  # (N, D)

        The model scales and crops as it was trained to, mostly to the central square.
        """
        from PIL import Image as Pillow

        return self._embed(
            self._model.encode_image, (self._prepare(Pillow.fromarray(each)) for each in pictures)
        )

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Texts to rows of unit length; what is beyond the model's context (77 tokens, mostly) is cut off.  # (N, D)"""
        return self._embed(self._model.encode_text, (self._tokenize([text])[0] for text in texts))

    def embed_word(self, word: str) -> Embeddings:
        """The mean of a word's prompts, of unit length.  # (D,)"""
        mean = self.embed_texts([prompt.format(_with_article(word)) for prompt in PROMPTS]).mean(axis=0)
        unit: Embeddings = mean / np.linalg.norm(mean)
        return unit

    def _embed(self, encode: Callable[..., Any], inputs: Iterable[Any]) -> Embeddings:
        # One at a time: in a batch the last bits of a picture depend on how many others there are (2e-7), and with them
        # the same set's bytes; on one core a batch of 16 takes three quarters of the time.
        with _steady():
            rows = [encode(each[None], normalize=True)[0].numpy() for each in inputs]
        return np.array(rows, np.float32).reshape(len(rows), int(self._origin.config["embed_dim"]))


def reading(
    pictures: Embeddings, clip: Clip, word: str, opposites: Sequence[str]
) -> tuple[float, ...] | None:
    """How strongly each picture reads as `word` rather than as one of `opposites`, 0 to 1; None from an untrained model.

    `pictures` are embeddings by `clip`.  # (N, D)

    The share of the word in the softmax of scale * cosine(picture, word's prompts) over the word and its opposites:
    zero-shot classification (Radford et al. 2021, section 3.1). Raises CurateError for a word without opposites, or
    among them.
    """
    folded = [each.strip().casefold() for each in (word, *opposites)]
    if len(folded) < 2 or len(set(folded)) < len(folded) or not all(folded):
        raise CurateError(
            f"a reading of {word!r} against {', '.join(opposites) or 'nothing'}: wanted other words, each once"
        )
    if clip.untrained:
        return None
    words = np.stack([clip.embed_word(each) for each in (word, *opposites)])  # (1 + K, D)
    logits = clip.scale * (pictures.astype(np.float64) @ words.T.astype(np.float64))  # (N, 1 + K)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = weights[:, 0] / weights.sum(axis=1)
    return tuple(float(share) for share in shares)


def spread(pictures: NDArray[np.floating]) -> Spread:
    """How two or more pictures stand to each other, by their embeddings, rows of unit length.  # (N, D)"""
    wide = pictures.astype(np.float64)
    cosines = wide @ wide.T
    distance = 1 - (cosines.sum(axis=1) - np.diagonal(cosines)) / (len(wide) - 1)
    np.fill_diagonal(cosines, -1.0)
    return Spread([float(v) for v in cosines.max(axis=1)], [float(v) for v in distance])


def control_right(clip: Clip) -> int:
    """Of how many of the 16 drawn pictures the model says the caption, among all 16."""
    drawn = drawings()
    cosines = clip.embed_pictures(list(drawn.values())) @ clip.embed_texts(list(drawn)).T  # (16, 16)
    return int((cosines.argmax(axis=1) == np.arange(len(drawn))).sum())


def drawings() -> dict[str, Image]:
    """Captions and what they say: a circle, a square, a triangle and stripes in four colours on white."""
    drawn = {}
    for (colour, rgb), form in product(COLOURS.items(), FORMS):
        article = "" if form == "stripes" else "a "
        drawn[f"{article}{colour} {form} on a white background"] = _drawing(rgb, form)
    return drawn


def _drawing(rgb: tuple[int, int, int], form: str) -> Image:
    picture = np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)
    if form == "circle":
        cv2.circle(picture, (112, 112), 70, rgb, -1, cv2.LINE_AA)
    elif form == "square":
        picture[48:176, 48:176] = rgb
    elif form == "triangle":
        cv2.fillPoly(picture, [np.array([[112, 40], [190, 175], [34, 175]], np.int32)], rgb, cv2.LINE_AA)
    else:
        for top in range(0, SIDE_PX, 56):
            picture[top : top + 28] = rgb
    return picture


def _with_article(word: str) -> str:
    """ "a human", "an alien"; several words stay as they are."""
    word = word.strip()
    if not word.isascii() or not word.isalpha():
        return word
    return f"{'an' if word[0] in 'aeiouAEIOU' else 'a'} {word}"


def _created(origin: Origin, open_clip: Any) -> tuple[Any, Callable[[Any], Any], Callable[..., Any]]:
    """The model, what prepares a picture for it, and what prepares a text."""
    import torch

    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they were
        torch.manual_seed(0)
        model, _, prepare = open_clip.create_model_and_transforms(
            origin.model,
            pretrained=str(origin.weights) if origin.weights else None,
            pretrained_text=False,
            **origin.prepared,
        )
    return model.eval(), prepare, open_clip.get_tokenizer(origin.model)


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip warns on the root logger, which would configure logging for the whole process."""
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(silent)


@contextmanager
def _steady() -> Iterator[None]:
    """Within it the same input gives the same bits on one platform: sums split over threads may round differently."""
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
