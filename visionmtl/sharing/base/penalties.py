"""Penalties that tie the parameters of K tasks together, as pure maths.

Every function takes `stack`, `[K, P]`: the same P parameters of each of the K tasks, float32 or float64. The squared
distances carry the factor 1/2, so that the pull on a parameter is its distance, however many parameters there are. What
goes through an eigenproblem does so in float64, products of parameters included: float32 cannot tell tasks that have
just parted from equal ones, and a GPU may multiply in ten bits.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf


def to_mean(stack: tf.Tensor) -> tf.Tensor:
    """Return half the squared distance of the tasks to their mean, `[]`.

    Reference: Evgeniou and Pontil 2004, Regularized Multi-Task Learning.
    """
    return _half_squares(stack - tf.reduce_mean(stack, axis=0))


def to_centre(stack: tf.Tensor, centre: tf.Tensor) -> tf.Tensor:
    """Return half the squared distance of the tasks to a centre `[P]`, `[]`.

    Reference: Evgeniou and Pontil 2004, Regularized Multi-Task Learning.
    """
    return _half_squares(stack - centre)


def pairwise(stack: tf.Tensor) -> tf.Tensor:
    """Return half the squared distance of each task to each other, over the number of others, `[]`.

    It equals `to_mean` times K / (K - 1).
    """
    tasks = stack.shape[0]
    rows = [_half_squares(stack[task + 1 :] - stack[task]) for task in range(tasks - 1)]
    return tf.add_n(rows) / (tasks - 1) if rows else tf.zeros((), stack.dtype)


def chain(stack: tf.Tensor) -> tf.Tensor:
    """Return half the squared distance of each task to the next, `[]`."""
    return _half_squares(stack[1:] - stack[:-1])


def related(stack: tf.Tensor, relations: Mapping[tuple[int, int], float]) -> tf.Tensor:
    """Return the sum over pairs of tasks of their relation times half their squared distance, `[]`.

    Args:
        stack: `[K, P]`.
        relations: `{(i, j): weight}`, each pair once; a weight of 0 or more.

    Reference: Evgeniou, Micchelli and Pontil 2005, Learning Multiple Tasks with Kernel Methods.
    """
    pairs = [weight * _half_squares(stack[low] - stack[high]) for (low, high), weight in relations.items()]
    return tf.add_n(pairs) if pairs else tf.zeros((), stack.dtype)


def _half_squares(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(x * x) / 2


def gramian(stack: tf.Tensor) -> tf.Tensor:
    """Return the inner products of the tasks' parameters, float64 `[K, K]`."""
    stack = tf.cast(stack, tf.float64)
    return tf.matmul(stack, stack, transpose_b=True)


def trace_norm(stack: tf.Tensor, smoothing: float = 1e-3) -> tf.Tensor:
    """Return the trace (nuclear) norm, the sum of the singular values, `[]`: the fewer directions, the smaller.

    Its gradient, `U V'`, jumps where a singular value vanishes, as K - 1 of them do while all tasks are equal. There a
    smooth one is returned: a singular value s takes part with `s / sqrt(s^2 + (smoothing * largest)^2)`, and a step
    cannot throw the tasks from one side of zero to the other. It never divides by the differences of singular values,
    so it is finite where some coincide.

    Args:
        stack: `[K, P]`.
        smoothing: of the gradient, relative to the largest singular value.

    Reference: Yang and Hospedales 2017, Trace Norm Regularised Deep Multi-Task Learning.
    """

    @tf.custom_gradient
    def norm(stack: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        squares, directions = tf.linalg.eigh(gramian(stack))
        squares = tf.maximum(squares, 0.0)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            level = squares + smoothing**2 * tf.reduce_max(squares)
            inverse = tf.where(level > 0, tf.math.rsqrt(tf.where(level > 0, level, 1.0)), 0.0)
            matrix = tf.matmul(directions * inverse, directions, transpose_b=True)
            return upstream * tf.cast(tf.matmul(matrix, tf.cast(stack, tf.float64)), stack.dtype)

        return tf.cast(tf.reduce_sum(tf.sqrt(squares)), stack.dtype), gradient

    return norm(stack)


def unfolded_trace_norms(stack: tf.Tensor) -> tf.Tensor:
    """Return the mean over every unfolding of the tasks' kernels of its trace norm, `[]`.

    An unfolding has one axis of the stack as its rows and all others as its columns: that of the tasks is what
    `trace_norm` takes alone, those of a kernel's inputs and outputs count directions in its channels too. Axes of one
    element are left out, whose norm is a length and no count. It costs an eigenproblem of each axis's size.

    Args:
        stack: `[K, ...]`, the same kernel of each of the K tasks.

    Reference: Yang and Hospedales 2017, Trace Norm Regularised Deep Multi-Task Learning, equation 4 (Tucker), which
        sums with weights of its own where this is the mean; Tomioka et al. 2010, Estimation of Low-Rank Tensors via
        Convex Optimization.
    """
    axes = [axis for axis, size in enumerate(stack.shape) if size > 1]
    norms = []
    for axis in axes:
        others = [other for other in range(len(stack.shape)) if other != axis]
        rows = tf.reshape(tf.transpose(stack, [axis, *others]), [stack.shape[axis], -1])
        norms.append(trace_norm(rows if rows.shape[0] <= rows.shape[1] else tf.transpose(rows)))
    return tf.add_n(norms) / len(norms) if norms else tf.norm(stack)


def relationship(products: tf.Tensor, ridge: float = 1e-4) -> tf.Tensor:
    """Return the covariance between tasks that costs the least, float64 `[K, K]`: `G^(1/2) / tr G^(1/2)`.

    It is symmetric, positive definite and of unit trace. Where all parameters are zero it is `I / K`.

    Args:
        products: G, the tasks' `gramian`, float64 `[K, K]`.
        ridge: what is added to the diagonal, relative to its mean: keeps the matrix invertible where fewer directions
            than tasks are taken.

    Reference: Zhang and Yeung 2010, A Convex Formulation for Learning Task Relationships in Multi-Task Learning.
    """
    tasks = products.shape[0]
    size = tf.linalg.trace(products)
    squares, directions = tf.linalg.eigh(tf.where(size > 0, products, tf.eye(tasks, dtype=products.dtype)))
    squares = tf.maximum(squares, 0.0)
    roots = tf.sqrt(squares + ridge * tf.reduce_mean(squares))
    root = tf.matmul(directions * roots, directions, transpose_b=True)
    return (root + tf.transpose(root)) / 2 / tf.reduce_sum(roots)


def under_relationship(products: tf.Tensor, omega: tf.Tensor) -> tf.Tensor:
    """Return `tr(G Omega^-1) / 2`, `[]`: half the squared length of the parameters under a covariance between tasks.

    Args:
        products: G, the tasks' `gramian`, float64 `[K, K]`.
        omega: float64 `[K, K]`; held constant. At `relationship(G, ridge=0)` the penalty is half the square of the
            trace norm and its gradient is that one's, since Omega is the best there is.

    Reference: Zhang and Yeung 2010, A Convex Formulation for Learning Task Relationships in Multi-Task Learning.
    """
    return tf.linalg.trace(tf.linalg.solve(tf.stop_gradient(omega), products)) / 2
