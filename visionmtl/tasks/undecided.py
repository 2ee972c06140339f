"""The entropy of what a head says: of one class among several, and of a score for each class."""

from typing import Any

import tensorflow as tf


def of_classes(logits: Any) -> tf.Tensor:
    """Return the entropy `[...]` in nats of the softmax of logits `[..., C]`.

    Example:
        >>> float(of_classes([0.0, 0.0, -100.0]))  # two of three classes alike: log 2
        0.6931471824645996
    """
    logs = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    return -tf.reduce_sum(tf.exp(logs) * logs, axis=-1)


def of_scores(logits: Any) -> tf.Tensor:
    """Return the entropy in nats of each sigmoid of logits, of the same shape.

    Example:
        >>> of_scores([0.0, 100.0]).numpy().round(3).tolist()
        [0.6930000185966492, 0.0]
    """
    logits = tf.cast(logits, tf.float32)
    return tf.nn.softplus(logits) - logits * tf.sigmoid(logits)
