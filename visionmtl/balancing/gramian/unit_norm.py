"""Gradients of one length."""

import tensorflow as tf

from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class UnitNorm(GramianMethod):
    """Give every gradient the same length: the mean of their lengths, `w_k = mean(|g|) / |g_k|`.

    Reference: the equal-norm start of Chen et al. 2018, GradNorm, without its learnt rates.

    Fall-back: a zero gradient weighs 0 and does not enter the mean.
    """

    promise = "every gradient equally long"
    equation = "w_k = mean_j(|g_j|) / |g_k|"
    when = "where lengths of gradients differ: the simplest of those that are blind to them"

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        mean = tf.math.divide_no_nan(tf.reduce_sum(seen.norms * seen.active), tf.reduce_sum(seen.active))
        return seen.weights(seen.active * mean / seen.norms)
