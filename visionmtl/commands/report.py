"""`visionmtl report`."""

import argparse
from pathlib import Path

from visionmtl import known_by
from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import UsageError

# What lies in folders that have a recipe and are no runs, and which command makes them.
OTHERS = {known_by.COMPARISON: "compare", known_by.AFFINITY: "affinity", known_by.STUDY: "tune"}


class Report(Command):
    """Write the page of a run anew, or of several runs one that compares them."""

    rank = 2
    examples = """
        visionmtl report runs/garments-1
        visionmtl report runs/garments-1 runs/garments-2
        visionmtl report runs/garments-1 runs/garments-2 --out compared.html
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("runs", metavar="RUN", nargs="+", help="run folders, finished or not")
        parser.add_argument(
            "--out", metavar="FILE", help="the page that compares runs; default runs.html beside the first"
        )

    def run(self, args: argparse.Namespace) -> None:
        by_place: dict[Path, Path] = {}
        for folder in map(Path, args.runs):
            if not (folder / "recipe.yaml").is_file():
                raise UsageError(f"'{folder}' is no run folder: there is no recipe.yaml in it.")
            for file, command in OTHERS.items():
                if (folder / file).is_file():
                    raise UsageError(
                        f"'{folder}' is a folder of `visionmtl {command}`, which writes its own page: give run folders."
                    )
            if by_place.setdefault(folder.resolve(), folder) is not folder:
                print(f"'{folder}' is given twice: it is taken once.")
        folders = list(by_place.values())
        if args.out is not None and len(folders) == 1:
            raise UsageError("--out names the page that compares runs: give two or more, or leave it out.")
        path = folders[0].resolve().parent / "runs.html" if args.out is None else Path(args.out)
        if path.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"The page was to be written to '{path}': name a file that ends in .html.")
        with quiet_import():
            from visionmtl import report
        for folder in folders:
            print(f"Report {report.write(folder)}")
        if len(folders) > 1:
            print(f"Report {report.compare(folders, path)}")
