"""The sum of the losses."""

import keras
import tensorflow as tf

from visionmtl.balancing.loss_balancer import LossBalancer


@keras.saving.register_keras_serializable("visionmtl")
class Equal(LossBalancer):
    """The sum of the losses: every task weighs 1. The baseline of every other method."""

    promise = "the sum of the losses; the baseline"
    equation = "update = sum_k g_k"
    when = "first, always: it is what every other method has to beat"

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.reduce_sum(losses * present)
