"""Direction-oriented multi-objective learning."""

import numpy as np
import tensorflow as tf

from visionmtl.balancing.gramian.common import remembered, without_inactive
from visionmtl.balancing.gramian.solvers import to_simplex
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import number, whole
from visionmtl.balancing.method import HALVES


class SDMGrad(GramianMethod):
    """Find the short vector in the gradients' convex hull, with the mean gradient pulling at it.

    It descends a little in every step instead of solving, and remembers the convex weights `[K]`. It does so along
    `G1 G2'`, the gradients of independent samples, whose mean is right where that of a noisy Gramian is too large on
    its diagonal. In training these are the samples at even and at odd places of a batch, and a step goes back 2 K
    times; the update takes all samples.

    Reference: Xiao, Ban and Ji 2023, Direction-oriented Multi-objective Learning: Simple and Provable Stochastic
    Algorithms (SDMGrad): some steps of gradient descent on the simplex along `G (w + lamda w0)`, w0 being equal
    weights. It converges at the default learning rate; the code's 5 over the square of the mean length throws the
    weights from corner to corner, by rounding.

    Scale: K (w + lamda w0) / (1 + lamda), which sums to K; the paper's sum to 1.
    """

    paper = "Xiao et al. 2023"
    cost = HALVES
    promise = "a short vector of the hull, pulled at by the mean"
    sub_batches = 2

    lamda: float = number(0.3, "pull of the mean gradient", at_least=0)
    iterations: int = whole(20, "of the descent", at_least=1)
    learning_rate: float = number(1.0, "of the descent on G1 G2' over the Gramian's trace", above=0)
    momentum: float = number(0.5, "of the descent", at_least=0, up_to=1)

    def start(self, tasks: int) -> np.ndarray | None:
        return np.full(tasks, 1 / tasks, np.float32)

    def weights_and_memory(self, seen: Gradients, comparison: Comparison) -> tuple[tf.Tensor, tf.Tensor | None]:
        lamda, momentum, learning_rate = self.lamda, self.momentum, self.learning_rate
        gramian, memory, product = comparison.gramian, comparison.memory, comparison.product
        count = tf.reduce_sum(seen.present)
        equal = tf.math.divide_no_nan(seen.present, count)
        steep = tf.math.divide_no_nan(
            without_inactive(seen, gramian if product is None else product),
            tf.linalg.trace(without_inactive(seen, gramian)),
        )

        def step(w: tf.Tensor, velocity: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            velocity = momentum * velocity + tf.linalg.matvec(steep, w + lamda * equal)
            return to_simplex(w - learning_rate * velocity, seen.present), velocity

        start = to_simplex(equal if memory is None else tf.cast(memory, tf.float64), seen.present)
        w, _ = tf.while_loop(
            lambda *_: tf.constant(True), step, (start, tf.zeros_like(start)), maximum_iterations=self.iterations
        )
        return seen.weights(count * (w + lamda * equal) / (1 + lamda)), remembered(w, memory, seen)
