"""Panels whose points are arms, each with its number beside it, and a key to the numbers below."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from visionmtl.comparison.verdicts.judging import Finding, Judged
from visionmtl.comparison.verdicts.reading import Comparison
from visionmtl.report.plots.axes import INK, PALE, plain

LETTERS = 52  # of a name in the key
ROW = 0.165  # inches of a line of the key
SIZE = 7.5  # points of the numbers
BY_VERDICT = "Triangles: all of the 95% interval, paired by seed, lies above or below 0; circles: it does not."
BETTER, WORSE, NEITHER = "#00795A", "#C44E00", "#5C666E"
MARKS = {"better": ("^", BETTER), "worse": ("v", WORSE), "none": ("o", NEITHER), "unknown": ("o", NEITHER)}


def panels(
    count: int, arms: Sequence[Judged], comparison: Comparison, note: str, width: float = 4.2
) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels, three in a row at most, above a note and a key to the numbers of arms."""
    columns = min(count, 3) if count != 4 else 2
    rows = math.ceil(count / columns)
    inches = max(4.8, width * columns)
    names = [f"{judged.number}  {short(judged.arm.name)}{comparison.unfinished(judged.arm)}" for judged in arms]
    across = max(1, min(len(names), int(inches / (0.35 + 0.068 * max(map(len, names))))))
    said = textwrap.wrap(measured_on(comparison, note), int(inches / 0.064))
    lines = math.ceil(len(names) / across)
    height, below = 3.3 * rows, ROW * (lines + len(said) + 0.6)
    figure = Figure((inches, height + below), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[*[height / rows] * rows, below])
    key = figure.add_subplot(grid[rows, :])
    key.set_axis_off()
    style = {"transform": key.transAxes, "va": "center", "fontsize": SIZE}
    for index, text in enumerate(said):
        key.text(0, 1 - ROW * (index + 0.5) / below, text, color=NEITHER, **style)
    for index, name in enumerate(names):
        line = len(said) + 0.6 + index % lines
        key.text(index // lines / across, 1 - ROW * (line + 0.5) / below, name, color=INK, **style)
    return figure, [plain(figure.add_subplot(grid[index // columns, index % columns])) for index in range(count)]


def measured_on(comparison: Comparison, note: str) -> str:
    """Return a note that names the split of all figures."""
    return f"Measured on {comparison.split}. {note}"


def short(name: str) -> str:
    """Return a name that the key has room for."""
    return name if len(name) <= LETTERS else f"{name[: LETTERS // 2]}…{name[1 - LETTERS // 2 :]}"


def number_points(axes: Axes, points: np.ndarray, numbers: Sequence[int]) -> None:
    """Write numbers beside points, float `[N, 2]` in data, where they hide neither each other nor a point.

    The layout must be final: call `figure.draw_without_rendering()` first.
    """
    scale = 72 / axes.figure.dpi
    at = axes.transData.transform(points) * scale
    frame = axes.get_window_extent()
    low, high = np.array([frame.x0, frame.y0]) * scale, np.array([frame.x1, frame.y1]) * scale
    dots = np.concatenate([at - 4, at + 4], axis=1)
    boxes = np.zeros((0, 4))
    for index in np.argsort(-at[:, 1], kind="stable"):
        half = np.array([0.31 * SIZE * len(str(numbers[index])) + 0.5, 0.42 * SIZE])
        best, chosen = math.inf, np.zeros(2)
        for radius in (8, 11, 15, 20, 26, 33):
            for angle in np.arange(16) * math.pi / 8 + math.pi / 4:
                centre = at[index] + radius * np.array([math.cos(angle), math.sin(angle)])
                box = np.concatenate([centre - half, centre + half])
                others = np.delete(dots, index, axis=0)
                cost = 30 * _overlap(box, boxes) + 8 * _overlap(box, others) + 0.6 * radius
                cost += 30 * float(np.maximum(low - box[:2], 0).sum() + np.maximum(box[2:] - high, 0).sum())
                if cost < best:
                    best, chosen = cost, centre
        boxes = np.vstack([boxes, [*(chosen - half), *(chosen + half)]])
        offset = chosen - at[index]
        far = np.hypot(*offset) > 12
        axes.annotate(
            str(numbers[index]),
            points[index],
            offset,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SIZE,
            color=INK,
            zorder=6,
            arrowprops={"arrowstyle": "-", "color": PALE, "linewidth": 0.6, "shrinkA": 3.5, "shrinkB": 3}
            if far
            else None,
        )


def _overlap(box: np.ndarray, others: np.ndarray) -> float:
    """Return the area, in square points, that a box `[4]` shares with others, `[N, 4]`."""
    if not len(others):
        return 0.0
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    return float(np.prod(np.maximum(sides, 0), axis=1).sum())


def pareto(points: np.ndarray) -> np.ndarray:
    """Return which of some points, `[N, 2]`, no other betters, where more is better in both: bool `[N]`."""
    at_least = (points[None] >= points[:, None]).all(axis=-1)
    more = np.any(points[None] > points[:, None], axis=-1)
    return ~np.any(at_least & more, axis=1)


def finished_front(points: np.ndarray, done: np.ndarray) -> np.ndarray:
    """Return which points, `[N, 2]`, are the Pareto set of those that are done, or of all where none is: bool `[N]`."""
    among = done if done.any() else np.ones(len(points), bool)
    front = np.zeros(len(points), bool)
    front[among] = pareto(points[among])
    return front


def draw_front(axes: Axes, points: np.ndarray, signs: Sequence[int]) -> None:
    """Draw the staircase that the points on a Pareto front span, to the edges of the axes.

    Args:
        axes: with their final limits.
        points: those on the front, `[N, 2]`.
        signs: 1 for a coordinate of which more is better, -1 for less.
    """
    points = points[np.argsort(signs[0] * points[:, 0])]
    worst_x = min(axes.get_xlim(), key=lambda end: signs[0] * end)
    worst_y = min(axes.get_ylim(), key=lambda end: signs[1] * end)
    x, y = [worst_x, *points[:, 0], points[-1, 0]], [points[0, 1], *points[:, 1], worst_y]
    axes.plot(x, y, drawstyle="steps-pre", color=INK, linewidth=0.9, linestyle=(0, (5, 2)), zorder=1.5)


def limits(means: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Return between which gains a chart is drawn: all means and most intervals, not the widest of a few seeds."""
    reach = 1.6 * np.nanquantile(np.abs(np.concatenate([low, high, means])), 0.8)
    least, most = np.nanmin([*means, 0.0]), np.nanmax([*means, 0.0])
    ends = max(-reach, np.nanmin([*low, least])), min(reach, np.nanmax([*high, most]))
    span = max(ends[1], most) - min(ends[0], least) or 1.0
    return min(ends[0], least) - 0.07 * span, max(ends[1], most) + 0.07 * span


def percent_axis(axis: Axis) -> None:
    """Have an axis of gains in percent, at few round ones."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(lambda value, place: f"{round(100 * value, 6) + 0:g}%".replace("-", "\N{MINUS SIGN}"))


def mark(axes: Axes, x: float, y: float, finding: Finding | None) -> None:
    """Draw a gain: a triangle that points to where all of its interval lies, or a circle; a square for the baseline."""
    shape, colour = MARKS[finding.verdict] if finding else ("s", INK)
    inside = "white" if shape == "o" else colour
    axes.plot(x, y, shape, markersize=5.8, markerfacecolor=inside, markeredgecolor=colour, zorder=3)
