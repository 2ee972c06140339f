"""Curves and charts of a training, as matplotlib figures that need no display and share no state."""

import csv
import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from visionmtl import heatmaps

LINES = ("#0072B2", "#D55E00", "#009E73", "#8C4FE0", "#C2185B", "#B07800", "#2AA7D4", "#555B61")
PALE, INK, GRID = "#9AA5AE", "#212529", "#E9ECEF"
History = Mapping[str, Sequence[float] | np.ndarray]


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
    figure, panels = _panels(len(names))
    for axes, name in zip(panels, names, strict=True):
        _title(axes, "total loss" if name == "loss" else f"{name.removesuffix('_loss')} loss")
        curves = {"training": _points(history, name), "validation": _points(history, f"val_{name}")}
        _lines(axes, curves, (PALE, LINES[0]))
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
        groups.setdefault(task or metric, {})[metric.removeprefix(f"{task}_") if task else ""] = _points(history, name)
    if not groups:
        return None
    groups = dict(sorted(groups.items(), key=lambda group: group[0] not in known))
    figure, panels = _panels(len(groups))
    for axes, (task, curves) in zip(panels, groups.items(), strict=True):
        _title(axes, task)
        _lines(axes, curves, LINES, logarithmic=False)  # a metric is a share: half as high is half as good
    return figure


def weights(history: History) -> Figure | None:
    """Draw each task's weight and the learning rate; None without either."""
    curves = {name.removeprefix("weight/"): _points(history, name) for name in history if name.startswith("weight/")}
    rate = {"": _points(history, "learning_rate")} if "learning_rate" in history else {}
    shown = [pair for pair in (("weight of each task", curves), ("learning rate", rate)) if pair[1]]
    if not shown:
        return None
    figure, panels = _panels(len(shown))
    for axes, (title, lines) in zip(panels, shown, strict=True):
        _title(axes, title)
        _lines(axes, lines, LINES)
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
    figure, panels = _panels(4 if groups["cosine"] else 2, width=5.2)
    for axes, kind, title in zip(
        panels, ("weight", "norm"), ("weight of each task", "length of its gradient"), strict=False
    ):
        _title(axes, title)
        curves = {name.partition("/")[2]: _smooth(*_points(history, name, "step")) for name in groups[kind]}
        _lines(axes, curves, LINES, over="step")
    if groups["cosine"]:
        _title(panels[2], "cosine between gradients")
        pairs = {
            name.removeprefix("cosine/").replace("/", ", "): _points(history, name, "step") for name in groups["cosine"]
        }
        if len(pairs) > len(LINES):  # too many lines to tell apart
            steps = np.asarray(history["step"])
            everything = np.stack([np.asarray(history[name]) for name in groups["cosine"]])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # steps in which no pair was present
                pairs = {"highest": (steps, np.nanmax(everything, 0)), "mean": (steps, np.nanmean(everything, 0))}
                pairs["lowest"] = (steps, np.nanmin(everything, 0))
        panels[2].axhline(0, color=GRID, linewidth=1.2, zorder=0)
        _lines(panels[2], {name: _smooth(*points) for name, points in pairs.items()}, LINES, False, "step")
        _cosine_table(panels[3], history, tasks)
    return figure


def _cosine_table(axes: Axes, history: History, tasks: Sequence[str]) -> None:
    """Draw the mean cosine of each pair of tasks, and say how often two were in conflict."""
    means = np.eye(len(tasks))
    for one, other in itertools.combinations(range(len(tasks)), 2):
        _, values = _points(history, f"cosine/{tasks[one]}/{tasks[other]}", "step")
        means[one, other] = means[other, one] = values.mean() if len(values) else np.nan
    shares = np.min([np.asarray(history[name]) for name in history if name.startswith("cosine/")], axis=0) < 0
    _title(axes, f"mean cosine; {shares.mean():.0%} of steps in conflict")
    heatmaps.draw(axes, means, tasks, tasks)


def _smooth(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve's running mean: forty of its lengths fit into the whole."""
    width = max(1, len(values) // 40)
    kernel = np.ones(width) / width
    return steps[width - 1 :], np.convolve(values, kernel, "valid") if len(values) else values


def per_class(values: Mapping[str, float], title: str) -> Figure:
    """Draw one bar per class, best first, with the mean; classes without a value (NaN) come last and say so.

    Args:
        values: by class name, in 0..1, such as the IoU of each class.
        title: what they are.
    """
    order = sorted(values, key=lambda name: (math.isnan(values[name]), -values[name]))
    figure = Figure((6.4, 1.1 + 0.27 * len(order)), layout="constrained")
    axes = _plain(figure.add_subplot())
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
    _title(axes, title)
    return figure


def confusion(matrix: np.ndarray, classes: Sequence[str], title: str = "confusion") -> Figure:
    """Draw a confusion matrix, each row in shares of its true class.

    Args:
        matrix: counts `[C, C]`, rows the truth, columns the prediction.
        classes: C names.
    """
    matrix = np.asarray(matrix, np.float64)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.42 * len(classes)
    figure = Figure((side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.set_xlabel("prediction", fontsize=9, color=INK)
    axes.set_ylabel("truth", fontsize=9, color=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(classes) <= 20:
        for row, column in np.argwhere(shares >= 0.005):
            share = shares[row, column]
            text = "1" if share >= 0.995 else f"{share:.2f}"[1:]
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if share > 0.55 else INK)
    _title(axes, title)
    return figure


def precision_recall(precision: np.ndarray, classes: Sequence[str], title: str = "precision and recall") -> Figure:
    """Draw precision over recall for each class.

    Args:
        precision: `[R, C]` at R recalls evenly from 0 to 1; a class of NaN is left out.
        classes: C names.
    """
    figure = Figure((6.4, 4.4), layout="constrained")
    axes = _plain(figure.add_subplot())
    recall = np.linspace(0, 1, len(precision))
    shown = [index for index in range(len(classes)) if not np.isnan(precision[:, index]).any()]
    # More curves than colours are a thicket: the classes are grey then, and their mean stands out.
    many = len(shown) > len(LINES)
    for row, index in enumerate(shown):
        axes.plot(
            recall,
            precision[:, index],
            color=PALE if many else LINES[row],
            linewidth=0.7 if many else 1.6,
            label=None if many else f"{classes[index]} {precision[:, index].mean():.2f}",
        )
    if many:
        mean = precision[:, shown].mean(axis=1)
        axes.plot(recall, mean, color=LINES[0], linewidth=2.2, label=f"mean of {len(shown)} classes {mean.mean():.2f}")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("recall", fontsize=9, color=INK)
    axes.set_ylabel("precision", fontsize=9, color=INK)
    if shown:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", bbox_to_anchor=(1.01, 1))
    _title(axes, title)
    return figure


def _panels(count: int, width: float = 3.9) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels, each `width` inches with what is written beside, at most three in a row."""
    columns = count if count <= 3 else math.ceil(count / math.ceil(count / 3))
    rows = math.ceil(count / columns)
    figure = Figure((max(4.6, width * columns), 2.9 * rows), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    return figure, [_plain(figure.add_subplot(rows, columns, index + 1)) for index in range(count)]


def _plain(axes: Axes) -> Axes:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(PALE)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=10, color=INK, fontweight="bold")


def _points(history: History, name: str, over: str = "epoch") -> tuple[np.ndarray, np.ndarray]:
    """Return epochs (or steps) and values of a log, without the epochs that lack it."""
    values = np.asarray(history.get(name, ()), np.float64)
    epochs = np.asarray(history.get(over, np.arange(1, len(values) + 1)), np.float64)[: len(values)]
    known = np.isfinite(values)
    return epochs[known], values[known]


def _lines(
    axes: Axes,
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    colours: Sequence[str],
    logarithmic: bool = True,
    over: str = "epoch",
) -> None:
    """Draw curves over epochs, named and valued at their right ends; `logarithmic` allows that scale where it helps."""
    curves = {name: points for name, points in curves.items() if len(points[1])}
    colour_of = dict(zip(curves, itertools.cycle(colours)))
    for name, (epochs, values) in curves.items():
        dots = 3.2 if len(values) <= 25 else 0
        axes.plot(epochs, values, color=colour_of[name], linewidth=1.8, marker="o", markersize=dots)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set_xlabel(over, fontsize=8, color=INK)
    if not curves:
        return
    shown, everything = (np.concatenate(parts) for parts in zip(*curves.values(), strict=True))
    margin = max(0.3, 0.03 * np.ptp(shown))
    axes.set_xlim(shown.min() - margin, shown.max() + margin)
    if logarithmic and everything.min() > 0 and everything.max() > 12 * everything.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
    elif everything.min() >= 0:
        axes.set_ylim(0, 1.07 * everything.max() or 1)
    heights = {name: _height(axes, epochs[-1], values[-1]) for name, (epochs, values) in curves.items()}
    for name, height in _spread(heights, gap=0.075).items():
        text = f"{name} {curves[name][1][-1]:.3g}".strip()
        axes.text(1.02, height, text, transform=axes.transAxes, va="center", fontsize=8, color=colour_of[name])


def _height(axes: Axes, x: float, y: float) -> float:
    """Return where a point lies in the axes, 0 at the bottom and 1 at the top."""
    axes.autoscale_view()  # limits wait for the next drawing otherwise
    return float(axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[1])


def _spread(heights: Mapping[str, float], gap: float) -> dict[str, float]:
    """Move heights apart to at least `gap`, upwards first and back down from the top."""
    order = sorted(heights, key=heights.__getitem__)
    moved = dict(heights)
    for lower, upper in itertools.pairwise(order):
        moved[upper] = max(moved[upper], moved[lower] + gap)
    ceiling = max([1.0, *heights.values()])
    for name in reversed(order):
        moved[name] = min(moved[name], ceiling)
        ceiling = moved[name] - gap
    return moved
