"""How the tasks of a run weighed against each other: their weights and the conflicts of their gradients, in words."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from visionmtl import csvfile
from visionmtl.report import grids
from visionmtl.report.grids import Grid
from visionmtl.report.plots.axes import points_of
from visionmtl.report.plots.balancing import STRONG

ALIKE = 0.02  # weights whose ratio is nearer to 1 than this are told to be alike


class Conflicts(NamedTuple):
    """How the gradients of the tasks lie to each other.

    Attributes:
        table: a row a pair.
        sentences: what that means, one a pair.
    """

    table: Grid
    sentences: list[str]


def conflicts(path: Path) -> Conflicts | None:
    """Return how the gradients of each pair of tasks lie to each other; None where that was not watched.

    A step is in conflict where the cosine is below `STRONG`: one of -0.005 is noise.

    Args:
        path: `gradients.csv`; one with a cell that is no number is as good as none.
    """
    rows: list[list[Any]] = []
    sentences = []
    for name, values in _columns(path).items():
        if name.startswith("cosine/"):
            values = values[np.isfinite(values)]
            shares = [float((values < limit).mean()) if len(values) else math.nan for limit in (0, STRONG)]
            mean = float(values.mean()) if len(values) else math.nan
            pair = name.removeprefix("cosine/").split("/")
            rows.append([", ".join(pair), len(values), mean, *shares])
            if len(values):
                sentences.append(_sentence(" and ".join(pair), len(values), mean, shares[1]))
    header = ["tasks", "steps watched", "mean cosine", "of steps below 0", f"of steps below {STRONG}"]
    return Conflicts(grids.grid(header, rows), sentences) if rows else None


def weights(path: Path) -> str:
    """Return in a sentence how much each task counted in the last epoch that has weights; nothing without any.

    Args:
        path: `history.csv`; one with a cell that is no number is as good as none.
    """
    history = _columns(path)
    known = {}
    for name in history:
        if name.startswith("weight/"):
            epochs, values = points_of(history, name)
            if len(values):
                known[name.removeprefix("weight/")] = float(values[-1])
                epoch = int(epochs[-1])
    if len(known) < 2:
        return ""
    most, least = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    if known[most] - known[least] <= ALIKE * abs(known[most]):
        return f"In epoch {epoch} all tasks counted alike."
    each = ", ".join(f"{name} {value:.3g}" for name, value in known.items())
    told = f"What each task counted in epoch {epoch}: {each}"
    return (
        f"{told}; {most} {known[most] / known[least]:.2g} times as much as {least}." if known[least] > 0 else f"{told}."
    )


def _sentence(pair: str, steps: int, mean: float, share: float) -> str:
    """Return what was seen of a pair of tasks."""
    watched = "the one step watched" if steps == 1 else f"{steps:,} steps watched"
    if share == 0:
        met = f"never clearly in conflict in {watched}"
    else:
        met = f"in conflict in {share:.0%} of {watched} (cosine below {STRONG})"
    if mean < STRONG:
        meaning = "on the whole what helps one hurts the other"
    elif mean > -STRONG:
        meaning = "on the whole what helps one helps the other"
    else:
        meaning = "on the whole they have little to do with each other"
    return f"{pair}: {met}; mean cosine {mean:.2f}, {meaning}."


def _columns(path: Path) -> dict[str, np.ndarray]:
    try:
        return {name: np.asarray(values, np.float64) for name, values in csvfile.columns(path).items()}
    except ValueError:
        return {}
