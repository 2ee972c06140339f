"""The charts of an affinity as its page draws them: matrices, the tasks' tree, and cosines over the steps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from visionmtl.comparison.affinity import charts
from visionmtl.comparison.affinity.charts import PERCENT, SPLIT, TITLES
from visionmtl.comparison.affinity.figures import SCORES, known
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.scores import array
from visionmtl.report.grids import Matrix, Shade
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.points import Axis, Group, Joined, Point, Points

DIRECTED = "Rows: by the company of which task. Columns: the loss of which task."
LEAST_FULL = 0.2  # of cosines: smaller ones are pale, however small all are
TREE = "The further left tasks are joined, the more they bring each other; at 0 are the two that do so most."
UNKNOWN = "?: not known, as of pairs of which too few images are labelled for both."


def matrices(found: Mapping[str, Any]) -> list[Matrix]:
    """Return a matrix a score: rows bring, columns get; "?" where too few images are labelled for both of a pair."""
    return [_matrix(found, name) for name in SCORES]


def _matrix(found: Mapping[str, Any], name: str) -> Matrix:
    tasks = found["tasks"]
    values = known(array(found["scores"][name]["mean"]), array(found["shared"])) * PERCENT[name]
    np.fill_diagonal(values, np.nan)
    limit = float(np.nanmax(np.abs(values), initial=0.0)) if np.isfinite(values).any() else 0.0
    full = max(limit, LEAST_FULL) if name == "cosine" else limit or 1.0
    digits = charts.decimals(0.0 if name == "cosine" else limit, 2)
    rows = []
    for row, brings in enumerate(tasks):
        cells = []
        for column, gets in enumerate(tasks):
            value = values[row, column]
            text = "" if row == column else f"{value:z.{digits}f}" if np.isfinite(value) else "?"
            of = f"{brings} and {gets}" if name == "cosine" else f"{brings} brings {gets}"
            told = "" if row == column else f"{of}: {'not known' if text == '?' else text}"
            cells.append(Shade(text, value / full if np.isfinite(value) else 0.0, told))
        rows.append(cells)
    unknown = any(cell.text == "?" for row in rows for cell in row)
    colours = f"Blue helps, orange hinders; the colours are full at {full:.2g}{'%' if name != 'cosine' else ''}."
    note = " ".join([*([DIRECTED] if name != "cosine" else []), colours, *([UNKNOWN] if unknown else [])])
    return Matrix(TITLES[name], SPLIT, tasks, rows, note)


def drawn(found: Mapping[str, Any], records: Mapping[int, Record]) -> list[Points | Chart]:
    """Return the tree, where there is more than one way to join the tasks, and a chart of cosines a level."""
    tree = _tree(found)
    panels = [
        Chart(title, SPLIT, "step", *_joint(curves), note=note) for title, curves, note in charts.curves(found, records)
    ]
    return [*([tree] if tree else []), *(panel for panel in panels if not panel.is_empty)]


def _joint(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the steps of all curves, and each over all of them."""
    steps = np.unique(np.concatenate([each for each, _ in curves.values()]))
    lines = {name: np.full(len(steps), np.nan) for name in curves}
    for name, (of, values) in curves.items():
        lines[name][np.searchsorted(steps, of)] = values
    return steps, lines


def _tree(found: Mapping[str, Any]) -> Points | None:
    joined = charts.linkage(found)
    if joined is None:
        return None
    tasks, links = found["tasks"], joined.links
    places = {task: float(place) for place, task in enumerate(joined.order)}
    heights = dict.fromkeys(places, 0.0)
    names = {task: [tasks[task]] for task in places}
    lines, points = [], []
    for number, (one, other, height, _) in enumerate(links, len(tasks)):
        pair = int(one), int(other)
        ends = [[(heights[each], places[each]), (height, places[each])] for each in pair]
        lines.append(Joined([*ends[0], *reversed(ends[1])], "line-0"))
        places[number], heights[number] = sum(places[each] for each in pair) / 2, height
        names[number] = [name for each in pair for name in names[each]]
        told = f"{', '.join(names[pair[0]])} with {', '.join(names[pair[1]])}: {height:.3g}% below the highest"
        points.append(Point(height, places[number], told))
    x = Axis(charts.BELOW, 0.0, 1.06 * float(links[-1, 2]) or 1.0)
    leaves = {float(place): tasks[task] for place, task in enumerate(joined.order)}
    y = Axis("", -0.6, len(tasks) - 0.4, falling=True, ticks=leaves)
    note = f"{TREE} {joined.note.capitalize()}." if joined.note else TREE
    groups = [Group("joined", "line-0", "dot", points)]
    return Points("tasks joined by look-ahead affinity", SPLIT, x, y, groups, lines, note)
