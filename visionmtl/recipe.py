"""A recipe: the YAML file that says what to train, read, checked and completed with its defaults.

Nothing here imports TensorFlow, so that a mistyped key is answered at once. Names that only the library knows (a
backbone, a sharing scheme, a balancer, a data source) are looked up when they are built.
"""

import difflib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pydantic
from pydantic import BaseModel

from visionmtl import yamlfile
from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.sections import Recipe, Sharing, by_name

BUILT_IN = Path(__file__).with_name("recipes")


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
            {} if child is None else by_name({str(name): {} for name in child} if isinstance(child, list) else child)
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
