"""Impartial learning of the losses' scales."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.loss_balancer import LossBalancer


@keras.saving.register_keras_serializable("visionmtl")
class ImpartialLosses(LossBalancer):
    """Scales learnt so that all weighted losses are alike: `exp(s) * L - s`, least where `exp(s) = 1 / L`.

    Reference: Liu et al. 2021, Towards Impartial Multi-Task Learning (IMTL-L).
    """

    paper = "Liu et al. 2021"
    promise = "weighted losses alike"
    equation = "L = sum_k exp(s_k) L_k - s_k, least where exp(s_k) = 1 / L_k"
    when = "where losses differ in scale and a step may cost no more than a plain one"

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.log_scale = self.add_weight(name="log_scale", shape=(len(tasks),), initializer="zeros")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        s = tf.convert_to_tensor(self.log_scale)
        return tf.reduce_sum((tf.exp(s) * losses - s) * present)
