"""A sum of maps, each by a weight that is learnt."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("visionmtl")
class WeightedSum(keras.layers.Layer):
    """Add tensors of one shape, each times its learnt weight; the weights are at least 0 and sum to how many there are.

    At the start it is the plain sum.

    Call: a list of K tensors of one shape -> one of that shape.

    Reference: Tan et al. 2020, EfficientDet, section 3.3 (fast normalised fusion, whose weights sum to 1; here a sum
    keeps its scale).

    Example:
        >>> image = keras.Input((32, 32, 3))
        >>> maps = [keras.layers.Conv2D(8, 3, padding="same")(image) for _ in range(2)]
        >>> visionmtl.layers.WeightedSum()(maps).shape
        (None, 32, 32, 8)
    """

    def build(self, input_shape: Any) -> None:
        self.share = self.add_weight(name="share", shape=(len(input_shape),), initializer="ones")
        super().build(input_shape)

    def call(self, inputs: Sequence[Any]) -> Any:
        shares = ops.relu(ops.convert_to_tensor(self.share))
        shares = ops.unstack(shares * len(inputs) / (ops.sum(shares) + 1e-4))
        total = inputs[0] * shares[0]
        for x, share in zip(inputs[1:], shares[1:], strict=True):
            total += x * share
        return total

    def compute_output_shape(self, input_shape: Sequence[tuple]) -> tuple:
        return tuple(input_shape[0])
