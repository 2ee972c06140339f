"""What the gradients of the tasks do to each other, over the steps."""

import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visionmtl import csvfile
from visionmtl.report.plots import heatmaps
from visionmtl.report.plots.axes import GRID, LINES, History, draw_lines, panels_for, points_of, set_title
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import RunPlot

STRONG = -0.1  # a cosine below this is a conflict worth the name: nearer to 0 the noise of a batch decides its sign


class Balancing(RunPlot):
    """Drawn from `gradients.csv`."""

    rank = 4
    split = "training"

    def draw(self, run: Path) -> Figure | None:
        return balancing(csvfile.columns(run / "gradients.csv"))

    def charts(self, run: Path) -> Sequence[Chart]:
        history = csvfile.columns(run / "gradients.csv")
        kinds = {
            "norm": "length of each task's gradient",
            "cosine": "cosine between the tasks' gradients",
            "weight": "weight of each task's gradient",
        }
        lines = {
            title: {
                name.removeprefix(f"{kind}/").replace("/", ", "): history[name]
                for name in history
                if name.startswith(f"{kind}/")
            }
            for kind, title in kinds.items()
        }
        shown = lines if "step" in history else {}
        return [
            Chart(title, self.split, "step", history["step"], of, logarithmic=title == kinds["norm"])
            for title, of in shown.items()
            if of
        ]


def balancing(history: History) -> Figure | None:
    """Draw what the gradients of the tasks do to each other: weights, lengths and cosines; None without any.

    Args:
        history: the columns of a `gradient_watch.GradientWatch` file, by step.
    """
    groups = {kind: [name for name in history if name.startswith(f"{kind}/")] for kind in ("weight", "norm", "cosine")}
    if not groups["norm"] or not len(history["step"]):
        return None
    tasks = [name.removeprefix("norm/") for name in groups["norm"]]
    figure, panels = panels_for(4 if groups["cosine"] else 2, width=5.2)
    for axes, kind, title in zip(
        panels, ("weight", "norm"), ("weight of each task", "length of its gradient"), strict=False
    ):
        set_title(axes, title)
        curves = {name.partition("/")[2]: _smooth(*points_of(history, name, "step")) for name in groups[kind]}
        draw_lines(axes, curves, LINES, over="step")
    if groups["cosine"]:
        set_title(panels[2], "cosine between gradients")
        pairs = {
            name.removeprefix("cosine/").replace("/", ", "): points_of(history, name, "step")
            for name in groups["cosine"]
        }
        if len(pairs) > len(LINES):  # too many lines to tell apart
            steps = np.asarray(history["step"])
            everything = np.stack([np.asarray(history[name]) for name in groups["cosine"]])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # steps in which no pair was present
                pairs = {"highest": (steps, np.nanmax(everything, 0)), "mean": (steps, np.nanmean(everything, 0))}
                pairs["lowest"] = (steps, np.nanmin(everything, 0))
        panels[2].axhline(0, color=GRID, linewidth=1.2, zorder=0)
        draw_lines(panels[2], {name: _smooth(*points) for name, points in pairs.items()}, LINES, False, "step")
        _cosine_table(panels[3], history, tasks)
    return figure


def _cosine_table(axes: Axes, history: History, tasks: Sequence[str]) -> None:
    """Draw the mean cosine of each pair of tasks, and say how often one was clearly negative."""
    means = np.eye(len(tasks))
    for first, second in itertools.combinations(range(len(tasks)), 2):
        _, values = points_of(history, f"cosine/{tasks[first]}/{tasks[second]}", "step")
        means[first, second] = means[second, first] = values.mean() if len(values) else np.nan
    lowest = np.min([np.asarray(history[name]) for name in history if name.startswith("cosine/")], axis=0)
    set_title(axes, f"mean cosine; {(lowest < STRONG).mean():.0%} of steps below {STRONG}")
    heatmaps.draw(axes, means, tasks, tasks)


def _smooth(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve's running mean: forty of its lengths fit into the whole."""
    width = max(1, len(values) // 40)
    kernel = np.ones(width) / width
    return steps[width - 1 :], np.convolve(values, kernel, "valid") if len(values) else values
