"""Direction-oriented multi-objective learning."""

from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.balancing.by_task import preference
from visionmtl.balancing.gramian.common import remembered, without_inactive
from visionmtl.balancing.gramian.solvers import to_simplex
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import choice, limit_of_norm, number, whole
from visionmtl.balancing.method import HALVES

STEPS = ("trace", "length", "raw")


class SDMGrad(GramianMethod):
    """Find the short vector in the gradients' convex hull, with the mean gradient pulling at it.

    It descends a little in every step instead of solving, and remembers the convex weights `[K]`. It does so along
    `G1 G2'`, the gradients of independent samples, whose mean is right where that of a noisy Gramian is too large on
    its diagonal. In training these are the samples at even and at odd places of a batch, and a step goes back 2 K
    times; the update takes all samples.

    Reference: Xiao, Ban and Ji 2023, Direction-oriented Multi-objective Learning: Simple and Provable Stochastic
    Algorithms (SDMGrad), algorithm 1: some steps of gradient descent on the simplex along `G1 G2' (w + lamda w0)`, w0
    being the preferences over their sum, which is equal weights if none are given, from where the last batch left them.
    `steps` says by what these are divided:

    - trace, the default, by that of the Gramian: at the default learning rate they end near the solution, and what is
      remembered hardly matters;
    - raw, as in the paper, by nothing: long gradients move the weights far and short ones little, and the learning rate
      (beta in the paper) has to be chosen for the problem; the paper has `momentum=0`;
    - length, as in the authors' code, by the square of the gradients' mean length. With that code's `learning_rate=10`
      weights are thrown from corner to corner, by rounding.

    Preference: the update is pulled to the gradients summed with it in place of the mean, as the paper's "target
    direction" allows; with a large `lamda` it is their sum.
    Scale: K (w + lamda w0) / (1 + lamda), which sums to K as in the authors' code; the paper's sum to 1 + lamda. That
    code then clips the gradient of what the tasks share to the norm 1: `max_norm=1` does.
    """

    paper = "Xiao et al. 2023"
    cost = HALVES
    promise = "a short vector of the hull, pulled at by the mean"
    equation = "w <- simplex(w - rate G12 (w + lamda w0)), update sum_k (w_k + lamda w0_k) g_k"
    when = "instead of cagrad where batches are small, since the noise of one half does not bias the other's product"
    sub_batches = 2

    lamda: float = number(0.3, "pull of the mean gradient", at_least=0)
    iterations: int = whole(20, "of the descent", at_least=1)
    learning_rate: float = number(1.0, "of the descent", above=0)
    momentum: float = number(0.5, "of the descent", at_least=0, up_to=1)
    steps: str = choice("trace", STEPS, "what divides the descent's slope; raw, for nothing, is the paper's")
    preference: Any = preference()
    max_norm: float | None = limit_of_norm()

    def start(self, tasks: int) -> np.ndarray | None:
        return np.full(tasks, 1 / tasks, np.float32)

    def weights_and_memory(self, seen: Gradients, comparison: Comparison) -> tuple[tf.Tensor, tf.Tensor | None]:
        lamda, momentum, learning_rate = self.lamda, self.momentum, self.learning_rate
        gramian, memory, product = comparison.gramian, comparison.memory, comparison.product
        count = tf.reduce_sum(seen.present)
        equal = tf.math.divide_no_nan(seen.present, count)
        target = tf.math.divide_no_nan(comparison.preferred(seen), count)
        slope = without_inactive(seen, gramian if product is None else product)
        steep = slope if self.steps == "raw" else tf.math.divide_no_nan(slope, self._divisor(seen, gramian, slope))

        def step(w: tf.Tensor, velocity: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            velocity = momentum * velocity + tf.linalg.matvec(steep, w + lamda * target)
            return to_simplex(w - learning_rate * velocity, seen.present), velocity

        start = to_simplex(equal if memory is None else tf.cast(memory, tf.float64), seen.present)
        w, _ = tf.while_loop(
            lambda *_: tf.constant(True), step, (start, tf.zeros_like(start)), maximum_iterations=self.iterations
        )
        return seen.weights(count * (w + lamda * target) / (1 + lamda)), remembered(w, memory, seen)

    def _divisor(self, seen: Gradients, gramian: tf.Tensor, product: tf.Tensor) -> tf.Tensor:
        """Return what divides the slope, by the Gramian `[K, K]` or the product of two sub-batches `[K, K]`."""
        if self.steps == "trace":
            return tf.linalg.trace(without_inactive(seen, gramian))
        lengths = tf.sqrt(tf.maximum(tf.linalg.diag_part(product), 0.0))  # of noise alone, a product may be negative
        return tf.math.divide_no_nan(tf.reduce_sum(lengths), tf.reduce_sum(seen.present)) ** 2
