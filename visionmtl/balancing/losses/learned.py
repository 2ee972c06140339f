"""Softmax weights trained by back-propagation."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import number
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.balancing.losses.common import masked_softmax


@keras.saving.register_keras_serializable("visionmtl")
class Learned(LossBalancer):
    """Weights `K * softmax(a)` whose `a` is trained by back-propagation, and kept off a corner.

    Alone, the weights would all go to the task of the smallest loss; `-strength * sum(log(weights))`, which grows
    without bound where one vanishes, holds them back. With the strength at 1 and losses near 1 they end near the
    inverse of the losses.
    """

    promise = "softmax weights learnt by back-propagation, kept off the corners"
    equation = "w = K softmax(a), a trained with - strength sum_k log(w_k) beside the losses"
    when = "as a baseline for methods that learn weights: what back-propagation alone makes of them"

    strength: float = number(1.0, "of the regulariser; large keeps the weights alike", above=0)

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.logits = self.add_weight(name="logits", shape=(len(tasks),), initializer="zeros")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        weights = masked_softmax(tf.convert_to_tensor(self.logits), present) * tf.reduce_sum(present)
        barrier = tf.reduce_sum(tf.math.log(tf.where(present > 0, tf.maximum(weights, 1e-12), 1.0)))
        return tf.reduce_sum(weights * losses) - self.strength * barrier
