"""Gradient vaccine."""

import numpy as np
import tensorflow as tf

from visionmtl.balancing.gramian.common import drawn_order, meetings, of_rows
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import number

MOST_ALIKE = 1 - 1e-9  # the largest cosine aimed at: to turn a gradient onto another takes infinity of it


class GradVac(GramianMethod):
    """Turn each gradient, one by one, until it is as near to the others as they usually are.

    It remembers the running means of the cosines, `[K, K]`; the first step is PCGrad's.

    Reference: Wang et al. 2021, Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively
    Multilingual Models: like PCGrad, with a running mean m of the cosines in place of 0 as the least cosine allowed:
    where the cosine c of g and g_j is below m, g <- g + |g| (m sqrt(1 - c^2) - c sqrt(1 - m^2)) / (|g_j| sqrt(1 - m^2))
    g_j.
    """

    paper = "Wang et al. 2021"
    promise = "pairs turned until they are as near as usual"
    equation = "g_k <- g_k + a g_j, to the cosine m_kj, where cos(g_k, g_j) < m_kj, then sum_k g_k"
    when = "where tasks are related: it also pulls together gradients that agree less than they usually do"
    draws = True

    beta: float = number(0.01, "the fraction of a new cosine in the mean", above=0, up_to=1)

    def start(self, tasks: int) -> np.ndarray | None:
        return np.zeros((tasks, tasks), np.float32)

    def weights_and_memory(self, seen: Gradients, comparison: Comparison) -> tuple[tf.Tensor, tf.Tensor | None]:
        tasks = seen.norms.shape[0]
        means = self.start(tasks) if comparison.memory is None else comparison.memory
        return turned(seen, drawn_order(tasks, comparison.seed), tf.cast(means, tf.float64), self.beta)


def turned(seen: Gradients, order: tf.Tensor, means: tf.Tensor, beta: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the weights `[K]` and the new running means `[K, K]`.

    Args:
        seen: the gradients.
        order: int `[K, K - 1]`: row k holds the other tasks in the order in which gradient k meets them.
        means: float64 `[K, K]`, the running means of the cosines; row k is of gradient k as it met the others.
        beta: the fraction of a new cosine in the mean.
    """
    rows = tf.eye(seen.norms.shape[0], dtype=tf.float64)
    for met in meetings(order):
        meeting = seen.active * tf.linalg.matvec(met, seen.active)
        pulled = tf.matmul(rows, seen.cosines)
        length = tf.sqrt(tf.maximum(tf.reduce_sum(pulled * rows, axis=1), 0.0))
        cosine = tf.clip_by_value(tf.math.divide_no_nan(tf.reduce_sum(pulled * met, axis=1), length), -1.0, 1.0)
        mean = tf.reduce_sum(means * met, axis=1)
        aim = tf.clip_by_value(mean, -MOST_ALIKE, MOST_ALIKE)
        # The law of sines: so much of the other gradient turns this one until the cosine is the one aimed at.
        turn = length * (aim * tf.sqrt(1 - cosine**2) / tf.sqrt(1 - aim**2) - cosine)
        rows += (tf.where(cosine < aim, turn, 0.0) * meeting)[:, None] * met
        means += (beta * (cosine - mean) * meeting)[:, None] * met
    return seen.weights(of_rows(seen, rows)), means
