"""A bound on the weights of a loss balancer: of what a task may weigh beside the others."""

import tensorflow as tf


def bounded(weights: tf.Tensor, present: tf.Tensor, largest: float) -> tf.Tensor:
    """Return weights of which none is more than so many times the mean of the others, as these were given.

    A learnt weight grows without bound as a task's loss goes to zero (that of uncertainty weighting is near the inverse
    of twice the loss), so that a task with nothing left to learn comes to weigh most.

    Args:
        weights: float32 `[K]`.
        present: float32 `[K]`, 1 for a task with labels in this batch: the others are no part of a mean.
        largest: how many times. A task that is alone has no bound.
    """
    others = tf.reduce_sum(present) - 1
    means = tf.math.divide_no_nan(tf.reduce_sum(weights * present) - weights * present, others)
    return tf.where(others > 0, tf.minimum(weights, largest * means), weights)
