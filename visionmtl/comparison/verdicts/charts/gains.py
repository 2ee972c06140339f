"""The gain of every arm in every task, with its interval."""

import math
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visionmtl.comparison.verdicts.charts.numbered import (
    BY_VERDICT,
    MARKS,
    NEITHER,
    SIZE,
    limits,
    mark,
    measured_on,
    percent_axis,
    short,
)
from visionmtl.comparison.verdicts.charts.on_page import by_verdict, in_words, named, told
from visionmtl.comparison.verdicts.judging import Finding, Judged, Judgement
from visionmtl.report.plots.axes import INK, plain, set_title
from visionmtl.report.plots.points import Axis, Point, Points

ACROSS = 4  # panels beside each other
NOTE = f"Gains over single-task models. {BY_VERDICT} An arrow head at an edge: the interval goes on."

ON_PAGE = (
    "Gains over single-task models; bars are 95% intervals, paired by seed. Triangles: all of the interval lies above"
    " or below 0; circles: it does not. A bar that ends at an edge goes on."
)


def gains(judgement: Judgement) -> Figure | None:
    """Draw a panel for delta-m and for each task, a row an arm: a dot and its interval; None where nothing is known.

    An arrow head at an edge stands for an interval that goes on.
    """
    arms, columns = _columns(judgement)
    if not arms:
        return None
    across = min(len(columns), ACROSS)
    rows = math.ceil(len(columns) / across)
    names = [
        f"{short(judged.arm.name)}{judgement.comparison.unfinished(judged.arm)}  {judged.number}" for judged in arms
    ]
    width = 0.065 * max(map(len, names)) + 2.3 * across
    said = textwrap.wrap(measured_on(judgement.comparison, NOTE), int(width / 0.064))
    figure = Figure((width, rows * (0.8 + 0.21 * len(arms)) + 0.16 * len(said)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    for index, (title, findings) in enumerate(columns.items()):
        axes = plain(figure.add_subplot(rows, across, index + 1))
        set_title(axes, title)
        _draw(axes, findings)
        axes.set_yticks(range(len(arms)), names if index % across == 0 else [""] * len(arms))
        axes.set_ylim(len(arms) - 0.4, -0.6)
    figure.supxlabel("\n".join(said), fontsize=SIZE, color=NEITHER, x=0.012, ha="left")
    return figure


def panels(judgement: Judgement) -> list[Points]:
    """Return the same for a page: a chart for delta-m and for each task, a row an arm; none where nothing is known."""
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


def _draw(axes: Axes, findings: list[Finding | None]) -> None:
    known = [(row, finding) for row, finding in enumerate(findings) if finding is not None]
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    percent_axis(axes.xaxis)
    if not known:
        return
    mean, low, high = np.array([(of.found.mean, of.found.low, of.found.high) for _, of in known]).T
    ends = limits(mean, low, high)
    axes.set_xlim(*ends)
    for row, finding in known:
        found, (_, colour) = finding.found, MARKS[finding.verdict]
        axes.plot([found.low, found.high], [row, row], color=colour, linewidth=1.2, solid_capstyle="butt", zorder=2)
        for end, beyond, head in ((ends[0], found.low < ends[0], "<"), (ends[1], found.high > ends[1], ">")):
            if beyond:
                axes.plot(end, row, marker=head, markersize=4.5, color=colour, clip_on=False, zorder=2)
        mark(axes, found.mean, row, finding)
