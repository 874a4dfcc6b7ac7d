"""What a recipe is, and how it is found by name.

A recipe is a frozen record whose fields are its config. It has a `sketch`, which says what its set claims, and four
functions: `plan` and `make` of its own, `select` and `audit` as the sketch implies them unless it needs more; where it
must know something of a clip before planning, `annotate`. One file in recipes/ ends `RECIPE = Class` or
`RECIPES = (A, B)`; nothing else registers it.
"""

import difflib
import hashlib
import importlib
import inspect
import pkgutil
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from curate.captions import normalise
from curate.errors import CurateError, Rejected
from curate.files import module_of
from curate.proof import audit, quota
from curate.proof.finding import Finding
from curate.proof.sketch import Sketch
from curate.proof.trial import Trial
from curate.records import Clip, Drop, LedgerRow, Record, Sample, Values, VideoRef, Wanted, sha256_of

AUDIO_RATE_HZ = (
    16_000  # the LTX audio VAE's own rate: nothing is resampled between a measurement and the latents
)
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
# Roles of an example's pictures. A sheet is, as a video that stands still, the target's reference; a first frame stands in
# place of the target's own; `pin_64` is pinned at frame 64; any other is kept with the set, to try in validation.
SHEET, FIRST, PIN = "sheet", "first_frame", "pin_"
Wave16 = NDArray[np.int16]


def _one_line(value: str) -> str:
    if not value or normalise(value) != value:
        raise ValueError("wanted text on one line, without blanks at its ends or several in a row")
    return value


def listed(value: Any) -> Any:
    """What `--set` gives with commas between, as a list."""
    given = str(value) if isinstance(value, str | int | float) else value  # --set reads 512 as a number
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def _whole_latents(frames: int) -> int:
    if frames % 8 != 1:
        raise ValueError("wanted 8k+1 frames, such as 121, 81 or 41")
    return frames


# Frames of a video that are whole latents: one, and eight for each that follows.
WholeLatents = Annotated[int, AfterValidator(_whole_latents)]
# Types of fields: a text on one line, and several of them, which `--set` gives with commas between.
Line = Annotated[str, AfterValidator(_one_line)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(listed), Field(min_length=1)]


@dataclass(frozen=True)
class Example:
    """One sample, made and measured.

    `audio` holds waves by role (`audio`, `reference_audio`), mono at AUDIO_RATE_HZ  # (N,) int16
    `video` names the frames of the target, resolved when encoding
    `pictures` are of its size, by role: see SHEET, FIRST and PIN; `measured` names each (`picture_files.name_of`)
    # (H, W, 3) uint8
    """

    measured: Values
    video: VideoRef | None = None
    audio: Mapping[str, Wave16] = field(default_factory=dict)
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Its media that are no names, by their role."""
        return {**self.audio, **self.pictures}


@dataclass(frozen=True)
class PlanTable:
    """What a recipe tells people of its plan."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Recipe(Record):
    """Base of all recipes. Subclasses set the class variables and write the functions."""

    name: ClassVar[str]
    version: ClassVar[int]
    strategy: ClassVar[str]
    summary: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()  # distributions whose version changes what is measured
    expected_failures: ClassVar[frozenset[str]] = frozenset()
    annotated_by: ClassVar[tuple[str, ...]] = ()  # the fields that `annotate` reads
    latents: ClassVar[tuple[str, ...]] = ()  # the tensors of every sample
    pitch_of: ClassVar[
        Mapping[str, str]
    ] = {}  # by role of a wave: the measured value that is its pitch in Hz
    decided_on_the_set: ClassVar[tuple[str, ...]] = ()  # the fields that `make` never reads
    training: ClassVar[str | None] = None  # the table in curate/train/presets that goes into the set
    reads: ClassVar[Literal["videos", "pictures", "films", "scenes"]] = (
        "videos"  # which files of a folder are its clips
    )
    demo: ClassVar[str] = "talking-heads"  # what the source `demo` draws for it
    demo_settings: ClassVar[
        Mapping[str, Any]
    ] = {}  # of the recipe, with the demo, where the user says nothing

    seed: int = Field(default=0, ge=0)

    def wanted(self) -> Wanted | None:
        """What it needs of a source that comes in parts; None: it reads any clips there are."""
        return None

    def folders(self) -> Mapping[str, Path]:
        """Folders beside the source, by the `part` that their clips get."""
        return {}

    def tables(self, samples: Sequence[Sample]) -> list[PlanTable]:
        """What `curate plan` shows in place of a row for each clip."""
        return []

    def annotate(self, clip: Clip) -> Values:
        """What `plan` must know of a clip. Raises Rejected for a clip that cannot be used at all."""
        return {}

    @abstractmethod
    def plan(self, clips: Sequence[Clip]) -> Iterator[Sample | Drop]:
        """Every choice that needs no rendering: candidates, captions, and the split by group identity first."""

    @abstractmethod
    def make(self, sample: Sample) -> Example:
        """Load, transform and measure one candidate, or raise Rejected."""

    @property
    @abstractmethod
    def sketch(self) -> Sketch:
        """What is decided, what that must drive, and what it must not lean on: the audit is derived from it."""

    def select(self, rows: Sequence[LedgerRow]) -> dict[str, str | None]:
        """For every made candidate None when it is kept, or the reason why not: by the sketch's lot or quota, or all."""
        if self.sketch.lot:
            return Trial(self.seed, self.sketch, rows).select()
        if self.sketch.quota:
            return quota.select(self.sketch.quota, rows)
        return {row.id: None for row in rows if row.made}

    def sweep(self, pair: LedgerRow) -> Iterator[tuple[str, Values]]:
        """Id suffix and choices of references to try on one held-out pair (see `curate.sweep`); by default none.

        `make` gives each of them alone. The choices say what is swept, `sweep` (pitch or timbre), and the pitch asked
        for, `tone_hz`.
        """
        yield from ()

    def audit(self, rows: Sequence[LedgerRow]) -> list[Finding]:
        """The invariants of the kept set, from the whole ledger."""
        return audit.audit(self.sketch, rows, self.seed)

    def holds(self) -> tuple[str, ...]:
        """The tensors of every sample, as it is configured."""
        return self.latents

    def must_fail(self) -> frozenset[str]:
        """The findings that are not to pass, as it is configured."""
        return self.expected_failures

    def found_on(self, picture: NDArray[np.uint8], row: LedgerRow) -> Values:
        """Of what was measured when a sample's sheet or first frame was made, all that its picture alone tells,
        measured again."""
        return {}

    def made_with(self) -> dict[str, str]:
        """Versions of the packages, and hashes of the code, that the measurements come from: part of every key."""
        source = inspect.getsourcefile(type(self))
        code = {
            "recipe code": _file_hash(source) if source else "",
            "media code": code_hash("media", "proof/labels.py"),
        }  # what measures, and the gate that judges it
        return {package: _version(package) for package in self.packages} | code


@lru_cache
def _version(package: str) -> str:
    return version(package)


@lru_cache
def _file_hash(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


@lru_cache
def code_hash(*places: str) -> str:
    """Of files and folders of this package, by their path in it."""
    here = Path(__file__).parent
    files = [file for place in places for file in sorted((here / place).glob("*.py")) or [here / place]]
    return sha256_of([_file_hash(str(path)) for path in files])[:16]


def configure(recipe: type[Recipe], settings: Mapping[str, Any]) -> Recipe:
    """The recipe with its fields filled. Raises CurateError naming the key, with the nearest name for a typo."""
    known = recipe.model_fields
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known)}"
            raise CurateError(f"{recipe.name} has no setting {key!r}{hint}")
    try:
        configured = recipe.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the settings"
        says = first["msg"].removeprefix("Value error, ")
        says = says[:1].lower() + says[1:]
        raise CurateError(f"{recipe.name}: {where} is {first['input']!r:.100}; {says}") from error
    _sketched(configured)
    return configured


def _sketched(recipe: Recipe) -> None:
    """Raise CurateError for a recipe whose sketch contradicts itself, before any work is done on it."""
    try:
        sketch = recipe.sketch
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        says = first["msg"].removeprefix("Value error, ")
        raise CurateError(f"{recipe.name}: its sketch: {where}{says}") from error
    except CurateError as error:
        raise CurateError(f"{recipe.name}: {error}") from error
    except Exception as error:
        raise CurateError(f"{recipe.name}: its sketch: {type(error).__name__}: {error}") from error
    if not isinstance(sketch, Sketch):
        found = type(sketch).__name__
        raise CurateError(f"{recipe.name}: its sketch is a {found}, wanted a @property that gives a Sketch")


def _recipes_in(module: Any, origin: str) -> dict[str, type[Recipe]]:
    found = getattr(module, "RECIPES", None) or ((module.RECIPE,) if hasattr(module, "RECIPE") else ())
    if not found:
        raise CurateError(f"{origin} is no recipe file: wanted RECIPE = Class or RECIPES = (A, B) at its end")
    for recipe in found:
        if not (isinstance(recipe, type) and issubclass(recipe, Recipe)):
            raise CurateError(
                f"{origin}: got {recipe!r} as a recipe, wanted a subclass of curate.recipe.Recipe"
            )
        if not NAME.fullmatch(getattr(recipe, "name", "")) or not isinstance(
            getattr(recipe, "version", None), int
        ):
            raise CurateError(
                f"{origin}: {recipe.__name__} wants a name of letters, digits, . _ and -, and a whole version"
            )
        if missing := sorted(recipe.__abstractmethods__):
            raise CurateError(f"{origin}: {recipe.__name__} lacks {', '.join(missing)}")
    return {recipe.name: recipe for recipe in found}


def _load_file(path: Path) -> dict[str, type[Recipe]]:
    if not path.is_file():
        raise CurateError(f"{path}: no such recipe file")
    try:
        module = module_of(path, f"curate_recipe_file_{path.stem}")
    except Exception as error:  # whatever a user's file may raise at its import is a fault of that file
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise CurateError(f"{path}: cannot be imported: {first}") from error
    return _recipes_in(module, str(path))


def recipes() -> dict[str, type[Recipe]]:
    """All recipes by name: the bundled ones and those of the entry point group `curate.recipes`."""
    bundled = importlib.import_module("curate.recipes")  # never statically: recipes stand above this layer
    found: dict[str, type[Recipe]] = {}
    for info in sorted(pkgutil.iter_modules(bundled.__path__), key=lambda m: m.name):
        found |= _recipes_in(
            importlib.import_module(f"curate.recipes.{info.name}"), f"recipes/{info.name}.py"
        )
    for point in entry_points(group="curate.recipes"):
        if point.name in found:
            raise CurateError(f"two recipes are named {point.name!r}: the bundled one and {point.value}")
        loaded = point.load()
        found[loaded.name] = loaded
    return found


def find(reference: str) -> type[Recipe]:
    """The recipe class for a name (`helium-v2`) or a file (`./mine.py`, `./mine.py:name`).

    Raises CurateError with the nearest name for an unknown one. A file is a program and is run: never pass a
    reference that came with a set (see `known`).
    """
    path, _, inner = reference.partition(".py:")
    if reference.endswith(".py") or inner:
        loaded = _load_file(Path(path + ".py" if inner else reference))
        if not inner and len(loaded) > 1:
            raise CurateError(
                f"{reference} has {len(loaded)} recipes: say {reference}:NAME, NAME one of {', '.join(loaded)}"
            )
        wanted = inner or next(iter(loaded))
    else:
        return known(reference)
    return _named(wanted, loaded)


def known(name: str) -> type[Recipe]:
    """The bundled or installed recipe of this name; never a file, whatever the name looks like."""
    return _named(name, recipes())


def _named(wanted: str, among: Mapping[str, type[Recipe]]) -> type[Recipe]:
    if wanted not in among:
        near = difflib.get_close_matches(wanted, among, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise CurateError(f"there is no recipe {wanted!r}{hint} (there are: {', '.join(sorted(among))})")
    return among[wanted]


@contextmanager
def blamed(recipe: Recipe, function: str, of: str = "the set") -> Iterator[None]:
    """Within it whatever a recipe's function may raise becomes a CurateError that names the function."""
    try:
        yield
    except (CurateError, Rejected):
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise CurateError(
            f"{recipe.name}: {function} of {of} failed: {type(error).__name__}: {first}"
        ) from error
