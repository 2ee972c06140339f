"""Several runs side by side on one page: what differs, their figures, and their curves over each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from visionmtl import csvfile, metrics
from visionmtl.files import write_text
from visionmtl.report import grids, plots, settings, summary, tables, templates
from visionmtl.report.grids import Cell, Grid
from visionmtl.report.plots.chart import Chart

KINDS = [kind for kind in vars(metrics).values() if isinstance(kind, type) and issubclass(kind, metrics.Metric)]
LOWER = {name for kind in KINDS for name in kind.lower}  # figures of which less is better
CURVES = ("metrics", "losses")  # the plots whose lines of several runs are laid over each other
Figures = dict[tuple[str, str], dict[str, float]]  # by metric and split, then run


class _Run(NamedTuple):
    """What a page has of one run."""

    about: str
    metrics: dict[str, Any]
    facts: dict[str, str]
    recipe: str


def compare(folders: Sequence[Path], path: Path) -> Path:
    """Write a page that compares runs, and return its path.

    Args:
        folders: run folders, two at least.
        path: the page.
    """
    names = _names(folders)
    runs = {name: _read(folder) for name, folder in zip(names, folders, strict=True)}
    figures: dict[str, Figures] = {}
    for name, run in runs.items():
        header, rows = tables.results(run.metrics)
        for task, metric, *values in rows:
            for split, value in zip(header[2:], values, strict=True):
                if value is not None:
                    figures.setdefault(task, {}).setdefault((metric, split), {})[name] = value
    differing = settings.differing([run.recipe for run in runs.values()])
    of_data = settings.of_data(list(differing))
    charts = _charts(dict(zip(names, folders, strict=True)))
    page = templates.filled(
        "runs.html",
        name=", ".join(names),
        names=names,
        runs=_facts(runs),
        differing=grids.grid(["setting", *names], [[key, *values] for key, values in differing.items()]),
        of_data=of_data,
        unread=[name for name, run in runs.items() if not settings.read(run.recipe)],
        unmeasured=[name for name, run in runs.items() if not tables.results(run.metrics)[1]],
        tasks=[
            {
                "name": task,
                "results": _grid(names, figures.get(task, {}), best=not of_data),
                "charts": [chart for chart in charts if chart.task == task],
            }
            for task in dict.fromkeys([*figures, *(chart.task for chart in charts if chart.task)])
        ],
        charts=[chart for chart in charts if not chart.task],
    )
    write_text(path, page)
    return path


def _read(folder: Path) -> _Run:
    recipe, figures = summary.text(folder / "recipe.yaml"), summary.metrics(folder)
    tasks = list(dict.fromkeys(row[0] for row in tables.results(figures)[1]))
    asked = summary.unfinished(folder, figures, recipe)
    facts = dict(summary.facts(figures, csvfile.read(folder / "history.csv"), summary.images(folder), asked))
    if asked is not None:
        facts["epochs"] = f"{facts.get('epochs', f'0 of {asked}')}, not finished"
    return _Run(summary.about(recipe, tasks), figures, facts, recipe)


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the folders' own names, or their paths where two have one name."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _facts(runs: Mapping[str, _Run]) -> Grid:
    """Return a row a run: what was trained on what, and what it took."""
    columns = dict.fromkeys(fact for run in runs.values() for fact in run.facts)
    rows = [[name, run.about, *(run.facts.get(fact) for fact in columns)] for name, run in runs.items()]
    return grids.grid(["run", "what", *columns], rows)


def _grid(names: Sequence[str], figures: Figures, best: bool) -> Grid:
    """Return a row a run, a column a figure, the best of each marked where that is asked; runs without any left out."""
    marked = {key: _best(key[0], of) if best else set() for key, of in figures.items()}
    shown = [name for name in names if any(name in of for of in figures.values())]
    rows = [
        [Cell(name), *(grids.cell(of.get(name))._replace(best=name in marked[key]) for key, of in figures.items())]
        for name in shown
    ]
    return Grid(["run", *(f"{metric}, {split}".replace("_", " ") for metric, split in figures)], rows)


def _best(metric: str, values: Mapping[str, float]) -> set[str]:
    """Return the runs whose figure is the best; none where there is nothing to choose from."""
    known = {name: value for name, value in values.items() if np.isfinite(value)}
    if len(set(known.values())) < 2:
        return set()
    best = (min if metric in LOWER else max)(known.values())
    return {name for name, value in known.items() if value == best}


def _charts(folders: dict[str, Path]) -> list[Chart]:
    """Return a chart for each line that runs have, with a line a run; of losses those of validation alone."""
    found: dict[tuple[str, str, str], dict[str, Chart]] = {}
    for name, folder in folders.items():
        for chart in (chart for plot in CURVES for chart in plots.charts_of(plot, folder)):
            for line in chart.lines:
                if line != "training":
                    title = chart.title if line == "validation" else line
                    found.setdefault((chart.task, title, line), {})[name] = chart
    colours = {name: place for place, name in enumerate(folders)}
    return [
        _overlaid(title, line, of, colours)
        for (_, title, line), of in found.items()
        if not all(chart.is_empty for chart in of.values())
    ]


def _overlaid(title: str, line: str, charts: dict[str, Chart], colours: Mapping[str, int]) -> Chart:
    """Return one line of several charts over the epochs that any of them has, each run in its own colour."""
    first = next(iter(charts.values()))
    x = np.unique(np.concatenate([np.asarray(chart.x, np.float64) for chart in charts.values()]))
    lines = {}
    for name, chart in charts.items():
        lines[name] = np.full(len(x), np.nan)
        lines[name][np.searchsorted(x, np.asarray(chart.x, np.float64))] = chart.lines[line]
    own = [colours[name] for name in lines]
    return first._replace(title=title, split="validation", x=x, lines=lines, colours=own)
