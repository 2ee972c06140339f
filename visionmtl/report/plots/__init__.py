"""The plots of a run; one file a plot.

From outside come `save_run`, `save_task`, `charts_of` and `page_order`. A new plot is one file with a subclass of
`plot.RunPlot` (`weights.py` is a short neighbour) or, of what is measured of a task, of `plot.TaskPlot`
(`confusion.py`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines import discovery
from visionmtl.metrics import Metric
from visionmtl.report.plots.axes import name_split, write
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import RunPlot, TaskPlot
from visionmtl.tasks import Task

RUN_PLOTS = {name: kind() for name, kind in discovery.classes(__name__, RunPlot).items()}
TASK_PLOTS = {name: kind() for name, kind in discovery.classes(__name__, TaskPlot).items()}

__all__ = ["RUN_PLOTS", "TASK_PLOTS", "charts_of", "page_order", "save_run", "save_task"]


def save_run(run: Path) -> list[Path]:
    """Write the plots of a run folder to its `plots/`, each if the run has what it shows; return the files."""
    paths = []
    for name, plot in RUN_PLOTS.items():
        if (figure := plot.draw(run)) is not None:
            if plot.split:
                name_split(figure, plot.split)
            paths.append(write(figure, run / "plots" / f"{name}.png"))
    return paths


def save_task(
    run: Path, task: Task, values: Mapping[str, float], measured: Sequence[Metric], split: str = ""
) -> list[Path]:
    """Write the plots of what was measured of a task to a run's `plots/`; return the files.

    Args:
        run: the run folder.
        task: what was measured.
        values: its metrics, with those of single classes: `{"AP": 0.3, "AP/van": 0.1}`.
        measured: its `metrics()`, after the evaluation.
        split: on which that was, which each plot says.
    """
    charts = task.charts(measured)
    figures = [pair for plot in TASK_PLOTS.values() for pair in plot.draw(task, values, charts)]
    for _, figure in figures if split else ():
        name_split(figure, split)
    return [write(figure, run / "plots" / f"{task.name}_{name}.png") for name, figure in figures]


def charts_of(name: str, run: Path) -> list[Chart]:
    """Return what a plot has of a run as lines, without empty ones; none where a file of the run is broken."""
    try:
        return [chart for chart in RUN_PLOTS[name].charts(run) if not chart.is_empty]
    except ValueError:  # a cell that is no number
        return []


def page_order() -> list[str]:
    """Return the names of a run's plots in the order in which a page shows them."""
    return sorted(RUN_PLOTS, key=lambda name: RUN_PLOTS[name].rank)
