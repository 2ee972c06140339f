"""One class an image: int32, 0 where there is none."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.kinds import features
from pipelines.kinds.kind import Change, Count, Kind, Label
from pipelines.pixels.geometry import Cut, Placement


class Classification(Kind):
    """The class of an image, int32 `[]`, whatever of it is seen; several pictures in one have one if all are of it."""

    alike = True

    def unlabelled(self, shape: tf.Tensor, rows: int) -> Label:
        return tf.constant(0)

    def mapped(self, names: Sequence[str | None]) -> Change:
        table = tf.constant(self.ids(names, -1), tf.int32)

        def change(label: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            merged = tf.gather(table, label)
            return tf.maximum(merged, 0), weight * tf.cast(merged >= 0, tf.float32)

        return change

    def move(self, label: Label, placement: Placement, size: tuple[int, int], cut: Cut | None, turned: bool) -> Label:
        return label

    def join(self, labels: Label, weights: tf.Tensor, windows: tf.Tensor) -> tuple[Label, tf.Tensor]:
        alike = tf.reduce_all(labels == labels[0])
        return labels[0], tf.reduce_min(weights) * tf.cast(alike, tf.float32)

    def count(self, label: Label) -> Count:
        return Count(np.bincount(np.ravel(label), minlength=len(self.classes)))

    def features(self) -> dict[str, Any]:
        return {"label": tf.io.FixedLenFeature([], tf.int64)}

    def write(self, label: Label) -> dict[str, tf.train.Feature]:
        return {"label": features.integers(label)}

    def read(self, values: Mapping[str, tf.Tensor], shape: tf.Tensor, rows: int) -> Label:
        return tf.cast(values["label"], tf.int32)
