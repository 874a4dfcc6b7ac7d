"""torchvision beside a torch that cannot carry it, each case in a process of its own: what is loaded stays loaded."""

import importlib.util
import json
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
REAL = """
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
# Forks a process for each case from one that has imported torch, which alone takes three seconds each time.
FORKS = """
import json, os, sys, torch
for folder, case in json.loads(sys.argv[1]).items():
    if child := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        open(f"{folder}/code", "w").write(str(code))
        continue
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT), stream)
    sys.path.insert(0, folder)
    exec(case)
    break
"""


def run(code: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    return started([code], *folders)


def started(words: list[str], *folders: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (*folders, ROOT)))
    called = [sys.executable, "-W", "error::RuntimeWarning", "-c", *words]
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


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str, str]]:
    """Exit code, stdout and stderr of each case, which ran in a folder of its own with what that folder holds."""
    import _ctypes  # any compiled library will do

    whole, broken, bare, real = (
        tmp_path_factory.mktemp(name) for name in ("whole", "broken", "bare", "real")
    )
    unguarded = shutil.copytree(package(broken, None), tmp_path_factory.mktemp("unguarded") / "here")
    again = DECLARED + "del sys.modules['torchvision']" + DECLARED
    cases = {
        package(whole, Path(_ctypes.__file__)): GUARD + DECLARED,
        broken: GUARD + "import sys" + again,
        unguarded: DECLARED,
        bare: "import torchvision",
    }
    if importlib.util.find_spec("open_clip"):
        cases[real] = GUARD + REAL
    told = {str(folder): code for folder, code in cases.items()}
    assert started([FORKS, json.dumps(told)]).returncode == 0
    names = {whole: "whole", broken: "broken", unguarded: "unguarded", bare: "bare", real: "real"}
    return {
        names[folder]: tuple((folder / part).read_text() for part in ("code", "out", "err"))
        for folder in cases
    }


def test_a_library_that_loads_is_left_alone(done: dict[str, tuple[str, str, str]]) -> None:
    assert done["whole"] == ("0", "[False, False]\n", "")


def test_for_one_that_does_not_the_operators_are_declared_once(done: dict[str, tuple[str, str, str]]) -> None:
    assert done["broken"] == ("0", "[True, True]\n" * 2, "")
    assert done["unguarded"] == ("0", "[False, False]\n", "")


def test_to_look_for_it_loads_no_torch(tmp_path: Path) -> None:
    look = "import importlib.util, sys; print(bool(importlib.util.find_spec('torchvision')), 'torch' in sys.modules)"
    assert run(GUARD + look, package(tmp_path, None)).stdout == "True False\n"


def test_where_there_is_none_it_stays_unfound(tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.path[:] = []; import importlib.util; print(importlib.util.find_spec('torchvision'))"
    )
    assert run(GUARD + hidden).stdout == "None\n"


def test_what_imports_the_real_one_can_be_imported(done: dict[str, tuple[str, str, str]]) -> None:
    if "real" not in done:
        pytest.skip("open_clip is not installed")
    code, out, err = done["real"]
    assert code == "0", err
    shape, operators = out.splitlines()
    bare, _, why = done["bare"]
    assert shape == "(3, 3, 4)"
    if bare == "0":  # a matching pair: nothing may have been changed
        assert operators == "its operators work"
    else:
        assert "operator torchvision::nms does not exist" in why
        assert operators == "Couldn't load custom C++ ops. "
