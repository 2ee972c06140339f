"""The small convex problems behind the Gramian methods, in float64, in the graph and under XLA."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from visionmtl.balancing.gramian_method import Gradients


def eigen(matrix: tf.Tensor, sweeps: int = 12) -> tuple[tf.Tensor, tf.Tensor]:
    """Return ascending eigenvalues `[K]` and eigenvectors `[K, K]` of a symmetric matrix to full float64 precision.

    Parallel cyclic Jacobi rotations: under XLA `tf.linalg.eigh` stops at 1e-8 of the largest, which is where the small
    eigenvalues of gradients of very different lengths lie.
    """
    K = matrix.shape[0]
    partners = tf.constant(np.tile(_round_robin(K), (sweeps, 1, 1)))
    earlier = tf.constant(np.triu(np.ones((K, K))) - np.tril(np.ones((K, K)), -1))

    def rotate(step: tf.Tensor, matrix: tf.Tensor, vectors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        pairs = tf.gather(partners, step)
        diagonal, order = tf.linalg.diag_part(matrix), tf.reduce_sum(pairs * earlier, axis=1)
        twice = 2 * tf.reduce_sum(pairs * matrix, axis=1)
        apart = tf.linalg.matvec(pairs, diagonal) - diagonal
        sign = tf.where(apart == 0, order, tf.sign(apart))
        tangent = tf.math.divide_no_nan(sign * twice, tf.abs(apart) + tf.sqrt(apart**2 + twice**2))
        cosine = 1 / tf.sqrt(1 + tangent**2)
        rotation = tf.linalg.diag(cosine) + pairs * (tangent * cosine)[:, None]
        return (
            step + 1,
            tf.matmul(rotation, tf.matmul(matrix, rotation), transpose_a=True),
            tf.matmul(vectors, rotation),
        )

    count = partners.shape[0]
    start = (tf.constant(0), matrix, tf.eye(K, dtype=tf.float64))
    _, matrix, vectors = tf.while_loop(lambda step, *_: step < count, rotate, start, maximum_iterations=count)
    values = tf.linalg.diag_part(matrix)
    ascending = tf.argsort(values)
    return tf.gather(values, ascending), tf.gather(vectors, ascending, axis=1)


def _round_robin(tasks: int) -> np.ndarray:
    """Return `[rounds, K, K]`: symmetric tables of disjoint pairs, each pair once in all the rounds."""
    even = tasks + tasks % 2
    rounds = np.zeros((even - 1, tasks, tasks))
    for r, table in enumerate(rounds):
        circle = [0, *(1 + (r + i) % (even - 1) for i in range(even - 1))]
        for left, right in zip(circle[: even // 2], circle[::-1], strict=False):
            if max(left, right) < tasks:
                table[left, right] = table[right, left] = 1
    return rounds


def equiangular(seen: Gradients, products: tf.Tensor | float = 1.0) -> tf.Tensor:
    """Return coefficients `[K]` of unit gradients whose sum has these inner products `[K]` with each.

    They are the pseudo-inverse times the products.
    """
    values, vectors = eigen(seen.cosines)
    kept = values > seen.rounding * tf.reduce_max(values)
    components = tf.linalg.matvec(vectors, seen.active * products, transpose_a=True)
    return tf.linalg.matvec(vectors, tf.where(kept, components / tf.where(kept, values, 1.0), 0.0))


def minimise(
    derivatives: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]], mask: tf.Tensor, iterations: int = 40
) -> tf.Tensor:
    """Minimise a smooth convex function over x >= 0 by a primal-dual interior point method.

    Args:
        derivatives: function from x `[..., K]` to the gradient `[..., K]` and the Hessian `[..., K, K]`.
        mask: float64 `[..., K]`, 0 where x is no variable.
        iterations: Newton steps.

    Returns:
        x, float64 `[..., K]`; 0 where the mask is.
    """
    count = tf.maximum(tf.reduce_sum(mask, axis=-1, keepdims=True), 1.0)

    def step(x: tf.Tensor, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        gradient, hessian = derivatives(x * mask)
        gap = tf.reduce_sum(x * z * mask, axis=-1, keepdims=True) / count
        slope = z / x
        pull = tf.maximum(0.1 * gap, 1e-18) / x - z
        system = hessian * mask[..., None] * mask[..., None, :] + tf.linalg.diag(slope * mask + 1 - mask)
        right = (z + pull - gradient) * mask
        dx = tf.linalg.cholesky_solve(tf.linalg.cholesky(system), right[..., None])[..., 0] * mask
        dz = (pull - slope * dx) * mask
        steepest = tf.reduce_max(tf.maximum(-dx / x, -dz / z), axis=-1, keepdims=True)
        length = tf.minimum(0.95 / tf.maximum(steepest, 0.5), 1.0)
        return x + length * dx, z + length * dz

    ones = tf.ones_like(mask)
    x, _ = tf.while_loop(lambda *_: tf.constant(True), step, (ones, ones), maximum_iterations=iterations)
    return x * mask


def power_balance(matrix: tf.Tensor, logs: tf.Tensor, exponent: float) -> tf.Tensor:
    """Return the x > 0, float64 `[K]`, with `x * (matrix @ x) ** exponent = exp((1 - exponent) * logs)`.

    Newton's method on x and z = matrix @ x, with the equation between them in logarithms. It begins at the exponent 1,
    where it converges from anywhere, and goes to the one asked for by factors of at most 1.3; what falls, falls
    geometrically, so that an entry may end hundreds of decades below another. Exponents from 0.1 to 1000 and `logs`
    ten apart converge to rounding.

    Args:
        matrix: float64 `[K, K]`, positive definite.
        logs: float64 `[K]`.
        exponent: above 0.
    """
    stages = int(np.ceil(abs(np.log(exponent)) / np.log(1.3)))
    exponents = tf.constant(
        [1.0] * 8 + [exponent ** (i / stages) for i in range(1, stages)] + [exponent] * 50, tf.float64
    )

    def step(number: tf.Tensor, x: tf.Tensor, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        now = tf.gather(exponents, number)
        miss = (1 - now) * logs - tf.math.log(x) - now * tf.math.log(z)
        slope = z / (now * x)
        system = matrix + tf.linalg.diag(slope)
        unit = 1 / tf.sqrt(tf.linalg.diag_part(system))  # slopes differ by as much as the entries do
        right = unit * (z + z * miss / now - tf.linalg.matvec(matrix, x))
        lower = tf.linalg.cholesky(system * unit * unit[:, None])
        dx = unit * tf.linalg.cholesky_solve(lower, right[:, None])[:, 0]
        return number + 1, _moved(x, dx), _moved(z, z * miss / now - slope * dx)

    count = exponents.shape[0]
    ones = tf.ones_like(logs)
    start = (tf.constant(0), ones, ones)
    return tf.while_loop(lambda number, *_: number < count, step, start, maximum_iterations=count)[1]


def _moved(x: tf.Tensor, dx: tf.Tensor) -> tf.Tensor:
    """Return x + dx, but at least exp(dx / x) of x where it falls by more than a half."""
    by = dx / x
    factor = tf.where(by < -0.5, tf.exp(tf.clip_by_value(by, -60.0, 0.0)), 1 + by)
    return tf.clip_by_value(x * factor, 1e-300, 1e300)


def project(seen: Gradients, coefficients: tf.Tensor) -> tf.Tensor:
    """Return `coefficients` `[..., K]` of unit gradients, raised so that their sum is its projection on the dual cone.

    The dual cone holds what conflicts with no gradient; the dual of that problem is min v' C v over v >= coefficients.
    """
    cosines = seen.definite()
    slopes = tf.linalg.matvec(seen.cosines, coefficients)
    return coefficients + minimise(
        lambda x: (slopes + tf.linalg.matvec(cosines, x), cosines), tf.ones_like(coefficients) * seen.active
    )


def to_simplex(point: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """Return the nearest point `[K]` whose entries are at least 0 and sum to 1, over the present tasks; 0 for others.

    Reference: Duchi et al. 2008, Efficient Projections onto the l1-Ball for Learning in High Dimensions, figure 1.
    """
    ordered = tf.sort(tf.where(present > 0, point, -1e300), direction="DESCENDING")
    counts = tf.range(1, point.shape[0] + 1, dtype=point.dtype)
    surplus = (tf.cumsum(tf.where(ordered > -1e300, ordered, 0.0)) - 1) / counts
    last = tf.reduce_sum(tf.cast((ordered > surplus) & (ordered > -1e300), tf.int32))
    return tf.maximum(point - surplus[tf.maximum(last - 1, 0)], 0.0) * tf.cast(present, point.dtype)
