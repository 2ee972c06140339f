"""Tables of a page: of results, of single classes, and of which class is taken for which."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from visionmtl.metrics.metric import FURTHER, ratio
from visionmtl.report import tables
from visionmtl.report.measured import Measured

READABLE = 40  # classes whose confusions are a table; of more, the most frequent ones are a list
WORST = 20  # lines of that list
COUNTED = {"classification": "images", "detection": "objects", "segmentation": "pixels"}


class Cell(NamedTuple):
    """One cell.

    Attributes:
        text: what stands in it.
        value: by which its column is sorted; None for text, NaN where there is no number.
        bar: how much of the cell is filled, 0 to 1; None for none.
        best: whether it is marked as the best of its column.
        small: what stands below the text.
        kind: of verdict, by which it is coloured; "" for none.
    """

    text: str
    value: float | None = None
    bar: float | None = None
    best: bool = False
    small: str = ""
    kind: str = ""


class Grid(NamedTuple):
    """A table.

    Attributes:
        header: names of columns.
        rows: of cells, as many in each.
        split: of all columns; "" where they name theirs, or are of none.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    split: str = ""

    @property
    def numeric(self) -> list[bool]:
        """Whether each column is of numbers."""
        return [any(row[place].value is not None for row in self.rows) for place in range(len(self.header))]


class Shade(NamedTuple):
    """A cell of a matrix.

    Attributes:
        text: what stands in it.
        part: how full its colour is, -1 to 1; below 0 it is another.
        told: what a reader is told who looks at it.
    """

    text: str
    part: float
    told: str


class Matrix(NamedTuple):
    """Numbers of each pair of some things, as coloured cells.

    Attributes:
        title: what they are.
        split: on which they were measured.
        names: of rows and columns.
        rows: of cells.
        note: what rows and columns are; "" for nothing.
    """

    title: str
    split: str
    names: Sequence[str]
    rows: Sequence[Sequence[Shade]]
    note: str


class Confusion(NamedTuple):
    """Which class is taken for which, on a split.

    Attributes:
        split: which.
        names: of rows, the truth, and of columns, the prediction.
        classes: how many of them are classes; one more is the background.
        counts: `[N, N]`.
        fractions: of each row, `[N, N]`.
        worst: the most frequent ones that are wrong, where there are too many classes for a table.
    """

    split: str
    names: Sequence[str]
    classes: int
    counts: Sequence[Sequence[int]]
    fractions: Sequence[Sequence[float]]
    worst: Grid | None


def cell(value: Any) -> Cell:
    """Return a plain cell."""
    number = float(value) if tables.is_number(value) else None
    return Cell(tables.cell(value), number)


def grid(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Grid:
    """Return a table of plain cells."""
    return Grid(header, [[cell(value) for value in row] for row in rows])


def results(
    metrics: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]], further: bool = False
) -> dict[str, Grid]:
    """Return a table of figures for each task: a row a metric, a column a split, and how far they are from others'.

    Args:
        metrics: as in `metrics.json`.
        others: the same of what they are compared with, by what their columns are called behind the split.
        further: whether to give those that are never compared, instead.
    """
    header, rows = tables.results(metrics, further=further)
    known = {tuple(row[:2]) for row in tables.results(metrics)[1]} if further else set()
    splits = header[2:]
    pairs = [(split, name) for name in others for split in splits]
    told: dict[str, list[list[Any]]] = {}
    for task, metric, *values in rows:
        if (task, metric) in known:
            continue
        by_split = dict(zip(splits, values, strict=True))
        changes = [_change(others[name], split, task, metric, by_split[split]) for split, name in pairs]
        cells = [cell(value) for value in values]
        told.setdefault(task, []).append([Cell(metric.replace("_", " ")), *cells, *changes])
    found: dict[str, Grid] = {}
    for task, lines in told.items():
        cut = 1 + len(splits)
        kept = [place for place in range(len(pairs)) if any(line[cut + place].text for line in lines)]
        head = ["metric", *splits, *(f"{pairs[place][0]}, {pairs[place][1]}" for place in kept)]
        found[task] = Grid(head, [[*line[:cut], *(line[cut + place] for place in kept)] for line in lines])
    return found


def classes(task: str, metrics: Mapping[str, Any], measured: Mapping[str, Mapping[str, Measured]]) -> Grid | None:
    """Return a table of a task's classes: how many there are of each in a split, and their figures; None without any.

    Columns name their split where there are several.

    Args:
        task: its name.
        metrics: as in `metrics.json`.
        measured: by split and task.
    """
    columns: dict[tuple[str, str], dict[str, float]] = {}
    for split, tasks in measured.items():
        if task in tasks:
            for name, numbers in _counted(tasks[task]).items():
                columns[name, split] = dict(zip(tasks[task].classes, numbers, strict=True))
    for split, of in metrics.items():
        values = of.get(task) if isinstance(of, Mapping) else None
        for key, value in values.items() if isinstance(values, Mapping) else ():
            metric, slash, name = key.partition("/")
            if slash and metric != FURTHER:
                known_value = math.nan if value is None else value
                columns.setdefault((metric.replace("_", " "), split), {})[name] = known_value
    names = dict.fromkeys(name for column in columns.values() for name in column)
    if not names:
        return None
    rows = [[Cell(name), *(_bar(column.get(name)) for column in columns.values())] for name in names]
    splits = {split for _, split in columns}
    heads = [name if len(splits) == 1 else f"{name}, {split}" for name, split in columns]
    return Grid(["class", *heads], rows, splits.pop() if len(splits) == 1 else "")


def _counted(known: Measured) -> dict[str, list[float]]:
    """Return how many there are of each class, and the precision and recall of what was predicted, `[C]` each."""
    title = COUNTED.get(known.kind, "instances")
    if "confusion" in known.charts:
        matrix, count = np.asarray(known.charts["confusion"]), len(known.classes)
        hits, truth, found = np.diagonal(matrix)[:count], matrix.sum(axis=1)[:count], matrix.sum(axis=0)[:count]
        figures = {"precision": ratio(hits, found).tolist(), "recall": ratio(hits, truth).tolist()}
        return {title: list(map(int, truth)), **figures}
    if "instances" in known.charts and "by_probability" in known.charts:  # a class is there from a half on
        half = known.charts["by_probability"][:2, known.charts["by_probability"].shape[1] // 2]
        figures = {"precision": half[0].tolist(), "recall": half[1].tolist()}
        return {title: list(map(int, known.charts["instances"])), **figures}
    return {}


def confusions(task: str, measured: Mapping[str, Mapping[str, Measured]]) -> list[Confusion]:
    """Return a task's confusions on each split."""
    found = []
    for split, tasks in measured.items():
        known = tasks.get(task)
        if known is None or "confusion" not in known.charts:
            continue
        counts = np.asarray(known.charts["confusion"], np.int64)
        names = [*known.classes, *["background"] * (len(counts) - len(known.classes))]
        fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        worst = None
        if len(names) > READABLE:
            wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
            order = [divmod(int(place), len(counts)) for place in np.argsort(-wrong, axis=None)[:WORST]]
            rows = [
                [Cell(names[row]), Cell(names[column]), cell(int(wrong[row, column])), cell(fractions[row, column])]
                for row, column in order
                if wrong[row, column]
            ]
            worst = Grid(["truth", "taken for", "times", "fraction"], rows)
        found.append(Confusion(split, names, len(known.classes), counts.tolist(), fractions.tolist(), worst))
    return found


def _bar(value: float | None) -> Cell:
    """Return a number, with a bar where it is a fraction; an empty cell sorts as what is not known."""
    if not tables.is_number(value):
        return Cell("", math.nan)
    return cell(value)._replace(bar=value if isinstance(value, float) and 0 <= value <= 1 else None)


def _change(other: Mapping[str, Any], split: str, task: str, metric: str, value: Any) -> Cell:
    """Return how far a figure is from another's; an empty cell where either is not known."""
    of: Any = other
    for key in (split, task, metric):
        of = of.get(key) if isinstance(of, Mapping) else None
    if not (tables.is_number(of) and tables.is_number(value)) or math.isnan(value - of):
        return Cell("", math.nan)
    return Cell(f"{value - of:+.3f}", value - of)
