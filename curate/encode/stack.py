"""The parts of an LTX-2 model that encoding and decoding need, from one place, each loaded when first used.

One code path for the built-in miniature, a folder and a Hub repository: all are diffusers layout, a folder per
part. What made a latent is in `Stack.fingerprint`; the caches and the shards carry its hash.
"""

import gc
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from curate.encode import quiet_libraries
from curate.encode.audio import MEL
from curate.encode.tiny import MARKER, tiny_folder
from curate.errors import CurateError
from curate.files import write_atomic
from curate.records import canonical, sha256_of

CODE_VERSION = "1"  # raise it when the same media would encode to other numbers
LIBRARIES = ("diffusers", "librosa", "torch", "transformers")
PARTS = {  # part: the file without which it cannot be loaded
    "vae": "config.json",
    "audio_vae": "config.json",
    "connectors": "config.json",
    "text_encoder": "config.json",
    "tokenizer": "tokenizer_config.json",
}
GENERATING = {
    "transformer": "config.json",
    "scheduler": "scheduler_config.json",
}  # training and sampling want these too
CLASSES = {
    "vae": "AutoencoderKLLTX2Video",
    "audio_vae": "AutoencoderKLLTX2Audio",
    "connectors": "LTX2TextConnectors",
}
VOCODERS = (
    "LTX2Vocoder",
    "LTX2VocoderWithBWE",
)  # of LTX-2.0 and of 2.3; decoding sound wants one, encoding none
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def load(model: str, cache_root: Path, *, generating: bool = False) -> "Stack":
    """The model called `model`: "tiny", a folder in diffusers layout, or a Hub id (OWNER/NAME).

    Nothing is read into memory yet, but the files are there: the miniature is built, a Hub repository's needed
    folders are downloaded, the transformer's only when it is `generating`. Raises CurateError when the model cannot
    be had or is no LTX-2 in diffusers layout.
    """
    quiet_libraries()
    parts = PARTS | (GENERATING if generating else {})
    if model == "tiny":
        return Stack(model, tiny_folder(cache_root), cache_root, parts)
    if model.endswith(".safetensors"):
        raise CurateError(
            f"model {model}: original single files are not supported yet, use diffusers layout "
            "(a folder or a Hub id such as diffusers/LTX-2.3-Diffusers)"
        )
    folder = Path(model).expanduser()
    if folder.is_dir():
        return Stack(folder.resolve().name, folder, cache_root, parts)
    if not HUB_ID.fullmatch(model):
        raise CurateError(
            f"model {model!r}: no such folder, wanted 'tiny', a folder or a Hub id (OWNER/NAME)"
        )
    return Stack(model, _download(model, parts), cache_root, parts)


class Stack:
    """One model, ready to encode. Make it with `load`.

    `name` is what the build reports (never a path); `trained` is False for the miniature, whatever path it was
    loaded by. On the CPU all is float32 (bfloat16 convolutions are 15 times slower there); on a CUDA device the
    video VAE and the text encoder are bfloat16. The audio VAE is always float32.
    """

    def __init__(
        self, name: str, folder: Path, cache_root: Path, parts: Mapping[str, str] = MappingProxyType(PARTS)
    ) -> None:
        self._index = _read_layout(name, folder, parts)
        self._cache_root = cache_root
        self.folder = folder
        self.trained = not (folder / MARKER).is_file()
        self.name = name if self.trained else "tiny"
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32

    @cached_property
    def vae(self) -> Any:
        """diffusers' AutoencoderKLLTX2Video."""
        from diffusers import AutoencoderKLLTX2Video

        return self._load(AutoencoderKLLTX2Video, "vae", torch_dtype=self.dtype)

    @cached_property
    def audio_vae(self) -> Any:
        """diffusers' AutoencoderKLLTX2Audio, float32."""
        from diffusers import AutoencoderKLLTX2Audio

        return self._load(AutoencoderKLLTX2Audio, "audio_vae", torch_dtype=torch.float32)

    @cached_property
    def vocoder(self) -> Any:
        """diffusers' vocoder of this model, float32; None where the folder has none. Nothing that is stored needs it."""
        from diffusers.pipelines import ltx2

        if not (self.folder / "vocoder" / "config.json").is_file():
            return None
        found = (self._index.get("vocoder") or [None, None])[-1]
        if found not in VOCODERS:
            raise CurateError(
                f"model {self.name} ({self.folder}): vocoder is a {found}, wanted {' or '.join(VOCODERS)}"
            )
        return self._load(getattr(ltx2, found), "vocoder", torch_dtype=torch.float32)

    @cached_property
    def text_encoder(self) -> Any:
        """The Gemma that model_index.json names."""
        import transformers

        return self._load(
            getattr(transformers, self._index["text_encoder"][1]), "text_encoder", dtype=self.dtype
        )

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of the text encoder."""
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(self.folder / "tokenizer")
        except (OSError, ValueError) as error:
            raise CurateError(f"{self.folder / 'tokenizer'}: cannot be loaded: {_line(error)}") from error

    @cached_property
    def text_projections(self) -> Any:
        """LTX2TextConnectors without its two transformers: the class's own arithmetic up to the projections.

        The transformers are most of it (2 billion weights in LTX-2.3) and run at training time, on padded text.
        """
        from diffusers.pipelines.ltx2 import LTX2TextConnectors

        connectors = self._load(LTX2TextConnectors, "connectors", torch_dtype=self.dtype, to_device=False)
        connectors.video_connector = connectors.audio_connector = _PassThrough()
        return connectors.to(self.device)

    def forget(self, *parts: str) -> None:
        """Give back the memory of parts that are not wanted for a while; they are loaded again when they are."""
        for part in parts:
            self.__dict__.pop(part, None)
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def load_connectors(self) -> Any:
        """The two transformers of LTX2TextConnectors, which training and sampling run on padded text (`text.connect`).

        Without its projections, a third of it: stored features have been through them.
        """
        from diffusers.pipelines.ltx2 import LTX2TextConnectors

        connectors = self._load(LTX2TextConnectors, "connectors", torch_dtype=self.dtype, to_device=False)
        for name in ("text_proj_in", "video_text_proj_in", "audio_text_proj_in"):
            if hasattr(connectors, name):
                setattr(connectors, name, None)
        return connectors.to(self.device)

    def load_transformer(self, *, to_device: bool = True) -> Any:
        """diffusers' LTX2VideoTransformer3DModel, made anew at each call: who trains it changes it."""
        from diffusers import LTX2VideoTransformer3DModel

        return self._load(
            LTX2VideoTransformer3DModel, "transformer", torch_dtype=self.dtype, to_device=to_device
        )

    def load_scheduler(self) -> Any:
        """diffusers' FlowMatchEulerDiscreteScheduler with the settings of this model."""
        from diffusers import FlowMatchEulerDiscreteScheduler

        return FlowMatchEulerDiscreteScheduler.from_pretrained(self.folder / "scheduler")

    @contextmanager
    def inference(self) -> Iterator[None]:
        """Within it nothing tracks gradients and the same input gives the same bits on one platform.

        On the CPU one thread and deterministic algorithms, because sums split over threads may round differently;
        on CUDA no autotuned convolutions and no TF32. The settings of the process come back afterwards.
        """
        threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        cudnn = torch.backends.cudnn.flags(
            enabled=torch.backends.cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False
        )
        with torch.no_grad(), cudnn:
            if self.device.type == "cpu":
                torch.set_num_threads(1)
                torch.use_deterministic_algorithms(True)
            try:
                yield
            finally:
                torch.set_num_threads(threads)
                torch.use_deterministic_algorithms(deterministic)

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """Everything that shapes the numbers: the sha256 of each part's files, library versions, precision, mel."""
        return {
            "model": self.name,
            **{part: self.part_sha(part) for part in PARTS},
            **{library: version(library) for library in LIBRARIES},
            "device": self.device.type,
            "dtype": str(self.dtype).removeprefix("torch."),
            "mel": canonical(MEL).decode(),
            "code": CODE_VERSION,
        }

    def part_sha(self, part: str) -> str:
        """Hex sha256 over the files of one part."""
        files = sorted(path for path in (self.folder / part).rglob("*") if path.is_file())
        shas = _file_shas(files, self._cache_root)
        return sha256_of({path.relative_to(self.folder / part).as_posix(): shas[path] for path in files})

    @cached_property
    def fingerprint_sha(self) -> str:
        """Hex sha256 of the canonical JSON of the fingerprint."""
        return sha256_of(self.fingerprint)

    def _load(self, model_class: Any, part: str, *, to_device: bool = True, **dtype: torch.dtype) -> Any:
        from safetensors import SafetensorError

        where = self.folder / part
        try:
            model, info = model_class.from_pretrained(where, output_loading_info=True, **dtype)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise CurateError(f"{where}: cannot be loaded: {_line(error)}") from error
        missing = sorted(info["missing_keys"])
        if missing:  # the libraries would go on with random weights
            raise CurateError(
                f"{where}: {len(missing)} weights are missing ({missing[0]}, ...), wanted all that config.json means"
            )
        return model.eval().to(self.device) if to_device else model.eval()


class _PassThrough(torch.nn.Module):
    """Stands where a connector's transformer was."""

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return hidden, mask


def _read_layout(name: str, folder: Path, parts: Mapping[str, str]) -> dict[str, Any]:
    """The content of model_index.json, once all parts are there and are LTX-2's."""
    where = f"model {name} ({folder})"
    wanted = ["model_index.json", *(f"{part}/{file}" for part, file in parts.items())]
    missing = [file for file in wanted if not (folder / file).is_file()]
    if missing:
        raise CurateError(f"{where}: no LTX-2 in diffusers layout, missing {', '.join(missing)}")
    try:
        index: dict[str, Any] = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        found = {part: index[part][1] for part in (*CLASSES, "text_encoder")}
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise CurateError(f"{where}: model_index.json cannot be read: {_line(error)}") from error
    for part, wanted_class in CLASSES.items():
        if found[part] != wanted_class:
            raise CurateError(f"{where}: {part} is a {found[part]}, wanted LTX-2's {wanted_class}")
    return index


def _download(hub_id: str, parts: Iterable[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    wanted = ["model_index.json", MARKER, *(f"{part}/*" for part in (*parts, "vocoder"))]
    try:
        return Path(snapshot_download(hub_id, allow_patterns=wanted))
    except GatedRepoError as error:
        raise CurateError(
            f"model {hub_id}: gated; accept its terms on the Hub, then `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise CurateError(
            f"model {hub_id}: no such folder here and no such repository on the Hub (a private one wants "
            "`hf auth login`); wanted LTX-2 in diffusers layout"
        ) from error
    except (OSError, HFValidationError) as error:
        raise CurateError(
            f"model {hub_id}: no such folder here, and the Hub gave nothing: {_line(error)}; wanted a connection, "
            "a folder in diffusers layout, or 'tiny'"
        ) from error


def _file_shas(paths: list[Path], cache_root: Path) -> dict[Path, str]:
    """Hex sha256 of each file, remembered by path, size and time of change: weights are gigabytes."""
    memory = cache_root / "model-file-shas.json"
    known: dict[str, str] = json.loads(memory.read_text(encoding="utf-8")) if memory.is_file() else {}
    keys = {path: _state(path) for path in paths}
    fresh = {key: _sha256(path) for path, key in keys.items() if key not in known}
    if fresh:
        write_atomic(memory, canonical(known | fresh))
    return {path: (known | fresh)[key] for path, key in keys.items()}


def _state(path: Path) -> str:
    state = path.stat()
    return f"{path.resolve()} {state.st_size} {state.st_mtime_ns}"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _line(error: Exception) -> str:
    """The first line of a library's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
