"""Conflict-averse gradient descent."""

import tensorflow as tf

from visionmtl.balancing.gramian.common import dot, prices
from visionmtl.balancing.gramian.solvers import minimise, project
from visionmtl.balancing.gramian_method import ZERO, Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import number


class CAGrad(GramianMethod):
    """Stay within c of the mean gradient and help the worst-off task most.

    Reference: Liu et al. 2021, Conflict-Averse Gradient Descent for Multi-task Learning, algorithm 1: with mean
    gradient g0, minimise g_w . g0 + c |g0| |g_w| over convex combinations g_w; the update is g0 + c |g0| g_w / |g_w|.

    Scale: K times the above over 1 + c^2, as in the authors' code; K equal gradients give K (1 + c) / (1 + c^2) g.
    Fall-back: where g_w is zero every update in the ball that climbs no loss is an optimum, and the one nearest to the
    mean gradient is taken: its projection on the dual cone, as wherever that is in the ball and rounding would climb a
    loss. From c = 1 on the ball holds 0, and that is the projection at a Pareto-stationary point. The authors' code
    divides by |g_w| + 1e-8 there, and follows the mean. A zero gradient counts in the mean only, which still is an
    optimum of the paper's "help the worst-off most".
    """

    paper = "Liu et al. 2021"
    promise = "near the mean gradient, best for the worst-off task"
    equation = "g0 + c |g0| g_w / |g_w|, w = argmin g_w . g0 + c |g0| |g_w|; scaled by K / (1 + c^2)"
    when = (
        "where the mean of the tasks is what you want and none is to be left behind: c says how much the worst counts"
    )

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
        solved = 1 + c * whole * tf.math.divide_no_nan(x, length) / seen.norms
        gains = tf.linalg.matvec(seen.cosines, solved * lengths)
        peaceful = project(seen, lengths)
        # Rounding makes of a g_w that is zero a short one of any direction: what it gives is no optimum where peace is.
        poor = (length <= 1e-7 * tf.reduce_sum(x)) | (tf.reduce_min(gains) < -1e-9 * whole)
        poor &= seen.length(peaceful - lengths) <= c * whole * (1 + 1e-9)
        weights = tf.where(poor, peaceful / seen.norms + 1 - seen.active, solved)
        return seen.weights(weights / (1 + c**2), whole > ZERO)
