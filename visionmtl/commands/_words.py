"""What may stand at the end of a command line, for a shell to complete; nothing that takes long is imported."""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import visionmtl
from pipelines.splits import SHORT
from visionmtl.commands.command import Command

PACKAGE = Path(visionmtl.__file__).parent
LISTS = ("backbones", "sharing", "balancing", "tasks", "recipes", "sources", "layouts", "keys")
RUN = "recipe.yaml"  # by which a run folder is known
# The files of which each is one name, and what a helper beside them does not have.
FILES = {
    "balancing": (
        [f"visionmtl/balancing/{folder}/*.py" for folder in ("losses", "gramian", "elementwise")],
        r"^    promise\b",
    ),
    "sharing": (["visionmtl/sharing/*.py"], r"^class [A-Z]"),
    "sources": (["pipelines/sources/*.py", "pipelines/sources/*/source.py"], r"^class [A-Z]\w*\(\w*Format\)"),
}


def answers(commands: Mapping[str, Command], words: Sequence[str]) -> list[str]:
    """Return what the last word may become, sorted; nothing where it is a file of the user's.

    Args:
        commands: by name.
        words: after `visionmtl`, the last as far as it is typed.

    Example:
        >>> from visionmtl.commands.command import commands_of
        >>> answers(commands_of("visionmtl.commands"), ["tr"])
        ['train']
    """
    *before, last = words or [""]
    valid: Mapping[str, Command] = commands
    command: Command | None = None
    while before and valid:
        if before[0] not in valid:
            return []
        command = valid[before.pop(0)]
        valid = command.verbs
    if valid or command is None:
        return _beginning(last, [*valid, *(() if command else ("--help", "--version"))])
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return _beginning(last, _of_command(parser, before, last))


def _beginning(last: str, words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word.startswith(last)})


def _of_command(parser: argparse.ArgumentParser, before: Sequence[str], last: str) -> Iterable[str]:
    """Return what may follow the words of a command."""
    options = {text: action for action in parser._actions for text in action.option_strings}
    taking = options.get(before[-1]) if before else None
    if taking is not None and taking.nargs != 0:
        return _values(taking, last)
    if last.startswith("-"):
        return options
    places = [action for action in parser._actions if not action.option_strings]
    given, skip = list[str](), False
    for word in before:
        if not skip and not word.startswith("-"):
            given.append(word)
        action = options.get(word)
        skip = action is not None and action.nargs in (None, 1)
    if any(action.dest == "overrides" for action in places) and (given or places[0].dest == "overrides"):
        key, equals, _ = last.partition("=")
        return [f"{key}={value}" for value in _of_key(key)] if equals else [f"{name}=" for name in _keys()]
    if not places:
        return options
    return _values(places[min(len(given), len(places) - 1)], last, given)


def _values(action: argparse.Action, last: str, given: Sequence[str] = ()) -> Iterable[str]:
    """Return what an argument may be, by what it is called."""
    if action.choices:
        return map(str, action.choices)
    if isinstance(action.metavar, str) and action.metavar.startswith("{"):
        return action.metavar.strip("{}").split(",")
    named: dict[str, Callable[[], Iterable[str]]] = {
        "recipe": _recipes,
        "run": lambda: _runs(last),
        "runs": lambda: _runs(last),
        "model": lambda: _runs(last),
        "resume": lambda: _runs(last),
        "split": lambda: SHORT,
        "evaluate": lambda: SHORT,
        "device": lambda: ("cpu", "gpu"),
        "what": lambda: LISTS,
        "name": lambda: _names(given[0]) if given else (),
    }
    own = named.get(action.dest)
    return own() if own else ()


def _recipes() -> list[str]:
    return [path.stem for path in (PACKAGE / "recipe" / "built_in").glob("*.yaml")]


def _runs(last: str) -> list[str]:
    """Return the run folders in the folder that is typed, or in `runs/`, and the folders that lead on."""
    root = Path(last if last.endswith("/") else Path(last).parent)
    found = [path.parent for path in (*root.glob(f"*/{RUN}"), *Path("runs").glob(f"*/{RUN}"))]
    leading = [f"{path}/" for path in root.iterdir() if path.is_dir() and path.name[0] != "."] if root.is_dir() else []
    return [*map(str, found), *(text for text in leading if Path(text) not in found)]


def _keys() -> list[str]:
    from visionmtl.recipe import each_key

    return [key.name for key in each_key()]


def _of_key(key: str) -> Iterable[str]:
    """Return the values that a key may have, where they are words."""
    kinds = {"balancing.method": "balancing", "model.sharing": "sharing", "data.source": "sources"}
    return _names(kinds[key]) if key in kinds else _words_of(key)


def _words_of(key: str) -> list[str]:
    """Return the words that the type of a key names."""
    from pydantic import BaseModel

    from visionmtl.recipe.keys import section_of
    from visionmtl.recipe.sections import Recipe

    *parts, last = key.split(".")
    section: type[BaseModel] = Recipe
    for part in parts:
        field = section.model_fields.get(part)
        inner = section_of(field.annotation) if field else None
        if inner is None:
            return []
        section = inner
    field = section.model_fields.get(last)
    return _literals(field.annotation) if field else []


def _literals(annotation: object) -> list[str]:
    """Return the words among what an annotation such as `Literal["sgd"] | None` allows."""
    if annotation is bool:
        return ["true", "false"]
    inner = getattr(annotation, "__args__", ())
    return [word for each in inner for word in ([each] if isinstance(each, str) else _literals(each))]


def _names(what: str) -> Iterable[str]:
    """Return the names of a list of `visionmtl list`; those of what is a file each by the files, which are not run."""
    if what in ("recipes", "keys"):
        return _recipes() if what == "recipes" else _keys()
    patterns, mark = FILES.get(what, ((), ""))
    found = [path for pattern in patterns for path in PACKAGE.parent.glob(pattern)]
    return [
        path.parent.name if path.stem == "source" else path.stem
        for path in found
        if re.search(mark, path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
