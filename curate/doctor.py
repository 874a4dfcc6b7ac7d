"""`curate doctor`: what is missing or in the way on this machine, each with what to do about it."""

import importlib.util
import platform
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from curate.engine import usable_cores
from curate.errors import CurateError
from curate.files import remove, write_atomic
from curate.records import Record

LEAST_FREE_GB = 5.0
TESTED_TORCH = "2.13.0"


class Symptom(Record):
    """One thing looked at."""

    name: str
    verdict: Literal["good", "note", "bad"]
    found: str
    fix: str = ""


def examine(cache: Path) -> list[Symptom]:
    """All that matters for a build here. `bad` keeps builds from working, `note` is worth knowing."""
    return [
        *(_python(), _torch(), _torchaudio(), _packages(), _training(), _pictures(), _masks()),
        *(_rubberband(), _cache(cache), _disk(cache)),
    ]


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _python() -> Symptom:
    found = f"Python {platform.python_version()}, {usable_cores()} cores, {platform.system()} {platform.machine()}"
    return Symptom(name="python", verdict="good" if sys.version_info >= (3, 11) else "bad", found=found, fix="use Python 3.11 or newer" if sys.version_info < (3, 11) else "")  # fmt: skip


def _torch() -> Symptom:
    if importlib.util.find_spec("torch") is None:
        fix = f"pip install torch=={TESTED_TORCH}, or build with --no-encode"
        return Symptom(name="torch", verdict="bad", found="not installed", fix=fix)
    import torch

    gpu = (
        torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU, latents are made on the CPU"
    )
    tested = torch.__version__.split("+")[0] == TESTED_TORCH
    fix = "" if tested else f"tested with {TESTED_TORCH}: pip install torch=={TESTED_TORCH}"
    return Symptom(
        name="torch", verdict="good" if tested else "note", found=f"{torch.__version__}, {gpu}", fix=fix
    )


def _torchaudio() -> Symptom:
    found = _installed("torchaudio")
    if found is None:
        return Symptom(name="torchaudio", verdict="good", found="not installed, as it should be")
    fix = "pip uninstall torchaudio: curate never uses it, and one that does not fit torch breaks diffusers"
    return Symptom(name="torchaudio", verdict="note", found=found, fix=fix)


def _packages() -> Symptom:
    """Everything that pyproject.toml asks for, and opencv in a version that still has what later recipes use."""
    wanted = [need for need in requires("ltx-curate") or [] if "extra ==" not in need]
    names = [re.split(r"[ <>=!~;\[]", need, maxsplit=1)[0] for need in wanted]
    gone = [name for name in names if _installed(name) is None]
    if gone:
        fix = "pip install " + " ".join(gone)
        return Symptom(name="packages", verdict="bad", found=f"missing: {', '.join(gone)}", fix=fix)
    opencv = str(_installed("opencv-python-headless"))
    if int(opencv.split(".")[0]) >= 5:
        fix = "pip install 'opencv-python-headless<5'"
        return Symptom(name="packages", verdict="bad", found=f"opencv {opencv}", fix=fix)
    return Symptom(name="packages", verdict="good", found=f"all {len(names)} are installed")


def _training() -> Symptom:
    """The two extras that make a 22B model fit a smaller GPU."""
    return _extras("training", {"8bit": "bitsandbytes", "int8": "optimum-quanto"}, "to train in less memory")


def _pictures() -> Symptom:
    """The extras that see more in a picture."""
    wanted = {"clip": "open_clip_torch", "faces": "dlib-bin", "heic": "pillow-heif", "nudity": "nudenet"}
    return _extras(
        "pictures", wanted, "to read pictures by a model, for faces, for those of phones, or for nudity"
    )


def _masks() -> Symptom:
    """What people are cut out of films with."""
    if found := _installed("mediapipe"):
        return Symptom(name="masks", verdict="good", found=f"mediapipe {found}")
    fix = "for cleaner panels of people: pip install --no-deps mediapipe==0.10.21"
    return Symptom(name="masks", verdict="note", found="mediapipe is not installed", fix=fix)


def _extras(name: str, wanted: dict[str, str], what_for: str) -> Symptom:
    gone = [extra for extra, package in wanted.items() if _installed(package) is None]
    if not gone:
        return Symptom(name=name, verdict="good", found=f"{', '.join(wanted.values())} are installed")
    found = f"{', '.join(wanted[extra] for extra in gone)} not installed"
    return Symptom(
        name=name, verdict="note", found=found, fix=f"{what_for}: pip install 'ltx-curate[{','.join(gone)}]'"
    )


def _rubberband() -> Symptom:
    if program := shutil.which("rubberband"):
        return Symptom(name="rubberband", verdict="good", found=program)
    fix = "only for --set engine=rubberband: apt install rubberband-cli"
    return Symptom(name="rubberband", verdict="note", found="the program is not installed", fix=fix)


def _cache(cache: Path) -> Symptom:
    probe = cache / ".doctor"
    try:
        write_atomic(probe, b"")
        remove(probe)
    except CurateError as error:
        return Symptom(
            name="cache", verdict="bad", found=str(error), fix="set CURATE_CACHE to a folder you may write to"
        )
    size = sum(p.stat().st_size for p in cache.rglob("*") if p.is_file())
    return Symptom(name="cache", verdict="good", found=f"{cache}, {size / 1e9:.2f} GB")


def _disk(cache: Path) -> Symptom:
    place = next(p for p in (cache, *cache.parents) if p.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    fix = "" if free_gb >= LEAST_FREE_GB else "free space, or set CURATE_CACHE to another disk"
    return Symptom(
        name="disk", verdict="good" if not fix else "note", found=f"{free_gb:.0f} GB free at {place}", fix=fix
    )
