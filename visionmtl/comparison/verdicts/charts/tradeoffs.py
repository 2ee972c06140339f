"""Metric against metric, for each pair of tasks."""

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visionmtl.comparison.verdicts.charts import numbered
from visionmtl.comparison.verdicts.columns import mean_and_error
from visionmtl.comparison.verdicts.counted import main_metrics
from visionmtl.comparison.verdicts.judging import Judged, Judgement
from visionmtl.report.plots.axes import INK, PALE

MOST = 15  # panels: the pairs of six tasks
NOTE = (
    "Means over seeds and their standard errors; right and up are better. Filled: no other arm betters it in both (the "
    "Pareto set, dashed). Square: the baseline. Pale: not all seeds are done, and not in the set while any arm is."
)


def tradeoffs(judgement: Judgement) -> Figure | None:
    """Draw the main metrics of each pair of tasks, with standard errors and the Pareto set; None without a pair.

    Right and up are better: the axis of a metric of which less is better runs the other way. The Pareto set is that of
    the arms whose seeds are all done, or of all where none is finished.
    """
    comparison = judgement.comparison
    mains = dict(main_metrics(comparison, judgement.enters))
    every = list(itertools.combinations(mains, 2))
    pairs = every[:MOST]
    arms = [judged for judged in judgement.arms if judged.arm.seeds]
    if not pairs or not arms:
        return None
    note = NOTE + (f" The first {MOST} of {len(every)} pairs." if len(every) > MOST else "")
    figure, panels = numbered.panels(len(pairs), arms, comparison, note)
    drawn = []
    for axes, pair in zip(panels, pairs, strict=True):
        values = np.array([[mean_and_error(judged.arm, task, mains[task]) for task in pair] for judged in arms])
        known = ~np.isnan(values[:, :, 0]).any(1)
        shown = [judged for judged, is_known in zip(arms, known, strict=True) if is_known]
        means, errors = values[known, :, 0], np.nan_to_num(values[known, :, 1])
        signs = [-1 if mains[task] in comparison.lower else 1 for task in pair]
        done = np.array([not comparison.unfinished(judged.arm) for judged in shown], bool)
        front = numbered.finished_front(means * signs, done)
        axes.errorbar(*means.T, xerr=errors[:, 0], yerr=errors[:, 1], fmt="none", ecolor=PALE, elinewidth=0.8, zorder=2)
        for judged, mean, best, whole in zip(shown, means, front, done, strict=True):
            _point(axes, judged, mean, best, whole)
        titles = [f"{task}: {mains[task]}{', less is better' * (mains[task] in comparison.lower)}" for task in pair]
        axes.set_xlabel(titles[0], fontsize=8, color=INK)
        axes.set_ylabel(titles[1], fontsize=8, color=INK)
        if signs[0] < 0:
            axes.invert_xaxis()
        if signs[1] < 0:
            axes.invert_yaxis()
        if front.any():
            axes.autoscale_view()
            axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
            numbered.draw_front(axes, means[front], signs)
        drawn.append((axes, means, [judged.number for judged in shown]))
    figure.draw_without_rendering()
    for axes, means, numbers in drawn:
        if numbers:
            numbered.number_points(axes, means, numbers)
    return figure


def _point(axes: Axes, judged: Judged, mean: np.ndarray, best: bool, whole: bool) -> None:
    """Draw an arm: filled on the Pareto front, a square for the baseline, pale where it is not finished."""
    shape, edge, inside = "s" if judged.arm.alone else "o", INK if whole else PALE, INK if best else "white"
    axes.plot(*mean, shape, markersize=5.5, markerfacecolor=inside, markeredgecolor=edge, markeredgewidth=1.1, zorder=3)
