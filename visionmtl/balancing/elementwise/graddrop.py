"""Gradient sign dropout."""

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import ForwardPass
from visionmtl.balancing.elementwise_balancer import ElementwiseBalancer
from visionmtl.balancing.hyperparameters import number, seed_of


@keras.saving.register_keras_serializable("visionmtl")
class SignDropout(ElementwiseBalancer):
    """Keep of each parameter's task gradients only those of one sign, drawn at random (GradDrop).

    The positive ones stay with probability `(1 + sum(g) / sum(|g|)) / 2`, else the negative ones. The draws follow from
    `seed` and the steps behind. The logged weights are 1: no task is weighed as a whole.

    Reference: Chen et al. 2020, Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout,
    algorithm 1, on the gradients of the shared parameters (the paper also drops at features).
    """

    paper = "Chen et al. 2020"
    promise = "one sign a parameter, drawn at random"

    leak: float = number(0.0, "fraction of what is dropped that is kept nevertheless", at_least=0, up_to=1)
    seed: int = seed_of("the draws")

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        return forward.present

    def merge(self, gradients: dict[int, tf.Tensor], weights: tf.Tensor, number: tf.Tensor, place: int) -> tf.Tensor:
        rows = tf.stack(list(gradients.values()))
        seed = tf.stack([self.seed + 7919 * place, tf.cast(number, tf.int32)])
        draw = tf.random.stateless_uniform(tf.shape(rows)[1:], seed, dtype=tf.float32)
        return keep_one_sign(rows, draw, self.leak)


def keep_one_sign(gradients: tf.Tensor, draw: tf.Tensor, leak: float = 0.0) -> tf.Tensor:
    """Return the sum of task gradients `[K, ...]` of which, at each place, one sign was dropped.

    Args:
        gradients: `[K, ...]`.
        draw: `[...]`, uniform in 0..1: the positive ones stay where it is below their purity.
        leak: fraction of the dropped ones that stays.
    """
    total = tf.reduce_sum(gradients, axis=0)
    purity = 0.5 * (1 + tf.math.divide_no_nan(total, tf.reduce_sum(tf.abs(gradients), axis=0)))
    positive = purity > tf.cast(draw, purity.dtype)
    kept = tf.cast(tf.where(positive, gradients > 0, gradients < 0), gradients.dtype)
    return tf.reduce_sum(gradients * (leak + (1 - leak) * kept), axis=0)
