"""Objects, and which classes they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.kinds.spec import LabelSpec
from pipelines.sources.files import labels as of_files
from pipelines.sources.tfds.labels.label import Label, Reader, Row
from pipelines.sources.tfds.records import Prepared


@dataclass(frozen=True)
class Boxes(Label):
    """Objects, by `box`, the path of a `BBoxFeature` or of a sequence of them.

    A box of zeros that stands alone is one that nobody drew: its image is unlabelled.

    Args:
        label: path of their `ClassLabel`s; None where all are of the one class of `names`.
        names: that class.
        ignore: path of the flags of those that are neither learnt nor counted, such as crowds.
        from_below: the boxes count y from the lower edge.
        things: of the classes of `label` the first so many; objects of the others are no boxes. None for all.
    """

    box: str
    label: str | None = None
    names: tuple[str, ...] = ()
    ignore: str | None = None
    from_below: bool = False
    things: int | None = None
    kind = "detection"

    @property
    def small(self) -> tuple[str, ...]:
        return tuple(path for path in (self.box, self.label, self.ignore) if path)

    def classes(self, data: Prepared) -> tuple[str, ...]:
        return tuple(data.feature(self.label).names[: self.things] if self.label else self.names)

    def corners(self, values: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Return corners `[N, 4]` in 0..1 as x_min, y_min, x_max, y_max, class ids, ignored flags, and if known."""
        corners = np.asarray(values[self.box], np.float64)
        known = corners.ndim > 1 or not corners.size or bool((corners != 0).any())  # one box of zeros is none at all
        corners = (corners if known else np.zeros((0, 4))).reshape(-1, 4)
        y_min, x_min, y_max, x_max = corners.T
        if self.from_below:
            y_min, y_max = 1 - y_max, 1 - y_min
        corners = np.stack([x_min, y_min, x_max, y_max], axis=1)
        count = len(corners)
        ids = np.asarray(values[self.label]).reshape(-1)[:count] if self.label else np.zeros(count, int)
        ignored = np.asarray(values[self.ignore], bool).reshape(-1)[:count] if self.ignore else np.zeros(count, bool)
        counted = ids < (self.things or len(self.names) or np.inf)
        return corners[counted], ids[counted], ignored[counted], known

    def reader(self, rows: Sequence[Row], spec: LabelSpec, max_boxes: int, trusted: bool) -> Reader:
        read = of_files.boxes(rows, spec, max_boxes)
        return lambda index, example: read(index)


@dataclass(frozen=True)
class Presence(Label):
    """Which classes an image's boxes show, `boxes` being those of the same data set."""

    boxes: Boxes
    kind = "multi_label"

    @property
    def small(self) -> tuple[str, ...]:
        return self.boxes.small

    def classes(self, data: Prepared) -> tuple[str, ...]:
        return self.boxes.classes(data)

    def reader(self, rows: Sequence[Row], spec: LabelSpec, max_boxes: int, trusted: bool) -> Reader:
        read = of_files.presence(rows, spec)
        return lambda index, example: read(index)
