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
    ids, boxes = _runs(values)
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
        own = boxes[ids == value]
        parts = _regions(own.tolist()) if group else [_around(own)]
        found += [Annotation(box, name, crowd=group, number=value) for box in parts]
    return found, others


def _runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the runs of one value along the rows of a mask, where it may be that of objects: far fewer than pixels.

    Returns:
        The value of each, and its box `[n, 4]` one pixel high, row by row.
    """
    height, width = values.shape
    begins = np.ones((height, width), bool)
    np.not_equal(values[:, 1:], values[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    ids, ends = values.ravel()[starts], np.r_[starts[1:], height * width]
    chosen = (ids >= FIRST_THING) & (ids != IGNORE)
    starts, ends = starts[chosen], ends[chosen]
    rows, firsts = np.divmod(starts, width)
    return ids[chosen], np.stack([firsts, rows, firsts + ends - starts, rows + 1], axis=1)


def _regions(runs: list[list[int]]) -> list[Corners]:
    """Return the box of each connected region of runs, given row by row; neighbours share a side."""
    leader = list(range(len(runs)))

    def find(run: int) -> int:
        while leader[run] != run:
            leader[run] = leader[leader[run]]
            run = leader[run]
        return run

    above = 0
    for place, (first, row, end, _) in enumerate(runs):
        while above < place and runs[above][1] < row - 1:
            above += 1
        for other in range(above, place):
            start, line, stop, _ = runs[other]
            if line == row:
                break
            if start < end and stop > first:
                leader[find(place)] = find(other)
    parts: dict[int, list[list[int]]] = {}
    for place, run in enumerate(runs):
        parts.setdefault(find(place), []).append(run)
    return [_around(np.array(own)) for own in parts.values()]


def _around(boxes: np.ndarray) -> Corners:
    """Return the box around boxes `[n, 4]`."""
    (x_min, y_min), (x_max, y_max) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    return float(x_min), float(y_min), float(x_max), float(y_max)
