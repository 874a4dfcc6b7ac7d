"""What a training run is asked to do: the card's values from the set's train.yaml, then --config, then --set."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticSerializationError

from curate.errors import CurateError
from curate.records import Record

PRESETS = Path(__file__).parent / "presets"
TRAIN_YAML = "train.yaml"

Targets = Literal["audio", "audio+bridge", "video", "video-attention"]


class Settings(Record):
    """Settings that a person writes: yes and on are no numbers."""

    @model_validator(mode="before")
    @classmethod
    def _no_truths_for_numbers(cls, values: Any) -> Any:
        for key, value in values.items() if isinstance(values, dict) else ():
            if (
                isinstance(value, bool)
                and key in cls.model_fields
                and cls.model_fields[key].annotation is not bool
            ):
                raise ValueError(f"{key} is {value}: wanted no yes or no")
        return values


class SampleConfig(Settings):
    """What is generated to look at, and how."""

    prompts: tuple[str, ...] = Field(
        default=(),
        description="A column each, of sets without references; of sheets, another action for them.",
    )
    tones: tuple[Annotated[float, Field(ge=50, le=700)], ...] = Field(
        default=(),
        description="For audio references: pitches in Hz, a column each; --sweep goes from first to last.",
    )
    sweep_tones: int = Field(default=9, ge=2, le=50, description="Pitches of --sweep.")
    sweep_sources: int = Field(default=3, ge=1, le=50, description="Timbres that --sweep has each pitch in.")
    sweep_seeds: int = Field(default=4, ge=1, le=100, description="Takes that --sweep has of each.")
    cases: int = Field(
        default=4,
        ge=1,
        le=50,
        description="For video references and pins: samples of the set, each with all the pictures that it names.",
    )
    negative_prompt: str = ""
    inference_steps: int = Field(default=30, ge=2, le=1000)
    sigmas: Literal["shifted", "distilled"] = Field(
        default="shifted",
        description="Noise levels: of the model's scheduler, or the eight of a distilled model.",
    )
    guidance_scale: float = Field(default=1.0, ge=1, le=100, description="1: no guidance, half the time.")
    stg_scale: float = Field(
        default=0.0, ge=0, le=100, description="Of spatio-temporal guidance (stg_v); 0: none."
    )
    stg_blocks: tuple[Annotated[int, Field(ge=0, le=999)], ...] = Field(
        default=(),
        validate_default=True,
        description="Blocks, from 0, whose video self-attention is skipped to be guided away from.",
    )
    strength: float = Field(default=1.0, gt=0, le=3, description="Of the LoRA.")
    pin_strength: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Of the frames that a set of strategy first_frame gives; training pins them at 1.",
    )
    frames: int | None = Field(
        default=None, ge=1, description="8k+1; None: as many as the set's videos have."
    )
    seed: int = Field(default=0, ge=0)

    @field_validator("frames")
    @classmethod
    def _whole_latents(cls, frames: int | None) -> int | None:
        if frames is not None and frames % 8 != 1:
            raise ValueError("wanted 8k+1, such as 1, 25 or 121")
        return frames

    @field_validator("stg_blocks")
    @classmethod
    def _somewhere(cls, blocks: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if (scale := info.data.get("stg_scale")) and not blocks:
            raise ValueError(f"stg_scale is {scale:g}, wanted blocks for it, such as [29]")
        return blocks

    @model_validator(mode="after")
    def _eight_levels(self) -> "SampleConfig":
        if self.sigmas == "distilled" and self.inference_steps != 8:
            raise ValueError(f"sigmas distilled are 8 levels, inference_steps is {self.inference_steps}")
        return self


class TrainConfig(Settings):
    """One run. The field's own words; learning rates are peak values."""

    base_model: str = Field(default="Lightricks/LTX-2.3", description="What the LoRA file says it is for.")
    model: str | None = Field(
        default=None, description="Folder or Hub id of the weights; None: as the set says."
    )
    rank: int = Field(default=32, ge=1)
    alpha: float = Field(default=32, gt=0, le=1e5)
    targets: Targets | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        default="video-attention", description="A name, or module names."
    )
    steps: int = Field(default=2000, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0, le=1e35)
    schedule: Literal["constant", "linear", "two-stage"] = "constant"
    first_stage_steps: int | None = Field(
        default=None, ge=1, description="two-stage only: where the constant part begins."
    )
    optimizer: Literal["adamw", "adamw8bit"] = "adamw"
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    max_grad_norm: float = Field(default=1.0, gt=0, le=1e9)
    accumulation: int = Field(default=1, ge=1, description="Samples a step, on each process.")
    gradient_checkpointing: bool = False
    precision: Literal["bf16", "fp32"] = "bf16"
    quantize: Literal["int8"] | None = None
    seed: int = Field(default=42, ge=0)
    sigma: Literal["shifted-logit-normal", "high-sigma-mixture"] = "shifted-logit-normal"
    first_frame_p: float = Field(
        default=0.0, ge=0, le=1, description="Share of steps with the first frame given."
    )
    reference_audio_positions: Literal["negative"] = Field(
        default="negative", description="Reference audio ends 0.04 s before the target begins."
    )
    checkpoint_every: int = Field(default=500, ge=1)
    keep_checkpoints: int = Field(default=2, ge=1, description="For --resume; LoRA files are all kept.")
    sample_every: int = Field(default=0, ge=0, description="0: never; then `curate sample` later.")
    trackers: tuple[Literal["tensorboard", "wandb"], ...] = ()
    sample: SampleConfig = SampleConfig()

    @model_validator(mode="after")
    def _stages_fit(self) -> "TrainConfig":
        if (self.schedule == "two-stage") != (self.first_stage_steps is not None):
            raise ValueError("schedule two-stage and first_stage_steps go together")
        if self.first_stage_steps is not None and self.first_stage_steps > self.steps:
            raise ValueError(f"first_stage_steps {self.first_stage_steps} of {self.steps} steps")
        return self


# what may differ when a run goes on: nothing that shapes the weights
FREE_ON_RESUME = frozenset({"model", "checkpoint_every", "keep_checkpoints", "sample_every", "trackers", "sample"})  # fmt: skip


def fixed(config: TrainConfig) -> dict[str, Any]:
    """The values that shape the weights, as plain data."""
    return config.model_dump(mode="json", exclude=set(FREE_ON_RESUME))


def preset(name: str) -> str:
    """The text of a bundled training table, comments and all. Raises CurateError for an unknown name."""
    path = PRESETS / f"{name}.yaml"
    if not path.is_file():
        known = sorted(p.stem for p in PRESETS.glob("*.yaml"))
        raise CurateError(f"no training table {name!r}; wanted one of {', '.join(known)}")
    return path.read_text(encoding="utf-8")


def read_config(text: str, where: str, changes: Mapping[str, Any]) -> TrainConfig:
    """A training table with `changes` on top; `sample.prompts` reaches into the part `sample`.

    Raises CurateError, one line, for what is no table, an unknown key (with the nearest name) or a wrong value.
    """
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):  # a few make gigabytes
            raise CurateError(f"{where}: has an alias (*name), a training table needs none")
        table = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CurateError(f"{where}: cannot be read as YAML: {_fault(error)}") from error
    except (RecursionError, ValueError) as error:  # nested without end, or a number of thousands of digits
        raise CurateError(f"{where}: cannot be read as YAML: {str(error).split(';')[0]}") from error
    if not isinstance(table, dict):
        found = "nothing" if table is None else type(table).__name__
        raise CurateError(f"{where}: found {found}, wanted keys and values")
    return _validated(_with(table, changes), where)


def changed(config: TrainConfig, changes: Mapping[str, Any], where: str) -> TrainConfig:
    """A configuration with changes on top. Raises CurateError like `read_config`."""
    return _validated(_with(config.model_dump(mode="json"), changes), where)


def _with(table: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        part, _, inner = key.partition(".")
        held = table.get(part, {})
        if part == "sample" and inner and isinstance(held, dict):
            table[part] = {**held, inner: value}
        else:
            table[key] = value
    return table


def _fault(error: yaml.YAMLError) -> str:
    """What PyYAML says in several lines, in one."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).splitlines()[0]


def _validated(table: Mapping[str, Any], where: str) -> TrainConfig:
    try:
        config = TrainConfig.model_validate(table)
        if "\\u0000" in config.model_dump_json():
            raise CurateError(f"{where}: holds a NUL, which is no text")
        return config
    except PydanticSerializationError as error:
        raise CurateError(f"{where}: holds characters that are no text") from error
    except RecursionError as error:
        raise CurateError(f"{where}: is nested without end") from error
    except ValidationError as error:
        first = error.errors()[0]
        # pydantic names the branches of a union too, as literal['audio', ...] and tuple[str, ...]
        key = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
        if first["type"] == "extra_forbidden":
            known = {*TrainConfig.model_fields, *(f"sample.{name}" for name in SampleConfig.model_fields)}
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(known))}"
            raise CurateError(f"{where}: there is no training setting {key!r}{hint}") from error
        says = first["msg"].removeprefix("Value error, ")
        found = f"{key} is {repr(first['input'])[:80]}: " if key else ""
        raise CurateError(f"{where}: {found}{says[:1].lower()}{says[1:]}") from error


def differing(was: TrainConfig, now: TrainConfig) -> list[str]:
    """`key: was -> now` of what must not differ between the parts of one run."""
    before, after = fixed(was), fixed(now)
    return [f"{key}: {before[key]} -> {after[key]}" for key in before if before[key] != after[key]]


def learning_rate(config: TrainConfig, step: int) -> float:
    """Of step `step`, counted from 0.

    linear: from the peak to a tenth of it over all steps, as the official trainer's LinearLR(1 -> 0.1). two-stage:
    the same over `first_stage_steps`, then constant at a tenth: how a card's 1.3e-4 over 6,000 steps meets 1.3e-5.
    """
    if config.schedule == "constant":
        return config.learning_rate
    length = config.first_stage_steps or config.steps
    tenths = 10 * length - 9 * min(step, length)  # whole numbers, so that the end is a tenth to the last bit
    return config.learning_rate * (tenths / (10 * length))
