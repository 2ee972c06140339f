"""Precision over recall of each class, of boxes at an IoU of 0.5."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from visionmtl.report.plots.axes import INK, LINES, PALE, plain, set_title
from visionmtl.report.plots.by_confidence import MOST, STROKES, colours, few, why_few
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import TaskPlot
from visionmtl.tasks import Task


class PrecisionRecall(TaskPlot):
    """Drawn of a task that charts "precision_recall"."""

    def draw(
        self, task: Task, values: Mapping[str, float], charts: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[str, Figure]]:
        if "precision_recall" in charts:
            title = f"{task.name}: precision and recall at IoU 0.5"
            yield "precision_recall", precision_recall(charts["precision_recall"], task.classes, title)

    def charts(self, classes: Sequence[str], measured: Mapping[str, np.ndarray], split: str) -> Sequence[Chart]:
        precision = measured.get("precision_recall")
        if precision is None or not np.isfinite(precision).any():
            return ()
        recall, lines = np.linspace(0, 1, len(precision)), few(precision, classes)
        title, note = "precision over recall at IoU 0.5", why_few(precision)
        return [Chart(title, split, "recall", recall, lines, note=note, colours=colours(precision))]


def precision_recall(precision: np.ndarray, classes: Sequence[str], title: str = "precision and recall") -> Figure:
    """Draw precision over recall for each class.

    Args:
        precision: `[R, C]` at R recalls evenly from 0 to 1; a class of NaN is left out.
        classes: C names.
    """
    figure = Figure((6.4, 4.4), layout="constrained")
    axes = plain(figure.add_subplot())
    recall = np.linspace(0, 1, len(precision))
    shown = [index for index in range(len(classes)) if not np.isnan(precision[:, index]).any()]
    # More curves than can be told apart are a thicket: the classes are grey then, and their mean stands out.
    many = len(shown) > MOST
    for (stroke, colour), index in zip(itertools.cycle(itertools.product(STROKES, LINES)), shown, strict=False):
        style = {"color": PALE, "linewidth": 0.7} if many else {"color": colour, "linestyle": stroke}
        label = None if many else f"{classes[index]} {precision[:, index].mean():.2f}"
        axes.plot(recall, precision[:, index], **({"linewidth": 1.6} | style), label=label)
    if many:
        mean = precision[:, shown].mean(axis=1)
        axes.plot(recall, mean, color=LINES[0], linewidth=2.2, label=f"mean of {len(shown)} classes {mean.mean():.2f}")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("recall", fontsize=9, color=INK)
    axes.set_ylabel("precision", fontsize=9, color=INK)
    if shown:
        columns = 1 if many else -(-len(shown) // 16)
        axes.legend(
            frameon=False, fontsize=8, labelcolor=INK, loc="upper left", bbox_to_anchor=(1.01, 1), ncols=columns
        )
    set_title(axes, title)
    return figure
