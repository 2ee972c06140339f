"""The loss of each task and the total, over the epochs."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from visionmtl import csvfile
from visionmtl.report.plots.axes import LINES, PALE, History, draw_lines, panels_for, points_of, set_title
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import RunPlot


class Losses(RunPlot):
    """Drawn from `history.csv`."""

    rank = 2
    split = "training and validation"

    def draw(self, run: Path) -> Figure | None:
        return losses(csvfile.columns(run / "history.csv"))

    def charts(self, run: Path) -> Sequence[Chart]:
        history = csvfile.columns(run / "history.csv")
        return [
            Chart(
                "total loss" if name == "loss" else "loss",
                self.split if f"val_{name}" in history else "training",
                "epoch",
                history["epoch"],
                {
                    split: history[log]
                    for split, log in (("training", name), ("validation", f"val_{name}"))
                    if log in history
                },
                "" if name == "loss" else name.removesuffix("_loss"),
                logarithmic=True,
            )
            for name in (_names(history) if "epoch" in history else ())
        ]


def losses(history: History) -> Figure | None:
    """Draw the loss of each task and the total, training and validation; None without any."""
    names = _names(history)
    if not names:
        return None
    figure, panels = panels_for(len(names))
    for axes, name in zip(panels, names, strict=True):
        set_title(axes, "total loss" if name == "loss" else f"{name.removesuffix('_loss')} loss")
        curves = {"training": points_of(history, name), "validation": points_of(history, f"val_{name}")}
        draw_lines(axes, curves, (PALE, LINES[0]))
    return figure


def _names(history: History) -> list[str]:
    """Return the logs of the tasks' losses, and the total unless it is that of one task."""
    names = [name for name in history if name.endswith("_loss") and not name.startswith("val_")]
    return [*names, "loss"] if len(names) != 1 and "loss" in history else names
