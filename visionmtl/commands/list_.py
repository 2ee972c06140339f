"""`visionmtl list`."""

import argparse

from visionmtl.commands._lists import LISTS, advice
from visionmtl.commands._printed import rows
from visionmtl.commands.command import Command
from visionmtl.errors import UsageError, one_of


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
        parser.add_argument("name", nargs="*", metavar="NAME", help="one of that list, to be told all about it")
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
        if args.what not in LISTS:
            having = [what for what, each in LISTS.items() if args.what in dict(each.each())]
            if having:
                raise UsageError(f"'{args.what}' is a name of a list: visionmtl list {having[0]} {args.what}")
        chosen = LISTS[one_of(args.what, LISTS, "list")]
        if not args.name:
            print(chosen.text())
            return
        name = " ".join(args.name)  # that of a layout has several words
        print(chosen.about(one_of(name, dict(chosen.each()), chosen.one)))
