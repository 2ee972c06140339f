"""A recipe: the YAML file that says what to train, read, checked and completed with its defaults.

Nothing here imports TensorFlow, so that a mistyped key is answered at once. Names that only the library knows (a
backbone, a sharing scheme, a balancer, a data source) are looked up when they are built.
"""

import difflib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from visionmtl import yamlfile
from visionmtl.errors import UsageError, nearest, one_of

BUILT_IN = Path(__file__).with_name("recipes")


class Section(BaseModel):
    """A section of the recipe: unknown keys are refused, and a value once read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _by_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _by_method(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value


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


def _probability(value: Any) -> Any:
    return 0.5 * value if isinstance(value, bool) else value


class Augmentation(Section):
    """What moves a training image, its boxes and its masks; evaluation images are only resized."""

    flip: Annotated[float, BeforeValidator(_probability)] = Field(
        0.5, ge=0, le=1, description="probability of a mirrored image; true is 0.5"
    )
    scale: tuple[float, float] | None = Field(
        None, description="zoom by a random factor in [low, high], as [0.75, 1.5]; null for none"
    )
    rotate: float = Field(0.0, ge=0, le=180, description="turn by up to so many degrees either way; costs speed")
    colour: float = Field(
        0.0, ge=0, le=0.9, description="brightness, contrast and saturation vary by this share; 0.2 is mild"
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

    method: Literal["proportional", "uniform", "temperature", "annealed", "curriculum", "alternate"] = Field(
        "proportional",
        description="shares of the sources: proportional to their images, uniform, between the two by temperature,"
        " annealed from one to the other, curriculum after the losses; or alternate, one task a batch",
    )
    temperature: float = Field(2.0, ge=1, description="of temperature: shares are as images^(1/temperature)")
    floor: float = Field(0.2, ge=0, le=1, description="of curriculum: the part of the shares that stays uniform")
    epochs: int | None = Field(None, ge=1, description="of annealed: over which it goes; null for training.epochs")


class Data(Section):
    """Where the images come from and how they are made into batches."""

    source: str | None = Field(
        None,
        description="garments (built in), coco (JSON), voc (XML), yolo (text), csv (table), folder (of classes or"
        " masks) or tfds (by name)",
    )
    path: Annotated[str | None, BeforeValidator(_absolute)] = Field(
        None, description="the folder to read; relative to where the command is run"
    )
    sources: dict[str, OneSource] = Field({}, description="several sources instead of one: {name: {source: ...}}")
    sampling: Annotated[Sampling, BeforeValidator(_by_method)] = Sampling()
    epoch: Literal["longest", "shortest"] = Field(
        "longest", description="of several sources: until all, or the first, were taken once; or see training.steps"
    )
    image_size: Annotated[tuple[int, int], BeforeValidator(_stride_divides)] = Field(
        (288, 384), description="[height, width] of the network's input in pixels, multiples of 32"
    )
    batch_size: int = Field(8, ge=1, description="images in a step, over all GPUs together")
    resize: Literal["stretch", "letterbox"] = Field("stretch", description="fill the input, or keep the aspect ratio")
    augmentation: Augmentation | None = Field(Augmentation(), description="null for none")
    on_error: Literal["stop", "skip"] = Field("stop", description="at a broken image or label: stop, or skip and list")
    cache: bool | str = Field(
        True,
        description="keep decoded images in memory; or a folder, to pack the data into once and read it from there",
    )
    max_boxes: int = Field(100, ge=1, description="boxes of one image kept for the detection loss")
    options: dict[str, Any] = Field({}, description="the source's own options, see `visionmtl list sources`")

    @pydantic.model_validator(mode="after")
    def _one_or_several(self) -> "Data":
        if bool(self.source) == bool(self.sources):
            raise ValueError("either source, the one to read, or sources, several by name")
        if self.sources and (self.path or self.options):
            raise ValueError("no path and no options beside sources: each has its own")
        return self

    @property
    def mixed(self) -> bool:
        """Whether an epoch is drawn as `sampling` says, as it is from several sources, or for the tasks in turn."""
        return bool(self.sources) or self.sampling.method != "proportional"


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
    sharing: Annotated[Sharing, BeforeValidator(_by_name)] = Field(
        Sharing(), description="how tasks share the backbone: a name, or {name: hard, until: P3}"
    )
    neck: dict[str, Any] = Field({}, description="the feature pyramid's options: {channels: 96}")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of features dropped before each head's last layer")


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


class Training(Section):
    """The optimizer, its schedule, and when to stop."""

    epochs: int = Field(20, ge=1, description="passes over the training images")
    steps: int | None = Field(None, ge=1, description="steps in an epoch; null for all images")
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
    validate_every: int = Field(1, ge=1, description="epochs between validations")
    seed: int = Field(0, ge=0, description="of weights, shuffling and augmentation")
    verbose: Literal[0, 1, 2] | None = Field(
        None, description="0 silent, 1 a bar, 2 a line an epoch; null for a bar on a terminal, lines elsewhere"
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

    def dump(self) -> str:
        """Return the recipe as YAML with every key, so that it trains the same again."""
        return yamlfile.dump(self.model_dump(mode="json"))


class Key(NamedTuple):
    """One line of `visionmtl list keys`."""

    name: str
    default: str
    description: str


def built_in() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in BUILT_IN.glob("*.yaml"))


def summary(name: str) -> str:
    """Return the first line of a built-in recipe, which says what it trains."""
    return (BUILT_IN / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


def each_key(section: type[BaseModel] = Recipe, prefix: str = "") -> Iterator[Key]:
    """Yield every key of a recipe with its default and what it means, in the order of the file."""
    for name, field in section.model_fields.items():
        inner = _section(field.annotation)
        if inner is not None and inner is not Sharing:
            several = f"{name}.<name>" if _by_names(field.annotation) else name
            yield from each_key(inner, f"{prefix}{several}.")
        else:
            default = "" if field.is_required() else field.get_default()
            default = default.name if isinstance(default, Sharing) else default
            yield Key(
                prefix + name, default if isinstance(default, str) else json.dumps(default), field.description or ""
            )


def load(source: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe and check it.

    Args:
        source: a YAML file, or the name of a built-in recipe.
        overrides: `key=value` strings such as `training.epochs=5`; the value is read as YAML.

    Raises:
        UsageError: the file, a key or a value is wrong; the message names it and what was expected.

    Example:
        >>> load("garments", ["training.epochs=2"]).training.epochs
        2
    """
    path = _find(source)
    document = yamlfile.read(path)
    settings = dict(document.value)
    given = [_override(settings, text) for text in overrides]
    settings.setdefault("name", path.stem)
    try:
        return Recipe.model_validate(settings)
    except pydantic.ValidationError as problem:
        error = problem.errors()[0]
        key = tuple(part for part in error["loc"] if part != "[key]")
        on_command_line = any(key[: len(path)] == path or path[: len(key)] == key for path in given)
        where = "on the command line" if on_command_line else document.where(key)
        raise UsageError(f"Recipe {source}, {where}: {_sentence(error, key)}") from None


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.is_dir():
        raise UsageError(f"'{source}' is a folder; give a recipe file, such as {path / 'recipe.yaml'}.")
    if path.exists():
        return path
    if path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        raise UsageError(f"There is no recipe file '{source}'; built-in recipes are {', '.join(built_in())}.")
    return BUILT_IN / f"{one_of(str(source), built_in(), 'recipe')}.yaml"


def _override(settings: dict[str, Any], text: str) -> tuple[str, ...]:
    """Set one `a.b=value` in `settings` and return its path; a shorthand on the way becomes the mapping it means."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip(". "):
        raise UsageError(f"'{text}' is not of the form key=value, such as training.epochs=5.")
    *parents, last = path = tuple(name.strip().split("."))
    for part in parents:
        child = settings.get(part)
        child = (
            {} if child is None else _by_name({str(name): {} for name in child} if isinstance(child, list) else child)
        )
        if not isinstance(child, dict):
            raise UsageError(f"'{text}' on the command line: '{part}' is {json.dumps(child)} and has no keys.")
        settings[part] = settings = dict(child)
    settings[last] = yamlfile.parse(value, f"'{text}' on the command line").value
    return path


def _sentence(error: Any, key: tuple[str | int, ...]) -> str:
    """Say what one of pydantic's errors means, in a sentence of our own."""
    name = ".".join(map(str, key))
    match error["type"]:
        case "extra_forbidden":
            section = _at(key[:-1])
            beside = [".".join(map(str, (*key[:-1], field))) for field in (section.model_fields if section else ())]
            suggestion = nearest(name, beside) or _elsewhere(str(key[-1]))
            return f"unknown key '{name}'.{suggestion} Valid: {', '.join(beside)}."
        case "missing":
            return f"'{name}' is missing."
        case "value_error":
            expected = str(error["ctx"]["error"])
        case "literal_error":
            choices = [choice.strip("'") for choice in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            expected = f"{error['ctx']['expected']}.{nearest(error['input'], choices)}"
        case kind:
            plain = error["msg"].removeprefix("Input should be ").split(",")[0]
            expected = _EXPECTED.get(
                kind, plain.replace("greater", "a number greater").replace("less", "a number less")
            )
    if isinstance(error["input"], dict) and error["type"] == "value_error":  # its keys do not go together
        return f"'{name}': expected {expected}."
    given = json.dumps(error["input"], default=str)
    return f"'{name}' is {given}, expected {expected}".removesuffix(".") + ("" if expected.endswith("?") else ".")


_EXPECTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a name",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "tuple_type": "a list of two numbers",
    "too_long": "a list of two numbers",
}


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section an annotation such as `Augmentation | None` stands for, if it stands for one."""
    options = [annotation, *getattr(annotation, "__args__", ())]
    return next((kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _by_names(annotation: Any) -> bool:
    """Whether an annotation is of sections by names that are free, as `dict[str, OneSource]`."""
    return getattr(annotation, "__origin__", None) is dict


def _at(path: tuple[str | int, ...]) -> type[BaseModel] | None:
    section: type[BaseModel] | None = Recipe
    free = False
    for part in path:
        if free:  # the part is a name
            free = False
        elif section:
            annotation = section.model_fields[str(part)].annotation
            section, free = _section(annotation), _by_names(annotation)
    return None if free else section


def _elsewhere(name: str) -> str:
    """Suggest the full key when only its last part was written, as in `epochs: 5` at the top of the file."""
    last = {key.name.rpartition(".")[2]: key.name for key in each_key()}
    match = difflib.get_close_matches(name, last, n=1, cutoff=0.8)
    return f" Did you mean '{last[match[0]]}'?" if match else ""
