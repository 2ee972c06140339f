"""`visionmtl merge`."""

import argparse

from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import


class Merge(Command):
    """Merge runs of different tasks into one model on one backbone, without training."""

    rank = 3
    examples = """
        visionmtl merge runs/boxes-1 runs/masks-1
        visionmtl merge runs/boxes-1 runs/masks-1 --out runs/both --method ties
        visionmtl merge runs/boxes-1 runs/masks-1 runs/depth-1 --scale 0.5 --batches 50
        visionmtl merge runs/boxes-1 runs/masks-1 --method adamerging
    """
    more = """
        What training added to each backbone is combined and added to the weights that all runs began with, which their
        recipes say: model.weights or model.start. Necks and heads stay as they were. The result is a run folder, which
        evaluate, predict, export and model.start take; `visionmtl evaluate` says what it reaches.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders of different tasks, two or more")
        parser.add_argument("--out", metavar="DIR", help="the run folder to make; default runs/merged-<n>")
        parser.add_argument(
            "--method",
            default="arithmetic",
            metavar="{arithmetic,ties,adamerging}",
            help="arithmetic sums what training added; ties keeps the largest of it, where runs agree on the sign;"
            " adamerging learns on training pictures, without their labels, how much of each variable is added;"
            " default arithmetic",
        )
        parser.add_argument(
            "--scale",
            type=float,
            metavar="X",
            help="of what is added to the start; default 0.4 of arithmetic, 1 of ties; adamerging learns it",
        )
        parser.add_argument(
            "--keep", type=float, metavar="FRACTION", help="of what training added, that ties keeps; default 0.2"
        )
        parser.add_argument(
            "--batches",
            type=int,
            metavar="N",
            help="of training pictures, on which the statistics of batch normalisation are measured anew; 0 for the"
            " mean of the runs'; default 20",
        )

        parser.add_argument("--steps", type=int, metavar="N", help="of adamerging, a batch each; default 500")

    def run(self, args: argparse.Namespace) -> None:
        with quiet_import():
            from visionmtl import merging
        given = {} if args.batches is None else {"batches": args.batches}
        run = merging.merge(args.runs, args.out, args.method, args.scale, args.keep, steps=args.steps, **given)
        print(f"Model {run / 'best.keras'}; what it reaches: visionmtl evaluate {run}")
