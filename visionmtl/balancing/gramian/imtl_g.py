"""Impartial multi-task learning by the gradients."""

import tensorflow as tf

from visionmtl.balancing.gramian.solvers import equiangular
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class ImpartialGradients(GramianMethod):
    """Find the combination with equal projections on every gradient's direction.

    Reference: Liu et al. 2021, Towards Impartial Multi-task Learning (IMTL-G): with g = sum_k w_k g_k and sum(w) = 1,
    g . g_k / |g_k| is the same for all k. The pseudo-inverse stands in place of the inverse, so that parallel gradients
    are allowed. Weights may be negative; where their sum was negative before it was made 1, the update climbs every
    loss, as the equation has it.

    Scale: the weights sum to K; the paper's sum to 1.
    Fall-back: a zero gradient weighs 0; 1 for each where the directions cancel or the weights sum to 0.
    """

    paper = "Liu et al. 2021"
    promise = "equal projections on every task's direction"
    equation = "sum_k w_k g_k with equal projections on every g_k / |g_k|, sum_k w_k = K"
    when = "where lengths of gradients differ and must not decide"

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        return impartial(seen)


def impartial(seen: Gradients) -> tf.Tensor:
    """Return the weights `[K]`, which sum to K, of the sum with equal projections on every gradient's direction."""
    weights = equiangular(seen) / seen.norms
    total = tf.reduce_sum(weights)
    usable = tf.abs(total) > 1e-8 * tf.reduce_sum(tf.abs(weights))
    return seen.weights(weights * tf.math.divide_no_nan(tf.reduce_sum(seen.present), total), usable)
