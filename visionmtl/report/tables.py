"""Tables for the terminal and Markdown, and the one layout of final metrics that terminal and report share."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from visionmtl import terminal
from visionmtl.metrics.metric import FURTHER

Row = Sequence[Any]
SHARE = re.compile(r"\d[\d.]*%")
LISTED = 20  # lines that are printed one by one


def table(header: Sequence[str], rows: Sequence[Row]) -> str:
    """Return aligned columns under a header and a rule: text left, numbers right.

    Args:
        header: N names of columns.
        rows: N cells each, formatted by `cell`.

    Example:
        >>> print(table(["task", "AP"], [["cars", 0.25], ["signs", None]]))
        task      AP
        -----  -----
        cars   0.250
        signs
    """
    texts = [[cell(value) for value in row] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(header, *texts, strict=True)]
    right = [_is_flush([row[index] for row in rows]) for index in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        parts = zip(cells, widths, right, strict=True)
        return "  ".join(text.rjust(width) if flush else text.ljust(width) for text, width, flush in parts).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, texts)])


def printed(header: Sequence[str], rows: Sequence[Row], named: int = 1) -> str:
    """Return the same for the terminal: in one that is narrower, the columns in several tables below each other.

    What goes to a file, and has no terminal's width, is one table.

    Args:
        header: N names of columns.
        rows: N cells each.
        named: how many columns name a row, and stand in each of the tables.
    """
    columns = [max(map(len, (name, *(cell(row[place]) for row in rows)))) for place, name in enumerate(header)]
    room = terminal.width(sum(columns) + 2 * len(columns), 0)
    names = list(range(named))
    parts = [names]
    for place in range(named, len(header)):
        if sum(columns[each] + 2 for each in parts[-1]) + columns[place] > room and parts[-1] != names:
            parts.append(names)
        parts[-1] = [*parts[-1], place]
    return "\n\n".join(
        table([header[place] for place in part], [[row[place] for place in part] for row in rows]) for part in parts
    )


def markdown(header: Sequence[str], rows: Sequence[Row]) -> str:
    """Return the same table in Markdown.

    Args:
        header: N names of columns.
        rows: N cells each, formatted by `cell`.
    """
    right = [is_number_column(row[index] for row in rows) for index in range(len(header))]
    texts = [[cell(value).replace("|", "\\|") for value in row] for row in rows]
    rule = ["---:" if flush else "---" for flush in right]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *texts))


def cell(value: Any) -> str:
    """Return the text of one cell: three decimals, thousands apart, "-" for NaN and nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool) or not is_number(value):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if math.isnan(value) else f"{value:.3f}"


def is_number(value: Any) -> bool:
    """Return whether a cell holds an int or a float, as NumPy's are once they left their array."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_number_column(values: Any) -> bool:
    """Return whether all cells that are not empty are numbers, and one at least is."""
    filled = [value for value in values if value is not None]
    return bool(filled) and all(is_number(value) for value in filled)


def _is_flush(values: Sequence[Any]) -> bool:
    """Return whether a column is of numbers, or of shares such as "3.9%" too."""
    kept = [value for value in values if not (isinstance(value, str) and SHARE.fullmatch(value))]
    return is_number_column(kept) or (len(kept) < len(values) and all(value in (None, "") for value in kept))


def results(
    metrics: Mapping[str, Any], details: bool = False, further: bool = False
) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of a run's metrics: a row for each task and metric, a column for each split.

    Args:
        metrics: as in `metrics.json`: `{split: {task: {metric: value}}}`; what is not a split is passed over.
        details: whether to give the metrics of single classes, "IoU/car", instead of the others.
        further: whether to give those that are never compared, "further/AP_small", beside the others.

    Example:
        >>> results({"validation": {"cars": {"AP": 0.25}}, "seconds": 9.0})
        (['task', 'metric', 'validation'], [['cars', 'AP', 0.25]])
    """
    splits = {name: tasks for name, tasks in metrics.items() if isinstance(tasks, Mapping)}
    keys = {
        (task, metric): None
        for tasks in splits.values()
        for task, values in tasks.items()
        if isinstance(values, Mapping)
        for metric in values
        if (further if metric.startswith(f"{FURTHER}/") else ("/" in metric) == details)
    }
    order = {task: place for place, task in enumerate(dict.fromkeys(task for task, _ in keys))}
    sorted_keys = sorted(keys, key=lambda key: order[key[0]])
    rows = [
        [task, metric.removeprefix(f"{FURTHER}/"), *(_value(tasks, task, metric) for tasks in splits.values())]
        for task, metric in sorted_keys
    ]
    return ["task", "metric", *splits], rows


def listing(title: str, lines: Iterable[str]) -> str:
    """Return a title with how many lines there are, and the first of them below."""
    lines = list(lines)
    shown = [f"  {line}" for line in lines[:LISTED]]
    more = [f"  and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return "\n".join([f"{title}: {len(lines) or 'none'}", *shown, *more])


def duration(seconds: float) -> str:
    """Return a time in the two units that matter: "45 s", "12 min 5 s", "3 h 20 min".

    Example:
        >>> duration(725)
        '12 min 5 s'
    """
    seconds = round(seconds)
    for size, unit, smaller, name in ((3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // smaller} {name}"
    return f"{seconds} s"


def _value(tasks: Mapping[str, Any], task: str, metric: str) -> float | None:
    """Return one value; NaN where it is null, as JSON has no NaN; None where the split lacks it."""
    values = tasks.get(task)
    if not isinstance(values, Mapping) or metric not in values:
        return None
    return math.nan if values[metric] is None else values[metric]
