"""`visionmtl predict`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.splits import SHORT
from visionmtl.commands.arguments import add_device, add_model, add_tta, among
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError

if TYPE_CHECKING:
    from visionmtl.prediction.finishing import Done

SOME_UNREADABLE = 3  # exit status
MERGE = "merge"


class Predict(Command):
    """Predict on images or videos: COCO's results, masks, a record of each, and all of it drawn on them."""

    rank = 3
    examples = """
        visionmtl predict runs/camvid-1 street.jpg --out predictions
        visionmtl predict best.keras photographs/ --out predictions --overlays none
        visionmtl predict runs/camvid-1 --split val --confidence 0
        visionmtl predict runs/camvid-1 photographs/ --format labelme --confidence 0.5 car=0.7
        visionmtl predict runs/camvid-1 photographs/ --shard 1/4 --resume
        visionmtl predict merge predictions
        visionmtl predict runs/camvid-1 drive.mp4
    """
    more = """
        Written to --out: predictions.jsonl, a line a picture; detections.json, COCO's results; labels.json, classes and
        ids; masks/TASK/*.png of class ids; depth/TASK/*.npy of metres; overlays/*.png. docs/predictions.md has their
        forms. --confidence 0 keeps all boxes, as COCO's evaluation wants them. In a folder, what is no picture is set
        aside by rules that are printed, and so is what predict wrote before.

        Of videos (extra video): videos/*.mp4, each frame at the time that it had, and frames/*.jsonl, a line a frame.
        Objects are followed from frame to frame, so that their boxes do not flicker.

        Exit status: 0 all predicted; 3 some pictures could not be read, which are listed, and all others are predicted;
        2 none could, or a mistake; 75 stopped by a signal, 130 by Ctrl-C: --resume goes on.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_model(parser)
        help_ = "picture files, or folders of them; or videos"
        parser.add_argument("images", nargs="*", default=[], metavar="IMAGE", help=help_)
        parser.add_argument(
            "--split", metavar=among(SHORT), help="take all pictures of one split of the data it was trained on"
        )
        parser.add_argument("--out", metavar="DIR", help="where to write; default predictions")
        parser.add_argument("--tasks", nargs="+", metavar="TASK", help="predict these tasks alone; default all")
        parser.add_argument(
            "--confidence",
            "--conf",
            nargs="+",
            metavar="X",
            help="from which score on boxes count, as 0.4 or car=0.6; default the model's own, else all above 0.01",
        )
        parser.add_argument(
            "--overlays", default="all", metavar="N", help="pictures drawn on: all, none, or the first N; default all"
        )
        parser.add_argument("--format", metavar="{coco,labelme,yolo,csv}", help="write a data set too")
        parser.add_argument("--link", action="store_true", help="link the pictures of that data set, do not copy them")
        parser.add_argument("--annotations", metavar="JSON", help="a COCO file whose ids images and categories get")
        parser.add_argument("--resume", action="store_true", help="go on: what is written already is skipped")
        parser.add_argument(
            "--replace", action="store_true", help="begin anew: what is there of predictions is removed"
        )
        parser.add_argument(
            "--no-smoothing", action="store_true", help="of videos: boxes as found in each frame by itself"
        )
        parser.add_argument("--maps", action="store_true", help="of videos: write masks and depth of every frame too")
        parser.add_argument("--shard", metavar="I/N", help="one of N parts; `visionmtl predict merge DIR` joins them")
        add_tta(parser)
        parser.add_argument("--batch", type=int, default=8, metavar="N", help="pictures at once; default 8")
        add_device(parser)

    def run(self, args: argparse.Namespace) -> int:
        if args.model == MERGE:
            return _status(_merged(args))
        if bool(args.images) == bool(args.split):
            raise UsageError("Give pictures to predict on, or --split to take them from the run's data.")
        if args.split and args.annotations:
            raise UsageError("The ids of a split are those of its own data: leave --annotations out.")
        if args.batch < 1:
            raise UsageError(f"--batch is {args.batch}: expected a number of pictures, 1 or more.")
        with quiet_import():
            from visionmtl import prediction
            from visionmtl.tasks import fitting
            from visionmtl.tasks.views import Views
            from visionmtl.training import confidences, devices, runs
        devices.use(args.device)
        out = args.out or "predictions"
        shard = prediction.Shard.parsed(args.shard) if args.shard else None
        given: dict[str, Any] = {
            "confidence": confidence(args.confidence),
            "overlays": overlays(args.overlays),
            "format": args.format,
            "link": args.link,
            "resume": args.resume,
            "replace": args.replace,
            "shard": shard,
            "batch_size": args.batch,
            "tta": args.tta,
            "smooth": not args.no_smoothing,
            "maps": args.maps,
        }
        options, films = prediction.Options(**given), prediction.films(args.images)
        if films and args.annotations:
            raise UsageError("The frames of videos have no ids in a COCO file: leave --annotations out.")
        if films:
            prediction.video.check(options)
        elif args.no_smoothing or args.maps:
            raise UsageError("--no-smoothing and --maps are of videos, and pictures were given: leave them out.")
        model, recipe = runs.load_model(args.model)
        model = model.subset(args.tasks) if args.tasks else model
        for sentence in fitting.told(model.tasks) if args.tasks else ():
            print(sentence)
        if args.tta:
            confidences.take_of_views(model, Path(args.model), Views.parsed(args.tta))
        if films:
            return _status(prediction.video.run(model, films, out, options))
        if not args.split:
            wanted = prediction.on_disk(args.images, out, args.annotations)
        else:
            recipe = recipe or runs.kept_recipe(model)
            if recipe is None:
                raise UsageError(
                    f"--split needs a recipe that says where the data is, and '{args.model}' keeps none: give its run"
                    " folder."
                )
            wanted = prediction.of_split(recipe, args.split)
        done = prediction.run(model, wanted, out, options)
        if shard:
            print(f"When all {shard.count} shards are there: visionmtl predict merge {out}")
        return _status(done)


def _merged(args: argparse.Namespace) -> "Done":
    from visionmtl import prediction

    return prediction.merge(args.images, args.out)


def _status(done: "Done") -> int:
    return SOME_UNREADABLE if done.unreadable else 0


def overlays(text: str) -> int | None:
    """Return how many pictures "all", "none" or a number means; None for all.

    Raises:
        UsageError: it means nothing.
    """
    if text == "all":
        return None
    if text == "none" or text.isdecimal():
        return 0 if text == "none" else int(text)
    raise UsageError(f"--overlays is '{text}': expected all, none, or how many of the first pictures.")


def confidence(texts: Sequence[str] | None) -> Any:
    """Return what "0.4" or "car=0.6" say: a number for all classes, or numbers by class; None for nothing.

    Raises:
        UsageError: one is no number.
    """
    if not texts:
        return None
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise UsageError(f"--confidence is '{text}': expected a number, as 0.4 or car=0.6.") from None
    return found[""] if set(found) == {""} else found
