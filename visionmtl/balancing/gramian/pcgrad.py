"""Projecting conflicting gradients."""

import tensorflow as tf

from visionmtl.balancing.gramian.common import drawn_order, meetings, of_rows
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class PCGrad(GramianMethod):
    """Sum the gradients after each was freed, one by one, of its conflicts with the others.

    Reference: Yu et al. 2020, Gradient Surgery for Multi-Task Learning, algorithm 1: the running gradient is projected
    against the ORIGINAL others, in a random order of its own: where g . g_j < 0, g <- g - (g . g_j) / |g_j|^2 g_j.
    """

    paper = "Yu et al. 2020"
    promise = "conflicts between pairs projected away; no conflict for two tasks"
    equation = "g_k <- g_k - (g_k . g_j) / |g_j|^2 g_j where g_k . g_j < 0, then sum_k g_k"
    when = "as the first gradient balancer to try where `gradients.csv` shows conflicts: it has no hyperparameter"
    draws = True

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        return freed(seen, drawn_order(seen.norms.shape[0], comparison.seed))


def freed(seen: Gradients, order: tf.Tensor) -> tf.Tensor:
    """Return the weights `[K]`.

    Args:
        seen: the gradients.
        order: int `[K, K - 1]`: row k holds the other tasks in the order in which gradient k meets them.
    """
    rows = tf.eye(seen.norms.shape[0], dtype=tf.float64)  # row k: the running gradient of task k, in unit gradients
    for met in meetings(order):
        overlap = tf.reduce_sum(tf.matmul(rows, seen.cosines) * met, axis=1, keepdims=True)
        rows -= tf.minimum(overlap, 0.0) * met
    return seen.weights(of_rows(seen, rows))
