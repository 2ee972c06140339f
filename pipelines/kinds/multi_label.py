"""Which classes an image has: a number for each, 1 or 0, or -1 where nobody looked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.kinds import features
from pipelines.kinds.kind import Change, Count, Kind, Label
from pipelines.kinds.spec import UNKNOWN
from pipelines.pixels.geometry import Cut, Placement


class MultiLabel(Kind):
    """The presence of each class, float32 `[C]`. Where objects show it, it goes with the last of them."""

    follows = True

    def unlabelled(self, shape: tf.Tensor, rows: int) -> Label:
        return tf.fill([len(self.classes)], UNKNOWN)

    def mapped(self, names: Sequence[str | None]) -> Change:
        member = np.array([[name == target for name in names] for target in self.classes])

        def change(label: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # Of the classes merged into one: there if one is there, else unknown if one is unknown, else absent.
            rank = tf.where(label > 0, 2.0, tf.where(label == UNKNOWN, 1.0, 0.0))
            best = tf.reduce_max(tf.where(member, rank, -1.0), axis=1)
            merged = tf.where(best == 2.0, 1.0, tf.where(best == 0.0, 0.0, UNKNOWN))
            return merged, weight * tf.cast(tf.reduce_any(merged != UNKNOWN), tf.float32)

        return change

    def move(self, label: Label, placement: Placement, size: tuple[int, int], cut: Cut | None, turned: bool) -> Label:
        return label

    def join(self, labels: Label, weights: tf.Tensor, windows: tf.Tensor) -> tuple[Label, tf.Tensor]:
        known = tf.where(weights[:, None] > 0, labels, UNKNOWN)
        any_unknown = tf.reduce_any(known == UNKNOWN, axis=0)
        joined = tf.where(tf.reduce_any(known > 0, axis=0), 1.0, tf.where(any_unknown, UNKNOWN, 0.0))
        return joined, tf.cast(tf.reduce_any(joined != UNKNOWN), tf.float32)

    def count(self, label: Label) -> Count:
        return Count((label == 1).astype(np.int64))

    def features(self) -> dict[str, Any]:
        return {"label": tf.io.FixedLenFeature([len(self.classes)], tf.float32)}

    def write(self, label: Label) -> dict[str, tf.train.Feature]:
        return {"label": features.floats(label)}

    def read(self, values: Mapping[str, tf.Tensor], shape: tf.Tensor, rows: int) -> Label:
        return values["label"]

    def without(self, label: Label, gone: tf.Tensor) -> Label:
        return tf.where(gone, 0.0, label)

    def including(self, label: Label, added: tf.Tensor) -> Label:
        return tf.where(added, 1.0, label)
