"""`visionmtl train`."""

import argparse

from visionmtl.commands.arguments import add_recipe
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError


class Train(Command):
    """Train a recipe into a run folder."""

    rank = 1
    examples = """
        visionmtl train garments
        visionmtl train camvid data.path=data/camvid training.epochs=5
        visionmtl train garments --evaluate test
        visionmtl train --resume runs/camvid-1
    """
    more = """
        SIGTERM, SIGUSR1 (as `sbatch --signal=USR1@120` sends), SIGHUP and Ctrl-C end the step, write a checkpoint and
        stop; a second one stops at once.

        exit status:
          0    trained and measured
          1    a fault of visionmtl
          2    a mistake in what was given, a full disk, too little memory, or a run that another process trains
          75   stopped by a signal: `--resume RUN`, as told, goes on
          130  stopped by Ctrl-C; `--resume RUN` goes on
          129, 138, 143  stopped by SIGHUP, SIGUSR1 or SIGTERM before there was a run folder
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_recipe(parser, optional=True)
        parser.add_argument(
            "--evaluate", metavar="SPLIT", help="another split to measure in the end, beside validation"
        )
        parser.add_argument("--run", metavar="DIR", help="the run folder to make; default runs/<recipe>-<n>")
        parser.add_argument("--resume", metavar="RUN", help="go on with a run that was interrupted")

    def run(self, args: argparse.Namespace) -> None:
        from visionmtl import recipe as recipes

        if bool(args.recipe) == bool(args.resume) or (args.resume and args.run):
            raise UsageError("Give a recipe to train, or --resume RUN alone to go on with a run.")
        recipe = None if args.resume else recipes.load(args.recipe, args.overrides)
        with quiet_import():
            from visionmtl import training
        if recipe is None:
            training.resume(args.resume, also=args.evaluate)
        else:
            training.train(recipe, args.run, also=args.evaluate)
