"""A class for every pixel, by its value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.files.masks.meanings import NO_CLASS, stopped
from pipelines.sources.tfds.labels.label import Label, Reader, Row, sample, value_at
from pipelines.sources.tfds.records import Prepared


@dataclass(frozen=True)
class Mask(Label):
    """A class for every pixel, by the image at `feature`.

    Args:
        names: the classes.
        values: from the image's values to class ids, or 255 for those to be ignored; None where they are the ids. Any
            other value is a mistake in the data.
    """

    feature: str
    names: tuple[str, ...]
    values: Mapping[int, int] | None = None
    kind = "segmentation"

    @property
    def dense(self) -> str:
        return self.feature

    def classes(self, data: Prepared) -> tuple[str, ...]:
        return tuple(self.names)

    def table(self) -> np.ndarray:
        """Return the class id of every value: uint8 `[256]`."""
        table = np.full(IGNORE + 1, NO_CLASS, np.uint8)
        values = {id_: id_ for id_ in (*range(len(self.names)), IGNORE)} if self.values is None else self.values
        table[list(values)] = list(values.values())
        return table

    def reader(self, rows: Sequence[Row], spec: LabelSpec, max_boxes: int, trusted: bool) -> Reader:
        table = tf.constant(self.table())

        def read(index: tf.Tensor, example: Mapping[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
            mask = tf.gather(table, tf.cast(value_at(example, self.feature), tf.int32))
            return stopped(mask, len(self.names), sample(index, self.feature)) if trusted else mask, tf.constant(1.0)

        return read

    def mistake(self, example: Mapping[str, Any]) -> str | None:
        values = np.unique(value_at(example, self.feature))
        wrong = values[self.table()[values] == NO_CLASS]
        known = range(len(self.names)) if self.values is None else self.values
        return f"has the value {wrong[0]}: expected one of {', '.join(map(str, known))}" if len(wrong) else None
