"""Which classes are taken for which."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from visionmtl.report.plots.axes import INK, set_title
from visionmtl.report.plots.plot import TaskPlot
from visionmtl.tasks import Task


class Confusion(TaskPlot):
    """Drawn of a task that charts "confusion"."""

    def draw(
        self, task: Task, values: Mapping[str, float], charts: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[str, Figure]]:
        if "confusion" in charts:
            matrix = charts["confusion"]
            names = [*task.classes, *["background"] * (len(matrix) - len(task.classes))]
            yield "confusion", confusion(matrix, names, f"{task.name}: confusion")


def confusion(matrix: np.ndarray, classes: Sequence[str], title: str = "confusion") -> Figure:
    """Draw a confusion matrix, each row in fractions of its true class.

    Args:
        matrix: counts `[C, C]`, rows the truth, columns the prediction.
        classes: C names.
    """
    matrix = np.asarray(matrix, np.float64)
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.42 * len(classes)
    figure = Figure((side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.set_xlabel("prediction", fontsize=9, color=INK)
    axes.set_ylabel("truth", fontsize=9, color=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(classes) <= 20:
        for row, column in np.argwhere(fractions >= 0.005):
            fraction = fractions[row, column]
            text = "1" if fraction >= 0.995 else f"{fraction:.2f}"[1:]
            ink = "white" if fraction > 0.55 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=ink)
    set_title(axes, title)
    return figure
