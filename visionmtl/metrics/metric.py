"""What each task is judged by, in two halves: statistics of a batch in graph, sums and results on the host.

The halves make a metric right by construction where others go wrong: statistics of several replicas and batches are
concatenated along axis 0 before anything is averaged, and a sample whose label is missing (weight 0) never enters.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

FURTHER = "further"  # stands before the names of figures that no comparison and no search takes into account


class Metric:
    """A measure of one task over a whole data split.

    Args:
        classes: names of the C classes, in the order of the task's outputs.

    A subclass defines `statistics` (a TensorFlow function), `update` and `result` (NumPy, float64) and `reset`.
    Without a single labelled sample every value of `result` is NaN.

    Attributes:
        lower: the names in `result` of which less is better.
        least: by class, the score from which on an object counts where objects are counted; None for the metric's own.

    Example:
        >>> metric = visionmtl.metrics.MeanIoU(["road", "car"])
        >>> labels, weights = tf.constant([[[0, 0, 1, 1]]]), tf.constant([1.0])
        >>> predictions = {"classes": tf.constant([[[0, 1, 1, 1]]])}
        >>> statistics = metric.statistics(labels, predictions, weights)  # in graph, on every replica
        >>> metric.update({key: value.numpy() for key, value in statistics.items()})
        >>> metric.result()["mIoU"]
        0.583
    """

    lower: ClassVar[frozenset[str]] = frozenset()
    least: Mapping[str, float] | None = None

    def __init__(self, classes: Sequence[str]):
        self.classes = tuple(classes)
        self.reset()

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return what `update` needs of one batch; axis 0 of each tensor may be concatenated with other batches'.

        Args:
            labels: the task's labels of B images, as `pipelines` yields them.
            predictions: the task's decoded predictions of the same images.
            weights: float32 `[B]`; images of weight 0 do not count, all others count alike.
        """
        raise NotImplementedError

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        """Add the statistics of one or more batches, as NumPy arrays."""
        raise NotImplementedError

    def result(self, details: bool = False) -> dict[str, float]:
        """Return the values so far.

        Args:
            details: whether to add one value per class, such as "IoU/car", and figures that are shown and never
                compared, such as "further/AP_small".
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Forget everything seen."""
        raise NotImplementedError

    def _further(self, values: Mapping[str, float]) -> dict[str, float]:
        return {f"{FURTHER}/{name}": float(value) for name, value in values.items()}

    def _per_class(self, name: str, values: Iterable[float]) -> dict[str, float]:
        return {f"{name}/{label}": float(value) for label, value in zip(self.classes, values, strict=True)}


def ratio(numerator: Any, denominator: Any) -> np.ndarray:
    """Divide in float64; NaN where the denominator is 0."""
    denominator = np.asarray(denominator, np.float64)
    return np.asarray(numerator, np.float64) / np.where(denominator == 0, np.nan, denominator)


def mean_of(values: Any) -> float:
    """Average what is not NaN; NaN if nothing is left."""
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")
