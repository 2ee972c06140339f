"""`visionmtl compare`."""

import argparse
import shlex
import sys

from visionmtl.commands.arguments import add_recipe
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import


class Compare(Command):
    """Train arms and the baseline of every task over several seeds, and say whether sharing paid."""

    rank = 3
    examples = """
        visionmtl compare garments --vary balancing.method=equal,uncertainty,pcgrad --seeds 5
        visionmtl compare garments --vary 'model.sharing=hard,{name: hard, until: P3}'
        visionmtl compare garments --arm "model.sharing=mtan balancing.method=equal" --arm balancing.method=pcgrad
        visionmtl compare runs/compare-garments-1
    """
    more = """
        Every combination of all --vary is an arm, and so is each --arm; a model for each task alone is the baseline.
        An arm is trained at every seed into a run folder of its own, by a process of its own. What is finished is
        never trained twice: the same folder goes on where it was, and takes more arms and seeds.

        exit status:
          0    all are trained
          2    a mistake in what was given, or a training failed; the others are trained
          75   stopped by a signal: `compare FOLDER`, as told, goes on
          130  stopped by Ctrl-C; `compare FOLDER` goes on
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_recipe(parser)
        parser.add_argument(
            "--vary", action="append", default=[], metavar="KEY=A,B", help="values of a key; all combinations are arms"
        )
        parser.add_argument(
            "--arm", action="append", default=[], metavar='"K=V K=V"', help="one arm more, by its changes to the recipe"
        )
        parser.add_argument("--seeds", type=int, metavar="N", help="how many; default 3")
        parser.add_argument("--run", metavar="DIR", help="the folder; default runs/compare-<recipe>-<n>")

    def run(self, args: argparse.Namespace) -> None:
        with quiet_import():
            from visionmtl.comparison.compare import Request, compare
        request = Request(args.recipe, args.overrides, args.vary, args.arm, seeds=args.seeds, run=args.run, fixed=False)
        compare(request, shlex.join(["visionmtl", *sys.argv[1:]]))
