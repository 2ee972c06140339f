"""Metrics of classification: accuracy, and average precision of presence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.metrics import calibration, f1
from visionmtl.metrics.metric import Metric, mean_of, ratio

STEPS = 201  # probabilities from 0 to 1 over which curves are drawn


class Accuracy(Metric):
    """Accuracy, top-5 accuracy and macro F1 of a single-label classification.

    `top5` is given for more than five classes. `macro_F1` averages F1 over the classes that occur in the truth or
    among the predictions. Of equal probabilities the lower class index comes first. A further detail is `ECE`, the
    expected calibration error of the probability of the class that was chosen.
    Labels: int32 `[B]`, negative = unknown. Predictions: `probabilities` float32 `[B, C]`.
    """

    def statistics(self, labels: Any, predictions: Mapping[str, tf.Tensor], weights: tf.Tensor) -> dict[str, tf.Tensor]:
        probability, best = tf.math.top_k(predictions["probabilities"], min(5, len(self.classes)))
        labels = tf.where(weights > 0, tf.cast(labels, tf.int32), -1)
        return {
            "truth": labels,
            "prediction": best[:, 0],
            "probability": tf.cast(probability[:, 0], tf.float32),
            "top5": tf.reduce_any(best == labels[:, None], axis=1),
        }

    def update(self, statistics: Mapping[str, np.ndarray]) -> None:
        known = statistics["truth"] >= 0
        truth, prediction, probability = (statistics[key][known] for key in ("truth", "prediction", "probability"))
        pairs = truth.astype(np.int64) * len(self.classes) + prediction
        self.confusion += np.bincount(pairs, minlength=self.confusion.size).reshape(self.confusion.shape)
        self.top5 += int(statistics["top5"][known].sum())
        self.calibration += calibration.binned(probability, truth == prediction)
        self.chosen.append(np.stack([prediction, truth == prediction, probability]).astype(np.float32))

    def result(self, details: bool = False) -> dict[str, float]:
        hits, truth, predicted = margins(self.confusion)
        f1 = ratio(2 * hits, truth + predicted)
        values = {"accuracy": float(ratio(hits.sum(), truth.sum())), "macro_F1": mean_of(f1)}
        if len(self.classes) > 5:
            values["top5"] = float(ratio(self.top5, truth.sum()))
        if details:
            values |= self._per_class("F1", f1) | self._further({"ECE": calibration.expected_error(self.calibration)})
        return values

    def by_probability(self) -> np.ndarray:
        """Return precision, recall and F1 if what was chosen is believed from each probability on: float64 `[3, T, C]`.

        The T probabilities lie evenly from 0 to 1.
        """
        prediction, right, probability = np.concatenate(self.chosen, axis=1)
        truth = self.confusion.sum(axis=1)
        each = [(probability[prediction == c], right[prediction == c] > 0, int(truth[c])) for c in range(len(truth))]
        return np.stack([f1.over(np.linspace(0, 1, STEPS), *of) for of in each], axis=-1)

    def reset(self) -> None:
        self.confusion = np.zeros((len(self.classes), len(self.classes)), np.int64)  # rows: truth, columns: prediction
        self.calibration = np.zeros((3, calibration.BINS))
        self.chosen = [np.zeros((3, 0), np.float32)]  # of each image: its class, whether it is right, its probability
        self.top5 = 0


class MultiLabel(Metric):
    """Mean average precision, macro F1 and accuracy of a multi-label classification.

    `mAP` is the exact average precision (no interpolation, equal scores share one threshold), averaged over the classes
    with at least one positive. `macro_F1` thresholds probabilities at 0.5 and averages over the classes that occur in
    the truth or among the predictions. `accuracy` is that of single label decisions at 0.5. A further detail is `ECE`,
    the expected calibration error of the probabilities of presence.
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
            values |= self._further({"ECE": calibration.expected_error(self.calibration)})
        return values

    @property
    def calibration(self) -> np.ndarray:
        """How often a class was there, by the probability that was given for it: `calibration.binned`."""
        truth, scores = np.concatenate(self.truth), np.concatenate(self.scores)
        return calibration.binned(scores[truth >= 0], truth[truth >= 0] > 0.5)

    @property
    def instances(self) -> np.ndarray:
        """In how many images each class is there: int64 `[C]`."""
        return (np.concatenate(self.truth) > 0.5).sum(axis=0)

    @property
    def outcomes(self) -> np.ndarray:
        """True and false positives, false and true negatives of each class at 0.5: int64 `[C, 4]`."""
        truth, scores = np.concatenate(self.truth), np.concatenate(self.scores)
        known, positive, predicted = truth >= 0, truth > 0.5, scores >= 0.5
        each = (positive & predicted, ~positive & predicted, positive & ~predicted, ~positive & ~predicted)
        return np.stack([(known & of).sum(axis=0) for of in each], axis=-1)

    def by_probability(self) -> np.ndarray:
        """Return precision, recall and F1 if classes are taken to be there from each probability on: `[3, T, C]`.

        The T probabilities lie evenly from 0 to 1.
        """
        truth, scores = np.concatenate(self.truth).T, np.concatenate(self.scores).T
        each = [(s[t >= 0], t[t >= 0] > 0.5, int((t > 0.5).sum())) for t, s in zip(truth, scores, strict=True)]
        return np.stack([f1.over(np.linspace(0, 1, STEPS), *of) for of in each], axis=-1)

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
