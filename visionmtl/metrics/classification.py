"""Metrics of classification: accuracy, and average precision of presence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.metrics.metric import Metric, mean_of, ratio


class Accuracy(Metric):
    """Accuracy, top-5 accuracy and macro F1 of a single-label classification.

    `top5` is given for more than five classes. `macro_F1` averages F1 over the classes that occur in the truth or
    among the predictions. Of equal probabilities the lower class index comes first.
    Labels: int32 `[B]`, negative = unknown. Predictions: `probabilities` float32 `[B, C]`.
    """

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        best = tf.math.top_k(predictions["probabilities"], min(5, len(self.classes))).indices
        labels = tf.where(weights > 0, tf.cast(labels, tf.int32), -1)
        return {"truth": labels, "prediction": best[:, 0], "top5": tf.reduce_any(best == labels[:, None], axis=1)}

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        known = statistics["truth"] >= 0
        pairs = statistics["truth"][known].astype(np.int64) * len(self.classes) + statistics["prediction"][known]
        self.confusion += np.bincount(pairs, minlength=self.confusion.size).reshape(self.confusion.shape)
        self.top5 += int(statistics["top5"][known].sum())

    def result(self, details: bool = False) -> dict[str, float]:
        hits, truth, predicted = margins(self.confusion)
        f1 = ratio(2 * hits, truth + predicted)
        values = {"accuracy": float(ratio(hits.sum(), truth.sum())), "macro_F1": mean_of(f1)}
        if len(self.classes) > 5:
            values["top5"] = float(ratio(self.top5, truth.sum()))
        return values | (self._per_class("F1", f1) if details else {})

    def reset(self) -> None:
        self.confusion = np.zeros((len(self.classes), len(self.classes)), np.int64)  # rows: truth, columns: prediction
        self.top5 = 0


class MultiLabel(Metric):
    """Mean average precision, macro F1 and accuracy of a multi-label classification.

    `mAP` is the exact average precision (no interpolation, equal scores share one threshold), averaged over the classes
    with at least one positive. `macro_F1` thresholds probabilities at 0.5 and averages over the classes that occur in
    the truth or among the predictions. `accuracy` is that of single label decisions at 0.5.
    Labels: float32 `[B, C]`, -1 = unknown. Predictions: `probabilities` float32 `[B, C]`.
    """

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        labels = tf.where(weights[:, None] > 0, tf.cast(labels, tf.float32), -1.0)
        return {"truth": labels, "scores": tf.cast(predictions["probabilities"], tf.float32)}

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        self.truth.append(statistics["truth"])
        self.scores.append(statistics["scores"])

    def result(self, details: bool = False) -> dict[str, float]:
        truth, scores = np.concatenate(self.truth), np.concatenate(self.scores)
        known, positive, predicted = truth >= 0, truth > 0.5, scores >= 0.5
        f1 = ratio(2 * (positive & predicted).sum(0), positive.sum(0) + (predicted & known).sum(0))
        precision = np.array(
            [average_precision(p[k], s[k]) for p, s, k in zip(positive.T, scores.T, known.T, strict=True)]
        )
        values = {
            "mAP": mean_of(precision),
            "macro_F1": mean_of(f1),
            "accuracy": float(ratio(((positive == predicted) & known).sum(), known.sum())),
        }
        if details:
            values |= self._per_class("AP", precision) | self._per_class("F1", f1)
        return values

    def reset(self) -> None:
        self.truth = [np.zeros((0, len(self.classes)), np.float32)]
        self.scores = [np.zeros((0, len(self.classes)), np.float32)]


def average_precision(positive: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the precision-recall steps; NaN without a positive.

    Args:
        positive: bool `[N]`, the truth.
        scores: float `[N]`, higher is more likely; samples of equal score enter at one threshold, together.
    """
    if not positive.any():
        return np.nan
    order = np.argsort(-scores, kind="stable")
    positive, scores = positive[order], scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive)[last_of_tie]
    precision = hits / (last_of_tie + 1.0)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / positive.sum())


def margins(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, truths and predictions of each class, `[C]` each, from a `[C, C]` confusion matrix."""
    return np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
