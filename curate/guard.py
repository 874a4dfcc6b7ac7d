"""torchvision beside a torch that cannot carry it: made importable, without its compiled operators.

The package index has one torchvision for Linux, built for CUDA. Beside a torch for the CPU its library finds no
libtorch_cuda.so, and `import torchvision` raises `operator torchvision::nms does not exist`; with it fall transformers,
diffusers, peft and open_clip, which import it wherever it is installed. The schemas of two operators are all that its
Python misses at import. What needs the operators themselves (`torchvision.ops.nms`) still says that they are not there.

An import hook rather than a call before each import of those libraries: there are dozens, and one forgotten breaks only on
machines that nobody tests on. `import curate` pays for a class in a list; torch is imported when torchvision is.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

OPERATORS = ("nms", "qnms")  # that torchvision._meta_registrations and its like name at import
_kept: list[Any] = []  # torch forgets the schemas of a library object that is gone


def guard_torchvision() -> None:
    """From now on `import torchvision` works beside any torch. Called by `import curate`; again, it does nothing."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


class _Finder:
    """Finds torchvision as ever, and only torchvision; others find what is not an ordinary installation."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "torchvision":
            return None
        spec = PathFinder.find_spec(name, None, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Looking whether torchvision is there, as transformers does, costs nothing; running it does."""

    def exec_module(self, module: ModuleType) -> None:
        if not _kept and not _library_loads(Path(self.path).parent):
            _declare()
        super().exec_module(module)


def _library_loads(package: Path) -> bool:
    """Whether there is a compiled part, and it loads. Loading it again is free."""
    import torch

    operators: Any = torch.ops
    libraries = [path for path in package.glob("_C.*") if path.suffix in (".so", ".pyd")]
    try:
        for library in libraries:
            operators.load_library(str(library))
    except OSError:
        return False
    return bool(libraries)


def _declare() -> None:
    import torch

    make: Any = torch.library.Library
    library = make("torchvision", "FRAGMENT")
    for name in OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)
