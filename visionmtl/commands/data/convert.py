"""`visionmtl data convert`."""

import argparse
from pathlib import Path

import pipelines
from pipelines.splits import SPLITS
from visionmtl.commands.command import Command
from visionmtl.commands.data._keys import add_on_error, add_source, source_of, used


class Convert(Command):
    """Write a data set in another format: COCO, Pascal VOC or YOLO."""

    rank = 3
    examples = """
        visionmtl data convert data/camvid --to yolo
        visionmtl data convert voc data.path=data/VOC2012 --to coco --out data/voc-as-coco --link
        visionmtl data convert data/coco128 --to voc --tasks detection --on-error skip
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_source(parser)
        parser.add_argument("--to", metavar="{coco,voc,yolo}", required=True, help="the format")
        parser.add_argument("--out", metavar="DIR", help="the folder to write; default <name>-<format>")
        parser.add_argument("--tasks", nargs="+", metavar="TASK", help="whose labels to write; default all it can hold")
        parser.add_argument("--link", action="store_true", help="link the pictures in place of copying them")
        add_on_error(parser)

    def run(self, args: argparse.Namespace) -> None:
        source, path, options = source_of(args, "convert")
        name = Path(path).resolve().stem if path else source
        out = args.out or f"{name}-{args.to}"
        splits = [args.split] if args.split else SPLITS
        done = pipelines.convert(
            source, args.to, out, path, splits, args.tasks, link=args.link, on_error=args.on_error, **options
        )
        print(report(done, out))


def report(done: "pipelines.Converted", out: str) -> str:
    """Return what was written as text."""
    from visionmtl.report import tables

    rows = []
    for name, pictures in done.splits.items():
        objects = [each for picture in pictures for each in picture.objects or ()]
        ignored = sum(each.crowd for each in objects)
        masks = sum(picture.masked for picture in pictures)
        rows.append([name, len(pictures), len(objects) - ignored, ignored, masks])
    texts = [tables.table(["split", "images", "objects", "ignored", "masks"], rows)]
    rules = [f"{count:,} {rule}" for rule, count in done.rules.items()]
    listings = (("Not written as it was", rules), ("Left out", done.skipped), ("Notes", done.notes))
    texts += [tables.listing(title, lines) for title, lines in listings if lines]
    texts.append(used(done.format, out, done.options))
    return "\n\n".join(texts)
