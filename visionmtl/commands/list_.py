"""`visionmtl list`."""

import argparse

from visionmtl.commands._lists import LISTS, advice
from visionmtl.commands._printed import rows
from visionmtl.commands.command import Command
from visionmtl.errors import UsageError, closest, one_of


class List(Command):
    """Show the names a recipe can use, or all that is known of one of them."""

    rank = 5
    examples = """
        visionmtl list
        visionmtl list keys
        visionmtl list balancing pcgrad
        visionmtl list balancing --by symptom
    """
    more = """
        Of a name: what it is, its options with their ranges and defaults, the paper, and what it costs. With --by,
        which balancer to take for what a training shows, or for a kind of task, and what was measured of that.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        help_ = f"one of {', '.join(LISTS)}; default all of their names"
        parser.add_argument("what", nargs="?", metavar="WHAT", help=help_)
        parser.add_argument(
            "name", nargs="*", default=[], metavar="NAME", help="one of that list, to be told all about it"
        )
        parser.add_argument("--by", metavar="{symptom,task}", help="of balancing: advice by what is seen, or by task")

    def run(self, args: argparse.Namespace) -> None:
        if args.by is not None:
            if args.what != "balancing" or args.name:
                raise UsageError("--by gives advice on balancing: visionmtl list balancing --by symptom")
            print(advice(args.by))
            return
        if args.what is None:
            names = [(what, "; ".join(name for name, _ in each.each())) for what, each in LISTS.items()]
            print(rows(names), end="\n\n")
            print("visionmtl list WHAT says what each is, visionmtl list WHAT NAME all that is known of one.")
            return
        if args.what not in LISTS and closest(args.what, LISTS) is None:
            of = {name: what for what, each in reversed(LISTS.items()) for name, _ in each.each()}
            if (name := closest(args.what, of)) is not None:
                is_one = "is" if name == args.what else "is no list, but may be"
                raise UsageError(f"'{args.what}' {is_one} a name of a list: visionmtl list {of[name]} {name}")
        chosen = LISTS[one_of(args.what, LISTS, "list")]
        if not args.name:
            print(chosen.text())
            return
        name = " ".join(args.name)  # that of a layout has several words
        print(chosen.about(one_of(name, dict(chosen.each()), chosen.one)))
