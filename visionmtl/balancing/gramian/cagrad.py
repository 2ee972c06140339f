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
        toward = _toward(seen)
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
        x = tf.cond(_gap(seen, x, c) > 1e-8, lambda: _by_radius(seen, x, c), lambda: x)
        length = seen.length(x)
        solved = 1 + c * whole * tf.math.divide_no_nan(x, length) / seen.norms
        gains = tf.linalg.matvec(seen.cosines, solved * lengths)
        peaceful = project(seen, lengths)
        # Rounding makes of a g_w that is zero a short one of any direction: what it gives is no optimum where peace is.
        poor = (length <= 1e-7 * tf.reduce_sum(x)) | (tf.reduce_min(gains) < -1e-9 * whole)
        poor &= seen.length(peaceful - lengths) <= c * whole * (1 + 1e-9)
        weights = tf.where(poor, peaceful / seen.norms + 1 - seen.active, solved)
        return seen.weights(weights / (1 + c**2), whole > ZERO)


def _gap(seen: Gradients, x: tf.Tensor, c: float) -> tf.Tensor:
    """Return by how much the worst gain may be below the best, `[...]`, the longest gradient and the mean being 1 long.

    It is the difference of the primal and the dual problem at coefficients x `[..., K]` of unit gradients; 0 at the
    optimum. What is left of a sum that cancels to rounding shows nothing.
    """
    toward, costs = _toward(seen), prices(seen.norms, seen.active)
    pulled = tf.linalg.matvec(seen.cosines, x)
    length = tf.sqrt(tf.maximum(tf.reduce_sum(x * pulled, axis=-1), 0.0))
    gains = seen.norms * (toward + c * tf.math.divide_no_nan(pulled, length[..., None]))
    shortest = tf.reduce_min(tf.where(seen.active > 0, seen.norms, 1e300))
    value = tf.reduce_sum(toward * x, axis=-1) + c * length
    best = shortest * tf.math.divide_no_nan(value, tf.reduce_sum(costs * x, axis=-1))
    told = (length > 1e-5 * tf.reduce_sum(x, axis=-1)) & tf.math.is_finite(best)
    return tf.where(told, best - tf.reduce_min(tf.where(seen.active > 0, gains, 1e300), axis=-1), 1e300)


def _toward(seen: Gradients) -> tf.Tensor:
    """Return the cosines of the gradients to their mean `[K]`."""
    lengths = seen.norms * seen.active
    return tf.math.divide_no_nan(tf.linalg.matvec(seen.cosines, lengths), seen.length(lengths))


def _by_radius(seen: Gradients, x: tf.Tensor, c: float) -> tf.Tensor:
    """Return coefficients `[K]` of a smaller gap than x, where there are such.

    The length of g_w has a corner where it is zero, at which the descent may stay though the optimum is elsewhere, at
    a Pareto-stationary point of fewer dimensions than tasks. But `|g_w| = min_t (|g_w|^2 / t + t) / 2`, and for a t
    the problem is smooth: it is solved for many at once, and again for as many around the best.
    """
    toward, costs, cosines = _toward(seen), prices(seen.norms, seen.active), seen.definite()
    stiff, count = 2 * (1 + c), 64
    low, high = tf.constant(-20.0, tf.float64), tf.math.log(1 / tf.reduce_min(tf.where(costs > 0, costs, 1.0))) + 2.0
    for _ in range(4):
        radii = tf.exp(tf.linspace(low, high, count))[:, None]

        def derivatives(x: tf.Tensor, radii: tf.Tensor = radii) -> tuple[tf.Tensor, tf.Tensor]:
            miss = tf.reduce_sum(costs * x, axis=-1, keepdims=True) - 1
            slope = toward + c * tf.linalg.matvec(cosines, x) / radii + stiff * costs * miss
            return slope, c * cosines / radii[..., None] + stiff * costs[:, None] * costs

        tried = tf.concat([x[None], minimise(derivatives, tf.ones([count, 1], tf.float64) * seen.active)], axis=0)
        gaps = _gap(seen, tried, c)
        best = tf.argmin(gaps)
        x = tried[best]
        step = (high - low) / (count - 1)
        middle = tf.where(best > 0, low + tf.cast(best - 1, tf.float64) * step, tf.math.log(seen.length(x) + 1e-300))
        low, high = middle - step, middle + step
    return x
