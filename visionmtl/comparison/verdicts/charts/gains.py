"""The gain of every arm in every task, with its interval."""

import numpy as np

from visionmtl.comparison.verdicts.charts.limits import limits
from visionmtl.comparison.verdicts.charts.on_page import by_verdict, in_words, named, told
from visionmtl.comparison.verdicts.judging import Finding, Judged, Judgement
from visionmtl.report.plots.points import Axis, Point, Points

NOTE = (
    "Gains over single-task models; bars are 95% intervals, paired by seed. Triangles: all of the interval lies above"
    " or below 0; circles: it does not. A bar that ends at an edge goes on."
)


def panels(judgement: Judgement) -> list[Points]:
    """Return a chart for delta-m and for each task, a row an arm; none where nothing is known."""
    arms, columns = _columns(judgement)
    drawn = []
    for title, findings in columns.items():
        known = [of.found for of in findings if of is not None]
        if not known:
            continue
        mean, low, high = np.array([(found.mean, found.low, found.high) for found in known]).T
        rows = {judged.number: row for row, judged in enumerate(arms)}

        def point(judged: Judged, finding: Finding, title: str = title, rows: dict[int, int] = rows) -> Point:
            found, words = finding.found, in_words(title, finding)
            said = told(judged, judgement.comparison, words)
            return Point(found.mean, rows[judged.number], said, across=(found.low, found.high))

        names = {float(row): named(judged, judgement.comparison) for row, judged in enumerate(arms)}
        x = Axis("gain over single-task models", *limits(mean, low, high), percent=True, zero=True)
        y = Axis("", -0.6, len(arms) - 0.4, falling=True, ticks=names)
        groups = by_verdict(zip(arms, findings, strict=True), point)
        drawn.append(Points(title, judgement.comparison.split, x, y, groups))
    return drawn


def _columns(judgement: Judgement) -> tuple[list[Judged], dict[str, list[Finding | None]]]:
    """Return the arms of which a gain is known, and what was found of each: delta-m, then task by task."""
    arms = [judged for judged in judgement.arms if judged.gains]
    columns: dict[str, list[Finding | None]] = {"delta-m": [judged.delta_m for judged in arms]}
    columns |= {task: [judged.gains.get(task) for judged in arms] for task in judgement.enters.metrics}
    return arms, columns
