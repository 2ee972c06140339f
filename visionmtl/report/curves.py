"""Curves and charts of a training, as matplotlib figures that need no display and share no state."""

import csv
import itertools
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visionmtl.report import heatmaps
from visionmtl.report.axes import GRID, LINES, PALE, History, draw_lines, panels_for, points_of, set_title
from visionmtl.report.charts import per_class


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Return the columns of a history file as float64 `[epochs]`; NaN where a cell is empty."""
    with Path(path).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = rows[0].keys() if rows else ()
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in names}


def save(history: History, folder: str | Path, details: Mapping[str, Mapping[str, float]] | None = None) -> list[Path]:
    """Write `losses.png`, `metrics.png` and `weights.png`, each if the history has what it shows; return the files.

    Args:
        history: logs by name, as `read` returns them.
        folder: where to, made if need be.
        details: metrics by task with those of single classes, `{"cars": {"AP/van": 0.1}}`: a bar chart for each kind.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"losses": losses(history), "metrics": metrics(history), "weights": weights(history)}
    for task, values in (details or {}).items():
        for metric in dict.fromkeys(name.partition("/")[0] for name in values if "/" in name):
            bars = {name.partition("/")[2]: value for name, value in values.items() if name.startswith(f"{metric}/")}
            figures[f"{task}_{metric}"] = per_class(bars, f"{task}: {metric} of each class")
    return [write(figure, folder / f"{name}.png") for name, figure in figures.items() if figure is not None]


def write(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG and return its path."""
    figure.savefig(path, dpi=144, format="png")
    return Path(path)


def losses(history: History) -> Figure | None:
    """Draw the loss of each task and the total, training and validation; None without any."""
    names = [name for name in history if name.endswith("_loss") and not name.startswith("val_")]
    names = [*names, "loss"] if len(names) != 1 and "loss" in history else names
    if not names:
        return None
    figure, panels = panels_for(len(names))
    for axes, name in zip(panels, names, strict=True):
        set_title(axes, "total loss" if name == "loss" else f"{name.removesuffix('_loss')} loss")
        curves = {"training": points_of(history, name), "validation": points_of(history, f"val_{name}")}
        draw_lines(axes, curves, (PALE, LINES[0]))
    return figure


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
        draw_lines(axes, curves, LINES, logarithmic=False)  # a metric is a share: half as high is half as good
    return figure


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
    """Draw the mean cosine of each pair of tasks, and say how often two were in conflict."""
    means = np.eye(len(tasks))
    for one, other in itertools.combinations(range(len(tasks)), 2):
        _, values = points_of(history, f"cosine/{tasks[one]}/{tasks[other]}", "step")
        means[one, other] = means[other, one] = values.mean() if len(values) else np.nan
    shares = np.min([np.asarray(history[name]) for name in history if name.startswith("cosine/")], axis=0) < 0
    set_title(axes, f"mean cosine; {shares.mean():.0%} of steps in conflict")
    heatmaps.draw(axes, means, tasks, tasks)


def _smooth(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve's running mean: forty of its lengths fit into the whole."""
    width = max(1, len(values) // 40)
    kernel = np.ones(width) / width
    return steps[width - 1 :], np.convolve(values, kernel, "valid") if len(values) else values
