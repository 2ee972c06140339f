"""The weight of each task's loss, and the learning rate, over the epochs."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from visionmtl import csvfile
from visionmtl.report.plots.axes import LINES, History, draw_lines, panels_for, points_of, set_title
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import RunPlot


class Weights(RunPlot):
    """Drawn from `history.csv`."""

    rank = 3
    split = "training"

    def draw(self, run: Path) -> Figure | None:
        return weights(csvfile.columns(run / "history.csv"))

    def charts(self, run: Path) -> Sequence[Chart]:
        history = csvfile.columns(run / "history.csv")
        lines = {name.removeprefix("weight/"): history[name] for name in history if name.startswith("weight/")}
        rate = {name.replace("_", " "): history[name] for name in history if name == "learning_rate"}
        shown = {"weight of each task's loss": lines, "learning rate": rate} if "epoch" in history else {}
        return [Chart(title, self.split, "epoch", history["epoch"], of) for title, of in shown.items() if of]


def weights(history: History) -> Figure | None:
    """Draw each task's weight and the learning rate; None without either."""
    curves = {name.removeprefix("weight/"): points_of(history, name) for name in history if name.startswith("weight/")}
    rate = {"": points_of(history, "learning_rate")} if "learning_rate" in history else {}
    shown = [pair for pair in (("weight of each task", curves), ("learning rate", rate)) if pair[1]]
    if not shown:
        return None
    figure, panels = panels_for(len(shown))
    for axes, (title, lines) in zip(panels, shown, strict=True):
        set_title(axes, title)
        draw_lines(axes, lines, LINES)
    return figure
