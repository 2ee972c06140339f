"""ConFIG: a direction with the same cosine to every gradient."""

from typing import Any

import tensorflow as tf

from visionmtl.balancing.by_task import preference
from visionmtl.balancing.gramian.common import dot
from visionmtl.balancing.gramian.solvers import equiangular
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class ConFIG(GramianMethod):
    """Find the direction with the same cosine to every gradient, as long as the gradients' projections on it.

    Reference: Liu, Chu and Thuerey 2024, ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks:
    the pseudo-inverse of the unit gradients times a vector of ones, u, gives the direction; the update is
    (sum_k g_k . u / |u|) u / |u|.

    Preference: stands for the ones, as in the authors' code and TorchJD: the cosines to the gradients are proportional
    to it, which at 0 leaves a task as it is. The length stays that of the projections.
    Fall-back: a zero gradient weighs 0; 1 for each where the directions cancel.
    """

    paper = "Liu et al. 2024"
    promise = "no task gets worse; the same cosine to every gradient"
    equation = "(sum_k g_k . d) d, d = u / |u|, u = pinv([g_k / |g_k|]) p"
    when = "where every task is to gain at the same angle, whatever the lengths of the gradients"

    preference: Any = preference()

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        coefficients = equiangular(seen, comparison.preferred(seen))
        length = seen.length(coefficients)
        projections = dot(seen.norms, tf.linalg.matvec(seen.cosines, coefficients))
        usable = length > 1e-7 * tf.reduce_sum(tf.abs(coefficients))
        return seen.weights(coefficients / seen.norms * tf.math.divide_no_nan(projections, length**2), usable)
