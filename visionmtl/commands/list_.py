"""`visionmtl list`."""

import argparse
import json
from collections.abc import Callable, Iterable

from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import one_of


def backbones() -> None:
    """Print the backbones, each with its parameters and where its weights come from."""
    with quiet_import():
        from visionmtl import backbones
    _print((name, backbones.describe(name)) for name in backbones.names())


def sharing() -> None:
    """Print the sharing schemes."""
    with quiet_import():
        from visionmtl import sharing
    _print((name, sharing.describe(name)) for name in sharing.names())


def balancing() -> None:
    """Print the balancers, and what each promises and costs."""
    with quiet_import():
        from visionmtl.balancing import catalogue
        from visionmtl.report import tables
    print(tables.table(catalogue.Entry._fields, catalogue.entries()))
    print(f"\n{catalogue.NOTE}")


def recipes() -> None:
    """Print the built-in recipes."""
    from visionmtl import recipe

    _print((name, recipe.summary(name)) for name in recipe.built_in())


def sources() -> None:
    """Print the sources of data and the options of each."""
    with quiet_import():
        from pipelines import sources
    _print((name, sources.describe(name)) for name in sources.names())
    print("\nTheir own options, as data.options.<option>:")
    options = [(name, option) for name in sources.names() for option in sources.SOURCES[name].options()]
    _print((f"{name} {option.name}={json.dumps(option.default)}", option.meaning) for name, option in options)


def layouts() -> None:
    """Print the layouts by which a folder is recognised, and how each looks."""
    with quiet_import():
        from pipelines import sources
    layouts = [layout for name in sources.names() for layout in sources.SOURCES[name].layouts]
    _print((layout.name, layout.look) for layout in layouts)


def keys() -> None:
    """Print every key of a recipe."""
    from visionmtl import recipe

    _print((f"{key.name}={key.default}", key.description) for key in recipe.each_key())


LISTS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (backbones, sharing, balancing, recipes, sources, layouts, keys)
}


class List(Command):
    """Show the names a recipe can use."""

    rank = 5
    examples = """
        visionmtl list
        visionmtl list keys
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        help_ = f"one of {', '.join(LISTS)}; default all of their names"
        parser.add_argument("what", nargs="?", metavar="WHAT", help=help_)

    def run(self, args: argparse.Namespace) -> None:
        if args.what is None:
            print(f"visionmtl list WHAT, where WHAT is one of: {', '.join(LISTS)}")
        else:
            LISTS[one_of(args.what, LISTS, "list")]()


def _print(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and what they mean, the meanings below each other."""
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    for name, meaning in rows:
        print(f"{name:<{width}}  {meaning}".rstrip())
