"""How often a task of several labels an image was right and wrong about each class."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from visionmtl.report import grids
from visionmtl.report.grids import Grid
from visionmtl.report.measured import Measured

HEADER = ["class", "true positives", "false positives", "false negatives", "true negatives"]


class Outcomes(NamedTuple):
    """Counts of images, on a split.

    Attributes:
        grid: a row a class.
        told: what the counts cannot tell; "" for nothing.
    """

    grid: Grid
    told: str


def of(task: str, measured: Mapping[str, Mapping[str, Measured]]) -> list[Outcomes]:
    """Return the outcomes of a task on each split; none of one that charts none."""
    found = []
    for split, tasks in measured.items():
        known = tasks.get(task)
        if known is not None and "outcomes" in known.charts:
            counts = np.asarray(known.charts["outcomes"], np.int64)
            rows = [[name, *row] for name, row in zip(known.classes, counts.tolist(), strict=True)]
            found.append(Outcomes(grids.grid(HEADER, rows)._replace(split=split), _told(known.classes, counts)))
    return found


def _told(classes: Sequence[str], counts: np.ndarray) -> str:
    """Return of which classes a model cannot be wrong that always says, or never, that they are there."""
    positive, negative = counts[:, [0, 2]].sum(axis=1), counts[:, [1, 3]].sum(axis=1)
    always = [name for name, there, not_ in zip(classes, positive, negative, strict=True) if there and not not_]
    never = [name for name, there, not_ in zip(classes, positive, negative, strict=True) if not_ and not there]
    said = [f"Every image has {', '.join(always)}: to say so of all is never wrong, and a figure of 1 tells nothing."]
    said = said if always else []
    return " ".join([*said, *([f"No image has {', '.join(never)}."] if never else [])])
