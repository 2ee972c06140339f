"""Penalties that tie the parameters of K tasks together: pure functions from K tensors of one shape to a scalar.

Sums of squares are halved and not divided by the number of parameters, as in weight decay: a strength pulls every
parameter alike, whatever the size of the network.
"""

import itertools
from collections.abc import Sequence

import tensorflow as tf

NOTHING = 1e-6  # a singular value below this times the largest is zero
LEAST = 1e-3  # eigenvalue of a relation that is divided by, so that tasks which move alike may still part


def to_mean(parameters: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return half the sum of squared differences from the mean over tasks.

    Reference: Evgeniou and Pontil 2004, Regularized Multi-Task Learning.
    """
    return to_centre(parameters, tf.add_n(list(parameters)) / len(parameters))


def to_centre(parameters: Sequence[tf.Tensor], centre: tf.Tensor) -> tf.Tensor:
    """Return half the sum of squared differences from a centre of the same shape."""
    return tf.add_n([tf.nn.l2_loss(one - centre) for one in parameters])


def pairwise(parameters: Sequence[tf.Tensor], weights: Sequence[Sequence[float]] | None = None) -> tf.Tensor:
    """Return half the sum over pairs of tasks of `weights[i][j]` times their squared difference.

    Without weights it is K times `to_mean`.

    Args:
        parameters: K tensors.
        weights: K x K, of which what is right of the diagonal counts; None for 1 everywhere.

    Reference: Evgeniou, Micchelli and Pontil 2005, Learning Multiple Tasks with Kernel Methods, section 3.1.3.
    """
    terms = [
        (1.0 if weights is None else float(weights[i][j])) * tf.nn.l2_loss(parameters[i] - parameters[j])
        for i in range(len(parameters))
        for j in range(i + 1, len(parameters))
        if weights is None or weights[i][j]
    ]
    return tf.add_n(terms) if terms else tf.constant(0.0)


def chain(parameters: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return half the sum of squared differences of each task from the next."""
    terms = [tf.nn.l2_loss(one - other) for one, other in itertools.pairwise(parameters)]
    return tf.add_n(terms) if terms else tf.constant(0.0)


def trace_norm(parameters: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return the sum of the singular values of the K stacked tensors, `[K, P]`.

    Its gradient is that of least length where singular values vanish: nothing pulls along them.

    Reference: Yang and Hospedales 2017, Trace Norm Regularised Deep Multi-Task Learning.
    """
    return _trace_norm(tf.stack([tf.reshape(one, [-1]) for one in parameters]))


@tf.custom_gradient
def _trace_norm(rows):
    wide = tf.cast(rows, tf.float64)
    values, vectors = tf.linalg.eigh(tf.matmul(wide, wide, transpose_b=True))
    singular = tf.sqrt(tf.maximum(values, 0.0))
    kept = singular > NOTHING * tf.reduce_max(singular)
    inverse = tf.where(kept, 1.0 / tf.where(kept, singular, 1.0), 0.0)

    def gradient(upstream):
        whitening = tf.matmul(vectors * inverse, vectors, transpose_b=True)
        return upstream * tf.cast(tf.matmul(whitening, wide), rows.dtype)

    return tf.cast(tf.reduce_sum(singular), rows.dtype), gradient


def gramian(variables: Sequence[Sequence[tf.Tensor]]) -> tf.Tensor:
    """Return the inner products float64 `[K, K]` of K tasks' parameters, each given as a list of tensors."""
    total = tf.constant(0.0, tf.float64)
    for one in zip(*variables, strict=True):
        rows = tf.cast(tf.stack([tf.reshape(tensor, [-1]) for tensor in one]), tf.float64)
        total += tf.matmul(rows, rows, transpose_b=True)
    return total


def relation(products: tf.Tensor) -> tf.Tensor:
    """Return how tasks are related `[K, K]` from the inner products `G` of their parameters: `G^1/2 / tr(G^1/2)`.

    It is symmetric, positive semi-definite, of unit trace; the identity over K where all parameters are zero.

    Reference: Zhang and Yeung 2010, A Convex Formulation for Learning Task Relationships in Multi-Task Learning,
    section 3.2, the closed form of the covariance given the parameters.
    """
    values, vectors = tf.linalg.eigh(products)
    roots = tf.sqrt(tf.maximum(values, 0.0))
    total, tasks = tf.reduce_sum(roots), products.shape[0]
    shares = tf.where(total > 0, tf.math.divide_no_nan(roots, total), tf.constant(1.0 / tasks, products.dtype))
    return tf.matmul(vectors * shares, vectors, transpose_b=True)


def related(products: tf.Tensor, covariance: tf.Tensor) -> tf.Tensor:
    """Return half of `tr(inverse(covariance) G)`, which is least where tasks that are related lie alike.

    Args:
        products: `G`, the inner products of the parameters.
        covariance: as `relation` gives it; no gradient goes into it.
    """
    values, vectors = tf.linalg.eigh(tf.stop_gradient(covariance))
    inverse = tf.matmul(vectors / tf.maximum(values, LEAST), vectors, transpose_b=True)
    return tf.cast(tf.reduce_sum(inverse * products) / 2, tf.float32)
