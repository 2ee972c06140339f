"""`visionmtl predict`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.splits import split_called
from visionmtl.commands.arguments import add_model
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError

if TYPE_CHECKING:
    from visionmtl.model import MultiTaskModel
    from visionmtl.recipe import Recipe


class Predict(Command):
    """Predict on images: pictures with the predictions drawn on, and a COCO-style JSON."""

    rank = 3
    examples = """
        visionmtl predict runs/camvid-1 street.jpg --out predictions
        visionmtl predict best.keras photographs/ --out predictions
        visionmtl predict runs/garments-1 --split test
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_model(parser)
        parser.add_argument("images", nargs="*", metavar="IMAGE", help="JPEG or PNG files, or folders of them")
        parser.add_argument("--split", help="take pictures from this split of the run's data instead")
        parser.add_argument("--out", default="predictions", metavar="DIR", help="where to write; default predictions")

    def run(self, args: argparse.Namespace) -> None:
        if bool(args.images) == bool(args.split):
            raise UsageError("Give pictures to predict on, or --split to take them from the run's data.")
        with quiet_import():
            from visionmtl import prediction
            from visionmtl.training import runs
        model, recipe = runs.load_model(args.model)
        files = args.images
        if args.split:
            if recipe is None:
                raise UsageError(
                    f"--split needs a run folder, whose recipe says where the data is; '{args.model}' is a file."
                )
            files = save_split(recipe, model, args.split, Path(args.out, "pictures"))
        prediction.predict(model, files, args.out, recipe.data.resize if recipe else "stretch")


def save_split(recipe: "Recipe", model: "MultiTaskModel", split: str, folder: Path, count: int = 8) -> list[Path]:
    """Write pictures of a split of a recipe's data as PNG files, at the size of the network's input."""
    from visionmtl.drawing import samples
    from visionmtl.files import write_picture
    from visionmtl.training import building

    split = split_called(split, UsageError)
    datasets = building.data(recipe, [split], model)
    pixels, _, _ = samples.pick(datasets.splits[split], count)
    paths = [folder / f"{split}-{number:02d}.png" for number in range(1, len(pixels) + 1)]
    for path, image in zip(paths, pixels, strict=True):
        write_picture(path, image.astype("uint8"))
    return paths
