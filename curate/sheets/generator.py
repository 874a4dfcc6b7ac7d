"""A user's own image model, for views that a film does not show: `--set generator=module:function`, or `FILE.py:function`.

    def draw(element: str, description: str, turn: str, panels: list[np.ndarray]) -> np.ndarray | None

`turn` is front, left, right or back; `panels` are the element's others, (H, W, 3) uint8 on black, and so is what it gives;
None where it cannot. The same arguments must give the same picture: its file is part of the key under which sheets are kept.
"""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError, Rejected

Picture = NDArray[np.uint8]
Generator = Callable[[str, str, str, list[Picture]], Picture | None]


@lru_cache(maxsize=1)
def load_generator(reference: str) -> Generator:
    """The function that a reference names. Raises CurateError where there is none."""
    module, _, name = reference.rpartition(":")
    try:
        found = getattr(
            _from_file(module) if module.endswith(".py") else importlib.import_module(module), name
        )
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise CurateError(f"generator {reference}: cannot be imported: {first}") from error
    if not callable(found):
        raise CurateError(f"generator {reference}: found {type(found).__name__}, wanted a function")
    return found  # type: ignore[no-any-return]


def _from_file(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"curate_generator_{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # what it may look itself up in
    spec.loader.exec_module(module)
    return module


def fingerprint(reference: str) -> str:
    """Of the file that a reference names, and the function. Raises CurateError as `load_generator`."""
    load_generator(reference)
    module, _, name = reference.rpartition(":")
    file = module if module.endswith(".py") else getattr(sys.modules[module], "__file__", None)
    code = Path(file).read_bytes() if file else module.encode()
    return hashlib.sha256(name.encode() + b" " + code).hexdigest()[:16]


def generated(
    generator: Generator, element: str, description: str, turn: str, panels: Sequence[Picture]
) -> Picture:
    """A view that no film shows. Raises Rejected: not_generated."""
    try:
        made = generator(element, description, turn, [panel.copy() for panel in panels])
    except (Exception, SystemExit) as error:  # as above
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Rejected("not_generated", f"{element} {turn}: {type(error).__name__}: {first}") from error
    if made is None:
        raise Rejected("not_generated", f"{element} {turn}: the generator gave nothing")
    if not isinstance(made, np.ndarray) or made.dtype != np.uint8 or made.shape[2:] != (3,) or not made.size:
        told = f"{made.dtype} {made.shape}" if isinstance(made, np.ndarray) else type(made).__name__
        raise Rejected("not_generated", f"{element} {turn}: {told}, wanted uint8 (H, W, 3)")
    return made
