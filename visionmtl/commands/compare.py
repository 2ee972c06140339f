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
        visionmtl compare garments --vary balancing.method=equal,pcgrad --search learning_rate=1e-3,3e-3 --evaluate test
        visionmtl compare garments --vary model.sharing=hard,mtan --budget seconds=600 --shard 1/2
        visionmtl compare runs/compare-garments-1
        visionmtl compare runs/compare-garments-1 --merge other/compare-garments-1
    """
    more = """
        Every combination of all --vary is an arm, and so is each --arm; a model for each task alone is the baseline.
        An arm is trained at every seed into a run folder of its own, by a process of its own. What is finished is
        never trained twice: the same folder goes on where it was, and takes more arms and seeds.

        What is searched is tried for each arm, and for the baseline of each task, at the first seed; the best on
        validation is taken for all seeds. The arm "tuned fixed weights" tries each task three times as heavy, and three
        times as light, before. A budget of steps is the recipe's unless it says how many; of seconds, the baseline's
        models share an arm's; for parameters, necks are widened.

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
        parser.add_argument(
            "--search", action="append", default=[], metavar="KEY=A,B", help="values to choose from, arm by arm"
        )
        parser.add_argument(
            "--budget", metavar="WHAT", help="what all arms get the same of: steps[=N], seconds=N or parameters"
        )
        parser.add_argument("--no-fixed", action="store_true", help="leave out the arm of tuned fixed weights")
        parser.add_argument("--evaluate", metavar="SPLIT", help="measure the chosen models on it too, in the end")
        parser.add_argument("--jobs", type=int, default=1, metavar="N", help="trainings at once, a GPU each; default 1")
        parser.add_argument("--shard", metavar="I/N", help="train every N-th arm alone, from the I-th on")
        parser.add_argument("--merge", nargs="+", default=[], metavar="DIR", help="take over what others have trained")
        parser.add_argument("--run", metavar="DIR", help="the folder; default runs/compare-<recipe>-<n>")

    def run(self, args: argparse.Namespace) -> None:
        with quiet_import():
            from visionmtl.comparison.compare import Request, compare
            from visionmtl.training import cluster
        cluster.refuse_several("compare", "and part the arms by --shard")
        request = Request(
            args.recipe,
            overrides=args.overrides,
            vary=args.vary,
            arms=args.arm,
            search=args.search,
            seeds=args.seeds,
            budget=args.budget,
            fixed=not args.no_fixed,
            evaluate=args.evaluate,
            run=args.run,
            jobs=args.jobs,
            shard=args.shard,
            merge=args.merge,
        )
        compare(request, shlex.join(["visionmtl", *sys.argv[1:]]))
