"""Objects: a box and a class each, then regions to ignore, then rows of padding."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.kinds import features
from pipelines.kinds.boxes import hidden, in_order, joined, padded, place_boxes
from pipelines.kinds.kind import Change, Count, Kind, Label
from pipelines.kinds.spec import CROWD, PADDING
from pipelines.pixels.geometry import Cut, Placement
from pipelines.pixels.windows import Cover


class Detection(Kind):
    """`boxes` float32 `[M, 4]`, `x_min, y_min, x_max, y_max` in pixels, and `classes` int32 `[M]`.

    Rows of class -2 are regions to ignore and come after the objects, those of class -1 are padding and come last.
    """

    unit = "objects"
    has_objects = True

    def unlabelled(self, shape: tf.Tensor, rows: int) -> Label:
        return {"boxes": tf.zeros([rows, 4]), "classes": tf.fill([rows], PADDING)}

    def mapped(self, names: Sequence[str | None]) -> Change:
        table = tf.constant(self.ids(names, CROWD), tf.int32)
        dropping = None in names

        def change(label: Label, weight: tf.Tensor) -> tuple[Label, tf.Tensor]:
            boxes, classes = label["boxes"], label["classes"]
            classes = tf.where(classes < 0, classes, tf.gather(table, tf.maximum(classes, 0)))
            if dropping:  # regions to ignore come after the objects
                order = tf.argsort(tf.where(classes >= 0, 0, tf.where(classes == PADDING, 2, 1)), stable=True)
                boxes, classes = tf.gather(boxes, order), tf.gather(classes, order)
            return {"boxes": boxes, "classes": classes}, weight

        return change

    def move(self, label: Label, placement: Placement, size: tuple[int, int], cut: Cut | None, turned: bool) -> Label:
        boxes, classes = place_boxes(label["boxes"], label["classes"], placement, size, cut, turned)
        return {"boxes": boxes, "classes": classes}

    def join(self, labels: Label, weights: tf.Tensor, windows: tf.Tensor) -> tuple[Label, tf.Tensor]:
        boxes, classes = joined(labels["boxes"], labels["classes"], weights, windows)
        return {"boxes": boxes, "classes": classes}, tf.reduce_max(weights)

    def hide(self, label: Label, cover: Cover, cut: Cut) -> Label:
        boxes, classes = hidden(label["boxes"], label["classes"], cover, cut)
        return {"boxes": boxes, "classes": classes}

    def count(self, label: Label) -> Count:
        boxes, classes = label["boxes"], label["classes"]
        counts = np.bincount(classes[classes >= 0], minlength=len(self.classes))
        return Count(counts, int((classes == CROWD).sum()), (boxes[:, 2:] - boxes[:, :2])[classes >= 0])

    def features(self) -> dict[str, Any]:
        many = tf.io.FixedLenSequenceFeature
        return {"boxes": many([4], tf.float32, True), "classes": many([], tf.int64, True)}

    def write(self, label: Label) -> dict[str, tf.train.Feature]:
        there = label["classes"] != PADDING
        return {"boxes": features.floats(label["boxes"][there]), "classes": features.integers(label["classes"][there])}

    def read(self, values: Mapping[str, tf.Tensor], shape: tf.Tensor, rows: int) -> Label:
        return padded(values["boxes"][:rows], tf.cast(values["classes"][:rows], tf.int32), rows)

    def rows(self, label: Label) -> int:
        return int((label["classes"] != PADDING).sum())

    def objects(self, label: Label) -> tuple[tf.Tensor, tf.Tensor]:
        return label["boxes"], label["classes"]

    def chosen(self, label: Label, kept: tf.Tensor, ignored: tf.Tensor) -> Label:
        classes = tf.where(kept, label["classes"], tf.where(ignored, CROWD, PADDING))
        boxes, classes = in_order(label["boxes"], classes)
        return {"boxes": boxes, "classes": classes}

    def seen(self, label: Label) -> tf.Tensor:
        return tf.reduce_max(tf.one_hot(label["classes"], len(self.classes)), axis=1)
