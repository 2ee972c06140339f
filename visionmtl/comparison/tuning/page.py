"""A study as one page: its best trials, what matters, its charts and the commands that go on from it."""

import html
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from visionmtl.comparison.tuning.asking import Asked
from visionmtl.files import write_text
from visionmtl.recipe import Recipe
from visionmtl.report import document

FIRST = ("pareto", "values", "parameters")  # the charts of the page, in this order


def write(
    folder: Path,
    asked: Asked,
    recipe: Recipe,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    shares: Mapping[str, Mapping[str, float]],
) -> Path:
    """Write `report.html` into a study's folder, and return its path.

    Args:
        folder: of the study, with its charts in `plots/`.
        asked: what the study was asked.
        recipe: what is not searched.
        header: of the table of trials, whose second column has how each ended.
        rows: of that table.
        shares: of a log, which share of its differences is a parameter's, where it is known.
    """
    ends = [row[1] for row in rows]
    counts = [(end, str(ends.count(end))) for end in dict.fromkeys(ends)]
    about = [("recipe", recipe.name), ("to raise or lower", ", ".join(asked.objectives))]
    if asked.logs != [recipe.training.monitor]:
        about.append(("measured in the epoch", f"of the highest {recipe.training.monitor}, whose model is kept"))
    keys = dict.fromkeys(key for of in shares.values() for key in of)
    matters = [[key, *(f"{of[key]:.0%}" if key in of else None for of in shares.values())] for key in keys]
    body = [
        f"<h1>{html.escape(folder.resolve().name)}</h1>",
        document.facts([*about, *counts]),
        document.section("Trials", _scrolling(document.table(header, rows)) if rows else "", "None has ended."),
        document.section(
            "What matters",
            document.table(["key", *(f"share of the differences in {log} (PED-ANOVA)" for log in shares)], matters)
            if matters
            else "",
            "Too few trials have ended to tell.",
        ),
        document.section("Charts", _charts(folder), "There is nothing to draw yet."),
        document.section("Searched", f"<pre>{html.escape(chr(10).join(asked.search))}</pre>", ""),
        document.section("Commands", f"<pre>{html.escape(commands(folder, asked, len(rows)))}</pre>", ""),
        document.section("Recipe", f"<pre>{html.escape(recipe.dump())}</pre>", ""),
    ]
    write_text(folder / "report.html", document.page(folder.resolve().name, body))
    return folder / "report.html"


def commands(folder: Path, asked: Asked, ended: int) -> str:
    """Return the commands that go on from a study, of whose trials so many have ended, a line each."""
    where = shlex.quote(str(folder))
    trial = " --trial n" if len(asked.objectives) > 1 else ""
    return "\n".join(
        [
            f"visionmtl tune {where}{trial} --export best.yaml",
            "visionmtl train best.yaml",
            f"visionmtl tune {where} --trials {2 * max(asked.trials, ended)}",
        ]
    )


def _scrolling(table: str) -> str:
    return f'<div style="overflow-x: auto">{table}</div>'


def _charts(folder: Path) -> str:
    """Return the charts of a folder, each a link to itself."""
    paths = sorted((folder / "plots").glob("*.png"), key=lambda path: (_place(path.stem), path.stem))
    links = [
        f'<a class="wide" href="plots/{quote(path.name)}"><img src="plots/{quote(path.name)}" alt="{path.stem}"></a>'
        for path in paths
    ]
    return f'<div class="plots">{"".join(links)}</div>' if links else ""


def _place(name: str) -> int:
    return next((index for index, first in enumerate(FIRST) if name.startswith(first)), len(FIRST))
