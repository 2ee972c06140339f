"""The boxes of the objects in a mask of instance ids: class * 1000 + number, or the class alone of a group."""

import numpy as np

from pipelines.kinds.spec import IGNORE
from pipelines.sources.cityscapes.labels import FIRST_THING, IDS, LAST, OBJECTS, TRAIN
from pipelines.sources.files.entries import Annotation, Corners

NAMES = dict(zip(IDS, TRAIN, strict=True))


def objects(values: np.ndarray) -> tuple[list[Annotation], int]:
    """Return the objects of a mask, a group of several as a region to ignore.

    Args:
        values: whole numbers `[h, w]`, as the file has them.

    Returns:
        The objects, and how many others are of classes that are not evaluated.

    Raises:
        ValueError: a value is that of no class.
    """
    rows, columns = np.nonzero((values >= FIRST_THING) & (values != IGNORE))
    ids = values[rows, columns]
    found, others = [], 0
    for value in np.unique(ids).tolist():
        group = value < OBJECTS
        label = value if group else value // OBJECTS
        if not FIRST_THING <= label <= LAST:
            raise ValueError(f"it has the value {value}, and {label} is no label id of objects: those are 24 to {LAST}")
        name = NAMES.get(label)
        if name is None:
            others += 1
            continue
        chosen = ids == value
        boxes = regions(rows[chosen], columns[chosen]) if group else [_box(rows[chosen], columns[chosen])]
        found += [Annotation(box, name, crowd=group, number=value) for box in boxes]
    return found, others


def regions(rows: np.ndarray, columns: np.ndarray) -> list[Corners]:
    """Return the box of each connected region of pixels, given row by row; neighbours share a side.

    Example:
        >>> regions(np.array([0, 0, 1, 4]), np.array([1, 2, 2, 0]))
        [(1.0, 0.0, 3.0, 2.0), (0.0, 4.0, 1.0, 5.0)]
    """
    starts = np.flatnonzero(np.r_[True, (np.diff(rows) != 0) | (np.diff(columns) != 1)])
    ends = np.r_[starts[1:], len(rows)] - 1
    runs = list(zip(rows[starts].tolist(), columns[starts].tolist(), columns[ends].tolist(), strict=True))
    leader = list(range(len(runs)))

    def find(run: int) -> int:
        while leader[run] != run:
            leader[run] = leader[leader[run]]
            run = leader[run]
        return run

    above = 0
    for place, (row, first, last) in enumerate(runs):
        while above < place and runs[above][0] < row - 1:
            above += 1
        for other in range(above, place):
            line, start, end = runs[other]
            if line == row:
                break
            if start <= last and end >= first:
                leader[find(place)] = find(other)
    boxes: dict[int, Corners] = {}
    for place, (row, first, last) in enumerate(runs):
        x_min, y_min, x_max, y_max = boxes.get(find(place), (first, row, last + 1, row + 1))
        boxes[find(place)] = (min(x_min, first), min(y_min, row), max(x_max, last + 1), max(y_max, row + 1))
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in boxes.values()]


def _box(rows: np.ndarray, columns: np.ndarray) -> Corners:
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
