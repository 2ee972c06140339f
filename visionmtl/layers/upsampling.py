"""A map of twice the size, between whose cells the network says where to read."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("visionmtl")
class GuidedUpsampling(keras.layers.Layer):
    """Double the size of a map by a bilinear interpolation whose weights are learnt, pixel by pixel.

    A bilinear interpolation reads a quarter of the way to the next cell, up or down and then left or right, whatever
    lies there, and blurs the edge of a thing over two cells. Here guides say how far: all of the way or none where
    there is an edge. With guides of 0 it is the bilinear interpolation.

    Call: `[map, guides]`, `[B, H, W, C]` and `[B, H, W, 6]` (of each cell two ways up and down, and four to the left
    and right, of its pixels row by row; any numbers) -> `[B, 2 H, 2 W, C]`.

    Reference: Liu et al. 2023, Learning to Upsample by Learning to Sample (DySample), whose points are read at learnt
    offsets; here they stay between the four nearest cells, which takes no gathering.

    Example:
        >>> features = keras.Input((8, 8, 32))
        >>> guides = keras.layers.Conv2D(6, 1, kernel_initializer="zeros")(features)
        >>> visionmtl.layers.GuidedUpsampling()([features, guides]).shape
        (None, 16, 16, 32)
    """

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        x, guides = inputs
        way = tf.sigmoid(guides - tf.math.log(tf.constant(3.0, guides.dtype)))  # a quarter of the way at 0
        batch, height, width = (tf.shape(x)[axis] for axis in range(3))
        channels = x.shape[-1]
        above, below = tf.concat([x[:, :1], x[:, :-1]], 1), tf.concat([x[:, 1:], x[:, -1:]], 1)
        rows = tf.stack([x + way[..., :1] * (above - x), x + way[..., 1:2] * (below - x)], axis=2)
        x = tf.reshape(rows, (batch, 2 * height, width, channels))
        across = tf.transpose(tf.reshape(way[..., 2:], (batch, height, width, 2, 2)), (0, 1, 3, 2, 4))
        across = tf.reshape(across, (batch, 2 * height, width, 2))
        left, right = tf.concat([x[:, :, :1], x[:, :, :-1]], 2), tf.concat([x[:, :, 1:], x[:, :, -1:]], 2)
        columns = tf.stack([x + across[..., :1] * (left - x), x + across[..., 1:] * (right - x)], axis=3)
        return tf.reshape(columns, (batch, 2 * height, 2 * width, channels))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, height, width, channels = tuple(input_shape[0])
        return (batch, *(None if side is None else 2 * side for side in (height, width)), channels)
