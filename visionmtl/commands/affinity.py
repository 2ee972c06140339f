"""`visionmtl affinity`."""

import argparse
import shlex

from visionmtl.commands.arguments import add_recipe
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError


class Affinity(Command):
    """Look at which tasks of a recipe help and hinder each other, and write the groups to train together."""

    rank = 3
    examples = """
        visionmtl affinity garments
        visionmtl affinity camvid data.path=data/camvid --models 2 --seeds 3
        visionmtl affinity garments --verify 0.1
        visionmtl affinity --self-test
    """
    more = """
        The recipe is trained once a seed, and looked at every so many steps: that takes at most 1.3 of its time,
        or more of a training that is too short for eight looks. What was seen lies in runs/affinity-<recipe>-<n>/:
        affinity.html, affinity.json, plots/ and group-1.yaml, ..., which `visionmtl train` takes. The self-test takes
        about as long as training garments five times.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_recipe(parser, optional=True)
        parser.add_argument("--models", type=int, metavar="N", help="to divide the tasks among at most; default 2")
        parser.add_argument("--seeds", type=int, metavar="N", help="how many trainings; default 1, of --self-test 5")
        parser.add_argument(
            "--verify", type=float, metavar="FRACTION", help="train every pair of tasks for this part of the budget too"
        )
        parser.add_argument(
            "--self-test", action="store_true", help="look for tasks planted on the embedded garments instead"
        )
        parser.add_argument("--run", metavar="DIR", help="the folder to write; default runs/affinity-<recipe>-<n>")

    def run(self, args: argparse.Namespace) -> None:
        from visionmtl import recipe as recipes

        more = args.recipe or args.models is not None or args.verify is not None
        if (args.self_test and more) or not (args.self_test or args.recipe):
            raise UsageError(
                "Give a recipe whose tasks to look at, or --self-test, which takes --seeds and --run and nothing else."
            )
        recipe = recipes.load(args.recipe, args.overrides) if args.recipe else None
        with quiet_import():
            from visionmtl.comparison import affinity
            from visionmtl.training import cluster
        cluster.refuse_several("affinity", "and look on one of them")
        if recipe is None:
            affinity.self_test(args.run, 5 if args.seeds is None else args.seeds)
        else:
            seeds, models = 1 if args.seeds is None else args.seeds, 2 if args.models is None else args.models
            affinity.affinity(recipe, args.run, models, seeds, args.verify, _command(args, models))


def _command(args: argparse.Namespace, models: int) -> str:
    """Return the command line that does this again."""
    words = ["visionmtl", "affinity", args.recipe, *args.overrides, "--models", str(models)]
    words += ["--seeds", str(args.seeds)] if args.seeds else []
    words += ["--verify", f"{args.verify:g}"] if args.verify is not None else []
    return shlex.join(words)
