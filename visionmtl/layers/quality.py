"""Scores that know how well their box is placed, by the shape of the distributions of its sides."""

from typing import Any

import keras
import numpy as np
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
        self.read.build((None, 12))
        self.tell.build((None, self.hidden))
        super().build(input_shape)

    def call(self, inputs: Any) -> tf.Tensor:
        scores, sides = inputs
        height, width = sides.shape[1:3]
        quality = self.tell(self.read(statistics(tf.reshape(sides, (-1, 4, self.bins)))))
        return logit_of_product(scores, tf.reshape(quality, (-1, height, width, 1)))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape[0])

    def get_config(self) -> dict:
        return super().get_config() | {"bins": self.bins, "hidden": self.hidden, "start": self.start}


def statistics(logits: tf.Tensor) -> tf.Tensor:
    """Return how sharp the distributions over 0, 1, 2, ... are that logits `[P, 4, bins]` tell of: `[P, 12]`.

    Sums over bins are products with a matrix, all sides at once: reductions over so few numbers take twice as long.
    """
    bins = logits.shape[-1]
    places = np.arange(bins, dtype="float32")[:, None] ** np.arange(3)  # 1, place and its square
    moments = tf.constant(np.einsum("st,bm->sbmt", np.eye(4), places).reshape(4 * bins, 12), logits.dtype)
    # relative to the largest, whose probability is therefore one by their sum
    relative = tf.exp(logits - tf.reduce_max(logits, axis=-1, keepdims=True))
    flat = tf.reshape(relative, (-1, 4 * bins))
    total, first, second = tf.split(flat @ moments, 3, axis=1)
    largest = 1 / total
    mean, squares = first * largest, (flat * flat) @ moments[:, :4] * largest * largest
    variance = tf.maximum(second * largest - mean * mean, 0.0)
    return tf.concat([largest, squares, tf.sqrt(variance + 1e-3)], axis=1)  # a root has no slope at 0


def logit_of_product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the logit of `sigmoid(a) * sigmoid(b)`, of logits that broadcast: exact where either is far from 0.

    Example:
        >>> round(float(tf.sigmoid(logit_of_product(tf.constant(0.0), tf.constant(0.0)))), 3)
        0.25
    """
    return b - tf.nn.softplus(tf.nn.softplus(b) - a)


def _logit(probability: float) -> float:
    return -float(keras.ops.log(1 / probability - 1))
