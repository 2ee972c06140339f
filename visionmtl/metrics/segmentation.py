"""Metrics of segmentation: the mean intersection over union."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.metrics import calibration
from visionmtl.metrics.classification import margins
from visionmtl.metrics.metric import Metric, mean_of, ratio

IGNORED_PIXEL = 255


class MeanIoU(Metric):
    """Mean intersection over union and pixel accuracy of a segmentation.

    `mIoU` averages over the classes that occur in the truth or among the predictions of the whole split.
    Labels: int32 `[B, H, W]`, 255 = ignore. Predictions: `classes` int32 `[B, H, W]`, and where it is known
    `certainty` float32 `[B, H / 2, W / 2]`, the probability of the class: a further detail is then `ECE`, the expected
    calibration error of every fourth pixel.
    """

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        count = len(self.classes)
        labels = tf.cast(labels, tf.int32)
        known = (labels != IGNORED_PIXEL) & (labels >= 0) & (weights > 0)[:, None, None]
        # Pixels that do not count go to one bin past the matrix: cheaper than gathering those that do.
        bins = tf.where(known, count * labels + tf.cast(predictions["classes"], tf.int32), count * count)
        counts = tf.math.bincount(tf.reshape(bins, [-1]), minlength=count * count + 1, maxlength=count * count + 1)
        statistics = {"confusion": tf.reshape(tf.cast(counts[:-1], tf.int64), [1, count, count])}
        if "certainty" in predictions:
            right, known = (each[:, ::2, ::2] for each in (labels == predictions["classes"], known))
            statistics["calibration"] = calibration.binned_in_graph(predictions["certainty"], right, known)
        return statistics

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        self.confusion += statistics["confusion"].sum(axis=0)
        if "calibration" in statistics:
            self.calibration += statistics["calibration"].sum(axis=0)

    def result(self, details: bool = False) -> dict[str, float]:
        hits, truth, predicted = margins(self.confusion)
        iou = ratio(hits, truth + predicted - hits)
        values = {"mIoU": mean_of(iou), "pixel_accuracy": float(ratio(hits.sum(), truth.sum()))}
        if details:
            values |= self._per_class("IoU", iou)
            error = calibration.expected_error(self.calibration)
            values |= {} if np.isnan(error) else self._further({"ECE": error})
        return values

    def reset(self) -> None:
        self.calibration = np.zeros((3, calibration.BINS))
        self.confusion = np.zeros((len(self.classes), len(self.classes)), np.int64)  # rows: truth, columns: prediction
