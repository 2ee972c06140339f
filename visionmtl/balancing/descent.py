"""Gradient balancers that descend towards their weights a little in every step, instead of solving for them.

As in `gramian`, from the Gramian `[K, K]` and the tasks present `[K]`, in float64; and from `memory`, the convex
weights `[K]` of the step before (None: all alike). They return the weights and the new memory.

Both descend along `G1 G2'`, the gradients of independent samples, whose mean is right where that of a noisy Gramian is
too large on its diagonal. In training these are the samples at even and at odd places of a batch, and a step goes back
2 K times; the update takes all samples. `product`, `[K, K]`, holds it; None takes the Gramian.
"""

import tensorflow as tf

from visionmtl.balancing.balancer import check_range
from visionmtl.balancing.solvers import gradients, to_simplex


def sdmgrad(
    gramian, present=None, memory=None, product=None, lamda=0.3, iterations=20, learning_rate=1.0, momentum=0.5
):
    """Find the short vector in the gradients' convex hull, with the mean gradient pulling at it.

    Reference: Xiao, Ban and Ji 2023, Direction-oriented Multi-objective Learning: Simple and Provable Stochastic
    Algorithms (SDMGrad): some steps of gradient descent on the simplex along `G (w + lamda w0)`, w0 being equal
    weights.

    Args:
        lamda: pull of the mean gradient, at least 0. Default 0.3.
        iterations: of the descent, at least 1. Default 20.
        learning_rate: of the descent on G1 G2' over the Gramian's trace, above 0. Default 1, at which it converges; the
            code's 5 over the square of the mean length throws the weights from corner to corner, by rounding.
        momentum: of the descent, from 0 to 1. Default 0.5.

    Scale: K (w + lamda w0) / (1 + lamda), which sums to K; the paper's sum to 1.
    """
    lamda = check_range("sdmgrad", "lamda", lamda, 0, closed=True)
    iterations = int(check_range("sdmgrad", "iterations", iterations, 1, closed=True))
    learning_rate = check_range("sdmgrad", "learning_rate", learning_rate, 0)
    momentum = check_range("sdmgrad", "momentum", momentum, 0, 1, closed=True)
    seen = gradients(gramian, present)
    count = tf.reduce_sum(seen.present)
    equal = tf.math.divide_no_nan(seen.present, count)
    steep = tf.math.divide_no_nan(
        _active(seen, gramian if product is None else product), tf.linalg.trace(_active(seen, gramian))
    )

    def step(w, velocity):
        velocity = momentum * velocity + tf.linalg.matvec(steep, w + lamda * equal)
        return to_simplex(w - learning_rate * velocity, seen.present), velocity

    start = to_simplex(equal if memory is None else tf.cast(memory, tf.float64), seen.present)
    w, _ = tf.while_loop(
        lambda *_: tf.constant(True), step, (start, tf.zeros_like(start)), maximum_iterations=iterations
    )
    return seen.weights(count * (w + lamda * equal) / (1 + lamda)), _kept(w, memory, seen)


def modo(gramian, present=None, memory=None, product=None, gamma=1e-3, rho=0.1):
    """Take one step a batch towards the shortest vector in the gradients' convex hull.

    Reference: Chen et al. 2023, Three-Way Trade-Off in Multi-Objective Learning: Optimization, Generalization and
    Conflict-Avoidance (MoDo), with the constants of its code: `w - gamma (G + rho) w`, back on the simplex.

    Args:
        gamma: step size, above 0; it meets the gradients as long as they are. Default 0.001.
        rho: pull to equal weights, at least 0. Default 0.1.

    Scale: the weights sum to K; the paper's sum to 1. Longer gradients move them faster.
    """
    gamma = check_range("modo", "gamma", gamma, 0)
    rho = check_range("modo", "rho", rho, 0, closed=True)
    seen = gradients(gramian, present)
    both = _active(seen, gramian if product is None else product)
    w = to_simplex(seen.present if memory is None else tf.cast(memory, tf.float64), seen.present)
    w = to_simplex(w - gamma * (tf.linalg.matvec(both, w) + rho * w), seen.present)
    return seen.weights(tf.reduce_sum(seen.present) * w), _kept(w, memory, seen)


def _active(seen, matrix):
    """Return a matrix `[K, K]` in float64, 0 where a gradient is absent or zero."""
    return tf.where(seen.active[:, None] * seen.active > 0, tf.cast(matrix, tf.float64), 0.0)


def _kept(w, memory, seen):
    """Return the new memory `[K]`: an absent task keeps its place."""
    return w if memory is None else tf.where(seen.present > 0, w, tf.cast(memory, tf.float64))
