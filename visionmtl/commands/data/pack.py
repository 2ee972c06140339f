"""`visionmtl data pack`."""

import argparse
from functools import partial
from typing import Any

import pipelines
from pipelines.splits import SPLITS
from visionmtl import stopping
from visionmtl.commands.command import Command
from visionmtl.commands.data._keys import add_on_error, add_source, source_of, used


class Pack(Command):
    """Write a data set as shards of TFRecord, to be read faster, or elsewhere."""

    rank = 2
    examples = """
        visionmtl data pack data/camvid --out data/camvid-packed
        visionmtl data pack tfds data.options.name=voc --out /mnt/fast/voc --shard-mb 512 --on-error skip
        visionmtl train camvid data.source=packed data.path=data/camvid-packed
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_source(parser)
        parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write, or to go on with")
        parser.add_argument("--shard-mb", type=float, default=256, metavar="MB", help="of a shard, about; default 256")
        add_on_error(parser)

    def run(self, args: argparse.Namespace) -> None:
        source, path, options = source_of(args, "pack")
        splits = [args.split] if args.split else SPLITS
        given: dict[str, Any] = {"shard_mb": args.shard_mb, "on_error": args.on_error, **options}
        try:
            done = pipelines.pack(source, args.out, path, splits, tell=partial(print, flush=True), **given)
        except KeyboardInterrupt as stopped:
            raise stopping.saying(stopped, "The same command goes on from the shards that are whole.") from None
        if not done.written:
            print(f"'{args.out}' is packed already and whole: there is nothing to do.")
        elif done.kept:
            print(f"{done.kept} of {done.kept + done.written} shards were there from before.")
        print(f"\n{report(done, args.out)}")


def report(done: "pipelines.Packed", out: str) -> str:
    """Return what was packed as text."""
    from visionmtl.report import tables

    rows = []
    for name, split in done.pack.splits.items():
        rows.append([name, len(split.names), len(split.shards), sum(shard.bytes for shard in split.shards) / 1e6])
    texts = [tables.table(["split", "images", "shards", "MB"], rows)]
    texts += [tables.listing(*pair) for pair in (("Left out", done.skipped), ("Notes", done.notes)) if pair[1]]
    texts.append(used("packed", out, {}))
    return "\n\n".join(texts)
