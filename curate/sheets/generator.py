"""A user's own image model, for views that a film does not show: `--set generator=module:function`.

    def draw(element: str, description: str, turn: str, panels: list[np.ndarray]) -> np.ndarray | None

`turn` is front, left, right or back; `panels` are the element's others, (H, W, 3) uint8 on black, and so is what it gives;
None where it cannot. The same arguments must give the same picture: its file is part of the key under which sheets are kept.
"""

import hashlib
import importlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError, Rejected

Picture = NDArray[np.uint8]
Generator = Callable[[str, str, str, list[Picture]], Picture | None]


def load_generator(reference: str) -> Generator:
    """The function that `module:function` names. Raises CurateError where there is none."""
    module, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # a user's module may raise anything
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise CurateError(f"generator {reference}: cannot be imported: {first}") from error
    if not callable(found):
        raise CurateError(f"generator {reference}: found {type(found).__name__}, wanted a function")
    return found  # type: ignore[no-any-return]


def fingerprint(reference: str) -> str:
    """Of the file that the function is in. Raises CurateError as `load_generator`."""
    file = inspect.getsourcefile(load_generator(reference))
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16] if file else reference


def generated(
    generator: Generator, element: str, description: str, turn: str, panels: Sequence[Picture]
) -> Picture:
    """A view that no film shows. Raises Rejected: not_generated."""
    try:
        made = generator(element, description, turn, [panel.copy() for panel in panels])
    except Exception as error:  # as above
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Rejected("not_generated", f"{element} {turn}: {type(error).__name__}: {first}") from error
    if made is None:
        raise Rejected("not_generated", f"{element} {turn}: the generator gave nothing")
    if (
        not isinstance(made, np.ndarray)
        or made.dtype != np.uint8
        or made.ndim != 3
        or made.shape[2] != 3
        or not made.size
    ):
        told = f"{made.dtype} {made.shape}" if isinstance(made, np.ndarray) else type(made).__name__
        raise Rejected("not_generated", f"{element} {turn}: {told}, wanted uint8 (H, W, 3)")
    return made
