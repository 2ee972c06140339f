"""Delta-m: what a model of several tasks gains over a model for each task alone."""

from collections.abc import Iterable, Mapping

import numpy as np


def gains(
    results: Mapping[str, Mapping[str, float]], single: Mapping[str, Mapping[str, float]], lower: Iterable[str] = ()
) -> dict[str, float]:
    """Return by how much each task gained over a model that does it alone: the mean relative change of its metrics.

    Args:
        results: metrics by task, `{"cars": {"AP": 0.3}}`; those of single classes, as "AP/van", do not count.
        single: the same of single-task models, trained with the same budget.
        lower: names of the metrics of which less is better.

    Returns:
        By task, 0.01 for one percent better; NaN where no metric is known on both sides and not 0 alone.
    """
    signs = dict.fromkeys(lower, -1.0)
    changes = {}
    for task, values in results.items():
        names = [name for name in values if "/" not in name and name in single.get(task, {})]
        now, alone = (np.array([of[task][name] for name in names], np.float64) for of in (results, single))
        sign = np.array([signs.get(name, 1.0) for name in names])
        change = np.divide(now - alone, alone, out=np.full(len(names), np.nan), where=alone != 0)
        changes[task] = _mean(sign * change)
    return changes


def delta_m(
    results: Mapping[str, Mapping[str, float]], single: Mapping[str, Mapping[str, float]], lower: Iterable[str] = ()
) -> float:
    """Return the mean over tasks of `gains`, whose arguments it takes: what sharing brought, 0.01 for one percent.

    Reference: Maninis et al. 2019, Attentive Single-Tasking of Multiple Tasks; here a task with several metrics counts
    once, with their mean.

    Example:
        >>> delta_m({"cars": {"AP": 0.33}, "ground": {"mIoU": 0.5}}, {"cars": {"AP": 0.3}, "ground": {"mIoU": 0.5}})
        0.05
    """
    return _mean(np.array(list(gains(results, single, lower).values())))


def _mean(values: np.ndarray) -> float:
    """Return the mean of the values that are numbers; NaN if there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan
