"""`visionmtl export`."""

import argparse
from pathlib import Path

from visionmtl.commands.arguments import add_model
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import


class Export(Command):
    """Write a model in forms that other programs load: as a SavedModel for TensorFlow alone, as ONNX, or both."""

    rank = 4
    examples = """
        visionmtl export runs/camvid-1
        visionmtl export runs/camvid-1 --to saved_models --name streets
        visionmtl export runs/garments-1 --confidence 0.4
        visionmtl export runs/garments-1 --format savedmodel,onnx
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_model(parser)
        parser.add_argument(
            "--to", default="saved_models", metavar="DIR", help="where exports land; default saved_models"
        )
        parser.add_argument(
            "--format",
            default="savedmodel",
            metavar="FORMATS",
            help="savedmodel, onnx, or several parted by commas, written into one version; default savedmodel",
        )
        parser.add_argument("--name", help="of the export; default the recipe's, or the file's")
        parser.add_argument(
            "--confidence",
            type=float,
            metavar="SCORE",
            help="from which on objects are told; default that of each class of the best F1 on validation",
        )

    def run(self, args: argparse.Namespace) -> None:
        with quiet_import():
            from visionmtl import export
            from visionmtl.training import runs
        formats = export.chosen(args.format)
        model, recipe = runs.load_model(args.model)
        name = args.name or (recipe.name if recipe else Path(args.model).stem)
        folder = export.save(model, Path(args.to, name), confidences=args.confidence, format=formats)
        print(f"Exported to {folder}: {', '.join(formats)}")
