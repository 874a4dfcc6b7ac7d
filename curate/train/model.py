"""The weights that training and sampling run on: the transformer, and captions after the connectors."""

from pathlib import Path
from typing import Any

import torch

from curate.encode import out_of_memory
from curate.encode.stack import PARTS, Stack, load
from curate.encode.text import connect, repad
from curate.errors import CurateError
from curate.train.config import TrainConfig
from curate.train.data import TrainingSet
from curate.train.flow import Text

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}
HELD_CAPTIONS = 64  # 12 MB each after the connectors; beyond that the connectors stay loaded


def stack_of(dataset: TrainingSet, model: str | None, cache_root: Path) -> Stack:
    """The model that encoded the set, or the folder or Hub id given for it.

    Raises CurateError where any part of it is not the one that the set's fingerprint names.
    """
    encoder = dataset.build.encoder or {}
    try:
        stack = load(model or encoder.get("model", "tiny"), cache_root, generating=True)
    except CurateError as error:
        hint = "" if model else "; say where it is with --set model=FOLDER"
        raise CurateError(f"{error}{hint}") from error
    for part in PARTS:
        if stack.fingerprint[part] != encoder.get(part):
            raise CurateError(
                f"{dataset.folder}: was encoded with another {part} than that of {stack.name} "
                f"({str(encoder.get(part))[:16]}…, found {stack.fingerprint[part][:16]}…); train with the model that encoded it"
            )
    return stack


def load_transformer(stack: Stack, config: TrainConfig) -> Any:
    """The frozen transformer in the precision of a run, in int8 if asked for.

    Raises CurateError where int8 is asked for without optimum-quanto.
    """
    precision = PRECISIONS[config.precision]
    if config.quantize is None:
        return stack.load_transformer().to(precision).requires_grad_(False)
    try:
        from optimum.quanto import freeze, qint8, quantize
    except ImportError as error:
        raise CurateError(
            "quantize int8 wants optimum-quanto: pip install 'ltx-curate[int8]', or --set quantize=null"
        ) from error
    transformer = stack.load_transformer(to_device=False).to(precision)
    for block in transformer.transformer_blocks:  # one by one: 38 GB of bfloat16 need not fit the device
        quantize(block.to(stack.device), weights=qint8, exclude="*norm*")
        freeze(block)
    return transformer.to(stack.device).requires_grad_(False)


class Captions:
    """Captions as the transformer takes them, each computed once while there are few."""

    def __init__(self, stack: Stack, dataset: TrainingSet) -> None:
        captions = dataset.captions()
        self._dataset, self._stack = dataset, stack
        self._connectors = stack.load_connectors()
        self._known = dict[str, Text]()
        if len(captions) <= HELD_CAPTIONS:
            self._known = {caption: self._connected(dataset.text(caption)) for caption in captions}
            self._connectors = None  # 4 GB of LTX-2.3 that nothing needs any more
            stack.forget()

    def __call__(self, caption: str) -> Text:
        """Of a caption of the set."""
        if caption not in self._known:
            return self._connected(self._dataset.text(caption))
        return self._known[caption]

    def _connected(self, features: dict[str, torch.Tensor]) -> Text:
        return connected(self._stack, self._connectors, features)


@torch.no_grad()
def connected(stack: Stack, connectors: Any, features: dict[str, torch.Tensor]) -> Text:
    """Stored features of one caption, padded again and through the connectors."""
    video, mask = repad(features["video_text"].to(stack.device, stack.dtype))
    audio, _ = repad(features["audio_text"].to(stack.device, stack.dtype))
    try:
        return Text(*connect(connectors, video[None], audio[None], mask[None]))
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        found = [list(part.shape) for part in features.values()]
        raise CurateError(f"text features of {found} do not fit the connectors of {stack.name}") from error
