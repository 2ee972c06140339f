"""Precision, recall and F1 of each class by the confidence from which on predictions are believed."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from visionmtl.report.plots.axes import INK, LINES, PALE, plain, set_title
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import TaskPlot
from visionmtl.tasks import Task

STROKES = ("-", "--", ":", "-.")  # with the colours enough to tell 32 classes apart
MOST = len(STROKES) * len(LINES)
PANELS = ("precision", "recall", "F1")
CHARTED = 200  # steps of the confidence on a page
BELIEVED = {"by_confidence": " at IoU 0.5", "by_probability": ""}  # what a task charts, and what its titles add


class ByConfidence(TaskPlot):
    """Drawn of a task that charts "by_confidence", of boxes at an IoU of 0.5, or "by_probability", of whole images."""

    def draw(
        self, task: Task, values: Mapping[str, float], charts: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[str, Figure]]:
        for chart, added in BELIEVED.items():
            if chart in charts and np.isfinite(charts[chart]).any():
                yield chart, by_confidence(charts[chart], task.classes, f"{task.name}: ", added)

    def charts(self, classes: Sequence[str], measured: Mapping[str, np.ndarray], split: str) -> Sequence[Chart]:
        chart = next((chart for chart in BELIEVED if chart in measured), None)
        curves = measured[chart] if chart else np.zeros((0, 0))
        if chart is None or not np.isfinite(curves).any():
            return ()
        each = max(1, (curves.shape[1] - 1) // CHARTED)
        confidence, curves = np.linspace(0, 1, curves.shape[1])[::each], curves[:, ::each]
        return [
            Chart(
                f"{name}{BELIEVED[chart]}",
                split,
                "confidence",
                confidence,
                few(of, classes),
                note=why_few(of),
                colours=colours(of),
            )
            for name, of in zip(PANELS, curves, strict=True)
        ]


def by_confidence(curves: np.ndarray, classes: Sequence[str], before: str = "", behind: str = " at IoU 0.5") -> Figure:
    """Draw precision, recall and F1 over the confidence for each class, named with its best F1.

    Args:
        curves: `[3, T, C]` at T confidences evenly from 0 to 1; NaN where there is no value.
        classes: C names; of more than can be told apart all are grey, and their mean alone is named.
        before: begins the title of the first panel.
        behind: ends it.
    """
    figure = Figure((11.7, 3.6), layout="constrained")
    confidence = np.linspace(0, 1, curves.shape[1])
    known, strokes = _known(curves[1]), list(itertools.product(STROKES, LINES))
    many = len(known) > MOST
    for place, name in enumerate(PANELS):
        axes = plain(figure.add_subplot(1, len(PANELS), place + 1))
        for (stroke, colour), index in zip(itertools.cycle(strokes), known, strict=False):
            best = np.nanmax(curves[2, :, index])
            style = {"color": PALE, "linewidth": 0.7} if many else {"color": colour, "linestyle": stroke}
            label = None if many else f"{classes[index]} {best:.2f}"
            axes.plot(confidence, curves[place, :, index], **({"linewidth": 1.5} | style), label=label)
        if many:
            for label, mean in few(curves[place], classes).items():
                axes.plot(confidence, mean, color=LINES[0], linewidth=2.2, label=label)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("confidence", fontsize=9, color=INK)
        set_title(axes, f"{before if place == 0 else ''}{name}{behind if place == 0 else ''}")
    if known:
        columns = -(-len(known) // 16) if not many else 1
        axes.legend(
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            ncols=columns,
            title=None if many else "best F1",
            title_fontsize=8,
        )
    return figure


def few(curves: np.ndarray, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the curve of each class by its name, of those that have one; of too many to tell apart, their mean alone.

    Args:
        curves: `[T, C]`, NaN where there is no value.
        classes: C names.
    """
    known = _known(curves)
    if len(known) <= MOST:
        return {classes[index]: curves[:, index] for index in known}
    counted = np.isfinite(curves[:, known])
    total, count = np.where(counted, curves[:, known], 0).sum(axis=1), counted.sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return {f"mean of {len(known)} classes": mean}


def why_few(curves: np.ndarray) -> str:
    """Return a sentence that says why `few` gives one mean; "" where it does not."""
    count = len(_known(curves))
    told = f"{count} classes are more than the {MOST} lines that can be told apart: this is their mean."
    return told if count > MOST else ""


def colours(curves: np.ndarray) -> list[int]:
    """Return the colour of each line of `few`: a class has the same in all charts."""
    known = _known(curves)
    return known if len(known) <= MOST else [0]


def _known(curves: np.ndarray) -> list[int]:
    """Return which classes of curves `[T, C]` have a value."""
    return np.flatnonzero(np.isfinite(curves).any(axis=0)).tolist()
