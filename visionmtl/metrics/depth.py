"""Metrics of depth: relative errors, and the fraction of pixels that are right within a factor."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from visionmtl.metrics.metric import Metric, ratio

DELTA = 1.25  # a depth is right by d1 within this factor of the truth, by d2 and d3 within its square and cube


class DepthError(Metric):
    """Root mean squared error, absolute relative error and delta accuracies of depth.

    All are means over the known pixels of the whole split: `RMSE` of the error in metres, `abs_rel` of the error as a
    fraction of the truth, and `d1`, `d2` and `d3` of whether prediction and truth differ by less than a factor of 1.25,
    its square and its cube.
    Labels: float32 `[B, H, W]` in metres, 0 or NaN = unknown. Predictions: `depth` float32 `[B, H, W]`, above 0.
    Reference: Eigen et al. 2014, Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, section 3.
    """

    lower: ClassVar[frozenset[str]] = frozenset({"RMSE", "abs_rel"})

    def __init__(self, classes: Sequence[str] = ()):
        super().__init__(classes)

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        truth = tf.cast(labels, tf.float32)
        known = known_depth(truth) & (weights > 0)[:, None, None]
        truth = tf.where(known, truth, 1.0)
        depth = tf.where(known, tf.cast(predictions["depth"], tf.float32), 1.0)  # unknown pixels have no error
        error, factor = tf.abs(depth - truth), tf.maximum(depth / truth, truth / depth)
        within = [tf.cast(known & (factor < DELTA**power), tf.float32) for power in (1, 2, 3)]
        terms = [tf.cast(known, tf.float32), error**2, error / truth, *within]
        return {"sums": tf.stack([tf.reduce_sum(term, axis=(1, 2)) for term in terms], axis=1)}

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        self.sums += statistics["sums"].astype(np.float64).sum(axis=0)

    def result(self, details: bool = False) -> dict[str, float]:
        squared, *means = ratio(self.sums[1:], self.sums[0])
        named = zip(("abs_rel", "d1", "d2", "d3"), map(float, means), strict=True)
        return {"RMSE": float(np.sqrt(squared)), **dict(named)}

    def reset(self) -> None:
        self.sums = np.zeros(6)  # known pixels, squared errors, relative errors, and pixels within each factor


def known_depth(depth: tf.Tensor) -> tf.Tensor:
    """Return where a depth in metres is known: not where it is 0, NaN or without end."""
    return tf.math.is_finite(depth) & (depth > 0)
