"""torchvision beside a torch that cannot carry it, each case in a process of its own: what is loaded stays loaded."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUARD = "from curate.guard import guard_torchvision; guard_torchvision(); guard_torchvision()\n"
DECLARED = """
import torch, torchvision
print([hasattr(torch.ops.torchvision, name) for name in ("nms", "qnms")])
"""


def run(code: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (*folders, ROOT)))
    called = [sys.executable, "-W", "error::RuntimeWarning", "-c", code]
    return subprocess.run(
        called, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )


def package(folder: Path, library: Path | None) -> Path:
    """A torchvision that does nothing, with a compiled part that loads, or one that does not."""
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text("")
    if library:
        shutil.copy(library, folder / "torchvision" / "_C.so")
    else:
        (folder / "torchvision" / "_C.so").write_bytes(b"\x7fELF of another world")
    return folder


def test_a_library_that_loads_is_left_alone(tmp_path: Path) -> None:
    import _ctypes  # any compiled library will do

    done = run(GUARD + DECLARED, package(tmp_path, Path(_ctypes.__file__)))
    assert (done.stdout, done.stderr) == ("[False, False]\n", "")


def test_for_one_that_does_not_the_operators_are_declared_once(tmp_path: Path) -> None:
    again = DECLARED + "del sys.modules['torchvision']" + DECLARED
    done = run(GUARD + "import sys" + again, package(tmp_path, None))
    assert (done.stdout, done.stderr) == ("[True, True]\n" * 2, "")
    assert run(DECLARED, tmp_path).stdout == "[False, False]\n"


def test_to_look_for_it_loads_no_torch(tmp_path: Path) -> None:
    look = "import importlib.util, sys; print(bool(importlib.util.find_spec('torchvision')), 'torch' in sys.modules)"
    assert run(GUARD + look, package(tmp_path, None)).stdout == "True False\n"


def test_where_there_is_none_it_stays_unfound(tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.path[:] = []; import importlib.util; print(importlib.util.find_spec('torchvision'))"
    )
    assert run(GUARD + hidden).stdout == "None\n"


def test_what_imports_the_real_one_can_be_imported() -> None:
    pytest.importorskip("open_clip", exc_type=ImportError)
    code = """
import open_clip, torch, torchvision
from diffusers import LTX2Pipeline
from transformers import Gemma3ForConditionalGeneration
from PIL import Image
print(tuple(torchvision.transforms.ToTensor()(Image.new("RGB", (4, 3))).shape))
try:
    torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([1.0]), 0.5)
except RuntimeError as error:
    print(str(error)[:30])
else:
    print("its operators work")
"""
    done = run(GUARD + code)
    assert done.returncode == 0, done.stderr
    shape, operators = done.stdout.splitlines()
    bare = run("import torchvision")
    assert shape == "(3, 3, 4)"
    if bare.returncode == 0:  # a matching pair: nothing may have been changed
        assert operators == "its operators work"
    else:
        assert "operator torchvision::nms does not exist" in bare.stderr
        assert operators == "Couldn't load custom C++ ops. "
