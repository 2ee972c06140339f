"""The sections and keys of a recipe: what each may be, its default and what it means."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.epochs import rules as epoch_rules
from pipelines.errors import OnError
from pipelines.pixels import rules as pixel_rules
from visionmtl.recipe import yamlfile


class Section(BaseModel):
    """A section of the recipe: unknown keys are refused, and a value once read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def by_name(value: Any) -> Any:
    """Return the mapping that a name alone stands for."""
    return {"name": value} if isinstance(value, str) else value


def _by_method(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value


def _by_steps(value: Any) -> Any:
    return {"minutes": None, "steps": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _by_own_name(value: Any) -> Any:
    return {name: name for name in value} if isinstance(value, list) else value


def _by_task(value: Any) -> Any:
    if value in ([], {}):
        raise ValueError("at least one task, or null for all")
    if isinstance(value, list):
        return {str(name): {} for name in value}
    if isinstance(value, dict):
        return {name: {} if options is None else options for name, options in value.items()}
    return value


def _stride_divides(size: Any) -> Any:
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(type(side) is int for side in size):
        raise ValueError("a list of two whole numbers, [height, width]")
    if any(side < 32 or side % 32 for side in size):
        near = [max(32, round(side / 32) * 32) for side in size]
        raise ValueError(f"multiples of 32, the largest stride of a backbone; the nearest size is {near}")
    return tuple(size)


def _absolute(path: Any) -> Any:
    return str(Path(path).expanduser().absolute()) if isinstance(path, str) else path


class Augmentation(Section):
    """What moves a training image, its boxes and its masks; evaluation images are only resized."""

    flip: Annotated[float, BeforeValidator(pixel_rules.flip)] = Field(
        0.5, description="probability of a mirrored image; true is 0.5"
    )
    scale: Annotated[tuple[float, float] | None, BeforeValidator(pixel_rules.scale)] = Field(
        None, description="zoom by a random factor in [low, high], as [0.75, 1.5]; null for none"
    )
    rotate: Annotated[float, BeforeValidator(pixel_rules.DEGREES)] = Field(
        0.0, description="turn by up to so many degrees either way; costs speed"
    )
    colour: Annotated[float, BeforeValidator(pixel_rules.COLOUR)] = Field(
        0.0, description="brightness, contrast and saturation vary by this fraction; 0.2 is mild"
    )


class OneSource(Section):
    """One of several sources."""

    source: str = Field(description="as data.source")
    path: Annotated[str | None, BeforeValidator(_absolute)] = Field(None, description="as data.path")
    options: dict[str, Any] = Field({}, description="as data.options")
    tasks: Annotated[dict[str, str] | None, BeforeValidator(_by_own_name)] = Field(
        None, description="its tasks to take, a list, or {its task: name among all}; null for all"
    )
    classes: dict[str, str | None] = Field(
        {}, description="{its class: name among all}, null for one that is neither learnt nor counted"
    )


class Sampling(Section):
    """How a training epoch draws from several sources: a method, or `{method: temperature, temperature: 5}`."""

    method: epoch_rules.Method = Field(
        "proportional",
        description="fractions of the sources: proportional to their images, uniform, between the two by temperature,"
        " annealed from one to the other, curriculum after the losses; or alternate, one task a batch",
    )
    temperature: Annotated[float, BeforeValidator(epoch_rules.TEMPERATURE)] = Field(
        2.0, description="of temperature: fractions are as images^(1/temperature)"
    )
    floor: Annotated[float, BeforeValidator(epoch_rules.FLOOR)] = Field(
        0.2, description="of curriculum: how much of the fractions stays uniform"
    )
    epochs: int | None = Field(None, ge=1, description="of annealed: over which it goes; null for training.epochs")


class Data(Section):
    """Where the images come from and how they are made into batches."""

    source: str | None = Field(None, description="the format of the data, as coco; see `visionmtl list sources`")
    path: Annotated[str | None, BeforeValidator(_absolute)] = Field(
        None, description="the folder to read; relative to where the command is run"
    )
    sources: dict[str, OneSource] = Field({}, description="several sources instead of one: {name: {source: ...}}")
    joined: bool = Field(False, description="the sources label the same pictures, matched by the names of their files")
    sampling: Annotated[Sampling, BeforeValidator(_by_method)] = Sampling()
    epoch: epoch_rules.Length = Field(
        "longest", description="of several sources: until all, or the first, were taken once; or see training.steps"
    )
    image_size: Annotated[tuple[int, int], BeforeValidator(_stride_divides)] = Field(
        (288, 384), description="[height, width] of the network's input in pixels, multiples of 32"
    )
    batch_size: int = Field(8, ge=1, description="images in a step, over all GPUs together")
    resize: pixel_rules.Resize = Field("stretch", description="fill the input, or keep the aspect ratio")
    augmentation: Augmentation | None = Field(Augmentation(), description="null for none")
    on_error: OnError = Field("stop", description="at a broken image or label: stop, or skip and list")
    cache: bool = Field(True, description="keep decoded images in memory")
    fast_decode: bool = Field(
        False, description="decode large JPEG files at a half, quarter or eighth of their sides where that is enough"
    )
    cache_folder: Annotated[str | None, BeforeValidator(_absolute)] = Field(
        None, description="a folder to pack the data into once and read it from, instead of keeping it in memory"
    )
    max_boxes: int = Field(100, ge=1, description="boxes of one image kept for the detection loss")
    options: dict[str, Any] = Field({}, description="the source's own options, see `visionmtl list sources`")

    @pydantic.model_validator(mode="after")
    def _one_or_several(self) -> "Data":
        if bool(self.source) == bool(self.sources):
            raise ValueError("either source, the one to read, or sources, several by name")
        if self.sources and (self.path or self.options):
            raise ValueError("no path and no options beside sources: each has its own")
        if self.joined and not self.sources:
            raise ValueError("no joined without sources, those that label the same pictures")
        return self

    @property
    def mixed(self) -> bool:
        """Whether an epoch is drawn as `sampling` says, as it is from several sources, or for the tasks in turn."""
        return bool(self.sources and not self.joined) or self.sampling.method != "proportional"


class Sharing(Section):
    """A sharing scheme chosen by name, with the options it takes: `hard`, or `{name: hard, until: P3}`."""

    model_config = ConfigDict(extra="allow")

    name: str = "hard"

    @property
    def options(self) -> dict[str, Any]:
        """What was given beside the name."""
        return dict(self.model_extra or {})


class Model(Section):
    """The network."""

    backbone: str = Field("efficientnet_lite0", description="see `visionmtl list backbones`")
    weights: str | None = Field(None, description="null, imagenet, or a .keras or .weights.h5 file")
    start: Annotated[str | None, BeforeValidator(_absolute)] = Field(
        None, description="a run folder or .keras file whose layers of the same name and shapes give their weights"
    )
    sharing: Annotated[Sharing, BeforeValidator(by_name)] = Field(
        Sharing(), description="how tasks share the backbone: a name, or {name: hard, until: P3}"
    )
    neck: dict[str, Any] = Field({}, description="the feature pyramid's options: {channels: 96}")
    dropout: float = Field(0.0, ge=0, lt=1, description="fraction of features dropped before each head's last layer")


class Balancing(Section):
    """How the tasks share the update; keys beside `method` are its hyperparameters."""

    model_config = ConfigDict(extra="allow")

    method: str = Field("equal", description="see `visionmtl list balancing`; its hyperparameters go beside it")
    watch: int | None = Field(
        50, ge=1, description="steps between looks at how the tasks' gradients lie to each other; null for never"
    )

    @property
    def options(self) -> dict[str, Any]:
        """The method's hyperparameters."""
        return dict(self.model_extra or {})


class Checkpoint(Section):
    """When the state that `--resume` goes on from is saved: so many steps, or `{minutes: 10, steps: null, keep: 2}`."""

    minutes: float | None = Field(
        10.0, gt=0, description="after which one is saved, beside those at every epoch's end; null for none between"
    )
    steps: int | None = Field(None, ge=1, description="after which one is saved; null for none between")
    keep: int = Field(2, ge=1, description="how many of the last are kept")


class Training(Section):
    """The optimizer, its schedule, and when to stop."""

    epochs: int = Field(20, ge=1, description="passes over the training images")
    steps: int | None = Field(None, ge=1, description="steps in an epoch; null for all images")
    accumulate: int = Field(
        1,
        ge=1,
        description="steps an update, on one device: batches of 4 with 2 train about as those of 8, in half the memory",
    )
    optimizer: Literal["adamw", "sgd", "adam"] = Field("adamw", description="sgd has Nesterov momentum 0.9")
    learning_rate: float = Field(1e-3, gt=0, description="at the top of the schedule")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="after warm-up: cosine to zero, or constant")
    warmup_epochs: float = Field(1.0, ge=0, description="epochs of linear rise from zero, at most half of all")
    weight_decay: float = Field(1e-4, ge=0, description="on kernels only: not on biases, norms or balancers")
    clip_norm: float | None = Field(10.0, gt=0, description="largest global norm of the gradient; null for no limit")
    ema: float | None = Field(None, gt=0, lt=1, description="momentum of averaged weights, as 0.998; null for none")
    freeze: list[str] = Field(
        [], description="parts that do not learn: backbone, a level as P3, sharing, neck, or a task"
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field("float32", description="of computation")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="of every task that classifies")
    monitor: str = Field("val_score", description="the log that names the best epoch; higher is better")
    early_stopping: int | None = Field(None, ge=1, description="validations without a better model; null for never")
    patience_nan: int | None = Field(
        10, ge=1, description="steps in a row that are NaN or infinite, and skipped, before it stops; null for never"
    )
    validate_every: int = Field(1, ge=1, description="epochs between validations")
    checkpoint: Annotated[Checkpoint, BeforeValidator(_by_steps)] = Checkpoint()
    seed: int = Field(0, ge=0, description="of weights, shuffling and augmentation")
    verbose: Literal[0, 1, 2] | None = Field(
        None, description="0 silent, 1 a bar, 2 a line an epoch; null for a bar on a terminal, lines elsewhere"
    )


class Export(Section):
    """What an export must keep."""

    metric_change: float = Field(
        0.01, ge=0, description="what a reduced precision may lose of a task's metric, as 0.76 in place of 0.77"
    )


class Recipe(Section):
    """All of it. `load` reads one; `dump` writes it with every default filled in."""

    name: str = Field(description="of the run folder; the recipe file's name unless given")
    data: Data
    tasks: Annotated[dict[str, dict[str, Any]] | None, BeforeValidator(_by_task)] = Field(
        None, description="null for all the source has, a list of names, or {name: {option: value}}"
    )
    model: Model = Model()
    balancing: Balancing = Balancing()
    training: Training = Training()
    export: Export = Export()

    def dump(self) -> str:
        """Return the recipe as YAML with every key, so that it trains the same again."""
        return yamlfile.dump(self.model_dump(mode="json"))
