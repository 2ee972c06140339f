"""The geometric mean of the losses."""

import keras
import tensorflow as tf

from visionmtl.balancing.loss_balancer import LossBalancer


@keras.saving.register_keras_serializable("visionmtl")
class Geometric(LossBalancer):
    """The geometric mean of the losses, `GLS = (prod_k L_k)^(1 / K)`: each falls by the same fraction.

    A task's weight is `GLS / (K * L_k)`.

    Scale: K identical losses weigh 1 / K each, a K-th of the other methods', as in the paper.

    Reference: Chennupati et al. 2019, MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy.
    """

    paper = "Chennupati et al. 2019"
    promise = "all losses fall by the same fraction: their geometric mean"
    equation = "L = (prod_k L_k)^(1 / K), so w_k = L / (K L_k)"
    when = "where losses differ in scale and none comes near zero, at which its weight has no bound"

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        count = tf.reduce_sum(present)
        logs = tf.math.log(tf.where(present > 0, tf.maximum(losses, 1e-12), 1.0))
        return tf.where(count > 0, tf.exp(tf.math.divide_no_nan(tf.reduce_sum(logs), count)), 0.0)
