"""`visionmtl data inspect`."""

import argparse

from visionmtl import stopping
from visionmtl.commands.command import Command
from visionmtl.commands.data._keys import add_source, source_of
from visionmtl.commands.quiet import quiet_import


class Inspect(Command):
    """Count what is in a data set, list what is broken, and draw pictures with their labels."""

    rank = 1
    examples = """
        visionmtl data inspect data/camvid
        visionmtl data inspect voc data.path=data/VOC2012 data.options.lists=Segmentation
        visionmtl data inspect garments --out scenes.png
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_source(parser)
        parser.add_argument("--out", metavar="PNG", help="the contact sheet to write; default <name>-contact.png")

    def run(self, args: argparse.Namespace) -> None:
        source, path, options = source_of(args, "inspect")
        with quiet_import():
            from visionmtl.commands.data import _inspection
        with stopping.told("Nothing was written."):
            _inspection.inspect(source, path, options, args.split, args.out)
