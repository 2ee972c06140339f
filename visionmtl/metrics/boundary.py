"""Boundary IoU of a segmentation: how well class maps agree close to the edges of what they show."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.metrics.metric import Metric, mean_of, ratio
from visionmtl.metrics.segmentation import IGNORED_PIXEL

NEAR = 0.02  # of the diagonal of the map is what lies close to an edge


class BoundaryIoU(Metric):
    """Mean intersection over union of the pixels near the edges of each class: `further/boundary_mIoU`, in details.

    Of each class the pixels count that lie within 2% of the map's diagonal of another class or of the map's end, in the
    truth and in the prediction each by itself, over the whole split. Large areas whose inside is right do not hide
    edges that are not. Pixels that are ignored are an edge of nothing, and count nowhere.
    Labels: int32 `[B, H, W]`, 255 = ignore. Predictions: `classes` int32 `[B, H, W]`.
    Reference: Cheng et al. 2021, Boundary IoU: Improving Object-Centric Image Segmentation Evaluation, equation 3, and
    its authors' boundary-iou-api; here the classes of a semantic map are the masks.
    """

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        count, found = len(self.classes), tf.cast(predictions["classes"], tf.int32)
        labels = tf.cast(labels, tf.int32)
        known = (labels != IGNORED_PIXEL) & (labels >= 0) & (weights > 0)[:, None, None]
        height, width = found.shape[1:3]
        near = reach(height, width)
        true, predicted = (close_to_edges(each, known, near, count) for each in (labels, found))
        size = count + 1  # the last class is of what is close to no edge
        bins = size * tf.where(true, labels, count) + tf.where(predicted, found, count)
        counts = tf.math.bincount(tf.reshape(bins, [-1]), minlength=size**2, maxlength=size**2)
        pairs = tf.reshape(tf.cast(counts, tf.int64), [size, size])
        both, of_truth, of_found = tf.linalg.diag_part(pairs), tf.reduce_sum(pairs, 1), tf.reduce_sum(pairs, 0)
        return {"pixels": tf.stack([both, of_truth, of_found])[None, :, :-1]}

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        self.pixels += statistics["pixels"].sum(axis=0)

    def result(self, details: bool = False) -> dict[str, float]:
        both, true, predicted = self.pixels
        iou = ratio(both, true + predicted - both)
        further = self._further({"boundary_mIoU": mean_of(iou)})
        return self._per_class("boundary_IoU", iou) | further if details else {}

    def reset(self) -> None:
        self.pixels = np.zeros((3, len(self.classes)), np.int64)  # near edges: in both, in the truth, in the prediction


def reach(height: int, width: int) -> int:
    """Return how many pixels from an edge are close to it.

    Example:
        >>> reach(288, 384)
        10
    """
    return max(1, round(NEAR * math.hypot(height, width)))


def close_to_edges(classes: tf.Tensor, known: tf.Tensor, near: int, count: int) -> tf.Tensor:
    """Return which pixels have another class, or the end of the map, at most `near` pixels away in each direction.

    The class of a pixel is the highest and the lowest of all around it unless it is close to an edge: of all classes at
    once that is found as fast as of one mask.

    Args:
        classes: int32 `[B, H, W]`.
        known: bool `[B, H, W]`; pixels that are not are of whichever class is beside them, and close to nothing.
        near: pixels, 1 or more.
        count: how many classes there are.
    """
    kind = tf.uint8 if count + 1 < 256 else tf.int32  # of which more fit into a register
    classes = tf.cast(classes + 1, kind)
    none, beyond = tf.constant(0, kind), tf.constant(count + 1, kind)
    ends = [[0, 0], [near, near], [near, near]]
    highest = tf.pad(tf.where(known, classes, none), ends, constant_values=count + 1)
    lowest = tf.pad(tf.where(known, classes, beyond), ends, constant_values=count + 1)
    for axis in (1, 2):
        highest = _around(highest, near, axis, tf.maximum)
        lowest = _around(lowest, near, axis, tf.minimum)
    return known & ((highest != classes) | (lowest != classes))


def _around(values: tf.Tensor, near: int, axis: int, better: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Return the best of each `2 * near + 1` neighbours along an axis, in a number of steps that grows as their log."""

    def moved(by: int) -> tf.Tensor:
        first, last = (values[:, :-by], values[:, by:]) if axis == 1 else (values[:, :, :-by], values[:, :, by:])
        return better(first, last)

    width, wanted = 1, 2 * near + 1
    while width < wanted:
        step = min(width, wanted - width)
        values = moved(step)
        width += step
    return values
