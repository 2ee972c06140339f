"""How a model does on each class of its tasks, as it is printed when a training ends."""

from collections.abc import Mapping
from typing import Any

from visionmtl.metrics.metric import FURTHER
from visionmtl.report import tables


def told(metrics: Mapping[str, Any], split: str, where: str) -> str:
    """Return a table for each task that has figures of single classes: a row a class, a column a metric.

    Args:
        metrics: as in `metrics.json`: `{split: {task: {metric: value}}}`.
        split: the one to tell of.
        where: the file that has what is left out of long tables.

    Example:
        >>> print(told({"validation": {"cars": {"AP": 0.3, "AP/van": 0.2, "AP/car": 0.4}}}, "validation", "m.json"))
        cars, validation     AP
        ----------------  -----
        van               0.200
        car               0.400
    """
    parts = []
    for task, values in metrics.get(split, {}).items():
        by_class: dict[str, dict[str, float]] = {}
        for key, value in values.items():
            metric, slash, name = key.partition("/")
            if slash and metric != FURTHER:
                by_class.setdefault(name, {})[metric] = float("nan") if value is None else value
        if not by_class:
            continue
        columns = list(dict.fromkeys(metric for of_class in by_class.values() for metric in of_class))
        rows = [[name, *(of_class.get(metric) for metric in columns)] for name, of_class in by_class.items()]
        shown = tables.printed([f"{task}, {split}", *columns], rows[: tables.LISTED])
        more = len(rows) - tables.LISTED
        parts.append(f"{shown}\nand {more} more classes, in {where}" if more > 0 else shown)
    return "\n\n".join(parts)
