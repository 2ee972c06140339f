"""Metric against metric, for each pair of tasks."""

import itertools
import math
from typing import NamedTuple

import numpy as np

from visionmtl.comparison.verdicts.charts import limits
from visionmtl.comparison.verdicts.charts.on_page import told
from visionmtl.comparison.verdicts.columns import mean_and_error
from visionmtl.comparison.verdicts.counted import main_metrics
from visionmtl.comparison.verdicts.judging import Judged, Judgement
from visionmtl.report.plots.points import Axis, Group, Joined, Point, Points, ends, staircase

MOST = 15  # panels: the pairs of six tasks
NOTE = (
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


def panels(judgement: Judgement) -> list[Points]:
    """Return the main metrics of each pair of tasks, a chart a pair; none where there is no pair of metrics."""
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
        front = limits.finished_front(means * signs, done)
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
