"""What several Gramian methods use: products, meetings one by one, and descents on the simplex."""

import tensorflow as tf

from visionmtl.balancing.gramian_method import Gradients


def dot(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Return the inner product of two vectors `[K]`."""
    return tf.reduce_sum(left * right)


def prices(lengths: tf.Tensor, active: tf.Tensor) -> tf.Tensor:
    """Return what a unit of each direction costs in convex weight `[K]`: 1 / length, the dearest costing 1."""
    return tf.reduce_min(tf.where(active > 0, lengths, 1e300)) / lengths * active


def of_rows(seen: Gradients, rows: tf.Tensor, factors: tf.Tensor | float = 1.0) -> tf.Tensor:
    """Return the weights `[K]` of the sum of K gradients, each times its factor.

    Args:
        seen: the gradients.
        rows: `[K, K]`; row k is in units of gradient k's length.
        factors: `[K]`.
    """
    return tf.linalg.matvec(rows, seen.norms * factors, transpose_a=True) / seen.norms


def drawn_order(tasks: int, seed: tf.Tensor) -> tf.Tensor:
    """Return int `[K, K - 1]`: row k holds the other tasks in an order of its own, drawn with a seed, int `[2]`."""
    last = tf.linalg.eye(tasks, dtype=tf.float32)
    return tf.argsort(tf.random.stateless_uniform([tasks, tasks], seed) + 2 * last, axis=1)[:, : tasks - 1]


def meetings(order: tf.Tensor) -> list[tf.Tensor]:
    """Return K - 1 tables `[K, K]` from an order `[K, K - 1]`: row k is 1 at the task whose gradient k meets then."""
    K = order.shape[0]
    return tf.unstack(tf.one_hot(order, K, dtype=tf.float64), num=K - 1, axis=1)


def without_inactive(seen: Gradients, matrix: tf.Tensor) -> tf.Tensor:
    """Return a matrix `[K, K]` in float64, 0 where a gradient is absent or zero."""
    return tf.where(seen.active[:, None] * seen.active > 0, tf.cast(matrix, tf.float64), 0.0)


def remembered(w: tf.Tensor, memory: tf.Tensor | None, seen: Gradients) -> tf.Tensor:
    """Return the memory `[K]` after a step that ended at `w`: an absent task keeps its place."""
    return w if memory is None else tf.where(seen.present > 0, w, tf.cast(memory, tf.float64))
