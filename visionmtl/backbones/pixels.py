"""Maps whose cells become channels: nothing is lost and nothing computed."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("visionmtl")
class Gathered(keras.layers.Layer):
    """Make one cell of every n x n: `[B, H, W, C]` -> `[B, H / n, W / n, n * n * C]`.

    Args:
        size: n; a divisor of H and W.
        order: in which the cells' channels lie one after the other: "rows", or "columns", as in the weights of Swin.
    """

    def __init__(self, size: int, order: str = "rows", **kwargs: Any):
        super().__init__(**kwargs)
        self.size, self.order = size, order

    def call(self, inputs: Any) -> Any:
        if self.order == "rows":
            return tf.nn.space_to_depth(inputs, self.size)
        steps = range(self.size)
        return ops.concatenate(
            [inputs[:, row :: self.size, column :: self.size] for column in steps for row in steps], axis=-1
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, height, width, channels = input_shape
        sides = (None if side is None else side // self.size for side in (height, width))
        return (batch, *sides, channels * self.size**2)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"size": self.size, "order": self.order}
