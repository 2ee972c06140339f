"""The multiple-gradient descent algorithm."""

import tensorflow as tf

from visionmtl.balancing.gramian.common import dot, prices
from visionmtl.balancing.gramian.solvers import minimise
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import choice
from visionmtl.errors import UsageError

NORMALISATIONS = ("none", "l2", "loss", "loss+")


class MGDA(GramianMethod):
    """Take the shortest vector in the convex hull of the gradients, K times: min w' G w over w >= 0, sum(w) = 1.

    The normalised gradients choose the weights, the raw ones are summed.

    Reference: Désidéri 2012, Multiple-gradient descent algorithm; Sener and Koltun 2018, Multi-Task Learning as
    Multi-Objective Optimization, and the normalisations of its code.

    Scale: the weights sum to K; the paper's sum to 1.
    Fall-back: where gradients are zero the shortest vector is zero: they divide K among them, the others weigh 0.
    """

    paper = "Désidéri 2012, Sener and Koltun 2018"
    promise = "no task gets worse; the shortest vector of the hull"
    equation = "K sum_k w_k g_k, w = argmin w' G w of normalised gradients, w >= 0, sum_k w_k = 1"
    when = "where no task may get worse and slow progress is a fair price: short gradients lead"

    normalisation: str = choice(
        "none", NORMALISATIONS, "what divides a gradient: l2 its length, loss its loss, loss+ both"
    )

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        lengths = seen.norms if self.normalisation in ("none", "loss") else tf.ones_like(seen.norms)
        if "loss" in self.normalisation:
            if comparison.losses is None:
                raise UsageError(f"normalisation {self.normalisation!r} needs losses: [K] positive numbers.")
            lengths /= tf.where(seen.present > 0, tf.cast(comparison.losses, tf.float64), 1.0)
        return shortest(seen, lengths)


def shortest(seen: Gradients, lengths: tf.Tensor) -> tf.Tensor:
    """Return the weights `[K]` of the shortest vector of the hull of unit gradients times `lengths` `[K]`."""
    costs = prices(lengths, seen.active)
    cosines = seen.definite()

    # The hull's plane as a penalty: the problem is homogeneous, so the penalty changes the scale of its solution only.
    def derivatives(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.linalg.matvec(cosines, x) + costs * (dot(costs, x) - 1), cosines + costs[:, None] * costs

    weights = minimise(derivatives, seen.active) * costs
    still = seen.present - seen.active
    weights = tf.where(tf.reduce_any(still > 0), still, weights)
    total = tf.reduce_sum(weights)
    return seen.weights(tf.math.divide_no_nan(weights, total) * tf.reduce_sum(seen.present), total > 0)
