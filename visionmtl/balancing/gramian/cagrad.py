"""Conflict-averse gradient descent."""

import tensorflow as tf

from visionmtl.balancing.gramian.common import dot, prices
from visionmtl.balancing.gramian.solvers import minimise
from visionmtl.balancing.gramian_method import ZERO, Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import number


class CAGrad(GramianMethod):
    """Stay within c of the mean gradient and help the worst-off task most.

    Reference: Liu et al. 2021, Conflict-Averse Gradient Descent for Multi-task Learning, algorithm 1: with mean
    gradient g0, minimise g_w . g0 + c |g0| |g_w| over convex combinations g_w; the update is g0 + c |g0| g_w / |g_w|.

    Scale: K times the above over 1 + c^2, as in the authors' code; K equal gradients give K (1 + c) / (1 + c^2) g.
    Fall-back: where g_w is zero, K times the mean gradient over 1 + c^2. A zero gradient counts in the mean only, which
    still is an optimum of the paper's "help the worst-off most".
    """

    paper = "Liu et al. 2021"
    promise = "near the mean gradient, best for the worst-off task"

    c: float = number(0.5, "the radius over the mean gradient's length; below 1 it converges as proven", at_least=0)

    def gain(self) -> float:
        return (1 + self.c) / (1 + self.c**2)

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        c = self.c
        lengths = seen.norms * seen.active
        whole = seen.length(lengths)
        toward = tf.math.divide_no_nan(tf.linalg.matvec(seen.cosines, lengths), whole)
        costs = prices(seen.norms, seen.active)
        cosines = seen.definite()

        # The simplex as a penalty: the objective is homogeneous of degree 1 and below 1 + c: it changes the scale only.
        def derivatives(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            pulled = tf.linalg.matvec(cosines, x)
            length = tf.sqrt(dot(x, pulled))
            unit = pulled / length
            stiff = 2 * (1 + c)
            bend = c * (cosines - unit[:, None] * unit) / length
            return toward + c * unit + stiff * costs * (dot(costs, x) - 1), bend + stiff * costs[:, None] * costs

        x = minimise(derivatives, seen.active)
        length = seen.length(x)
        helped = tf.where(length > 1e-7 * tf.reduce_sum(x), x / length, 0.0)
        return seen.weights((1 + c * whole * helped / seen.norms) / (1 + c**2), whole > ZERO)
