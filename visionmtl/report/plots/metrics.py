"""The metrics of each task, over the epochs."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from visionmtl import csvfile
from visionmtl.report.plots.axes import LINES, History, draw_lines, panels_for, points_of, set_title
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import RunPlot
from visionmtl.tasks import ceiling

SCORE = (
    "The mean over the tasks of the metric that stands for each, such as AP or mIoU, which counts up to"
    f" {ceiling.CEILING}: training.monitor, unless changed, chooses the best epoch by it."
)


class Metrics(RunPlot):
    """Drawn from `history.csv`."""

    rank = 1
    split = "validation"

    def draw(self, run: Path) -> Figure | None:
        return metrics(csvfile.columns(run / "history.csv"))

    def charts(self, run: Path) -> Sequence[Chart]:
        history = csvfile.columns(run / "history.csv")
        tasks = _tasks(history)
        return [
            Chart(
                "metrics" if group in tasks else group.replace("_", " "),
                self.split,
                "epoch",
                history["epoch"],
                {name.replace("_", " ") or group: history[log] for name, log in logs.items()},
                group if group in tasks else "",
                note=SCORE if group == "score" else "",
            )
            for group, logs in (_groups(history) if "epoch" in history else {}).items()
        ]


def metrics(history: History) -> Figure | None:
    """Draw the validation metrics, one panel a task, on a scale from 0; None without any."""
    groups = _groups(history)
    if not groups:
        return None
    figure, panels = panels_for(len(groups))
    for axes, (task, logs) in zip(panels, groups.items(), strict=True):
        set_title(axes, task)
        curves = {metric: points_of(history, name) for metric, name in logs.items()}
        draw_lines(axes, curves, LINES, logarithmic=False)  # a metric is a fraction: half as high is half as good
    return figure


def _tasks(history: History) -> list[str]:
    return [name.removesuffix("_loss") for name in history if name.endswith("_loss") and not name.startswith("val_")]


def _groups(history: History) -> dict[str, dict[str, str]]:
    """Return the logs of validation by task and metric; one that is of no task has a group of its own, at the end."""
    known, groups = _tasks(history), dict[str, dict[str, str]]()
    for name in history:
        if not name.startswith("val_") or name == "val_loss" or name.endswith("_loss"):
            continue
        metric = name.removeprefix("val_")
        task = max((task for task in known if metric.startswith(f"{task}_")), key=len, default="")
        groups.setdefault(task or metric, {})[metric.removeprefix(f"{task}_") if task else ""] = name
    return dict(sorted(groups.items(), key=lambda group: group[0] not in known))
