"""`visionmtl data split`."""

import argparse
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pipelines
from visionmtl.commands.command import Command
from visionmtl.commands.data._keys import add_on_error, add_source, source_of, used


class Split(Command):
    """Divide a data set by group, with like classes in all splits, into lists that are then read as splits."""

    rank = 4
    examples = """
        visionmtl data split data/streets --by 'name:^[^_]+' --fractions 0.8 0.2
        visionmtl data split data/patients --by column:patient --table patients.csv --out patients-splits
        visionmtl data split data/videos --by folder:2
        visionmtl train streets.yaml data.path=data/streets data.options.split_lists=streets-splits
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_source(parser, whole=True)
        help_ = "of one group: folder, folder:2 (the second on the way), name:REGEX, column:NAME or image (each alone)"
        parser.add_argument("--by", metavar="GROUP", required=True, help=help_)
        help_ = "of the images, for train, val and test; two leave test out; default 0.8 0.1 0.1"
        parser.add_argument("--fractions", nargs="+", type=float, default=[0.8, 0.1, 0.1], metavar="F", help=help_)
        parser.add_argument(
            "--seed", type=int, default=0, metavar="N", help="of the order of groups that are alike; default 0"
        )
        parser.add_argument(
            "--table", metavar="CSV", help="with the column, and that of the image files; default the data's"
        )
        parser.add_argument("--out", metavar="DIR", help="the folder of the lists; default <name>-splits")
        add_on_error(parser)

    def run(self, args: argparse.Namespace) -> None:
        source, path, options = source_of(args, "split")
        out = args.out or f"{Path(path).resolve().stem if path else source}-splits"
        given: dict[str, Any] = {"table": args.table, "on_error": args.on_error, **options}
        done = pipelines.split(source, args.by, out, path, args.fractions, args.seed, **given)
        print(report(done, out, options))


def report(done: "pipelines.Divided", out: str, options: Mapping[str, Any]) -> str:
    """Return as text how a set was divided: images, groups, and how much of each class fell to which split."""
    import numpy as np

    from pipelines import kinds
    from visionmtl.report import tables

    total = sum(len(part.names) for part in done.splits.values())
    rows: list[list[Any]] = [
        [name, len(part.names), f"{len(part.names) / total:.1%}", part.groups] for name, part in done.splits.items()
    ]
    texts = [tables.table(["split", "images", "fraction", "groups"], rows)]
    for spec in done.specs:
        if not spec.classes:
            continue
        counts = [part.counts[spec.name] for part in done.splits.values()]
        sums = np.sum(counts, axis=0)
        commonest = np.argsort(-sums, kind="stable").tolist()
        shown = [
            [spec.classes[place], *(_counted(int(own[place]), int(sums[place])) for own in counts)]
            for place in commonest[: tables.LISTED]
        ]
        if len(commonest) > tables.LISTED:
            rest = commonest[tables.LISTED :]
            parts = (_counted(int(own[rest].sum()), int(sums[rest].sum())) for own in counts)
            shown.append([f"({len(rest)} more)", *parts])
        unit = kinds.of(spec).unit
        texts.append(tables.table([spec.name, *(f"{unit} in {split}" for split in done.splits)], shown))
    texts += [tables.listing(*pair) for pair in (("Left out", done.skipped), ("Notes", done.notes)) if pair[1]]
    texts.append(f"{used(done.source, done.path, options)} data.options.split_lists={shlex.quote(out)}")
    return "\n\n".join(texts)


def _counted(count: int, total: int) -> str:
    return f"{count:,} ({count / total:.0%})" if total else "0"
