"""Gradient balancers as pure maths: from the K x K Gramian of the task gradients to the K weights of their sum.

Every function takes `gramian`, float32 or float64 `[K, K]`, the inner products of the task gradients, and `present`,
`[K]`, 1 where a task takes part and 0 where it does not (None: all do). It returns float64 `[K]`; the update is
`sum_k weights_k * gradient_k`. An absent task weighs exactly 0, and the others what they would weigh without it.
All the computing is float64 in the graph. No weight depends on the common scale of the gradients, and K equal gradients
g give the update K * g unless the function says otherwise.

Where every gradient is zero, where the Gramian is not finite, and where a method's own definition has no solution, the
fall-back is the weight 1 for every present task. "Zero" is shorter than 1e-10 of the longest gradient.
"""

import tensorflow as tf

from visionmtl.balancing.balancer import check_range
from visionmtl.balancing.solvers import ZERO, Gradients, eigen, equiangular, gradients, minimise, project
from visionmtl.errors import UsageError

NORMALISATIONS = ("none", "l2", "loss", "loss+")
MOST_ALIKE = 1 - 1e-9  # the largest cosine that gradvac aims at: to turn a gradient onto another takes infinity of it


def unit_norm(gramian, present=None):
    """Give every gradient the same length: the mean of their lengths, `w_k = mean(|g|) / |g_k|`.

    Reference: the equal-norm start of Chen et al. 2018, GradNorm, without its learnt rates.
    Fall-back: a zero gradient weighs 0 and does not enter the mean.
    """
    seen = gradients(gramian, present)
    mean = tf.math.divide_no_nan(tf.reduce_sum(seen.norms * seen.active), tf.reduce_sum(seen.active))
    return seen.weights(seen.active * mean / seen.norms)


def longest_norm(gramian, present=None):
    """Give every gradient the length of the longest, `w_k = max(|g|) / |g_k|`.

    Reference: Lin et al. 2023, Dual-Balancing for Multi-Task Learning; `elementwise.DualBalancing` is the whole of it.
    Fall-back: a zero gradient weighs 0.
    """
    seen = gradients(gramian, present)
    longest = tf.reduce_max(seen.norms * seen.active)
    return seen.weights(seen.active * longest / seen.norms)


def mgda(gramian, present=None, normalisation="none", losses=None):
    """Take the shortest vector in the convex hull of the gradients, K times: min w' G w over w >= 0, sum(w) = 1.

    Reference: Désidéri 2012, Multiple-gradient descent algorithm; Sener and Koltun 2018, Multi-Task Learning as
    Multi-Objective Optimization, and the normalisations of its code: the normalised gradients choose the weights, the
    raw ones are summed.

    Args:
        normalisation: what divides a gradient: "none" (default), "l2" its length, "loss" its loss, "loss+" both.
        losses: `[K]`, positive; for "loss" and "loss+".

    Scale: the weights sum to K; the paper's sum to 1.
    Fall-back: where gradients are zero the shortest vector is zero: they share the weight K, the others weigh 0.
    """
    if normalisation not in NORMALISATIONS:
        raise UsageError(f"normalisation was {normalisation!r}: expected one of {', '.join(NORMALISATIONS)}.")
    if "loss" in normalisation and losses is None:
        raise UsageError(f"normalisation {normalisation!r} needs losses: [K] positive numbers.")
    seen = gradients(gramian, present)
    lengths = seen.norms if normalisation in ("none", "loss") else tf.ones_like(seen.norms)
    if "loss" in normalisation:
        lengths /= tf.where(seen.present > 0, tf.cast(losses, tf.float64), 1.0)
    shares = _shares(lengths, seen.active)
    cosines = seen.definite()

    # The hull's plane as a penalty: the problem is homogeneous, so the penalty changes the scale of its solution only.
    def derivatives(x):
        return tf.linalg.matvec(cosines, x) + shares * (_dot(shares, x) - 1), cosines + shares[:, None] * shares

    weights = minimise(derivatives, seen.active) * shares
    still = seen.present - seen.active
    weights = tf.where(tf.reduce_any(still > 0), still, weights)
    total = tf.reduce_sum(weights)
    return seen.weights(tf.math.divide_no_nan(weights, total) * tf.reduce_sum(seen.present), total > 0)


def pcgrad(gramian, present=None, order=None, seed=None):
    """Sum the gradients after each was freed, one by one, of its conflicts with the others.

    Reference: Yu et al. 2020, Gradient Surgery for Multi-Task Learning, algorithm 1: the running gradient is projected
    against the ORIGINAL others, in a random order of its own: where g . g_j < 0, g <- g - (g . g_j) / |g_j|^2 g_j.

    Args:
        order: int `[K, K - 1]`: row k holds the other tasks in the order in which gradient k meets them.
        seed: int `[2]` of a stateless random order; used, and needed, where `order` is None.
    """
    seen = gradients(gramian, present)
    rows = tf.eye(seen.norms.shape[0], dtype=tf.float64)  # row k: the running gradient of task k, in unit gradients
    for met in _meetings("pcgrad", seen, order, seed):
        overlap = tf.reduce_sum(tf.matmul(rows, seen.cosines) * met, axis=1, keepdims=True)
        rows -= tf.minimum(overlap, 0.0) * met
    return seen.weights(_per_task(seen, rows))


def gradvac(gramian, present=None, order=None, seed=None, memory=None, beta=0.01):
    """Turn each gradient, one by one, until it is as near to the others as they usually are.

    Reference: Wang et al. 2021, Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively
    Multilingual Models: like `pcgrad`, with a running mean m of the cosines in place of 0 as the least cosine allowed:
    where the cosine c of g and g_j is below m, g <- g + |g| (m sqrt(1 - c^2) - c sqrt(1 - m^2)) / (|g_j| sqrt(1 - m^2))
    g_j.

    Args:
        order, seed: as for `pcgrad`.
        memory: float `[K, K]`, the running means; None for zeros, of a first step, which is PCGrad's.
        beta: the share of a new cosine in the mean, above 0 and up to 1. Default 0.01.

    Returns:
        The weights `[K]` and the new running means `[K, K]`.
    """
    beta = check_range("gradvac", "beta", beta, 0, 1)
    seen = gradients(gramian, present)
    K = seen.norms.shape[0]
    means = tf.zeros((K, K), tf.float64) if memory is None else tf.cast(memory, tf.float64)
    rows = tf.eye(K, dtype=tf.float64)
    for met in _meetings("gradvac", seen, order, seed):
        meeting = seen.active * tf.linalg.matvec(met, seen.active)
        pulled = tf.matmul(rows, seen.cosines)
        length = tf.sqrt(tf.maximum(tf.reduce_sum(pulled * rows, axis=1), 0.0))
        cosine = tf.clip_by_value(tf.math.divide_no_nan(tf.reduce_sum(pulled * met, axis=1), length), -1.0, 1.0)
        mean = tf.reduce_sum(means * met, axis=1)
        aim = tf.clip_by_value(mean, -MOST_ALIKE, MOST_ALIKE)
        # The law of sines: so much of the other gradient turns this one until the cosine is the one aimed at.
        turn = length * (aim * tf.sqrt(1 - cosine**2) / tf.sqrt(1 - aim**2) - cosine)
        rows += (tf.where(cosine < aim, turn, 0.0) * meeting)[:, None] * met
        means += (beta * (cosine - mean) * meeting)[:, None] * met
    return seen.weights(_per_task(seen, rows)), means


def cagrad(gramian, present=None, c=0.5):
    """Stay within c of the mean gradient and help the worst-off task most.

    Reference: Liu et al. 2021, Conflict-Averse Gradient Descent for Multi-task Learning, algorithm 1: with mean
    gradient g0, minimise g_w . g0 + c |g0| |g_w| over convex combinations g_w; the update is g0 + c |g0| g_w / |g_w|.

    Args:
        c: the radius as a share of the mean gradient's length, at least 0; below 1 it converges as proven. Default 0.5.

    Scale: K times the above over 1 + c^2, as in the authors' code; K equal gradients give K (1 + c) / (1 + c^2) g.
    Fall-back: where g_w is zero, K times the mean gradient over 1 + c^2. A zero gradient counts in the mean only, which
    still is an optimum of the paper's "help the worst-off most".
    """
    c = check_range("cagrad", "c", c, 0, closed=True)
    seen = gradients(gramian, present)
    lengths = seen.norms * seen.active
    whole = seen.length(lengths)
    toward = tf.math.divide_no_nan(tf.linalg.matvec(seen.cosines, lengths), whole)
    shares = _shares(seen.norms, seen.active)
    cosines = seen.definite()

    # The simplex as a penalty: the objective is homogeneous of degree 1 and below 1 + c, so it changes the scale only.
    def derivatives(x):
        pulled = tf.linalg.matvec(cosines, x)
        length = tf.sqrt(_dot(x, pulled))
        unit = pulled / length
        stiff = 2 * (1 + c)
        bend = c * (cosines - unit[:, None] * unit) / length
        return toward + c * unit + stiff * shares * (_dot(shares, x) - 1), bend + stiff * shares[:, None] * shares

    x = minimise(derivatives, seen.active)
    length = seen.length(x)
    helped = tf.where(length > 1e-7 * tf.reduce_sum(x), x / length, 0.0)
    return seen.weights((1 + c * whole * helped / seen.norms) / (1 + c**2), whole > ZERO)


def imtl_g(gramian, present=None):
    """Find the combination with equal projections on every gradient's direction.

    Reference: Liu et al. 2021, Towards Impartial Multi-task Learning (IMTL-G): with g = sum_k w_k g_k and sum(w) = 1,
    g . g_k / |g_k| is the same for all k. The pseudo-inverse stands in place of the inverse, so that parallel gradients
    are allowed. Weights may be negative; where their sum was negative before it was made 1, the update climbs every
    loss, as the equation has it.

    Scale: the weights sum to K; the paper's sum to 1.
    Fall-back: a zero gradient weighs 0; 1 for each where the directions cancel or the weights sum to 0.
    """
    seen = gradients(gramian, present)
    weights = equiangular(seen) / seen.norms
    total = tf.reduce_sum(weights)
    usable = tf.abs(total) > 1e-8 * tf.reduce_sum(tf.abs(weights))
    return seen.weights(weights * tf.math.divide_no_nan(tf.reduce_sum(seen.present), total), usable)


def config(gramian, present=None):
    """Find the direction with the same cosine to every gradient, as long as the gradients' projections on it.

    Reference: Liu, Chu and Thuerey 2024, ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks:
    the pseudo-inverse of the unit gradients times a vector of ones, u, gives the direction; the update is
    (sum_k g_k . u / |u|) u / |u|.

    Fall-back: a zero gradient weighs 0; 1 for each where the directions cancel.
    """
    seen = gradients(gramian, present)
    coefficients = equiangular(seen)
    length = seen.length(coefficients)
    projections = _dot(seen.norms, tf.linalg.matvec(seen.cosines, coefficients))
    usable = length > 1e-7 * tf.reduce_sum(tf.abs(coefficients))
    return seen.weights(coefficients / seen.norms * tf.math.divide_no_nan(projections, length**2), usable)


def fairgrad(gramian, present=None, alpha=2.0):
    """Share the update alpha-fairly: weights w with G w = w^(-1 / alpha).

    Reference: Ban and Ji 2024, Fair Resource Allocation in Multi-Task Learning.

    Args:
        alpha: above 0; 1 is Nash-MTL, and more helps the worst-off task more. Default 2.

    Scale: the equation fixes a length of its own; it is solved for G over its Frobenius norm, as in Nash-MTL's code.
    Fall-back: a zero gradient weighs 0. Where gradients cancel there is no solution: the weights are large but finite.
    """
    alpha = check_range("fairgrad", "alpha", alpha, 0)
    seen = gradients(gramian, present)
    cosines = seen.definite()
    target = seen.norms ** (1 - alpha)
    x = minimise(lambda x: (tf.linalg.matvec(cosines, x), cosines), seen.active, 60, target, alpha)
    frobenius = tf.norm(seen.cosines * seen.norms * seen.norms[:, None])
    return seen.weights(x / seen.norms * frobenius ** (alpha / (1 + alpha)))


def nash_mtl(gramian, present=None):
    """Take the Nash bargaining solution: weights w with G w = 1 / w.

    Reference: Navon et al. 2022, Multi-Task Learning as a Bargaining Game; solved exactly, where the authors
    iterate a linearised problem. Scale and fall-back are those of `fairgrad`.
    """
    return fairgrad(gramian, present, alpha=1.0)


def aligned_mtl(gramian, present=None):
    """Replace the gradients by the nearest orthogonal ones, of the length of their smallest principal component.

    Reference: Senushkin et al. 2023, Independent Component Alignment for Multi-Task Learning, algorithm 1, with equal
    task preferences: w = sqrt(l_R) V L^(-1/2) V' 1, G being V L V' with its R eigenvalues above rounding, of which l_R
    is the smallest.

    Fall-back: a zero gradient weighs 0.
    """
    seen = gradients(gramian, present)
    K = seen.norms.shape[0]
    apart = tf.linalg.eigvalsh(seen.cosines)
    rank = tf.reduce_sum(tf.cast(apart > seen.rounding * tf.reduce_max(apart), tf.int32))
    values, vectors = eigen(seen.cosines * seen.norms * seen.norms[:, None])
    kept = (tf.range(K) >= K - rank) & (values > 0)
    smallest = tf.reduce_min(tf.where(kept, values, 1e300))
    components = tf.linalg.matvec(vectors, seen.active, transpose_a=True)
    scaled = tf.where(kept, components * tf.sqrt(smallest / tf.where(kept, values, 1.0)), 0.0)
    return seen.weights(tf.linalg.matvec(vectors, scaled))


def upgrad(gramian, present=None):
    """Sum the gradients, each projected onto the cone of directions that conflict with none.

    Reference: Quinton and Rey 2024, Jacobian Descent for Multi-Objective Optimization: for every unit vector u,
    min v' G v over v >= u.

    Scale: the sum of the K projections; the paper takes their mean.
    """
    seen = gradients(gramian, present)
    return seen.weights(_per_task(seen, project(seen, tf.linalg.eye(seen.norms.shape[0], dtype=tf.float64))))


def dual_proj(gramian, present=None):
    """Project the sum of the gradients onto the cone of directions that conflict with none.

    Reference: Lopez-Paz and Ranzato 2017, Gradient Episodic Memory for Continual Learning, as generalised in
    Quinton and Rey 2024, Jacobian Descent for Multi-Objective Optimization: min v' G v over v >= u.

    Scale: u is 1 for every task; the paper's is 1 / K.
    """
    seen = gradients(gramian, present)
    return seen.weights(project(seen, seen.norms * seen.active) / seen.norms + 1 - seen.active)


def _dot(left, right):
    """Return the inner product of two vectors `[K]`."""
    return tf.reduce_sum(left * right)


def _shares(lengths, active):
    """Return what a unit of each direction costs in convex weight `[K]`: 1 / length, the dearest costing 1."""
    return tf.reduce_min(tf.where(active > 0, lengths, 1e300)) / lengths * active


def _per_task(seen: Gradients, rows):
    """Return the weights `[K]` of the sum of K gradients; row k of `rows` is in units of gradient k's length."""
    return tf.linalg.matvec(rows, seen.norms, transpose_a=True) / seen.norms


def _meetings(method, seen: Gradients, order, seed):
    """Return K - 1 tables `[K, K]`: row k is 1 at the task whose gradient k meets then.

    Args:
        order: int `[K, K - 1]`: row k holds the other tasks in the order in which gradient k meets them.
        seed: int `[2]`, of a random order where `order` is None.
    """
    K = seen.norms.shape[0]
    if order is None:
        if seed is None:
            raise UsageError(f"{method} needs an order [K, K - 1] or a seed [2].")
        last = tf.linalg.eye(K, dtype=tf.float32)
        order = tf.argsort(tf.random.stateless_uniform([K, K], seed) + 2 * last, axis=1)[:, : K - 1]
    return tf.unstack(tf.one_hot(order, K, dtype=tf.float64), num=K - 1, axis=1)
