"""Arguments that say which data a verb is about, and the line that says how to use what it made."""

import argparse
import json
import shlex
from collections.abc import Mapping
from typing import Any

from pipelines.errors import ON_ERROR
from pipelines.splits import CHOICE, split_called
from visionmtl.commands.arguments import among
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError, one_of


def add_source(parser: argparse.ArgumentParser, whole: bool = False) -> None:
    """Take a source of data, its path, its options and, unless it is always taken whole, one of its splits."""
    help_ = "a folder or CSV file, or a name of `visionmtl list sources`"
    parser.add_argument("source", metavar="SOURCE", help=help_)
    help_ = "data.path and data.options.<option>"
    parser.add_argument("overrides", nargs="*", default=[], metavar="key=value", help=help_)
    if whole:
        parser.set_defaults(split=None)
    else:
        parser.add_argument("--split", metavar="SPLIT", help=f"{CHOICE} alone; default all that are there")


def add_on_error(parser: argparse.ArgumentParser) -> None:
    """Take what is done at what is broken."""
    help_ = "stop (the default) at what is broken, or skip it and list it"
    parser.add_argument("--on-error", default="stop", metavar=among(ON_ERROR), help=help_)


def source_of(args: argparse.Namespace, verb: str) -> tuple[str, str | None, dict[str, Any]]:
    """Return the name of the source that a verb of `data` is about, its path and its options; check its split."""
    from visionmtl.recipe import yamlfile

    path, options = None, {}
    for text in args.overrides:
        name, _, value = text.partition("=")
        if name == "data.path":
            path = value
        elif name.startswith("data.options."):
            options[name.removeprefix("data.options.")] = yamlfile.parse(value, f"'{text}' on the command line").value
        else:
            raise UsageError(f"data {verb} takes data.path=DIR and data.options.<option>=value only, not '{text}'.")
    if args.split:
        split_called(args.split, UsageError)
    with quiet_import():
        from pipelines import recognising, sources
    source, path = recognising.find(args.source, path)
    for option in options:  # some might be arguments of the function that is called with them
        one_of(option, sources.options(source), f"option of source '{source}'")
    return source, path, options


def used(source: str, path: str, options: Mapping[str, Any]) -> str:
    """Return the line that says how to name data in a recipe or on the command line."""
    given = [f"data.options.{name}={shlex.quote(json.dumps(value))}" for name, value in options.items()]
    return " ".join([f"Use it with: data.source={source} data.path={shlex.quote(path)}", *given])
