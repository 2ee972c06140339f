"""Axes, lines and labels that all charts share."""

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from visionmtl.files import written_whole

LINES = ("#0072B2", "#D55E00", "#009E73", "#8C4FE0", "#C2185B", "#B07800", "#2AA7D4", "#555B61")
PALE, INK, GRID = "#9AA5AE", "#212529", "#E9ECEF"

History = Mapping[str, Sequence[float] | np.ndarray]


def panels_for(count: int, width: float = 3.9) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels, each `width` inches with what is written beside, at most three in a row."""
    columns = count if count <= 3 else math.ceil(count / math.ceil(count / 3))
    rows = math.ceil(count / columns)
    figure = Figure((max(4.6, width * columns), 2.9 * rows), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    return figure, [plain(figure.add_subplot(rows, columns, index + 1)) for index in range(count)]


def write(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG, whole or not at all, and return its path."""
    with written_whole(Path(path)) as partial:
        figure.savefig(partial, dpi=144, format="png")
    return Path(path)


def plain(axes: Axes) -> Axes:
    """Take from axes all lines but the one below and a pale grid, and return them."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(PALE)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def set_title(axes: Axes, text: str) -> None:
    """Write the title of one panel over its left edge, as in all charts."""
    axes.set_title(text, loc="left", fontsize=10, color=INK, fontweight="bold")


def name_split(figure: Figure, split: str) -> None:
    """Write below a figure on which split it was measured."""
    figure.supxlabel(f"measured on {split}", x=0.01, ha="left", fontsize=8, color=PALE)


def points_of(history: History, name: str, over: str = "epoch") -> tuple[np.ndarray, np.ndarray]:
    """Return epochs (or steps) and values of a log, without the epochs that lack it."""
    values = np.asarray(history.get(name, ()), np.float64)
    epochs = np.asarray(history.get(over, np.arange(1, len(values) + 1)), np.float64)[: len(values)]
    known = np.isfinite(values)
    return epochs[known], values[known]


def draw_lines(
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
