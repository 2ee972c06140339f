"""A study as one page: its best trials, what matters, its charts and the commands that go on from it."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visionmtl.comparison.tuning.asking import ENOUGH, Asked
from visionmtl.files import write_text
from visionmtl.recipe import Recipe
from visionmtl.report import grids, templates
from visionmtl.report.plots.points import Points


def write(
    folder: Path,
    asked: Asked,
    recipe: Recipe,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    shares: Mapping[str, Mapping[str, float]],
    charts: Sequence[Points],
    why: Mapping[int, str],
) -> Path:
    """Write `report.html` into a study's folder, and return its path.

    Args:
        folder: of the study.
        asked: what the study was asked.
        recipe: what is not searched.
        header: of the table of trials, whose second column has how each ended.
        rows: of that table.
        shares: of a log, which share of its differences is a parameter's, where it is known.
        charts: what is drawn.
        why: trials failed, by their numbers.
    """
    keys = dict.fromkeys(key for of in shares.values() for key in of)
    matters = [[key, *(f"{of[key]:.0%}" if key in of else None for of in shares.values())] for key in keys]
    page = templates.filled(
        "study.html",
        name=f"{folder.resolve().name}: which settings are best?",
        about=_facts(asked, recipe, [row[1] for row in rows]),
        order="the Pareto set first" if len(asked.logs) > 1 else "the best first",
        trials=grids.grid(header, rows),
        matters=grids.grid(["key", *(f"share of the differences in {log}" for log in shares)], matters),
        enough=ENOUGH,
        failed=_failed(why),
        charts=charts,
        searched=asked.search,
        commands=_told_commands(folder, asked, len(rows)),
        recipe=recipe.dump(),
    )
    write_text(folder / "report.html", page)
    return folder / "report.html"


def _facts(asked: Asked, recipe: Recipe, ends: Sequence[str]) -> list[tuple[str, str]]:
    about = [("recipe", recipe.name)]
    for word, direction in (("raised", "maximize"), ("lowered", "minimize")):
        if logs := [log for log, of in zip(asked.logs, asked.directions, strict=True) if of == direction]:
            about.append((word, ", ".join(logs)))
    if asked.logs != [recipe.training.monitor]:
        about.append(("measured in the epoch", f"of the highest {recipe.training.monitor}, whose model is kept"))
    about.append(("trials ended", f"{len(ends)} of {asked.trials}" if len(ends) < asked.trials else str(len(ends))))
    return [*about, *((f"of these {end}", str(ends.count(end))) for end in dict.fromkeys(ends))]


def _failed(why: Mapping[int, str]) -> list[str]:
    """Return a sentence for each reason for which trials failed."""
    numbers = dict[str, list[str]]()
    for number, reason in sorted(why.items()):
        numbers.setdefault(reason, []).append(str(number))
    return [f"Trial{'s' * (len(of) > 1)} {', '.join(of)} failed: {reason}" for reason, of in numbers.items()]


def _told_commands(folder: Path, asked: Asked, ended: int) -> list[tuple[str, str]]:
    """Return the commands that go on from a study, of whose trials so many have ended, each with what it is for."""
    where = shlex.quote(str(folder))
    trial, best = (" --trial n", "a trial of the Pareto set") if len(asked.logs) > 1 else ("", "the best trial")
    left = asked.trials - ended
    go_on = [(f"Go on with the {left} that {'is' if left == 1 else 'are'} left", f"visionmtl tune {where}")]
    return [
        *(go_on if left > 0 else []),
        (f"Write the recipe of {best}", f"visionmtl tune {where}{trial} --export best.yaml"),
        ("Train it", "visionmtl train best.yaml"),
        ("Add trials", f"visionmtl tune {where} --trials {2 * max(asked.trials, ended)}"),
    ]
