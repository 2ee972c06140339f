"""What delta-m costs: the time of a step, and parameters."""

import numpy as np

from visionmtl.comparison.verdicts.charts import limits
from visionmtl.comparison.verdicts.charts.on_page import by_verdict, in_words, told
from visionmtl.comparison.verdicts.judging import Finding, Judged, Judgement
from visionmtl.report.plots.points import Axis, Group, Joined, Point, Points, staircase

NOTE = (
    "Left and up are better; bars are the 95% intervals. Dashed: the Pareto set of the means of arms whose seeds are"
    " all done. Arms of one cost stand a little apart."
)


def panels(judgement: Judgement) -> list[Points]:
    """Return delta-m, with its intervals, against each cost, a chart a cost; none without delta-m."""
    arms, places = _places(judgement)
    if not places:
        return []
    comparison = judgement.comparison
    mean, low, high = np.array([_gain(judged) for judged in arms]).T
    y, signs = limits.limits(mean, low, high), [-1, 1]
    done = np.array([not comparison.unfinished(judged.arm) for judged in arms], bool)
    drawn = []
    for title, true in places.items():
        moved = {of.number: at for of, at in zip(arms, zip(true, apart(true), strict=True), strict=True)}
        there = ~np.isnan(true)
        room = 0.08 * (np.nanmax(true) - np.nanmin(true))
        x = wide(float(np.nanmin(true)) - room, float(np.nanmax(true)) + room, float(np.nanmax(true)))
        points = np.stack([apart(true), mean], axis=1)[there]
        front = limits.finished_front(np.stack([-true, mean], axis=1)[there], done[there])

        def point(judged: Judged, finding: Finding, title: str = title, moved: dict = moved) -> Point:
            found, (cost, at) = finding.found, moved[judged.number]
            said = told(judged, comparison, f"{title} {cost:.3g}", in_words("delta-m", finding))
            return Point(at, found.mean, said, str(judged.number), upright=(found.low, found.high))

        groups = by_verdict(((judged, judged.delta_m) for judged in arms), point)
        alone = [
            Point(moved[of.number][1], 0.0, told(of, comparison, f"{title} {moved[of.number][0]:.3g}"), str(of.number))
            for of in arms
            if of.delta_m is None
        ]
        groups += [Group("single-task models", "ink", "square", alone)] if alone else []
        axes = Axis(title, *x), Axis("delta-m", *y, percent=True, zero=True)
        stairs = Joined(staircase(points[front], signs, x, y), dashed=True)
        cost = title.partition(",")[0].partition(" / ")[0]
        drawn.append(Points(f"delta-m by {cost}", comparison.split, *axes, groups, [stairs]))
    return drawn


def _places(judgement: Judgement) -> tuple[list[Judged], dict[str, np.ndarray]]:
    """Return the arms that are drawn and, by its title, each cost `[arms]` that is known; none without delta-m."""
    reference = judgement.comparison.reference
    alone = [judged for judged in judgement.arms if judged.arm.alone and judged.arm.seeds]
    joint = [judged for judged in judgement.arms if judged.delta_m is not None]
    arms = [*alone, *joint]
    kinds = {"parameters, million": lambda judged: judged.arm.cost("parameters") / 1e6}
    if reference:
        title = f"time of a step / that of '{limits.short(reference.name)}'"
        kinds = {title: lambda judged: judged.arm.cost("step") / reference.cost("step"), **kinds}
    places = {title: np.array([of(judged) for judged in arms]) for title, of in kinds.items()}
    return arms, {title: of for title, of in places.items() if joint and not np.isnan(of).all()}


def apart(x: np.ndarray) -> np.ndarray:
    """Return costs `[N]` with those that are the same moved a little apart."""
    moved, span = x.astype(np.float64), np.nanmax(x) - np.nanmin(x) or np.nanmax(x)
    for value in np.unique(np.round(x / (0.004 * span))):
        alike = np.flatnonzero(np.round(x / (0.004 * span)) == value)
        moved[alike] += (np.arange(len(alike)) - (len(alike) - 1) / 2) * min(0.012, 0.16 / len(alike)) * span
    return moved


def wide(low: float, high: float, most: float) -> tuple[float, float]:
    """Return the ends of an axis of costs, no nearer than a fifth of the highest: what is nearly the same looks so."""
    lacking = max(0.0, 0.2 * most - (high - low)) / 2
    return low - lacking, high + lacking


def _gain(judged: Judged) -> tuple[float, float, float]:
    """Return delta-m with the ends of its interval; of the baseline 0."""
    if judged.delta_m is None:
        return 0.0, np.nan, np.nan
    return judged.delta_m.found.mean, judged.delta_m.found.low, judged.delta_m.found.high
