"""Blocks of convolution and normalisation, of which necks and heads are built."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from visionmtl.layers.normalisation import FusedBatchNormalization


@keras.saving.register_keras_serializable("visionmtl")
class ConvBlock(keras.layers.Layer):
    """Convolution, batch normalisation and ReLU6, keeping the image's size divided by `strides`.

    Args:
        channels: channels of the output.
        kernel_size: pixels on a side.
        strides: pixels between outputs.
        separable: a depthwise convolution and then a pointwise one, about eight times cheaper than a full 3 x 3.
        activation: name of the activation; None for none.

    Call: `[B, H, W, C]` -> `[B, H / strides, W / strides, channels]`.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        strides: int = 1,
        separable: bool = True,
        activation: str | None = "relu6",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.channels, self.kernel_size, self.strides = channels, kernel_size, strides
        self.separable, self.activation = separable, activation
        self.depthwise = None
        if separable:
            self.depthwise = keras.layers.DepthwiseConv2D(
                kernel_size,
                strides,
                padding="same",
                use_bias=False,
                depthwise_initializer="he_normal",
                name="depthwise",
            )
        self.convolution = keras.layers.Conv2D(
            channels,
            1 if separable else kernel_size,
            1 if separable else strides,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name="convolution",
        )
        self.normalisation = FusedBatchNormalization(momentum=0.97, epsilon=1e-3, name="normalisation")
        self.activate = keras.layers.Activation(activation, name="activation")

    def build(self, input_shape: tuple) -> None:
        shape = tuple(input_shape)
        if self.depthwise is not None:
            self.depthwise.build(shape)
            shape = self.depthwise.compute_output_shape(shape)
        self.convolution.build(shape)
        self.normalisation.build(self.convolution.compute_output_shape(shape))
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        x = inputs if self.depthwise is None else self.depthwise(inputs)
        return self.activate(self.normalisation(self.convolution(x), training=training))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        height, width = (None if side is None else -(-side // self.strides) for side in input_shape[1:3])
        return (input_shape[0], height, width, self.channels)

    def get_config(self) -> dict:
        names = ("channels", "kernel_size", "strides", "separable", "activation")
        return super().get_config() | {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("visionmtl")
class SharedBlock(keras.layers.Layer):
    """A separable convolution whose kernels serve all levels, with a batch normalisation for each: their scales differ.

    Args:
        channels: channels of the output.
        levels: the names of the levels it is called on.

    Call: `[B, H, W, C]` and the level's name -> `[B, H, W, channels]`.

    Reference: Tan, Pang and Le 2020, EfficientDet, which shares its heads the same way.
    """

    def __init__(self, channels: int, levels: Sequence[str], **kwargs: Any):
        super().__init__(**kwargs)
        self.channels, self.levels = channels, list(levels)
        self.depthwise = keras.layers.DepthwiseConv2D(
            3, padding="same", use_bias=False, depthwise_initializer="he_normal", name="depthwise"
        )
        self.pointwise = keras.layers.Conv2D(
            channels, 1, use_bias=False, kernel_initializer="he_normal", name="pointwise"
        )
        self.normalisations = {
            level: FusedBatchNormalization(momentum=0.97, epsilon=1e-3, name=f"normalisation_{level}")
            for level in self.levels
        }

    def build(self, input_shape: tuple, **kwargs: Any) -> None:
        self.depthwise.build(input_shape)
        self.pointwise.build(input_shape)
        for level in self.levels:
            self.normalisations[level].build((*tuple(input_shape)[:3], self.channels))
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, level: str, training: bool | None = None) -> tf.Tensor:
        x = self.pointwise(self.depthwise(inputs))
        return ops.relu6(self.normalisations[level](x, training=training))

    def compute_output_shape(self, input_shape: tuple, **kwargs: Any) -> tuple:
        return (*tuple(input_shape)[:3], self.channels)

    def get_config(self) -> dict:
        return super().get_config() | {"channels": self.channels, "levels": self.levels}


@keras.saving.register_keras_serializable("visionmtl")
class DepthToSpace(keras.layers.Layer):
    """Spread groups of channels over the pixels of a finer map: `[B, H, W, C * n * n]` -> `[B, H * n, W * n, C]`.

    Args:
        block_size: n.

    Reference: Shi et al. 2016, Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel CNN.
    """

    def __init__(self, block_size: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        self.block_size = block_size

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.depth_to_space(inputs, self.block_size)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        n = self.block_size
        height, width = (None if side is None else side * n for side in input_shape[1:3])
        return (input_shape[0], height, width, input_shape[3] // (n * n))

    def get_config(self) -> dict:
        return super().get_config() | {"block_size": self.block_size}
