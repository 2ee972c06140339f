"""`visionmtl train`."""

import argparse
import shlex

from visionmtl import stopping
from visionmtl.commands.arguments import add_device, add_recipe
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
        visionmtl train --replay runs/camvid-1/nan-1
    """
    more = """
        Over several machines every worker runs the same command, and TF_CONFIG says which they are: see
        training.strategy of `visionmtl list keys`.

        SIGTERM, SIGUSR1 (as `sbatch --signal=USR1@120` sends), SIGHUP and Ctrl-C end the step, write a checkpoint and
        stop; a second one stops at once.

        exit status:
          0    trained and measured
          1    a fault of visionmtl
          2    a mistake in what was given, a full disk, too little memory, a run that another process
               trains, or steps that were all NaN or infinite
          75   stopped by a signal, or by the end of another worker: `--resume RUN`, as told, goes on
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
        parser.add_argument("--replay", metavar="STEP", help="do a step again that was NaN or infinite: RUN/nan-1")
        add_device(parser)

    def run(self, args: argparse.Namespace) -> None:
        given = [bool(args.recipe), bool(args.resume), bool(args.replay)]
        if sum(given) != 1 or (args.run and not args.recipe) or (args.replay and args.evaluate):
            raise UsageError(
                "Give a recipe to train, or --resume RUN alone to go on with a run, or --replay RUN/nan-1 alone to do "
                "a step again."
            )
        go_on = f"Go on with: visionmtl train --resume {shlex.quote(args.resume)}" if args.resume else ""
        with stopping.told(
            go_on or "There is no run folder yet, and nothing to go on from.", resumable=bool(args.resume)
        ):
            self._train(args)

    def _train(self, args: argparse.Namespace) -> None:
        from visionmtl import recipe as recipes

        recipe = recipes.load(args.recipe, args.overrides) if args.recipe else None
        with quiet_import():
            from visionmtl import training
            from visionmtl.training import devices
        devices.use(args.device)
        if recipe is not None:
            training.train(recipe, args.run, also=args.evaluate)
        elif args.resume:
            training.resume(args.resume, also=args.evaluate)
        else:
            training.replay(args.replay)
