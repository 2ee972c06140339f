"""`visionmtl check`."""

import argparse

from visionmtl.commands.arguments import add_recipe
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import


class Check(Command):
    """Read a recipe and its data, and show what would be trained."""

    rank = 6
    examples = """
        visionmtl check mine.yaml
        visionmtl check camvid data.path=data/camvid
        visionmtl check camvid data.path=data/camvid data.augmentation.mosaic=0.5 --pictures seen.png
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_recipe(parser)
        parser.add_argument(
            "--pictures", metavar="PNG", help="draw training pictures as they are learnt from, augmented, to this file"
        )

    def run(self, args: argparse.Namespace) -> None:
        from visionmtl import recipe as recipes

        recipe = recipes.load(args.recipe, args.overrides)
        with quiet_import():
            from visionmtl import training
        training.check(recipe, args.pictures)
