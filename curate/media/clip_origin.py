"""Where a CLIP of open_clip is from: its name's spelling, its files, and why they may not be used."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from curate.errors import CurateError

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
UNTRAINED = "curate_untrained"  # a key of CONFIG: true in models whose weights were drawn, not learned
TOKENIZER = ("*.json", "*.txt", "*.model")
PREPARED = ("mean", "std", "interpolation", "resize_mode")  # how a tag's pictures were scaled and normalised


class Origin(NamedTuple):
    """A model before it is loaded: all that open_clip must be told, and what is reported of it."""

    name: str  # what is reported, never a path
    model: str  # as open_clip spells it
    config: dict[str, Any]
    weights: Path | None = None  # None: those of its folder, or random ones
    prepared: dict[str, Any] = {}  # noqa: RUF012  never changed
    untrained: str | None = None


def find(model: str, open_clip: Any) -> Origin:
    """Where `model` is from: spelled as `likeness.load_clip` says. A Hub repository's files are downloaded.

    Raises CurateError: no such name, tag, file or repository, no network, weights that are no safetensors.
    """
    kind, _, rest = model.partition(":")
    if kind == "local-dir":
        folder = Path(rest).expanduser()
        return _folder(folder, folder.resolve().name, model)
    if kind == "hf-hub":
        return _folder(_downloaded(rest, model, [CONFIG, WEIGHTS, *TOKENIZER]), rest, model)
    stem, of_file, file = model.partition(":")
    name, of_tag, tag = stem.partition("/")
    config = open_clip.get_model_config(name)
    if config is None:
        raise CurateError(
            f"clip {model}: open_clip has no model {name!r}{_hint(name, open_clip.list_models())}"
        )
    if of_tag:
        return _tagged(model, name, tag, config, open_clip)
    if of_file:
        return _file(model, name, Path(file).expanduser(), config, open_clip)
    return Origin(name, name, config, untrained=f"{name} alone has random weights, wanted {name}/TAG")


def _folder(folder: Path, name: str, model: str) -> Origin:
    """A model in open_clip's own layout. Of several files of weights open_clip prefers WEIGHTS."""
    if gone := [file for file in (CONFIG, WEIGHTS) if not (folder / file).is_file()]:
        raise CurateError(f"clip {model}: no {gone[0]} there, wanted {CONFIG} and {WEIGHTS}")
    try:
        told = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        config, untrained = dict(told["model_cfg"]), told.get(UNTRAINED)
        int(config["embed_dim"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CurateError(f"clip {model}: {CONFIG} is not open_clip's: {line(error)}") from error
    why = f"its {CONFIG} says that its weights were drawn" if untrained else None
    return Origin(name, f"local-dir:{folder}", config, untrained=why)


def _file(model: str, name: str, path: Path, config: dict[str, Any], open_clip: Any) -> Origin:
    if path.suffix != ".safetensors":
        raise CurateError(f"clip {model}: wanted a .safetensors; other checkpoints are pickles, never loaded")
    if not path.is_file():
        raise CurateError(f"clip {model}: no such file")
    # a checkpoint does not say how its pictures were prepared; the known weights of an architecture agree, mostly
    tags = open_clip.list_pretrained_tags_by_model(name)
    alike = open_clip.get_pretrained_cfg(name, tags[0]) if tags else {}
    return Origin(f"{name}:{path.name}", name, config, path, _prepared(alike))


def _tagged(model: str, name: str, tag: str, config: dict[str, Any], open_clip: Any) -> Origin:
    told = open_clip.get_pretrained_cfg(name, tag)
    if not told:
        known = open_clip.list_pretrained_tags_by_model(name)
        raise CurateError(f"clip {model}: {name} has no weights {tag!r}{_hint(tag, known)}")
    if told.get("quick_gelu") and not config.get("quick_gelu"):  # open_clip would warn, and read worse
        raise CurateError(f"clip {model}: trained with quick GELU, wanted {name}-quickgelu/{tag}")
    repository, _, file = str(told["hf_hub"]).rpartition("/")
    if file:
        raise CurateError(
            f"clip {model}: its weights are {file}, wanted safetensors; pickles are never loaded"
        )
    return Origin(model, name, config, _downloaded(repository, model, [WEIGHTS]) / WEIGHTS, _prepared(told))


def _prepared(told: dict[str, Any]) -> dict[str, Any]:
    """As `create_model_and_transforms` names them."""
    return {f"image_{key}": told[key] for key in PREPARED if key in told}


def _hint(wanted: str, among: Sequence[str]) -> str:
    if close := difflib.get_close_matches(wanted, among, n=1):
        return f"; did you mean {close[0]!r}?"
    return f"; it has {', '.join(among[:5]) or 'none'}{', …' if len(among) > 5 else ''}"


def _downloaded(repository: str, model: str, files: list[str]) -> Path:
    """The folder of a repository's `files`. Raises CurateError when it cannot be had, or has no WEIGHTS."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        folder = Path(snapshot_download(repository, allow_patterns=files))
    except GatedRepoError as error:
        raise CurateError(
            f"clip {model}: gated; accept its terms on the Hub, then `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise CurateError(f"clip {model}: no repository {repository!r} on the Hub") from error
    except (OSError, HFValidationError) as error:
        raise CurateError(
            f"clip {model}: not downloaded, and the Hub gave nothing: {line(error)}; wanted a connection, or "
            "local-dir:FOLDER"
        ) from error
    if not (folder / WEIGHTS).is_file():
        raise CurateError(
            f"clip {model}: {repository} has no {WEIGHTS}; other forms are pickles, never loaded"
        )
    return folder


def line(error: Exception) -> str:
    """A library's message on one line, shortened."""
    return " ".join(str(error).split())[:160] or type(error).__name__
