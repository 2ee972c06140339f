"""A recipe: the YAML file that says what to train, read, checked and completed with its defaults.

Nothing here imports TensorFlow, so that a mistyped key is answered at once. Names that only the library knows (a
backbone, a sharing scheme, a balancer, a data source) are looked up when they are built.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pydantic

from visionmtl.errors import UsageError, one_of
from visionmtl.recipe import yamlfile
from visionmtl.recipe.mistakes import sentence
from visionmtl.recipe.sections import Recipe, by_name

BUILT_IN = Path(__file__).with_name("built_in")


def built_in() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in BUILT_IN.glob("*.yaml"))


def summary(name: str) -> str:
    """Return the first line of a built-in recipe, which says what it trains."""
    return (BUILT_IN / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


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
    return _read(yamlfile.read(path), path.stem, f"Recipe {source}", overrides)


def parsed(text: str, name: str, who: str) -> Recipe:
    """Return the recipe that a text says, such as one that a model keeps.

    Args:
        text: YAML.
        name: of the recipe, where the text has none.
        who: what to call the text in an error.

    Raises:
        UsageError: a key or a value is wrong.

    Example:
        >>> parsed("data: {source: garments}", "toy", "The recipe of toy.keras").data.source
        'garments'
    """
    return _read(yamlfile.mapping(text, who), name, who)


def _read(document: yamlfile.Document, name: str, who: str, overrides: Iterable[str] = ()) -> Recipe:
    settings = dict(document.value)
    given = [_override(settings, text) for text in overrides]
    settings.setdefault("name", name)

    def where(key: tuple[str | int, ...]) -> str:
        return "on the command line" if _touches(key, given) else document.where(key)

    return _checked(settings, who, where)


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Return a recipe with other values of some keys, all of it checked again.

    Args:
        recipe: from `load`; it stays as it is.
        changes: by key, as `{"training.epochs": 5}`; what is given for a section replaces all of it.

    Raises:
        UsageError: a key or a value is wrong.

    Example:
        >>> changed(load("garments"), {"training.epochs": 2}).training.epochs
        2
    """
    settings = recipe.model_dump(mode="json")
    for name, value in changes.items():
        _put(settings, name, value, f"{name}={json.dumps(value)}")
    told = " ".join(f"{name}={json.dumps(value)}" for name, value in changes.items())
    return _checked(settings, f"Recipe {recipe.name}", lambda key: f"with {told}")


def _checked(settings: dict[str, Any], who: str, where: Callable[[tuple[str | int, ...]], str]) -> Recipe:
    """Return the recipe of some settings, or raise the sentence for the first that is wrong."""
    try:
        return Recipe.model_validate(settings)
    except pydantic.ValidationError as problem:
        error = problem.errors()[0]
        key = tuple(word for word in error["loc"] if word != "[key]")
        raise UsageError(f"{who}, {where(key)}: {sentence(error, key)}") from None


def _touches(key: tuple[str | int, ...], given: Iterable[tuple[str, ...]]) -> bool:
    """Return whether a key is one of those given, lies within one, or holds one."""
    return any(key[: len(path)] == path or path[: len(key)] == key for path in given)


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
    return _put(settings, name, yamlfile.parse(value, f"'{text}' on the command line").value, text)


def _put(settings: dict[str, Any], name: str, value: Any, text: str) -> tuple[str, ...]:
    """Set the key that a name such as "training.epochs" means; `text` is how it was given."""
    *parents, last = path = tuple(name.strip().split("."))
    for word in parents:
        child = settings.get(word)
        if isinstance(child, list) and (other := [each for each in child if not isinstance(each, str)]):
            raise UsageError(
                f"'{text}' on the command line: '{word}' holds {json.dumps(other[0])}, expected names; YAML reads yes,"
                " no, on and off as true and false, and digits as numbers, unless in quotes."
            )
        child = (
            {} if child is None else by_name({str(name): {} for name in child} if isinstance(child, list) else child)
        )
        if not isinstance(child, dict):
            raise UsageError(f"'{text}' on the command line: '{word}' is {json.dumps(child)} and has no keys.")
        settings[word] = settings = dict(child)
    settings[last] = value
    return path
