"""How far confidences can be taken at their word: of what is said with 0.8, are eight in ten right?"""

from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.metrics.metric import ratio

BINS = 15  # of equal width, from 0 to 1


def binned(confidence: Any, right: Any) -> np.ndarray:
    """Return how many predictions fall into each bin of confidence, the sum of theirs, and how many are right.

    Args:
        confidence: `[N]`, 0 to 1.
        right: bool `[N]`.

    Returns:
        float64 `[3, BINS]`.
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    place = np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)
    parts = (np.ones_like(confidence), confidence, right)
    return np.stack([np.bincount(place, part, BINS) for part in parts])


def binned_in_graph(confidence: tf.Tensor, right: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    """Return the same of those that are counted as float32 `[1, 3, BINS]`, in graph; all three are of one shape."""
    confidence, right, counted = (tf.reshape(each, [-1]) for each in (confidence, right, counted))
    place = tf.clip_by_value(tf.cast(confidence * BINS, tf.int32), 0, BINS - 1)
    place = tf.where(counted, place, BINS)  # a bin past the last for what does not count
    parts = (tf.ones_like(confidence), confidence, tf.cast(right, tf.float32))
    sums = [tf.math.bincount(place, part, minlength=BINS + 1, maxlength=BINS + 1)[:BINS] for part in parts]
    return tf.stack(sums)[None]


def expected_error(bins: np.ndarray) -> float:
    """Return the expected calibration error: by how much confidence and accuracy differ, the mean over predictions.

    Args:
        bins: from `binned`, or a sum of such.

    Returns:
        0 to 1, 0 the best; NaN without a prediction.

    Reference: Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3, with 15 bins.

    Example:
        >>> round(expected_error(binned([0.9, 0.9, 0.6, 0.6], [True, True, True, False])), 3)
        0.1
    """
    count, confidence, right = bins
    return float(ratio(np.abs(confidence - right).sum(), count.sum()))
