"""One class an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pipelines.kinds.spec import LabelSpec
from pipelines.sources.tfds.labels.label import Label, Reader, Row
from pipelines.sources.tfds.records import Prepared


@dataclass(frozen=True)
class Category(Label):
    """One class an image: the `ClassLabel` at `feature`; -1 is unknown.

    `text` is a feature that spells the class out, for data sets that number their classes only.
    """

    feature: str
    text: str | None = None
    kind = "classification"

    @property
    def small(self) -> tuple[str, ...]:
        return (self.feature,)

    def classes(self, data: Prepared) -> tuple[str, ...]:
        label = data.feature(self.feature)
        if self.text is None:
            return tuple(label.names)
        names = [str(number) for number in range(label.num_classes)]
        spelt: set[int] = set()
        features = data.reduced([self.feature, self.text])
        for split in data.splits:  # the whole set, whatever is asked for: the names must always be the same
            records = data.records(split)
            for index in range(len(records)):
                if len(spelt) == len(names):
                    break
                example = features.deserialize_example_np(records[index])
                spelt.add(example[self.feature])
                names[example[self.feature]] = example[self.text].decode()
        return tuple(names)

    def reader(self, rows: Sequence[Row], spec: LabelSpec, max_boxes: int, trusted: bool) -> Reader:
        labels = np.array([row.values[self.feature] for row in rows], np.int32)
        classes, weights = tf.constant(np.maximum(labels, 0)), tf.constant((labels >= 0).astype(np.float32))
        return lambda index, example: (classes[index], weights[index])
