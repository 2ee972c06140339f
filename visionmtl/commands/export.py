"""`visionmtl export`."""

import argparse
from pathlib import Path
from typing import Any

from visionmtl.commands.arguments import add_model
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError, some_of


class Export(Command):
    """Write a model in forms that other programs load: a SavedModel, ONNX, LiteRT, OpenVINO."""

    rank = 4
    examples = """
        visionmtl export runs/camvid-1
        visionmtl export runs/camvid-1 --to saved_models --name streets
        visionmtl export runs/garments-1 --confidence 0.4
        visionmtl export runs/garments-1 --format savedmodel,onnx
        visionmtl export runs/garments-1 --tasks detection,segmentation
        visionmtl export runs/garments-1 --size 96x128 --batch 1
        visionmtl export runs/garments-1 --format savedmodel,litert --precision float32,int8
    """
    more = """
        Each format is loaded in a fresh process by its own runtime alone, and compared with the model on pictures of
        the validation split, or on made-up ones where that is not there. One that says something else is not exported.

        A precision is that of the network; resizing, decoding and suppression stay in float32. int8 is calibrated on
        200 pictures of the training split. Of each precision but float32 the metrics are measured on up to 500 pictures
        of the validation split: where one falls by more than --metric-change, nothing is exported.
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
            help="savedmodel, onnx, litert, openvino, or several parted by commas; default savedmodel",
        )
        parser.add_argument(
            "--precision",
            default="float32",
            metavar="PRECISIONS",
            help="float32, float16, dynamic, int8, or several parted by commas: each format in those it has;"
            " default float32",
        )
        parser.add_argument(
            "--metric-change",
            type=float,
            metavar="X",
            help="what a precision may lose of a task's metric; default export.metric_change of the recipe, 0.01",
        )
        parser.add_argument(
            "--tasks",
            metavar="TASKS",
            help="what is exported, parted by commas; what only others need is left out; default all",
        )
        parser.add_argument(
            "--size", metavar="HxW", help="of the network's input in pixels; default that of its training"
        )
        parser.add_argument(
            "--batch",
            choices=["1", "dynamic"],
            default="dynamic",
            help="pictures in a batch, 1 where a runtime wants to know it; default dynamic, any number",
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
            from visionmtl.commands import _evidence
            from visionmtl.training import runs
        wanted_size = size(args.size)
        formats, precisions = export.chosen(args.format), export.precisions.wanted(args.precision)
        export.precisions.check({each: export.FORMATS[each] for each in formats}, precisions)
        if args.metric_change is not None and set(precisions) == {"float32"}:
            raise UsageError("--metric-change is for other precisions than float32: name one by --precision.")
        model, recipe = runs.load_model(args.model)
        name = args.name or (recipe.name if recipe else Path(args.model).stem)
        recipe = recipe or runs.kept_recipe(model)
        if args.tasks is not None:  # told before pictures are read
            some_of(args.tasks, model.tasks, "task")
        shown = _evidence.pictures(recipe)
        print(shown.told)
        given: dict[str, Any] = {"about": {"pictures_of": shown.told}}
        if set(precisions) != {"float32"}:
            labelled = _evidence.validation(recipe, model, wanted_size)
            print(labelled.told)
            given |= {"validation": labelled.batches}
        if "int8" in precisions:
            drawn = _evidence.calibration(recipe, model, wanted_size)
            print(drawn.told)
            given |= {"calibration": drawn.pictures}
            given["about"] |= {"calibration": {"split": "train", "pictures": len(drawn.pictures), "seed": drawn.seed}}
        bound = args.metric_change
        if bound is None and recipe is not None:
            bound = recipe.export.metric_change
        folder = export.save(
            model,
            Path(args.to, name),
            confidences=args.confidence,
            format=formats,
            pictures=shown.pictures,
            tasks=args.tasks,
            size=wanted_size,
            batch=None if args.batch == "dynamic" else int(args.batch),
            precision=precisions,
            origin=_origin(Path(args.model)),
            **given,
            **({} if bound is None else {"metric_change": bound}),
        )
        print(f"Exported to {folder}", *export.told(folder), sep="\n  ")


def _origin(path: Path) -> Any:
    """Return what a run's folder says of its training; nothing for a file alone."""
    from visionmtl import export
    from visionmtl.training import runs

    return export.Origin(runs.read_metrics(path), runs.read_images(path)) if path.is_dir() else None


def size(text: str | None) -> tuple[int, int] | None:
    """Return height and width, as "96x128" says them; None for None.

    Raises:
        UsageError: it says no size.
    """
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        raise UsageError(f"--size is '{text}': expected height and width in pixels, as 288x384.")
    return int(sides[0]), int(sides[1])
