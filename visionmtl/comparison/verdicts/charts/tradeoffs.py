"""Metric against metric, for each pair of tasks."""

import itertools
import math
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visionmtl.comparison.verdicts.charts import numbered
from visionmtl.comparison.verdicts.charts.on_page import told
from visionmtl.comparison.verdicts.columns import mean_and_error
from visionmtl.comparison.verdicts.counted import main_metrics
from visionmtl.comparison.verdicts.judging import Judged, Judgement
from visionmtl.report.plots.axes import INK, PALE
from visionmtl.report.plots.points import Axis, Group, Joined, Point, Points, ends, staircase

MOST = 15  # panels: the pairs of six tasks
NOTE = (
    "Means over seeds and their standard errors; right and up are better. Filled: no other arm betters it in both (the "
    "Pareto set, dashed). Square: the baseline. Pale: not all seeds are done, and not in the set while any arm is."
)

ON_PAGE = (
    "Means over seeds, with bars of their standard errors; right and up are better. Dashed: the Pareto set, the arms"
    " that no other one betters in both; while any arm has all its seeds, it is of those that have."
)
LOOKS = {
    "single-task models": ("ink", "square"),
    "Pareto set": ("line-0", "dot"),
    "bettered in both": ("neither", "circle"),
    "not all seeds done": ("pale", "circle"),
}  # the colour and mark of each group


class _Pair(NamedTuple):
    """The main metrics of two tasks, of the arms that have both.

    Attributes:
        titles: of the axes.
        signs: 1 where more is better, -1 where less is.
        arms: N of them.
        means: over seeds, `[N, 2]`.
        errors: of the means, `[N, 2]`; 0 where there is none.
        done: whether all seeds are, `[N]`.
        front: whether no other arm betters it in both, `[N]`.
    """

    titles: list[str]
    signs: list[int]
    arms: list[Judged]
    means: np.ndarray
    errors: np.ndarray
    done: np.ndarray
    front: np.ndarray


def tradeoffs(judgement: Judgement) -> Figure | None:
    """Draw the main metrics of each pair of tasks, with standard errors and the Pareto set; None without a pair.

    Right and up are better: the axis of a metric of which less is better runs the other way. The Pareto set is that of
    the arms whose seeds are all done, or of all where none is finished.
    """
    comparison, pairs = judgement.comparison, _pairs(judgement)
    arms = [judged for judged in judgement.arms if judged.arm.seeds]
    if not pairs or not arms:
        return None
    figure, panels = numbered.panels(len(pairs), arms, comparison, NOTE + left_out(judgement))
    drawn = []
    for axes, pair in zip(panels, pairs, strict=True):
        errors = {"xerr": pair.errors[:, 0], "yerr": pair.errors[:, 1]}
        axes.errorbar(*pair.means.T, **errors, fmt="none", ecolor=PALE, elinewidth=0.8, zorder=2)
        for judged, mean, best, whole in zip(pair.arms, pair.means, pair.front, pair.done, strict=True):
            _point(axes, judged, mean, best, whole)
        axes.set_xlabel(pair.titles[0], fontsize=8, color=INK)
        axes.set_ylabel(pair.titles[1], fontsize=8, color=INK)
        if pair.signs[0] < 0:
            axes.invert_xaxis()
        if pair.signs[1] < 0:
            axes.invert_yaxis()
        if pair.front.any():
            axes.autoscale_view()
            axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
            numbered.draw_front(axes, pair.means[pair.front], pair.signs)
        drawn.append((axes, pair.means, [judged.number for judged in pair.arms]))
    figure.draw_without_rendering()
    for axes, means, numbers in drawn:
        if numbers:
            numbered.number_points(axes, means, numbers)
    return figure


def panels(judgement: Judgement) -> list[Points]:
    """Return the same for a page, a chart a pair; none where there is no pair of metrics."""
    return [_panel(judgement, pair) for pair in _pairs(judgement) if pair.arms]


def left_out(judgement: Judgement) -> str:
    """Return a sentence on the pairs that are too many to be drawn; nothing where all are."""
    count = math.comb(len(dict(main_metrics(judgement.comparison, judgement.enters))), 2)
    return f" The first {MOST} of {count} pairs." if count > MOST else ""


def _pairs(judgement: Judgement) -> list[_Pair]:
    comparison = judgement.comparison
    mains = dict(main_metrics(comparison, judgement.enters))
    arms = [judged for judged in judgement.arms if judged.arm.seeds]
    found = []
    for pair in itertools.islice(itertools.combinations(mains, 2), MOST) if arms else ():
        values = np.array([[mean_and_error(judged.arm, task, mains[task]) for task in pair] for judged in arms])
        known = ~np.isnan(values[:, :, 0]).any(1)
        shown = [judged for judged, is_known in zip(arms, known, strict=True) if is_known]
        means, errors = values[known, :, 0], np.nan_to_num(values[known, :, 1])
        signs = [-1 if mains[task] in comparison.lower else 1 for task in pair]
        done = np.array([not comparison.unfinished(judged.arm) for judged in shown], bool)
        front = numbered.finished_front(means * signs, done)
        titles = [f"{task}: {mains[task]}{', less is better' * (mains[task] in comparison.lower)}" for task in pair]
        found.append(_Pair(titles, signs, shown, means, errors, done, front))
    return found


def _panel(judgement: Judgement, pair: _Pair) -> Points:
    """Return a chart of two tasks' metrics, each arm in the group of what is known of it."""
    spread = [
        np.concatenate([side - error, side + error]) for side, error in zip(pair.means.T, pair.errors.T, strict=True)
    ]
    x, y = (ends(values) for values in spread)
    groups = {look: list[Point]() for look in LOOKS}
    for judged, mean, error, best, whole in zip(pair.arms, pair.means, pair.errors, pair.front, pair.done, strict=True):
        words = [f"{title} {at:.3f} ± {by:.3f}" for title, at, by in zip(pair.titles, mean, error, strict=True)]
        look = "single-task models" if judged.arm.alone else "Pareto set" if best else "bettered in both"
        groups[look if judged.arm.alone or whole else "not all seeds done"].append(
            Point(
                mean[0],
                mean[1],
                told(judged, judgement.comparison, *words),
                str(judged.number),
                (mean[0] - error[0], mean[0] + error[0]) if error[0] else (),
                (mean[1] - error[1], mean[1] + error[1]) if error[1] else (),
            )
        )
    axes = [
        Axis(title, *limits, falling=sign < 0)
        for title, limits, sign in zip(pair.titles, (x, y), pair.signs, strict=True)
    ]
    front = Joined(staircase(pair.means[pair.front], pair.signs, x, y), dashed=True)
    title = " and ".join(of.partition(":")[0] for of in pair.titles)
    shown = [Group(name, *LOOKS[name], points) for name, points in groups.items() if points]
    return Points(title, judgement.comparison.split, axes[0], axes[1], shown, [front])


def _point(axes: Axes, judged: Judged, mean: np.ndarray, best: bool, whole: bool) -> None:
    """Draw an arm: filled on the Pareto front, a square for the baseline, pale where it is not finished."""
    shape, edge, inside = "s" if judged.arm.alone else "o", INK if whole else PALE, INK if best else "white"
    axes.plot(*mean, shape, markersize=5.5, markerfacecolor=inside, markeredgecolor=edge, markeredgewidth=1.1, zorder=3)
