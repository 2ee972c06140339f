"""Arguments that say which data a verb is about."""

import argparse
from typing import Any

from pipelines.splits import CHOICE, split_called
from visionmtl.errors import UsageError


def add_source(parser: argparse.ArgumentParser, whole: bool = False) -> None:
    """Take a source of data, its path, its options and, unless it is always taken whole, one of its splits."""
    help_ = "a folder or CSV file, or a name of `visionmtl list sources`"
    parser.add_argument("source", metavar="SOURCE", help=help_)
    help_ = "data.path and data.options.<option>"
    parser.add_argument("overrides", nargs="*", metavar="key=value", help=help_)
    if whole:
        parser.set_defaults(split=None)
    else:
        parser.add_argument("--split", help=f"{CHOICE} alone; default all that are there")


def path_and_options(args: argparse.Namespace, verb: str) -> tuple[str | None, dict[str, Any]]:
    """Return what a verb of `data` was told of the path and the options of its source; check its split."""
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
    return path, options
