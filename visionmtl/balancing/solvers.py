"""The small convex problems behind the gradient balancers, in float64, in the graph and under XLA."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

ZERO = 1e-10  # a gradient shorter than this times the longest counts as zero
RIDGE = 1e-12  # keeps the systems of parallel gradients positive definite; far below the 1e-5 asked of a direction


class Gradients(NamedTuple):
    """K gradients as their Gramian shows them, in directions and lengths: unequal lengths cannot spoil a system then.

    Attributes:
        cosines: float64 `[K, K]`; 0 in the rows and columns of absent tasks and of zero gradients.
        norms: float64 `[K]` relative to the longest; 1 for absent tasks and zero gradients, so that one may divide.
        present: float64 `[K]`, 1 where the task takes part.
        active: float64 `[K]`, 1 where it takes part and its gradient is not zero.
        rounding: an eigenvalue of the cosines below this times the largest is rounding.
    """

    cosines: tf.Tensor
    norms: tf.Tensor
    present: tf.Tensor
    active: tf.Tensor
    rounding: float

    def definite(self) -> tf.Tensor:
        """Return the cosines made positive definite in spite of rounding, with 1 on an inactive task's diagonal."""
        lowest = tf.reduce_min(tf.linalg.eigvalsh(self.cosines))
        return self.cosines + tf.linalg.diag(1 - self.active + RIDGE + 2 * tf.maximum(-lowest, 0.0))

    def length(self, coefficients) -> tf.Tensor:
        """Return the length of the sum of unit gradients times `coefficients` `[K]`."""
        return tf.sqrt(tf.maximum(tf.tensordot(coefficients, tf.linalg.matvec(self.cosines, coefficients), 1), 0.0))

    def weights(self, weights, usable=True) -> tf.Tensor:
        """Return `weights` `[K]` of the present tasks if usable, finite and of some gradient that is not 0; else 1."""
        usable = usable & tf.reduce_any(self.active > 0) & tf.reduce_all(tf.math.is_finite(weights))
        return tf.where((self.present > 0) & usable, weights, self.present)


def gradients(gramian, present=None) -> Gradients:
    """Return the gradients a Gramian `[K, K]` shows, without those of absent tasks; one with NaN or Inf counts as 0."""
    gramian = tf.convert_to_tensor(gramian)
    K = gramian.shape[0]
    rounding = 2 * K * float(np.finfo(gramian.dtype.as_numpy_dtype).eps)
    gramian = tf.cast(gramian, tf.float64)
    present = tf.ones(K, bool) if present is None else tf.cast(present, bool)
    gramian = tf.where(present[:, None] & present, gramian, 0.0)
    gramian = tf.where(tf.reduce_all(tf.math.is_finite(gramian)), gramian, 0.0)
    gramian = tf.math.divide_no_nan(gramian, tf.reduce_max(tf.linalg.diag_part(gramian)))
    squares = tf.linalg.diag_part(gramian)
    active = tf.cast(squares > ZERO**2, tf.float64)
    norms = tf.sqrt(tf.where(active > 0, squares, 1.0))
    cosines = gramian / norms / norms[:, None] * active * active[:, None]
    cosines = tf.clip_by_value((cosines + tf.transpose(cosines)) / 2, -1.0, 1.0)
    return Gradients(tf.linalg.set_diag(cosines, active), norms, tf.cast(present, tf.float64), active, rounding)


def eigen(matrix, sweeps=12):
    """Return ascending eigenvalues `[K]` and eigenvectors `[K, K]` of a symmetric matrix to full float64 precision.

    Parallel cyclic Jacobi rotations: under XLA `tf.linalg.eigh` stops at 1e-8 of the largest, which is where the small
    eigenvalues of gradients of very different lengths lie.
    """
    K = matrix.shape[0]
    partners = tf.constant(np.tile(_round_robin(K), (sweeps, 1, 1)))
    earlier = tf.constant(np.triu(np.ones((K, K))) - np.tril(np.ones((K, K)), -1))

    def rotate(step, matrix, vectors):
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


def _round_robin(tasks):
    """Return `[rounds, K, K]`: symmetric tables of disjoint pairs, each pair once in all the rounds."""
    even = tasks + tasks % 2
    rounds = np.zeros((even - 1, tasks, tasks))
    for r, table in enumerate(rounds):
        circle = [0, *(1 + (r + i) % (even - 1) for i in range(even - 1))]
        for left, right in zip(circle[: even // 2], circle[::-1], strict=False):
            if max(left, right) < tasks:
                table[left, right] = table[right, left] = 1
    return rounds


def equiangular(seen: Gradients) -> tf.Tensor:
    """Return coefficients `[K]` of unit gradients whose sum has inner product 1 with each: pseudo-inverse times 1."""
    values, vectors = eigen(seen.cosines)
    kept = values > seen.rounding * tf.reduce_max(values)
    components = tf.linalg.matvec(vectors, seen.active, transpose_a=True)
    return tf.linalg.matvec(vectors, tf.where(kept, components / tf.where(kept, values, 1.0), 0.0))


def minimise(derivatives, mask, iterations=40, target=None, exponent=1.0) -> tf.Tensor:
    """Minimise a smooth convex function over x >= 0 by a primal-dual interior point method.

    Args:
        derivatives: function from x `[..., K]` to the gradient `[..., K]` and the Hessian `[..., K, K]`.
        mask: float64 `[..., K]`, 0 where x is no variable.
        iterations: Newton steps.
        target: float64 `[..., K]` to find the x with `x * gradient ** exponent = target` instead.

    Returns:
        x, float64 `[..., K]`; 0 where the mask is.
    """
    count = tf.maximum(tf.reduce_sum(mask, axis=-1, keepdims=True), 1.0)

    def step(x, z):
        gradient, hessian = derivatives(x * mask)
        gap = tf.reduce_sum(x * z * mask, axis=-1, keepdims=True) / count
        goal = tf.maximum(0.1 * gap, 1e-18) if target is None else target
        slope = z / (exponent * x)
        pull = slope * (goal / z**exponent - x)
        system = hessian * mask[..., None] * mask[..., None, :] + tf.linalg.diag(slope * mask + 1 - mask)
        right = (z + pull - gradient) * mask
        dx = tf.linalg.cholesky_solve(tf.linalg.cholesky(system), right[..., None])[..., 0] * mask
        dz = (pull - slope * dx) * mask
        steepest = tf.reduce_max(tf.maximum(-dx / x, -dz / z), axis=-1, keepdims=True)
        length = tf.minimum(0.95 / tf.maximum(steepest, 0.5), 1.0)
        return x + length * dx, z + length * dz

    z = tf.ones_like(mask)
    x = z if target is None else z * target
    x, _ = tf.while_loop(lambda *_: tf.constant(True), step, (x, z), maximum_iterations=iterations)
    return x * mask


def project(seen: Gradients, coefficients) -> tf.Tensor:
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
