"""Several runs side by side on one page: their figures, and their curves over each other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from visionmtl.files import write_text
from visionmtl.report import grids, plots, summary, tables, templates
from visionmtl.report.grids import Grid
from visionmtl.report.plots.chart import Chart

CURVES = ("metrics", "losses")  # the plots whose lines of several runs are laid over each other


def compare(folders: Sequence[Path], path: Path) -> Path:
    """Write a page that compares runs, and return its path.

    Args:
        folders: run folders, two at least.
        path: the page.
    """
    names = _names(folders)
    metrics = {name: summary.metrics(folder) for name, folder in zip(names, folders, strict=True)}
    figures: dict[str, dict[str, dict[str, float]]] = {}  # by task, then metric and split, then run
    for name, of in metrics.items():
        header, rows = tables.results(of)
        for task, metric, *values in rows:
            for split, value in zip(header[2:], values, strict=True):
                if value is not None:
                    figures.setdefault(task, {}).setdefault(f"{metric}, {split}".replace("_", " "), {})[name] = value
    charts = _charts(dict(zip(names, folders, strict=True)))
    page = templates.filled(
        "runs.html",
        name=", ".join(names),
        runs=[
            (name, summary.about(summary.text(folder / "recipe.yaml"), []), _costs(metrics[name]))
            for name, folder in zip(names, folders, strict=True)
        ],
        tasks=[
            {
                "name": task,
                "results": _grid(names, figures.get(task, {})),
                "charts": [chart for chart in charts if chart.task == task],
            }
            for task in dict.fromkeys([*figures, *(chart.task for chart in charts if chart.task)])
        ],
        charts=[chart for chart in charts if not chart.task],
    )
    write_text(path, page)
    return path


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the folders' own names, or their paths where two have one name."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _grid(names: Sequence[str], figures: dict[str, dict[str, float]]) -> Grid:
    """Return a row a run, a column a figure."""
    rows = [[name, *(of.get(name) for of in figures.values())] for name in names]
    return grids.grid(["run", *figures], rows)


def _costs(metrics: dict[str, object]) -> str:
    """Return what a run took, where that is known."""
    parameters, seconds = metrics.get("parameters"), metrics.get("seconds")
    told = [f"{parameters:,} parameters"] if isinstance(parameters, int) else []
    told += [tables.duration(seconds)] if isinstance(seconds, int | float) else []
    return ", ".join(told)


def _charts(folders: dict[str, Path]) -> list[Chart]:
    """Return a chart for each line that runs have, with a line a run; of losses those of validation alone."""
    found: dict[tuple[str, str, str], dict[str, Chart]] = {}
    for name, folder in folders.items():
        for chart in (chart for plot in CURVES for chart in plots.charts_of(plot, folder)):
            for line in chart.lines:
                if line != "training":
                    title = chart.title if line == "validation" else line
                    found.setdefault((chart.task, title, line), {})[name] = chart
    return [
        _overlaid(title, line, of) for (_, title, line), of in found.items() if not all(c.is_empty for c in of.values())
    ]


def _overlaid(title: str, line: str, charts: dict[str, Chart]) -> Chart:
    """Return one line of several charts over the epochs that any of them has."""
    first = next(iter(charts.values()))
    x = np.unique(np.concatenate([np.asarray(chart.x, np.float64) for chart in charts.values()]))
    lines = {}
    for name, chart in charts.items():
        lines[name] = np.full(len(x), np.nan)
        lines[name][np.searchsorted(x, np.asarray(chart.x, np.float64))] = chart.lines[line]
    return first._replace(title=title, split="validation", x=x, lines=lines)
