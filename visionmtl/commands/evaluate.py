"""`visionmtl evaluate`."""

import argparse

from pipelines.splits import CHOICE
from visionmtl.commands.arguments import add_device, add_overrides, add_tta
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import


class Evaluate(Command):
    """Measure a run's best model on a split, and keep the figures beside the run's."""

    rank = 2
    examples = """
        visionmtl evaluate runs/garments-1
        visionmtl evaluate runs/camvid-1 --split test data.path=data/camvid
        visionmtl evaluate runs/camvid-1 --split test --tta flip,0.75,1.25
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", help="a run folder")
        add_overrides(parser)
        parser.add_argument("--split", default="validation", help=f"{CHOICE}, or val for short; default %(default)s")
        add_tta(parser)
        add_device(parser)

    def run(self, args: argparse.Namespace) -> None:
        with quiet_import():
            from visionmtl import training
            from visionmtl.training import devices
        devices.use(args.device)
        training.evaluate(args.run, args.split, args.overrides, args.tta)
