"""Scores that know how well their box is placed, by the shape of the distributions of its sides."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("visionmtl")
class LocalisationQuality(keras.layers.Layer):
    """Multiply the score of each class by a quality in 0..1 that is told by the distributions of the box's sides.

    A sharp distribution goes with a side that lies where it should. Of each side the largest probability, the sum of
    squares and the standard deviation are taken, in place of the paper's four largest probabilities: no sorting. A
    small network turns them into one number a cell. It starts at `start` everywhere, so that scores start as if it was
    not there.

    Args:
        bins: of the distribution of each of the four sides.
        hidden: width of the small network.
        start: the quality at the start, 0..1.

    Call: logits of scores `[B, h, w, C]` and of sides `[B, h, w, 4 * bins]` -> logits `[B, h, w, C]`, whose sigmoid is
    the product of the two sigmoids.

    Reference: Li et al. 2021, Generalized Focal Loss V2, section 3.2.
    """

    def __init__(self, bins: int, hidden: int = 16, start: float = 0.9, **kwargs: Any):
        super().__init__(**kwargs)
        self.bins, self.hidden, self.start = bins, hidden, start
        self.read = keras.layers.Dense(hidden, "relu", kernel_initializer="he_normal", name="read", dtype=self.dtype)
        self.tell = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            bias_initializer=keras.initializers.Constant(_logit(start)),
            name="tell",
            dtype=self.dtype,
        )

    def build(self, input_shape: Any) -> None:
        self.read.build((None, None, 12))
        self.tell.build((None, None, self.hidden))
        super().build(input_shape)

    def call(self, inputs: Any) -> tf.Tensor:
        scores, sides = inputs
        height, width = sides.shape[1:3]
        spread = tf.nn.softmax(tf.reshape(sides, (-1, height * width, 4, self.bins)))
        quality = self.tell(self.read(statistics(spread)))
        return logit_of_product(scores, tf.reshape(quality, (-1, height, width, 1)))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape[0])

    def get_config(self) -> dict:
        return super().get_config() | {"bins": self.bins, "hidden": self.hidden, "start": self.start}


def statistics(spread: tf.Tensor) -> tf.Tensor:
    """Return how sharp distributions `[..., 4, bins]` over 0, 1, 2, ... are: three numbers a side, `[..., 12]`."""
    places = tf.range(spread.shape[-1], dtype=spread.dtype)
    mean = tf.reduce_sum(spread * places, axis=-1)
    variance = tf.reduce_sum(spread * places * places, axis=-1) - mean * mean
    deviation = tf.sqrt(tf.maximum(variance, 0.0) + 1e-3)  # a root has no slope at 0
    largest, squares = tf.reduce_max(spread, axis=-1), tf.reduce_sum(spread * spread, axis=-1)
    return tf.concat([largest, squares, deviation], axis=-1)


def logit_of_product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the logit of `sigmoid(a) * sigmoid(b)`, of logits that broadcast: exact where either is far from 0.

    Example:
        >>> round(float(tf.sigmoid(logit_of_product(tf.constant(0.0), tf.constant(0.0)))), 3)
        0.25
    """
    return b - tf.nn.softplus(tf.nn.softplus(b) - a)


def _logit(probability: float) -> float:
    return -float(keras.ops.log(1 / probability - 1))
