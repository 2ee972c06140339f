"""The metrics of each task, over the epochs."""

from pathlib import Path

from matplotlib.figure import Figure

from visionmtl import csvfile
from visionmtl.report.plots.axes import LINES, History, draw_lines, panels_for, points_of, set_title
from visionmtl.report.plots.plot import RunPlot


class Metrics(RunPlot):
    """Drawn from `history.csv`."""

    rank = 1

    def draw(self, run: Path) -> Figure | None:
        return metrics(csvfile.columns(run / "history.csv"))


def metrics(history: History) -> Figure | None:
    """Draw the validation metrics, one panel a task, on a scale from 0; None without any."""
    known = [name.removesuffix("_loss") for name in history if name.endswith("_loss") and not name.startswith("val_")]
    groups: dict[str, dict[str, tuple]] = {}
    for name in history:
        if not name.startswith("val_") or name == "val_loss" or name.endswith("_loss"):
            continue
        metric = name.removeprefix("val_")
        task = max((task for task in known if metric.startswith(f"{task}_")), key=len, default="")
        groups.setdefault(task or metric, {})[metric.removeprefix(f"{task}_") if task else ""] = points_of(
            history, name
        )
    if not groups:
        return None
    groups = dict(sorted(groups.items(), key=lambda group: group[0] not in known))
    figure, panels = panels_for(len(groups))
    for axes, (task, curves) in zip(panels, groups.items(), strict=True):
        set_title(axes, task)
        draw_lines(axes, curves, LINES, logarithmic=False)  # a metric is a fraction: half as high is half as good
    return figure
