"""Fast adaptive multitask optimisation."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import limit_of_norm, number
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.balancing.losses.common import Adam, masked_softmax
from visionmtl.balancing.method import LOOKS_BACK


@keras.saving.register_keras_serializable("visionmtl")
class FAMO(LossBalancer):
    """Weights under which all losses fall by the same fraction, learnt from how they fell, with no gradient of a task.

    The weights are `K * c * z / L` with `z = softmax(w)`, and `c` makes them sum to K. After each step the losses of
    the same batch tell which tasks fell most, and Adam lowers their `w`.

    Scale: K identical gradients give K of them; the paper's weights sum to 1. The authors' code also clips the gradient
    of what the tasks share to the norm 1, which the paper does not say: `max_norm=1` does.

    Reference: Liu et al. 2023, FAMO: Fast Adaptive Multitask Optimization, algorithm 1.
    """

    paper = "Liu et al. 2023"
    cost = LOOKS_BACK
    promise = "all losses fall by the same fraction, learnt as they fall"
    equation = "w_k = K c z_k / L_k, z = softmax(a), a lowered for the tasks that fell most"
    when = "where losses differ in scale and there are too many tasks for a pass back each"
    looks_back = True

    learning_rate: float = number(0.025, "of w", above=0)
    decay: float = number(1e-3, "gamma, the decay of w to 0", above=0, up_to=1)
    max_norm: float | None = limit_of_norm()

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.logits = self.add_state("logits", (len(tasks),))
        self.adam = Adam(self, len(tasks), self.learning_rate)
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        z = masked_softmax(tf.convert_to_tensor(self.logits), present)
        positive = tf.where(present > 0, tf.maximum(losses, 1e-8), 1.0)
        scale = tf.stop_gradient(tf.math.divide_no_nan(tf.reduce_sum(present), tf.reduce_sum(z / positive)))
        return scale * tf.reduce_sum(z * tf.math.log(positive))

    def look_back(self, before: tf.Tensor, after: tf.Tensor, present: tf.Tensor) -> None:
        z = masked_softmax(tf.convert_to_tensor(self.logits), present)
        fall = tf.where(present > 0, tf.math.log(tf.maximum(before, 1e-8)) - tf.math.log(tf.maximum(after, 1e-8)), 0.0)
        slope = z * (fall - tf.reduce_sum(z * fall)) + self.decay * tf.convert_to_tensor(self.logits)
        self.logits.assign_sub(tf.where(present > 0, self.adam.step(slope), 0.0))
