"""A metric of each class, a bar chart a metric: `plots/<task>_<metric>.png`."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.figure import Figure

from visionmtl.metrics.metric import FURTHER
from visionmtl.report.plots.axes import INK, LINES, plain, set_title
from visionmtl.report.plots.plot import TaskPlot
from visionmtl.tasks import Task


class PerClass(TaskPlot):
    """Drawn of each metric that has a value for every class, as "AP/van"."""

    def draw(
        self, task: Task, values: Mapping[str, float], charts: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[str, Figure]]:
        names = (name.partition("/")[0] for name in values if "/" in name)
        for metric in dict.fromkeys(name for name in names if name != FURTHER):
            bars = {name.partition("/")[2]: value for name, value in values.items() if name.startswith(f"{metric}/")}
            yield metric, per_class(bars, f"{task.name}: {metric.replace('_', ' ')} of each class")


def per_class(values: Mapping[str, float], title: str) -> Figure:
    """Draw one bar per class, best first, with the mean; classes without a value (NaN) come last and say so.

    Args:
        values: by class name, in 0..1, such as the IoU of each class.
        title: what they are.
    """
    order = sorted(values, key=lambda name: (math.isnan(values[name]), -values[name]))
    figure = Figure((6.4, 1.1 + 0.27 * len(order)), layout="constrained")
    axes = plain(figure.add_subplot())
    lengths = [0.0 if math.isnan(values[name]) else values[name] for name in order]
    axes.barh(range(len(order)), lengths, height=0.68, color=LINES[0])
    for row, name in enumerate(order):
        text = "none in this split" if math.isnan(values[name]) else f"{values[name]:.3f}"
        axes.annotate(text, (lengths[row], row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=INK)
    known = [value for value in values.values() if not math.isnan(value)]
    if known:
        mean = sum(known) / len(known)
        axes.axvline(mean, color=LINES[1], linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xlabel(f"mean {mean:.3f}", color=LINES[1], fontsize=9)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlim(0, 1.08)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    set_title(axes, title)
    return figure
